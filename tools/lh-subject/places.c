/* places.c - the files in which data of persons may be, and what each is.  See subject.h. */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fts.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/subject.h"

#include "archive/archive.h"
#include "base/mem.h"
#include "base/signal.h"
#include "catalog/catalog.h"
#include "distill/root.h"
#include "distill/sample.h"
#include "file/file.h"
#include "flow/flow.h"
#include "filesearch/filesearch.h"
#include "index/index_tools.h"
#include "store/store.h"
#include "subject.h"

/* ---- kinds ---- */

static const char proof[] = "kept as the proof of what was done";

const struct place_is place_is[PLACE_KINDS] = {
	[PLACE_INDEX] = { "index", ROWS_INDEX, BYTES_INDEX, "erase", CUT_INDEX, 4 },
	[PLACE_PLAYBOOK] = { "playbook", ROWS_INDEX, BYTES_INDEX, "erase", CUT_INDEX, 4 },
	[PLACE_INDEX_LOG] = { "index-log", ROWS_NONE, BYTES_NONE, NULL, CUT_NONE, 0 },
	[PLACE_LOG] = { "log", ROWS_LINES, BYTES_TEXT, "tombstone", CUT_LINES, 5 },
	[PLACE_SOURCE] = { "source", ROWS_LINES, BYTES_TEXT, "tombstone", CUT_LINES, 6 },
	[PLACE_SKIPS] = { "skips", ROWS_LINES, BYTES_TEXT, "remove", CUT_LINES, 3 },
	[PLACE_EVIDENCE] = { "evidence", ROWS_LINES, BYTES_TEXT, "remove", CUT_LINES, 3 },
	[PLACE_SCORED] = { "scored", ROWS_LINES, BYTES_TEXT, "remove", CUT_LINES, 2 },
	[PLACE_RAG] = { "rag", ROWS_LINES, BYTES_TEXT, "remove", CUT_LINES, 1 },
	[PLACE_SFT] = { "sft", ROWS_LINES, BYTES_TEXT, "remove", CUT_LINES, 1 },
	[PLACE_PREFERENCE] = { "preference", ROWS_LINES, BYTES_TEXT, "remove", CUT_LINES, 1 },
	[PLACE_QUARANTINE] = { "quarantine", ROWS_LINES, BYTES_TEXT, "remove", CUT_LINES, 1 },
	[PLACE_REPLAYS] = { "replays", ROWS_LINES, BYTES_TEXT, "tombstone", CUT_LINES, 1 },
	[PLACE_RECEIPT] = { "receipt", ROWS_WHOLE, BYTES_TEXT, "rewrite", CUT_NONE, 8 },
	[PLACE_DATASET] = { "dataset", ROWS_WHOLE, BYTES_TEXT, NULL, CUT_NONE, 0 },
	[PLACE_OBJECT] = { "object", ROWS_LINES, BYTES_TEXT, "rewrite", CUT_OBJECT, 7 },
	[PLACE_CACHE] = { "cache", ROWS_NONE, BYTES_RAW, "remove", CUT_FILE, 7 },
	[PLACE_KEPT] = { "kept-index", ROWS_INDEX, BYTES_INDEX, "remove", CUT_FILE, 7 },
	[PLACE_KEPT_SOURCE] = { "kept-source", ROWS_WHOLE, BYTES_TEXT, "remove", CUT_FILE, 7 },
	/* last of all: its texts name the person as long as anything else is left */
	[PLACE_ROSTER] = { "roster", ROWS_LINES, BYTES_TEXT, "remove", CUT_LINES, 9 },
	[PLACE_MANIFEST] = { "manifest", ROWS_WHOLE, BYTES_TEXT, "rewrite", CUT_NONE, 8 },
	[PLACE_CHAIN] = { "chain", ROWS_LINES, BYTES_TEXT, NULL, CUT_FILE, 0, proof },
	[PLACE_SECRET] = { "secret", ROWS_SECRET, BYTES_NONE, NULL, CUT_FILE, 0, proof },
	[PLACE_ERASURE] = { "erasure", ROWS_NONE, BYTES_RAW, NULL, CUT_NONE, 0, proof },
	[PLACE_TREE] = { "tlog", ROWS_LINES, BYTES_NONE, NULL, CUT_NONE, 0,
			 "entries of a transparency log stay" },
	[PLACE_CURSOR] = { "cursor", ROWS_NONE, BYTES_RAW, NULL, CUT_NONE, 0 },
	[PLACE_SPOOL] = { "spool", ROWS_LINES, BYTES_TEXT, "remove", CUT_FILE, 7 },
	[PLACE_OTHER] = { "other", ROWS_LINES, BYTES_TEXT, NULL, CUT_NONE, 0,
			  "not a file of these tools" },
	[PLACE_SPECIAL] = { "special", ROWS_NONE, BYTES_NONE, NULL, CUT_NONE, 0 },
};

enum place_kind place_kind_named(struct lh_str name)
{
	int i = 0;

	while (i < PLACE_OTHER && !lh_str_is(name, place_is[i].name, strlen(place_is[i].name)))
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
	{ "@(index|playbook)/*.lhv-log", PLACE_INDEX_LOG },
	{ "index/*.lhv", PLACE_INDEX },
	{ "playbook/*.lhv", PLACE_PLAYBOOK },
	{ "log/*.cursor", PLACE_CURSOR },
	{ "log/*@(.jsonl|.jsonl.torn|.rejects)", PLACE_LOG },
	{ LH_ROOT_SKIPS, PLACE_SKIPS },
	{ LH_ROOT_SOURCES "/replay_runs.jsonl", PLACE_REPLAYS },
	{ LH_ROOT_SOURCES "/@(audit_baselines.jsonl|*.rejects)", PLACE_LOG },
	{ LH_ROOT_EVIDENCE "/*.jsonl", PLACE_EVIDENCE },
	{ LH_ROOT_SCORED "/*.jsonl", PLACE_SCORED },
	{ LH_ROOT_REPORTS "/*", PLACE_RECEIPT },
	{ "docs/recon/*.md", PLACE_RECEIPT },
	{ "catalog/*.json", PLACE_DATASET },
	{ "spool/*", PLACE_SPOOL },
	{ "@(tlog|witness)/*", PLACE_TREE },
	{ "roster.jsonl", PLACE_ROSTER },
	{ ".lh-trace/index", PLACE_CACHE },
	{ NULL, PLACE_OTHER }
}, of_subject[] = {
	/* names begin with any byte of an id but a dot */
	{ "?(_erasures/).*.lh-tmp-*", PLACE_SPOOL },
	{ "_erasures/*", PLACE_ERASURE },
	{ "*" "/*", PLACE_OTHER },
	{ "*.audit.jsonl.torn", PLACE_LOG },
	{ "*.audit.jsonl", PLACE_CHAIN },
	{ "*.secret", PLACE_SECRET },
	{ "_retention_sweep_[0-9]*-[0-9]*-[0-9]*.jsonl", PLACE_LOG },
	{ "*.json", PLACE_MANIFEST },
	{ NULL, PLACE_OTHER }
}, of_indexes[] = {
	{ "*.lh-tmp-*", PLACE_SPOOL },
	{ "*.lhv", PLACE_INDEX },
	{ "*.lhv-log", PLACE_INDEX_LOG },
	{ NULL, PLACE_OTHER }
}, of_store[] = {
	{ "*.lh-tmp-*", PLACE_SPOOL },
	{ NULL, PLACE_OBJECT }
};
static const char subjects[] = "data/_catalog/subjects/";

static enum place_kind kind_of(const struct pattern *p, const char *rel)
{
	int i;

	for (i = 0; p == in_root && i < LH_EXPORTERS; i++)
		if (!strcmp(rel, lh_exporter_output((enum lh_exporter)i)))
			return (enum place_kind)(PLACE_RAG + i);
		else if (!strcmp(rel, lh_exporter_quarantine((enum lh_exporter)i)))
			return PLACE_QUARANTINE;
	for (i = 0; p == in_root && i < LH_STREAMS; i++)
		if (!strcmp(rel, lh_stream_source((enum lh_stream)i)))
			return PLACE_SOURCE;
	if (p == in_root && !strncmp(rel, subjects, sizeof subjects - 1))
		return kind_of(of_subject, rel + sizeof subjects - 1);
	while (p->pattern && fnmatch(p->pattern, rel, FNM_EXTMATCH) != 0)
		p++;
	return p->kind;
}

/* Return whether a file is a lock: it has such a name, and nothing in it but a number. */
static bool is_lock(const char *path, uint64_t bytes)
{
	static const char *const end[] = { "lock", "-compact", "-making", ".in-use" };
	char pid[32] = "";
	ssize_t got;
	size_t i = 0;
	int fd;

	while (i < 4 && !lh_ends_with(path, end[i]))
		i++;
	if (i == 4 || bytes >= sizeof pid)
		return false;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return true;	/* of a writer with more rights */
	got = read(fd, pid, sizeof pid - 1);
	close(fd);
	return got >= 0 && strspn(pid, "0123456789\n") == (size_t)got;
}

/* ---- the list of places ---- */

struct listing {
	struct settings *s;
	struct lh_err *err;
	const char *place;		/* what is listed */
	const char *store;		/* of objects and datasets */
	const char *source;		/* of a file of the cache of lh-search */
	const char *root;
	const struct pattern *patterns;	/* of the path from byte skip on */
	size_t skip;
	enum place_kind index;		/* what an index is, if it is none of the others */
};

bool is_same_folder(const char *a, const char *b)
{
	struct stat x, y;

	return !strcmp(a, b) || (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
				 x.st_ino == y.st_ino);
}

/* Return whether a file that is called as lines of these tools are is packed. */
static bool is_packed(enum place_kind kind, const char *path)
{
	char head[LH_ARCHIVE_SNIFF];
	struct lh_err err;
	ssize_t n;
	int fd;

	if (kind != PLACE_ROSTER && (kind < PLACE_LOG || kind > PLACE_REPLAYS))
		return false;
	fd = lh_open_regular(path, O_RDONLY, 0, &err);
	n = fd < 0 ? 0 : pread(fd, head, sizeof head, 0);	/* its reader says why */
	if (fd >= 0)
		close(fd);
	return n > 0 && lh_archive_kind(head, (size_t)n);
}

/* Return whether a file of the folder of a path can be replaced. */
static bool may_replace(const char *path)
{
	const char *name;
	LH_SCOPED(lh_free_local) char *folder = lh_folder_of(path, &name);

	return access(folder, W_OK) == 0;
}

/* Return why data in a place cannot be taken out; NULL: they can be.  A file of several names is
 * not replaced, since what it has would stay under the others. */
static const char *why_not(const struct listing *l, const struct place *p)
{
	if (place_is[p->kind].why)
		return place_is[p->kind].why;
	if (p->kind == PLACE_OBJECT && !lh_archive_named(p->path, ".jsonl") &&
	    !lh_archive_named(p->path, ".ndjson"))
		return "not rows of JSON Lines";
	if (is_packed(p->kind, p->path))
		return "packed";
	if (!(l->store && lh_store_is_s3(l->store)) && !may_replace(p->path))
		return "it cannot be written";
	return p->linked ? "has another name" : NULL;
}

static char *copy(const char *text)
{
	return text ? lh_strndup(text, strlen(text)) : NULL;
}

/* Add a place, whose path is copied. */
static int add(struct listing *l, enum place_kind kind, const char *path, uint64_t bytes,
	       nlink_t names, const char *why)
{
	struct places *to = &l->s->places;
	struct place *p;

	lh_grow(&to->v, &to->cap, to->n + 1, sizeof *p);
	p = &to->v[to->n++];
	*p = (struct place){ .kind = kind == PLACE_INDEX ? l->index : kind, .place = l->place,
			     .root = l->root, .rel = l->skip, .bytes = bytes,
			     .linked = names > 1, .path = copy(path), .store = copy(l->store),
			     .source = copy(l->source) };
	p->why = why ? why : why_not(l, p);
	return 0;
}

/* ---- folders ---- */

static int add_entry(struct listing *l, const FTSENT *e)
{
	struct stat st;

	switch (e->fts_info) {
	case FTS_F:
		if (is_lock(e->fts_path, (uint64_t)e->fts_statp->st_size))
			return 0;
		return add(l, kind_of(l->patterns, e->fts_path + l->skip), e->fts_path,
			   (uint64_t)e->fts_statp->st_size, e->fts_statp->st_nlink, NULL);
	case FTS_SL:
		if (stat(e->fts_path, &st) == 0)
			return lh_err_set(l->err, LH_EIO, "%s: is a symbolic link, which is not "
					  "followed; name what it leads to", e->fts_path);
		return add(l, PLACE_SPECIAL, e->fts_path, 0, 1, "a link that leads nowhere");
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		if (e->fts_errno == ENOENT && e->fts_level)
			return 0;	/* it has just been removed */
		errno = e->fts_errno;
		return lh_err_sys(l->err, "%s", e->fts_path);
	case FTS_DEFAULT:
		return add(l, PLACE_SPECIAL, e->fts_path, 0, 1, "not a regular file");
	default:
		return 0;
	}
}

/* Add all files below a folder, but for the folder `without` in it. */
static int add_folder(struct listing *l, const char *folder, const char *without)
{
	LH_SCOPED(lh_free_local) char *path = copy(folder);
	size_t n = strlen(folder);
	FTSENT *e;
	FTS *f;
	int rc = 0;

	while (n > 1 && path[n - 1] == '/')
		path[--n] = '\0';
	l->skip = n + (path[n - 1] != '/');
	f = fts_open((char *[]){ path, NULL }, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW, NULL);
	if (!f)
		return lh_err_sys(l->err, "%s", path);
	while (!rc && (errno = 0, e = fts_read(f))) {
		if (!e->fts_level && e->fts_info != FTS_D && e->fts_info != FTS_DP &&
		    e->fts_info != FTS_DNR && e->fts_info != FTS_NS)
			rc = lh_err_set(l->err, LH_EIO, "%s: is not a folder", path);
		else if (without && e->fts_level == 1 && e->fts_info == FTS_D &&
			 !strcmp(e->fts_name, without))
			fts_set(f, e, FTS_SKIP);
		else
			rc = add_entry(l, e);
	}
	if (!rc && errno)
		rc = lh_err_sys(l->err, "%s", path);
	fts_close(f);
	l->skip = 0;
	return rc;
}

/* What may be beside a file that an option names. */
static const struct beside {
	enum place_kind of, kind;
	const char *end;
} beside[] = {
	{ PLACE_INDEX, PLACE_INDEX_LOG, LH_INDEX_LOG },
	{ PLACE_PLAYBOOK, PLACE_INDEX_LOG, LH_INDEX_LOG },
	{ PLACE_LOG, PLACE_CURSOR, ".cursor" }, { PLACE_LOG, PLACE_CURSOR, ".otlp.cursor" },
	{ PLACE_LOG, PLACE_LOG, ".torn" }, { PLACE_LOG, PLACE_LOG, ".rejects" },
	{ PLACE_CACHE, PLACE_CACHE, "-wal" }, { PLACE_CACHE, PLACE_CACHE, "-shm" },
	{ PLACE_CACHE, PLACE_CACHE, "-journal" },
};

static int add_one(struct listing *l, enum place_kind kind, const char *path, bool may_miss)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return may_miss && errno == ENOENT ? 0 : lh_err_sys(l->err, "%s", path);
	if (!S_ISREG(st.st_mode))
		return lh_not_regular(path, st.st_mode, l->err);
	return add(l, kind, path, (uint64_t)st.st_size, st.st_nlink, NULL);
}

/* Add a file that an option names, and what is beside it.  An erasure removes a cache, and may have
 * to be run again after it. */
static int add_file(struct listing *l, enum place_kind kind, const char *path)
{
	int rc = add_one(l, kind, path, kind == PLACE_CACHE && l->s->want.apply);
	size_t i;

	for (i = 0; !rc && i < sizeof beside / sizeof *beside; i++) {
		LH_SCOPED(lh_free_local) char *name = lh_format("%s%s", path, beside[i].end);

		if (beside[i].of == kind)
			rc = add_one(l, beside[i].kind, name, true);
	}
	return rc;
}

/* ---- stores ---- */

static int on_object(void *ctx, const struct lh_object *o, struct lh_err *err)
{
	struct listing *l = ctx;
	LH_SCOPED(lh_free_local) char *path = lh_format("%s/%s", l->store, o->key);

	(void)err;
	return add(l, PLACE_OBJECT, path, o->size, 1, NULL);
}

/* Add a store, unless it was added before. */
static int add_store(struct listing *l, enum place_kind kind, const char *where)
{
	struct lh_store *store;
	size_t i;
	int rc;

	(void)kind;
	for (i = 0; i < l->s->places.n; i++)
		if (l->s->places.v[i].kind == PLACE_OBJECT &&
		    is_same_folder(where, l->s->places.v[i].store))
			return 0;
	l->store = where;
	l->patterns = of_store;
	if (!lh_store_is_s3(where)) {
		rc = add_folder(l, where, NULL);
	} else {
		store = lh_store_open(where, NULL, l->err);
		rc = store ? lh_store_list(store, "", on_object, l, l->err) : -1;
		if (rc < 0)
			lh_err_prefix(l->err, "%s", where);
		lh_store_close(store);
	}
	l->store = NULL;
	return rc;
}

/* Add the store that a manifest names, unless --store overrides it. */
static int on_dataset(void *ctx, const struct lh_catalog_dataset *m, struct lh_err *err)
{
	struct listing *l = ctx;
	LH_SCOPED(lh_free_local) char *store = NULL;

	(void)err;
	if (!m->store.p || l->s->store.n)
		return 0;
	store = lh_strndup(m->store.p, m->store.n);
	return add_store(l, PLACE_OBJECT, store);
}

static int on_damaged(void *ctx, const struct lh_err *why, struct lh_err *err)
{
	(void)ctx;
	*err = *why;
	return -1;
}

/* ---- indexes ---- */

static int add_index(struct listing *l, enum place_kind kind, const char *path)
{
	struct stat st;

	int rc;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return add_file(l, kind, path);
	l->patterns = of_indexes;
	l->index = kind;
	rc = add_folder(l, path, NULL);
	l->index = PLACE_INDEX;
	return rc;
}

/* ---- options ---- */

static int add_root(struct listing *l, enum place_kind kind, const char *path)
{
	int rc;

	(void)kind;
	l->root = path;
	l->patterns = in_root;
	rc = add_folder(l, path, path == l->s->state ? "store" : NULL);
	l->root = NULL;
	return rc;
}

static int add_state(struct listing *l)
{
	const char *state = l->s->state;
	const struct lh_catalog_visit visit = { on_dataset, on_damaged, l };
	LH_SCOPED(lh_free_local) char *store = lh_format("%s/store", state);
	LH_SCOPED(lh_free_local) char *catalog = lh_format("%s/catalog", state);
	struct stat st;

	l->place = "state";
	if (add_root(l, PLACE_OTHER, state) < 0 ||
	    (stat(store, &st) == 0 && add_store(l, PLACE_OBJECT, store) < 0))
		return -1;
	return lh_catalog_list(catalog, &visit, l->err);
}

static int on_kept(void *ctx, const char *path, const char *source, struct lh_err *err)
{
	struct listing *l = ctx;
	struct stat st;
	int rc;

	(void)err;
	if (lstat(path, &st) < 0 || is_lock(path, (uint64_t)st.st_size))
		return 0;	/* it has just been removed, or has no data */
	l->source = source;
	l->index = PLACE_KEPT;
	rc = add(l, lh_ends_with(path, ".json") ? PLACE_KEPT_SOURCE : kind_of(of_indexes, path),
		 path, (uint64_t)st.st_size, st.st_nlink, NULL);
	l->source = NULL;
	l->index = PLACE_INDEX;
	return rc;
}

static int add_options(struct listing *l)
{
	struct settings *s = l->s;
	const struct lh_list access_log = { &s->access_log, s->access_log &&
		strcmp(s->access_log, "-") && access(s->access_log, F_OK) == 0 };
	const struct {
		const char *place;
		const struct lh_list *of;
		enum place_kind kind;
		int (*add)(struct listing *l, enum place_kind kind, const char *path);
	} given[] = {
		{ "root", &s->root, PLACE_OTHER, add_root },
		{ "index", &s->index, PLACE_INDEX, add_index },
		{ "playbook", &s->playbook, PLACE_PLAYBOOK, add_index },
		{ "log", &s->log, PLACE_LOG, add_file },
		{ "log", &access_log, PLACE_LOG, add_file },
		{ "store", &s->store, PLACE_OBJECT, add_store },
		{ "cache", &s->cache, PLACE_CACHE, add_file },
		{ "roster", &s->roster, PLACE_ROSTER, add_file },
	};
	size_t i, k;

	for (i = 0; i < sizeof given / sizeof *given; i++) {
		l->place = given[i].place;
		for (k = 0; k < given[i].of->n; k++)
			if (given[i].add(l, given[i].kind, given[i].of->v[k]) < 0)
				return -1;
	}
	if (!s->subjects || s->subjects == s->folder.p)
		return 0;
	l->place = "subjects";
	l->patterns = of_subject;
	return add_folder(l, s->subjects, NULL);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->path, ((const struct place *)b)->path);
}

static void place_free(struct place *p)
{
	free(p->path);
	free(p->store);
	free(p->source);
}

/* Sort, and keep of several with one path the first. */
static void settle(struct places *p)
{
	size_t i, n = 0;

	if (p->n)
		qsort(p->v, p->n, sizeof *p->v, by_path);
	for (i = 0; i < p->n; i++)
		if (n && !strcmp(p->v[n - 1].path, p->v[i].path))
			place_free(&p->v[i]);
		else
			p->v[n++] = p->v[i];
	p->n = n;
}

int places_list(struct settings *s, struct lh_err *err)
{
	struct listing l = { .s = s, .err = err };
	int rc;

	places_free(&s->places);
	rc = s->state && add_state(&l) < 0 ? -1 : add_options(&l);
	l.place = "user-cache";
	if (!rc && !s->snapshot)
		rc = lh_filesearch_each(on_kept, &l, err);
	settle(&s->places);
	return rc;
}

void places_free(struct places *p)
{
	while (p->n)
		place_free(&p->v[--p->n]);
	free(p->v);
	*p = (struct places){ NULL, 0, 0 };
}

struct place *place_named(const struct settings *s, const char *path)
{
	const struct place like = { .path = (char *)path };

	return !s->places.n ? NULL
		: bsearch(&like, s->places.v, s->places.n, sizeof like, by_path);
}

/* Return what follows one of the two names of an id in the name of a file, from its dot on; NULL:
 * it is not called after the id. */
static const char *after_name(const char *path, struct lh_str id)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	char name[2][LH_SUBJECT_MAX + 1];
	const bool named[] = { lh_subject_name(name[0], id.p, id.n, &(struct lh_err){ 0 }) == 0,
			       lh_subject_plain_name(name[1], id.p, id.n) };
	size_t i, n;

	for (i = 0; i < 2; i++) {
		n = named[i] ? strlen(name[i]) : 0;
		if (n && !strncmp(base, name[i], n) && base[n] == '.')
			return base + n;
	}
	return NULL;
}

bool place_is_own(const struct place *p, struct lh_str id)
{
	const char *rest = after_name(p->path, id);

	return rest && ((p->kind == PLACE_CHAIN && !strcmp(rest, LH_SUBJECT_LOG)) ||
			(p->kind == PLACE_MANIFEST && !strcmp(rest, LH_SUBJECT_MANIFEST)) ||
			(p->kind == PLACE_SECRET && !strcmp(rest, ".secret")));
}

bool place_is_named_after(const struct settings *s, const char *path, struct lh_str id)
{
	return s->subjects && !strncmp(path, s->subjects, strlen(s->subjects)) &&
	       after_name(path, id);
}

bool place_is_list(const struct place *p)
{
	return p->kind == PLACE_ERASURE && lh_ends_with(p->path, ".plan");
}

int place_open(const struct place *p, struct lh_err *err)
{
	struct lh_transfer done;
	struct lh_store *s;
	int fd;

	if (!p->store || !lh_store_is_s3(p->store))
		return lh_open_regular(p->path, O_RDONLY, 0, err);
	s = lh_store_open(p->store, NULL, err);
	fd = s ? lh_store_spool(err) : -1;
	if (fd >= 0 && (lh_store_get(s, place_key(p), fd, &done, err) < 0 ||
			lseek(fd, 0, SEEK_SET) < 0)) {
		close(fd);
		fd = lh_err_prefix(err, "%s", p->path);
	}
	lh_store_close(s);
	return fd;
}

/* ---- lines ---- */

#define BLOCK ((size_t)256 << 10)
#define LINE_MOST ((size_t)256 << 20)	/* bytes */

/* Return whether a member is only in documents of an office, in whose texts are marks. */
static bool is_office(const char *name)
{
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;

	return !strcmp(base, "[Content_Types].xml") || !strcmp(base, "mimetype");
}

static ssize_t read_more(void *from, void *p, size_t n, struct lh_err *err)
{
	return lh_byte_source_read(from, p, n, err);
}

/* Pass on the lines of a block: 0, or what fn returns. */
static int pass_lines(struct place_lines *l, const struct lh_bytes *block, struct lh_err *err)
{
	const char *p = block->p, *const end = p + block->n, *lf;
	int rc = 0;

	for (; !rc && p < end; p = lf) {
		lf = memchr(p, '\n', (size_t)(end - p));
		lf = lf ? lf + 1 : end;
		l->line++;
		rc = l->fn(l, (struct lh_str){ p, (size_t)(lf - p) }, err);
		l->named |= rc < 0;
	}
	return rc;
}

static int read_member(struct place_lines *l, struct lh_byte_source *from, struct lh_err *err)
{
	LH_SCOPED(lh_lines_free) struct lh_lines in = { .max_line = LINE_MOST, .target = BLOCK };
	struct lh_bytes block = { .p = NULL };
	enum lh_lines_is is = LH_LINES_BLOCK;
	int rc = 0;

	lh_lines_open(&in, -1);
	in.regular = true;		/* it is never waited for */
	in.read = read_more;
	in.ctx = from;
	l->line = 0;
	while (!rc && is != LH_LINES_END) {
		is = lh_lines_next(&in, &block, err);
		if (is == LH_LINES_ROOM)
			lh_lines_allow(&in);
		else if (is == LH_LINES_BLOCK)
			rc = pass_lines(l, &block, err);
		else if (is == LH_LINES_ERROR)
			rc = -1;
		else if (is == LH_LINES_LONG)
			rc = lh_err_set(err, LH_EIO, "%s:%llu: the line is over the limit, and "
					"was not searched", l->member ? l->member : l->path,
					(unsigned long long)l->line + 1);
		l->named |= is == LH_LINES_LONG;
		if (!rc && lh_stopping())
			rc = lh_err_set(err, LH_EINTR, "interrupted");
	}
	free(block.p);
	return rc;
}

int place_lines(struct place_lines *l, int fd, struct lh_err *err)
{
	LH_SCOPED(lh_byte_source_close) struct lh_byte_source from = { .fd = -1 };
	LH_SCOPED(lh_free_local) char *member = NULL;
	struct lh_str head;
	char name[40];
	int rc;

	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	rc = lseek(fd, 0, SEEK_SET) < 0 ? lh_err_sys(err, "cannot seek")
					: lh_byte_source_open(&from, name, err);
	while (!rc && (rc = lh_byte_source_next(&from, err)) > 0) {
		const char *in = lh_byte_source_name(&from) + strlen(name);

		free(member);
		member = lh_format("%s%s", l->path, in);
		rc = lh_byte_source_peek(&from, &head, err);
		l->packed |= from.cat && !rc && lh_archive_kind(head.p, head.n);
		l->office |= is_office(in);
		l->member = *in ? member : NULL;
		rc = rc ? rc : read_member(l, &from, err);
	}
	if (rc < 0 && !l->named)
		lh_err_prefix(err, "%s", l->member ? l->member : l->path);
	if (rc >= 0 || !strstr(err->msg, LH_ARCHIVE_AGAIN))
		return rc;
	l->again = *err;
	l->packed = true;
	*err = (struct lh_err){ 0 };
	return 0;
}

int datasets_each(const struct settings *s, dataset_fn *fn, void *ctx, struct lh_err *err)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc >= 0 && i < s->places.n; i++) {
		LH_SCOPED(lh_catalog_dataset_free) struct lh_catalog_dataset m = { 0 };
		const struct place *p = &s->places.v[i];
		const char *name;
		LH_SCOPED(lh_free_local) char *folder = lh_folder_of(p->path, &name);

		if (p->kind != PLACE_DATASET)
			continue;
		lh_buf_init(&m.file, LH_CATALOG_MANIFEST_MAX);
		rc = lh_file_read(p->path, &m.file, err);
		if (rc <= 0)		/* 0: it has just gone */
			continue;
		lh_buf_room(&m.file, LH_PAD);
		rc = lh_catalog_dataset_parse(&m, m.file.p, m.file.len, err) < 0
			? lh_err_prefix(err, "%s", p->path) : fn(ctx, &m, folder, err);
	}
	return rc < 0 ? -1 : 0;
}

void place_write_path(struct lh_writer *w, const struct settings *s, const char *path)
{
	const struct snapshot *in = s->snapshot;

	lh_write_bytes(w, "path", in ? in->dest : path);
	if (in) {
		lh_write_text(w, "snapshot", in->time);
		lh_write_bytes(w, "file", path + in->rel);
	}
}

void place_write(struct lh_writer *w, const struct settings *s, const struct place *p)
{
	lh_write_text(w, "place", s->snapshot ? "snapshots" : p->place);
	lh_write_text(w, "kind", place_is[p->kind].name);
	place_write_path(w, s, p->path);
	if (p->source)
		lh_write_bytes(w, "source", p->source);
}

/* ---- the command ---- */

int subject_places(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	size_t i;
	int rc = places_list(s, &tool->err);

	for (i = 0; !rc && i < s->places.n; i++) {
		const struct place *p = &s->places.v[i];
		struct lh_buf line = { 0 };
		struct lh_writer w = lh_write_to(&line);

		lh_write_object(&w, NULL);
		place_write(&w, s, p);
		lh_write_u64(&w, "bytes", p->bytes);
		lh_write_bool(&w, "erasable", !p->why);
		if (p->why)
			lh_write_text(&w, "why", p->why);
		lh_write_end(&w);
		rc = lh_tool_out_line(tool, &line);
	}
	return rc;
}
