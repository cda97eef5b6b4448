/*
 * fuzz_judge - for any bytes, the lines of runs and qrels are read or refused: ids are within
 * their line and not empty, scores are not NaN, grades are whole numbers within their bounds.
 *
 * Input: an odd first byte for qrels; then the lines.
 */
#include "fuzz.h"

#include "../../tools/lh-judge/read.c"

static int check_line(void *ctx, const struct judge_line *line, uint64_t number,
		      struct lh_err *err)
{
	const struct reader *r = ctx;

	(void)number, (void)err;
	never(!line->query.n || !line->id.n || !lh_utf8_valid(line->query.p, line->query.n) ||
	      !lh_utf8_valid(line->id.p, line->id.n) || isnan(line->value));
	never(r->grades && !(fabs(line->value) <= GRADE_MAX && line->value == trunc(line->value)));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = { .grades = size && data[0] % 2, .each = check_line };
	struct lh_buf text = { 0 };
	struct lh_str rest, line;
	struct lh_record rec;
	struct lh_err err;

	if (!size)
		return 0;
	r.ctx = &r;
	lh_record_init(&rec);
	lh_buf_add(&text, data, size);
	rest = (struct lh_str){ text.p + 1, size - 1 };
	while (!text.failed && rest.n && lh_next_line(&rest, &line)) {
		if (!line.n)
			continue;
		if (*line.p == '{' && lh_record_parse(&rec, line.p, line.n, &err) < 0)
			continue;
		if (*line.p != '{') {
			rec.line = line.p;
			rec.len = line.n;
		}
		read_line(&r, &rec, &err);
	}
	lh_buf_free(&text);
	lh_buf_free(&r.text);
	lh_record_free(&rec);
	return 0;
}
