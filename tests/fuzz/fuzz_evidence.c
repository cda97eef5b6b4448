/* fuzz_evidence - evidence made of any row is valid by its schema and has the row's
 * hash; a refused row has a reason, which is JSON. */
#include "fuzz.h"

#include "distill/evidence.h"
#include "schema/schema.h"

static struct lh_record row, made;
static struct lh_evidence *maker;
static struct lh_buf out, scratch, list, canon;
static struct lh_err err;

static void check_hash(void)
{
	unsigned char want[32];

	never(lh_sig_hash(&row, &canon, want, &err) < 0 || memcmp(want, lh_evidence_hash(maker), 32));
}

static void check_made(void)
{
	struct lh_value v;

	lh_buf_grow(&out, LH_PAD);
	never(lh_record_parse(&made, out.p, out.len, &err) < 0);
	check_hash();
	v = (struct lh_value){ .p = made.line, .n = made.len, .type = LH_OBJECT };
	never(lh_schema_check(lh_schema_find("evidence_record"), &v, &scratch, fuzz_no_problem,
			      NULL) != 0);
}

static void check_refused(void)
{
	struct lh_value v;

	lh_buf_reset(&list);
	lh_evidence_errors(maker, &list);
	lh_buf_grow(&list, LH_PAD);
	never(err.code != LH_EDATA || list.len < 5 ||
	      lh_json_parse(&made, list.p, list.len, &v, &err) < 0 || v.type != LH_ARRAY);
}

/* The first byte chooses the stream. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *p;

	if (!maker)
		maker = lh_evidence_new("2026-05-03T12:00:00.000Z");
	if (!n)
		return 0;
	p = padded(data + 1, n - 1, '"');
	lh_buf_reset(&out);
	if (lh_record_parse(&row, p, n - 1, &err) == 0) {
		if (lh_evidence_make(maker, (enum lh_stream)(data[0] % LH_STREAMS), &row, data[0],
				     &out, &err) == 0)
			check_made();
		else
			check_refused();
	}
	free(p);
	return 0;
}
