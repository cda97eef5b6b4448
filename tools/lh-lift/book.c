/* book.c - read entries of the playbook.  See lift.h. */
#include <lh/playbook.h>
#include "lift.h"

void book_free(struct book *b)
{
	lh_index_close(b->ix);
	lh_record_free(&b->entry);
	lh_buf_free(&b->line);
	lh_buf_free(&b->strings);
}

/* Open the playbook after a search answered by it, so that it has all that the search
 * knew. */
static int open_book(struct book *b, struct lh_err *err)
{
	if (!b->ix)
		b->ix = lh_index_open(b->path, err);
	return b->ix ? 0 : -1;
}

int book_role(struct book *b, const struct hit *h, struct lh_str *role, struct lh_err *err)
{
	struct lh_playbook_entry e;
	struct moved by;
	struct lh_row row;
	struct lh_str s;
	int64_t at;
	int live;

	*role = (struct lh_str){ NULL, 0 };
	if (hit_moved(h, &by, err) < 0)
		return -1;
	if (!by.id.p)
		return 0;
	lh_buf_reset(&b->strings);
	if (open_book(b, err) < 0)
		return -1;
	lh_value_str(&by.id, &b->strings, &s);
	at = lh_index_find(b->ix, s.p, s.n, err);
	if (at < 0)
		return at == -1 ? 0 : -1;
	live = lh_index_row(b->ix, (uint64_t)at, &row, err);
	if (live <= 0)
		return live;
	if (lh_playbook_read_row(&row, &b->entry, &b->line, &b->strings, &e, err) < 0)
		return lh_err_prefix(err, "%s: row %llu", b->path, (unsigned long long)at);
	*role = e.role;
	return 0;
}
