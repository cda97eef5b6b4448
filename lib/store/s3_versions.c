/* s3_versions.c - delete the older versions of an object.  See store.h. */
#include <stdlib.h>

#include "s3.h"

struct versions {
	struct s3 *s;
	const char *key;
	const struct lh_old_versions *each;
	struct s3_document doc;		/* a page */
	struct lh_buf query;
};

static void add_query(struct lh_buf *q, const char *name, const char *value)
{
	lh_buf_printf(q, "%s%s=", q->len ? "&" : "", name);
	lh_s3_encode(q, value, strlen(value), false);
}

/* Get a page of the versions of all keys that begin with the key; the first are its own. */
static int get_page(struct versions *v, struct lh_err *err)
{
	struct s3 *s = v->s;
	struct lh_buf *q = &v->query;

	lh_buf_reset(q);
	add_query(q, "encoding-type", "url");
	if (v->doc.token[0])	/* as it came, which is encoded */
		lh_buf_printf(q, "&key-marker=%s", v->doc.token);
	lh_buf_puts(q, "&prefix=");
	lh_s3_encode(q, s->prefix, strlen(s->prefix), false);
	lh_s3_encode(q, v->key, strlen(v->key), false);
	if (v->doc.next_version[0])
		add_query(q, "version-id-marker", v->doc.next_version);
	add_query(q, "versions", "");
	lh_buf_putc(q, '\0');
	if (lh_s3_call(s, &(struct s3_request){ .method = "GET", .query = q->p }, err) < 0)
		return -1;
	if (s->reply.status != 200)
		return lh_s3_refuse(s, NULL, err);
	if (lh_s3_document_read(&v->doc, s->reply.body.p, s->reply.body.len, err) < 0)
		return lh_err_prefix(err, "%s", s->base);
	return strcmp(v->doc.root, "ListVersionsResult") == 0 ? 0 :
	       lh_err_set(err, LH_ENET, "%s: no list of versions", s->base);
}

static int delete_version(struct versions *v, const char *version, struct lh_err *err)
{
	struct s3 *s = v->s;
	LH_SCOPED(lh_buf_free) struct lh_buf q = { 0 };

	add_query(&q, "versionId", version);
	lh_buf_putc(&q, '\0');
	if (lh_s3_call(s, &(struct s3_request){ .method = "DELETE", .key = v->key, .query = q.p },
		       err) < 0)
		return -1;
	return s->reply.status == 204 || s->reply.status == 200 ? 0 : lh_s3_refuse(s, v->key, err);
}

/* Delete those of a page, but for the one that is read; -1 for what ends the run. */
static int delete_page(struct versions *v, struct lh_err *err)
{
	const size_t skip = strlen(v->s->prefix), n = strlen(v->key);
	size_t i;

	for (i = 0; i < v->doc.n; i++) {
		const struct s3_entry *e = &v->doc.v[i];
		const char *version = v->doc.text.p + e->version;

		if (e->n_key != skip + n || memcmp(v->doc.text.p + e->key + skip, v->key, n) != 0)
			continue;
		if (e->latest)
			continue;
		if (delete_version(v, version, err) == 0)
			v->each->gone(v->each->ctx, version);
		else if (err->code == LH_ENOMEM || err->code == LH_EINTR)
			return -1;
		else
			v->each->stays(v->each->ctx, version, err);
	}
	return 0;
}

int lh_s3_delete_old(struct lh_store *store, const char *key, const struct lh_old_versions *each,
		     struct lh_err *err)
{
	struct versions v = { .s = (struct s3 *)store, .key = key, .each = each };
	int rc;

	do {
		rc = get_page(&v, err);
		if (rc < 0 && err->code != LH_ENOMEM && err->code != LH_EINTR) {
			each->stays(each->ctx, NULL, err);
			rc = 1;
		}
		if (!rc)
			rc = delete_page(&v, err);
	} while (!rc && v.doc.truncated);
	lh_s3_document_free(&v.doc);
	lh_buf_free(&v.query);
	return rc < 0 ? -1 : 0;
}
