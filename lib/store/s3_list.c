/* lh_s3_list.c - the objects of a bucket, page by page.  See store.h. */
#include <stdlib.h>

#include "s3.h"

struct pages {
	struct s3 *s;
	const char *prefix;	/* of the caller */
	store_each each;
	void *context;
	struct s3_document doc;	/* the page; callbacks may use the store */
	struct lh_buf query, last;	/* last: the last key so far, with the store's prefix */
};

static int make_query(struct pages *l)
{
	struct lh_buf *q = &l->query;

	lh_buf_reset(q);
	if (l->doc.token[0]) {
		lh_buf_puts(q, "continuation-token=");
		lh_s3_encode(q, l->doc.token, strlen(l->doc.token), false);
		lh_buf_putc(q, '&');
	}
	lh_buf_puts(q, "encoding-type=url&list-type=2&prefix=");
	lh_s3_encode(q, l->s->prefix, strlen(l->s->prefix), false);
	lh_s3_encode(q, l->prefix, strlen(l->prefix), false);
	lh_buf_putc(q, '\0');
	return q->failed;
}

static int by_key(const void *a, const void *b, void *text)
{
	const struct s3_entry *x = a, *y = b;
	const char *p = text;

	return lh_str_cmp((struct lh_str){ p + x->key, x->n_key },
			  (struct lh_str){ p + y->key, y->n_key });
}

static int refuse_list(struct pages *l, const char *why, struct lh_err *err)
{
	return lh_err_set(err, LH_ENET, "%s: bad list: %s", l->s->base, why);
}

/* Pass an object on, unless its key is not one of ours; "folder/" stands for a folder. */
static int pass_entry(struct pages *l, const struct s3_entry *e, struct lh_err *err)
{
	const char *text = l->doc.text.p, *key = text + e->key;
	size_t n = strlen(l->s->prefix), more = strlen(l->prefix);
	struct lh_err why;

	if (l->last.len && lh_str_cmp((struct lh_str){ key, e->n_key },
				      (struct lh_str){ l->last.p, l->last.len }) <= 0)
		return refuse_list(l, "its keys are not in the order of their bytes", err);
	lh_buf_reset(&l->last);
	lh_buf_add(&l->last, key, e->n_key);
	if (e->n_key < n + more || memcmp(key, l->s->prefix, n) != 0 ||
	    memcmp(key + n, l->prefix, more) != 0)
		return refuse_list(l, "a key does not have the prefix", err);
	if (lh_store_check_key(key + n, e->n_key - n, &why) < 0) {
		if (l->s->store.opts.refused && (e->size || !e->n_key || key[e->n_key - 1] != '/'))
			l->s->store.opts.refused(l->s->store.opts.context, &why);
		return 0;
	}
	return l->each(l->context, &(struct lh_object){ key + n, e->size, text + e->etag,
							e->modified }, err);
}

/* Handle a page: 1 to stop. */
static int pass_page(struct pages *l, struct lh_err *err)
{
	struct s3_document *d = &l->doc;
	size_t i;
	int rc = 0;

	if (d->n)
		qsort_r(d->v, d->n, sizeof *d->v, by_key, d->text.p);
	else if (d->truncated)
		return refuse_list(l, "an empty page that is not the last", err);
	for (i = 0; !rc && i < d->n; i++)
		rc = pass_entry(l, &d->v[i], err);
	return rc;
}

static int get_page(struct pages *l, struct lh_err *err)
{
	struct s3 *s = l->s;

	if (make_query(l))
		return lh_err_nomem(err);
	if (lh_s3_call(s, &(struct s3_request){ .method = "GET", .query = l->query.p }, err) < 0)
		return -1;
	if (s->reply.status != 200)
		return lh_s3_refuse(s, NULL, err);
	if (lh_s3_document_read(&l->doc, s->reply.body.p, s->reply.body.len, err) < 0)
		return lh_err_prefix(err, "%s", s->base);
	return strcmp(l->doc.root, "ListBucketResult") == 0 ? 0
		: refuse_list(l, "no ListBucketResult", err);
}

int lh_s3_list(struct lh_store *store, const char *prefix, store_each each, void *context,
	       struct lh_err *err)
{
	struct s3 *s = (struct s3 *)store;
	struct pages l = { .s = s, .prefix = prefix, .each = each, .context = context };
	int rc;

	do {
		rc = get_page(&l, err);
		if (!rc)
			rc = pass_page(&l, err);
	} while (!rc && l.doc.truncated);
	lh_s3_document_free(&l.doc);
	lh_buf_free(&l.query);
	lh_buf_free(&l.last);
	return rc < 0 ? -1 : 0;
}
