/*
 * target - where requests go, and what each of them begins with.
 *
 *     target_open(&t, "http://127.0.0.1:3110/v1/embed", err);
 *     target_headers(&t, headers, token_file, err);
 *     target_request(&t, "POST", t.path, body, &out);
 *     target_close(&t);
 *
 * Errors: LH_EUSAGE for an address, a header or a token that cannot be used; LH_EIO for a
 *         name that is not resolved and for the file.
 */
#ifndef TARGET_H
#define TARGET_H

#include <sys/socket.h>

#include <lh/buf.h>
#include <lh/str.h>

#include "crypto/secret.h"
#include "tool/tool.h"

struct target {
	char *host, *port, *path;	/* path with the query; "/" without one */
	struct addrinfo *list;
	struct lh_buf headers;		/* of each request, Host included */
	struct lh_secret token;
};

int target_open(struct target *t, const char *url, struct lh_err *err);
int target_headers(struct target *t, const struct lh_list *headers, const char *token_file,
		   struct lh_err *err);
void target_close(struct target *t);

/* Append a request; body.p NULL: it has none. */
void target_request(const struct target *t, const char *method, struct lh_str path,
		    struct lh_str body, struct lh_buf *out);

#endif
