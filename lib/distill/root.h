/*
 * root - the files of one distillation root: find, lock and append.
 *
 *     data/_kb/<stream>.jsonl                        sources
 *     data/_kb/distillation_skips.jsonl            rows that became no evidence
 *     data/evidence/YYYY/MM/DD/<stream>.jsonl
 *     data/scored-runs/YYYY/MM/DD/<stream>.jsonl
 *     exports/...                                  samples, and refused records
 *     reports/distillation/<run_id>/...            receipts
 *
 * Paths in records and in the calls below are relative to the root ("/" between
 * their parts).
 *
 * Errors:  0, or -1 (NULL) with *err, whose text names the file.
 * Threads: one thread per struct.
 */
#ifndef LH_ROOT_H
#define LH_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "json/json.h"

#include "manifest/manifest.h"

#define LH_ROOT_SOURCES "data/_kb"
#define LH_ROOT_SKIPS "data/_kb/distillation_skips.jsonl"
#define LH_ROOT_EVIDENCE "data/evidence"
#define LH_ROOT_SCORED "data/scored-runs"
#define LH_ROOT_EXPORTS "exports"
#define LH_ROOT_REPORTS "reports/distillation"

struct lh_root;

/* Open the folder path; NULL: LH_DISTILL_ROOT, else the working directory. */
struct lh_root *lh_root_open(const char *path, struct lh_err *err);
void lh_root_close(struct lh_root *r);	/* NULL is allowed; releases the lock */
const char *lh_root_path(const struct lh_root *r);

/* Set the cache that gets the digest of every file that is written from
 * now on, or NULL.  It must outlive the root. */
void lh_root_remember(struct lh_root *r, struct lh_digest_cache *facts);

/* Return the path of relpath, which the caller frees. */
char *lh_root_join(const struct lh_root *r, const char *relpath);

/* Lock the root for one writer: the file .lh-lock (lh_lock), which is removed when
 * the root is closed.  Waits up to that many seconds, then LH_ELOCKED.  Locking
 * again has no effect. */
int lh_root_lock(struct lh_root *r, double seconds, struct lh_err *err);

/*
 * Call fn for every *.jsonl below a folder of the root, in byte order of its
 * root-relative path: regular files, nothing hidden, no symbolic link followed; a
 * name that is not UTF-8 is an error.  A result of fn other than 0 ends the walk
 * and is returned (-1 with *err).  A folder that does not exist is empty.
 */
typedef int lh_root_fn(void *ctx, const char *relpath, struct lh_err *err);
int lh_root_each(const struct lh_root *r, const char *below, lh_root_fn *fn, void *ctx,
		 struct lh_err *err);

/* The same, including what may hide rows: links, FIFOs, sockets and devices,
 * whatever their names, and folders that cannot be read, which do not end the walk.
 * lh_open_regular reports what is wrong with one. */
int lh_root_all(const struct lh_root *r, const char *below, lh_root_fn *fn, void *ctx,
		struct lh_err *err);

/* Return whether there is something of that name, be it a link: 1, 0, -1. */
int lh_root_has(const struct lh_root *r, const char *relpath, struct lh_err *err);

/* Create the folders that relpath is in. */
int lh_root_folders(const struct lh_root *r, const char *relpath, struct lh_err *err);
/* Replace a file, in folders that are created, by a text (lh_atomic_put). */
int lh_root_put(const struct lh_root *r, const char *relpath, const struct lh_buf *text,
		struct lh_err *err);

/* Append to a file (lh_append of manifest/manifest.h); the cache above gets its digest. */
struct lh_append *lh_root_append(const struct lh_root *r, const char *relpath, struct lh_err *err);

/*
 * stream - the twelve source streams by name.
 *
 * The name of a stream is that of its source file without folder and ".jsonl":
 * data/_kb/audits.jsonl is audits.  They are collected in the order of the enum.
 */

enum lh_stream {
	LH_STREAM_NONE = -1,
	LH_DISTILLED_FACTS, LH_DISTILLED_PROCEDURES, LH_DISTILLED_CONFIG_HINTS,
		LH_CONTRACT_ANALYSES,
	LH_MODE_EXPERIMENTS, LH_SCRUM_REVIEWS, LH_OBSERVER_ESCALATIONS, LH_AUDIT_FACTS,
	LH_AUTO_APPLY, LH_OBSERVER_REVIEWS, LH_AUDITS, LH_OUTCOMES,
	LH_STREAMS
};

const char *lh_stream_name(enum lh_stream s);	/* "audits" */
const char *lh_stream_source(enum lh_stream s);	/* "data/_kb/audits.jsonl" */

/* Return the stream of that name; LH_STREAM_NONE if there is none. */
enum lh_stream lh_stream_read(const char *name, size_t n);

/* Return the name of the stream in the path of a source, known or not. */
struct lh_str lh_stream_text(const char *path, size_t n);
enum lh_stream lh_stream_of(const char *path, size_t n);

#endif
