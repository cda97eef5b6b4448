/*
 * stream - the twelve source streams by name.
 *
 * A stem is the name of a source file without folder and ".jsonl":
 * data/_kb/audits.jsonl is audits.  The order is the order in which they are
 * collected.
 */
#ifndef LH_STREAM_H
#define LH_STREAM_H

#include <lh/json.h>

enum lh_stream {
	LH_STREAM_NONE = -1,
	LH_DISTILLED_FACTS, LH_DISTILLED_PROCEDURES, LH_DISTILLED_CONFIG_HINTS, LH_CONTRACT_ANALYSES,
	LH_MODE_EXPERIMENTS, LH_SCRUM_REVIEWS, LH_OBSERVER_ESCALATIONS, LH_AUDIT_FACTS,
	LH_AUTO_APPLY, LH_OBSERVER_REVIEWS, LH_AUDITS, LH_OUTCOMES,
	LH_STREAMS
};

const char *lh_stream_name(enum lh_stream s);	/* "audits" */
const char *lh_stream_source(enum lh_stream s);	/* "data/_kb/audits.jsonl" */

/* The stem of that name; LH_STREAM_NONE when there is none. */
enum lh_stream lh_stream_read(const char *name, size_t n);

/* The name in a path of a source, known or not, and the stem if it is known. */
struct lh_str lh_stream_text(const char *path, size_t n);
enum lh_stream lh_stream_of(const char *path, size_t n);

#endif
