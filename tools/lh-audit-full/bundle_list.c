/* bundle_list.c - read a manifest.  See bundle_list.h. */
#include "bundle_list.h"

#include <stdlib.h>

#include "json/bind.h"
#include "base/mem.h"

static bool part_ok(const char *s, size_t n)
{
	return n && !(n == 1 && s[0] == '.') && !(n == 2 && s[0] == '.' && s[1] == '.');
}

bool bundle_name_ok(const char *s, size_t n)
{
	static const char good[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";
	size_t i, from = 0;

	if (!n || n > BUNDLE_NAME_MAX)
		return false;
	for (i = 0; i < n; i++) {
		if (!memchr(good, s[i], sizeof good - 1))
			return false;
		if (s[i] == '/') {
			if (!part_ok(s + from, i - from))
				return false;
			from = i + 1;
		}
	}
	return part_ok(s + from, n - from);
}

/* Neither a good name nor a hash needs an escape. */
static bool is_name(const struct lh_value *v, struct lh_str text)
{
	return !v->escaped && bundle_name_ok(text.p, text.n);
}

static bool is_sha256(const struct lh_value *v, struct lh_str text)
{
	return !v->escaped && lh_bind_is_sha256(v, text);
}

struct member {
	struct lh_str path, sha256;
	uint64_t size;
};
static const struct lh_bind members[] = {
	{ LH_BIND_STRING("path", struct member, path), .required = true, .is = is_name,
	  .what = "relative path of letters, digits, \".\", \"_\", \"-\" and \"/\"" },
	{ LH_BIND_STRING("sha256", struct member, sha256), .required = true, .is = is_sha256,
	  .what = "string of 64 lowercase hex digits" },
	{ LH_BIND_U64("size", struct member, size, 0, INT64_MAX), .required = true },
	LH_BIND_END
};

static int read_line(struct lh_record *r, const struct bundle_line *before, struct bundle_line *l,
		     struct lh_buf *text, struct lh_err *err)
{
	struct member m = { .size = 0 };

	if (lh_bind(members, r, &m, text, err) < 0)
		return -1;
	memset(l, 0, sizeof *l);
	memcpy(l->name, m.path.p, m.path.n);
	memcpy(l->sha256, m.sha256.p, m.sha256.n);
	l->size = m.size;
	if (strcmp(l->name, BUNDLE_MANIFEST) == 0)
		return lh_err_set(err, LH_EDATA, "lists itself");
	if (before && strcmp(before->name, l->name) == 0)
		return lh_err_set(err, LH_EDATA, "%s is listed twice", l->name);
	if (before && strcmp(before->name, l->name) > 0)
		return lh_err_set(err, LH_EDATA, "%s comes after %s", l->name, before->name);
	return 0;
}

int bundle_list_read(struct bundle_list *list, const char *p, size_t n, struct lh_err *err)
{
	const char *end = p + n, *lf;
	LH_SCOPED(lh_record_free) struct lh_record r = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc = 0;

	for (; p < end && !rc; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (!lf) {
			rc = lh_err_set(err, LH_EDATA, "line %zu: cut short", list->n + 1);
			break;
		}
		rc = lh_grow(&list->line, &list->cap, list->n + 1, sizeof *list->line, err);
		if (!rc)
			rc = lh_record_parse(&r, p, (size_t)(lf - p), err);
		if (!rc)
			rc = read_line(&r, list->n ? &list->line[list->n - 1] : NULL,
				       &list->line[list->n], &text, err);
		if (rc && err->code == LH_EDATA)
			lh_err_prefix(err, "line %zu", list->n + 1);
		list->n += !rc;
	}
	return rc;
}

static int by_name(const void *name, const void *l)
{
	return strcmp(name, ((const struct bundle_line *)l)->name);
}

struct bundle_line *bundle_list_find(const struct bundle_list *list, const char *name)
{
	return list->n ? bsearch(name, list->line, list->n, sizeof *list->line, by_name) : NULL;
}

void bundle_list_free(struct bundle_list *list)
{
	free(list->line);
	*list = (struct bundle_list){ NULL, 0, 0 };
}
