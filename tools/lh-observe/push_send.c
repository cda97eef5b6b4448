/* push_send.c - send batches, and try again what failed. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/signal.h"
#include "push.h"

#define FIRST_PAUSE 0.25	/* seconds, doubling */

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

static int make_body(struct push *p, struct item **v, size_t n, struct lh_err *err)
{
	size_t i;

	lh_buf_reset(&p->body);
	lh_buf_puts(&p->body, p->service->head);
	for (i = 0; i < n; i++) {
		if (i)
			lh_buf_putc(&p->body, ',');
		lh_buf_add(&p->body, p->batch.json.p + v[i]->json, v[i]->n_json);
	}
	lh_buf_puts(&p->body, p->service->tail);
	return lh_buf_check(&p->body, err);
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

	if (make_body(p, v, n, err) < 0)
		return -1;
	if (p->body.len > p->run->s->batch_size && n > 1)
		return send_halves(p, v, n, err);
	call.body = p->body.p;
	call.n = p->body.len;
	if (p->service == &langfuse)
		call.basic = (const char *)p->secret[1].p;
	else
		call.bearer = (const char *)p->secret[1].p;
	if (lh_http_call(p->http, &call, &reply, err) < 0)
		return scrub_error(p, err);
	if (reply.status == 413 && n > 1)
		return send_halves(p, v, n, err);
	if (reply.status == 413) {
		v[0]->state = REJECTED;
		v[0]->status = 413;
		snprintf(v[0]->why, sizeof v[0]->why, "too large for the server");
		return 0;
	}
	if (reply.status / 100 != 2) {
		lh_http_refuse(err, p->url, &reply, NULL);
		return scrub_error(p, err);
	}
	return p->service->take(p, v, n, &reply, err) < 0 ? scrub_error(p, err) : 0;
}

/* Wait before try n + 1, at most the timeout of a request. */
static int wait_before(const struct push *p, unsigned n, struct lh_err *err)
{
	double left = FIRST_PAUSE * (double)(1u << (n < 16 ? n : 16));

	if (left > p->run->s->timeout)
		left = p->run->s->timeout;
	for (; left > 0; left -= 0.05) {
		if (lh_stopping())
			return lh_err_set(err, LH_EINTR, "interrupted");
		nanosleep(&(struct timespec){ 0, (long)((left < 0.05 ? left : 0.05) * 1e9) }, NULL);
	}
	return 0;
}

/* Return whether a row that was refused so may be taken later, unchanged. */
static bool is_temporary(unsigned status)
{
	return status < 400 || status == 401 || status == 403 || status == 408 || status == 429 ||
	       status >= 500;
}

/* After the last try: reject what the server will not take; fail if it may take the rest. */
static int settle(struct push *p, struct item **v, size_t n, struct lh_err *err)
{
	const struct item *left = NULL;
	size_t i;

	for (i = 0; i < n; i++)
		if (!is_temporary(v[i]->status))
			v[i]->state = REJECTED;
		else if (!left)
			left = v[i];
	if (!left)
		return 0;
	return lh_err_set(err, LH_ENET, "%s: line %llu is not accepted: %u %s", p->url,
			  (unsigned long long)left->number, left->status,
			  left->why[0] ? left->why : "no reason given");
}

int push_batch(struct push *p, struct lh_err *err)
{
	struct batch *b = &p->batch;
	LH_SCOPED(lh_free_local) struct item **v = lh_calloc(b->n + 1, sizeof *v, err);
	size_t i, n;
	unsigned try;
	int rc = v ? 0 : -1;

	for (try = 0; !rc; try++) {
		for (i = n = 0; i < b->n; i++)
			if (b->v[i].state == PENDING)
				v[n++] = &b->v[i];
		if (!n)
			break;
		if (try > p->run->s->retries) {
			rc = settle(p, v, n, err);
			break;
		}
		if (try)
			rc = wait_before(p, try - 1, err);
		if (!rc)
			rc = send_items(p, v, n, err);
	}
	return rc;
}
