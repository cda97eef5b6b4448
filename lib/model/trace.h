/*
 * trace - the request id, which accompanies a request through every service.
 *
 * The trace_id of a record, else the one given to the process (--trace-id, else
 * LH_TRACE_ID), is sent with each upstream call as the header X-Lakehouse-Trace-Id
 * (http.h) and returned in the answer as trace_id.
 */
#ifndef LH_TRACE_H
#define LH_TRACE_H

#include "json/bind.h"
#include "json/write.h"

#define LH_TRACE_MAX 1024	/* bytes */
/* For a table of options (tool/tool.h). */
#define LH_TRACE_OPTION(s, f) \
	{ 0, "trace-id", "ID", "request id of records without one", \
	  LH_TEXT(s, f, .env = "LH_TRACE_ID") }

/* A line of a table (json/bind.h): the id that a record names.  null, "" and values
 * that are not a string count as absent. */
#define LH_TRACE_MEMBER(s, f) \
	{ LH_BIND_STRING("trace_id", s, f), .lax = true, .filled = true, .longest = LH_TRACE_MAX }

/* Check a given id.  NULL and "" mean none and are valid.  LH_EUSAGE. */
int lh_trace_check(const char *given, struct lh_err *err);

/* Return the id of a record: its trace_id, unescaped in scratch if necessary, else
 * the given one.  null, "" and values that are not a string count as absent.  *own:
 * it is the record's; n = 0: there is none.  LH_EDATA if it is too long. */
int lh_trace_of(const struct lh_record *rec, const char *given, struct lh_buf *scratch,
		struct lh_str *out, bool *own, struct lh_err *err);

/* Append ,"trace_id":"..." if there is an id. */
void lh_trace_put(struct lh_buf *out, struct lh_str trace);
/* Write the same as a member of the object that is being written. */
void lh_trace_write(struct lh_writer *w, struct lh_str trace);

#endif
