/* target.c - where requests go.  See target.h. */
#include "target.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <strings.h>

#include "base/mem.h"
#include "net/curl.h"

#define TOKEN_MAX 4096

static int refuse(struct lh_err *err, const char *url, const char *why)
{
	return lh_err_set(err, LH_EUSAGE, "\"%.200s\" is not an address like "
			  "http://127.0.0.1:3110/v1/embed: %s", url, why);
}

/* Copy host and port of "host:port", "[::1]:port", "host". */
static int split(struct target *t, const char *url, struct lh_str authority, struct lh_err *err)
{
	struct lh_str port, host = lh_url_divide(authority, &port);
	bool v6 = *authority.p == '[';

	if (v6 && !memchr(authority.p, ']', authority.n))
		return refuse(err, url, "[ without ]");
	if (host.n == (v6 ? 2 : 0))
		return refuse(err, url, "no host");
	if ((v6 && host.p[host.n - 1] != ']') || (port.p && !lh_url_port(port)))
		return refuse(err, url, "a wrong port");
	t->host = lh_strndup(host.p + v6, host.n - 2 * v6);
	t->port = port.p ? lh_strndup(port.p, port.n) : lh_strndup("80", 2);
	return 0;
}

static int parse(struct target *t, const char *url, struct lh_err *err)
{
	const char *at = url + 7, *p;
	size_t n;

	if (!strncasecmp(url, "https://", 8))
		return refuse(err, url, "TLS is not supported");
	if (strncasecmp(url, "http://", 7))
		return refuse(err, url, "no http://");
	for (p = url; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f ||
		    strchr("\"<>\\^`{|}", *p))
			return refuse(err, url, "a byte that must be percent-encoded");
	n = strcspn(at, "/?#");
	if (memchr(at, '@', n))
		return refuse(err, url, "user-info, which is given by --token-file or --header");
	if (strchr(at, '#'))
		return refuse(err, url, "a fragment");
	if (!n)
		return refuse(err, url, "no host");
	if (split(t, url, (struct lh_str){ at, n }, err) < 0)
		return -1;
	t->path = lh_calloc(strlen(at + n) + 2, 1);
	t->path[0] = '/';
	memcpy(t->path + (at[n] != '/'), at + n, strlen(at + n));
	return 0;
}

int target_open(struct target *t, const char *url, struct lh_err *err)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	int rc;

	*t = (struct target){ .host = NULL };
	if (parse(t, url, err) < 0)
		return -1;
	rc = getaddrinfo(t->host, t->port, &hints, &t->list);
	if (rc == EAI_MEMORY || (rc == EAI_SYSTEM && errno == ENOMEM))
		return lh_err_nomem(err);
	if (rc)
		return lh_err_set(err, LH_EIO, "%s: %s", t->host, gai_strerror(rc));
	return 0;
}

void target_close(struct target *t)
{
	if (t->list)
		freeaddrinfo(t->list);
	if (t->headers.p)
		explicit_bzero(t->headers.p, t->headers.cap);
	lh_buf_free(&t->headers);
	lh_secret_wipe(&t->token);
	free(t->host);
	free(t->port);
	free(t->path);
	*t = (struct target){ .host = NULL };
}

static bool is_header(const char *line, const char *name)
{
	size_t n = strlen(name);

	return !strncasecmp(line, name, n) && line[n] == ':';
}

static bool given(const struct lh_list *headers, const char *name)
{
	size_t i;

	for (i = 0; i < headers->n; i++)
		if (is_header(headers->v[i], name))
			return true;
	return false;
}

static int check_header(const char *line, struct lh_err *err)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t n = strspn(line, token);
	const char *p;

	if (!n || line[n] != ':')
		return lh_err_set(err, LH_EUSAGE, "--header: \"%.200s\" is not \"Name: value\"",
				  line);
	for (p = line + n; *p; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			return lh_err_set(err, LH_EUSAGE, "--header: a control byte in \"%.200s\"",
					  line);
	if (is_header(line, "Content-Length") || is_header(line, "Transfer-Encoding"))
		return lh_err_set(err, LH_EUSAGE, "--header: %.*s follows from the body", (int)n,
				  line);
	return 0;
}

static int read_token(struct target *t, const char *path, struct lh_err *err)
{
	size_t i;

	if (lh_secret_read(&t->token, path, TOKEN_MAX, false, err) < 0)
		return lh_err_prefix(err, "--token-file");
	t->token.n -= t->token.n && t->token.p[t->token.n - 1] == '\n';
	for (i = 0; i < t->token.n; i++)
		if (t->token.p[i] <= ' ' || t->token.p[i] >= 0x7f)
			break;
	if (!t->token.n || i < t->token.n)
		return lh_err_set(err, LH_EIO, "--token-file: %s: not one token of visible ASCII",
				  path);
	lh_buf_puts(&t->headers, "Authorization: Bearer ");
	lh_buf_add(&t->headers, t->token.p, t->token.n);
	lh_buf_puts(&t->headers, "\r\n");
	return 0;
}

int target_headers(struct target *t, const struct lh_list *headers, const char *token_file,
		   struct lh_err *err)
{
	bool v6 = strchr(t->host, ':') != NULL, other = strcmp(t->port, "80") != 0;
	size_t i;

	if (!given(headers, "Host"))
		lh_buf_printf(&t->headers, "Host: %s%s%s%s%s\r\n", v6 ? "[" : "", t->host,
			      v6 ? "]" : "", other ? ":" : "", other ? t->port : "");
	if (!given(headers, "User-Agent"))
		lh_buf_puts(&t->headers, "User-Agent: lh-load/" LH_VERSION "\r\n");
	if (!given(headers, "Content-Type"))
		lh_buf_puts(&t->headers, "Content-Type: application/json\r\n");
	if (token_file && given(headers, "Authorization"))
		return lh_err_set(err, LH_EUSAGE,
				  "--header: Authorization is given by --token-file");
	for (i = 0; i < headers->n; i++) {
		if (check_header(headers->v[i], err) < 0)
			return -1;
		lh_buf_printf(&t->headers, "%s\r\n", headers->v[i]);
	}
	if (token_file && read_token(t, token_file, err) < 0)
		return -1;
	return 0;
}

void target_request(const struct target *t, const char *method, struct lh_str path,
		    struct lh_str body, struct lh_buf *out)
{
	lh_buf_puts(out, method);
	lh_buf_putc(out, ' ');
	lh_buf_add(out, path.p, path.n);
	lh_buf_puts(out, " HTTP/1.1\r\n");
	lh_buf_add(out, t->headers.p, t->headers.len);
	if (body.p) {
		lh_buf_puts(out, "Content-Length: ");
		lh_buf_u64(out, body.n);
		lh_buf_puts(out, "\r\n");
	}
	lh_buf_puts(out, "\r\n");
	lh_buf_add(out, body.p, body.n);
}
