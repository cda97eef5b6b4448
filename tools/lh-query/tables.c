/* tables.c - the tables: their names, columns, and what kind of files they are.  See query.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "index/index.h"
#include "archive/archive.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "catalog/catalog.h"
#include "csv/csv_table.h"
#include "file/file.h"
#include "query.h"
#include "store/store.h"

/* ---- unknown columns and tables ---- */

/* How SQLite says that a name is not known. */
static const struct {
	const char *before;
	const char *end;	/* characters after the name */
	bool table;
} unknown[] = {
	{ "no such column: ", "", false },
	{ "no such table: ", "", true },
};

/* Add which column has the whole record to the message about one that has not. */
static void suggest_json(const struct query *q, struct lh_err *err)
{
	char why[sizeof err->msg];
	const struct table *t;

	for (t = q->table; t < q->table + q->n_tables; t++) {
		const char *last = t->in_use && t->columns.n ?
				   t->columns.v[t->columns.n - 1].name : "json";

		if (!strcmp(last, "json"))
			continue;
		snprintf(why, sizeof why, "%s", err->msg);
		lh_err_data(err, 400, "%s (the table %.100s has a member called json: the whole "
			    "record is in %.100s)", why, t->name, last);
		return;
	}
}

/* Add the tables there are to the message about one that is not. */
static void list_tables(const struct query *q, struct lh_err *err)
{
	char why[sizeof err->msg], names[LH_SUGGEST_ROOM] = "";
	size_t i, at = 0;

	for (i = 0; i < q->n_tables && at < sizeof names / 2; i++)
		at += (size_t)snprintf(names + at, sizeof names - at, "%s%.60s",
				       i ? ", " : "; there is ", q->table[i].name);
	snprintf(why, sizeof why, "%s", err->msg);
	lh_err_data(err, 400, "%s (a table is named by NAME=FILE%s%s)", why, names,
		    i < q->n_tables ? ", ..." : "");
}

/* Say that a name with a hyphen needs quotes, or which tables there are. */
static void suggest_quotes(const struct query *q, struct lh_err *err)
{
	char why[sizeof err->msg];
	const struct table *t;

	for (t = q->table; t < q->table + q->n_tables && !strchr(t->name, '-'); t++)
		;
	if (t == q->table + q->n_tables) {
		list_tables(q, err);
		return;
	}
	snprintf(why, sizeof why, "%s", err->msg);
	lh_err_data(err, 400, "%s (write \"%.100s\" in double quotes)", why, t->name);
}

void names_suggest(const struct query *q, struct lh_err *err)
{
	char why[sizeof err->msg], names[LH_SUGGEST_ROOM];
	const char *p = NULL, *dot;
	struct lh_suggest s;
	size_t i, n, k;
	bool tables;
	const struct table *t;

	if (strstr(err->msg, "malformed JSON"))
		suggest_json(q, err);
	if (strstr(err->msg, "near \"-\": syntax error"))
		suggest_quotes(q, err);
	if (strstr(err->msg, "no tables specified"))
		lh_err_data(err, 400, "there is no record, and so no column that * stands for");
	for (i = 0; i < sizeof unknown / sizeof *unknown; i++)
		if ((p = strstr(err->msg, unknown[i].before)))
			break;
	if (!p)
		return;
	p += strlen(unknown[i].before);
	n = strcspn(p, unknown[i].end);
	dot = unknown[i].table || *unknown[i].end ? NULL : strrchr(p, '.');	/* "t.column" */
	n -= dot ? (size_t)(dot + 1 - p) : 0;
	s = lh_suggest_for(dot ? dot + 1 : p, n);
	/* Offer the tables, or the columns of those that the statement uses. */
	tables = unknown[i].table;
	for (t = q->table; t < q->table + q->n_tables; t++) {
		if (tables)
			lh_suggest_offer(&s, t->name, strlen(t->name));
		for (k = 0; !tables && t->in_use && k < t->columns.n; k++)
			lh_suggest_offer(&s, t->columns.v[k].name, strlen(t->columns.v[k].name));
	}
	if (!*lh_suggest_text(&s, "", names)) {
		if (tables)
			list_tables(q, err);
		return;
	}
	snprintf(why, sizeof why, "%s", err->msg);
	lh_err_data(err, 400, "%s (%s)", why, names);
}

/* ---- columns, from a sample of records ---- */

static void columns_free(struct columns *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		free(c->v[i].name);
		free((char *)c->v[i].member.p);
	}
	free(c->v);
	lh_table_free(&c->by_member);
	memset(c, 0, sizeof *c);
}

static struct lh_str member_of(const void *ctx, uint32_t number)
{
	return ((const struct columns *)ctx)->v[number].member;
}

static bool is_taken(const struct columns *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (!strcasecmp(c->v[i].name, name))
			return true;
	return false;
}

bool column_may_be(struct lh_str name)
{
	return name.n && !memchr(name.p, 0, name.n);
}

/* SQL does not distinguish case: a name that differs from another only in that gets a
 * number, so that "Id" next to "id" is id_1. */
size_t columns_add(struct columns *c, struct lh_str member)
{
	char *name = lh_calloc(member.n + 24, 1);
	char *own = lh_strndup(member.p, member.n);
	unsigned i = 0;

	lh_grow(&c->v, &c->cap, c->n + 1, sizeof *c->v);
	memcpy(name, member.p, member.n);
	while (is_taken(c, name))
		snprintf(name + member.n, 24, "_%u", ++i);
	c->v[c->n] = (struct column){ .name = name, .member = { own, member.n } };
	return c->n++;
}

enum kind kind_join(enum kind a, enum kind b)
{
	if (a == b || b == KIND_NONE)
		return a;
	if (a == KIND_NONE)
		return b;
	if ((a == KIND_INT && b == KIND_REAL) || (a == KIND_REAL && b == KIND_INT))
		return KIND_REAL;
	return KIND_JSON;
}

static void sample_member(struct columns *c, struct lh_str name, const struct lh_value *v)
{
	enum kind kind = value_kind(v);
	int64_t at;

	if (!column_may_be(name))
		return;
	at = lh_table_find(&c->by_member, name, member_of, c);
	if (at < 0) {
		if (c->n == COLUMNS_MAX)
			return;
		at = (int64_t)columns_add(c, name);
		lh_table_set(&c->by_member, name, (uint32_t)at, member_of, c);
	}
	c->v[at].kind = kind_join(c->v[at].kind, kind);
	c->v[at].has_bool |= kind == KIND_BOOL;
	c->v[at].has_json |= kind == KIND_JSON;
}

void columns_name(struct columns *c, struct lh_str member)
{
	sample_member(c, member, &(struct lh_value){ .type = LH_NULL });
}

/* Add what a record of the sample has. */
static void columns_sample(struct columns *c, const struct lh_record *rec)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str name;
	size_t i;

	for (i = 0; i < rec->n; i++) {
		lh_buf_reset(&text);
		lh_value_str(&rec->member[i].key, &text, &name);
		sample_member(c, name, &rec->member[i].val);
	}
}

/* ---- tables ---- */

#define PACKED 5	/* times the size, of a compressed file */
#define HEAD 4096
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

bool is_table(const char *operand)
{
	size_t n = strspn(operand, NAME_CHARACTERS);

	return n && operand[n] == '=' && operand[n + 1];
}

/* SQLite has tables of its own under these names. */
static bool is_reserved(const char *name)
{
	return !strncasecmp(name, "sqlite_", 7) || !strncasecmp(name, "pragma_", 7) ||
	       !strncasecmp(name, "json_", 5);
}

static int check_name(const struct query *q, const char *name, struct lh_err *err)
{
	size_t i;

	if (strlen(name) > LH_DATASET_NAME || is_reserved(name))
		return lh_err_set(err, LH_EUSAGE, "\"%.100s\" cannot be the name of a table",
				  name);
	for (i = 0; i < q->n_tables; i++)
		if (!strcasecmp(q->table[i].name, name))
			return lh_err_set(err, LH_EUSAGE, "two tables are called \"%.100s\"", name);
	return 0;
}

static int add_table(struct query *q, struct lh_str name, struct table **t, struct lh_err *err)
{
	char *own = lh_strndup(name.p, name.n);

	if (check_name(q, own, err) < 0) {
		free(own);
		return -1;
	}
	lh_grow(&q->table, &q->cap, q->n_tables + 1, sizeof *q->table);
	*t = &q->table[q->n_tables++];
	memset(*t, 0, sizeof **t);
	(*t)->name = own;
	return 0;
}

/* Return the name of a file or folder without the folder that it is in. */
static const char *base(const char *path)
{
	const char *p = path + strlen(path);

	while (p > path && p[-1] == '/')
		p--;
	while (p > path && p[-1] != '/')
		p--;
	return p;
}

/* Split an operand: NAME=FILE, or the file alone, whose name without folder and endings is that
 * of the table; of a folder, its name.  False if that is not a name. */
static bool split_operand(const char *operand, struct lh_str *name, const char **path)
{
	const bool named = is_table(operand);
	const char *p = named ? operand : base(operand), *dot;
	size_t n = strcspn(p, named ? "=" : "/");
	struct stat st;

	*path = named ? operand + n + 1 : operand;
	if (!named && (stat(operand, &st) < 0 || !S_ISDIR(st.st_mode))) {
		n = lh_archive_stem(p);
		if ((dot = memrchr(p, '.', n)) && dot > p)
			n = (size_t)(dot - p);
	}
	*name = (struct lh_str){ p, n };
	return n && strcmp(operand, "-") != 0 && strspn(p, NAME_CHARACTERS) >= n;
}

/* Split FILE:TABLE, if there is no file of all of that name. */
static void split_inner(struct table *t)
{
	char *colon = strrchr(t->path, ':');

	if (!colon || lh_store_is_s3(t->path) || access(t->path, F_OK) == 0)
		return;
	*colon = '\0';
	if (access(t->path, F_OK) == 0)
		t->inner = lh_strndup(colon + 1, strlen(colon + 1));
	else
		*colon = ':';
}

int tables_of_operands(struct query *q, size_t first)
{
	struct lh_tool *t = q->tool;
	bool stdin_is_free = first > 0;	/* else it has the statements */
	struct table *table;
	struct lh_str name;
	const char *path;
	size_t i;

	for (i = first; i < t->n_operands; i++) {
		const char *operand = t->operands[i];

		if (!split_operand(operand, &name, &path))
			return lh_tool_unexpected(t, i, "tables are NAME=FILE, or FILE");
		if (!strcmp(path, "-") && !stdin_is_free)
			return lh_tool_unexpected(t, i, "standard input %s",
						  first ? "is a table already" :
							  "has the statements");
		stdin_is_free &= strcmp(path, "-") != 0;
		if (add_table(q, name, &table, &t->err) < 0)
			return -1;
		table->path = lh_strndup(path, strlen(path));
		split_inner(table);
	}
	q->n_operands = q->n_tables;
	return 0;
}

static void free_objects(struct table *t)
{
	while (t->n_objects)
		free(t->object[--t->n_objects].key);
	free(t->object);
	t->object = NULL;
	while (t->n_named)
		free((char *)t->named[--t->n_named].p);
	free(t->named);
	free(t->updated);
	t->named = NULL;
	t->updated = NULL;
}

static void table_free(struct table *t)
{
	free_objects(t);
	files_close(&t->files);
	columns_free(&t->columns);
	free(t->name);
	free(t->path);
	free(t->inner);
	free(t->store);
}

void tables_free(struct query *q)
{
	while (q->n_tables)
		table_free(&q->table[--q->n_tables]);
	free(q->table);
}

/* ---- a catalog ---- */

static char *copy_str(struct lh_str s)
{
	return lh_strndup(s.p, s.n);
}

/* Set the objects of a table, and the columns that they may have, to those of a manifest. */
static void set_objects(struct table *t, const struct lh_catalog_dataset *m)
{
	const struct lh_catalog_object *from = t->history ? m->history : m->object;
	const size_t n = t->history ? m->n_history : m->n_objects;
	size_t i;

	free_objects(t);
	t->updated = copy_str(m->updated_at);
	t->object = lh_calloc(n + 1, sizeof *t->object);
	for (i = 0; i < n; i++, from++) {
		struct object *to = &t->object[t->n_objects++];

		to->key = copy_str(from->key);
		to->size = from->size;
		to->has_sha256 = from->sha256.p && lh_unhex(from->sha256.p, from->sha256.n,
							    to->sha256);
	}
	t->named = lh_calloc(m->n_columns + 1, sizeof *t->named);
	for (i = 0; i < m->n_columns; i++)
		t->named[t->n_named++] = (struct lh_str){ copy_str(m->column[i].name),
							  m->column[i].name.n };
}

static int add_objects(struct query *q, struct lh_str name, const struct lh_catalog_dataset *m,
		       bool history, struct lh_err *err)
{
	struct lh_str store = q->s->store ? lh_str_of(q->s->store) : m->store;
	struct table *t;

	if (add_table(q, name, &t, err) < 0) {
		if (err->code != LH_EUSAGE)
			return -1;
		lh_tool_verbose(q->tool, "%s: not the dataset of a catalog", err->msg);
		return 0;
	}
	t->dataset = true;
	t->history = history;
	t->of_persons = m->of_persons;
	t->path = copy_str(m->name);
	t->store = store.p ? copy_str(store) : NULL;
	set_objects(t, m);
	return 0;
}

static int add_dataset(void *ctx, const struct lh_catalog_dataset *m, struct lh_err *err)
{
	((struct query *)ctx)->histories |= m->n_history > 0;
	return add_objects(ctx, m->name, m, false, err);
}

/* Add what a dataset had before it was replaced as the table NAME_history. */
static int add_history(void *ctx, const struct lh_catalog_dataset *m, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf name = { 0 };

	if (!m->n_history)
		return 0;
	lh_buf_add(&name, m->name.p, m->name.n);
	lh_buf_puts(&name, "_history");
	return add_objects(ctx, (struct lh_str){ name.p, name.len }, m, true, err);
}

static int damaged(void *ctx, const struct lh_err *why, struct lh_err *err)
{
	struct query *q = ctx;

	(void)err;
	lh_tool_warn(q->tool, "%s", why->msg);
	lh_tool_verdict_bad(q->tool);
	return 0;
}

/* Each change of a manifest changes the time of its folder.  A dataset called as the history of
 * another one has the name. */
int tables_of_catalog(struct query *q, struct lh_err *err)
{
	const struct lh_catalog_visit visit = { add_dataset, damaged, q };
	const struct lh_catalog_visit again = { add_history, NULL, q };

	if (!q->s->catalog || (q->listed && lh_stamp_fits(&q->stamp, q->s->catalog)))
		return 0;
	while (q->n_tables > q->n_operands)
		table_free(&q->table[--q->n_tables]);
	lh_stamp_take(&q->stamp, q->s->catalog);
	q->histories = false;
	q->listed = lh_catalog_list(q->s->catalog, &visit, err) == 0 &&
		    (!q->histories || lh_catalog_list(q->s->catalog, &again, err) == 0);
	return q->listed ? 0 : -1;
}

/* ---- what a file is ---- */

/* The name that says what a file is: a dataset's is its object's. */
static const char *file_name(const struct table *t, size_t i)
{
	return t->dataset ? t->object[0].key : t->files.folder ? t->files.path[i] : t->path;
}

bool table_is_tsv(const struct table *t)
{
	return lh_csv_is_tsv(file_name(t, 0));
}

/* Tell by the content where it does, else by the name, else CSV. */
static enum table_is tell(const char *name, const char *head, size_t n)
{
	static const char *const lines[] = { ".jsonl", ".ndjson", ".json", ".log" };
	size_t i = lh_mark_len(head, n);

	if (n >= 6 && !memcmp(head, LH_INDEX_MAGIC, 6))
		return TABLE_INDEX;
	if (n >= sizeof SQLITE_MAGIC && !memcmp(head, SQLITE_MAGIC, sizeof SQLITE_MAGIC))
		return TABLE_SQLITE;
	if (n >= 4 && !memcmp(head, "PAR1", 4))
		return TABLE_PARQUET;
	while (i < n && memchr(" \t\r\n", head[i], 4))
		i++;
	if (i < n && head[i] == '[')	/* an array of objects is rejected as one */
		for (i++; i < n && memchr(" \t\r\n", head[i], 4); )
			i++;
	if (i == n || head[i] == '{')
		return TABLE_LINES;
	if (lh_archive_named(name, ".csv") || lh_csv_is_tsv(name))
		return TABLE_CSV;
	for (i = 0; i < 4; i++)
		if (lh_archive_named(name, lines[i]))
			return TABLE_LINES;
	return lh_archive_kind(head, n) ? TABLE_LINES : TABLE_CSV;
}

static int sample_index(struct table *t, struct lh_err *err)
{
	struct lh_index *ix = lh_index_open(t->files.path[0], err);
	struct lh_index_stats st;

	if (!ix)
		return -1;
	lh_index_get_stats(ix, &st);
	t->rows = (double)st.live;
	t->of_persons = lh_index_get_params(ix)->persons;
	lh_index_close(ix);
	columns_add(&t->columns, lh_str_of("id"));
	t->columns.v[0].kind = KIND_TEXT;
	return 0;
}

/* Gather the columns from the first records, and how many there may be in all. */
static int sample(struct query *q, struct table *t, off_t size, struct lh_err *err)
{
	struct reader *r = reader_open(q, t, err);
	uint64_t n = 0, bytes = 0;
	int rc = r ? 1 : -1;

	if (r && (t->is == TABLE_CSV || t->is == TABLE_SQLITE))
		reader_columns(r, &t->columns);
	while (rc > 0 && (!q->s->sample || n < q->s->sample) && (rc = reader_next(r, err)) > 0) {
		n++;
		bytes += reader_bytes(r) + 1;
		if (t->is != TABLE_CSV)
			columns_sample(&t->columns, reader_record(r));
	}
	t->packed |= r && reader_packed(r);
	if (rc >= 0 && t->is != TABLE_INDEX)
		t->rows = rc && n ? (double)size * (double)n / (double)bytes *
				    (t->packed ? PACKED : 1) : (double)n;
	reader_close(r);
	return rc < 0 ? -1 : 0;
}

/* Add the hidden column. */
static void add_json(struct table *t)
{
	size_t i = columns_add(&t->columns, lh_str_of("json"));

	t->columns.v[i].kind = KIND_JSON;
	t->columns.v[i].has_json = true;
}

/* Find out of what kind the files are, and their size together.  Those of a folder are of one
 * kind; a dataset's first object says it. */
static int look_at_files(struct table *t, off_t *size, struct lh_err *err)
{
	char head[HEAD];
	struct stat st;
	size_t i;

	t->packed = false;
	for (i = 0; i < t->files.n; i++) {
		int fd = open(t->files.path[i], O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? lh_err_sys(err, "cannot open") :
				     lh_read_some(fd, head, sizeof head, err);
		enum table_is is = n < 0 ? t->is : tell(file_name(t, i), head, (size_t)n);

		if (n >= 0 && fstat(fd, &st) < 0)
			n = lh_err_sys(err, "cannot read");
		if (fd >= 0)
			close(fd);
		if (n < 0)
			return -1;
		if (i && t->files.folder && (is != t->is || is == TABLE_INDEX ||
					     is == TABLE_SQLITE))
			return lh_err_set(err, LH_EIO, "\"%.200s\" and \"%.200s\" are not one "
					  "table: the files of a folder are all JSON Lines or "
					  "all CSV", base(t->files.path[0]),
					  base(t->files.path[i]));
		t->is = i ? t->is : is;
		t->packed |= lh_archive_kind(head, (size_t)n) != 0;
		*size += st.st_size;
	}
	return 0;
}

static int look(struct query *q, struct table *t, struct lh_err *err)
{
	off_t size = 0;
	size_t i;

	for (i = 0; i < t->n_named; i++)
		columns_name(&t->columns, t->named[i]);
	if (files_open(q, t, &t->files, err) < 0 || look_at_files(t, &size, err) < 0)
		return -1;
	if (t->is == TABLE_INDEX && t->files.fd[0] >= 0)
		return lh_err_set(err, LH_EIO, "is an index that is not a file (lh-index fetch "
				  "copies one of S3)");
	if (t->is == TABLE_SQLITE && t->files.fd[0] >= 0)
		return lh_err_set(err, LH_EIO, "is a database that is not a file: copy it to one");
	if (t->is == TABLE_PARQUET)
		return lh_err_set(err, LH_EIO, "is a Parquet file (lh-ingest makes JSON Lines of "
				  "it)");
	if (t->is == TABLE_INDEX && sample_index(t, err) < 0)
		return -1;
	if (sample(q, t, size, err) < 0)
		return -1;
	add_json(t);
	return 0;
}

/* What was copied stays as it is; a dataset is new when its manifest changes. */
static bool is_current(const struct table *t)
{
	return t->known && (t->dataset || (t->files.fd[0] >= 0 && !t->files.folder) ||
			    lh_stamp_fits(&t->stamp, t->path));
}

/* Return whether a message begins with the file, or one in the folder, as those on CSV do. */
static bool names_file(const struct lh_err *err, const char *path)
{
	const size_t n = strlen(path);

	return !strncmp(err->msg, path, n) && (err->msg[n] == ':' || err->msg[n] == '/');
}

/* Return whether the manifest of a table names other objects by now: one that it had is deleted
 * after that. */
static bool has_changed(const struct query *q, struct table *t)
{
	LH_SCOPED(lh_catalog_dataset_free) struct lh_catalog_dataset m = { 0 };
	struct table is = { .history = t->history };
	struct lh_err unused;
	size_t i = 0;

	if (!t->dataset || q->stopped ||
	    lh_catalog_get(q->s->catalog, lh_str_of(t->path), &m, &unused) < 0)
		return false;
	set_objects(&is, &m);
	while (i < t->n_objects && i < is.n_objects && t->object[i].size == is.object[i].size &&
	       !strcmp(t->object[i].key, is.object[i].key) &&
	       !memcmp(t->object[i].sha256, is.object[i].sha256, sizeof is.object[i].sha256))
		i++;
	free_objects(&is);
	if (i == t->n_objects && i == (t->history ? m.n_history : m.n_objects))
		return false;
	set_objects(t, &m);
	return true;
}

int table_look(struct query *q, struct table *t, struct lh_err *err)
{
	int rc;

	if (is_current(t))
		return 0;
	t->known = false;
	t->line = t->records = t->rejected = 0;
	lh_stamp_take(&t->stamp, t->path);
	do {
		columns_free(&t->columns);
		files_close(&t->files);
	} while ((rc = look(q, t, err)) < 0 && has_changed(q, t));
	if (rc < 0) {
		files_close(&t->files);
		return q->stopped || names_file(err, t->path) ? -1
							      : lh_err_prefix(err, "%s", t->path);
	}
	t->known = true;
	return 0;
}
