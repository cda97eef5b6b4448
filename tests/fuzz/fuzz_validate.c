/* fuzz_validate - any request gets a verdict that is JSON, and the same one from a new
 * validator. */
#include "fuzz.h"

#include "validate/validate.h"

static struct lh_record rec, reread;
static struct lh_buf text, scratch, out[2];
static struct lh_validate_how how;
static struct lh_err err;

static void start(void)
{
	static const char rows[] =
		"{\"candidate_id\":\"w-1\",\"name\":\"Ann Lee\",\"city\":\"Toledo\","
		"\"blacklisted_clients\":[\"c\"]}\n"
		"{\"candidate_id\":\"w-2\",\"name\":\"Bo\","
		"\"status\":\"inactive\",\"state\":\"OH\","
		"\"role\":\"Welder\"}\n";
	char path[] = "/tmp/fuzz_validate.XXXXXX";
	int fd = mkstemp(path);

	never(fd < 0 || write(fd, rows, sizeof rows - 1) != (ssize_t)sizeof rows - 1);
	close(fd);
	how.roster = lh_roster_open(path, 1, &err);
	unlink(path);
	must(how.roster);
}

static void judge(struct lh_validator *v, struct lh_buf *to)
{
	const struct lh_value *kind = lh_record_get(&rec, "kind");
	struct lh_str name = { "fill", 4 };
	struct lh_verdict d;

	lh_buf_reset(&scratch);
	if (kind && kind->type == LH_STRING)
		lh_value_str(kind, &scratch, &name);
	never(lh_validate(v, &name, lh_record_get(&rec, "artifact"), lh_record_get(&rec, "context"),
			  true, &d, &err) < 0);
	lh_buf_reset(to);
	lh_verdict_json(to, &d, 0, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct lh_validator *old;
	struct lh_validator *new;

	if (!how.roster)
		start();
	lh_buf_reset(&text);
	lh_buf_add(&text, data, n);
	if (!n || lh_record_parse(&rec, text.p, n, &err) < 0)
		return 0;
	if (!old)
		old = lh_validator_new(&how);
	new = lh_validator_new(&how);
	must(old);
	judge(old, &out[0]);
	judge(new, &out[1]);
	never(out[0].len != out[1].len || memcmp(out[0].p, out[1].p, out[0].len) ||
	      lh_record_parse(&reread, out[0].p, out[0].len, &err) < 0);
	lh_validator_free(new);
	return 0;
}
