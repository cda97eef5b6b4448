/* sample_parts - what sample.c and stage_export.c share. */
#ifndef LH_SAMPLE_PARTS_H
#define LH_SAMPLE_PARTS_H

#include "file/file.h"
#include "sample.h"
#include "schema/schema.h"
#include "root.h"

/* An unescaped string and the memory it may need. */
struct lh_text {
	struct lh_buf b;
	struct lh_str s;
};

/* A scored run and its evidence, read. */
struct lh_source {
	const struct lh_record *scored, *evidence;
	enum lh_category category;
	struct lh_str reason;	/* if scored is NULL */
	struct lh_from from;	/* of the scored run, or of its replacement */
	struct lh_text run_id, sig, path, task, text;
	struct lh_str stream;	/* in path */
};

struct lh_sampler {
	enum lh_exporter x;
	struct lh_export how;
	char *recorded_at;
	const struct lh_schema *schema;	/* of a sample */
	int beneath;		/* the folder of verify_paths, or -1 */
	struct lh_source one, other;	/* other: the rejected one of a pair */
	struct lh_source *src;	/* the source of a sample: `one`, or a shared one */
	struct lh_buf built;	/* a text under construction */
	struct lh_buf scratch;
	const struct lh_map *rejected;	/* hashes of lh_source_text, or NULL */
	struct lh_sample_result result;
};

/* Return the first reason of the scored run; empty if it has none. */
void lh_source_reason(const struct lh_source *src, struct lh_buf *scratch, struct lh_str *reason);

/* Begin a record: nothing is refused yet. */
void lh_sample_begin(struct lh_sampler *s);
/* Build a sample of what was read, whatever its category; ends with the gate of the
 * schema. */
bool lh_sample_build(struct lh_sampler *s, struct lh_buf *out);

void lh_source_free(struct lh_source *src);

/* Read a scored run, or its replacement, and its evidence, without any gate. */
void lh_source_scored(struct lh_source *src, const struct lh_record *scored);
void lh_source_evidence(struct lh_source *src, const struct lh_record *evidence);

/* Hash the task and the text as a reader sees it (text/spelling.h); false: it has no task. */
void lh_source_text(const struct lh_source *src, struct lh_buf *scratch, unsigned char hash[32],
		    bool *has);

/* Do lh_sample_scored, lh_sample_make and lh_sample_side with s->src, which has
 * been read already, so that several samplers may share it; src->evidence NULL: not
 * found. */
int lh_sample_judge(struct lh_sampler *s);
int lh_sample_finish(struct lh_sampler *s, struct lh_buf *out, struct lh_err *err);
int lh_sample_may_pair(struct lh_sampler *s);

#endif
