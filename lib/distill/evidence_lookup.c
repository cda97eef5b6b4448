/* evidence_lookup.c - find the evidence of scored runs.  See evidence_lookup.h. */
#include "evidence_lookup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "file/file.h"
#include "base/mem.h"
#include "file/rows.h"
#include "base/xxh3.h"
#include "json/value.h"
#include "schema/schema_table.h"

struct known {
	uint64_t key, at;
	uint32_t n;
};

struct lh_evidence_lookup {
	char *path;
	struct lh_rows *rows;	/* read in parallel with the scored runs */
	struct lh_file_row row;	/* the row read last */
	uint64_t next;		/* its number + 1 */
	bool there;		/* `row` is valid */
	struct lh_record rec;
	struct lh_buf text, line;
	struct known *known;	/* sorted, once it was needed for this file */
	size_t n, cap;
	bool indexed;
	int fd;			/* for random access */
};

struct lh_evidence_lookup *lh_evidence_lookup_new(void)
{
	struct lh_evidence_lookup *j = lh_calloc(1, sizeof *j);

	j->fd = -1;
	j->rows = lh_rows_new();
	return j;
}

static void close_stream(struct lh_evidence_lookup *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
	free(j->path);
	j->path = NULL;
	free(j->known);
	j->known = NULL;
	j->n = j->cap = 0;
	j->indexed = false;
}

void lh_evidence_lookup_free(struct lh_evidence_lookup *j)
{
	if (!j)
		return;
	close_stream(j);
	lh_rows_free(j->rows);
	lh_record_free(&j->rec);
	lh_buf_free(&j->text);
	lh_buf_free(&j->line);
	free(j);
}

char *lh_evidence_lookup_path(const char *scored)
{
	return lh_format("%s%s", LH_ROOT_EVIDENCE, scored + strlen(LH_ROOT_SCORED));
}

int lh_evidence_lookup_open(struct lh_evidence_lookup *j, const struct lh_root *root,
			    const char *scored, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *relpath = lh_evidence_lookup_path(scored);

	close_stream(j);
	j->next = 0;
	j->there = false;
	j->path = lh_root_join(root, relpath);
	return lh_rows_open(j->rows, j->path, err) >= 0 ? 0 : -1;
}

static const struct lh_value *sig_of(const struct lh_record *rec, struct lh_value *v)
{
	const struct lh_value *from = lh_record_get(rec, "provenance");

	return from && from->type == LH_OBJECT && lh_value_get(from, "sig_hash", v) ? v : NULL;
}

static bool is_string_of(const struct lh_value *v, const struct lh_str *s)
{
	return v && v->type == LH_STRING && lh_value_is(v, s->p, s->n);
}

/* Parse a line of evidence: 1 if it is the requested one, 0, -1. */
static int is_it(struct lh_evidence_lookup *j, const char *p, size_t n, const struct lh_str *run_id,
		 const struct lh_str *sig, struct lh_err *err)
{
	struct lh_value v;

	if (lh_record_parse(&j->rec, p, n, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	return is_string_of(lh_record_get(&j->rec, "run_id"), run_id) &&
	       is_string_of(sig_of(&j->rec, &v), sig);
}

/* ---- look up ---- */

static uint64_t key_of(const struct lh_str *run_id, const struct lh_str *sig)
{
	return lh_xxh3_seeded(run_id->p, run_id->n, lh_seed()) ^ lh_xxh3_seeded(sig->p, sig->n,
										lh_seed()) * 3;
}

static int by_key(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static int add_row(void *ctx, const struct lh_file_row *row, struct lh_err *err)
{
	struct lh_evidence_lookup *j = ctx;
	struct lh_str run_id, sig;
	struct lh_value v;

	if (lh_record_parse(&j->rec, row->p, row->n, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	lh_grow(&j->known, &j->cap, j->n + 1, sizeof *j->known);
	run_id = lh_value_text(lh_record_get(&j->rec, "run_id"), &j->text);
	sig = lh_value_text(sig_of(&j->rec, &v), &j->line);
	j->known[j->n++] = (struct known){ key_of(&run_id, &sig), row->at, (uint32_t)row->n };
	return 0;
}

static int read_through(struct lh_evidence_lookup *j, struct lh_err *err)
{
	if (lh_rows_each(j->path, add_row, j, err) < 0)
		return -1;
	if (j->n) {
		qsort(j->known, j->n, sizeof *j->known, by_key);
		j->fd = lh_open_regular(j->path, O_RDONLY, 0, err);
		if (j->fd < 0)
			return -1;
	}
	j->indexed = true;
	return 0;
}

static int look_up(struct lh_evidence_lookup *j, const struct lh_str *run_id,
		   const struct lh_str *sig, struct lh_found *found, struct lh_err *err)
{
	uint64_t key = key_of(run_id, sig);
	size_t lo = 0, hi = j->n, mid;
	int rc;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (j->known[mid].key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < j->n && j->known[lo].key == key; lo++) {
		if (lh_line_again(j->fd, j->path, j->known[lo].at, j->known[lo].n, &j->line,
				  err) < 0 ||
		    (rc = is_it(j, j->line.p, j->line.len, run_id, sig, err)) < 0)
			return -1;
		if (rc) {
			*found = (struct lh_found){ &j->rec, j->known[lo].at, j->known[lo].n };
			return 1;
		}
	}
	return 0;
}

/* ---- read in parallel ---- */

/* Go to the n-th row, if there are that many. */
static int read_to_row(struct lh_evidence_lookup *j, uint64_t n, struct lh_err *err)
{
	int rc;

	while (j->next <= n) {
		rc = lh_rows_next(j->rows, &j->row, err);
		if (rc < 0)
			return -1;
		j->there = rc > 0;
		j->next++;
		if (!j->there)
			break;
	}
	return 0;
}

int lh_evidence_lookup_find(struct lh_evidence_lookup *j, uint64_t n, const struct lh_str *run_id,
			    const struct lh_str *sig, struct lh_found *found, struct lh_err *err)
{
	int rc;

	if (!j->indexed) {
		if (read_to_row(j, n, err) < 0)
			return -1;
		if (j->there && j->next == n + 1) {
			rc = is_it(j, j->row.p, j->row.n, run_id, sig, err);
			if (rc > 0)
				*found = (struct lh_found){ &j->rec, j->row.at,
							    (uint32_t)j->row.n };
			if (rc)
				return rc;
		}
		if (read_through(j, err) < 0)
			return -1;
	}
	return look_up(j, run_id, sig, found, err);
}
