/* stage_join.c - the first two stages of a run, with what its parts have made.  See stages.h. */
#include "part_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "collect_parts.h"
#include <lh/digest.h>
#include "base/table.h"
#include "stages.h"

#define TELL_EVERY 4096		/* rows between two reports of progress */

struct join {
	struct collect c;	/* first, so that lh_collect_stage can pass it on */
	const struct lh_parts *parts;
};

/* ---- evidence ---- */

static int add_evidence(struct join *j, struct lh_part_rows *rows, struct lh_err *err)
{
	uint64_t n, of = j->parts->written[j->c.stream];
	struct lh_part_row row;
	unsigned char hash[32];
	int rc;

	for (n = 0; (rc = lh_part_rows_next(rows, &row, err)) > 0; n++) {
		if (row.stream != j->c.stream || row.sig.n != LH_SHA256_HEX ||
		    !lh_unhex(row.sig.p, row.sig.n, hash))
			return lh_err_set(err, LH_ECORRUPT, "%s: evidence of another stream, or "
					  "without a hash", lh_root_path(row.part->root));
		if (lh_collect_add(&j->c, hash, row.p, row.n, err) < 0)
			return -1;
		if (++j->c.taken % TELL_EVERY == 0)
			lh_run_progress(j->c.run, LH_STAGE_COLLECT, j->c.taken);
	}
	if (!rc && n != of)
		return lh_err_set(err, LH_ECORRUPT, "%s: the parts have %llu rows of evidence, not "
				  "%llu", lh_stream_name(j->c.stream), (unsigned long long)n,
				  (unsigned long long)of);
	return rc;
}

static int join_source(struct join *j, struct lh_err *err)
{
	struct lh_collected *got = j->c.got;
	struct lh_part_rows *rows;
	char relpath[128];
	int rc;

	snprintf(relpath, sizeof relpath, "%s/%s.jsonl", j->c.how->output,
		 lh_stream_name(j->c.stream));
	if (lh_collect_begin(&j->c, err) < 0)
		return -1;
	rows = lh_part_rows_open(j->parts, relpath, LH_PART_PROVENANCE, err);
	rc = rows ? add_evidence(j, rows, err) : -1;
	lh_part_rows_close(rows);
	got->deduped = got->read - got->skipped - got->written;
	if (!rc)
		rc = lh_append_commit(j->c.out, err);
	lh_collect_end(&j->c);
	return rc;
}

/* ---- skips ---- */

static int add_skips(struct join *j, struct lh_part_rows *rows, struct lh_err *err)
{
	struct lh_part_row row;
	unsigned char key[32];
	int rc;

	while ((rc = lh_part_rows_next(rows, &row, err)) > 0) {
		const char *source = lh_stream_source(row.stream);

		if (lh_collect_skip_key(source, strlen(source), row.line_offset, row.sig.p,
					row.sig.n, &j->c.row, key, err) < 0 ||
		    lh_collect_add_skip(&j->c, key, row.p, row.n, err) < 0)
			return -1;
	}
	return rc;
}

static int join_skips(struct join *j, struct lh_err *err)
{
	struct lh_part_rows *rows = lh_part_rows_open(j->parts, LH_ROOT_SKIPS, LH_PART_SKIPS, err);
	int rc = rows ? add_skips(j, rows, err) : -1;

	lh_part_rows_close(rows);
	return rc;
}

/* ---- the stages ---- */

static int join_all(struct collect *c, struct lh_err *err)
{
	struct join *j = (struct join *)c;
	int s;

	for (s = 0; s < LH_STREAMS; s++) {
		c->stream = (enum lh_stream)s;
		c->got = &c->how->of[s];
		if (c->got->present && join_source(j, err) < 0)
			return -1;
	}
	return join_skips(j, err);
}

int lh_stage_join_collect(struct lh_run *run, const struct lh_parts *parts,
			  struct lh_stage_result *res, struct lh_collect *how, struct lh_err *err)
{
	struct lh_collect plain = { 0 };
	struct join j = { .c = { .run = run, .how = how ? how : &plain }, .parts = parts };

	j.c.how->dedup = parts->how.dedup;
	j.c.how->sources = parts->how.sources;
	memcpy(j.c.how->of, parts->how.of, sizeof parts->how.of);
	return lh_collect_stage(&j.c, res, join_all, err);
}

/* ---- scored runs ---- */

static int add_scored(struct lh_score_mirrored *mirror, struct lh_part_rows *rows,
		      struct lh_err *err)
{
	struct lh_scored scored;
	struct lh_part_row row;
	int rc;

	while ((rc = lh_part_rows_next(rows, &row, err)) > 0) {
		if (lh_scored_read(row.rec, &scored, err) < 0 || !scored.current)
			return lh_err_set(err, LH_ECORRUPT, "%s: what should be a scored run is "
					  "none", lh_root_path(row.part->root));
		if (lh_score_mirror_add(mirror, &scored, row.p, row.n, err) < 0)
			return -1;
	}
	return rc;
}

static int join_scored(struct lh_run *run, const struct lh_parts *parts, enum lh_stream s,
		       struct lh_stage_result *res, struct lh_err *err)
{
	const char *at = run->recorded_at;
	struct lh_score_mirrored *mirror;
	struct lh_part_rows *rows;
	char relpath[128];
	int rc;

	snprintf(relpath, sizeof relpath, LH_ROOT_SCORED "/%.4s/%.2s/%.2s/%s.jsonl", at, at + 5,
		 at + 8, lh_stream_name(s));
	mirror = lh_score_mirror_open(run, relpath, err);
	rows = mirror ? lh_part_rows_open(parts, relpath, LH_PART_PROVENANCE, err) : NULL;
	rc = rows ? add_scored(mirror, rows, err) : -1;
	if (!rc)
		rc = lh_score_mirror_commit(mirror, res, err);
	lh_part_rows_close(rows);
	lh_score_mirror_close(mirror);
	return rc;
}

int lh_stage_join_begin(struct lh_run *run, struct lh_stage_result *res, struct lh_err *err)
{
	return lh_score_files(run, res, NULL, err);
}

int lh_stage_join_score(struct lh_run *run, const struct lh_parts *parts,
			struct lh_stage_result *res, struct lh_err *err)
{
	int s;

	for (s = 0; s < LH_STREAMS; s++)
		if (parts->how.of[s].present &&
		    join_scored(run, parts, (enum lh_stream)s, res, err) < 0)
			return -1;
	return lh_receipt_write(run, res, err);
}
