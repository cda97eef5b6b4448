/*
 * bundle.h - the bundle for an auditor, kept for years: an audit and all files that
 * it checked, in one .tar.zst.
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
 * Members are in byte order of their names, each once, the manifest first (its
 * capitals put it there): so a reader knows what each must be before reading it,
 * and needs memory for none.  A bundle contains nothing about when, where or by
 * whom it was made except what its members state; the same audit gives the same
 * bytes.
 *
 * The archive is followed by a seal, the SHA-256 of all bytes before it, as a
 * skippable frame of zstd, which other programs ignore.  It is needed because the
 * manifest covers only contents, and a flipped bit need not change any.
 *
 * Neither shows who made the bundle.  To know that, keep the seal, or the
 * manifest's own SHA-256, which bundle verify prints, in another place.
 */
#ifndef BUNDLE_H
#define BUNDLE_H

#include <lh/buf.h>
#include "tool/tool.h"

#define BUNDLE_MANIFEST "MANIFEST.jsonl"
#define BUNDLE_MANIFEST_MAX ((size_t)1 << 20)
#define BUNDLE_NAME_MAX 100	/* bytes of a name; the limit of ustar */
#define BUNDLE_SEAL 40		/* bytes */

struct settings;

/* A future member: bytes in memory, or of a file. */
struct bundle_member {
	const char *name;
	struct lh_buf text;
	int fd;			/* -1: text has the bytes */
	uint64_t from, size;	/* which bytes of the file */
	unsigned char sha256[32];
};

/* Replace file (mode 0600) by a bundle of members that are in order. */
int bundle_pack(const char *file, struct bundle_member *m, size_t n, struct lh_err *err);

/* Verify a bundle: print a line per member and a summary.  A bad bundle is a
 * verdict; -1: it could not be read. */
int bundle_verify(struct lh_tool *tool, const char *file);

/* Append the entry of a bundle to the log of --tlog, unless it is there: its index is set. */
int bundle_commit(struct lh_tool *tool, const struct settings *s, const char *file,
		  uint64_t *index);

/* Return whether the file ends as a bundle does, whatever its seal says. */
bool bundle_is_sealed(const char *file);
/* Compute the seal for the first n bytes of a file. */
int bundle_seal(int fd, uint64_t n, unsigned char seal[BUNDLE_SEAL], struct lh_err *err);

#endif
