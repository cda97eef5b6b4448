/*
 * chat_api - what a provider's API is: how a question is written, and where
 * in the answer things stand.  Private to liblh.
 */
#ifndef LH_CHAT_API_H
#define LH_CHAT_API_H

#include "chat.h"

struct lh_chat_api {
	const char *path;	/* behind the provider's address */
	void (*write)(struct lh_buf *body, const struct lh_chat_request *q, struct lh_str model);
	/* The parts of a checked answer; -1 with the reason (LH_EDATA or LH_ENOMEM),
	 * texts unescaped in scratch. */
	int (*read)(const struct lh_value *root, struct lh_buf *scratch, struct lh_chat_reply *reply, struct lh_err *why);
};

const struct lh_chat_api *lh_chat_api(enum lh_provider p);

#endif
