/* push_cursor.c - begin after what was sent, and note what was. */
#include "push.h"

int cursor_read(struct push *p, struct lh_err *err)
{
	LH_SCOPED(lh_cursor_free) struct lh_cursor c = { 0 };
	const char *path = p->cursor_path, *name = p->service;
	int rc = p->run->s->restart ? 0 : lh_cursor_read(&c, path, err);

	if (rc <= 0)
		return rc;
	if (!lh_str_is(c.to, name, strlen(name)))
		return lh_err_set(err, LH_EUSAGE, "%s: is the cursor of another service: %.*s",
				  path, (int)(c.to.n < 40 ? c.to.n : 40), c.to.p);
	rc = lh_cursor_holds(&c, p->reading.fd, err);
	if (rc < 0)
		return lh_err_prefix(err, "%s", p->run->path);
	if (!rc)
		return lh_err_set(err, LH_EIO, "%s: was replaced or truncated: what %s "
				  "describes, %llu bytes, is not in it; --restart begins at its "
				  "start", p->run->path, path, (unsigned long long)c.offset);
	p->offset = c.offset;
	p->line = c.line;
	return 0;
}

int cursor_write(struct push *p, uint64_t offset, uint64_t line, struct lh_err *err)
{
	if (lh_cursor_write(p->cursor_path, lh_str_of(p->service), p->reading.fd, offset,
			    line, err) < 0)
		return -1;
	p->offset = offset;
	p->line = line;
	return 0;
}
