/* keep.c - records as a dataset: an object in a store, which a catalog has; and requests. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "base/signal.h"
#include "file/file.h"
#include "ingest.h"
#include "json/bind.h"
#include "proc/coproc.h"
#include "proc/run.h"

/* ---- a dataset ---- */

/*
 * The records go through lh-cat, a child that compresses them, into a file without a name
 * below TMPDIR.  When all is read, the file becomes the object, and the catalog learns of
 * it: until then nothing has changed.  A lock of the dataset keeps a second run from
 * replacing the object between these two steps.
 */

/* Return whether rows are added to a dataset that there is. */
static bool is_adding(const struct ingest *in)
{
	return in->keep->was.name.p && (in->s->append || in->s->upsert);
}

/* Read the file of --lineage: a JSON object on one line. */
static int read_lineage(const char *path, struct lh_buf *text, struct lh_err *err)
{
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	lh_buf_init(text, LH_CATALOG_MANIFEST_MAX / 4);
	if (fd < 0)
		return lh_err_sys(err, "%s: cannot open", path);
	if (lh_read_rest(fd, path, text, err) < 0)
		return -1;
	while (text->len && text->p[text->len - 1] == '\n')
		text->len--;
	if (memchr(text->p, '\n', text->len))
		return lh_err_set(err, LH_EIO, "%s: --lineage is more than one line", path);
	rc = lh_record_parse(&rec, text->p, text->len, err);
	err->code = rc < 0 ? LH_EIO : err->code;
	return rc < 0 ? lh_err_prefix(err, "%s", path) : 0;
}

/* Give rows the ids that the dataset has, unless options say otherwise. */
static void remember_id(struct ingest *in)
{
	LH_SCOPED(lh_catalog_dataset_free) struct lh_catalog_dataset m = { 0 };
	struct keep *k = in->keep;

	if (lh_catalog_get(in->s->catalog, k->name, &m, &(struct lh_err){ 0 }) < 0 ||
	    !m.id_column.n)
		return;
	if (in->id && !lh_str_is(m.id_column, in->id, strlen(in->id)))
		return;
	if (!in->id)
		in->id = k->id_column = lh_strndup(m.id_column.p, m.id_column.n);
	if (!in->id_prefix && m.id_prefix.n)
		in->id_prefix = k->id_prefix = lh_strndup(m.id_prefix.p, m.id_prefix.n);
}

int keep_open(struct ingest *in)
{
	struct lh_err *err = &in->tool->err;
	struct lh_store_opts opts = LH_STORE_DEFAULTS;
	const char *folder = getenv("TMPDIR");
	struct keep *k = lh_calloc(1, sizeof *k);

	in->keep = k;
	k->fd = k->parquet_fd = k->lock.fd = k->dir.in_use = -1;
	k->writer = (struct lh_child_writer){ 0, -1, -1 };
	k->add.key = in->s->upsert;
	k->name = dataset_name(in);
	if (lh_dataset_name_check(k->name, err) < 0)
		return lh_err_prefix(err, "--name");
	lh_dataset_id(k->name, k->id);
	remember_id(in);
	if (in->s->lineage && read_lineage(in->s->lineage, &k->lineage, err) < 0)
		return -1;
	opts.key_file = in->s->key_file;
	k->store = lh_store_open(in->s->store, &opts, err);
	if (!k->store)
		return -1;
	if (!folder || !*folder)
		folder = "/tmp";
	k->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (k->fd < 0)
		return lh_err_sys(err, "%s: cannot make a temporary file", folder);
	return lh_child_writer_start(&k->writer, "zstd", k->fd, err);
}

void keep_close(struct ingest *in)
{
	struct keep *k = in->keep;

	if (!k)
		return;
	lh_child_writer_stop(&k->writer);
	lh_lock_drop(&k->lock);
	if (k->fd >= 0)
		close(k->fd);
	if (k->parquet_fd >= 0)
		close(k->parquet_fd);
	lh_tmpdir_remove(&k->dir, &(struct lh_err){ 0 });
	lh_signal_defer(false);
	lh_store_close(k->store);
	lh_catalog_dataset_free(&k->was);
	lh_buf_free(&k->lineage);
	lh_map_free(&k->add.keys);
	lh_map_free(&k->add.same);
	lh_record_free(&k->add.rec);
	lh_buf_free(&k->add.text);
	lh_buf_free(&k->add.form);
	lh_buf_free(&k->add.objects);
	lh_buf_free(&k->add.history);
	free(k->key);
	free(k->parquet_key);
	free(k->id_column);
	free(k->id_prefix);
	free(k);
	in->keep = NULL;
}

static int keep_write(struct ingest *in, const char *p, size_t n)
{
	return lh_child_writer_more(&in->keep->writer, p, n, &in->tool->err);
}

/* Make datasets/NAME/FINGERPRINT.ENDING. */
char *make_key(const struct keep *k, struct lh_str fingerprint, const char *ending)
{
	struct lh_buf key = { 0 };

	lh_buf_printf(&key, "datasets/%.*s/%.*s.%s", (int)k->name.n, k->name.p,
		      (int)fingerprint.n, fingerprint.p, ending);
	lh_buf_putc(&key, '\0');
	return key.p;
}

/* Return the store as the manifest has it: a folder by its absolute path. */
static char *store_name(const char *store, struct lh_err *err)
{
	char *path = lh_store_is_s3(store) ? strdup(store) : realpath(store, NULL);

	if (!path)
		lh_err_sys(err, "--store");
	return path;
}

static struct lh_str column_name(const void *columns, uint32_t i)
{
	return ((const struct lh_catalog_column *)columns)[i].name;
}

/* Return whether values of a column can be those of a column of that type. */
static bool fits(const struct lh_column *c, int type, bool written)
{
	return !c->seen || (int)c->type == type || (type == LH_COLUMN_STRING && !written) ||
	       (type == LH_COLUMN_FLOAT64 && c->type == LH_COLUMN_INT64);
}

/* Give columns of rows that are added the types of the dataset's. */
static int fit_columns(const struct lh_catalog_dataset *m, struct lh_column *column, size_t n,
		       bool written, struct lh_err *err)
{
	LH_SCOPED(lh_table_free) struct lh_table by_name = { 0 };
	int64_t at;
	size_t i;
	int type;

	if (!m->n_columns)
		return lh_err_data(err, 409, "the dataset is registered with another fingerprint");
	for (i = 0; i < m->n_columns; i++)
		lh_table_set(&by_name, m->column[i].name, (uint32_t)i, column_name, m->column);
	for (i = 0; i < n; i++) {
		const struct lh_str name = column[i].name;

		at = lh_table_find(&by_name, name, column_name, m->column);
		if (at < 0)
			return lh_err_data(err, 409, "the dataset has no column \"%.*s\"",
					   name.n < 100 ? (int)name.n : 100, name.p);
		type = lh_column_type_named(m->column[at].type);
		if (type < 0 || !fits(&column[i], type, written))
			return lh_err_data(err, 409, "column \"%.*s\" is %s, and %.*s in the "
					   "dataset", name.n < 100 ? (int)name.n : 100, name.p,
					   lh_column_type_name(column[i].type),
					   (int)m->column[at].type.n, m->column[at].type.p);
		column[i].type = (enum lh_column_type)type;
	}
	return 0;
}

/* Return whether an object is JSON Lines, by its name. */
static bool is_lines(struct lh_str key)
{
	LH_SCOPED(lh_free_local) char *name = lh_strndup(key.p, key.n);

	return lh_archive_named(name, ".jsonl");
}

/* Check that rows can be added: all objects are JSON Lines, and in this store. */
static int check_parts(const struct ingest *in, struct lh_err *err)
{
	const struct lh_catalog_dataset *m = &in->keep->was;
	LH_SCOPED(lh_free_local) char *store = NULL;
	size_t i;

	for (i = 0; i < m->n_objects; i++)
		if (!is_lines(m->object[i].key))
			return lh_err_data(err, 409, "the dataset has an object that is not JSON "
					   "Lines: rows cannot be added");
	if (!lh_store_is_s3(in->s->store) && access(in->s->store, F_OK) < 0)
		return lh_err_sys(err, "--store");
	store = store_name(in->s->store, err);
	if (!store || !m->store.p || lh_str_is(m->store, store, strlen(store)))
		return store ? 0 : -1;
	return lh_err_data(err, 409, "the dataset is kept in another store");
}

int keep_check(struct ingest *in, struct lh_column *column, size_t n, bool written,
	       char fingerprint[FINGERPRINT])
{
	struct lh_err *err = &in->tool->err, why = { 0 };
	struct keep *k = in->keep;
	int rc = 0;

	lh_columns_fingerprint(column, n, fingerprint);
	lh_catalog_dataset_free(&k->was);
	if (lh_catalog_get(in->s->catalog, k->name, &k->was, &why) < 0) {
		lh_catalog_dataset_free(&k->was);
		rc = lh_err_status(&why) == 404 ? 0 : -1;
	} else if (in->s->fresh) {
		rc = lh_err_data(&why, 409, "there is a dataset of this name");
	} else if (!lh_str_is(k->was.schema_fingerprint, fingerprint, strlen(fingerprint))) {
		rc = !is_adding(in) ? lh_err_data(&why, 409, "the dataset is registered with "
						  "another fingerprint")
				    : fit_columns(&k->was, column, n, written, &why);
		snprintf(fingerprint, FINGERPRINT, "%.*s", (int)k->was.schema_fingerprint.n,
			 k->was.schema_fingerprint.p);
	}
	if (!rc && is_adding(in))
		rc = check_parts(in, &why);
	free(k->key);
	free(k->parquet_key);
	k->key = make_key(k, lh_str_of(fingerprint), "jsonl.zst");
	k->parquet_key = make_key(k, lh_str_of(fingerprint), "parquet");
	if (!rc)
		rc = lh_store_check_key(k->key, strlen(k->key), &why);
	if (rc < 0)
		*err = why;
	return rc;
}

void write_object(struct lh_writer *w, const char *key, const struct lh_transfer *sent)
{
	char hex[LH_SHA256_HEX];

	lh_hex(sent->sha256, sizeof sent->sha256, hex);
	lh_write_object(w, NULL);
	lh_write_text(w, "key", key);
	lh_write_u64(w, "size", sent->size);
	lh_write_str(w, "sha256", (struct lh_str){ hex, sizeof hex });
	lh_write_end(w);
}

static void write_columns(struct lh_writer *w, const struct lh_column *column, size_t n)
{
	size_t i;

	lh_write_array(w, "columns");
	for (i = 0; i < n; i++) {
		lh_write_object(w, NULL);
		lh_write_str(w, "name", column[i].name);
		lh_write_text(w, "type", lh_column_type_name(column[i].type));
		lh_write_end(w);
	}
	lh_write_end(w);
}

/* Write the record to register, on one line. */
static int write_record(const struct ingest *in, const char *fingerprint,
			const struct lh_column *column, size_t n, struct lh_buf *out,
			struct lh_err *err)
{
	const struct keep *k = in->keep;
	const struct adding *a = &k->add;
	struct lh_writer w = lh_write_to(out);
	LH_SCOPED(lh_free_local) char *store = store_name(in->s->store, err);

	if (!store)
		return -1;
	lh_write_object(&w, NULL);
	lh_write_str(&w, "name", k->name);
	lh_write_text(&w, "schema_fingerprint", fingerprint);
	lh_write_array(&w, "objects");
	if (is_adding(in)) {
		lh_buf_add(out, a->objects.p, a->objects.len);
	} else {
		write_object(&w, k->key, &k->sent);
		if (k->parquet_fd >= 0)
			write_object(&w, k->parquet_key, &k->parquet_sent);
	}
	lh_write_end(&w);
	if (!is_adding(in) || k->was.row_count >= 0)
		lh_write_u64(&w, "row_count", in->rows);
	lh_write_bytes(&w, "store", store);
	if (in->id) {
		lh_write_bytes(&w, "id_column", in->id);
		if (in->id_prefix)
			lh_write_bytes(&w, "id_prefix", in->id_prefix);
		else if (k->was.id_prefix.p)
			lh_write_null(&w, "id_prefix");
	}
	if (in->s->of_persons)
		lh_write_bool(&w, "of_persons", true);
	if (!is_adding(in) || !k->was.n_columns)
		write_columns(&w, column, n);
	if (k->lineage.len)	/* an earlier one is not that of these rows */
		lh_write_raw(&w, "lineage", (struct lh_str){ k->lineage.p, k->lineage.len });
	else if (k->was.lineage.p)
		lh_write_null(&w, "lineage");
	if (a->history.len) {
		lh_write_array(&w, "history");
		lh_buf_add(out, a->history.p, a->history.len);
		lh_write_end(&w);
	}
	lh_write_end(&w);
	return 0;
}

static int print_result(struct ingest *in, const char *fingerprint, bool existing)
{
	const struct keep *k = in->keep;
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	lh_write_object(&w, NULL);
	lh_write_text(&w, "dataset_id", k->id);
	lh_write_str(&w, "name", k->name);
	lh_write_text(&w, "schema_fingerprint", fingerprint);
	lh_write_u64(&w, "row_count", in->rows);
	lh_write_text(&w, "object_key", k->key);
	lh_write_u64(&w, "object_size", k->sent.size);
	lh_write_bool(&w, "existing", existing);
	if (in->s->append || in->s->upsert)
		lh_write_u64(&w, "added", k->add.added);
	if (in->s->upsert) {
		lh_write_u64(&w, "replaced", k->add.replaced);
		lh_write_u64(&w, "repeated", k->add.repeated);
		lh_write_u64(&w, "unchanged", k->add.unchanged);
	}
	lh_write_end(&w);
	return lh_tool_out_line(in->tool, &line);
}

/* Wait for another run that keeps this dataset. */
static int take_lock(struct ingest *in, struct lh_err *err)
{
	return lh_own_mkdir(in->s->catalog, 0700, err) < 0 ? -1 :
	       lh_catalog_lock(&in->keep->lock, in->s->catalog, in->keep->id,
			       in->tool->lock_timeout, err);
}

/* ---- keeping ---- */

/* Put the objects and register them. */
static int store_and_register(struct ingest *in, const char *fingerprint,
			      const struct lh_column *column, size_t n, bool *existing,
			      struct lh_err *err)
{
	LH_SCOPED(lh_catalog_dataset_free) struct lh_catalog_dataset m = { 0 };
	struct keep *k = in->keep;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	const bool adding = is_adding(in);
	char now[32];
	int rc;

	lh_tool_time(in->tool, now);
	rc = adding ? put_parts(in, err) :
	     lh_store_put(k->store, k->key, &(struct lh_put){ .fd = k->fd }, &k->sent, err);
	if (!rc && k->parquet_fd >= 0)
		rc = lh_store_put(k->store, k->parquet_key, &(struct lh_put){
			.fd = k->parquet_fd }, &k->parquet_sent, err);
	k->add.added = in->rows -= k->add.unchanged;
	if (adding && k->was.row_count > (int64_t)k->add.replaced)
		in->rows += (uint64_t)k->was.row_count - k->add.replaced;
	if (!rc)
		rc = write_record(in, fingerprint, column, n, &text, err);
	if (!rc)
		rc = lh_record_parse(&rec, text.p, text.len, err);
	if (!rc)
		rc = lh_catalog_register(in->s->catalog, &rec, &(struct lh_catalog_how){
			.now = now, .lock_timeout = in->tool->lock_timeout,
			.was = adding ? &k->was : NULL }, &m, existing, err);
	if (!rc && (adding || k->was.n_objects > 1))
		sweep_parts(in, &m);
	return rc;
}

/* Make the file in Parquet from the compressed one. */
static int make_parquet(struct keep *k, const struct lh_column *column, size_t n,
			struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };
	int rc = lh_tmpdir_make(&k->dir, "lh-ingest", err);

	if (!rc) {
		lh_buf_printf(&path, "%s/parquet", k->dir.path);
		lh_buf_putc(&path, '\0');
		rc = parquet_write(k->fd, column, n, path.p, err);
	}
	if (!rc) {
		k->parquet_fd = open(path.p, O_RDONLY | O_CLOEXEC);
		rc = k->parquet_fd < 0 ? lh_err_sys(err, "cannot open the file in Parquet") : 0;
	}
	return rc;
}

/* Report how many keys there were twice. */
static void report_keys(const struct ingest *in)
{
	const struct adding *a = &in->keep->add;

	if (a->repeated)
		lh_tool_message(in->tool, "%s the key of a later one, and %s left out",
				LH_N(a->repeated, "row has|rows have"),
				a->repeated > 1 ? "are" : "is");
	if (a->unchanged)
		lh_tool_message(in->tool, "%s in the dataset already, unchanged",
				LH_N(a->unchanged, "row is|rows are"));
	if (a->replaced)
		lh_tool_message(in->tool, "%s of the dataset replaced",
				LH_N(a->replaced, "row|rows"));
}

/* Return whether a column is one of numbers. */
static bool of_numbers(const struct lh_column *column, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && !lh_str_is(column[i].name, name, strlen(name)))
		i++;
	return i < n && (column[i].type == LH_COLUMN_INT64 || column[i].type == LH_COLUMN_FLOAT64);
}

int keep_finish(struct ingest *in, struct lh_column *column, size_t n)
{
	struct lh_err *err = &in->tool->err;
	char fingerprint[FINGERPRINT];
	struct keep *k = in->keep;
	bool existing = false;
	int rc;

	if (keep_check(in, column, n, true, fingerprint) < 0 ||
	    lh_child_writer_end(&k->writer, err) < 0)
		return -1;
	if (lseek(k->fd, 0, SEEK_SET) < 0)
		return lh_err_sys(err, "cannot seek");
	lh_signal_defer(in->s->parquet_out);	/* the folder must be removed in any case */
	rc = in->s->parquet_out ? make_parquet(k, column, n, err) : 0;
	if (!rc)
		rc = take_lock(in, err);
	if (!rc)
		rc = keep_check(in, column, n, true, fingerprint);
	if (!rc && is_adding(in))
		rc = check_ids(k, in->id, in->id_prefix, err);
	if (!rc && in->s->upsert) {
		k->add.numbers = of_numbers(column, n, in->s->upsert);
		rc = take_keys(in, err);
	}
	existing = is_adding(in);
	if (!rc && existing && !in->rows)	/* nothing is added */
		in->rows = k->was.row_count > 0 ? (uint64_t)k->was.row_count : 0;
	else if (!rc)
		rc = store_and_register(in, fingerprint, column, n, &existing, err);
	if (!rc)
		report_keys(in);
	return rc < 0 ? -1 : print_result(in, fingerprint, existing);
}

int ingest_flush(struct ingest *in)
{
	int rc = 0;

	if (in->out.len)
		rc = in->keep ? keep_write(in, in->out.p, in->out.len) :
				lh_tool_out(in->tool, in->out.p, in->out.len);
	lh_buf_reset(&in->out);
	if (!rc && in->pending)
		rc = lh_records_delivered(in->records, in->pending);
	in->pending = 0;
	return rc;
}

int ingest_waiting(void *ingest, struct lh_err *err)
{
	struct ingest *in = ingest;

	(void)err;
	return ingest_flush(in) < 0 ? -1 : lh_tool_flush(in->tool);
}

/* ---- requests ---- */

/*
 * A table is read by a child, this program again, so that a table that takes too long, or a
 * library that fails on a hostile one, costs its request alone.
 */

#define SECONDS 3600.0		/* for a table */
#define ANSWER_MAX ((size_t)1 << 20)

static const char *const formats[] = { "csv", "tsv", "jsonl", "parquet", NULL };

struct request {
	struct lh_str name, file, filename, upsert;
	const char *format;
	bool append, history;
	struct lh_value own;		/* of the request: in its error, in logs */
};
const struct lh_bind request_members[] = {
	{ LH_BIND_STRING("name", struct request, name), .required = true, .filled = true,
	  .no_nul = true, .path = true, .safe = true, .about = "the dataset" },
	{ LH_BIND_STRING("file", struct request, file), .required = true, .filled = true,
	  .no_nul = true, .path = true, .about = "the file with the table" },
	{ LH_BIND_CHOICE("format", struct request, format, formats),
	  .about = "the format (default: by content)" },
	{ LH_BIND_STRING("filename", struct request, filename),
	  .about = "the name that the file had, for its format" },
	{ LH_BIND_BOOL("append", struct request, append), .about = "add the rows to the dataset" },
	{ LH_BIND_STRING("upsert", struct request, upsert), .filled = true, .no_nul = true,
	  .about = "the column by which the rows replace those of the dataset" },
	{ LH_BIND_BOOL("history", struct request, history), .about = "keep those" },
	{ LH_BIND_SOME("id", struct request, own), .about = "the request, in an error" },
	{ LH_BIND_SOME("trace_id", struct request, own), .about = "the request, in logs" },
	LH_BIND_CLOSED
};

const struct lh_bind kept_members[] = {
	LH_OP_TEXT("dataset_id"),
	LH_OP_TEXT("name"),
	LH_OP_TEXT("schema_fingerprint"),
	LH_OP_COUNT("row_count"),
	LH_OP_TEXT("object_key"),
	LH_OP_COUNT("object_size"),
	LH_OP_BOOL("existing"),
	{ LH_BIND_ONLY("added", LH_BIND_TO_WHOLE), .most = INT64_MAX,
	  .about = "rows of --append and --upsert" },
	{ LH_BIND_ONLY("replaced", LH_BIND_TO_WHOLE), .most = INT64_MAX,
	  .about = "rows with the keys of these" },
	{ LH_BIND_ONLY("repeated", LH_BIND_TO_WHOLE), .most = INT64_MAX,
	  .about = "rows left out, since a later one has their key" },
	{ LH_BIND_ONLY("unchanged", LH_BIND_TO_WHOLE), .most = INT64_MAX,
	  .about = "rows left out, since the dataset has the same" },
	LH_BIND_END
};

struct run {
	struct ingest *in;
	struct lh_buf strings, text;	/* of a request; of its child's argv */
	struct lh_record reply;
	bool failing;			/* a failure is reported already */
};

/* ---- the child ---- */

static bool is_tsv(struct lh_str name)
{
	return name.n > 4 && strncasecmp(name.p + name.n - 4, ".tsv", 4) == 0;
}

/* Append a text with a NUL; return where it begins. */
static size_t add_text(struct lh_buf *b, const char *prefix, struct lh_str s)
{
	size_t at = b->len;

	lh_buf_puts(b, prefix);
	lh_buf_add(b, s.p, s.n);
	lh_buf_putc(b, '\0');
	return at;
}

static int run_child(struct run *r, const struct request *q, struct lh_child_out *out,
		     struct lh_err *err)
{
	const struct settings *s = r->in->s;
	const char *format = q->format ? q->format : is_tsv(q->filename) ? "tsv" : NULL;
	size_t name, file, option, upsert, n = 8;
	char *argv[24] = {
		(char *)"lh-ingest", (char *)"--quiet", (char *)"--progress=never",
		(char *)"--on-error=emit", (char *)"--store", (char *)s->store,
		(char *)"--catalog", (char *)s->catalog,
	};

	lh_buf_reset(&r->text);
	file = add_text(&r->text, "", q->file);
	name = add_text(&r->text, "--name=", q->name);
	option = add_text(&r->text, "--", lh_str_of(format ? format : "quiet"));
	upsert = add_text(&r->text, "--upsert=", q->upsert);
	argv[n++] = r->text.p + option;
	argv[n++] = r->text.p + name;
	if (q->append)
		argv[n++] = (char *)"--append";
	if (q->upsert.p)
		argv[n++] = r->text.p + upsert;
	if (q->history)
		argv[n++] = (char *)"--history";
	if (s->key_file) {
		argv[n++] = (char *)"--key-file";
		argv[n++] = (char *)s->key_file;
	}
	if (r->in->tool->now) {
		argv[n++] = (char *)"--now";
		argv[n++] = (char *)r->in->tool->now;
	}
	argv[n++] = (char *)"--";
	argv[n++] = r->text.p + file;
	argv[n] = NULL;
	return lh_child_run(&(struct lh_child_how){ .argv = argv, .seconds = SECONDS,
						    .max = ANSWER_MAX }, NULL, 0, out, err);
}

/* ---- its answer ---- */

/* Read what the child printed: 1 if it is an answer, 0 if it printed nothing, -1. */
static int read_reply(struct run *r, const struct lh_child_out *out, struct lh_err *err)
{
	const struct lh_value *error;

	if (!out->out.len)
		return 0;
	if (lh_record_parse(&r->reply, out->out.p, out->out.len, err) < 0)
		return lh_err_set(err, LH_EIO, "lh-ingest printed something else than an answer");
	error = lh_record_get(&r->reply, "error");
	return error ? lh_coproc_refusal(error, err) : 1;
}

/* Report why the child failed.  What is wrong with the table begins with the file's name, which
 * is not repeated; all else is wrong here. */
static int report_failure(struct lh_str file, const struct lh_child_out *out, struct lh_err *err)
{
	const char *why = out->last_line;

	if (out->timed_out)
		return lh_err_data(err, 504, "the table took longer than %.0f seconds", SECONDS);
	if (out->status != 2 || strncmp(why, file.p, file.n) || why[file.n] != ':')
		return lh_err_set(err, LH_EIO, "lh-ingest ended with status %d: %s", out->status,
				  why);
	why += file.n + 1;
	if (*why != ' ')
		return lh_err_set(err, LH_EDATA, "line %s", why);
	return lh_err_set(err, LH_EDATA, "the file:%s", why);
}

static int answer(struct run *r, const struct request *q, struct lh_buf *to, struct lh_err *err)
{
	LH_SCOPED(lh_child_free) struct lh_child_out out;
	int rc = run_child(r, q, &out, err);

	if (!rc) {
		rc = read_reply(r, &out, err);
		if (!rc)
			rc = report_failure((struct lh_str){ r->text.p, q->file.n }, &out, err);
		else if (rc > 0)
			lh_buf_add(to, r->reply.line, r->reply.len);
	}
	return rc < 0 ? -1 : 0;
}

static int on_request(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err)
{
	struct run *r = run;
	struct request q = { .format = NULL };

	if (lh_op_refuse_paths(r->in->tool, request_members, rec, err) < 0 ||
	    lh_bind(request_members, rec, &q, &r->strings, err) < 0)
		return -1;
	if ((q.append && q.upsert.p) || (q.history && !q.upsert.p))
		return lh_err_data(err, 400, q.history ? "\"history\" requires \"upsert\"" :
				   "\"append\" and \"upsert\" exclude each other");
	if (answer(r, &q, out, err) == 0) {
		r->failing = false;
		return 0;
	}
	if (err->code == LH_EDATA || err->code == LH_ENOMEM || err->code == LH_EINTR)
		return -1;
	if (!r->failing)
		lh_tool_warn(r->in->tool, "%s", err->msg);
	r->failing = true;
	return lh_err_data(err, 503, "the dataset cannot be kept at present");
}

int ingest_requests(struct ingest *in)
{
	struct run r = { .in = in };
	int rc;

	in->tool->jobs = 1;
	lh_tool_answer_each(in->tool);
	rc = lh_records_run(in->tool, &(struct lh_flow){ .map = on_request, .shared = &r });
	lh_record_free(&r.reply);
	lh_buf_free(&r.strings);
	lh_buf_free(&r.text);
	return rc;
}
