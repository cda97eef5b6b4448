/* root.c - open, lock and walk a distillation root.  See root.h. */
#include "root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/file.h"
#include "json/json.h"
#include "base/mem.h"

#define LOCK ".lh-lock"

struct lh_root {
	struct lh_lock lock;
	struct lh_digest_cache *facts;
	char path[];
};

struct lh_root *lh_root_open(const char *path, struct lh_err *err)
{
	struct lh_root *r;
	size_t n;
	int fd;

	if (!path)
		path = getenv("LH_DISTILL_ROOT");
	if (!path || !*path)
		path = ".";
	n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	r = lh_calloc(1, sizeof *r + n + 1);
	memcpy(r->path, path, n);
	fd = open(r->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		return r;
	}
	lh_err_sys(err, "%s: cannot open the root", r->path);
	free(r);
	return NULL;
}

void lh_root_close(struct lh_root *r)
{
	if (!r)
		return;
	lh_lock_drop(&r->lock);
	free(r);
}

const char *lh_root_path(const struct lh_root *r)
{
	return r->path;
}

void lh_root_remember(struct lh_root *r, struct lh_digest_cache *facts)
{
	r->facts = facts;
}

char *lh_root_join(const struct lh_root *r, const char *relpath)
{
	return lh_files_path(r->path, relpath);
}

struct lh_append *lh_root_append(const struct lh_root *r, const char *relpath, struct lh_err *err)
{
	return lh_append_open(r->path, relpath, r->facts, err);
}

int lh_root_lock(struct lh_root *r, double seconds, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = NULL;

	if (r->lock.path)
		return 0;
	path = lh_root_join(r, LOCK);
	return lh_lock_take(&r->lock, path, r->path, seconds, err);
}

/* ---- the walk ---- */

/* Paths in sequence, each with its NUL, and the offset of each. */
struct names {
	struct lh_buf text;
	size_t *at, n, cap;
};

static void names_free(struct names *s)
{
	lh_buf_free(&s->text);
	free(s->at);
}

static void names_add(struct names *s, const char *folder, const char *name)
{
	lh_grow(&s->at, &s->cap, s->n + 1, sizeof *s->at);
	s->at[s->n] = s->text.len;
	lh_buf_puts(&s->text, folder);
	if (*name) {
		lh_buf_putc(&s->text, '/');
		lh_buf_puts(&s->text, name);
	}
	lh_buf_putc(&s->text, '\0');
	s->n++;
}

static bool is_jsonl(const char *name)
{
	size_t n = strlen(name);

	return n > 6 && !strcmp(name + n - 6, ".jsonl");
}

struct walk {
	const struct lh_root *root;
	bool all;		/* also what cannot be read */
	struct names folders, files;
};

/* Add the path of one entry of a folder to the right list. */
static int take_entry(struct walk *w, DIR *d, const char *folder, const struct dirent *e,
		      struct lh_err *err)
{
	unsigned char type = e->d_type;
	struct stat st;

	if (e->d_name[0] == '.')
		return 0;
	if (type == DT_UNKNOWN) {
		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return errno == ENOENT ? 0 : lh_err_sys(err, "%s/%s", folder, e->d_name);
		type = S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : DT_LNK;
	}
	if (type == DT_REG ? !is_jsonl(e->d_name) : type != DT_DIR && !w->all)
		return 0;
	if (!lh_utf8_valid(e->d_name, strlen(e->d_name)))
		return lh_err_set(err, LH_EIO, "%s/%s: the name is not UTF-8", folder, e->d_name);
	names_add(type == DT_DIR ? &w->folders : &w->files, folder, e->d_name);
	return 0;
}

static int read_folder(struct walk *w, const char *folder, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(w->root, folder);
	const struct dirent *e;
	int rc = 0;
	DIR *d;

	d = opendir(path);
	if (!d && w->all && errno == EACCES)
		names_add(&w->files, folder, "");
	else if (!d)
		rc = errno == ENOENT ? 0 : lh_err_sys(err, "%s: cannot open", path);
	while (d && !rc) {
		errno = 0;
		e = readdir(d);
		if (!e) {
			rc = errno ? lh_err_sys(err, "%s: cannot read", path) : 0;
			break;
		}
		rc = take_entry(w, d, folder, e, err);
	}
	if (d)
		closedir(d);
	return rc;
}

static int by_path(const void *a, const void *b, void *text)
{
	return strcmp((const char *)text + *(const size_t *)a,
		      (const char *)text + *(const size_t *)b);
}

static int walk_folder(struct walk *w, const char *below, lh_root_fn *fn, void *ctx,
		       struct lh_err *err)
{
	struct names *folders = &w->folders, *files = &w->files;
	size_t i;
	int rc = 0;

	folders->text = (struct lh_buf){ 0 };
	files->text = (struct lh_buf){ 0 };
	names_add(folders, below, "");
	for (i = 0; !rc && i < folders->n; i++) {
		char *folder = lh_strndup(folders->text.p + folders->at[i],
					  strlen(folders->text.p + folders->at[i]));

		rc = read_folder(w, folder, err);
		free(folder);
	}
	if (!rc && files->n)
		qsort_r(files->at, files->n, sizeof *files->at, by_path, files->text.p);
	for (i = 0; !rc && i < files->n; i++)
		rc = fn(ctx, files->text.p + files->at[i], err);
	names_free(folders);
	names_free(files);
	return rc;
}

int lh_root_each(const struct lh_root *r, const char *below, lh_root_fn *fn, void *ctx,
		 struct lh_err *err)
{
	return walk_folder(&(struct walk){ .root = r }, below, fn, ctx, err);
}

int lh_root_all(const struct lh_root *r, const char *below, lh_root_fn *fn, void *ctx,
		struct lh_err *err)
{
	return walk_folder(&(struct walk){ .root = r, .all = true }, below, fn, ctx, err);
}

int lh_root_has(const struct lh_root *r, const char *relpath, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(r, relpath);
	struct stat st;

	return lstat(path, &st) == 0 ? 1 : errno == ENOENT || errno == ENOTDIR ? 0
		: lh_err_sys(err, "%s", path);
}

int lh_root_folders(const struct lh_root *r, const char *relpath, struct lh_err *err)
{
	return lh_files_folders(r->path, relpath, err);
}

int lh_root_put(const struct lh_root *r, const char *relpath, const struct lh_buf *text,
		struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(r, relpath);
	int rc = lh_root_folders(r, relpath, err);

	return rc ? rc : lh_atomic_put(path, 0666, text, err);
}

/* ---- streams ---- */

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
