/* playbook.h - shared by the commands of lh-playbook. */
#ifndef PLAYBOOK_H
#define PLAYBOOK_H

#include "index/index.h"
#include "memory/playbook.h"
#include "memory/sought.h"
#include "embed/embedder.h"
#include "observe/observe.h"
#include "proc/coproc.h"
#include "tool/op.h"

enum { V_RECORD = 1, V_LIST = 2, V_REMOVE = 4, V_EXPORT = 8, V_REQUESTS = 16 };

struct settings {
	int engine;			/* enum lh_engine, -1: not given */
	const char *model, *url, *prefix, *indexes, *judge;
	double least;			/* rating of an answer; NAN: not given */
	struct lh_list id;
	struct lh_decisions_how decisions;
	struct requests *requests;
};
extern const struct lh_op playbook_ops[];
extern const struct lh_bind remove_members[];

/* One function per command; the operands are tool->operands. */
int playbook_record(struct lh_tool *tool, void *settings);
int playbook_remove(struct lh_tool *tool, void *settings);
int playbook_list(struct lh_tool *tool, void *settings);
int playbook_export(struct lh_tool *tool, void *settings);

/* ---- entries of one playbook (recorder.c) ---- */

/* The index of the last entry's answer, and what its text asks for; zeroed it is empty.  Of a
 * request with a scope, only the records in it count. */
struct answers {
	struct lh_index *ix;
	char *path;
	struct lh_vocabularies *known;
	struct lh_sought sought;
	const struct lh_scope *scope;	/* or NULL */
	struct lh_filter *filter;	/* of it, or NULL */
};
/* Return the index of an entry's answer, in settings.indexes, as it is now; NULL with *err. */
struct lh_index *answers_index(struct answers *a, const struct settings *s,
			       const struct lh_playbook_entry *e, struct lh_err *err);
void answers_free(struct answers *a);

/* A command or a model that rates answers, a line each. */
struct judge {
	struct lh_coproc child;
	bool started;
	struct lh_buf line;
	struct lh_record scan;
};
/* Have an answer rated, by what the index that it names in settings.indexes says of it. */
int judge_rate(struct judge *j, const struct settings *s, struct answers *a,
	       const struct lh_playbook_entry *e, double *rating, struct lh_err *err);
void judge_stop(struct judge *j);

struct recorder {
	struct lh_tool *tool;
	const struct settings *set;
	const char *path;
	unsigned jobs;			/* for compaction */
	const char *const *drop;	/* members that are not stored, n_drop of them */
	size_t n_drop;
	struct lh_index_params *like;	/* make the playbook as this index; or NULL */
	struct lh_index_change *c;	/* NULL: the playbook does not exist yet */
	struct lh_embedder *texts;
	struct lh_buf strings, vector, meta, traced;
	struct lh_str trace;		/* of the current entry; n = 0: none */
	bool fold;			/* compaction is due */
	struct lh_decisions *decisions;	/* rows of decisions are made; or NULL */
	struct lh_buf row;		/* that of the entry put last */
	struct lh_str outer;		/* trace of entries that have none */
	struct judge judge;
	struct answers *answers;
	double least;			/* that the current entry asks for; NAN: none */
};

/* Open the playbook, if there is one, and its engine; the members up to n_drop are set. */
int recorder_start(struct recorder *r, struct lh_err *err);
/* While the playbook does not exist: let its engine be that of an index, or, with NULL, that of
 * the settings.  The recorder takes `like`. */
int recorder_like(struct recorder *r, struct lh_index_params *like, struct lh_err *err);
/* Gather an entry, with the role that its text asks for if it names none; the playbook is made if
 * there is none.  Sets its id. */
int recorder_put(struct recorder *r, const struct lh_record *rec, char id[LH_PLAYBOOK_ID_LEN],
		 struct lh_err *err);
/* Return whether so much is gathered that it should be committed. */
bool recorder_has_much(const struct recorder *r);
int recorder_commit(struct recorder *r, struct lh_err *err);
/* Compact if that is due. */
int recorder_fold(struct recorder *r, struct lh_err *err);
void recorder_close(struct recorder *r);

#endif
