/*
 * sample_parts - what the parts of lh_sample share; not installed.
 */
#ifndef LH_SAMPLE_PARTS_H
#define LH_SAMPLE_PARTS_H

#include "file/open_beneath.h"
#include "sample.h"
#include <lh/schema.h>
#include "stream.h"

/* An unescaped string and the memory it may need. */
struct lh_text {
	struct lh_buf b;
	struct lh_str s;
};

/* A scored run and its evidence, read. */
struct lh_source {
	const struct lh_record *scored, *evidence;
	enum lh_category category;
	struct lh_str reason;	/* where scored is NULL */
	struct lh_value provenance, file, offset, sig_hash, recorded_at;	/* p NULL: missing */
	struct lh_text run_id, sig, path, task, text;
	struct lh_str stem;	/* in path */
};

struct lh_sampler {
	enum lh_exporter x;
	struct lh_export how;
	char *recorded_at;
	const struct lh_schema *schema;	/* of a sample */
	int beneath;		/* the folder of verify_paths, or -1 */
	struct lh_source one, other;	/* the other: what is rejected of a pair */
	struct lh_source *src;	/* what a sample is made of: one, or whoever's it shares */
	struct lh_buf built;	/* a text while it is put together */
	struct lh_buf scratch;
	struct lh_sample_result said;
};

#define LH_PUTS(b, text) lh_buf_add(b, text, sizeof text - 1)

/* The first reason why a run was scored so; empty when it does not say. */
int lh_source_reason(const struct lh_source *src, struct lh_buf *scratch, struct lh_str *reason, struct lh_err *err);

/* A record begins: nothing is refused yet. */
void lh_sample_begin(struct lh_sampler *s);

/* It ends: what was refused must be told whole, and only a sample stays in out
 * (NULL: there is none).  Returns rc, or -1. */
int lh_sample_settle(struct lh_sampler *s, int rc, struct lh_buf *out, size_t from, struct lh_err *err);

/* Refuse; fmt, if any, is one of the errors.  Returns 0. */
int lh_sample_refuse(struct lh_sampler *s, enum lh_refusal why, const char *fmt, ...) LH_PRINTF(3, 4);

void lh_source_init(struct lh_source *src);
void lh_source_free(struct lh_source *src);

/* Read a scored run, or what stands for it, and its evidence; without any gate. */
int lh_source_scored(struct lh_source *src, const struct lh_record *scored, struct lh_err *err);
int lh_source_side(struct lh_source *src, const struct lh_side *side, struct lh_err *err);
int lh_source_evidence(struct lh_source *src, const struct lh_record *evidence, struct lh_err *err);

/* The gates behind provenance: 1, 0 refused, -1. */
int lh_gate_content(struct lh_sampler *s, const struct lh_source *src, struct lh_err *err);
int lh_gate_schema(struct lh_sampler *s, struct lh_buf *out, size_t from, struct lh_err *err);

/* lh_sample_scored, lh_sample_make and lh_sample_side of what s->src has read
 * already, so that several samplers may share it; src->evidence NULL: it was not
 * found. */
int lh_sample_judge(struct lh_sampler *s, struct lh_err *err);
int lh_sample_finish(struct lh_sampler *s, struct lh_buf *out, struct lh_err *err);
int lh_sample_may_pair(struct lh_sampler *s);

/* Build out of what was read, whatever its category; ends with the schema's gate. */
int lh_sample_build(struct lh_sampler *s, struct lh_buf *out, struct lh_err *err);

/* ---- sample_text.c: append; -1 only when memory is out ---- */
int lh_sample_title(struct lh_buf *to, const struct lh_source *src, struct lh_err *err);
int lh_sample_instruction(struct lh_buf *to, const struct lh_source *src, struct lh_buf *scratch, struct lh_err *err);
int lh_sample_context(struct lh_buf *to, const struct lh_source *src, struct lh_buf *scratch, struct lh_err *err);

#endif
