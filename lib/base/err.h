/*
 * err - errors as values.
 *
 * Every function of lib that can fail returns 0 or -1 (or NULL) and fills a struct
 * lh_err of the caller; nothing in lib exits, and only the frame of the tools
 * (tool/tool.h) prints.  The code tells a program how to go on; the text is for a
 * person: lower case, no full stop, without the name of the tool and the place in
 * its input (the frame adds those).  The text may contain any bytes from outside
 * (the frame escapes them).
 *
 *     return lh_err_set(err, LH_EDATA, "missing string field \"%s\"", name);
 */
#ifndef LH_ERR_H
#define LH_ERR_H

#include <stdbool.h>
#include <stddef.h>

#define LH_PRINTF(f, a) __attribute__((format(printf, f, a)))
/* Before a local variable: call fn with its address where its scope ends. */
#define LH_SCOPED(fn) __attribute__((cleanup(fn)))

enum lh_code {
	LH_OK = 0,
	LH_EDATA,	/* this record is bad; the next may be good */
	LH_EUSAGE,	/* the command line is wrong */
	LH_EIO,		/* a file, pipe or directory cannot be read or written */
	LH_ENOMEM,	/* out of memory */
	LH_ECORRUPT,	/* a file written by these tools has wrong contents */
	LH_ENET,	/* a server is down, slow or answers wrongly */
	LH_ELOCKED,	/* another process is writing */
	LH_EINTR,	/* a signal asked the process to stop */
};

struct lh_err {
	enum lh_code code;
	size_t column;	/* byte in the line, from 1; 0: unknown */
	unsigned status;	/* the reason as an HTTP status; 0: follows from code */
	bool coded;	/* the message begins with the status */
	char msg[1024];
};

/* Fill *err and return -1, for "return lh_err_set(...)". */
int lh_err_set(struct lh_err *err, enum lh_code code, const char *fmt, ...) LH_PRINTF(3, 4);

/* Report LH_EDATA with a status more specific than 400. */
int lh_err_data(struct lh_err *err, unsigned status, const char *fmt, ...) LH_PRINTF(3, 4);

/*
 * Return the reason as an HTTP status, which is error.code in an error record:
 * err->status, else the one that corresponds to the code.
 *
 * 400  the record is wrong               422  the verdict is bad
 * 404  what it refers to does not exist  500  an internal failure
 * 409  it contradicts existing data      502  a server failed
 * 413  too large                         503  temporarily unavailable
 *                                        504  timed out
 */
unsigned lh_err_status(const struct lh_err *err);

/* Report LH_EIO (LH_ENOMEM for ENOMEM), with ": " and strerror(errno) after the text. */
int lh_err_sys(struct lh_err *err, const char *fmt, ...) LH_PRINTF(2, 3);

/* Report "out of memory"; returns -1. */
int lh_err_nomem(struct lh_err *err);

/* Insert "prefix: " before the text of *err; returns -1. */
int lh_err_prefix(struct lh_err *err, const char *fmt, ...) LH_PRINTF(2, 3);

/*
 * A number with what is counted, for a message: "1 row", "2 rows", "0 rows"; with "|" both forms
 * are given, as in "row was|rows were".
 *
 *     lh_tool_warn(tool, "%s: %s skipped", path, LH_N(n, "line"));
 */
struct lh_counted {
	char text[64];
};
struct lh_counted lh_counted(unsigned long long n, const char *what);
#define LH_N(n, what) (lh_counted((n), (what)).text)

#endif
