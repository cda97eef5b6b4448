/*
 * spool.c - bodies that are in files, not in memory: objects to store, tables to ingest, and
 * objects as answers.  See serve.h.
 *
 * A body is written to a file of the state's folder spool/ as it comes, and the filter is given
 * the path of the complete file; so nothing that a client does in the middle reaches the
 * store, and a slow client costs no process.  An object to read is written to such a file by
 * the filter, and sent once it is complete.  The files of a server that was killed are removed
 * at the next start.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include "json/bind.h"
#include "json/write.h"
#include "serve.h"
#include "serve/body.h"

#define RETRY 5			/* seconds until a client shall try again */
#define SMALL (64 << 10)	/* bytes of a body that has a place while it comes alone */

struct spool {
	int fd;
	char *path;
	struct lh_multipart *form;
	enum spool_kind kind;
	bool counted;			/* among those of its kind */
};

int spool_open(struct request *r, struct lh_err *err)
{
	const enum lh_route_kind kind = r->route->route->kind;
	struct spool *sp = r->spool = lh_calloc(1, sizeof *sp);
	struct lh_buf folder = { 0 };

	sp->fd = -1;
	sp->kind = kind == LH_ROUTE_GET ? SPOOL_DOWNLOAD : SPOOL_UPLOAD;
	r->http.upload = sp->kind == SPOOL_UPLOAD;
	sp->counted = spool_hold(r, sp->kind);
	if (!sp->counted) {
		r->reply.retry = RETRY;
		return lh_err_data(err, 503, "too many bodies at one time");
	}
	lh_buf_puts(&folder, r->site->config.state);
	lh_buf_add(&folder, "/spool", sizeof "/spool");
	/* lh_sweep_below removes it if this process is killed */
	sp->fd = lh_tmp_create(folder.p, "body", 0600, &sp->path, err);
	lh_buf_free(&folder);
	if (sp->fd >= 0)
		return 0;
	lh_tool_warn(r->server->tool, "%s", err->msg);
	return lh_err_data(err, 503, "there is no room for the body");
}

static void leave_place(struct request *r)
{
	if (r->spool->counted)
		spool_release(r, r->spool->kind);
	r->spool->counted = false;
}

void spool_free(struct request *r)
{
	struct spool *sp = r->spool;

	if (!sp)
		return;
	leave_place(r);
	lh_multipart_free(sp->form);
	if (sp->fd >= 0) {
		unlink(sp->path);
		close(sp->fd);
	}
	free(sp->path);
	free(sp);
	r->spool = NULL;
}

/* ---- bodies ---- */

static int write_body(void *request, const char *p, size_t n, struct lh_err *err)
{
	struct request *r = request;

	if (state_take(r, n, err) < 0)
		return -1;
	if (lh_write_all(r->spool->fd, p, n, err) == 0)
		return 0;
	lh_tool_warn(r->server->tool, "%s: %s", r->spool->path, err->msg);
	return lh_err_data(err, 503, "there is no room for the body");
}

int upload_begin(struct request *r, const char *type, struct lh_err *err)
{
	if (spool_open(r, err) < 0)
		return -1;
	if (r->route->route->kind == LH_ROUTE_INGEST && lh_is_multipart(type)) {
		r->spool->form = lh_multipart_new(type, "file", write_body, r, err);
		return r->spool->form ? 0 : -1;
	}
	return 0;
}

int upload_more(struct request *r, const char *p, size_t n, struct lh_err *err)
{
	return r->spool->form ? lh_multipart_more(r->spool->form, p, n, err)
			      : write_body(r, p, n, err);
}

int upload_end(struct request *r, struct lh_err *err)
{
	if (r->spool->form && lh_multipart_end(r->spool->form, err) < 0)
		return -1;
	if (r->route->route->kind == LH_ROUTE_INGEST && !r->spool->form && !r->http.counted)
		return lh_err_set(err, LH_EDATA, "there is no file: the body is empty");
	if (r->http.counted <= SMALL)	/* what waits now is bounded by the filter's queue */
		leave_place(r);
	return 0;
}

/* Write the members that name the file. */
void spool_members(const struct request *r, struct lh_writer *w)
{
	struct lh_str name = { NULL, 0 };

	if (!r->spool)
		return;
	lh_write_text(w, "file", r->spool->path);
	if (r->spool->form)
		name = lh_multipart_filename(r->spool->form);
	if (name.n && lh_utf8_valid(name.p, name.n) && !lh_route_arg(&r->path, "filename").p)
		lh_write_str(w, "filename", name);
}

/* ---- objects as answers ---- */

struct object {				/* the reply of lh-store to get, or to put */
	uint64_t size, status;
	struct lh_str etag;
};
static const struct lh_bind object_members[] = {
	{ LH_BIND_U64("size", struct object, size, 0, INT64_MAX), .required = true },
	{ LH_BIND_U64("status", struct object, status, 0, 999) },
	{ LH_BIND_STRING("etag", struct object, etag) },
	LH_BIND_END
};
#define NOT_MODIFIED 304

static bool is_etag(struct lh_str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == '"' || s.p[i] == 0x7f || s.p[i] & 0x80)
			return false;
	return s.n > 0 && s.n < sizeof ((struct reply *)0)->etag - 3;
}

/* Read what lh-store says of an object; its ETag becomes that of the answer. */
static int read_object(struct request *r, const struct lh_record *rec, struct object *o)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_err err;

	if (lh_bind(object_members, rec, o, &text, &err) < 0)
		return -1;
	if (is_etag(o->etag))
		snprintf(r->reply.etag, sizeof r->reply.etag, "\"%.*s\"", (int)o->etag.n,
			 o->etag.p);
	return 0;
}

static ssize_t read_nothing(void *ctx, uint64_t at, char *to, size_t max)
{
	(void)ctx;
	(void)at;
	(void)to;
	(void)max;
	return READ_FAILED;
}

/* Return whether the file of an answer is as long as the filter says. */
static bool is_complete(const struct request *r, const struct object *o)
{
	struct stat st;

	return !r->spool || (fstat(r->spool->fd, &st) == 0 && (uint64_t)st.st_size == o->size);
}

/* Make the file the answer; for HEAD, and for a reader that has the object, its size alone. */
void object_answer(struct request *r, const struct lh_record *rec)
{
	struct object o = { .status = 200 };
	const bool is_read = read_object(r, rec, &o) == 0, has_it = o.status == NOT_MODIFIED;
	const bool in_file = r->spool && !has_it;

	if (!is_read || (!has_it && !is_complete(r, &o))) {
		answer_error(r, 502, "the filter's answer is not that of an object");
		return;
	}
	r->reply.size = o.size;
	r->reply.in_file = in_file;
	r->reply.file = in_file ? r->spool->fd : -1;
	r->reply.read = in_file ? NULL : read_nothing;
	r->reply.type = "application/octet-stream";
	lh_buf_reset(&r->reply.body);
	answer(r, has_it ? NOT_MODIFIED : 200);
}

void answer_stored(struct request *r, const struct lh_record *rec, unsigned status)
{
	struct object o = { 0 };

	if (r->route->route->kind == LH_ROUTE_PUT && status == 200)
		read_object(r, rec, &o);
	answer(r, status);
}
