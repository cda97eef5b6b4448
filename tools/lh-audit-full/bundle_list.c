/* bundle_list.c - read a manifest.  See bundle_list.h. */
#include "bundle_list.h"

#include <stdlib.h>

#include <lh/json.h>
#include "base/mem.h"

static bool part_ok(const char *s, size_t n)
{
	return n && !(n == 1 && s[0] == '.') && !(n == 2 && s[0] == '.' && s[1] == '.');
}

bool bundle_name_ok(const char *s, size_t n)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";
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

static bool is_sha256(const char *s, size_t n)
{
	return n == LH_SHA256_HEX && strspn(s, "0123456789abcdef") >= n;
}

/* Copy the string of that name, at most max bytes of it, raw: neither a good name
 * nor a hash needs an escape. */
static bool get(const struct lh_record *r, const char *name, bool (*ok)(const char *s, size_t n), char *to, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(r, name);

	if (!v || v->type != LH_STRING || v->escaped || !ok(v->p + 1, v->n - 2)) {
		lh_err_set(err, LH_EDATA, "%s \"%s\"", v ? "bad" : "missing", name);
		return false;
	}
	memcpy(to, v->p + 1, v->n - 2);
	to[v->n - 2] = '\0';
	return true;
}

static int line(struct lh_record *r, const struct bundle_line *before, struct bundle_line *l, struct lh_err *err)
{
	const struct lh_value *size = lh_record_get(r, "size");
	int64_t n;

	memset(l, 0, sizeof *l);
	if (!get(r, "path", bundle_name_ok, l->name, err) || !get(r, "sha256", is_sha256, l->sha256, err))
		return -1;
	if (!size || size->type != LH_NUMBER || !lh_value_i64(size, &n) || n < 0)
		return lh_err_set(err, LH_EDATA, "%s \"size\"", size ? "bad" : "missing");
	l->size = (uint64_t)n;
	if (strcmp(l->name, BUNDLE_MANIFEST) == 0)
		return lh_err_set(err, LH_EDATA, "lists itself");
	if (before && strcmp(before->name, l->name) == 0)
		return lh_err_set(err, LH_EDATA, "%s is listed twice", l->name);
	if (before && strcmp(before->name, l->name) > 0)
		return lh_err_set(err, LH_EDATA, "%s stands behind %s", l->name, before->name);
	return 0;
}

int bundle_list_read(struct bundle_list *list, const char *p, size_t n, struct lh_err *err)
{
	const char *end = p + n, *lf;
	struct lh_record r;
	int rc = 0;

	lh_record_init(&r);
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
			rc = line(&r, list->n ? &list->line[list->n - 1] : NULL, &list->line[list->n], err);
		if (rc && err->code == LH_EDATA)
			lh_err_prefix(err, "line %zu", list->n + 1);
		list->n += !rc;
	}
	lh_record_free(&r);
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
