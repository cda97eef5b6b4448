/*
 * stream - the twelve source streams by name.
 *
 * The name of a stream is that of its source file without folder and ".jsonl":
 * data/_kb/audits.jsonl is audits.  They are collected in the order of the enum.
 */
#ifndef LH_STREAM_H
#define LH_STREAM_H

#include <lh/json.h>

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
