/*
 * chat_api - the API of a provider: how a request is written, and where the parts
 * of a reply are.
 */
#ifndef LH_CHAT_API_H
#define LH_CHAT_API_H

#include "chat.h"

struct lh_chat_api {
	const char *path;	/* after the provider's address */
	void (*write)(struct lh_buf *body, const struct lh_chat_request *q, struct lh_str model);
	/* Read the parts of a checked reply; -1 with the reason (LH_EDATA or
	 * LH_ENOMEM).  Texts are unescaped in scratch. */
	int (*read)(const struct lh_value *root, struct lh_buf *scratch,
		    struct lh_chat_reply *reply, struct lh_err *why);
};

const struct lh_chat_api *lh_chat_api(enum lh_provider p);

#endif
