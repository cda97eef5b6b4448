/* fuzz_index_log - any bytes as the log of an index: no crash, no read out of bounds;
 * if it opens, it takes an append and holds it afterwards. */
#include "fuzz.h"

#include "index/index_log.h"

#define DIM 4

static struct lh_err err;
static char log_path[80];

static void make_index(void)
{
	const float v[2][DIM] = { { 1, 0, 0, 0 }, { 0, 1, 0, 0 } };
	struct lh_index_params p;
	struct lh_index_writer *w;

	fuzz_choose_path(".lhv");
	snprintf(log_path, sizeof log_path, "%s-log", fuzz_path);
	lh_index_params_default(&p);
	p.dimension = DIM;
	w = lh_index_writer_new(fuzz_path, &p, 1, &err);
	must(w && lh_index_put(w, "a", 1, v[0], DIM, "{}", 2, &err) == 0 &&
	     lh_index_put(w, "b", 1, v[1], DIM, "{\"x\":1}", 7, &err) == 0 &&
	     lh_index_commit(w, 1, &err) == 0);
	lh_index_writer_free(w);
}

static void put_frame(struct lh_buf *b, uint32_t kind, const uint8_t *p, size_t n)
{
	struct lh_log_head head = { .bytes = (uint32_t)n, .kind = kind };

	head.head_xxh3 = lh_xxh3(&head, 8);
	head.xxh3 = lh_xxh3(p, n);
	lh_buf_add(b, &head, sizeof head);
	lh_buf_add(b, p, n);
}

/* Make a log, by the first byte: the bytes themselves, or payloads of frames with valid
 * checksums, after a mark of the index. */
static void make_log(struct lh_buf *b, uint64_t checksum, const uint8_t *p, size_t n)
{
	static struct lh_buf frame;
	bool framed = n && *p & 1, grouped;

	if (n)
		p++, n--;
	if (framed)
		lh_log_add_mark(b, checksum, DIM);
	while (framed && n >= 2) {
		size_t bytes = (size_t)p[1] % 16 * 8;
		uint32_t kind = p[0] % 128 % 5;

		grouped = p[0] >= 128;
		p += 2;
		n -= 2;
		if (bytes > n)
			bytes = n / 8 * 8;
		lh_buf_reset(&frame);
		put_frame(&frame, kind, p, bytes);
		if (grouped)
			lh_log_add_group(b, &frame);
		lh_buf_add(b, frame.p, frame.len);
		p += bytes;
		n -= bytes;
	}
	lh_buf_add(b, p, n);
}

static void walk(const struct lh_index *ix)
{
	struct lh_row row;
	uint64_t live = 0;
	struct lh_index_stats st;

	for (uint64_t i = 0; i < lh_index_rows(ix); i++) {
		if (lh_index_row(ix, i, &row, &err) != 1)
			continue;
		live++;
		must(lh_index_find(ix, row.id.p, row.id.n, &err) == (int64_t)i);
		for (size_t j = 0; j < row.meta.n; j++)
			must(row.meta.p[j] || !row.meta.p[j]);
	}
	lh_index_get_stats(ix, &st);
	must(st.live == live);
}

static void on_damage(void *ctx, const char *section, const char *text)
{
	(void)section;
	(void)text;
	++*(int *)ctx;
}

static void append_and_look(void)
{
	struct lh_index_change *c = lh_index_change_open(fuzz_path, 1, &err);
	struct lh_index *ix;
	bool due;

	must(c &&
	     lh_index_change_put(c, "new", 3, (float[DIM]){ 1, 1, 1, 1 }, DIM, NULL, 0, &err) == 0);
	if (lh_index_change_commit(c, &due, &err) == 0) {
		ix = lh_index_open(fuzz_path, &err);
		must(ix && lh_index_find(ix, "new", 3, &err) >= 0);
		lh_index_close(ix);
	}
	lh_index_change_close(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct lh_buf log;
	struct lh_index *ix, *base;
	int damages = 0;

	if (!*fuzz_path)
		make_index();
	base = lh_index_open_base(fuzz_path, &err);
	must(base != NULL);
	lh_buf_reset(&log);
	make_log(&log, base->checksum, data, n);
	fuzz_write(log_path, log.p, log.len, O_TRUNC);
	ix = lh_index_open(fuzz_path, &err);
	if (ix)
		walk(ix);
	must(lh_index_log_verify(base, fuzz_path, on_damage, &damages, &err) == 0);
	must(damages || (ix && ix->torn_at < 0));
	lh_index_close(base);
	if (ix)
		append_and_look();
	lh_index_close(ix);
	unlink(log_path);
	return 0;
}
