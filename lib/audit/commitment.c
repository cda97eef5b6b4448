/* commitment.c - rows as entries of a transparency log, and their proofs.  See commitment.h. */
#include "commitment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "chain_parts.h"
#include "crypto/secret.h"
#include "file/file.h"
#include "json/bind.h"
#include "json/write.h"
#include "tlog/policy.h"

/* ---- commitments ---- */

#define VERSION "lh-audit-row/v1"
#define SECRET 32
#define CHUNK 262144
#define COMMIT_MAX ((size_t)64 << 20)
#define ENTRIES_MAX (INT64_C(1) << 48)	/* of a tree */

/* ---- secrets, openings, entries ---- */

/* Make the secret durable before any row depends on it. */
static int make_secret(const char *path, struct lh_err *err)
{
	LH_SCOPED(lh_secret_wipe) struct lh_secret s = { NULL, 0, 0 };
	LH_SCOPED(lh_atomic_close) struct lh_atomic out = { .fd = -1, .slot = -1 };
	int rc;

	lh_secret_alloc(&s, SECRET);
	if (getrandom(s.p, SECRET, 0) != SECRET)
		return lh_err_sys(err, "no random bytes");
	rc = lh_atomic_open(&out, path, 0600, err);
	if (!rc)
		rc = lh_atomic_write(&out, s.p, SECRET, err);
	if (!rc)
		rc = lh_atomic_commit_new(&out, err);
	return rc < 0 ? -1 : 0;
}

struct lh_hmac *lh_opening_key(const char *path, bool make, struct lh_err *err)
{
	LH_SCOPED(lh_secret_wipe) struct lh_secret s = { NULL, 0, 0 };

	if (make && access(path, F_OK) < 0 && make_secret(path, err) < 0)
		return NULL;
	if (lh_secret_read(&s, path, SECRET, false, err) < 0)
		return NULL;
	if (s.n != SECRET) {
		lh_err_set(err, LH_EIO, "%s: a secret has %d bytes, and this is %zu", path, SECRET,
			   s.n);
		return NULL;
	}
	return lh_hmac_new(s.p, s.n);
}

void lh_opening_of(const struct lh_hmac *secret, struct lh_str row_hmac,
		   uint8_t opening[LH_OPENING])
{
	lh_hmac(secret, "open\n", 5, row_hmac.p, row_hmac.n, opening);
}

void lh_commit_entry(const uint8_t opening[LH_OPENING], struct lh_str row,
		     char entry[LH_COMMIT_ENTRY])
{
	struct lh_sha256 s;
	unsigned char sum[32];

	lh_sha256_start(&s);
	lh_sha256_more(&s, VERSION "\n", sizeof VERSION);
	lh_sha256_more(&s, opening, LH_OPENING);
	lh_sha256_more(&s, row.p, row.n);
	lh_sha256_end(&s, sum);
	memcpy(entry, VERSION " ", sizeof VERSION);
	lh_hex(sum, sizeof sum, entry + sizeof VERSION);
}

/* ---- NAME.commit ---- */

struct cursor {
	uint64_t count;
	struct lh_str tip;
	struct lh_value runs;
};
static const struct lh_bind cursor_members[] = {
	{ LH_BIND_U64("count", struct cursor, count, 1, ENTRIES_MAX), .required = true },
	{ LH_BIND_STRING("tip", struct cursor, tip), .required = true,
	  .is = lh_bind_is_sha256, .what = "string of 64 lowercase hex digits" },
	{ LH_BIND_ARRAY("runs", struct cursor, runs), .required = true },
	LH_BIND_CLOSED
};

/* Read [first row, first index, rows], which must continue the runs before. */
static bool read_run(const struct lh_value *v, uint64_t count, struct lh_commit_run *run)
{
	int64_t n[3] = { -1, -1, -1 };
	struct lh_iter it;
	size_t i = 0;

	if (v->type != LH_ARRAY)
		return false;
	for (lh_iter_init(&it, v); lh_iter_next(&it); i++)
		if (i == 3 || it.val.type != LH_NUMBER || !lh_value_i64(&it.val, &n[i]) ||
		    n[i] < 0 || n[i] > ENTRIES_MAX)
			return false;
	*run = (struct lh_commit_run){ (uint64_t)n[0], (uint64_t)n[1], (uint64_t)n[2] };
	return i == 3 && n[2] > 0 && run->row == count;
}

static int read_cursor(struct lh_commit *c, const struct lh_buf *text, struct lh_err *err)
{
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf strings = { 0 };
	struct cursor cursor = { .count = 0 };
	struct lh_commit_run run;
	struct lh_iter it;
	uint64_t count = 0;

	if (lh_record_parse(&rec, text->p, text->len, err) < 0 ||
	    lh_bind(cursor_members, &rec, &cursor, &strings, err) < 0)
		return -1;
	for (lh_iter_init(&it, &cursor.runs); lh_iter_next(&it); count += run.rows) {
		if (!read_run(&it.val, count, &run))
			return lh_err_set(err, LH_EDATA, "its runs do not follow each other");
		lh_commit_add(c, run.index, run.rows, cursor.tip);
	}
	return count == cursor.count ? 0 : lh_err_set(err, LH_EDATA, "its runs are not its count");
}

int lh_commit_read(struct lh_commit *c, const char *path, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc;

	lh_buf_init(&text, COMMIT_MAX);
	*c = (struct lh_commit){ .count = 0 };
	rc = lh_file_read(path, &text, err);
	if (rc > 0 && read_cursor(c, &text, err) < 0) {
		lh_commit_free(c);
		return lh_err_prefix(err, "%s", path);
	}
	return rc;
}

int lh_commit_write(const struct lh_commit *c, const char *path, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	struct lh_writer w = lh_write_to(&b);
	size_t i;

	lh_write_object(&w, NULL);
	lh_write_u64(&w, "count", c->count);
	lh_write_text(&w, "tip", c->tip);
	lh_write_array(&w, "runs");
	for (i = 0; i < c->n; i++) {
		lh_write_array(&w, NULL);
		lh_write_u64(&w, NULL, c->run[i].row);
		lh_write_u64(&w, NULL, c->run[i].index);
		lh_write_u64(&w, NULL, c->run[i].rows);
		lh_write_end(&w);
	}
	lh_write_end(&w);
	lh_write_end(&w);
	lh_buf_putc(&b, '\n');
	return lh_atomic_put(path, 0600, &b, err);
}

void lh_commit_add(struct lh_commit *c, uint64_t index, uint64_t rows, struct lh_str tip)
{
	struct lh_commit_run *last = c->n ? &c->run[c->n - 1] : NULL;

	if (!last || last->index + last->rows != index) {
		lh_grow(&c->run, &c->cap, c->n + 1, sizeof *c->run);
		last = &c->run[c->n++];
		*last = (struct lh_commit_run){ c->count, index, 0 };
	}
	last->rows += rows;
	c->count += rows;
	memcpy(c->tip, tip.p, LH_CHAIN_HEX);
	c->tip[LH_CHAIN_HEX] = '\0';
}

void lh_commit_find(const struct lh_commit *c, uint64_t row, uint64_t *index)
{
	size_t low = 0, high = c->n, mid;

	while (high - low > 1) {
		mid = low + (high - low) / 2;
		*(c->run[mid].row <= row ? &low : &high) = mid;
	}
	*index = c->run[low].index + (row - c->run[low].row);
}

void lh_commit_free(struct lh_commit *c)
{
	free(c->run);
	*c = (struct lh_commit){ .count = 0 };
}

/* ---- rows ---- */

struct rows {
	struct lh_chain_reader reader;
	struct lh_buf b;
	uint64_t row, from, to;
	lh_commit_row_fn *fn;
	void *ctx;
};

/* Process the whole lines in the buffer and remove them: 1 at the end of what is wanted. */
static int take_lines(struct rows *r, struct lh_err *err)
{
	struct lh_chain_line line;
	size_t at = 0;
	char *lf;
	int rc = r->row == r->to;

	while (!rc && at < r->b.len && (lf = memchr(r->b.p + at, '\n', r->b.len - at))) {
		struct lh_str text = { r->b.p + at, (size_t)(lf - r->b.p) - at };

		if (r->row >= r->from) {
			rc = lh_chain_line(&r->reader, text.p, text.n, &line, err);
			if (!rc && (!line.mac.p || line.mac.n != LH_CHAIN_HEX))
				rc = lh_err_set(err, LH_EDATA, "row %llu has no row_hmac",
						(unsigned long long)r->row);
			if (!rc)
				rc = r->fn(r->ctx, r->row, text, line.mac, err);
		}
		at = (size_t)(lf - r->b.p) + 1;
		r->row++;
		if (!rc)
			rc = r->row == r->to;
	}
	if (at)
		memmove(r->b.p, r->b.p + at, r->b.len - at);
	r->b.len -= at;
	return rc;
}

int lh_commit_rows(const char *path, uint64_t from, uint64_t to, lh_commit_row_fn *fn, void *ctx,
		   struct lh_err *err)
{
	struct rows r = { .from = from, .to = to, .fn = fn, .ctx = ctx };
	int fd = lh_open_regular(path, O_RDONLY | O_NONBLOCK, 0, err), rc = 0;
	ssize_t n;
	char *p;

	if (fd < 0)
		return -1;
	while (!rc && !(rc = take_lines(&r, err))) {
		p = lh_buf_room(&r.b, CHUNK + LH_PAD);
		n = p ? lh_read_some(fd, p, CHUNK, err) : 0;
		if (n < 0)
			rc = -1;
		else if (!n)
			rc = lh_err_set(err, LH_EIO, "%s: it has become shorter while it was read",
					path);
		else
			lh_buf_took(&r.b, (size_t)n);
	}
	close(fd);
	lh_chain_reader_free(&r.reader);
	lh_buf_free(&r.b);
	return rc < 0 ? -1 : 0;
}

/* ---- proofs ---- */

int lh_row_proofs_open(struct lh_row_proofs *p, const char *dir, const char *name, const char *tlog,
		       struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *cursor = lh_subject_path(dir, name, LH_SUBJECT_COMMIT);
	LH_SCOPED(lh_free_local) char *secret = lh_subject_path(dir, name, LH_SUBJECT_SECRET);
	int rc;

	*p = (struct lh_row_proofs){ .tree = NULL };
	rc = lh_commit_read(&p->at, cursor, err);
	if (rc > 0)
		p->secret = lh_opening_key(secret, false, err);
	if (rc < 0 || (rc > 0 && !p->secret))
		return -1;
	p->tree = lh_tlog_open(tlog, err);
	return p->tree ? 0 : -1;
}

void lh_row_proofs_close(struct lh_row_proofs *p)
{
	lh_commit_free(&p->at);
	lh_hmac_free(p->secret);
	lh_tlog_close(p->tree);
	lh_buf_free(&p->text);
}

/* Put the text of the proof that the tree has the entry at an index; it is checked, since a
 * cursor may be of another tree. */
static int make_proof(struct lh_row_proofs *p, const uint8_t leaf[LH_TLOG_HASH],
		      uint64_t index, struct lh_err *err)
{
	const struct lh_tlog_head *head = lh_tlog_head(p->tree);
	struct lh_tlog_nodes nodes = lh_tlog_nodes(p->tree);
	struct lh_entry_proof proof = { .index = index, .text = head->note };

	if (lh_tlog_prove(&nodes, index, head->size, &proof.path, err) < 0)
		return -1;
	if (!lh_tlog_proves(leaf, index, head->size, &proof.path, head->root))
		return lh_err_set(err, LH_ECORRUPT, "entry %llu of the log %.*s is not this row",
				  (unsigned long long)index, (int)head->origin.n, head->origin.p);
	lh_buf_reset(&p->text);
	lh_entry_proof_print(&proof, &p->text);
	return 0;
}

int lh_row_proofs_add(struct lh_row_proofs *p, uint64_t row, struct lh_str line,
		      struct lh_str row_hmac, struct lh_buf *out, struct lh_err *err)
{
	uint8_t opening[LH_OPENING], leaf[LH_TLOG_HASH];
	char hex[2 * LH_OPENING], entry[LH_COMMIT_ENTRY];
	struct lh_writer w = lh_write_to(out);
	uint64_t index;

	lh_commit_find(&p->at, row, &index);
	lh_opening_of(p->secret, row_hmac, opening);
	lh_hex(opening, sizeof opening, hex);
	lh_commit_entry(opening, line, entry);
	lh_tlog_leaf(entry, sizeof entry, leaf);
	if (make_proof(p, leaf, index, err) < 0)
		return lh_err_prefix(err, "row %llu", (unsigned long long)row);
	lh_write_object(&w, NULL);
	lh_write_str(&w, "row", line);
	lh_write_str(&w, "opening", (struct lh_str){ hex, sizeof hex });
	lh_write_str(&w, "entry", (struct lh_str){ entry, sizeof entry });
	lh_write_str(&w, "proof", (struct lh_str){ p->text.p, p->text.len });
	lh_write_end(&w);
	lh_buf_putc(out, '\n');
	return 0;
}
