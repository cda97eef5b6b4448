/*
 * lh_evidence_int - how a source stream is written down; not installed.
 *
 * run_id and task_id are texts in which {off} is the line_offset, {sig} the
 * first 12 digits of the sig_hash, {f} the row's file (else path, else
 * source_file), and {name} any other input; all but the first two are required,
 * save {name|off}, which falls back.
 */
#ifndef LH_EVIDENCE_INT_H
#define LH_EVIDENCE_INT_H

#include "lh_evidence.h"
#include "lh_schema_int.h"

enum lh_evidence_how {
	LH_EV_COPY,		/* as it stands, checked */
	LH_EV_CONST,		/* .text */
	LH_EV_LIST,		/* a list of strings; a string is a list of one */
	LH_EV_FILE,		/* [f] */
	LH_EV_MARK,		/* [.text + input], when the input is among .when (or, .unless, is not) */
	LH_EV_MARK_COUNT,	/* [.text + input], an integer from 1 on */
	LH_EV_ALL_OK,		/* [.text] when the inputs ok and total are equal and positive */
	LH_EV_LENGTH,		/* how many elements the input has */
	LH_EV_AMOUNT,		/* a number; of a list its length */
};

struct lh_evidence_rule {
	const char *to;			/* a field of the schema, or a key of metadata; NULL ends */
	const char *from;		/* the input */
	enum lh_evidence_how how;
	const char *text;
	const char *when[3];
	bool unless;
	struct lh_field kind;		/* what an input copied to metadata must be */
};

#define LH_EVIDENCE_RULES 10

struct lh_transform {
	const char *run_id, *task_id;
	const char *time[3];		/* the first that is there */
	bool or_clock;			/* else the run's recorded_at */
	const char *text[3];		/* the first that is there, not empty when there are others */
	bool text_list;			/* the first of them may be a list of strings: its lines */
	struct lh_evidence_rule also[LH_EVIDENCE_RULES], metadata[4];
};

extern const struct lh_transform lh_transforms[LH_STEMS];

#endif
