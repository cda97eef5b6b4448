/* intern.c - texts and their numbers.  See table.h. */
#include "table.h"

#include <stdlib.h>

#include "mem.h"

static struct lh_str text_of(const void *ctx, uint32_t i)
{
	return lh_intern_text(ctx, i);
}

void lh_intern_free(struct lh_intern *in)
{
	lh_table_free(&in->table);
	lh_buf_free(&in->text);
	free(in->one);
	*in = (struct lh_intern){ .n = 0 };
}

int64_t lh_intern_find(const struct lh_intern *in, const char *text, size_t n)
{
	return lh_table_find(&in->table, (struct lh_str){ text, n }, text_of, in);
}

int lh_intern_add(struct lh_intern *in, const char *text, size_t n, uint32_t *number,
		  struct lh_err *err)
{
	int64_t known = lh_intern_find(in, text, n);

	*number = (uint32_t)known;
	if (known >= 0)
		return 0;
	if (in->n >= UINT32_MAX - 1)
		return lh_err_set(err, LH_ENOMEM, "more than %u texts", UINT32_MAX - 1);
	lh_grow(&in->one, &in->cap, in->n + 1, sizeof *in->one);
	in->one[in->n] = (struct lh_intern_one){ in->text.len, n };
	lh_buf_add(&in->text, text, n);
	*number = (uint32_t)in->n;
	if (lh_buf_check(&in->text, err) < 0)
		return -1;
	lh_table_set(&in->table, (struct lh_str){ text, n }, *number, text_of, in);
	in->n++;
	return 0;
}

struct lh_str lh_intern_text(const struct lh_intern *in, uint32_t number)
{
	const struct lh_intern_one *o = &in->one[number];

	return (struct lh_str){ o->n ? in->text.p + o->at : "", o->n };
}
