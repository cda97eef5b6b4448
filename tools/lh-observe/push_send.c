/* push_send.c - send batches; a request that fails is tried again by lh_http_call. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "push.h"

void push_scrub(const struct push *p, const char *text, size_t n, size_t most, struct lh_buf *out)
{
	lh_secret_scrub(p->secret, sizeof p->secret / sizeof *p->secret, text, n, most, out);
}

/* Replace the message of an error by one without the keys. */
static int scrub_error(const struct push *p, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	push_scrub(p, err->msg, strlen(err->msg), sizeof err->msg - 1, &text);
	if (!text.failed && text.len < sizeof err->msg) {
		memcpy(err->msg, text.p ? text.p : "", text.len);
		err->msg[text.len] = '\0';
	}
	return -1;
}

static void make_body(struct push *p, struct item **v, size_t n)
{
	size_t i;

	lh_buf_reset(&p->body);
	lh_buf_puts(&p->body, otlp_head);
	for (i = 0; i < n; i++) {
		if (i)
			lh_buf_putc(&p->body, ',');
		lh_buf_add(&p->body, p->batch.json.p + v[i]->json, v[i]->n_json);
	}
	lh_buf_puts(&p->body, otlp_tail);
}

static int send_items(struct push *p, struct item **v, size_t n, struct lh_err *err);

static int send_halves(struct push *p, struct item **v, size_t n, struct lh_err *err)
{
	return send_items(p, v, n / 2, err) < 0 ? -1 : send_items(p, v + n / 2, n - n / 2, err);
}

/* Send these items.  A request that is too large is divided. */
static int send_items(struct push *p, struct item **v, size_t n, struct lh_err *err)
{
	struct lh_http_call call = { .url = p->url };
	struct lh_http_reply reply;
	size_t i;

	make_body(p, v, n);
	if (p->body.len > p->run->s->batch_size && n > 1)
		return send_halves(p, v, n, err);
	call.body = p->body.p;
	call.n = p->body.len;
	if (!p->run->s->otlp)
		call.basic = (const char *)p->secret[1].p;
	else
		call.bearer = (const char *)p->secret[1].p;
	if (lh_http_call(p->http, &call, &reply, err) < 0)
		return scrub_error(p, err);
	if (reply.status == 413 && n > 1)
		return send_halves(p, v, n, err);
	if (reply.status == 413) {
		v[0]->state = REJECTED;
		v[0]->why = "too large for the server";
		return 0;
	}
	if (reply.status / 100 != 2) {
		lh_http_refuse(err, p->url, &reply, NULL);
		return scrub_error(p, err);
	}
	if (otlp_take(p, &reply, err) < 0)
		return scrub_error(p, err);
	for (i = 0; i < n; i++)
		v[i]->state = ACCEPTED;
	return 0;
}

int push_batch(struct push *p, struct lh_err *err)
{
	struct batch *b = &p->batch;
	LH_SCOPED(lh_free_local) struct item **v = lh_calloc(b->n + 1, sizeof *v);
	size_t i, n = 0;

	for (i = 0; i < b->n; i++)
		if (b->v[i].state == PENDING)
			v[n++] = &b->v[i];
	return n ? send_items(p, v, n, err) : 0;
}
