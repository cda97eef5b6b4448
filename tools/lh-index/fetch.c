/* fetch.c - lh-index fetch and push: copy an index from S3, or to S3. */
#include <stdio.h>
#include <unistd.h>

#include "file/file.h"
#include "index/index_tools.h"
#include "json/write.h"
#include "index.h"
#include "store/store.h"

#define TRIES 5		/* while the index changes */

struct fetched {
	struct lh_tool *tool;
	uint64_t bytes;
};

static void on_moved(void *context, uint64_t n)
{
	struct fetched *f = context;

	f->bytes += n;
	lh_tool_bytes(f->tool, f->bytes, 0);
}

/* Print what was moved: the object, the size of the index and that of its log. */
static int print_moved(struct lh_tool *tool, const char *how, const char *object,
		       const struct lh_transfer *done, bool log)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	lh_write_object(&w, NULL);
	lh_write_text(&w, how, object);
	lh_write_u64(&w, "size", done[0].size);
	lh_write_u64(&w, "log_size", log ? done[1].size : 0);
	lh_write_end(&w);
	return lh_tool_out_line(tool, &line);
}

/* Set the tag of an object; "": there is none, if that is allowed. */
static int look(struct lh_store *store, const char *key, bool needed, char etag[LH_ETAG_MAX],
		struct lh_err *err)
{
	struct lh_object o;
	int rc = lh_store_head(store, key, &o, err);

	if (rc < 0 && (needed || err->status != 404))
		return -1;
	snprintf(etag, LH_ETAG_MAX, "%s", rc < 0 ? "" : o.etag);
	return 0;
}

/* Copy the index and its log: 1 if one of them has changed meanwhile. */
static int fetch(struct lh_store *store, const char *const key[2], const char *const path[2],
		 struct lh_transfer done[2], struct lh_err *err)
{
	char etag[2][LH_ETAG_MAX];
	int i;

	for (i = 0; i < 2; i++)
		if (look(store, key[i], !i, etag[i], err) < 0)
			return -1;
	unlink(path[1]);
	for (i = 1; i >= 0; i--) {	/* the index last, which makes the copy complete */
		if (!*etag[i])
			continue;
		if (lh_store_get_file(store, key[i], path[i], &done[i], err) < 0)
			return err->status == 404 ? 1 : -1;
		if (strcmp(done[i].etag, etag[i]) != 0)
			return 1;
	}
	return 0;
}

int index_fetch(struct lh_tool *tool, void *settings)
{
	struct lh_store_opts opts = LH_STORE_DEFAULTS;
	struct fetched fetched = { .tool = tool };
	const char *object = tool->operands[0], *path = tool->operands[1], *key;
	LH_SCOPED(lh_buf_free) struct lh_buf log = { 0 }, log_key = { 0 };
	struct lh_transfer done[2] = { { .size = 0 } };
	struct lh_store *store;
	int rc = 1, tries;

	(void)settings;
	opts.moved = on_moved;
	opts.context = &fetched;
	store = lh_store_of(object, &opts, &key, &tool->err);
	if (!store)
		return -1;
	lh_buf_printf(&log, "%s-log", path);
	lh_buf_putc(&log, '\0');
	lh_buf_printf(&log_key, "%s-log", key);
	lh_buf_putc(&log_key, '\0');
	for (tries = 0; rc > 0 && tries < TRIES; tries++)
		rc = fetch(store, (const char *const[]){ key, log_key.p },
			   (const char *const[]){ path, log.p }, done, &tool->err);
	lh_store_close(store);
	if (rc > 0)
		rc = lh_err_set(&tool->err, LH_ENET, "%s: changes all the time", object);
	return rc ? -1 : print_moved(tool, "fetched", object, done, done[1].size > 0);
}

int index_push(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	const char *path = tool->operands[0], *object = tool->operands[1], *key;
	struct lh_store_opts opts = LH_STORE_DEFAULTS;
	struct lh_transfer done[2];
	struct lh_store *store;
	int fd[2], rc = -1;

	if (!lh_store_is_s3(object))
		return lh_tool_usage(tool, "push: \"%s\" is not s3://BUCKET/KEY", object);
	store = lh_store_of(object, &opts, &key, &tool->err);
	if (store && lh_index_open_files(path, s->lock_timeout, fd, &tool->err) == 0) {
		const struct lh_put put = { .fd = fd[0] };

		rc = lh_index_is(fd[0]) ?
			lh_store_put_two(store, key, &put, "-log", fd[1], done, &tool->err) :
			lh_err_set(&tool->err, LH_ECORRUPT, "%s: is not an index", path);
		close(fd[0]);
		if (fd[1] >= 0)
			close(fd[1]);
	}
	lh_store_close(store);
	return rc ? -1 : print_moved(tool, "pushed", object, done, fd[1] >= 0);
}
