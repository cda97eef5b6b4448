/* pathway_parts - shared by the files of lh_pathway.  Private to lib/memory. */
#ifndef LH_PATHWAY_PARTS_H
#define LH_PATHWAY_PARTS_H

#include "file/file.h"
#include "base/table.h"
#include "pathway.h"

struct lh_span {		/* a JSON value in the log; n = 0: none */
	uint64_t at;
	uint32_t n;
} __attribute__((packed));

struct lh_trace {
	int64_t created, updated, replays;
	struct lh_span uid, content, predecessor, tags;
	bool retired;
};

struct lh_pathway {
	struct lh_applog log;		/* path and fd, which is -1 while the log is absent */
	dev_t dev;
	ino_t ino;
	enum lh_pathway_mode mode;
	const struct lh_pathway_hooks *hooks;
	uint64_t max_line;

	uint64_t at, lines;		/* bytes and lines of the log replayed so far */
	uint64_t reported_at;		/* the unfinished line that was reported, ... */
	size_t reported_n;			/* ... and its bytes; 0: none */
	uint64_t erased_at;		/* the first tombstone; UINT64_MAX: none so far */
	bool skipping;			/* inside a line over the limit */
	struct lh_buf block;

	struct lh_map uids;		/* SHA-256 of the uids, in the order of trace[] */
	struct lh_trace *trace;
	size_t cap;
	uint64_t events, retired, skipped;

	struct lh_record rec, scan;	/* scratch: an event; a part read back */
	struct lh_buf window;		/* bytes of the log, from window_at on */
	uint64_t window_at;
	struct lh_buf text, line;	/* scratch: unescaped strings; the event to write */
};

/* Open the log if it is not open; create: also if it is absent. */
int lh_pathway_open_log(struct lh_pathway *p, bool create, struct lh_err *err);

/* Close a log that was replaced, and forget its traces. */
void lh_pathway_forget(struct lh_pathway *p);

/* Replay the log up to size bytes. */
int lh_pathway_replay(struct lh_pathway *p, uint64_t size, struct lh_err *err);

/* Check that a uid may have n bytes; LH_EDATA names it as what. */
int lh_pathway_uid_check(const char *what, size_t n, struct lh_err *err);

/* Append trace i as JSON, with that content, or its own if content is NULL. */
int lh_pathway_put_with(struct lh_pathway *p, uint32_t i, const struct lh_value *content,
			int64_t updated, struct lh_buf *out, struct lh_err *err);

#endif
