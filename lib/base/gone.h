/*
 * gone - tools, commands, options, values and kinds of files that the version before had and
 * this one has not, each with a line that says what to do in place of it.
 *
 * An entry is kept for one version.  The parser of options finds those of the command line by
 * itself, and lh(1) those of tools:
 *
 *     lh-query: --engine is no more: SQLite answers; lh-ingest makes JSON Lines of Parquet
 */
#ifndef LH_GONE_H
#define LH_GONE_H

#include <stdbool.h>
#include <stddef.h>

#define LH_GONE_ROOM 512

/* Print the line about a thing of n bytes of this tool to line, or return false if there is no
 * entry for it: "" for the tool itself, "shard" for a command, "--engine" for an option,
 * "--from=fvecs" for a value of one, "layout hnsw" for a value of an option or member of any tool,
 * "file plan of shards" for a kind of file. */
bool lh_gone(const char *tool, const char *what, size_t n, char line[LH_GONE_ROOM]);

#endif
