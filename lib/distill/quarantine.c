/* quarantine.c - store refused records, once each.  See sample.h. */
#include "sample.h"

#include <stdlib.h>

#include "crypto/digest.h"
#include "file/file.h"
#include "base/mem.h"
#include "file/rows.h"
#include "json/value.h"
#include "json/write.h"
#include "base/xxh3.h"

struct lh_quarantine {
	enum lh_exporter x;
	char *recorded_at;
	uint64_t count[LH_REFUSALS];
	struct lh_map *known, own;	/* what is on file: own, or shared */
	struct lh_append *append;	/* one of these, or neither */
	struct lh_applog log;
	bool logs;
	struct lh_record rec;
	struct lh_buf run_id, sig;	/* of the record being read */
	struct lh_buf row;
};

struct lh_quarantine *lh_quarantine_new(enum lh_exporter x, const char *recorded_at)
{
	struct lh_quarantine *q = lh_calloc(1, sizeof *q);

	q->x = x;
	q->known = &q->own;
	q->recorded_at = lh_strndup(recorded_at, strlen(recorded_at));
	return q;
}

void lh_quarantine_free(struct lh_quarantine *q)
{
	struct lh_err ignored;

	if (!q)
		return;
	lh_append_close(q->append);
	if (q->logs)
		lh_applog_close(&q->log, &ignored);
	lh_map_free(&q->own);
	lh_record_free(&q->rec);
	lh_buf_free(&q->run_id);
	lh_buf_free(&q->sig);
	lh_buf_free(&q->row);
	free(q->recorded_at);
	free(q);
}

const uint64_t *lh_quarantine_counts(const struct lh_quarantine *q)
{
	return q->count;
}

/* ---- the key of a record ---- */

static bool get_of_type(const struct lh_value *of, const char *name, enum lh_type type,
			struct lh_value *out)
{
	return lh_value_get(of, name, out) && out->type == type;
}

/* Read run id, sig_hash and provenance of a scored run, or of evidence. */
static void read_record(struct lh_quarantine *q, const struct lh_value *source,
			struct lh_value *provenance)
{
	struct lh_value v;

	if (!get_of_type(source, "provenance", LH_OBJECT, provenance))
		provenance->p = NULL;
	else if (get_of_type(provenance, "sig_hash", LH_STRING, &v))
		lh_value_add(&v, &q->sig);
	if (get_of_type(source, "evidence_run_id", LH_STRING, &v) ||
	    get_of_type(source, "run_id", LH_STRING, &v))
		lh_value_add(&v, &q->run_id);
}

/* The same for a pair: those of the chosen, and the rejected one's appended to the
 * run id. */
static void read_source(struct lh_quarantine *q, const struct lh_value *source,
			struct lh_refused *r)
{
	struct lh_value chosen, rejected, ignored;
	size_t n;

	lh_buf_reset(&q->run_id);
	lh_buf_reset(&q->sig);
	if (!get_of_type(source, "chosen", LH_OBJECT, &chosen) ||
	    !get_of_type(source, "rejected", LH_OBJECT, &rejected)) {
		read_record(q, source, &r->provenance);
		n = q->sig.len;
	} else {
		read_record(q, &chosen, &r->provenance);
		n = q->sig.len;
		lh_buf_putc(&q->run_id, '|');
		read_record(q, &rejected, &ignored);
		lh_buf_add(&q->run_id, q->sig.p + n, q->sig.len - n);
	}
	r->key = lh_record_key(&(struct lh_str){ q->run_id.p, q->run_id.len },
			       &(struct lh_str){ q->sig.p, n }, &r->source);
}

struct lh_key lh_record_key(const struct lh_str *run_id, const struct lh_str *sig,
			    const struct lh_str *source)
{
	unsigned char hash[32];
	struct lh_key k;

	if (run_id->n && sig->n == 64)
		return (struct lh_key){ lh_xxh3_seeded(run_id->p, run_id->n, lh_seed()),
					lh_xxh3_seeded(sig->p, sig->n, lh_seed()) };
	lh_sha256(source->p, source->n, hash);
	memcpy(&k, hash, sizeof k);
	return k;
}

static uint64_t bit_of(const struct lh_quarantine *q, enum lh_refusal why)
{
	return 1ull << ((unsigned)q->x * LH_REFUSALS + (unsigned)why);
}

/* ---- what is on file ---- */

/* Note the key of a row; a line that is not a row is left to the check of the file. */
static int add_known_key(void *ctx, const struct lh_file_row *row, struct lh_err *err)
{
	struct lh_quarantine *q = ctx;
	const char *name = lh_exporter_name(q->x);
	const struct lh_value *exporter, *why, *source;
	struct lh_refused r = { 0 };
	uint64_t *bits;

	if (lh_record_parse(&q->rec, row->p, row->n, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	exporter = lh_record_get(&q->rec, "exporter");
	why = lh_record_get(&q->rec, "reason");
	source = lh_record_get(&q->rec, "source_record");
	if (!exporter || !lh_value_is(exporter, name, strlen(name)) || !why || !source ||
	    source->type != LH_OBJECT)
		return 0;
	r.why = lh_refusal_read(why);
	r.source = (struct lh_str){ source->p, source->n };
	if (r.why == LH_NOT_REFUSED)
		return 0;
	read_source(q, source, &r);
	bits = lh_keymap_at(q->known, &r.key, err);
	if (!bits)
		return -1;
	*bits |= bit_of(q, r.why);
	return 0;
}

int lh_quarantine_root(struct lh_quarantine *q, const struct lh_root *root, struct lh_map *known,
		       struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(root, lh_exporter_quarantine(q->x));

	q->known = known;
	if (lh_rows_each(path, add_known_key, q, err) < 0)
		return -1;
	q->append = lh_root_append(root, lh_exporter_quarantine(q->x), err);
	return q->append ? 0 : -1;
}

int lh_quarantine_file(struct lh_quarantine *q, const char *path, double lock_timeout,
		       struct lh_err *err)
{
	if (lh_rows_each(path, add_known_key, q, err) < 0 ||
	    lh_applog_open(&q->log, path, 0666, lock_timeout, err) < 0)
		return -1;
	q->logs = true;
	return 0;
}

/* ---- new rows ---- */

/* Append the row, without LF. */
static void put_row(struct lh_buf *out, enum lh_exporter x, const struct lh_refused *r,
		    const char *recorded_at)
{
	struct lh_writer json = lh_write_to(out);

	lh_write_object(&json, NULL);
	lh_write_text(&json, "exporter", lh_exporter_name(x));
	lh_write_text(&json, "reason", lh_refusal_name(r->why));
	lh_write_raw(&json, "source_record", r->source);
	lh_write_array(&json, "errors");
	if (r->errors)
		lh_buf_add(out, r->errors->p, r->errors->len);
	lh_write_end(&json);
	lh_write_text(&json, "recorded_at", recorded_at);
	if (r->provenance.p)
		lh_write_value(&json, "source_provenance", &r->provenance);
	lh_write_end(&json);
}

int lh_quarantine_add(struct lh_quarantine *q, const struct lh_refused *r, struct lh_err *err)
{
	uint64_t *bits;

	q->count[r->why]++;
	if (!q->append && !q->logs)
		return 0;
	bits = lh_keymap_at(q->known, &r->key, err);
	if (!bits)
		return -1;
	if (*bits & bit_of(q, r->why))
		return 0;
	*bits |= bit_of(q, r->why);
	lh_buf_reset(&q->row);
	put_row(&q->row, q->x, r, q->recorded_at);
	if (q->append)
		return lh_append_line(q->append, q->row.p, q->row.len, err);
	return lh_applog_append(&q->log, q->row.p, q->row.len, LH_SYNC_NONE, err);
}

int lh_quarantine_read(struct lh_quarantine *q, struct lh_refused *r, struct lh_err *err)
{
	struct lh_value source = { .p = r->source.p, .n = r->source.n, .type = LH_OBJECT };

	read_source(q, &source, r);
	return lh_quarantine_add(q, r, err);
}

int lh_quarantine_commit(struct lh_quarantine *q, struct lh_err *err)
{
	if (q->append)
		return lh_append_commit(q->append, err);
	if (!q->logs)
		return 0;
	q->logs = false;
	return lh_applog_close(&q->log, err);
}
