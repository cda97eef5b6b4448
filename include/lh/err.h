/*
 * err - what went wrong, as a value.
 *
 * Every liblh function that can fail returns 0 or -1 (or NULL) and fills a
 * caller-owned struct lh_err; nothing in liblh exits, and nothing but the frame
 * (tool/tool.h) prints.  The code says what the caller may do about it, the text
 * is for a person: lower case, no full stop, neither the tool's name nor the
 * place in its input (the frame puts those before it), and may hold raw bytes
 * from outside (the frame escapes them).
 *
 *     return lh_err_set(err, LH_EDATA, "missing string field \"%s\"", name);
 */
#ifndef LH_ERR_H
#define LH_ERR_H

#include <stdbool.h>
#include <stddef.h>

/* Around the declarations of each header, for C++. */
#ifdef __cplusplus
#define LH_C_BEGIN extern "C" {
#define LH_C_END }
#else
#define LH_C_BEGIN
#define LH_C_END
#endif

LH_C_BEGIN

#define LH_API __attribute__((visibility("default")))
#define LH_PRINTF(f, a) __attribute__((format(printf, f, a)))

enum lh_code {
	LH_OK = 0,
	LH_EDATA,	/* this record is bad; the next may be good */
	LH_EUSAGE,	/* the command line is wrong */
	LH_EIO,		/* a file, pipe or directory cannot be read or written */
	LH_ENOMEM,	/* out of memory */
	LH_ECORRUPT,	/* a file of ours does not hold what it should */
	LH_ENET,	/* an upstream is down, slow or answers something else */
	LH_ELOCKED,	/* somebody else is writing */
	LH_EINTR,	/* a signal asked us to stop */
};

struct lh_err {
	enum lh_code code;
	size_t column;	/* byte in the line, from 1; 0 when it says nothing */
	unsigned status;	/* the reason as an HTTP status; 0: what code says */
	bool coded;	/* messages begin with it */
	char msg[1024];
};

/* Fill *err and return -1, so that "return lh_err_set(...)" reads well. */
LH_API int lh_err_set(struct lh_err *err, enum lh_code code, const char *fmt, ...) LH_PRINTF(3, 4);

/* LH_EDATA with a status that says more than 400. */
LH_API int lh_err_data(struct lh_err *err, unsigned status, const char *fmt, ...) LH_PRINTF(3, 4);

/*
 * The reason as an HTTP status, which is error.code in an error record: err->status,
 * else what the code comes to.
 *
 * 400  the record is wrong               422  the verdict is bad
 * 404  what it names is not there        500  our own failure
 * 409  it contradicts what is there      502  an upstream failed
 * 413  too large                         503  not now
 *                                        504  too late
 */
LH_API unsigned lh_err_status(const struct lh_err *err);

/* The same as lh_err_set with ": strerror(errno)" behind it and LH_EIO (LH_ENOMEM for
 * ENOMEM). */
LH_API int lh_err_sys(struct lh_err *err, const char *fmt, ...) LH_PRINTF(2, 3);

/* "out of memory"; returns -1. */
LH_API int lh_err_nomem(struct lh_err *err);

/* Put "prefix: " before the text that is there; returns -1. */
LH_API int lh_err_prefix(struct lh_err *err, const char *fmt, ...) LH_PRINTF(2, 3);

LH_C_END

#endif
