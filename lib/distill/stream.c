/* stream.c - source streams by name.  See root.h. */
#include "root.h"

#define SOURCES "data/_kb/"
#define STEM(s) { s, SOURCES s ".jsonl" }

static const struct {
	const char *name, *source;
} stems[LH_STREAMS] = {
	[LH_DISTILLED_FACTS] = STEM("distilled_facts"),
	[LH_DISTILLED_PROCEDURES] = STEM("distilled_procedures"),
	[LH_DISTILLED_CONFIG_HINTS] = STEM("distilled_config_hints"),
	[LH_CONTRACT_ANALYSES] = STEM("contract_analyses"),
	[LH_MODE_EXPERIMENTS] = STEM("mode_experiments"),
	[LH_SCRUM_REVIEWS] = STEM("scrum_reviews"),
	[LH_OBSERVER_ESCALATIONS] = STEM("observer_escalations"),
	[LH_AUDIT_FACTS] = STEM("audit_facts"),
	[LH_AUTO_APPLY] = STEM("auto_apply"),
	[LH_OBSERVER_REVIEWS] = STEM("observer_reviews"),
	[LH_AUDITS] = STEM("audits"),
	[LH_OUTCOMES] = STEM("outcomes"),
};

const char *lh_stream_name(enum lh_stream s)
{
	return stems[s].name;
}

const char *lh_stream_source(enum lh_stream s)
{
	return stems[s].source;
}

enum lh_stream lh_stream_read(const char *name, size_t n)
{
	int i;

	for (i = 0; i < LH_STREAMS; i++)
		if (strlen(stems[i].name) == n && !memcmp(stems[i].name, name, n))
			return (enum lh_stream)i;
	return LH_STREAM_NONE;
}

struct lh_str lh_stream_text(const char *path, size_t n)
{
	const char *slash = memrchr(path, '/', n);

	if (slash) {
		n -= (size_t)(slash + 1 - path);
		path = slash + 1;
	}
	if (n >= 6 && !memcmp(path + n - 6, ".jsonl", 6))
		n -= 6;
	return (struct lh_str){ path, n };
}

enum lh_stream lh_stream_of(const char *path, size_t n)
{
	struct lh_str s = lh_stream_text(path, n);

	return lh_stream_read(s.p, s.n);
}
