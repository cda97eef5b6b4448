/* fetch.c - lh-index fetch and push: copy an index from S3 into the cache, or to S3. */
#include <stdlib.h>
#include <unistd.h>

#include "file/file.h"
#include "index/index_tools.h"
#include "json/write.h"
#include "index.h"
#include "store/store.h"

#define CACHE_SIZE ((uint64_t)10 << 30)

/* Find the folder of the cache: LH_CACHE, or below the user's cache folder. */
static int cache_folder(struct lh_buf *path, struct lh_err *err)
{
	const char *own = getenv("LH_CACHE");

	if (own && *own)
		lh_buf_puts(path, own);
	else if (lh_user_cache(path))
		lh_buf_puts(path, "/objects");
	else
		return lh_err_set(err, LH_EIO, "neither LH_CACHE nor XDG_CACHE_HOME nor HOME says "
				  "where the cache is");
	lh_buf_putc(path, '\0');
	return lh_buf_check(path, err);
}

static int cache_size(uint64_t *size, struct lh_err *err)
{
	const char *v = getenv("LH_CACHE_SIZE");

	*size = CACHE_SIZE;
	if (!v || !*v || lh_tool_read_size(v, size) == 0)
		return 0;
	return lh_err_set(err, LH_EUSAGE, "LH_CACHE_SIZE: \"%s\" is not a size, such as 500M or "
			  "10G", v);
}

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

int index_fetch(struct lh_tool *tool, void *settings)
{
	struct lh_store_opts opts = LH_STORE_DEFAULTS;
	struct fetched fetched = { .tool = tool };
	LH_SCOPED(lh_buf_free) struct lh_buf folder = { 0 }, path = { 0 };
	struct lh_cache cache = { 0 };
	int rc = cache_folder(&folder, &tool->err);

	(void)settings;
	opts.moved = on_moved;
	opts.context = &fetched;
	cache.folder = folder.p;
	if (!rc)
		rc = cache_size(&cache.max, &tool->err);
	if (!rc)
		rc = lh_cache_fetch(&cache, tool->operands[0], "-log", &opts, &path, &tool->err);
	if (!rc) {
		path.p[path.len - 1] = '\n';
		rc = lh_tool_out(tool, path.p, path.len);
	}
	return rc;
}

/* Print what was pushed: the object, the size of the index and that of its log. */
static int print_pushed(struct lh_tool *tool, const char *object, const struct lh_transfer *done,
			bool log)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	lh_write_object(&w, NULL);
	lh_write_text(&w, "pushed", object);
	lh_write_u64(&w, "size", done[0].size);
	lh_write_u64(&w, "log_size", log ? done[1].size : 0);
	lh_write_end(&w);
	return lh_tool_out_line(tool, &line);
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
	return rc ? -1 : print_pushed(tool, object, done, fd[1] >= 0);
}
