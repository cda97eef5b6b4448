/*
 * evidence_parts - the table that describes a source stream.
 *
 * run_id and task_id are templates in which {off} is the line_offset, {sig} the
 * first 12 digits of the sig_hash, {f} the row's file (else path, else
 * source_file), and {name} any other input.  All but the first two are required,
 * except {name|off}, which falls back to the offset.
 */
#ifndef LH_EVIDENCE_PARTS_H
#define LH_EVIDENCE_PARTS_H

#include "evidence.h"
#include "schema/schema_table.h"

enum lh_evidence_how {
	LH_EV_COPY,		/* unchanged, checked */
	LH_EV_CONST,		/* .text, which is JSON */
	LH_EV_LIST,		/* a list of strings; a string is a list of one */
	LH_EV_FILE,		/* [f] */
	/* [.text + input], if the input is one of .when (or none of .unless) */
	LH_EV_MARK,
	LH_EV_MARK_COUNT,	/* [.text + input], an integer from 1 on */
	LH_EV_ALL_OK,		/* [.text] if the inputs ok and total are equal and positive */
	LH_EV_LENGTH,		/* the number of elements of the input */
	LH_EV_AMOUNT,		/* a number; of a list its length */
};

struct lh_evidence_rule {
	const char *to;			/* a field of the schema, or a key of metadata; NULL ends */
	struct lh_str key;		/* of `to`, with the comma before and the colon after it */
	const char *from;		/* the input */
	enum lh_evidence_how how;
	const char *text;
	const char *when[3];
	bool unless;
	const struct lh_bind *kind;	/* type of an input copied to metadata; NULL: any */
};

#define LH_EVIDENCE_RULES 10

struct lh_transform {
	const char *run_id, *task_id;
	const char *time[3];		/* the first that is present */
	bool or_clock;			/* else the run's recorded_at */
	/* the first that is present, and not empty if there are others */
	const char *text[3];
	bool text_list;			/* the first of them may be a list of strings: its lines */
	struct lh_evidence_rule also[LH_EVIDENCE_RULES], metadata[4];
};

extern const struct lh_transform lh_transforms[LH_STREAMS];

struct lh_evidence {
	char *recorded_at;
	/* the field that each rule makes */
	const struct lh_bind *field[LH_STREAMS][LH_EVIDENCE_RULES];
	struct lh_evidence_id {
		struct lh_evidence_part {
			const char *before;	/* the n bytes before it */
			size_t n;
			enum { LH_EV_END, LH_EV_OFF, LH_EV_SIG, LH_EV_F, LH_EV_TS, LH_EV_INPUT } is;
			bool or_off;
			char name[24];
		} part[4];
	} id[LH_STREAMS][2];		/* run_id and task_id, parsed */
	const struct lh_bind *timestamp, *texts;
	/* provenance, from its key to the offset, and after the hash */
	struct lh_buf from, from_end;
	enum lh_stream from_stem;		/* the stream that `from` is of */
	struct lh_buf canon, scratch;
	struct lh_buf errors;		/* the first LH_EVIDENCE_REASONS, each with its NUL */
	size_t n_errors;		/* all of them */
	const char *refused[16];	/* inputs; no stream reads more */
	size_t n_refused;
	bool has_hash;
	unsigned char hash[32];
	char sig[2 * 32];

	/* of the row being converted: */
	const struct lh_record *row;
	const struct lh_value *file;	/* f, once it was searched */
	const char *file_name;
	uint64_t off;
	struct lh_buf *out;
	struct lh_err *err;
};

/* Record why the row is refused: "FIELD: PROBLEM", the first problem of each field. */
void lh_evidence_refuse(struct lh_evidence *e, const char *field, const char *problem);
void lh_evidence_refuse_kind(struct lh_evidence *e, const char *field, const char *what,
			     const struct lh_value *v);

/* Return the input of that name; NULL if it is absent or null. */
const struct lh_value *lh_evidence_input(const struct lh_evidence *e, const char *name);

/* Return the first of names (ended by NULL) that is present and not empty, and its
 * name in *name; else NULL, and the first name. */
const struct lh_value *lh_evidence_first(const struct lh_evidence *e, const char *const *names,
					 const char **name);

/* Return f, with file_name set to the input it came from. */
const struct lh_value *lh_evidence_file(struct lh_evidence *e);

/* Append the text of an identity to scratch: a string, or a number as written. */
void lh_evidence_add_identity(struct lh_evidence *e, const char *name, const struct lh_value *v);

/* Parse a template; append its result for this row, as a JSON string. */
void lh_evidence_read_id(struct lh_evidence_id *id, const char *template);
void lh_evidence_put_id(struct lh_evidence *e, const struct lh_evidence_id *id);

/* Append scratch as a JSON string. */
void lh_evidence_put_scratch(struct lh_evidence *e);

static inline bool lh_evidence_empty(const struct lh_value *v)
{
	return v->type == LH_STRING && v->n == 2;
}

#endif
