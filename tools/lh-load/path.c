/* path.c - a place in JSON.  See path.h. */
#include "path.h"

#include <stdlib.h>

#include "base/mem.h"

/* Read "[0]" or "[*]" at s; return what follows it, or NULL. */
static char *read_element(struct path_part *part, char *s)
{
	char *end;

	if (s[1] == '*') {
		part->all = true;
		return s[2] == ']' ? s + 3 : NULL;
	}
	if (s[1] < '0' || s[1] > '9')
		return NULL;
	part->index = strtoul(s + 1, &end, 10);
	return *end == ']' ? end + 1 : NULL;
}

/* Read a name at s, and end it with NUL; return what follows. */
static char *read_name(struct path_part *part, char *s, char *before)
{
	size_t n = strcspn(s, ".[]");

	if (before)
		*before = '\0';
	part->name = s;
	return n && s[n] != ']' ? s + n : NULL;
}

static bool parse(struct path *p)
{
	char *s = p->text, *before;

	while (s && *s) {
		if (p->n == PATH_PARTS)
			return false;
		before = s;
		if (*s == '[') {
			s = read_element(&p->part[p->n], s);
			p->many |= p->part[p->n].all;
			*before = '\0';		/* the end of the name before it */
		} else if (!p->n || *s == '.') {
			s = read_name(&p->part[p->n], s + (*s == '.' && p->n), p->n ? s : NULL);
		} else {
			return false;
		}
		p->n++;
	}
	return s != NULL;
}

int path_parse(struct path *p, struct lh_str text, struct lh_err *err)
{
	*p = (struct path){ .n = 0 };
	p->text = lh_strndup(text.p, text.n);
	if (strlen(p->text) == text.n && parse(p))
		return 0;
	path_free(p);
	return lh_err_set(err, LH_EDATA, "\"%.*s\" is not a path like results[0].id",
			  (int)(text.n < 200 ? text.n : 200), text.p);
}

void path_free(struct path *p)
{
	free(p->text);
	*p = (struct path){ .n = 0 };
}

static int walk(const struct path *p, size_t i, const struct lh_value *from,
		int (*found)(void *ctx, const struct lh_value *v), void *ctx)
{
	const struct path_part *part = &p->part[i];
	struct lh_value child;
	struct lh_iter it;
	size_t at = 0;
	int rc = 0;

	if (i == p->n)
		return found(ctx, from);
	if (part->name)
		return from->type == LH_OBJECT && lh_value_get(from, part->name, &child)
			? walk(p, i + 1, &child, found, ctx) : 1;
	if (from->type != LH_ARRAY)
		return 1;
	for (lh_iter_init(&it, from); !rc && lh_iter_next(&it); at++)
		if (part->all || at == part->index) {
			rc = walk(p, i + 1, &it.val, found, ctx);
			if (!part->all)
				return rc;
		}
	return part->all ? rc : 1;
}

int path_walk(const struct path *p, const struct lh_value *from,
	      int (*found)(void *ctx, const struct lh_value *v), void *ctx)
{
	return walk(p, 0, from, found, ctx);
}

static int keep(void *ctx, const struct lh_value *v)
{
	*(struct lh_value *)ctx = *v;
	return 0;
}

bool path_value(const struct path *p, const struct lh_value *from, struct lh_value *out)
{
	return path_walk(p, from, keep, out) == 0;
}
