/*
 * evidence_parts - how a source stream is written down; not installed.
 *
 * run_id and task_id are texts in which {off} is the line_offset, {sig} the
 * first 12 digits of the sig_hash, {f} the row's file (else path, else
 * source_file), and {name} any other input; all but the first two are required,
 * save {name|off}, which falls back.
 */
#ifndef LH_EVIDENCE_PARTS_H
#define LH_EVIDENCE_PARTS_H

#include "evidence.h"
#include "schemas.h"

enum lh_evidence_how {
	LH_EV_COPY,		/* as it stands, checked */
	LH_EV_CONST,		/* .text, which is JSON */
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
	struct lh_str key;		/* of to, with the comma before and the colon behind it */
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

extern const struct lh_transform lh_transforms[LH_STREAMS];

struct lh_evidence {
	char *recorded_at;
	const struct lh_field *field[LH_STREAMS][LH_EVIDENCE_RULES];	/* of each rule's target */
	struct lh_evidence_id {
		struct lh_evidence_part {
			const char *before;	/* what stands before it, n bytes */
			size_t n;
			enum { LH_EV_END, LH_EV_OFF, LH_EV_SIG, LH_EV_F, LH_EV_TS, LH_EV_INPUT } is;
			bool or_off;
			char name[24];
		} part[4];
	} id[LH_STREAMS][2];		/* run_id and task_id, taken apart */
	const struct lh_field *timestamp, *texts;
	struct lh_buf from, from_end;	/* provenance, from its key to the offset, and behind the hash */
	enum lh_stream from_stem;		/* the stem that from is of */
	struct lh_buf canon, scratch;
	struct lh_buf errors;		/* the first LH_EVIDENCE_REASONS, each with its NUL */
	size_t n_errors;		/* all of them */
	const char *refused[16];	/* inputs; no stream reads more */
	size_t n_refused;
	bool has_hash;
	unsigned char hash[32];
	char sig[2 * 32];

	/* of the row being made */
	const struct lh_record *row;
	const struct lh_value *file;	/* f, once it was looked for */
	const char *file_name;
	uint64_t off;
	struct lh_buf *out;
	struct lh_err *err;
	bool failed;			/* memory is out: *err */
};

/* Note why the row is refused: "FIELD: PROBLEM", for each field the first. */
void lh_evidence_refuse(struct lh_evidence *e, const char *field, const char *problem);
void lh_evidence_refuse_kind(struct lh_evidence *e, const char *field, const char *what, const struct lh_value *v);

/* The input of that name; null is none. */
const struct lh_value *lh_evidence_input(const struct lh_evidence *e, const char *name);

/* The first of names (ended by NULL) that is there and not empty, and *name its
 * name; else NULL, and the first name. */
const struct lh_value *lh_evidence_first(const struct lh_evidence *e, const char *const *names, const char **name);

/* f, and file_name where it stood. */
const struct lh_value *lh_evidence_file(struct lh_evidence *e);

/* Append to scratch the text of an identity: a string, or a number as written. */
void lh_evidence_add_identity(struct lh_evidence *e, const char *name, const struct lh_value *v);

/* Take a template apart; put what it gives for this row, as a JSON string. */
void lh_evidence_read_id(struct lh_evidence_id *id, const char *template);
void lh_evidence_put_id(struct lh_evidence *e, const struct lh_evidence_id *id);

/* The scratch as a string of JSON; the record has failed if it has. */
void lh_evidence_put_scratch(struct lh_evidence *e);

static inline bool lh_evidence_empty(const struct lh_value *v)
{
	return v->type == LH_STRING && v->n == 2;
}

#endif
