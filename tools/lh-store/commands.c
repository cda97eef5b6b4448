/* commands.c - lh-store put, get, head, list, delete and sync.  See store.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "crypto/digest.h"
#include "index/index_tools.h"
#include "json/write.h"
#include "store.h"

/* ---- store ---- */

struct lh_store *store_operand(struct lh_tool *tool, const struct settings *s, size_t i)
{
	struct lh_store_opts opts = s->opts;

	opts.retries = (unsigned)s->retries;
	return lh_store_open(tool->operands[i], &opts, &tool->err);
}

int store_open(struct settings *s)
{
	lh_store_close(s->store);
	s->store = store_operand(s->tool, s, 0);
	return s->store ? 0 : -1;
}

/* Open a store that has to be there: a folder that is not is named. */
static int open_there(struct settings *s)
{
	const char *where = s->tool->operands[0];

	if (!lh_store_is_s3(where) && access(where, F_OK) < 0)
		return lh_err_sys(&s->tool->err, "%s", where);
	return store_open(s);
}

void transfer_write(struct lh_buf *out, const char *key, const struct lh_transfer *done)
{
	struct lh_writer w = lh_write_to(out);
	char hex[LH_SHA256_HEX];

	lh_hex(done->sha256, sizeof done->sha256, hex);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "key", key);
	lh_write_u64(&w, "size", done->size);
	lh_write_str(&w, "sha256", (struct lh_str){ hex, sizeof hex });
	lh_write_text(&w, "etag", done->etag);
	lh_write_end(&w);
}

/* Print {"key":KEY,WHAT:true}. */
static int store_print_done(struct lh_tool *tool, const char *what, const char *key)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	lh_write_object(&w, NULL);
	lh_write_text(&w, "key", key);
	lh_write_bool(&w, what, true);
	lh_write_end(&w);
	return lh_tool_out_line(tool, &line);
}

/* ---- commands ---- */

#define LOCK_WAIT 10.0		/* seconds for a writer of an index */

static int print_transfer(struct lh_tool *tool, const char *key, const struct lh_transfer *done)
{
	struct lh_buf line = { 0 };

	transfer_write(&line, key, done);
	return lh_tool_out_line(tool, &line);
}

/* Open the file of a put: the third operand, or stdin. */
static int open_input(struct lh_tool *tool)
{
	const char *path = tool->n_operands > 2 ? tool->operands[2] : "-";
	int fd;

	if (strcmp(path, "-") == 0)
		return STDIN_FILENO;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? lh_err_sys(&tool->err, "%s: cannot open", path) : fd;
}

/* Return the size of a regular file, for the progress; 0 if it is not one. */
static uint64_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

/* Put an index with the log of its pending changes, without which it would lack them. */
static int put_index(struct lh_tool *tool, struct settings *s, struct lh_put *put)
{
	const char *key = tool->operands[1];
	struct lh_transfer done[2];
	LH_SCOPED(lh_buf_free) struct lh_buf log = { 0 };
	int fd[2], rc;

	if (store_open(s) < 0 ||
	    lh_index_open_files(tool->operands[2], LOCK_WAIT, fd, &tool->err) < 0)
		return -1;
	put->fd = fd[0];
	rc = lh_store_put_two(s->store, key, put, INDEX_LOG, fd[1], done, &tool->err);
	if (!rc)
		rc = print_transfer(tool, key, &done[0]);
	lh_buf_puts(&log, key);
	lh_buf_puts(&log, INDEX_LOG);
	lh_buf_putc(&log, '\0');
	if (!rc && fd[1] >= 0 && (rc = 0) == 0)
		rc = print_transfer(tool, log.p, &done[1]);
	close(fd[0]);
	if (fd[1] >= 0)
		close(fd[1]);
	return rc;
}

static int run_put(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct lh_put put = { .fd = open_input(tool),
			      .when.none_match = s->if_none_match ? "*" : NULL };
	struct lh_transfer done;
	int rc = -1;

	s->of = size_of(put.fd);
	if (put.fd > STDIN_FILENO && lh_index_is(put.fd)) {
		close(put.fd);
		return put_index(tool, s, &put);
	}
	if (put.fd >= 0 && store_open(s) == 0)
		rc = lh_store_put(s->store, tool->operands[1], &put, &done, &tool->err);
	if (!rc)
		rc = print_transfer(tool, tool->operands[1], &done);
	if (put.fd > STDIN_FILENO)
		close(put.fd);
	return rc;
}

static int run_get(struct lh_tool *tool, void *settings)
{
	const char *key = tool->operands[1];
	const char *path = tool->n_operands > 2 ? tool->operands[2] : "-";
	struct settings *s = settings;
	struct lh_transfer done;

	if (store_open(s) < 0)
		return -1;
	if (strcmp(path, "-") == 0)
		return lh_store_get(s->store, key, STDOUT_FILENO, &done, &tool->err);
	return lh_store_get_file(s->store, key, path, &done, &tool->err);
}

static int print_object(void *context, const struct lh_object *o, struct lh_err *err)
{
	struct lh_tool *tool = context;
	struct lh_buf line = { 0 };

	lh_object_write(&line, o);
	if (lh_tool_out_line(tool, &line) == 0)
		return 0;
	*err = tool->err;
	return -1;
}

static int run_head(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct lh_object o;

	if (store_open(s) < 0 || lh_store_head(s->store, tool->operands[1], &o, &tool->err) < 0)
		return -1;
	return print_object(tool, &o, &tool->err);
}

static int run_list(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	const char *prefix = tool->n_operands > 1 ? tool->operands[1] : "";

	return open_there(s) < 0 ? -1
		: lh_store_list(s->store, prefix, print_object, tool, &tool->err);
}

static int run_delete(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;

	if (store_open(s) == 0 &&
	    lh_store_delete(s->store, tool->operands[1], NULL, &tool->err) == 0)
		return store_print_done(tool, "deleted", tool->operands[1]);
	return tool->err.code == LH_EDATA && tool->err.status == 404 && s->missing_ok ? 0 : -1;
}

/* ---- the operations ---- */

static const struct lh_bind object[] = {
	LH_OP_TEXT("key"),
	LH_OP_COUNT("size"),
	LH_OP_TEXT("etag"),
	{ LH_BIND_ONLY("sha256", LH_BIND_TO_STRING), .about = "of the bytes sent or received" },
	{ LH_BIND_ONLY("modified", LH_BIND_TO_STRING), .about = "when it was put" },
	LH_BIND_END
};
static const struct lh_bind objects[] = {
	LH_OP_TEXT("prefix"),
	{ LH_BIND_ONLY("objects", LH_BIND_TO_TABLES), .required = true, .table = object },
	{ LH_BIND_ONLY("truncated", LH_BIND_TO_BOOL), .required = true,
	  .about = "whether there are more" },
	LH_BIND_END
};
static const struct lh_bind snapshot[] = {
	{ LH_BIND_ONLY("snapshot", LH_BIND_TO_STRING), .required = true,
	  .about = "when it was taken" },
	LH_OP_COUNT("files"),
	LH_OP_COUNT("bytes"),
	{ LH_BIND_ONLY("copied", LH_BIND_TO_WHOLE), .about = "bytes that were not there yet" },
	{ LH_BIND_ONLY("left_out", LH_BIND_TO_WHOLE), .about = "keys and tokens" },
	{ LH_BIND_ONLY("links", LH_BIND_TO_WHOLE),
	  .about = "symbolic links, which are left out too" },
	{ LH_BIND_ONLY("whole", LH_BIND_TO_BOOL), .about = "verify: whether all bytes are right" },
	{ LH_BIND_ONLY("damaged", LH_BIND_TO_WHOLE), .about = "files that are not" },
	{ LH_BIND_ONLY("first_damaged", LH_BIND_TO_STRING), .about = "the path of the first" },
	LH_BIND_END
};

#define REQUEST(table) LH_OP_IN(table, struct request)
const struct lh_op store_ops[] = {
	{ "put", "STORE KEY [PATH]", "store PATH (or stdin) as an object", V_PUT, put_object,
	  REQUEST(object_members), .out = object, .command = run_put, .writes = true },
	{ "get", "STORE KEY [PATH]", "write an object to PATH (or stdout)", V_GET,
	  .command = run_get },
	{ "get", NULL, "describe an object, or write it to a file", 0, get_object,
	  REQUEST(object_members), .out = object },
	{ "head", "STORE KEY", "describe an object", V_HEAD, .out = object,
	  .command = run_head },
	{ "list", "STORE [PREFIX]", "describe the objects whose key begins so", V_LIST,
	  .out = object, .command = run_list },
	{ "list", NULL, "describe those objects in one answer", 0, list_objects,
	  REQUEST(list_members), .out = objects },
	{ "delete", "STORE KEY", "delete an object", V_DELETE, delete_object,
	  REQUEST(object_members), .command = run_delete, .writes = true },
	{ "sync", "FROM TO", "copy the objects that TO does not have", V_SYNC,
	  .command = store_sync, .writes = true },
	{ "snapshot", "STATE STORE", "copy a state as it is now, while it is served", V_SNAPSHOT,
	  .out = snapshot, .command = store_snapshot, .writes = true },
	{ "snapshots", "STORE", "describe the snapshots that are there", V_SNAPSHOTS,
	  .out = snapshot, .command = store_snapshots },
	{ "restore", "STORE DIR", "make a new folder of a snapshot", V_RESTORE,
	  .out = snapshot, .command = store_restore, .writes = true },
	{ "verify", "STORE", "read all bytes of all snapshots", V_VERIFY,
	  .out = snapshot, .command = store_verify },
	LH_OP_REQUESTS("STORE [FILE...]", V_REQUESTS),
	LH_OP_END
};

/* ---- sync ---- */

/* An object of TO; FROM's are looked up in it. */
struct held {
	struct lh_object o;	/* its strings follow key */
	char *key;
	bool wanted;		/* FROM has it too */
};

struct sync {
	struct lh_tool *tool;
	const struct settings *settings;
	struct lh_store *from, *to;
	struct held *v;		/* sorted by key */
	size_t n, cap, next;	/* next: the first that FROM's list has not passed */
	uint64_t copied, same, deleted;
};

static int hold(void *context, const struct lh_object *o, struct lh_err *err)
{
	struct sync *y = context;
	size_t n = strlen(o->key) + 1, more = strlen(o->etag) + 1;
	char *key;

	(void)err;
	lh_grow(&y->v, &y->cap, y->n + 1, sizeof *y->v);
	key = lh_calloc(n + more, 1);
	memcpy(key, o->key, n);
	memcpy(key + n, o->etag, more);
	y->v[y->n++] = (struct held){ .o = { key, o->size, key + n, o->modified }, .key = key };
	return 0;
}

/* Find the object of that key in TO.  Both lists have the same order. */
static struct held *find_held(struct sync *y, const char *key)
{
	int c = -1;

	while (y->next < y->n && (c = strcmp(y->v[y->next].key, key)) < 0)
		y->next++;
	return y->next < y->n && c == 0 ? &y->v[y->next] : NULL;
}

/* Report an object that TO cannot have under its key, or that is gone meanwhile: the others are
 * copied all the same. */
static int skip_one(struct sync *y, const struct lh_err *err)
{
	unsigned status = lh_err_status(err);

	if (err->code != LH_EDATA || (status != 400 && status != 404 && status != 409))
		return -1;
	lh_tool_warn(y->tool, "%u: %s", status, err->msg);
	lh_tool_verdict_bad(y->tool);
	return 0;
}

static int copy_one(void *context, const struct lh_object *o, struct lh_err *err)
{
	struct sync *y = context;
	struct held *held = find_held(y, o->key);
	int rc = 0;

	if (held) {
		held->wanted = true;
		rc = lh_store_same(y->from, o, y->to, &held->o, err);
	}
	if (rc) {
		y->same += rc > 0;
		return rc < 0 ? -1 : 0;
	}
	if (!y->settings->dry_run && lh_store_copy(y->from, y->to, o->key, err) < 0)
		return skip_one(y, err);
	y->copied++;
	rc = store_print_done(y->tool, "copied", o->key);
	if (rc < 0)
		*err = y->tool->err;
	return rc;
}

static int delete_others(struct sync *y, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < y->n; i++) {
		if (y->v[i].wanted)
			continue;
		if (!y->settings->dry_run && lh_store_delete(y->to, y->v[i].key, NULL, err) < 0 &&
		    err->status != 404)
			return -1;
		y->deleted++;
		if (store_print_done(y->tool, "deleted", y->v[i].key) < 0)
			return -1;
	}
	return 0;
}

/* Read the list of TO, which may be a folder that is not there yet. */
static int hold_all(struct sync *y, const char *to, struct lh_err *err)
{
	if (!lh_store_is_s3(to) && access(to, F_OK) < 0)
		return 0;
	return lh_store_list(y->to, "", hold, y, err);
}

int store_sync(struct lh_tool *tool, void *settings)
{
	struct sync y = { .tool = tool, .settings = settings };
	struct lh_err *err = &tool->err;
	int rc = -1;

	y.from = store_operand(tool, settings, 0);
	y.to = y.from ? store_operand(tool, settings, 1) : NULL;
	if (y.to)
		rc = hold_all(&y, tool->operands[1], err);
	if (!rc)
		rc = lh_store_list(y.from, "", copy_one, &y, err);
	if (!rc && y.settings->remove)
		rc = delete_others(&y, err);
	if (!rc)
		lh_tool_verbose(tool, "%llu copied, %llu the same, %llu deleted",
				(unsigned long long)y.copied, (unsigned long long)y.same,
				(unsigned long long)y.deleted);
	while (y.n)
		free(y.v[--y.n].key);
	free(y.v);
	lh_store_close(y.from);
	lh_store_close(y.to);
	return rc;
}
