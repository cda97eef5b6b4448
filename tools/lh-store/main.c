/* lh-store: objects in a folder or in S3.  See lh-store(1). */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lh/digest.h>
#include "index/index_tools.h"
#include "json/write.h"
#include "store.h"

#define INDEX_LOG "-log"
#define LOCK_WAIT 10.0		/* seconds for a writer of an index */

static const struct lh_option options[] = {
	{ 0, "if-none-match", NULL, "only if there is no such object",
	  LH_FLAG(struct settings, if_none_match, .verbs = V_PUT) },
	{ 0, "missing-ok", NULL, "succeed also if there is no such object",
	  LH_FLAG(struct settings, missing_ok, .verbs = V_DELETE) },
	{ 0, "delete", NULL, "delete what FROM does not have",
	  LH_FLAG(struct settings, remove, .verbs = V_SYNC) },
	{ 'n', "dry-run", NULL, "print, and change nothing",
	  LH_FLAG(struct settings, dry_run, .verbs = V_SYNC) },
	{ 0, "key-file", "FILE", "AWS credentials file (mode 0600)",
	  LH_TEXT(struct settings, opts.key_file, .env = "LH_S3_KEY_FILE") },
	{ 0, "part-size", "SIZE", "S3: larger objects are sent in parts (default 64M)",
	  LH_SIZE(struct settings, opts.part_size, 5242880, 5368709120.0,
		  .verbs = V_PUT | V_SYNC) },
	{ 0, "retries", "N", "S3: more tries of a call (default 4)",
	  LH_UINT(struct settings, retries, 0, 100) },
	{ 0, "timeout", "S", "S3: seconds without progress (default 60)",
	  LH_REAL(struct settings, opts.timeout, 0.001, 86400) },
	{ 0, "on-error", "skip|emit|stop", "requests: what a rejected one does (default skip)",
	  LH_TOOL_FIELD(CHOICE, on_error, .verbs = V_REQUESTS) },
	{ 0, "rejects", "FILE", "requests: append rejected lines to FILE",
	  LH_TOOL_FIELD(TEXT, rejects, .verbs = V_REQUESTS) },
	{ 0, "max-line", "SIZE", "requests: longest line, K/M/G (default 256M)",
	  LH_TOOL_FIELD(SIZE, max_line, .min = 1, .max = 2147483648.0, .verbs = V_REQUESTS) },
	{ 0, "max-members", "N", "requests: most members of an object (default 65536)",
	  LH_TOOL_FIELD(UINT, max_members, .min = 64, .max = 1000000000, .verbs = V_REQUESTS) },
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

int store_end(struct lh_tool *tool, int rc)
{
	if (rc >= 0 || tool->err.code != LH_EDATA)
		return rc;
	lh_tool_warn(tool, "%u: %s", lh_err_status(&tool->err), tool->err.msg);
	lh_tool_verdict_bad(tool);
	return 0;
}

struct lh_store *store_operand(struct lh_tool *tool, const struct settings *s, size_t i)
{
	struct lh_store_opts opts = s->opts;

	opts.retries = (unsigned)s->retries;
	return lh_store_open(tool->operands[i], &opts, &tool->err);
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

static int print_transfer(struct lh_tool *tool, const char *key, const struct lh_transfer *done)
{
	struct lh_buf line = { 0 };

	transfer_write(&line, key, done);
	return lh_tool_out_line(tool, &line);
}

int store_print_done(struct lh_tool *tool, const char *what, const char *key)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	lh_write_object(&w, NULL);
	lh_write_text(&w, "key", key);
	lh_write_bool(&w, what, true);
	lh_write_end(&w);
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
static int put_index(struct lh_tool *tool, const struct settings *s, struct lh_put *put)
{
	const char *key = tool->operands[1];
	struct lh_store *store = store_operand(tool, s, 0);
	struct lh_transfer done[2];
	struct lh_buf log = { 0 };
	int fd[2], rc = -1;

	if (store && lh_index_open_files(tool->operands[2], LOCK_WAIT, fd, &tool->err) == 0) {
		put->fd = fd[0];
		rc = lh_store_put_two(store, key, put, INDEX_LOG, fd[1], done, &tool->err);
		if (!rc)
			rc = print_transfer(tool, key, &done[0]);
		lh_buf_puts(&log, key);
		lh_buf_puts(&log, INDEX_LOG);
		lh_buf_putc(&log, '\0');
		if (!rc && fd[1] >= 0 && (rc = lh_buf_check(&log, &tool->err)) == 0)
			rc = print_transfer(tool, log.p, &done[1]);
		close(fd[0]);
		if (fd[1] >= 0)
			close(fd[1]);
	}
	lh_buf_free(&log);
	lh_store_close(store);
	return store_end(tool, rc);
}

static int run_put(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct lh_put put = { .fd = open_input(tool), .if_none_match = s->if_none_match };
	struct lh_store *store;
	struct lh_transfer done;
	int rc;

	s->of = size_of(put.fd);
	if (put.fd > STDIN_FILENO && lh_index_is(put.fd)) {
		close(put.fd);
		return put_index(tool, s, &put);
	}
	store = put.fd < 0 ? NULL : store_operand(tool, s, 0);
	rc = store ? lh_store_put(store, tool->operands[1], &put, &done, &tool->err) : -1;

	if (!rc)
		rc = print_transfer(tool, tool->operands[1], &done);
	lh_store_close(store);
	if (put.fd > STDIN_FILENO)
		close(put.fd);
	return store_end(tool, rc);
}

static int run_get(struct lh_tool *tool, void *settings)
{
	const char *key = tool->operands[1];
	const char *path = tool->n_operands > 2 ? tool->operands[2] : "-";
	struct lh_store *store = store_operand(tool, settings, 0);
	struct lh_transfer done;
	int rc = -1;

	if (store && strcmp(path, "-") == 0)
		rc = lh_store_get(store, key, STDOUT_FILENO, &done, &tool->err);
	else if (store)
		rc = lh_store_get_file(store, key, path, &done, &tool->err);
	lh_store_close(store);
	return store_end(tool, rc);
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
	struct lh_store *store = store_operand(tool, settings, 0);
	struct lh_object o;
	int rc = store ? lh_store_head(store, tool->operands[1], &o, &tool->err) : -1;

	if (!rc)
		rc = print_object(tool, &o, &tool->err);
	lh_store_close(store);
	return store_end(tool, rc);
}

static int run_list(struct lh_tool *tool, void *settings)
{
	struct lh_store *store = store_operand(tool, settings, 0);
	const char *prefix = tool->n_operands > 1 ? tool->operands[1] : "";
	int rc = store ? lh_store_list(store, prefix, print_object, tool, &tool->err) : -1;

	lh_store_close(store);
	return store_end(tool, rc);
}

static int run_delete(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct lh_store *store = store_operand(tool, s, 0);
	int rc = store ? lh_store_delete(store, tool->operands[1], &tool->err) : -1;

	lh_store_close(store);
	if (rc < 0 && tool->err.code == LH_EDATA && tool->err.status == 404 && s->missing_ok)
		return 0;
	if (!rc)
		rc = store_print_done(tool, "deleted", tool->operands[1]);
	return store_end(tool, rc);
}

static const struct lh_verb verbs[] = {
	{ "put", "STORE KEY [PATH]", "store PATH (or stdin) as an object", V_PUT, 2, run_put },
	{ "get", "STORE KEY [PATH]", "write an object to PATH (or stdout)", V_GET, 2, run_get },
	{ "head", "STORE KEY", "describe an object", V_HEAD, 2, run_head },
	{ "list", "STORE [PREFIX]", "describe the objects whose key begins so", V_LIST, 1,
	  run_list },
	{ "delete", "STORE KEY", "delete an object", V_DELETE, 2, run_delete },
	{ "sync", "FROM TO", "copy the objects that TO does not have", V_SYNC, 2, store_sync },
	{ "requests", "STORE [FILE...]", "answer requests, each with its operation in \"op\"",
	  V_REQUESTS, 1, store_requests },
	{ NULL, NULL, NULL, 0, 0, NULL },
};

static void on_moved(void *context, uint64_t n)
{
	struct settings *s = context;

	s->moved += n;
	lh_tool_bytes(s->tool, s->moved, s->of);
}

/* An object that no key names is not left out in silence. */
static void on_refused(void *context, const struct lh_err *why)
{
	struct settings *s = context;

	lh_tool_warn(s->tool, "%s", why->msg);
	lh_tool_verdict_bad(s->tool);
}

static int check(struct lh_tool *tool, void *settings)
{
	static const struct { unsigned verbs; size_t most; } takes[] = {
		{ V_PUT | V_GET, 3 }, { V_HEAD | V_LIST | V_DELETE | V_SYNC, 2 },
	};
	struct settings *s = settings;
	size_t i;

	s->tool = tool;
	s->opts.context = s;
	s->opts.moved = tool->verb->bit == V_REQUESTS ? NULL : on_moved;
	s->opts.refused = tool->verb->bit == V_REQUESTS ? NULL : on_refused;
	for (i = 0; i < sizeof takes / sizeof *takes; i++)
		if (tool->verb->bit & takes[i].verbs && tool->n_operands > takes[i].most)
			return lh_tool_unexpected(tool, takes[i].most, "%s takes %s",
						  tool->verb->name, tool->verb->operands);
	if (strcmp(tool->operands[0], "-") == 0)
		return lh_tool_no_stream(tool, "a store");
	return 0;
}

int main(int argc, char **argv)
{
	struct settings s = { .opts = LH_STORE_DEFAULTS, .retries = 4 };
	static const struct lh_tool_spec spec = {
		.name = "lh-store",
		.synopsis = "COMMAND [OPTION]... STORE [KEY] [PATH]",
		.summary = "keep objects in a folder or in S3",
		.options = options,
		.verbs = verbs,
		.check = check,
	};

	return lh_tool_main(&spec, argc, argv, &s);
}
