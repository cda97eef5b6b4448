/* pathway_parts - what the modules of lh_pathway tell each other. */
#ifndef LH_PATHWAY_PARTS_H
#define LH_PATHWAY_PARTS_H

#include "file/file.h"
#include "base/hashset.h"
#include <lh/pathway.h>

struct lh_span {		/* a JSON value in the log; n = 0: there is none */
	uint64_t at;
	uint32_t n;
} __attribute__((packed));

struct lh_trace {
	int64_t created, updated, replays;
	struct lh_span uid, content, predecessor, tags;
	bool retired;
};

struct lh_pathway {
	struct lh_applog log;		/* fd and path; opened for reading alone where not writes */
	dev_t dev;
	ino_t ino;
	bool writes;
	const struct lh_pathway_hooks *hooks;
	uint64_t max_line;

	uint64_t at, lines;		/* of the log: replayed so far */
	uint64_t told_at;		/* the unfinished line that was told of, ... */
	size_t told_n;			/* ... if any, and its bytes */
	bool skipping;			/* in a line over the limit */
	struct lh_buf block;

	struct lh_hashset uids;		/* SHA-256 of each, in the order of trace[] */
	struct lh_trace *trace;
	size_t cap;
	uint64_t events, retired, skipped;

	struct lh_record rec, scan;	/* of an event, of a part that is read back */
	struct lh_buf window;		/* bytes of the log from window_at on */
	uint64_t window_at;
	struct lh_buf text, line;	/* scratch: unescaped strings, the event to write */
};

/* Replay up to size, the length of the log. */
int lh_pathway_replay(struct lh_pathway *p, uint64_t size, struct lh_err *err);

/* The event at p->rec, whose first byte stands at offset at of the log.  1 when
 * it changed something, 0 with the reason in err->msg when it must be skipped,
 * -1 without memory. */
int lh_pathway_apply(struct lh_pathway *p, uint64_t at, struct lh_err *err);

/* May a uid have n bytes?  LH_EDATA names what. */
int lh_pathway_uid_check(const char *what, size_t n, struct lh_err *err);

/* The value of a span, checked; valid until the next call. */
int lh_pathway_span(struct lh_pathway *p, const struct lh_span *span, struct lh_value *v,
		    struct lh_err *err);

/* Append trace i with that content, or with its own where content is NULL. */
int lh_pathway_put_with(struct lh_pathway *p, uint32_t i, const struct lh_value *content,
			int64_t updated, struct lh_buf *out, struct lh_err *err);

#endif
