/* book.c - the entries of the playbook.  See lift.h. */
#include <errno.h>
#include <unistd.h>

#include "lh_playbook.h"
#include "lift.h"

void book_init(struct book *b, const struct lh_lhv *ix, const char *path)
{
	b->ix = ix;
	b->path = path;
	lh_record_init(&b->entry);
	lh_buf_init(&b->text, LH_BUF_NOMAX);
	lh_buf_init(&b->strings, LH_BUF_NOMAX);
}

void book_free(struct book *b)
{
	lh_record_free(&b->entry);
	lh_buf_free(&b->text);
	lh_buf_free(&b->strings);
}

int book_open(const char *path, struct lh_lhv **ix, struct lh_err *err)
{
	*ix = NULL;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	*ix = lh_lhv_open(path, err);
	return *ix ? 0 : -1;
}

/* The entry of a row: 1, 0 when there is none at that number, -1. */
static int read_entry(struct book *b, uint64_t at, struct lh_playbook_entry *e, struct lh_err *err)
{
	struct lh_row row;
	int live = lh_lhv_row(b->ix, at, &row, err);

	if (live <= 0)
		return live;
	lh_buf_reset(&b->text);
	lh_buf_add(&b->text, row.meta.p, row.meta.n);	/* the scanner reads past its text */
	if (!row.meta.n)
		lh_buf_puts(&b->text, "{}");
	if (lh_buf_check(&b->text, err) < 0)
		return -1;
	if (lh_record_parse(&b->entry, b->text.p, b->text.len, err) < 0 || lh_playbook_read(&b->entry, &b->strings, e, err) < 0) {
		if (err->code != LH_EDATA)
			return -1;
		err->code = LH_ECORRUPT;
		return lh_err_prefix(err, "%s is no playbook: row %llu", b->path, (unsigned long long)at);
	}
	return 1;
}

int book_check(const char *path, struct lh_err *err)
{
	struct lh_playbook_entry e;
	struct lh_lhv *ix;
	struct book b;
	uint64_t i;
	int rc = 0;

	if (book_open(path, &ix, err) < 0)
		return -1;
	book_init(&b, ix, path);
	for (i = 0; ix && rc == 0 && i < lh_lhv_rows(ix); i++)
		rc = read_entry(&b, i, &e, err);
	book_free(&b);
	lh_lhv_close(ix);
	return rc < 0 ? -1 : 0;
}

int book_role(struct book *b, const struct hit *h, struct lh_str *role, struct lh_err *err)
{
	struct lh_playbook_entry e;
	struct lh_value id;
	struct lh_str s;
	int64_t at;
	int live;

	*role = (struct lh_str){ NULL, 0 };
	if (!b->ix || !lh_value_get(&h->playbook, "id", &id) || id.type != LH_STRING)
		return 0;
	lh_buf_reset(&b->strings);
	if (lh_value_str(&id, &b->strings, &s, err) < 0)
		return -1;
	at = lh_lhv_find(b->ix, s.p, s.n, err);
	if (at < 0)
		return at == -1 ? 0 : -1;
	live = read_entry(b, (uint64_t)at, &e, err);
	if (live > 0)
		*role = e.role;
	return live < 0 ? -1 : 0;
}
