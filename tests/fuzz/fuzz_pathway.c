/*
 * fuzz_pathway - any bytes as a log of traces: replayed at once or in two parts, the
 * result is the same; every trace prints as JSON; no chain of predecessors hangs;
 * and an appended event is there afterwards.
 */
#include "fuzz.h"

#include "memory/pathway.h"

static struct lh_err err;

/* Print everything: traces and chains of predecessors. */
static void print(struct lh_pathway *p, struct lh_buf *out)
{
	static struct lh_record rec;
	struct lh_pathway_stats st;
	size_t from;
	uint32_t i;
	int rc;

	lh_pathway_get_stats(p, &st);
	for (i = 0; i < st.traces; i++) {
		from = out->len;
		must(lh_pathway_put(p, i, out, &err) == 0 && lh_buf_check(out, &err) == 0);
		must(lh_record_parse(&rec, out->p + from, out->len - from, &err) == 0);
		rc = lh_pathway_ends(p, i, &err);
		must(rc == 0 || err.code == LH_EDATA);
		lh_buf_printf(out, " %d %lld\n", rc, (long long)lh_pathway_predecessor(p, i, &err));
	}
	lh_buf_printf(out, "%llu %llu %llu\n", (unsigned long long)st.events,
		      (unsigned long long)st.traces, (unsigned long long)st.retired);
}

static void append(struct lh_buf *out)
{
	static const struct lh_value content = { .p = "[1]", .n = 3, .type = LH_ARRAY };
	struct lh_pathway *p = lh_pathway_open(fuzz_path, LH_PATHWAY_WRITE, NULL, 60, &err);
	struct lh_pathway_new t = { .content = &content, .ns = 5, .fixed = true };
	uint32_t i, j;

	must(p && lh_pathway_add(p, &t, &i, &err) == 0);
	t.predecessor = (struct lh_str){ "fuzz", 4 };
	if (lh_pathway_revise(p, &t, &j, &err) == 0)
		must(lh_pathway_ends(p, j, &err) == 0 || err.code == LH_EDATA);
	lh_buf_reset(out);
	print(p, out);
	must(lh_pathway_close(p, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct lh_buf once, twice;
	struct lh_pathway *p;
	size_t cut = n ? data[0] % n : 0;

	if (!*fuzz_path)
		fuzz_choose_path(".jsonl");
	if (n)
		data++, n--;
	lh_buf_reset(&once);
	lh_buf_reset(&twice);
	fuzz_write(fuzz_path, data, n, O_TRUNC);
	p = lh_pathway_open(fuzz_path, LH_PATHWAY_READ, NULL, 60, &err);
	must(p != NULL);
	print(p, &once);
	lh_pathway_close(p, &err);
	/* Cut between lines, where another process would have stopped. */
	while (cut && cut <= n && data[cut - 1] != '\n')
		cut--;
	fuzz_write(fuzz_path, data, cut, O_TRUNC);
	p = lh_pathway_open(fuzz_path, LH_PATHWAY_READ, NULL, 60, &err);
	must(p != NULL);
	fuzz_write(fuzz_path, data + cut, n - cut, O_APPEND);
	must(lh_pathway_refresh(p, &err) == 0);
	print(p, &twice);
	lh_pathway_close(p, &err);
	must(once.len == twice.len && !memcmp(once.p, twice.p, once.len));
	append(&once);
	p = lh_pathway_open(fuzz_path, LH_PATHWAY_READ, NULL, 60, &err);
	must(p != NULL);
	lh_buf_reset(&twice);
	print(p, &twice);
	lh_pathway_close(p, &err);
	must(once.len == twice.len && !memcmp(once.p, twice.p, once.len));
	return 0;
}
