/* tokens.c - tokens, by their hashes.  See site.h. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "crypto/secret.h"
#include "site.h"

#define TOKEN_MIN 16
#define TOKEN_MAX 256

int tokens_add(struct tokens *t, const char *text, size_t n, const char *label,
	       struct lh_err *err)
{
	struct token *v;
	size_t i;

	if (n < TOKEN_MIN || n > TOKEN_MAX)
		return lh_err_set(err, LH_EUSAGE,
				  "%s: a token has %d to %d bytes, this one has %zu", label,
				  TOKEN_MIN, TOKEN_MAX, n);
	for (i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return lh_err_set(err, LH_EUSAGE,
					  "%s: a token has only visible ASCII characters", label);
	for (i = 0; i < t->n; i++)
		if (!strcmp(t->v[i].label, label))
			return lh_err_set(err, LH_EUSAGE, "two tokens are called \"%s\"", label);
	v = lh_realloc(t->v, t->n + 1, sizeof *v);
	t->v = v;
	v += t->n++;
	v->may = NULL;
	snprintf(v->label, sizeof v->label, "%s", label);
	lh_sha256(text, n, v->hash);
	return 0;
}

int tokens_add_file(struct tokens *t, const char *path, const char *label, struct lh_err *err)
{
	struct lh_secret s;
	struct stat st;
	int rc;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 07577) != 0400)
		return lh_err_set(err, LH_EUSAGE, "%s: mode %04o; it must be 0600 or 0400", path,
				  st.st_mode & 07777);
	if (lh_secret_read(&s, path, TOKEN_MAX + 2, false, err) < 0) {
		err->code = LH_EUSAGE;
		return -1;
	}
	rc = tokens_add(t, (const char *)s.p, s.n - (s.n && s.p[s.n - 1] == '\n'), label, err);
	lh_secret_wipe(&s);
	return rc < 0 ? lh_err_prefix(err, "%s", path) : 0;
}

/* All are compared, whichever fits, by hashes: the time tells neither which nor how much. */
const struct token *tokens_find(const struct tokens *t, const char *text)
{
	unsigned char hash[32];
	const struct token *found = NULL;
	size_t i, n = strlen(text);

	while (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
		n--;
	lh_sha256(text, n, hash);
	for (i = 0; i < t->n; i++)
		if (lh_const_eq(hash, t->v[i].hash, sizeof hash))
			found = &t->v[i];
	return found;
}

void tokens_free(struct tokens *t)
{
	free(t->v);
	memset(t, 0, sizeof *t);
}
