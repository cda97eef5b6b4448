/*
 * passthrough - a filter reduced to the record layer: JSONL on stdin, each
 * record checked, one field found, one field added, written to stdout.
 *
 *     passthrough pass [FIELD] <workers.jsonl >/dev/null     (default: role)
 *     passthrough vectors [FIELD] <vectors.jsonl             (default: vector)
 *
 * The second reads an array of numbers instead.  Peers: jq -c
 * '.seen = (.role | length)', and peer_jansson with the same arguments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "json/json.h"
#include "base/num.h"

#define BLOCK (1 << 18)

struct pass {
	struct lh_record rec;
	struct lh_buf out;
	const char *field;
	int (*on_line)(struct pass *s, const char *p, size_t n, struct lh_err *err);
	float v[65536];
	double sum;
};

static int vectors(struct pass *s, const char *p, size_t n, struct lh_err *err)
{
	const struct lh_value *v;

	if (lh_record_parse(&s->rec, p, n, err) < 0)
		return -1;
	v = lh_record_get(&s->rec, s->field);
	if (!v || lh_f32s_read(v->p, v->p + v->n, s->v, 65536, err) < 0)
		return lh_err_set(err, LH_EDATA, "no vector");
	s->sum += (double)s->v[0];
	return 0;
}

static int pass(struct pass *s, const char *p, size_t n, struct lh_err *err)
{
	const char *const drop[] = { "seen" };
	const struct lh_value *v;

	if (lh_record_parse(&s->rec, p, n, err) < 0)
		return -1;
	v = lh_record_get(&s->rec, s->field);
	lh_record_open(&s->out, &s->rec, drop, 1);
	lh_buf_puts(&s->out, "\"seen\":");
	lh_buf_u64(&s->out, v ? v->n : 0);
	lh_buf_puts(&s->out, "}\n");
	return 0;
}

/* Process the whole lines of in; the rest moves to the front. */
static int on_block(struct pass *s, struct lh_buf *in, struct lh_err *err)
{
	const char *p = in->p, *end = in->p + in->len, *lf;

	for (; (lf = memchr(p, '\n', (size_t)(end - p))); p = lf + 1)
		if (s->on_line(s, p, (size_t)(lf - p), err) < 0)
			return -1;
	in->len = (size_t)(end - p);
	memmove(in->p, p, in->len);
	return lh_buf_check(&s->out, err);
}

static int flush(struct lh_buf *out)
{
	size_t done = 0;
	ssize_t n;

	for (; done < out->len; done += (size_t)n)
		if ((n = write(1, out->p + done, out->len - done)) < 0)
			return -1;
	lh_buf_reset(out);
	return 0;
}

int main(int argc, char **argv)
{
	bool reads = argc > 1 && !strcmp(argv[1], "vectors");
	static struct pass s;
	struct lh_err err = { 0 };
	struct lh_buf in = { 0 };
	ssize_t n = 0;
	int rc = 0;

	s.on_line = reads ? vectors : pass;
	s.field = argc > 2 ? argv[2] : reads ? "vector" : "role";
	s.out = (struct lh_buf){ 0 };
	while (!rc && lh_buf_room(&in, BLOCK) && (n = read(0, in.p + in.len, BLOCK)) > 0) {
		lh_buf_took(&in, (size_t)n);
		rc = on_block(&s, &in, &err);
		if (!rc)
			rc = flush(&s.out);
	}
	if (rc < 0 || n < 0)
		fprintf(stderr, "passthrough: %s\n", err.code ? err.msg : "cannot read or write");
	if (reads)
		printf("%g\n", s.sum);
	lh_record_free(&s.rec);
	lh_buf_free(&in);
	lh_buf_free(&s.out);
	return rc < 0 || n < 0;
}
