/*
 * chat_child - ask language models through lh-chat as a child.
 *
 *     struct lh_chat_child c = { .timeout = 180, .retries = 2 };
 *
 *     if (lh_chat_child_ask(&c, line, n, &content, &err) == 0)
 *             ... content is the answer, valid until the next call
 *     lh_chat_child_stop(&c);
 *
 * The first question starts the child; one after a failure starts another.
 *
 * Errors:  those of coproc.h, but LH_EIO if lh-chat itself hangs; LH_EIO if it answers
 *          anything other than a reply; what lh_coproc_refusal reports if the model
 *          cannot be asked.
 * Threads: one thread per struct.
 */
#ifndef LH_CHAT_CHILD_H
#define LH_CHAT_CHILD_H

#include <lh/str.h>

#include "coproc.h"

struct lh_chat_child {
	double timeout;		/* seconds of a call to a model */
	uint64_t retries;	/* of a call */

	/* private */
	struct lh_coproc child;
	struct lh_record reply;
	struct lh_buf text;
};

/* Send a record of lh-chat (without an LF in it), and read the answer of the model. */
int lh_chat_child_ask(struct lh_chat_child *c, const char *line, size_t n, struct lh_str *content,
		      struct lh_err *err);

/* End the child, and free what the struct has. */
void lh_chat_child_stop(struct lh_chat_child *c);

#endif
