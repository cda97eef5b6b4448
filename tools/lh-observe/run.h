/* run.h - shared by the commands of lh-observe. */
#ifndef RUN_H
#define RUN_H

#include "base/table.h"
#include "json/write.h"
#include "observe/observe.h"
#include "tool/op.h"

enum { V_RECORD = 1, V_INBOX = 2, V_STATS = 4, V_TAIL = 8, V_PUSH = 16, V_REQUESTS = 32,
       V_DECISIONS = 64 };

/* A command and its log. */
struct run {
	struct lh_tool *tool;
	const struct settings *s;
	const char *path;
	struct lh_observe_log log;
	bool open;			/* it is open for writing */
	struct lh_buf strings, more, line;	/* of a record */
};

struct settings {
	const char *source;		/* of events without one */
	const char *window;
	int by;				/* 0: by endpoint; -1: not */
	uint64_t n;
	bool follow;
	const char *cursor, *otlp;
	bool restart;
	uint64_t batch, batch_size, retries;
	double timeout;
	bool list;			/* decisions: of these alone ... */
	const char *tool, *id, *trace;
	struct run run;
};

/* The commands. */
int observe_record(struct lh_tool *tool, void *settings);	/* and inbox */
int observe_stats(struct lh_tool *tool, void *settings);
int observe_tail(struct lh_tool *tool, void *settings);
int observe_push(struct lh_tool *tool, void *settings);
int observe_decisions(struct lh_tool *tool, void *settings);

/* The operations of requests, and their records. */
lh_op_fn record_event, record_message, answer_stats;
extern const struct lh_bind message_members[], stats_members[];
struct message {
	int type;
	struct lh_str sender, subject, body, tag;
	const char *priority;
};
struct query {
	struct lh_str window;
	int by;
	bool by_endpoint;
};

/* Open the log for writing, unless that is done. */
int run_open(struct run *r, struct lh_err *err);

/* Read a whole number of decimal digits; 0 if it is not one. */
uint64_t run_number(struct lh_str text);

/* ---- reading ---- */

/* A log that is read.  Lines that are not rows are reported, at most SHOWN of them. */
struct reading {
	struct run *run;
	int fd;				/* -1: there is no log */
	uint64_t size;			/* bytes at the opening */
	uint64_t skipped;		/* lines that are not rows */
	struct lh_log_lines lines;
	struct lh_record rec;
	struct lh_buf text;
};
int reading_open(struct reading *g, struct run *r, struct lh_err *err);
void reading_close(struct reading *g);
/* Read the line as a row: 1; 0 if it is empty, incomplete or not a row, which is reported; -1. */
int reading_row(struct reading *g, const struct lh_log_line *line, struct lh_observed *o,
		struct lh_err *err);
/* Report a line that is not a row, and count it. */
void reading_skip(struct reading *g, const struct lh_log_line *line, const char *why);
/* Report how many lines were skipped. */
void reading_report(const struct reading *g);

/* Go on at a byte of the log, forwards. */
void reading_from(struct reading *g, uint64_t at);
/* Parse the line: 1; 0 if it is empty, too long or not JSON, as reading_row; -1. */
int reading_parse(struct reading *g, const struct lh_log_line *line, struct lh_err *err);

/* ---- statistics ---- */

/* Counts by a name. */
struct count;
struct tally {
	struct lh_intern names;
	struct count *v;
	size_t cap;
};

/* Read "all" or a number; 0 if it is neither. */
uint64_t stats_window(struct lh_str text);

#endif
