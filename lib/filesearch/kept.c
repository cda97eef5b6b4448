/* kept.c - the cache of indexes of files.  See filesearch_parts.h. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "filesearch_parts.h"
#include "index/index_tools.h"
#include "json/bind.h"
#include "json/write.h"

#define KEY 32			/* hex digits */
#define ABOUT_MAX (1u << 20)	/* bytes of KEY.json */
#define FORM "2"		/* of the indexes; another one makes all anew */
#define LOCK_SECONDS 600
#define VECTORS ".vectors"	/* of texts that a model has read, until the index is made */

/* KEY.json. */
struct about {
	struct lh_str source, stamp, said;
	uint64_t records;
	bool id_is_line, by_model, divided;
};

static const struct lh_bind members[] = {
	{ LH_BIND_STRING("source", struct about, source), .required = true },
	{ LH_BIND_STRING("stamp", struct about, stamp), .required = true },
	{ LH_BIND_STRING("said", struct about, said), .required = true },
	{ LH_BIND_U64("records", struct about, records, 0, INT64_MAX) },
	{ LH_BIND_BOOL("id_is_line", struct about, id_is_line) },
	{ LH_BIND_BOOL("by_model", struct about, by_model) },
	{ LH_BIND_BOOL("divided", struct about, divided) },
	LH_BIND_END
};

/* Read KEY.json into strings, to which *a points; false if it is not there or damaged. */
static bool read_about(const char *path, struct about *a, struct lh_buf *text,
		       struct lh_buf *strings)
{
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_err unused;

	lh_buf_reset(text);
	text->max = ABOUT_MAX;
	*a = (struct about){ .records = 0 };
	return lh_file_read(path, text, &unused) > 0 &&
	       lh_record_parse(&rec, text->p, text->len, &unused) == 0 &&
	       lh_bind(members, &rec, a, strings, &unused) == 0;
}

/* Return PATH with another ending in place of its last so many bytes, to be freed. */
static char *sibling(const char *folder, const char *key, const char *ending)
{
	struct lh_buf b = { 0 };

	lh_buf_printf(&b, "%s/%.*s%s%c", folder, KEY, key, ending, '\0');
	return b.p;
}

static char *cache_folder(void)
{
	struct lh_buf b = { 0 };

	if (!lh_user_cache(&b, LH_CACHE_RECORDS))
		return NULL;
	lh_buf_putc(&b, '\0');
	return b.p;
}

/* ---- what is there ---- */

struct entry {
	char *path;
	const char *name;
	struct stat st;
};

/* List the files of the cache whose names have a key; freed by list_free. */
struct list {
	struct entry *v;
	size_t n, cap;
};

static const char *key_in(const char *name)
{
	name += *name == '.';		/* a temporary file */
	return strspn(name, "0123456789abcdef") == KEY && name[KEY] == '.' ? name : NULL;
}

static int list_read(struct list *l, const char *folder, struct lh_err *err)
{
	DIR *d = opendir(folder);
	struct dirent *one;
	struct entry e;

	if (!d)
		return errno == ENOENT ? 0 : lh_err_sys(err, "%s", folder);
	while ((one = readdir(d))) {
		struct lh_buf path = { 0 };

		if (!key_in(one->d_name))
			continue;
		lh_buf_printf(&path, "%s/%s%c", folder, one->d_name, '\0');
		e = (struct entry){ .path = path.p, .name = strrchr(path.p, '/') + 1 };
		if (lstat(e.path, &e.st) < 0 || !S_ISREG(e.st.st_mode)) {
			free(e.path);
			continue;
		}
		lh_grow(&l->v, &l->cap, l->n + 1, sizeof *l->v);
		l->v[l->n++] = e;
	}
	closedir(d);
	return 0;
}

static void list_free(struct list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->v[i].path);
	free(l->v);
}

int lh_filesearch_each(lh_filesearch_fn *fn, void *ctx, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *folder = cache_folder();
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 }, strings = { 0 };
	LH_SCOPED(list_free) struct list l = { .n = 0 };
	struct about a;
	int rc = folder ? list_read(&l, folder, err) : 0;
	size_t i;

	for (i = 0; !rc && i < l.n; i++) {
		char *about = sibling(folder, key_in(l.v[i].name), ".json"), *source = NULL;

		lh_buf_reset(&strings);
		if (read_about(about, &a, &text, &strings))
			source = lh_strndup(a.source.p, a.source.n);
		free(about);
		rc = fn(ctx, l.v[i].path, source, err);
		free(source);
	}
	return rc;
}

/* ---- one file ---- */

static void put_stamp(struct lh_buf *to, const struct stat *st)
{
	lh_buf_reset(to);
	lh_buf_printf(to, "%llu %lld.%09ld %lld.%09ld %llu.%llu%c", (unsigned long long)st->st_size,
		      (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
		      (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec,
		      (unsigned long long)st->st_dev, (unsigned long long)st->st_ino, '\0');
}

static void make_key(const struct kept *k, const struct lh_filesearch_how *how, char key[KEY])
{
	const char *const parts[] = { FORM, k->source.p, k->stamp.p, how->field ? "f" : "",
				      how->field ? how->field : "", how->template ? "t" : "",
				      how->template ? how->template : "",
				      how->id_field ? how->id_field : "", how->model ? "m" : "",
				      how->model ? how->model : "", how->lines ? "l" : "",
				      how->hash ? how->hash : "" };
	unsigned char hash[32];
	struct lh_sha256 sha;
	size_t i;

	lh_sha256_start(&sha);
	for (i = 0; i < sizeof parts / sizeof *parts; i++)
		lh_sha256_more(&sha, parts[i], strlen(parts[i]) + 1);
	lh_sha256_end(&sha, hash);
	lh_hex(hash, KEY / 2, key);
}

bool lh_kept_fits(const struct kept *k, const char *file)
{
	LH_SCOPED(lh_buf_free) struct lh_buf now = { 0 };
	struct stat st;

	if (stat(file, &st) < 0)
		return false;
	put_stamp(&now, &st);
	return !strcmp(now.p, k->stamp.p);
}

/* Fill f with what is kept; false if it is not there, or damaged. */
static bool is_there(const struct kept *k, struct lh_filesearch *f)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 }, strings = { 0 };
	struct lh_index *index = NULL;
	struct lh_err unused;
	struct stat st;
	struct about a;

	if (lstat(k->index, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    !read_about(k->about, &a, &text, &strings) || (k->whole && !a.by_model) ||
	    !(index = lh_index_open(k->index, &unused)))
		return false;
	lh_index_close(index);
	f->index = lh_strndup(k->index, strlen(k->index));
	f->records = a.records;
	f->id_is_line = a.id_is_line;
	f->by_model = a.by_model;
	f->divided = a.divided;
	lh_buf_reset(&f->said);
	lh_buf_add(&f->said, a.said.p, a.said.n);
	return true;
}

int lh_kept_find(struct kept *k, const char *file, const struct lh_filesearch_how *how,
		 struct lh_filesearch *f)
{
	LH_SCOPED(lh_free_local) char *real = realpath(file, NULL), *state = NULL;
	struct stat st, folder;
	char key[KEY];

	*k = (struct kept){ .lock.fd = -1, .whole = how->model && !isfinite(how->within) };
	if (how->no_cache || how->index || !real || stat(real, &st) < 0 || !S_ISREG(st.st_mode) ||
	    !lh_utf8_valid(real, strlen(real)) || !(k->folder = cache_folder()))
		return 0;
	state = lh_filesearch_state(real);
	if (state) {
		lh_buf_printf(&f->warning, "not kept, since %s is a root or a state; lh-search "
			      "%s/index searches its indexes", state, state);
		return 0;
	}
	lh_buf_printf(&k->source, "%s%c", real, '\0');
	put_stamp(&k->stamp, &st);
	make_key(k, how, key);
	k->about = sibling(k->folder, key, ".json");
	k->index = sibling(k->folder, key, ".lhv");
	return stat(k->folder, &folder) == 0 && folder.st_uid == geteuid() &&
	       !(folder.st_mode & 077) && is_there(k, f);
}

/* ---- a new one ---- */

static int make_folder(const char *folder, struct lh_err *err)
{
	struct stat st;

	if (lh_own_mkdirs(folder, 0700, err) < 0)
		return -1;
	if (lstat(folder, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return lh_err_set(err, LH_EIO, "%s: is not a folder of this user", folder);
	return st.st_mode & 077 && chmod(folder, 0700) < 0 ? lh_err_sys(err, "%s", folder) : 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct timespec *x = &((const struct entry *)a)->st.st_mtim,
			      *y = &((const struct entry *)b)->st.st_mtim;

	return x->tv_sec != y->tv_sec ? (x->tv_sec < y->tv_sec ? 1 : -1) :
	       x->tv_nsec != y->tv_nsec ? (x->tv_nsec < y->tv_nsec ? 1 : -1) : 0;
}

/* Return whether an entry is of a file that is gone, or of one as it was, or an index of which
 * nothing says what it is of. */
static bool is_old(const struct kept *k, const struct entry *e)
{
	LH_SCOPED(lh_free_local) char *about = sibling(k->folder, key_in(e->name), ".json");
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 }, strings = { 0 }, now = { 0 };
	LH_SCOPED(lh_free_local) char *source = NULL;
	struct about a;
	struct stat st;

	if (!read_about(about, &a, &text, &strings))	/* without it no search takes the index */
		return !strcmp(strrchr(e->name, '.'), ".lhv");
	source = lh_strndup(a.source.p, a.source.n);
	if (stat(source, &st) < 0)
		return true;
	put_stamp(&now, &st);
	return !lh_str_is(a.stamp, now.p, strlen(now.p));
}

/* Remove what no file has any more, and the oldest of what is over the limit. */
static void make_room(const struct kept *k, uint64_t bytes)
{
	LH_SCOPED(list_free) struct list l = { .n = 0 };
	struct lh_err unused;
	size_t i;

	lh_sweep_below(k->folder);
	if (list_read(&l, k->folder, &unused) < 0 || !l.n)
		return;
	qsort(l.v, l.n, sizeof *l.v, newest_first);
	for (i = 0; i < l.n; i++) {
		if (strcmp(strrchr(l.v[i].name, '.'), ".lhv"))
			continue;
		bytes += (uint64_t)l.v[i].st.st_size;
		if (bytes > LH_FILESEARCH_BYTES || is_old(k, &l.v[i])) {
			char *about = sibling(k->folder, key_in(l.v[i].name), ".json");

			unlink(l.v[i].path);
			unlink(about);
			free(about);
			bytes -= (uint64_t)l.v[i].st.st_size;
		}
	}
	for (i = 0; i < l.n; i++)
		if (!strcmp(strrchr(l.v[i].name, '.'), VECTORS) && is_old(k, &l.v[i]))
			unlink(l.v[i].path);
	for (i = 0; i < l.n; i++) {	/* those without an index, of a run that ended early */
		LH_SCOPED(lh_free_local) char *index = sibling(k->folder, key_in(l.v[i].name),
							       ".lhv");

		if (!strcmp(strrchr(l.v[i].name, '.'), ".json") && access(index, F_OK) < 0 &&
		    is_old(k, &l.v[i]))
			unlink(l.v[i].path);
	}
}

static int write_about(const struct kept *k, const struct lh_filesearch *f, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(&text);

	lh_write_object(&w, NULL);
	lh_write_text(&w, "source", k->source.p);
	lh_write_text(&w, "stamp", k->stamp.p);
	lh_write_str(&w, "said", (struct lh_str){ f->said.p, f->said.len });
	lh_write_u64(&w, "records", f->records);
	lh_write_bool(&w, "id_is_line", f->id_is_line);
	lh_write_bool(&w, "by_model", f->by_model);
	lh_write_bool(&w, "divided", f->divided);
	lh_write_end(&w);
	lh_buf_putc(&text, '\n');
	return lh_atomic_put(k->about, 0600, &text, err);
}

int lh_kept_begin(struct kept *k, uint64_t bytes, struct lh_filesearch *f, struct lh_err *err)
{
	struct lh_buf lock = { 0 };
	int rc;

	if (bytes > LH_FILESEARCH_BYTES)
		return lh_err_set(err, LH_EIO, "its index would have more than 1 GiB");
	if (make_folder(k->folder, err) < 0)
		return -1;
	lh_buf_printf(&lock, "%s-making%c", k->index, '\0');
	rc = lh_lock_take(&k->lock, lock.p, k->folder, LOCK_SECONDS, err);
	lh_buf_free(&lock);
	if (rc < 0 || is_there(k, f))
		return rc < 0 ? -1 : 1;
	make_room(k, bytes);
	return write_about(k, f, err);
}

char *lh_kept_vectors(const struct kept *k)
{
	return sibling(k->folder, strrchr(k->index, '/') + 1, VECTORS);
}

void lh_kept_free(struct kept *k)
{
	lh_lock_drop(&k->lock);
	lh_buf_free(&k->source);
	lh_buf_free(&k->stamp);
	free(k->folder);
	free(k->index);
	free(k->about);
}
