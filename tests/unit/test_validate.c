/*
 * A validation in process: context from a model, reported look-ups, constant
 * memory, and the scanners compared with a slow implementation of the same rule.
 */
#include <malloc.h>

#include "json_text.h"
#include "validate/validate_parts.h"

static struct lh_err err;

static void judged(struct lh_validator *v, const char *kind, const char *artifact,
		   const char *context, bool own, const char *want)
{
	static struct lh_buf out;
	struct lh_str k = { kind, strlen(kind) };
	struct lh_value a = value_of(artifact ? artifact : "0");
	struct lh_value c = value_of(context ? context : "0");
	struct lh_verdict d;

	check_why(lh_validate(v, &k, artifact ? &a : NULL, context ? &c : NULL, own, &d,
			      &err) == 0, err.msg);
	lh_buf_reset(&out);
	lh_verdict_json(&out, &d, 7, true);
	lh_buf_putc(&out, '\0');
	check_why(!strcmp(out.p, want), out.p);
}

static const char good[] = "{\"findings\":[],\"elapsed_ms\":7}";

/* ---- look-ups ---- */

static struct {
	char id[16];
	int n, found;
} told;

static void on_lookup(void *ctx, const char *id, size_t n, bool found)
{
	check(ctx == &told && n < sizeof told.id);
	memcpy(told.id, id, n);
	told.id[n] = '\0';
	told.n++;
	told.found += found;
}

static struct lh_roster *some_workers(void)
{
	char path[] = "/tmp/test_validate.XXXXXX";
	int fd = mkstemp(path);
	static const char rows[] =
		"{\"candidate_id\":\"W-1\",\"name\":\"Donald "
		"Green\"}\n{\"candidate_id\":\"W-2\",\"name\":\"Ann Lee\"}\n";
	struct lh_roster *r;

	check(fd >= 0 && write(fd, rows, sizeof rows - 1) == (ssize_t)sizeof rows - 1);
	close(fd);
	r = lh_roster_open(path, 1, &err);
	check_why(r, err.msg);
	unlink(path);
	return r;
}

static void lookups_are_told(const struct lh_roster *r)
{
	struct lh_validate_how how = { .roster = r, .looked_up = on_lookup, .ctx = &told };
	struct lh_validator *v = lh_validator_new(&how);

	judged(v, "email", "{\"to\":\"a\",\"body\":\"Ann\"}", "{\"candidate_id\":\" w-2\"}", false,
	       good);
	check(told.n == 1 && told.found == 1 && !strcmp(told.id, "W-2"));
	judged(v, "email", "{\"to\":\"a\",\"body\":\"Ann\"}", NULL, false, good);
	check(told.n == 1);
	judged(v, "fill",
	       "{\"fills\":[{\"candidate_id\":\"W-1\",\"name\":\"Donald "
	       "Green\"},{\"candidate_id\":\"x\",\"name\":\"X\"},{\"candidate_id\":\"y\","
	       "\"name\":\"Y\"}]}",
	       NULL, false,
	       "{\"Consistency\":{\"reason\":\"fills[1].candidate_id 'x' does not exist in worker "
	       "roster\"}}");
	check(told.n == 3 && told.found == 2 && !strcmp(told.id, "x"));
	lh_validator_free(v);
}

static void nothing_grows(struct lh_validator *v)
{
	struct mallinfo2 before = { 0 };
	int i;

	for (i = 0; i < 1000; i++) {
		if (i == 10)
			before = mallinfo2();
		judged(v, "email",
		       "{\"to\":\"a\",\"body\":\"\\u0041nn\\n$5\",\"subject\":\"\\u00e9\"}",
		       "{\"candidate_id\":\"w-\\u0032\"}", false, good);
		judged(v, "fill",
		       "{\"fills\":[{\"candidate_id\":\"W-\\u0031\",\"name\":\"Don\"},"
		       "{\"candidate_id\":\"w-2\",\"name\":\"ann lee\"}]}",
		       "{\"target_count\":2}", false,
		       "{\"findings\":[{\"field\":\"fills[0].name\",\"severity\":\"warning\","
		       "\"message\":\"'Don' differs from roster name 'Donald Green'\"}],"
		       "\"elapsed_ms\":7}");
		judged(v, "playbook", "{\"operation\":\"\\u0066ill\"}", NULL, false,
		       "{\"Schema\":{\"field\":\"operation\",\"reason\":\"expected `fill: ...` "
		       "prefix, got \\\"fill\\\"\"}}");
	}
	check(mallinfo2().uordblks == before.uordblks);
}

/* ---- scanners ---- */

static bool slow_ssn(const char *p, size_t n)
{
	static const char shape[] = "ddd-dd-dddd";
	size_t i, k;

	for (i = 0; i + 11 <= n; i++) {
		for (k = 0; k < 11; k++)
			if (shape[k] == '-' ? p[i + k] != '-' : p[i + k] < '0' || p[i + k] > '9')
				break;
		if (k == 11 && (!i || p[i - 1] < '0' || p[i - 1] > '9') &&
		    (i + 11 == n || p[i + 11] < '0' || p[i + 11] > '9'))
			return true;
	}
	return false;
}

static size_t points(const char *p, const char *end)
{
	size_t n = 0;

	for (; p < end; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	return n;
}

static bool slow_salary(const char *p, size_t n)
{
	static const char *const words[] = { "salary", "compensation", "pay rate", "bill rate",
					     "hourly rate", "wage" };
	size_t i, k, w, len;

	for (i = 0; i < n; i++) {
		if (p[i] != '$' || !((i + 1 < n && p[i + 1] >= '0' && p[i + 1] <= '9') ||
				     (i + 2 < n && p[i + 1] == ' ' && p[i + 2] >= '0' &&
				      p[i + 2] <= '9')))
			continue;
		for (k = 0; k < n; k++)
			for (w = 0; w < 6; w++) {
				len = strlen(words[w]);
				if (k + len > n || strncasecmp(p + k, words[w], len))
					continue;
				if (k > i ? points(p + i + 1, p + k) <= 40
				    : points(p + k + len, p + i) <= 40)
					return true;
			}
	}
	return false;
}

static unsigned draw(unsigned n)
{
	static uint64_t x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned)(x % n);
}

/* Texts of pieces that nearly form a match. */
static void scanners_agree(void)
{
	static const char *const ssn[] = { "1", "23", "456", "-", "-", "78-", "123-45-", "6789",
					   "x", "\xc3\xa9", "-45-6789" };
	static const char *const pay[] = { "$", "$5", " ", "7", "salary", "Wage", "pay ", "rate",
					   "bill rate", "HOURLY RATE", "compensation",
					   "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
					   "xxxxxxxxxxxx", "xxxxxxxxxxxxxxxx" };
	size_t hits[2] = { 0 }, i, k, n = 200000;
	struct lh_buf b = { 0 };
	bool found;

	for (i = 0; i < n; i++) {
		lh_buf_reset(&b);
		for (k = draw(9) + 1; k; k--)
			lh_buf_puts(&b, ssn[draw(sizeof ssn / sizeof *ssn)]);
		found = lh_has_ssn(b.p, b.len, true);
		check(found == slow_ssn(b.p, b.len));
		hits[0] += found;
		lh_buf_reset(&b);
		for (k = draw(9) + 1; k; k--)
			lh_buf_puts(&b, pay[draw(sizeof pay / sizeof *pay)]);
		found = lh_has_salary(b.p, b.len, true);
		check(found == slow_salary(b.p, b.len));
		hits[1] += found;
	}
	for (i = 0; i < 2; i++)
		check(hits[i] > n / 100 && hits[i] < n * 9 / 10);
	lh_buf_free(&b);
}

int main(void)
{
	struct lh_roster *r = some_workers();
	struct lh_validator *v = lh_validator_new(&(struct lh_validate_how){ .roster = r });

	check(v);
	test(lookups_are_told(r));
	test(nothing_grows(v));
	test(scanners_agree());
	test(judged(v, "email", NULL, NULL, true, "{\"message\":\"artifact must be an object\"}"));
	lh_validator_free(v);
	lh_roster_close(r);
	return 0;
}
