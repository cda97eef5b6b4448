/*
 * requests.c - the operations of lh-store requests.
 *
 * The bytes of an object are not in the records, but in a file that the record names: put
 * reads it, and get fills it.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "json/write.h"
#include "store.h"

#define LIST_MAX 10000			/* objects of an answer */

#define MEMBERS(has_key) \
	{ LH_BIND_STRING("key", struct request, key), .required = has_key, .no_nul = true, \
	  .path = true, .safe = true, \
	  .about = "the name of the object" }, \
	{ LH_BIND_STRING("file", struct request, file), .filled = true, .no_nul = true, \
	  .path = true, .about = "put: the file with its bytes; get: the one to write them to" }, \
	{ LH_BIND_STRING("if_match", struct request, match), .no_nul = true, \
	  .about = "only if the object has one of these ETags, in quotes, or * if there is one" }, \
	{ LH_BIND_STRING("if_none_match", struct request, none_match), .no_nul = true, \
	  .about = "only if it has none of these, or * if there is none" }, \
	{ LH_BIND_STRING("prefix", struct request, prefix), .no_nul = true, \
	  .about = "how the keys of a list begin" }, \
	LH_BIND_END
const struct lh_bind object_members[] = { MEMBERS(true) };
const struct lh_bind list_members[] = { MEMBERS(false) };

static void set_text(struct lh_buf *to, struct lh_str s)
{
	lh_buf_reset(to);
	lh_buf_add(to, s.p, s.n);
	lh_buf_putc(to, '\0');
}

/* Open the store: a folder for each request, because it may be replaced; S3 once, so that
 * connections stay open. */
static int begin(const struct lh_call *call, struct lh_str key, struct lh_str file,
		 struct lh_err *err)
{
	struct settings *s = call->settings;

	if (!lh_store_is_s3(call->tool->operands[0]) && store_open(s) < 0) {
		*err = call->tool->err;
		return -1;
	}
	set_text(&s->key, key);
	set_text(&s->file, file);
	return 0;
}

/* Take the conditions of a request. */
static void take_conditions(const struct lh_call *call, const struct request *q,
			   struct lh_conditions *to)
{
	struct settings *s = call->settings;

	set_text(&s->match, q->match);
	set_text(&s->none_match, q->none_match);
	*to = (struct lh_conditions){ q->match.p ? s->match.p : NULL,
				      q->none_match.p ? s->none_match.p : NULL };
}

/* Begin a change of an object, but not of one that manifests name; as the object "datasets" it
 * would be in the way of them all. */
static int begin_change(const struct lh_call *call, const struct request *q, struct lh_err *err)
{
	static const char folder[] = "datasets";
	const size_t n = sizeof folder - 1;
	const char *key;

	if (begin(call, q->key, q->file, err) < 0)
		return -1;
	key = ((const struct settings *)call->settings)->key.p;
	if (!strncmp(key, folder, n) && (!key[n] || key[n] == '/'))
		return lh_err_data(err, 403, "\"%s\": objects of datasets are changed by lh-ingest "
				   "alone", key);
	return 0;
}

/* ---- put, get and delete ---- */

int put_object(const struct lh_call *call, const void *in, struct lh_buf *out, struct lh_err *err)
{
	const struct settings *s = call->settings;
	struct lh_transfer done;
	struct lh_put how = { .fd = -1 };
	int rc;

	if (begin_change(call, in, err) < 0)
		return -1;
	take_conditions(call, in, &how.when);
	if (!((const struct request *)in)->file.p)
		return lh_err_set(err, LH_EDATA, "missing \"file\" (string)");
	how.fd = open(s->file.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (how.fd < 0)
		return lh_err_sys(err, "%s: cannot open", s->file.p);
	rc = lh_store_put(s->store, s->key.p, &how, &done, err);
	close(how.fd);
	if (!rc)
		transfer_write(out, s->key.p, &done);
	return rc;
}

static int get_file(const struct settings *s, struct lh_transfer *done, struct lh_err *err)
{
	int fd = open(s->file.p, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW), rc;

	if (fd < 0)
		return lh_err_sys(err, "%s: cannot open", s->file.p);
	rc = lh_store_get(s->store, s->key.p, fd, done, err);
	close(fd);
	return rc;
}

/* Check the conditions of a reader: 1 if it has the object already, which is the answer. */
static int check_reader(const struct lh_conditions *when, const char *etag, uint64_t size,
			struct lh_buf *out, struct lh_err *err)
{
	struct lh_writer w = lh_write_to(out);
	int rc = lh_conditions_check(when, etag, err);

	if (rc)
		return rc < 0 ? -1 : 0;
	lh_write_object(&w, NULL);
	lh_write_u64(&w, "size", size);
	lh_write_text(&w, "etag", etag);
	lh_write_u64(&w, "status", 304);
	lh_write_end(&w);
	return 1;
}

/* Without a file, describe the object.  With conditions, look at it first, so that none is copied
 * in vain; and at what was copied, since another may be there by then. */
int get_object(const struct lh_call *call, const void *in, struct lh_buf *out, struct lh_err *err)
{
	const struct settings *s = call->settings;
	const struct request *q = in;
	struct lh_conditions when;
	struct lh_transfer done;
	struct lh_object o;
	int rc;

	if (begin(call, q->key, q->file, err) < 0)
		return -1;
	take_conditions(call, q, &when);
	if (!q->file.p || when.match || when.none_match) {
		if (lh_store_head(s->store, s->key.p, &o, err) < 0)
			return -1;
		rc = check_reader(&when, o.etag, o.size, out, err);
		if (rc)
			return rc < 0 ? -1 : 0;
	}
	if (!q->file.p) {
		lh_object_write(out, &o);
		return 0;
	}
	if (get_file(s, &done, err) < 0)
		return -1;
	rc = check_reader(&when, done.etag, done.size, out, err);
	if (!rc)
		transfer_write(out, s->key.p, &done);
	return rc < 0 ? -1 : 0;
}

int delete_object(const struct lh_call *call, const void *in, struct lh_buf *out,
		  struct lh_err *err)
{
	const struct settings *s = call->settings;
	struct lh_conditions when;

	if (begin_change(call, in, err) < 0)
		return -1;
	take_conditions(call, in, &when);
	if (lh_store_delete(s->store, s->key.p, &when, err) < 0)
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

int list_objects(const struct lh_call *call, const void *in, struct lh_buf *out,
		 struct lh_err *err)
{
	const struct settings *s = call->settings;
	const struct request *q = in;
	struct list l = { .w = lh_write_to(out) };

	if (begin(call, q->prefix, q->file, err) < 0)
		return -1;
	lh_write_object(&l.w, NULL);
	lh_write_text(&l.w, "prefix", s->key.p);
	lh_write_array(&l.w, "objects");
	if (lh_store_list(s->store, s->key.p, add_object, &l, err) < 0)
		return -1;
	lh_write_end(&l.w);
	lh_write_bool(&l.w, "truncated", l.truncated);
	lh_write_end(&l.w);
	return 0;
}
