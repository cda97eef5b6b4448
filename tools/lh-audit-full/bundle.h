/*
 * bundle.h - what an auditor is handed and what is kept for years: an audit and
 * all that it judged, in one .tar.zst.
 *
 *     MANIFEST.jsonl       a line {"path","size","sha256"} for each of the others
 *     baselines.jsonl      the metrics of earlier audits
 *     checks.jsonl         the audit, line by line
 *     replay-tail.jsonl    the last rows of the log of replays
 *     report.html          the report
 *     report.json
 *     report.md
 *     run/...              receipts, drift.json, summary.json, summary.md of the run
 *
 * Members stand in byte order of their names, each once, the manifest first
 * (which its capitals make it): so a reader knows what each must be before it
 * sees it, and needs memory for none.  Nothing of when, where or by whom goes
 * in but what the members say themselves; the same audit gives the same bytes.
 *
 * Behind the archive stands a seal, the SHA-256 of all bytes before it, as a
 * skippable frame of zstd, which other programs pass over: the manifest speaks
 * of contents, and a flipped bit need not change any.
 *
 * Neither tells who made the bundle.  Whoever must know keeps the seal, or the
 * manifest's own SHA-256, which bundle verify prints, in another place.
 */
#ifndef BUNDLE_H
#define BUNDLE_H

#include <lh/buf.h>
#include "tool/tool.h"

#define BUNDLE_MANIFEST "MANIFEST.jsonl"
#define BUNDLE_MANIFEST_MAX ((size_t)1 << 20)
#define BUNDLE_NAME_MAX 100	/* bytes of a name; ustar has no room for more */
#define BUNDLE_SEAL 40		/* bytes */

/* A member to be: bytes in memory, or of a file. */
struct bundle_member {
	const char *name;
	struct lh_buf text;
	int fd;			/* -1: text is it */
	uint64_t from, size;	/* which bytes of the file */
	unsigned char sha256[32];
};

/* Replace file (mode 0600) by a bundle of members that are in order. */
int bundle_pack(const char *file, struct bundle_member *m, size_t n, struct lh_err *err);

/* Print what a bundle is worth: a line a member and a summary; a bad one is a
 * verdict, and -1 that it could not be read. */
int bundle_verify(struct lh_tool *tool, const char *file);

/* The seal for the first n bytes of a file. */
int bundle_seal(int fd, uint64_t n, unsigned char seal[BUNDLE_SEAL], struct lh_err *err);

#endif
