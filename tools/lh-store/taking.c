/*
 * taking.c - lh-store snapshot: copy a state as it is at one moment.
 *
 * The state is served and written meanwhile.  Its files are opened first, all of them, and then
 * copied as long as they were: they are replaced or grow, but are not changed in their place.  What
 * refers to other files is opened before those, and logs that only grow last, so that
 * what a file refers to is there.  The list is written last.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "base/mem.h"
#include "base/table.h"
#include "index/index_tools.h"
#include "store.h"

#define ROOT_LOCK ".lh-lock"		/* of a distillation; see distill/root.h */
#define KB "data/_kb"
#define SUBJECTS "data/_catalog/subjects/"
#define TRIES 100			/* lists of a state whose files come and go */

struct opened {
	char *key;
	int fd;
	uint64_t size;
};

struct taking {
	struct lh_tool *tool;
	struct settings *s;
	const char *state;
	struct lh_store *from, *to;
	struct opened *v;
	size_t n, cap;
	struct lh_table by_key;
	char **key;			/* of the last list */
	size_t n_keys, cap_keys;
	uint64_t left_out;		/* keys and tokens */
	char **link;			/* of the last list: symbolic links, left out too */
	size_t n_links, cap_links;
	struct contents have;
	struct lh_files files;
	uint64_t copied, bytes;
};

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Return whether a file is one of a moment: a lock, or the body of a request. */
static bool is_passing(const char *key)
{
	static const char *const end[] = { "-lock", "-compact", ".lock", "/lock" };
	size_t i = 0;

	while (i < 4 && !lh_ends_with(key, end[i]))
		i++;
	return i < 4 || begins(key, "spool/");
}

/* Return whether a file is kept apart from what it protects. */
static bool is_secret(const char *key)
{
	return lh_ends_with(key, ".key") || lh_ends_with(key, "/key") ||
	       lh_ends_with(key, ".token");
}

static bool is_log(const char *key)
{
	return (begins(key, SUBJECTS) || begins(key, "log/")) && lh_ends_with(key, ".jsonl");
}

/* Return in which turn a file is opened: 0, what refers to others; 2, logs. */
static int turn_of(const char *key)
{
	if (is_log(key))
		return 2;
	return begins(key, SUBJECTS) || begins(key, "catalog/") || begins(key, "playbook/") ||
	       lh_ends_with(key, "/checkpoint") ? 0 : 1;
}

/* ---- opening ---- */

static struct lh_str key_of(const void *ctx, uint32_t i)
{
	return lh_str_of(((const struct taking *)ctx)->v[i].key);
}

static int add(struct taking *t, const char *key, int fd, struct lh_err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0) {
		lh_err_sys(err, "%s/%s", t->state, key);
		close(fd);
		return -1;
	}
	lh_grow(&t->v, &t->cap, t->n + 1, sizeof *t->v);
	t->v[t->n] = (struct opened){ lh_strndup(key, strlen(key)), fd, (uint64_t)st.st_size };
	lh_table_set(&t->by_key, lh_str_of(key), (uint32_t)t->n++, key_of, t);
	return 0;
}

/* Open both files of an index, as they belong together. */
static int add_index(struct taking *t, const char *key, const char *path, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf log = { 0 };
	int fd[2];

	if (lh_index_open_files(path, t->tool->lock_timeout, fd, err) < 0)
		return -1;
	lh_buf_printf(&log, "%s" INDEX_LOG, key);
	lh_buf_putc(&log, '\0');
	if (add(t, key, fd[0], err) < 0) {
		if (fd[1] >= 0)
			close(fd[1]);
		return -1;
	}
	return fd[1] < 0 ? 0 : add(t, log.p, fd[1], err);
}

/* Open a file: 0, 1 if it is gone, -1.  A log is locked for the moment in which its size is read,
 * so that no row is cut. */
static int open_one(struct taking *t, const char *key, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_files_path(t->state, key);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), rc;

	if (fd < 0) {
		if (errno == ENOENT)
			return 1;
		lh_err_sys(err, "%s: cannot open", path);
		return errno == EMFILE ? lh_err_prefix(err, "more than %zu files: ulimit -n", t->n)
				       : -1;
	}
	if (lh_index_is(fd)) {
		close(fd);
		return add_index(t, key, path, err);
	}
	if (!is_log(key))
		return add(t, key, fd, err);
	rc = lh_flock(fd, LOCK_SH, path, t->tool->lock_timeout, err);
	if (rc < 0) {
		close(fd);
		return -1;
	}
	rc = add(t, key, fd, err);
	if (!rc)
		flock(fd, LOCK_UN);
	return rc;
}

static int keep_key(void *context, const struct lh_object *o, struct lh_err *err)
{
	struct taking *t = context;

	(void)err;
	if (is_passing(o->key))
		return 0;
	lh_grow(&t->key, &t->cap_keys, t->n_keys + 1, sizeof *t->key);
	t->key[t->n_keys++] = lh_strndup(o->key, strlen(o->key));
	return 0;
}

static void forget_links(struct taking *t)
{
	while (t->n_links)
		free(t->link[--t->n_links]);
}

static void keep_link(void *context, const char *key)
{
	struct taking *t = context;

	if (is_passing(key) || is_secret(key))
		return;
	lh_grow(&t->link, &t->cap_links, t->n_links + 1, sizeof *t->link);
	t->link[t->n_links++] = lh_strndup(key, strlen(key));
}

/* Return whether a snapshot without this link is not all of the state: what it leads to is an
 * index, a playbook, or a whole folder of the state. */
static bool is_missed(const struct taking *t, const char *key)
{
	LH_SCOPED(lh_free_local) char *path = lh_files_path(t->state, key);
	struct stat st;

	return begins(key, "index/") || begins(key, "playbook/") ||
	       (!strchr(key, '/') && stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

/* Name the links, which were not copied: what they lead to may be anywhere. */
static void name_links(struct taking *t)
{
	size_t i;

	for (i = 0; i < t->n_links; i++) {
		lh_tool_warn(t->tool, "%s/%s: is a symbolic link, and what it leads to is not in "
			     "the snapshot", t->state, t->link[i]);
		if (is_missed(t, t->link[i]))
			lh_tool_verdict_bad(t->tool);
	}
}

/* Open the files of a turn that are not open yet: 0, 1 if some of them went meanwhile, -1. */
static int open_turn(struct taking *t, int turn, struct lh_err *err)
{
	size_t i;
	int rc, gone = 0;

	forget_links(t);
	rc = lh_store_list(t->from, "", keep_key, t, err);
	t->left_out = 0;
	for (i = 0; !rc && i < t->n_keys; i++) {
		if (is_secret(t->key[i])) {
			t->left_out++;
			continue;
		}
		if (turn_of(t->key[i]) != turn ||
		    lh_table_find(&t->by_key, lh_str_of(t->key[i]), key_of, t) >= 0)
			continue;
		rc = open_one(t, t->key[i], err);
		gone |= rc > 0;
		rc = rc < 0 ? -1 : 0;
	}
	while (t->n_keys)
		free(t->key[--t->n_keys]);
	return rc ? rc : gone;
}

/* Open all files of the state, at one moment as far as files refer to one another. */
static int open_all(struct taking *t, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *kb = lh_files_path(t->state, KB);
	LH_SCOPED(lh_free_local) char *name = lh_files_path(t->state, ROOT_LOCK);
	struct lh_lock lock = { .fd = -1 };
	struct rlimit files;
	int turn, tries, rc = 0;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (access(kb, F_OK) == 0)
		rc = lh_lock_take(&lock, name, t->state, t->tool->lock_timeout, err);
	for (turn = 0; !rc && turn <= 2; turn++) {
		for (tries = 0; (rc = open_turn(t, turn, err)) > 0 && tries < TRIES; )
			tries++;
		if (rc > 0)
			rc = lh_err_set(err, LH_EIO, "%s: its files come and go too fast",
					t->state);
	}
	lh_lock_drop(&lock);
	return rc;
}

/* ---- copying ---- */

/* Store a content that is not there. */
static int put_content(struct taking *t, const struct opened *o, const struct lh_file_digest *is,
		       struct lh_err *err)
{
	/* it may grow meanwhile */
	const struct lh_put put = { .fd = o->fd, .bytes = &is->bytes, .sha256 = is->sha256 };
	char key[CONTENT_KEY];
	struct lh_transfer done;

	if (lseek(o->fd, 0, SEEK_SET) < 0)
		return lh_err_sys(err, "%s", o->key);
	content_key(is->sha256, key);
	t->copied += is->bytes;
	return lh_store_put(t->to, key, &put, &done, err) < 0
		? lh_err_prefix(err, "%s", o->key) : 0;
}

/* Set how many bytes of a log are whole rows: it was locked, so the last one without its LF is of
 * a writer that is dead, who was not answered.  What is packed stays whole. */
static int cut_torn(struct opened *o, struct lh_err *err)
{
	char first = '{', last = '\n';

	if (o->size && pread(o->fd, &first, 1, 0) == 1 && first != '{')
		return 0;
	while (o->size && pread(o->fd, &last, 1, (off_t)o->size - 1) == 1 && last != '\n')
		o->size--;
	return last == '\n' || !o->size ? 0 : lh_err_sys(err, "%s: cannot read", o->key);
}

static int copy_one(struct taking *t, struct opened *o, struct lh_err *err)
{
	struct lh_listed *f;
	int rc;

	if (is_log(o->key) && cut_torn(o, err) < 0)
		return -1;
	f = lh_files_add(&t->files, lh_str_of(o->key));
	rc = lseek(o->fd, 0, SEEK_SET) < 0 ? -1 : lh_digest_read(o->fd, o->size, &f->is, err);
	if (rc <= 0)
		return rc < 0 ? lh_err_prefix(err, "%s", o->key)
			: lh_err_set(err, LH_EIO, "%s: has become shorter", o->key);
	if (!lh_ends_with(o->key, ".jsonl"))
		f->is.records = 0;
	t->bytes += o->size;
	if (!contents_has(&t->have, f->is.sha256, f->is.bytes) &&
	    put_content(t, o, &f->is, err) < 0)
		return -1;
	close(o->fd);
	o->fd = -1;
	lh_tool_bytes(t->tool, t->bytes, 0);
	return 0;
}

/* Write the list, with which the snapshot is there, and print it. */
static int put_list(struct taking *t, const char *time, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf key = { 0 }, text = { 0 };
	struct lh_writer w = lh_write_to(&text);
	struct lh_buf line = { 0 };
	char sum[LIST_SUM];

	lh_write_object(&w, NULL);
	lh_write_text(&w, "snapshot", time);
	lh_write_u64(&w, "left_out", t->left_out);
	lh_files_sort(&t->files);
	lh_files_write(&w, "files", &t->files);
	lh_write_end(&w);
	lh_buf_putc(&text, '\n');
	list_sum(text.p, text.len, sum);
	lh_buf_add(&text, sum, sizeof sum);
	lh_buf_printf(&key, SNAPSHOTS "%s.json%c", time, '\0');
	if (store_put_text(t->to, key.p, &text, !t->s->replace, err) < 0)
		return -1;
	w = lh_write_to(&line);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "snapshot", time);
	lh_write_u64(&w, "files", t->files.n);
	lh_write_u64(&w, "bytes", t->bytes);
	lh_write_u64(&w, "copied", t->copied);
	lh_write_u64(&w, "left_out", t->left_out);
	lh_write_u64(&w, "links", t->n_links);
	lh_write_end(&w);
	return lh_tool_out_line(t->tool, &line);
}

/* Refuse a destination below the state, which would then be copied into itself. */
static int refuse_inside(const char *state, const char *dest, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *from = realpath(state, NULL), *to = realpath(dest, NULL);

	if (!from)
		return lh_err_sys(err, "%s", state);
	if (to && begins(to, from) && (to[strlen(from)] == '/' || !to[strlen(from)])) {
		rmdir(dest);	/* it may have been made for this */
		return lh_err_set(err, LH_EUSAGE, "%s: is in %s, of which it would be a copy", dest,
				  state);
	}
	return 0;
}

static int take(struct taking *t, struct lh_err *err)
{
	char time[32];
	size_t i;

	if (open_all(t, err) < 0)
		return -1;
	lh_tool_time(t->tool, time);
	if (!t->n)
		return lh_err_set(err, LH_EIO, "%s: has no files", t->state);
	if (contents_list(&t->have, t->to, err) < 0)
		return -1;
	for (i = 0; i < t->n; i++)
		if (copy_one(t, &t->v[i], err) < 0)
			return -1;
	if (put_list(t, time, err) < 0)
		return -1;
	name_links(t);
	return t->s->keep || t->s->replace ? snapshots_expire(t->tool, t->to, t->s->keep, time) : 0;
}

int store_snapshot(struct lh_tool *tool, void *settings)
{
	struct taking t = { .tool = tool, .s = settings, .state = tool->operands[0] };
	const char *dest = tool->operands[1];
	struct lh_store_opts listing = LH_STORE_DEFAULTS;
	struct lh_lock lock = { .fd = -1 };
	int rc = -1;

	umask(077);
	listing.linked = keep_link;
	listing.context = &t;
	if (lh_store_is_s3(t.state))
		return lh_tool_usage(tool, "%s: a state is a folder", t.state);
	if (lh_store_is_s3(dest) ||
	    (lh_own_mkdirs(dest, 0700, &tool->err) == 0 &&
	     refuse_inside(t.state, dest, &tool->err) == 0)) {
		t.from = lh_store_open(t.state, &listing, &tool->err);
		t.to = t.from ? store_operand(tool, settings, 1) : NULL;
	}
	if (t.to && snapshots_lock(tool, t.to, dest, &lock) == 0) {
		rc = take(&t, &tool->err);
		snapshots_unlock(t.to, &lock);
	}
	while (t.n) {
		free(t.v[--t.n].key);
		if (t.v[t.n].fd >= 0)
			close(t.v[t.n].fd);
	}
	free(t.v);
	free(t.key);
	forget_links(&t);
	free(t.link);
	lh_table_free(&t.by_key);
	free(t.have.v);
	lh_files_free(&t.files);
	lh_store_close(t.from);
	lh_store_close(t.to);
	return rc;
}
