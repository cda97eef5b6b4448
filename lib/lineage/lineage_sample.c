/* lineage_sample.c - the rows that one sample was made of.  See lineage.h. */
#include <stdio.h>
#include <stdlib.h>

#include <lh/digest.h>
#include <lh/time.h>

#include "base/mem.h"
#include "file/file.h"
#include "distill/sample.h"
#include "lineage_parts.h"

#define RECORD_MAX ((size_t)1 << 20)	/* bytes of a row that is part of an answer */
#define SUMMARY_MAX ((size_t)256 << 20)
#define SAMPLES (1u << LH_PLACE_RAG | 1u << LH_PLACE_SFT | 1u << LH_PLACE_PREFERENCE)

struct tracing {
	struct lh_lineage *l;
	struct lh_writer *w;
	char *run[2], *created_at;	/* of the sample; NULL: none */
	/* the source of the rows that are looked for, if one is known: */
	bool known;
	enum lh_stream stream;
	unsigned char sig[32];
	uint64_t line;			/* from 1 */
	/* the run that began when the sample was made: */
	struct lh_buf file, id;
	int64_t ended_at;
};

static void write_row(struct tracing *t, const char *name, const struct lh_lineage_hit *hit)
{
	const struct lh_record *rec = &t->l->rec;

	lh_write_object(t->w, name);
	lh_write_text(t->w, "file", t->l->file[hit->file].path);
	lh_write_u64(t->w, "line", hit->line);
	if (rec->len <= RECORD_MAX)
		lh_write_raw(t->w, "record", (struct lh_str){ rec->line, rec->len });
	else
		lh_write_u64(t->w, "bytes", rec->len);
}

/* Set the source to that of the row in l->ids, if it names one, and no other than the one that
 * is known. */
static bool follow(struct tracing *t)
{
	const struct lh_provenance *from = &t->l->ids.side[0].from;
	unsigned char sig[32];
	enum lh_stream stream;

	if (!t->l->ids.n_sides || !from->source_file.p || !from->sig_hash.p || from->line < 0)
		return false;
	stream = lh_stream_of(from->source_file.p, from->source_file.n);
	if (stream == LH_STREAM_NONE || !lh_unhex(from->sig_hash.p, from->sig_hash.n, sig) ||
	    !lh_str_is(from->source_file, lh_stream_source(stream),
		       strlen(lh_stream_source(stream))) ||
	    (t->known && (stream != t->stream || memcmp(sig, t->sig, sizeof sig) != 0)))
		return false;
	t->known = true;
	t->stream = stream;
	t->line = (uint64_t)from->line + 1;
	memcpy(t->sig, sig, sizeof sig);
	return true;
}

/* Write the first row of a place that has the name and is of the known source: 1; 0 with null,
 * -1.  A sample is kept as the one that is traced. */
static int write_first(struct tracing *t, const char *name, unsigned places,
		       const struct lh_wanted *want, struct lh_err *err)
{
	const struct lh_row_ids *ids = &t->l->ids;
	const bool of_run = want->kind == LH_KEY_RUN;
	struct lh_hits hits = { 0 };
	size_t i;
	int rc = lh_lineage_find(t->l, places, want, &hits, err), found = 0;

	for (i = 0; i < hits.n && rc >= 0 && !found; i++) {
		rc = lh_lineage_row(t->l, &hits.hit[i], err);
		if (rc <= 0)
			continue;
		found = of_run ? ids->n_sides && lh_str_is(ids->side[0].run, want->text.p,
							   want->text.n) && follow(t)
			       : lh_str_is(ids->id, want->text.p, want->text.n);
		if (!found)
			continue;
		if (!of_run)
			lh_write_text(t->w, "exporter", lh_exporter_name((enum lh_exporter)
				      (t->l->file[hits.hit[i].file].place - LH_PLACE_RAG)));
		write_row(t, name, &hits.hit[i]);
		lh_write_end(t->w);
	}
	if (rc >= 0 && !found && of_run)
		lh_write_null(t->w, name);
	free(hits.hit);
	return rc < 0 ? -1 : found;
}

/* Write the line of the source, as it is now. */
static int write_source(struct tracing *t, struct lh_err *err)
{
	struct lh_lineage *l = t->l;
	struct lh_lineage_hit hit = { 0, t->line };
	unsigned char sig[32];
	int rc = 0;

	while (t->known && hit.file < l->n_files &&
	       strcmp(l->file[hit.file].path, lh_stream_source(t->stream)) != 0)
		hit.file++;
	if (t->known && hit.file < l->n_files) {
		if (l->file[hit.file].unreadable)
			return lh_err_set(err, LH_EIO, "%s: cannot read", l->file[hit.file].path);
		rc = lh_lineage_row(l, &hit, err);
	}
	if (rc <= 0) {
		lh_write_null(t->w, "source");
		return rc;
	}
	write_row(t, "source", &hit);
	lh_write_bool(t->w, "intact", l->ids.n_sides &&
		      lh_unhex(l->ids.side[0].from.sig_hash.p, LH_SHA256_HEX, sig) &&
		      !memcmp(sig, t->sig, sizeof sig));
	lh_write_end(t->w);
	return 0;
}

/* Write what one record of the sample came from; known: the source is that of the sample. */
static int write_side(struct tracing *t, const char *side, const char *run, bool known,
		      struct lh_err *err)
{
	const struct lh_wanted want = { .kind = LH_KEY_RUN, .text = lh_str_of(run) };
	int rc;

	t->known = known;
	lh_write_object(t->w, NULL);
	lh_write_text(t->w, "side", side);
	lh_write_text(t->w, "run_id", run);
	rc = write_first(t, "scored", 1u << LH_PLACE_SCORED, &want, err);
	if (rc >= 0)
		rc = write_first(t, "evidence", 1u << LH_PLACE_EVIDENCE, &want, err);
	if (rc >= 0)
		rc = write_source(t, err);
	lh_write_end(t->w);
	return rc < 0 ? -1 : 0;
}

/* ---- the run ---- */

struct summary {
	struct lh_str started_at, ended_at;
};
static const struct lh_bind summary_members[] = {
	{ LH_BIND_STRING("started_at", struct summary, started_at), .required = true },
	{ LH_BIND_STRING("ended_at", struct summary, ended_at), .required = true },
	LH_BIND_END
};

/* Keep the run that began when the sample was made; of several the first that ended. */
static int on_run(void *ctx, const char *id, struct lh_err *err)
{
	struct tracing *t = ctx;
	struct lh_record *rec = &t->l->rec;
	LH_SCOPED(lh_free_local) char *path = NULL;
	char relpath[256];
	int64_t made, from, to;
	struct summary s;
	int rc;

	snprintf(relpath, sizeof relpath, "%s/%s/summary.json", LH_ROOT_REPORTS, id);
	path = lh_root_join(t->l->root, relpath);
	rc = lh_file_read(path, &t->file, err);
	if (rc > 0 && (lh_record_parse(rec, t->file.p, t->file.len, err) < 0 ||
		       lh_bind(summary_members, rec, &s, &t->l->ids.text, err) < 0))
		return err->code == LH_EDATA ? 0 : -1;
	if (rc <= 0 || lh_time_read(s.started_at.p, s.started_at.n, &from) < 0 ||
	    lh_time_read(s.ended_at.p, s.ended_at.n, &to) < 0 ||
	    lh_time_read(t->created_at, strlen(t->created_at), &made) < 0 || made != from)
		return rc < 0 ? -1 : 0;
	if (t->id.len &&
	    (to > t->ended_at || (to == t->ended_at && strcmp(id, t->id.p) > 0)))
		return 0;
	t->ended_at = to;
	lh_buf_reset(&t->id);
	lh_buf_add(&t->id, id, strlen(id) + 1);
	return 0;
}

/* ---- the sample ---- */

static void keep(char **to, struct lh_str s)
{
	*to = s.p ? lh_strndup(s.p, s.n) : NULL;
}

/* Keep what of the sample in l->rec is needed when its row is gone. */
static void keep_sample(struct tracing *t)
{
	const struct lh_value *v = lh_record_get(&t->l->rec, "created_at");
	struct lh_str created = { NULL, 0 };
	size_t i;

	if (v && v->type == LH_STRING)
		created = (struct lh_str){ v->p + 1, v->n - 2 };
	for (i = 0; i < t->l->ids.n_sides; i++)
		keep(&t->run[i], t->l->ids.side[i].run);
	keep(&t->created_at, created);
}

static int write_sample(struct tracing *t, struct lh_str id, struct lh_err *err)
{
	const struct lh_wanted want = { .kind = LH_KEY_ID, .text = id };
	struct lh_lineage *l = t->l;
	bool known, pair;
	size_t i;
	int rc = write_first(t, "sample", SAMPLES, &want, err);

	for (i = 0; i < l->n_files && rc >= 0; i++)
		if (l->file[i].unreadable && l->file[i].place >= LH_PLACE_EVIDENCE &&
		    l->file[i].place <= LH_PLACE_PREFERENCE)
			rc = lh_err_set(err, LH_EIO, "%s: cannot read", l->file[i].path);
	if (!rc)
		rc = lh_err_data(err, 404, "there is no such sample");
	if (rc < 0)
		return -1;
	keep_sample(t);
	known = follow(t);
	if (t->created_at && lh_run_each(l->root, on_run, t, err) < 0)
		return -1;
	lh_write_text(t->w, "run", t->id.len ? t->id.p : NULL);
	lh_write_array(t->w, "from");
	pair = t->run[1] != NULL;
	rc = t->run[0] ? write_side(t, pair ? "chosen" : "source", t->run[0], known, err) : 0;
	if (!rc && pair)
		rc = write_side(t, "rejected", t->run[1], false, err);
	lh_write_end(t->w);
	return rc;
}

int lh_lineage_sample(struct lh_lineage *l, struct lh_str id, struct lh_buf *out,
		      struct lh_err *err)
{
	struct lh_writer w = lh_write_to(out);
	struct tracing t = { .l = l, .w = &w };
	int rc;

	lh_buf_init(&t.file, SUMMARY_MAX);
	lh_write_object(&w, NULL);
	lh_write_str(&w, "id", id);
	rc = write_sample(&t, id, err);
	lh_write_end(&w);
	free(t.run[0]);
	free(t.run[1]);
	free(t.created_at);
	lh_buf_free(&t.file);
	lh_buf_free(&t.id);
	return rc;
}
