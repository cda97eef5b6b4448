/* chat_child.c - ask language models through lh-chat as a child.  See coproc.h. */
#include "coproc.h"

#include <stdio.h>

#include <lh/num.h>

#include "json/bind.h"

static int start(struct lh_chat_child *c, struct lh_err *err)
{
	char timeout[LH_F64_MAX + 1] = "", retries[24];
	char *argv[] = { "lh-chat",   "-q",	    "-j1",	 "--wire",	  "--on-error",
			 "emit",      "--max-line", "2G",	 "--max-members", "1000000000",
			 "--timeout", timeout,	    "--retries", retries,	  NULL };

	lh_f64_print(timeout, c->timeout);
	snprintf(retries, sizeof retries, "%llu", (unsigned long long)c->retries);
	return lh_coproc_start(&c->child, argv, LH_KEYS_CHAT, err);
}

static int bad_answer(struct lh_err *err)
{
	return lh_err_set(err, LH_EIO, "lh-chat answered something else than a reply");
}

struct reply {
	struct lh_value error;
	struct lh_str content;
};
static const struct lh_bind reply_members[] = {
	{ LH_BIND_SOME("error", struct reply, error), .null = true },
	{ LH_BIND_STRING("content", struct reply, content), .lax = true },
	LH_BIND_END
};

static int read_reply(struct lh_chat_child *c, const struct lh_str *line, struct lh_str *content,
		      struct lh_err *err)
{
	struct reply r = { .content = { NULL, 0 } };

	if (lh_record_parse(&c->reply, line->p, line->n, err) < 0)
		return err->code == LH_ENOMEM ? -1 : bad_answer(err);
	if (lh_bind(reply_members, &c->reply, &r, &c->text, err) < 0)
		return -1;
	if (r.error.p)
		return lh_coproc_refusal(&r.error, err);
	*content = r.content;
	return r.content.p ? 0 : bad_answer(err);
}

int lh_chat_child_ask(struct lh_chat_child *c, const char *line, size_t n, struct lh_str *content,
		      struct lh_err *err)
{
	/* Each try may wait for its turn as long as for its answer. */
	double patience = 2 * c->timeout * (double)(c->retries + 1) + 60;
	struct lh_err ignored;
	struct lh_str reply;

	if (!c->child.pid && start(c, err) < 0)
		return -1;
	if (lh_coproc_ask(&c->child, line, n, patience, &reply, err) == 0)
		return read_reply(c, &reply, content, err);
	lh_coproc_stop(&c->child, &ignored);
	if (err->code == LH_ENET)
		err->code = LH_EIO;	/* lh-chat itself hangs */
	return -1;
}

void lh_chat_child_stop(struct lh_chat_child *c)
{
	struct lh_err ignored;

	lh_coproc_stop(&c->child, &ignored);
	lh_buf_free(&c->text);
	lh_record_free(&c->reply);
}
