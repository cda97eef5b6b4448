/* find_table.c - files in Parquet, which are not searched.  See find.h. */
#include <fcntl.h>
#include <unistd.h>

#include "file/file.h"
#include "find.h"
#include "store/store.h"

static const char magic[] = "PAR1";

/* Return whether a place is a Parquet file: 1, 0, -1. */
static int is_table(const struct place *p, struct lh_err *err)
{
	const size_t n = strlen(p->path), end = sizeof ".parquet" - 1;
	char head[4] = "";
	int fd;
	ssize_t got;

	if (p->kind != PLACE_OBJECT && p->kind != PLACE_OTHER)
		return 0;
	if (lh_store_is_s3(p->path))
		return n > end && !strcmp(p->path + n - end, ".parquet");
	fd = lh_open_regular(p->path, O_RDONLY, 0, err);
	if (fd < 0)
		return -1;
	got = pread(fd, head, sizeof head, 0);
	close(fd);
	return got == 4 && !memcmp(head, magic, 4);
}

int find_table(struct find *f, size_t i)
{
	const struct place *p = &f->s->places.v[i];
	const int rc = is_table(p, f->err);

	if (rc <= 0)
		return rc;
	lh_tool_warn(f->tool, "%s: is Parquet, which is not searched (lh-ingest makes JSON Lines "
		     "of it)", p->path);
	f->hits->incomplete = true;
	return 1;
}
