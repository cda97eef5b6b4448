/* bundle.c - the files of a bundle.  See review.h. */
#include "review.h"

#include <stdlib.h>

#include <lh/digest.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "diff.h"

#define KEPT ((size_t)1 << 20)	/* bytes of memory that an empty bundle keeps */

static void empty(struct lh_buf *b)
{
	if (b->cap > KEPT)
		lh_buf_free(b);
	lh_buf_reset(b);
}

void bundle_reset(struct bundle *b)
{
	size_t i;

	b->n = 0;
	b->size = 0;
	empty(&b->paths);
	empty(&b->diff);
	for (i = 0; i < MODELS_MOST; i++) {
		empty(&b->answer[i].content);
		b->answer[i].failed.code = LH_OK;
	}
}

void bundle_free(struct bundle *b)
{
	size_t i;

	free(b->file);
	lh_buf_free(&b->paths);
	lh_buf_free(&b->diff);
	for (i = 0; i < MODELS_MOST; i++)
		lh_buf_free(&b->answer[i].content);
}

void add_utf8(struct lh_buf *out, struct lh_str s)
{
	const char *p = s.p, *end = s.p + s.n, *bad;

	while (p < end) {
		bad = lh_utf8_bad(p, end);
		lh_buf_add(out, p, (size_t)(bad - p));
		p = bad;
		if (p < end) {
			lh_buf_puts(out, "\xef\xbf\xbd");
			p++;
		}
	}
}

int bundle_add(struct bundle *b, struct lh_str path, const struct lh_buf *text, struct lh_err *err)
{
	if (lh_grow(&b->file, &b->cap, b->n + 1, sizeof *b->file, err) < 0)
		return -1;
	b->file[b->n++] = (struct file){ b->paths.len, path.n };
	lh_buf_add(&b->paths, path.p, path.n);
	add_utf8(&b->diff, (struct lh_str){ text->p, text->len });
	if (text->len && text->p[text->len - 1] != '\n')
		lh_buf_putc(&b->diff, '\n');
	b->size += text->len;
	return lh_buf_check(&b->paths, err) < 0 ? -1 : lh_buf_check(&b->diff, err);
}

struct lh_str bundle_path(const struct bundle *b, size_t file)
{
	return (struct lh_str){ b->paths.p + b->file[file].at, b->file[file].n };
}

ssize_t bundle_find(const struct bundle *b, struct lh_str path, struct lh_buf *scratch)
{
	size_t i;

	lh_buf_reset(scratch);
	if (path.n && lh_diff_unquote(path, scratch) == path.n)
		path = (struct lh_str){ scratch->p, scratch->len };
	for (i = 0; i < b->n; i++) {
		struct lh_str is = bundle_path(b, i);

		if (lh_str_is(is, path.p, path.n))
			return (ssize_t)i;
	}
	return -1;
}

/* The identifier cannot be known to the author of the diff before the diff is complete. */
void bundle_prompt(const struct bundle *b, struct lh_buf *out)
{
	unsigned char sum[32];
	char id[17] = "";
	size_t i, k;
	struct lh_str path;

	lh_sha256(b->diff.p, b->diff.len, sum);
	lh_hex(sum, 8, id);
	lh_buf_puts(out, "The files of the diff:\n");
	for (i = 0; i < b->n; i++) {
		/* Append it as a model has to write it: in quotes if a line could not hold it. */
		path = bundle_path(b, i);
		for (k = 0; k < path.n; k++)
			if ((unsigned char)path.p[k] < ' ' || path.p[k] == '\x7f' ||
			    path.p[k] == '"')
				break;
		if (k == path.n && lh_utf8_valid(path.p, path.n))
			lh_buf_add(out, path.p, path.n);
		else
			lh_diff_quote(path, out);
		lh_buf_putc(out, '\n');
	}
	lh_buf_printf(out, "\n===== diff %s begins =====\n", id);
	lh_buf_add(out, b->diff.p, b->diff.len);
	lh_buf_printf(out, "===== diff %s ends =====\n", id);
}
