/* snapshot.c - list, verify, restore and expire the snapshots of a store.  See store.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/time.h"
#include "base/mem.h"
#include "store.h"

#define LIST_MAX ((size_t)1 << 30)	/* bytes of a list of files */
#define LOCK_OBJECT "lock"
#define LOCK_MAX ((size_t)1 << 20)	/* bytes of it */
#define STALE_MS ((int64_t)86400000)	/* the lock of another host is taken over then */
#define HASH_AT (sizeof CONTENT - 1 + 3)

/* ---- contents ---- */

void content_key(const unsigned char sha256[32], char key[CONTENT_KEY])
{
	char hex[LH_SHA256_HEX];

	lh_hex(sha256, 32, hex);
	snprintf(key, CONTENT_KEY, CONTENT "%.2s/%.64s", hex, hex);
}

static int add_content(void *context, const struct lh_object *o, struct lh_err *err)
{
	struct contents *c = context;
	struct content one = { .bytes = o->size };

	(void)err;
	if (strlen(o->key) == CONTENT_KEY - 1 && lh_unhex(o->key + HASH_AT, 64, one.sha256)) {
		lh_grow(&c->v, &c->cap, c->n + 1, sizeof *c->v);
		c->v[c->n++] = one;
	}
	return 0;
}

int contents_list(struct contents *c, struct lh_store *s, struct lh_err *err)
{
	return lh_store_list(s, CONTENT, add_content, c, err);
}

static int by_hash(const void *a, const void *b)
{
	return memcmp(a, ((const struct content *)b)->sha256, 32);
}

struct content *contents_has(const struct contents *c, const unsigned char sha256[32],
			     uint64_t bytes)
{
	struct content *found = c->n ? bsearch(sha256, c->v, c->n, sizeof *c->v, by_hash) : NULL;

	return found && found->bytes == bytes ? found : NULL;
}

int store_put_text(struct lh_store *s, const char *key, const struct lh_buf *text, bool is_new,
		   struct lh_err *err)
{
	struct lh_put put = { .fd = lh_store_spool(err),
			      .when.none_match = is_new ? "*" : NULL };
	struct lh_transfer done;
	int rc = -1;

	if (put.fd < 0)
		return -1;
	if (lh_write_all(put.fd, text->p, text->len, err) == 0 && lseek(put.fd, 0, SEEK_SET) == 0)
		rc = lh_store_put(s, key, &put, &done, err);
	close(put.fd);
	return rc;
}

/* ---- lists ---- */

struct snapshot {
	struct lh_str time;
	const struct lh_listed_text *file;
	size_t n;
};
static const struct lh_bind snapshot_members[] = {
	{ LH_BIND_STRING("snapshot", struct snapshot, time), .required = true },
	{ LH_BIND_TABLES("files", struct snapshot, file, n, lh_listed_members), .required = true },
	LH_BIND_END
};

/* Return the bytes of an object, in a file without a name. */
static int get_spooled(struct lh_store *s, const char *key, struct lh_err *err)
{
	struct lh_transfer done;
	int fd = lh_store_spool(err);

	if (fd >= 0 && (lh_store_get(s, key, fd, &done, err) < 0 || lseek(fd, 0, SEEK_SET) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Check that a list names its files as a state can have them. */
static int check_files(const struct lh_files *files, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < files->n; i++)
		if (lh_store_check_key(files->v[i].path, strlen(files->v[i].path), err) < 0)
			return -1;
	return 0;
}

void list_sum(const char *list, size_t n, char line[LIST_SUM])
{
	static const char before[] = "{\"sha256\":\"", after[] = "\"}\n";
	unsigned char sha256[32];

	lh_sha256(list, n, sha256);
	memcpy(line, before, sizeof before - 1);
	lh_hex(sha256, 32, line + sizeof before - 1);
	memcpy(line + LIST_SUM - (sizeof after - 1), after, sizeof after - 1);
}

/* Cut the last line off a list, if it has the sum of what is before it. */
static int cut_sum(struct lh_buf *text, struct lh_err *err)
{
	char line[LIST_SUM];

	if (text->len > LIST_SUM) {
		list_sum(text->p, text->len - LIST_SUM, line);
		if (!memcmp(text->p + text->len - LIST_SUM, line, LIST_SUM)) {
			text->len -= LIST_SUM;
			return 0;
		}
	}
	return lh_err_set(err, LH_EDATA, "is damaged: its last line is not the SHA-256 of the "
			  "others");
}

/* Read the list of a snapshot, which may be anybody's: its sum tells an accident alone. */
static int list_read(struct lh_store *s, const char *time, struct lh_files *files,
		     struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf key = { 0 }, scratch = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf text = { .max = LIST_MAX };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct snapshot is = { .n = 0 };
	struct lh_value v;
	int fd, rc;

	lh_files_clear(files);
	lh_buf_printf(&key, SNAPSHOTS "%s.json%c", time, '\0');
	fd = get_spooled(s, key.p, err);
	if (fd < 0 || lh_read_rest(fd, key.p, &text, err) < 0)
		return -1;
	rc = cut_sum(&text, err);
	if (!rc)
		rc = lh_json_parse(&rec, text.p, text.len, &v, err);
	if (!rc)
		rc = lh_bind_value(snapshot_members, &v, &is, &scratch, err);
	if (!rc && !lh_str_is(is.time, time, strlen(time)))
		rc = lh_err_set(err, LH_EDATA, "is the list of %.*s", (int)is.time.n, is.time.p);
	if (!rc && lh_files_take(files, is.file, is.n))
		rc = lh_err_set(err, LH_EDATA, "a file without a SHA-256");
	if (!rc)
		rc = check_files(files, err);
	return rc < 0 ? lh_err_prefix(err, "%.*s", (int)key.len - 1, key.p) : 0;
}

/* The times of all snapshots, which sort as texts do. */
struct times {
	char **v;
	size_t n, cap;
};

static int add_time(void *context, const struct lh_object *o, struct lh_err *err)
{
	const char *name = o->key + sizeof SNAPSHOTS - 1;
	struct times *t = context;
	int64_t ms;

	(void)err;
	if (strlen(name) == LH_TIME_LEN + 5 && !strcmp(name + LH_TIME_LEN, ".json") &&
	    lh_time_read(name, LH_TIME_LEN, &ms) == 0) {
		lh_grow(&t->v, &t->cap, t->n + 1, sizeof *t->v);
		t->v[t->n++] = lh_strndup(name, LH_TIME_LEN);
	}
	return 0;
}

static int times_list(struct lh_tool *tool, struct lh_store *s, struct times *t)
{
	const char *where = tool->operands[tool->verb->bit == V_SNAPSHOT];

	return lh_store_list(s, SNAPSHOTS, add_time, t, &tool->err) < 0
		? lh_err_prefix(&tool->err, "%s", where) : 0;
}

static void times_free(struct times *t)
{
	while (t->n)
		free(t->v[--t->n]);
	free(t->v);
}

/* Print the line of a snapshot; n_damaged UINT64_MAX: its bytes were not looked at. */
static int print_snapshot(struct lh_tool *tool, const char *time, const struct lh_files *files,
			  uint64_t n_damaged, const char *damaged)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < files->n; i++)
		bytes += files->v[i].is.bytes;
	lh_write_object(&w, NULL);
	lh_write_text(&w, "snapshot", time);
	lh_write_u64(&w, "files", files->n);
	lh_write_u64(&w, "bytes", bytes);
	if (n_damaged != UINT64_MAX) {
		lh_write_bool(&w, "whole", !n_damaged);
		lh_write_u64(&w, "damaged", n_damaged);
		if (damaged)
			lh_write_bytes(&w, "first_damaged", damaged);
	}
	lh_write_end(&w);
	return lh_tool_out_line(tool, &line);
}

/* Do something with the list of each snapshot, oldest first.  One that cannot be read is
 * reported. */
static int each_list(struct lh_tool *tool, struct lh_store *s,
		     int (*each)(void *context, const char *time, const struct lh_files *files),
		     void *context)
{
	struct lh_files files = { .n = 0 };
	struct times t = { .n = 0 };
	size_t i;
	int rc = times_list(tool, s, &t);

	for (i = 0; !rc && i < t.n; i++) {
		if (list_read(s, t.v[i], &files, &tool->err) == 0) {
			rc = each(context, t.v[i], &files);
		} else if (tool->err.code == LH_EDATA) {
			lh_tool_warn(tool, "%s", tool->err.msg);
			lh_tool_verdict_bad(tool);
		} else {
			rc = -1;
		}
	}
	if (!rc)
		lh_tool_verdict_over(tool, t.n, "snapshots", tool->operands[0]);
	lh_files_free(&files);
	times_free(&t);
	return rc;
}

static int print_list(void *context, const char *time, const struct lh_files *files)
{
	return print_snapshot(context, time, files, UINT64_MAX, NULL);
}

int store_snapshots(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;

	return store_open(s) < 0 ? -1 : each_list(tool, s->store, print_list, tool);
}

/* ---- verify ---- */

struct verifying {
	struct lh_tool *tool;
	struct lh_store *store;
	struct contents have;		/* wanted: it was read, and is whole */
	int null;
};

/* Return whether a content has the bytes that its name says: 1, 0, -1. */
static int is_whole(struct verifying *y, const struct lh_file_digest *is, struct lh_err *err)
{
	struct content *c = contents_has(&y->have, is->sha256, is->bytes);
	char key[CONTENT_KEY];
	struct lh_transfer done;

	if (!c || c->wanted)
		return c != NULL;
	content_key(is->sha256, key);
	if (lh_store_get(y->store, key, y->null, &done, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	c->wanted = !memcmp(done.sha256, is->sha256, 32) && done.size == is->bytes;
	return c->wanted;
}

static int verify_list(void *context, const char *time, const struct lh_files *files)
{
	struct verifying *y = context;
	const char *damaged = NULL;
	uint64_t n = 0;
	size_t i;
	int rc;

	for (i = 0; i < files->n; i++) {
		rc = is_whole(y, &files->v[i].is, &y->tool->err);
		if (rc < 0)
			return -1;
		if (!rc && !n++)
			damaged = files->v[i].path;
	}
	if (n)
		lh_tool_verdict_bad(y->tool);
	return print_snapshot(y->tool, time, files, n, damaged);
}

int store_verify(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct verifying y = { .tool = tool, .null = open("/dev/null", O_WRONLY | O_CLOEXEC) };
	int rc = -1;

	if (y.null < 0)
		return lh_err_sys(&tool->err, "/dev/null");
	if (store_open(s) == 0)
		rc = contents_list(&y.have, s->store, &tool->err) < 0
			? lh_err_prefix(&tool->err, "%s", tool->operands[0]) : 0;
	y.store = s->store;
	if (!rc)
		rc = each_list(tool, s->store, verify_list, &y);
	close(y.null);
	free(y.have.v);
	return rc;
}

/* ---- restore ---- */

/* Get each file of a list into a folder. */
static int restore_files(struct lh_store *s, const struct lh_files *files, const char *folder,
			 struct lh_err *err)
{
	struct lh_transfer done;
	char key[CONTENT_KEY];
	size_t i;
	int rc;

	for (i = 0; i < files->n; i++) {
		LH_SCOPED(lh_free_local) char *path = lh_files_path(folder, files->v[i].path);

		content_key(files->v[i].is.sha256, key);
		rc = lh_files_folders(folder, files->v[i].path, err);
		if (!rc)
			rc = lh_store_get_file(s, key, path, &done, err);
		if (!rc && memcmp(done.sha256, files->v[i].is.sha256, 32))
			rc = lh_err_set(err, LH_EIO, "%s: is damaged: lh-store verify", key);
		if (rc < 0)
			return lh_err_prefix(err, "%s", files->v[i].path);
	}
	return 0;
}

/* Find the last snapshot that was taken by that time (NULL: of all). */
static const char *find_time(const struct times *t, const char *as_of, struct lh_err *err)
{
	const char *found = NULL;
	char by[LH_TIME_LEN + 1] = "9999-12-31T23:59:59.999Z";
	int64_t ms;
	size_t i;

	if (as_of && lh_time_read(as_of, strlen(as_of), &ms) == 0)
		lh_time_print(ms, by);
	for (i = 0; i < t->n && strcmp(t->v[i], by) <= 0; i++)
		found = t->v[i];
	if (!found)
		lh_err_set(err, LH_EIO, t->n ? "the first snapshot is of %s" : "there are no "
			   "snapshots%s", t->n ? t->v[0] : "");
	return found;
}

/* Restore into a new folder, which gets its name when all is there. */
static int restore_to(struct lh_store *s, const struct lh_files *files, const char *dir,
		      struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf part = { 0 };
	int rc;

	lh_buf_printf(&part, "%s.lh-tmp-%d%c", dir, (int)getpid(), '\0');
	if (lh_own_mkdir(part.p, 0700, err) < 0)
		return -1;
	rc = restore_files(s, files, part.p, err);
	if (!rc && rename(part.p, dir) < 0)
		rc = errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR
			? lh_err_set(err, LH_EUSAGE, "%s: is there already; restore into a new "
				     "folder, and look at it before it is served", dir)
			: lh_err_sys(err, "%s", dir);
	if (rc < 0)
		lh_remove_all(part.p);
	return rc < 0 ? -1 : lh_sync_folder(dir, err);
}

int store_restore(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct lh_files files = { .n = 0 };
	struct times t = { .n = 0 };
	const char *dir = tool->operands[1], *time;
	struct stat st;
	int rc = -1;

	umask(077);
	if (lstat(dir, &st) == 0 && rmdir(dir) < 0)
		return lh_err_set(&tool->err, LH_EUSAGE, "%s: is there already; restore into a new "
				  "folder, and look at it before it is served", dir);
	if (store_open(s) == 0 && times_list(tool, s->store, &t) == 0 &&
	    (time = find_time(&t, s->as_of, &tool->err)) != NULL &&
	    list_read(s->store, time, &files, &tool->err) == 0 &&
	    restore_to(s->store, &files, dir, &tool->err) == 0)
		rc = print_snapshot(tool, time, &files, UINT64_MAX, NULL);
	lh_files_free(&files);
	times_free(&t);
	return rc;
}

/* ---- one writer ---- */

static int remove_key(struct lh_store *s, const char *key, struct lh_err *err)
{
	return lh_store_delete(s, key, NULL, err) < 0 && lh_err_status(err) != 404 ? -1 : 0;
}

/* Return whether a lock is of a process that cannot be at work any more: one of this machine that
 * is dead, or one of another machine that began a day ago.  Of two that find so at one moment both
 * may go on: S3 has no delete on a condition. */
static bool is_stale(char *text, int64_t now)
{
	struct utsname host;
	char *pid = strchr(text, ' '), *time = pid ? strchr(pid + 1, ' ') : NULL;
	int64_t ms;
	long n;

	if (!time || uname(&host) < 0)
		return false;
	*pid++ = *time++ = '\0';
	n = strtol(pid, NULL, 10);
	if (!strcmp(text, host.nodename))
		return n > 0 && kill((pid_t)n, 0) < 0 && errno == ESRCH;
	return lh_time_read(time, LH_TIME_LEN, &ms) == 0 && now - ms > STALE_MS;
}

static int put_lock(struct lh_store *s, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct utsname host;
	char time[LH_TIME_LEN + 1];

	if (uname(&host) < 0)
		return lh_err_sys(err, "uname");
	lh_time_print(lh_time_clock(), time);
	lh_buf_printf(&text, "%s %ld %s\n", host.nodename, (long)getpid(), time);
	return store_put_text(s, LOCK_OBJECT, &text, true, err);
}

int snapshots_lock(struct lh_tool *tool, struct lh_store *s, const char *dest,
		   struct lh_lock *lock)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { .max = LOCK_MAX };
	LH_SCOPED(lh_free_local) char *path = lh_files_path(dest, LOCK_OBJECT);
	struct lh_err *err = &tool->err;
	int fd, tries;

	if (!lh_store_is_s3(dest))
		return lh_lock_take(lock, path, dest, tool->lock_timeout, err);
	for (tries = 0; put_lock(s, err) < 0; tries++) {
		if (lh_err_status(err) != 412 || tries)
			return -1;
		fd = get_spooled(s, LOCK_OBJECT, err);
		if (fd < 0 || lh_read_rest(fd, LOCK_OBJECT, &text, err) < 0)
			return -1;
		lh_buf_putc(&text, '\0');
		text.p[strcspn(text.p, "\n")] = '\0';
		lh_err_set(err, LH_ELOCKED, "%s: another snapshot is written there, by %s; if not, "
			   "lh-store delete %s " LOCK_OBJECT, dest, text.p, dest);
		if (!is_stale(text.p, lh_time_clock()) || remove_key(s, LOCK_OBJECT, err) < 0)
			return -1;
	}
	return 0;
}

void snapshots_unlock(struct lh_store *s, struct lh_lock *lock)
{
	if (lock->fd >= 0)
		lh_lock_drop(lock);
	else
		remove_key(s, LOCK_OBJECT, &(struct lh_err){ 0 });
}

/* ---- expiry ---- */

static int want_list(void *context, const char *time, const struct lh_files *files)
{
	struct contents *have = context;
	struct content *c;
	size_t i;

	(void)time;
	for (i = 0; i < files->n; i++) {
		c = contents_has(have, files->v[i].is.sha256, files->v[i].is.bytes);
		if (c)
			c->wanted = true;
	}
	return 0;
}

/* Remove the contents that no list names.  A list that cannot be read may name any. */
static int remove_unwanted(struct lh_tool *tool, struct lh_store *s, const struct times *t)
{
	struct contents have = { .n = 0 };
	struct lh_files files = { .n = 0 };
	char key[CONTENT_KEY];
	size_t i;
	int rc = contents_list(&have, s, &tool->err);

	for (i = 0; !rc && i < t->n; i++) {
		rc = list_read(s, t->v[i], &files, &tool->err);
		if (!rc)
			rc = want_list(&have, t->v[i], &files);
	}
	for (i = 0; !rc && i < have.n; i++) {
		if (have.v[i].wanted)
			continue;
		content_key(have.v[i].sha256, key);
		rc = remove_key(s, key, &tool->err);
	}
	free(have.v);
	lh_files_free(&files);
	return rc;
}

int snapshots_expire(struct lh_tool *tool, struct lh_store *s, int64_t keep, const char *newest)
{
	struct times t = { .n = 0 };
	char before[LH_TIME_LEN + 1], key[sizeof SNAPSHOTS + LH_TIME_LEN + 5];
	int64_t now;
	size_t i, left = 0;
	int rc = times_list(tool, s, &t);

	if (lh_time_read(newest, strlen(newest), &now) < 0)
		now = 0;
	lh_time_print(now - keep, before);
	for (i = 0; !rc && i < t.n; i++) {
		char *time = t.v[i];

		t.v[i] = NULL;
		if (!keep || strcmp(time, before) >= 0 || !strcmp(time, newest) ||
		    (i + 1 < t.n && !strcmp(t.v[i + 1], newest))) {
			t.v[left++] = time;
			continue;
		}
		snprintf(key, sizeof key, SNAPSHOTS "%s.json", time);
		rc = remove_key(s, key, &tool->err);
		free(time);
	}
	if (!rc)
		t.n = left;
	if (!rc)
		rc = remove_unwanted(tool, s, &t);
	times_free(&t);
	return rc;
}
