/* kinds.c - what a file of a place is, by its path.  See subject.h. */
#include <fcntl.h>
#include <fnmatch.h>
#include <unistd.h>

#include "distill/root.h"
#include "distill/sample.h"
#include "subject.h"

static const char *const names[PLACE_KINDS] = {
	[PLACE_INDEX] = "index", [PLACE_PLAYBOOK] = "playbook",
	[PLACE_INDEX_LOG] = "index-log", [PLACE_LOG] = "log", [PLACE_SOURCE] = "source",
	[PLACE_SKIPS] = "skips", [PLACE_EVIDENCE] = "evidence", [PLACE_SCORED] = "scored",
	[PLACE_RAG] = "rag", [PLACE_SFT] = "sft", [PLACE_PREFERENCE] = "preference",
	[PLACE_QUARANTINE] = "quarantine", [PLACE_REPLAYS] = "replays",
	[PLACE_RECEIPT] = "receipt", [PLACE_DATASET] = "dataset", [PLACE_OBJECT] = "object",
	[PLACE_CACHE] = "cache", [PLACE_ROSTER] = "roster", [PLACE_MANIFEST] = "manifest",
	[PLACE_CHAIN] = "chain", [PLACE_SECRET] = "secret", [PLACE_ERASURE] = "erasure",
	[PLACE_TREE] = "tlog", [PLACE_TRACE_INDEX] = "trace-index", [PLACE_CURSOR] = "cursor",
	[PLACE_SPOOL] = "spool", [PLACE_OTHER] = "other",
	[PLACE_SPECIAL] = "special"
};

const char *place_kind_name(enum place_kind kind)
{
	return names[kind];
}

enum place_kind place_kind_named(struct lh_str name)
{
	int i = 0;

	while (i < PLACE_OTHER && !lh_str_is(name, names[i], strlen(names[i])))
		i++;
	return (enum place_kind)i;
}

/* Patterns of paths, in the order in which they are tried; a "*" also matches "/". */
struct pattern {
	const char *pattern;
	enum place_kind kind;
};
static const struct pattern in_root[] = {
	{ "*.lh-tmp-*", PLACE_SPOOL },
	{ "index/*.lhv-log", PLACE_INDEX_LOG },
	{ "playbook/*.lhv-log", PLACE_INDEX_LOG },
	{ "index/*.lhv", PLACE_INDEX },
	{ "playbook/*.lhv", PLACE_PLAYBOOK },
	{ "log/*.cursor", PLACE_CURSOR },
	{ "log/*.jsonl", PLACE_LOG },
	{ "log/*.jsonl.torn", PLACE_LOG },
	{ "log/*.rejects", PLACE_LOG },
	{ LH_ROOT_SKIPS, PLACE_SKIPS },
	{ LH_ROOT_SOURCES "/replay_runs.jsonl", PLACE_REPLAYS },
	{ LH_ROOT_SOURCES "/audit_baselines.jsonl", PLACE_LOG },
	{ LH_ROOT_SOURCES "/*.rejects", PLACE_LOG },
	{ LH_ROOT_EVIDENCE "/*.jsonl", PLACE_EVIDENCE },
	{ LH_ROOT_SCORED "/*.jsonl", PLACE_SCORED },
	{ LH_ROOT_REPORTS "/*", PLACE_RECEIPT },
	{ "docs/recon/*.md", PLACE_RECEIPT },
	{ "catalog/*.json", PLACE_DATASET },
	{ "spool/*", PLACE_SPOOL },
	{ "tlog/*", PLACE_TREE },
	{ "witness/*", PLACE_TREE },
	{ "roster.jsonl", PLACE_ROSTER },
	{ ".lh-trace/index", PLACE_TRACE_INDEX },
	{ NULL, PLACE_OTHER }
}, of_subject[] = {
	/* names begin with any byte of an id but a dot */
	{ ".*.lh-tmp-*", PLACE_SPOOL },
	{ "_erasures/.*.lh-tmp-*", PLACE_SPOOL },
	{ "_erasures/*", PLACE_ERASURE },
	{ "*" "/*", PLACE_OTHER },
	{ "*.audit.jsonl.torn", PLACE_LOG },
	{ "*.audit.jsonl", PLACE_CHAIN },
	{ "*.secret", PLACE_SECRET },
	{ "_retention_sweep_[0-9]*-[0-9]*-[0-9]*.jsonl", PLACE_LOG },
	{ "*.json", PLACE_MANIFEST },
	{ NULL, PLACE_OTHER }
}, of_playbook[] = {
	{ "*.lh-tmp-*", PLACE_SPOOL },
	{ "*.lhv-log", PLACE_INDEX_LOG },
	{ "*.lhv", PLACE_PLAYBOOK },
	{ NULL, PLACE_OTHER }
}, of_index[] = {
	{ "*.lh-tmp-*", PLACE_SPOOL },
	{ "*.lhv", PLACE_INDEX },
	{ "*.lhv-log", PLACE_INDEX_LOG },
	{ NULL, PLACE_OTHER }
};
static const char subjects[] = "data/_catalog/subjects/";

static enum place_kind find_kind(const struct pattern *p, const char *rel)
{
	while (p->pattern && fnmatch(p->pattern, rel, 0) != 0)
		p++;
	return p->kind;
}

enum place_kind kind_of_subject(const char *rel)
{
	return find_kind(of_subject, rel);
}

enum place_kind kind_of_index(const char *rel)
{
	return find_kind(of_index, rel);
}

enum place_kind kind_of_playbook(const char *rel)
{
	return find_kind(of_playbook, rel);
}

/* Return the path in a part of a divided run, shards/RUN/I-of-N/, which is laid out as a root. */
static const char *without_part(const char *rel)
{
	const char *run = strncmp(rel, "shards/", 7) ? NULL : strchr(rel + 7, '/');
	const char *part = run ? strchr(run + 1, '/') : NULL;

	return part ? part + 1 : rel;
}

enum place_kind kind_in_root(const char *rel)
{
	int i;

	rel = without_part(rel);
	for (i = 0; i < LH_EXPORTERS; i++)
		if (!strcmp(rel, lh_exporter_output((enum lh_exporter)i)))
			return (enum place_kind)(PLACE_RAG + i);
		else if (!strcmp(rel, lh_exporter_quarantine((enum lh_exporter)i)))
			return PLACE_QUARANTINE;
	for (i = 0; i < LH_STREAMS; i++)
		if (!strcmp(rel, lh_stream_source((enum lh_stream)i)))
			return PLACE_SOURCE;
	return strncmp(rel, subjects, sizeof subjects - 1) ? find_kind(in_root, rel)
		: kind_of_subject(rel + sizeof subjects - 1);
}

bool is_lock(const char *path, uint64_t bytes)
{
	static const char *const end[] = { "lock", "-compact", ".in-use" };
	const size_t n = strlen(path);
	char pid[32];
	ssize_t got = -1;
	size_t i = 0, m;
	int fd;

	while (i < 3 && (m = strlen(end[i]), n < m || strcmp(path + n - m, end[i]) != 0))
		i++;
	if (i == 3 || bytes >= sizeof pid)
		return false;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return true;	/* of a writer with more rights */
	got = read(fd, pid, sizeof pid);
	close(fd);
	while (got > 0 && (pid[got - 1] == '\n' || (pid[got - 1] >= '0' && pid[got - 1] <= '9')))
		got--;
	return !got;
}
