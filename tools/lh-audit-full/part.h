/*
 * part.h - a part of a divided census as a file, one line:
 *
 *     {"schema":"audit_part.v1","version":"0.1.0","shard":3,"shards":8,"run_id":"run1",
 *      "counts":{"evidence":12,...},
 *      "found":[{"finding":"rag","rows":2,"file":5,"line":17,"text":" ..."}],
 *      "files":[{"path":"exports/rag/playbooks.jsonl","bytes":1200,"digest":"..."}],
 *      "checksum":"..."}
 *
 * counts:   of the rows of this shard.
 * found:    faulty rows of this shard; file, an index in files, and line are of the first
 *           one, and are left out if a file that cannot be read comes before it; text64 in
 *           place of text is base64, of one that is not UTF-8.
 * files:    all files that were read, in the order of the census, the same in every part.
 * checksum: SHA-256 of the bytes before its comma.
 *
 * The same rows and the same version give the same bytes.
 */
#ifndef PART_H
#define PART_H

#include "audit.h"

#define PART_SCHEMA "audit_part.v1"
#define PART_SUM ",\"checksum\":\""

/* The counts of a census, by name. */
struct part_count {
	const char *name;
	size_t at;		/* of the uint64_t in struct census */
};
#define PART_COUNTS 11
extern const struct part_count part_count[PART_COUNTS];

extern const char *const part_finding[FINDINGS + 1];	/* names; ends with NULL */

#endif
