/*
 * trace - the id that follows a request through every service it meets.
 *
 * A record's member trace_id, else what the process was given (--trace-id, else
 * LH_TRACE_ID), goes out with each upstream call as the header
 * X-Lakehouse-Trace-Id (http.h) and comes back in the answer as trace_id.
 */
#ifndef LH_TRACE_H
#define LH_TRACE_H

#include "json/bind.h"
#include "json/write.h"

#define LH_TRACE_MAX 1024	/* bytes */
/* For a table of options (tool/tool.h). */
#define LH_TRACE_OPTION(s, f) \
	{ 0, "trace-id", "ID", "trace id of records without one", LH_OPT_TEXT, false, offsetof(s, f), 0, 0, "LH_TRACE_ID", 0 }

/* A line of a table (json/bind.h): the id that a record names.  One that is null,
 * empty or not a string counts as absent. */
#define LH_TRACE_MEMBER(s, f) \
	{ LH_BIND_STRING("trace_id", s, f), .lax = true, .filled = true, .longest = LH_TRACE_MAX }

/* Is that an id?  NULL and "" are none, and good.  LH_EUSAGE. */
int lh_trace_check(const char *given, struct lh_err *err);

/*
 * The id of a record: its trace_id, which may be unescaped in scratch, else what
 * was given.  One that is null, empty or not a string counts as not there.  *own
 * says whose it is; n = 0: there is none.  LH_EDATA when it is too long.
 */
int lh_trace_of(const struct lh_record *rec, const char *given, struct lh_buf *scratch, struct lh_str *out, bool *own, struct lh_err *err);

/* Append ,"trace_id":"...", if there is one. */
void lh_trace_put(struct lh_buf *out, struct lh_str trace);
/* The same, as a member of the object that is being written. */
void lh_trace_write(struct lh_writer *w, struct lh_str trace);

#endif
