/*
 * requests.c - lh-store requests: each record names its operation.
 *
 * The bytes of an object are not in the records, but in a file that the record names: put
 * reads it, and get fills it.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "json/bind.h"
#include "json/write.h"
#include "store.h"
#include "tool/records.h"

#define LIST_MAX 10000			/* objects of an answer */

static const char *const ops[] = { "put", "get", "list", "delete", NULL };
enum op { PUT, GET, LIST, DELETE };

struct request {
	enum op op;
	struct lh_str key, file, prefix;
};
static const struct lh_bind request_members[] = {
	{ LH_BIND_INDEX("op", struct request, op, ops), .required = true },
	{ LH_BIND_STRING("key", struct request, key), .no_nul = true },
	{ LH_BIND_STRING("file", struct request, file), .filled = true, .no_nul = true },
	{ LH_BIND_STRING("prefix", struct request, prefix), .no_nul = true },
	LH_BIND_END
};

struct run {
	struct lh_tool *tool;
	const struct settings *settings;
	struct lh_store *store;
	struct lh_buf strings, text;
	bool failing;			/* a failure is reported already */
};

/* Copy a string with a NUL after it; *at: where it begins in r->text. */
static void copy(struct run *r, struct lh_str s, size_t *at)
{
	*at = r->text.len;
	lh_buf_add(&r->text, s.p, s.n);
	lh_buf_putc(&r->text, '\0');
}

/* ---- put and get ---- */

static int put(struct run *r, const char *key, const char *file, struct lh_buf *out,
	       struct lh_err *err)
{
	struct lh_put how = { .fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) };
	struct lh_transfer done;
	int rc;

	if (how.fd < 0)
		return lh_err_sys(err, "%s: cannot open", file);
	rc = lh_store_put(r->store, key, &how, &done, err);
	close(how.fd);
	if (!rc)
		transfer_write(out, key, &done);
	return rc;
}

static int get(struct run *r, const char *key, const char *file, struct lh_buf *out,
	       struct lh_err *err)
{
	int fd = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW), rc;
	struct lh_transfer done;

	if (fd < 0)
		return lh_err_sys(err, "%s: cannot open", file);
	rc = lh_store_get(r->store, key, fd, &done, err);
	close(fd);
	if (!rc)
		transfer_write(out, key, &done);
	return rc;
}

static int head(struct run *r, const char *key, struct lh_buf *out, struct lh_err *err)
{
	struct lh_object o;

	if (lh_store_head(r->store, key, &o, err) < 0)
		return -1;
	lh_object_write(out, &o);
	return 0;
}

static int delete(struct run *r, const char *key, struct lh_buf *out, struct lh_err *err)
{
	if (lh_store_delete(r->store, key, err) < 0)
		return -1;
	lh_buf_puts(out, LH_JSON({"status":204}));
	return 0;
}

/* ---- list ---- */

struct list {
	struct lh_writer w;
	size_t n;
	bool truncated;
};

static int add_object(void *list, const struct lh_object *o, struct lh_err *err)
{
	struct list *l = list;

	(void)err;
	if (l->n == LIST_MAX) {
		l->truncated = true;
		return 1;
	}
	l->n++;
	lh_write_key(&l->w, NULL);
	lh_object_write(l->w.out, o);
	return 0;
}

static int list(struct run *r, const char *prefix, struct lh_buf *out, struct lh_err *err)
{
	struct list l = { .w = lh_write_to(out) };

	lh_write_object(&l.w, NULL);
	lh_write_text(&l.w, "prefix", prefix);
	lh_write_array(&l.w, "objects");
	if (lh_store_list(r->store, prefix, add_object, &l, err) < 0)
		return -1;
	lh_write_end(&l.w);
	lh_write_bool(&l.w, "truncated", l.truncated);
	lh_write_end(&l.w);
	return 0;
}

/* ---- the command ---- */

/* Return whether the key is one of those that manifests name; as the object "datasets" it would
 * be in the way of them all. */
static bool is_of_dataset(const char *key)
{
	static const char folder[] = "datasets";
	const size_t n = sizeof folder - 1;

	return !strncmp(key, folder, n) && (!key[n] || key[n] == '/');
}

static int answer(struct run *r, const struct request *q, struct lh_buf *out,
		  struct lh_err *err)
{
	size_t key_at, file_at, prefix_at;
	const char *key, *file;

	lh_buf_reset(&r->text);
	copy(r, q->key, &key_at);
	copy(r, q->file, &file_at);
	copy(r, q->prefix, &prefix_at);
	if (lh_buf_check(&r->text, err) < 0)
		return -1;
	key = r->text.p + key_at;
	file = r->text.p + file_at;
	if (q->op == LIST)
		return list(r, r->text.p + prefix_at, out, err);
	if (!q->key.p)
		return lh_err_set(err, LH_EDATA, "missing \"key\" (string)");
	if (q->op != GET && is_of_dataset(key))
		return lh_err_data(err, 403, "\"%s\": objects of datasets are changed by lh-ingest "
				   "alone", key);
	if (q->op == DELETE)
		return delete(r, key, out, err);
	if (q->op == PUT && !q->file.p)
		return lh_err_set(err, LH_EDATA, "missing \"file\" (string)");
	if (q->op == PUT)
		return put(r, key, file, out, err);
	return q->file.p ? get(r, key, file, out, err) : head(r, key, out, err);
}

/* Open the store: a folder for each request, because it may be replaced; S3 once, so that
 * connections stay open. */
static int open_store(struct run *r, struct lh_err *err)
{
	if (r->store && lh_store_is_s3(r->tool->operands[0]))
		return 0;
	lh_store_close(r->store);
	r->store = store_operand(r->tool, r->settings, 0);
	if (!r->store)
		*err = r->tool->err;
	return r->store ? 0 : -1;
}

/* A store that is full, locked or away costs its request, not the process; what is wrong with
 * it is on stderr only. */
static int on_request(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err)
{
	struct run *r = run;
	struct request q = { .prefix = { "", 0 } };

	if (lh_bind(request_members, rec, &q, &r->strings, err) < 0)
		return -1;
	if (open_store(r, err) == 0 && answer(r, &q, out, err) == 0) {
		r->failing = false;
		return 0;
	}
	return lh_records_unavailable(r->tool, &r->failing, err->code == LH_ENET
				      ? "the store does not answer"
				      : "the store cannot be used at present", err);
}

int store_requests(struct lh_tool *tool, void *settings)
{
	struct run r = { .tool = tool, .settings = settings };
	const struct lh_flow flow = {
		.map = on_request, .shared = &r, .files = tool->operands + 1,
		.n_files = tool->n_operands - 1,
	};
	int rc = open_store(&r, &tool->err);

	tool->jobs = 1;
	if (!rc)
		rc = lh_records_run(tool, &flow);
	lh_store_close(r.store);
	lh_buf_free(&r.strings);
	lh_buf_free(&r.text);
	return rc;
}
