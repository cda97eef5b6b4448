/* tables.c - the named files: what kind they are.  See query.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal.h"
#include "file/magic.h"
#include "query.h"
#include "spill.h"
#include <lh/index.h>
#include <lh/time.h>

#define NAME_LONGEST 1024
#define PACKED 5	/* times the size, of a compressed file */

bool is_table(const char *operand)
{
	size_t n = strspn(operand, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_.-");

	return n && operand[n] == '=' && operand[n + 1];
}

/* SQLite has tables of its own under these names. */
static bool is_reserved(const char *name)
{
	return !strncasecmp(name, "sqlite_", 7) || !strncasecmp(name, "pragma_", 7) ||
	       !strncasecmp(name, "json_", 5);
}

static int add_operand(struct query *q, const char *operand, struct lh_err *err)
{
	struct table *t = &q->table[q->n_tables];
	size_t n = strcspn(operand, "="), i;

	t->spooled = -1;
	t->name = lh_strndup(operand, n, err);
	t->path = lh_strndup(operand + n + 1, strlen(operand + n + 1), err);
	q->n_tables++;
	if (!t->name || !t->path)
		return -1;
	if (n > NAME_LONGEST || is_reserved(t->name))
		return lh_err_set(err, LH_EUSAGE, "\"%.100s\" cannot be the name of a table",
				  t->name);
	for (i = 0; i + 1 < q->n_tables; i++)
		if (!strcasecmp(q->table[i].name, t->name))
			return lh_err_set(err, LH_EUSAGE, "two tables are called \"%s\"", t->name);
	return 0;
}

int tables_of_operands(struct query *q, size_t first)
{
	struct lh_tool *t = q->tool;
	size_t i;

	q->table = lh_calloc(t->n_operands + 1, sizeof *q->table, &t->err);
	if (!q->table)
		return -1;
	for (i = first; i < t->n_operands; i++) {
		if (!is_table(t->operands[i]))
			return lh_tool_unexpected(t, i, "tables are NAME=FILE");
		if (add_operand(q, t->operands[i], &t->err) < 0)
			return -1;
	}
	return 0;
}

void tables_free(struct query *q)
{
	size_t i;

	for (i = 0; i < q->n_tables; i++) {
		if (q->table[i].spooled >= 0)
			close(q->table[i].spooled);
		columns_free(&q->table[i].columns);
		free((char *)q->table[i].name);
		free(q->table[i].path);
	}
	free(q->table);
}

int query_check(struct query *q, struct lh_err *err)
{
	if (lh_stopping())
		return lh_err_set(err, LH_EINTR, "interrupted");
	if (!q->deadline || lh_time_monotonic() < q->deadline)
		return 0;
	lh_err_data(err, 504, "the query takes longer than %g seconds (--timeout)",
		    q->s->timeout);
	return -1;
}

/* Open the file; what is not a regular one is copied first, since it is read again for every
 * use of the table. */
int table_open(struct query *q, struct table *t, struct lh_err *err)
{
	bool own = strcmp(t->path, "-") != 0;
	struct stat st;
	int fd, copy;

	if (t->spooled >= 0)
		return fcntl(t->spooled, F_DUPFD_CLOEXEC, 3);
	fd = own ? open(t->path, O_RDONLY | O_CLOEXEC) : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return lh_err_sys(err, "cannot open");
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && own)
		return fd;
	if (S_ISDIR(st.st_mode))
		copy = lh_err_set(err, LH_EIO, "is a directory");
	else
		copy = spill_copy(fd, q->s->spill, err);
	close(fd);
	t->spooled = copy;
	return copy < 0 ? -1 : fcntl(copy, F_DUPFD_CLOEXEC, 3);
}

static int sample_index(struct query *q, struct table *t, struct lh_err *err)
{
	struct lh_index *ix = lh_index_open(t->path, err);
	struct lh_index_stats st;

	(void)q;
	if (!ix)
		return -1;
	lh_index_get_stats(ix, &st);
	t->rows = (double)st.live;
	lh_index_close(ix);
	if (columns_add(&t->columns, lh_str_of("id"), err) < 0)
		return -1;
	t->columns.v[0].kind = KIND_TEXT;
	return 0;
}

/* Gather the columns from the first records, and how many there may be in all. */
static int sample(struct query *q, struct table *t, off_t size, struct lh_err *err)
{
	struct reader *r = reader_open(q, t, err);
	uint64_t n = 0, bytes = 0;
	int rc = r ? 1 : -1;

	while (rc > 0 && (!q->s->sample || n < q->s->sample) && (rc = reader_next(r, err)) > 0) {
		const struct lh_record *rec = reader_record(r);

		n++;
		bytes += rec->len + 1;
		if (columns_sample(&t->columns, rec, err) < 0)
			rc = -1;
	}
	if (rc >= 0 && t->is != TABLE_INDEX)
		t->rows = rc && n ? (double)size * (double)n / (double)bytes *
				    (reader_packed(r) ? PACKED : 1) : (double)n;
	t->packed = r && reader_packed(r);
	reader_close(r);
	return rc < 0 ? -1 : 0;
}

static int look(struct query *q, struct table *t, struct lh_err *err)
{
	int fd = table_open(q, t, err);
	char head[8] = "";
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return -1;
	if (pread(fd, head, sizeof head, 0) < 0 || fstat(fd, &st) < 0)
		rc = lh_err_sys(err, "cannot read");
	close(fd);
	if (rc < 0)
		return -1;
	t->is = memcmp(head, LH_INDEX_MAGIC, 6) == 0 ? TABLE_INDEX : TABLE_LINES;
	if (t->is == TABLE_INDEX && t->spooled >= 0)
		return lh_err_set(err, LH_EIO, "is an index that is not a regular file");
	if (t->is == TABLE_INDEX && sample_index(q, t, err) < 0)
		return -1;
	if (sample(q, t, st.st_size, err) < 0)
		return -1;
	rc = columns_add(&t->columns, lh_str_of("json"), err);
	if (rc < 0)
		return -1;
	t->columns.v[rc].kind = KIND_JSON;
	t->columns.v[rc].has_json = true;
	return 0;
}

int table_look(struct query *q, struct table *t, struct lh_err *err)
{
	if (t->known && (t->spooled >= 0 || lh_stamp_fits(&t->stamp, t->path)))
		return 0;
	columns_free(&t->columns);
	t->known = false;
	t->line = t->records = t->rejected = 0;
	lh_stamp_take(&t->stamp, t->path);
	if (look(q, t, err) < 0)
		return q->stopped ? -1 : lh_err_prefix(err, "%s", t->path);
	t->known = true;
	return 0;
}
