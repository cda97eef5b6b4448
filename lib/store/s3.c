/* s3.c - open a store in S3; head, delete, list.  See store.h. */
#include "s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/curl.h"

/* ---- the objects of a bucket, page by page ---- */

struct pages {
	struct s3 *s;
	const char *prefix;	/* of the caller */
	store_each each;
	void *context;
	struct s3_document doc;	/* the page; callbacks may use the store */
	struct lh_buf query, last;	/* last: the last key so far, with the store's prefix */
};

static void make_query(struct pages *l)
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

	make_query(l);
	if (lh_s3_call(s, &(struct s3_request){ .method = "GET", .query = l->query.p }, err) < 0)
		return -1;
	if (s->reply.status != 200)
		return lh_s3_refuse(s, NULL, err);
	if (lh_s3_document_read(&l->doc, s->reply.body.p, s->reply.body.len, err) < 0)
		return lh_err_prefix(err, "%s", s->base);
	if (strcmp(l->doc.root, "ListBucketResult") == 0)
		return 0;
	return strcmp(l->doc.root, "Error") == 0 ? lh_s3_refuse(s, NULL, err)
		: refuse_list(l, "no ListBucketResult", err);
}

static int lh_s3_list(struct lh_store *store, const char *prefix, store_each each, void *context,
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

/* ---- a store ---- */

#define REPLY_MAX ((size_t)16 << 20)	/* bytes of an answer in memory */

/* ---- open ---- */

static const char *variable(const char *name, const char *otherwise)
{
	const char *v = getenv(name);

	return v && *v ? v : otherwise;
}

static int check_endpoint(const char *url, struct lh_err *err)
{
	if (lh_http_check_url(url, err) < 0)
		return lh_err_prefix(err, "LH_S3_ENDPOINT");
	if (lh_url_has_user(url) || strpbrk(url, "?#"))
		return lh_err_set(err, LH_EUSAGE, "LH_S3_ENDPOINT: it may hold no user-info, "
				  "no ? and no #");
	return 0;
}

static int check_words(const char *bucket, size_t n, const char *region, struct lh_err *err)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._";

	if (n < 3 || n > 255 || strspn(bucket, plain) < n || *bucket == '.' || *bucket == '-')
		return lh_err_set(err, LH_EUSAGE, "\"%.*s\" is not the name of a bucket",
				  (int)(n < 300 ? n : 300), bucket);
	if (region[strspn(region, plain)])
		return lh_err_set(err, LH_EUSAGE, "AWS_REGION: \"%s\" is not a region", region);
	return 0;
}

/* Return the prefix p, without "/" at its end, with one: "a/b/" or "". */
static char *make_prefix(const char *p, struct lh_err *err)
{
	size_t n = strlen(p);
	char *prefix;

	if (n && p[n - 1] == '/')
		n--;
	if (n && lh_store_check_key(p, n, err) < 0) {
		err->code = LH_EUSAGE;
		return NULL;
	}
	prefix = lh_calloc(n + 2, 1);
	if (n) {
		memcpy(prefix, p, n);
		prefix[n] = '/';
	}
	return prefix;
}

static int set_up(struct s3 *s, const char *where, struct lh_err *err)
{
	const char *bucket = where + sizeof LH_STORE_PREFIX - 1;
	const char *region = variable("AWS_REGION", "us-east-1");
	const char *endpoint = variable("LH_S3_ENDPOINT", NULL);
	size_t n = strcspn(bucket, "/");
	struct lh_buf b = { 0 }, sig = { 0 };
	int len;

	if (check_words(bucket, n, region, err) < 0 ||
	    (endpoint && check_endpoint(endpoint, err) < 0))
		return -1;
	s->prefix = make_prefix(bucket + n + (bucket[n] == '/'), err);
	if (!s->prefix)
		return -1;
	len = endpoint ? (int)strlen(endpoint) : 0;
	while (len && endpoint[len - 1] == '/')
		len--;
	if (endpoint)
		lh_buf_printf(&b, "%.*s/%.*s", len, endpoint, (int)n, bucket);
	else if (memchr(bucket, '.', n))	/* the certificate is for one label */
		lh_buf_printf(&b, "https://s3.%s.amazonaws.com/%.*s", region, (int)n, bucket);
	else
		lh_buf_printf(&b, "https://%.*s.s3.%s.amazonaws.com", (int)n, bucket, region);
	lh_buf_putc(&b, '\0');
	lh_buf_printf(&sig, "aws:amz:%s:s3", region);
	lh_buf_putc(&sig, '\0');
	s->base = b.p;
	s->sigv4 = sig.p;
	return 0;
}

static void s3_close(struct lh_store *store)
{
	struct s3 *s = (struct s3 *)store;

	if (s->curl)
		lh_curl.cleanup(s->curl);
	lh_s3_account_wipe(&s->account);
	lh_s3_document_free(&s->doc);
	lh_buf_free(&s->url);
	if (s->line.p)
		explicit_bzero(s->line.p, s->line.cap);
	lh_buf_free(&s->line);
	lh_buf_free(&s->reply.body);
	free(s->base);
	free(s->prefix);
	free(s->sigv4);
}

int lh_s3_no_condition(struct lh_err *err)
{
	return lh_err_data(err, 501, "a store in S3 is asked no condition but \"If-None-Match: *\" "
			   "of a put");
}

static int s3_remove(struct lh_store *store, const char *key, const struct lh_conditions *when,
		     struct lh_err *err)
{
	struct s3 *s = (struct s3 *)store;
	struct lh_object o;

	if (when && (when->match || when->none_match))
		return lh_s3_no_condition(err);
	/* DELETE answers 204 also if there is nothing */
	if (lh_s3_head(store, key, &o, err) < 0 ||
	    lh_s3_call(s, &(struct s3_request){ .method = "DELETE", .key = key }, err) < 0)
		return -1;
	return s->reply.status == 204 || s->reply.status == 200 ? 0 : lh_s3_refuse(s, key, err);
}

struct lh_store *lh_store_s3_open(const char *where, const struct lh_store_opts *opts,
				  struct lh_err *err)
{
	static const struct store_kind kind = {
		.put = lh_s3_put, .get = lh_s3_get, .head = lh_s3_head, .list = lh_s3_list,
		.remove = s3_remove, .close = s3_close,
	};
	struct s3 *s = lh_calloc(1, sizeof *s);

	s->store.kind = &kind;
	s->seed = (unsigned)((uintptr_t)s >> 4) ^ (unsigned)time(NULL) ^ (unsigned)getpid();
	lh_buf_init(&s->reply.body, REPLY_MAX);
	if (set_up(s, where, err) == 0 &&
	    lh_s3_account_read(&s->account, opts->key_file, err) == 0 &&
	    lh_curl_load(err) == 0) {
		s->curl = lh_curl.init();
		if (s->curl)
			return &s->store;
		lh_err_nomem(err);
	}
	s3_close(&s->store);
	free(s);
	return NULL;
}

/* ---- head ---- */

int lh_s3_head(struct lh_store *store, const char *key, struct lh_object *o, struct lh_err *err)
{
	struct s3 *s = (struct s3 *)store;

	if (lh_s3_call(s, &(struct s3_request){ .method = "HEAD", .key = key }, err) < 0)
		return -1;
	if (s->reply.status != 200)
		return lh_s3_refuse(s, key, err);
	if (lh_s3_check_object(s, key, err) < 0)
		return -1;
	if (s->reply.length < 0)
		return lh_err_set(err, LH_ENET, "\"%s\": %s: no length in the answer", key,
				  s->base);
	snprintf(store->etag, sizeof store->etag, "%s", s->reply.etag);
	*o = (struct lh_object){ key, (uint64_t)s->reply.length, store->etag, s->reply.modified };
	return 0;
}
