/* s3_account.c - the keys that sign, from the environment or an AWS credentials file. */
#include <stdlib.h>

#include "s3.h"

#define FILE_MAX ((size_t)64 << 10)

/* Check that a header can contain it; the message does not show it. */
static int check_visible(const struct lh_secret *v, const char *name, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < v->n; i++)
		if (v->p[i] <= ' ' || v->p[i] >= 0x7f)
			return lh_err_set(err, LH_EUSAGE, "%s holds white space, control or "
					  "non-ASCII characters", name);
	return 0;
}

static int set(struct lh_secret *to, const char *p, size_t n, const char *name, struct lh_err *err)
{
	lh_secret_wipe(to);
	if (!n)
		return 0;
	if (lh_secret_alloc(to, n, err) < 0)
		return -1;
	memcpy(to->p, p, n);
	to->n = n;
	return check_visible(to, name, err);
}

static int set_variable(struct lh_secret *to, const char *name, struct lh_err *err)
{
	const char *v = getenv(name);

	return set(to, v ? v : "", v ? strlen(v) : 0, name, err);
}

static struct lh_str trimmed(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	return (struct lh_str){ p, (size_t)(end - p) };
}

static bool is_word(struct lh_str s, const char *word)
{
	return lh_str_is(s, word, strlen(word));
}

/* Take NAME = VALUE of the section. */
static int read_line(struct s3_account *a, struct lh_str line, struct lh_err *err)
{
	static const char *const names[] = { "aws_access_key_id", "aws_secret_access_key",
					     "aws_session_token" };
	struct lh_secret *to[] = { &a->id, &a->key, &a->token };
	const char *eq = line.n ? memchr(line.p, '=', line.n) : NULL;
	struct lh_str name, value;
	size_t i;

	if (!eq || *line.p == '#' || *line.p == ';')
		return 0;
	name = trimmed(line.p, eq);
	value = trimmed(eq + 1, line.p + line.n);
	for (i = 0; i < sizeof to / sizeof *to; i++)
		if (is_word(name, names[i]))
			return set(to[i], value.p, value.n, names[i], err);
	return 0;
}

static int read_file(struct s3_account *a, const char *path, struct lh_err *err)
{
	const char *profile = getenv("AWS_PROFILE");
	struct lh_str rest, line;
	struct lh_secret file;
	bool mine = false;
	int rc = 0;

	if (lh_secret_read(&file, path, FILE_MAX, false, err) < 0)
		return -1;
	profile = profile && *profile ? profile : "default";
	rest = (struct lh_str){ (const char *)file.p, file.n };
	while (!rc && lh_next_line(&rest, &line)) {
		line = trimmed(line.p, line.p + line.n);
		if (line.n > 1 && *line.p == '[' && line.p[line.n - 1] == ']')
			mine = is_word(trimmed(line.p + 1, line.p + line.n - 1), profile);
		else if (mine)
			rc = read_line(a, line, err);
	}
	lh_secret_wipe(&file);
	if (!rc && (!a->id.n || !a->key.n))
		rc = lh_err_set(err, LH_EUSAGE, "%s: no aws_access_key_id and "
				"aws_secret_access_key in [%s]", path, profile);
	return rc;
}

int lh_s3_account_read(struct s3_account *a, const char *file, struct lh_err *err)
{
	const char *from = getenv("LH_S3_KEY_FILE");

	if (!file && from && *from)
		file = from;
	if (file)
		return read_file(a, file, err);
	if (set_variable(&a->id, "AWS_ACCESS_KEY_ID", err) < 0 ||
	    set_variable(&a->key, "AWS_SECRET_ACCESS_KEY", err) < 0 ||
	    set_variable(&a->token, "AWS_SESSION_TOKEN", err) < 0)
		return -1;
	if (!a->id.n || !a->key.n)
		return lh_err_set(err, LH_EUSAGE, "no keys for S3: set AWS_ACCESS_KEY_ID and "
				  "AWS_SECRET_ACCESS_KEY, or name a credentials file");
	return 0;
}

void lh_s3_account_wipe(struct s3_account *a)
{
	lh_secret_wipe(&a->id);
	lh_secret_wipe(&a->key);
	lh_secret_wipe(&a->token);
}
