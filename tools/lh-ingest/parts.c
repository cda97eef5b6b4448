/*
 * parts.c - rows that are added to a dataset.
 *
 * Rows that are added are an object of their own, FINGERPRINT-NUMBER-HASH.jsonl.zst: a part, which
 * is never written again.  With --upsert a part that has rows with keys of new ones is replaced by
 * one without them, and with --history these go to one more object.  The manifest is last, so that
 * readers see the dataset as it was until then.  What it does not name any more is deleted after
 * it, with what killed runs left.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "base/signal.h"
#include "file/rows.h"
#include "flow/flow.h"
#include "ingest.h"
#include "json/canon.h"
#include "manifest/manifest.h"

/* ---- files of rows ---- */

/* A compressed file without a name that rows are written to. */
struct sink {
	struct lh_child_writer to;
	struct lh_buf out;
	int fd;
	uint64_t rows;
};
#define NO_SINK { .to = { 0, -1, -1 }, .fd = -1 }

#define SINK_BLOCK ((size_t)256 << 10)	/* bytes of rows that are passed on at a time */

static int sink_open(struct sink *s, struct lh_err *err)
{
	s->fd = lh_store_spool(err);
	return s->fd < 0 ? -1 : lh_child_writer_start(&s->to, "zstd", s->fd, err);
}

/* Pass on what is there, if it is more than that. */
static int sink_flush(struct sink *s, size_t least, struct lh_err *err)
{
	int rc = 0;

	if (s->out.len > least) {
		rc = lh_child_writer_more(&s->to, s->out.p, s->out.len, err);
		lh_buf_reset(&s->out);
	}
	return rc;
}

static int sink_end(struct sink *s, struct lh_err *err)
{
	if (sink_flush(s, 0, err) < 0 || lh_child_writer_end(&s->to, err) < 0)
		return -1;
	return lseek(s->fd, 0, SEEK_SET) < 0 ? lh_err_sys(err, "cannot seek") : 0;
}

static void sink_free(struct sink *s)
{
	lh_child_writer_stop(&s->to);
	lh_buf_free(&s->out);
	if (s->fd >= 0)
		close(s->fd);
}

/* ---- the rows of an object ---- */

typedef int row_fn(struct adding *a, const char *p, size_t n, struct lh_err *err);

static int block_rows(struct adding *a, const struct lh_bytes *b, row_fn *fn, struct lh_err *err)
{
	struct lh_str rest = { b->p, b->n }, line;

	while (lh_next_line(&rest, &line))
		if (!lh_line_empty(line.p, line.n) && fn(a, line.p, line.n, err) < 0)
			return -1;
	return lh_stopping() ? lh_err_set(err, LH_EINTR, "interrupted") : 1;
}

/* Pass the rows of an object, open as fd. */
static int each_row(struct adding *a, int fd, row_fn *fn, struct lh_err *err)
{
	char *operand = (char *)"the rows";
	struct lh_bytes block = { .p = NULL };
	struct lh_input in;
	int rc;

	lh_input_init(&in, &operand, 1, LH_ROWS_LONGEST);
	in.opened = fd;
	a->row = a->found = 0;
	rc = lseek(fd, 0, SEEK_SET) < 0 ? lh_err_sys(err, "cannot seek") : lh_input_open(&in, err);
	while (rc > 0) {
		switch (lh_input_next(&in, &block, err)) {
		case LH_LINES_BLOCK:
			rc = block_rows(a, &block, fn, err);
			break;
		case LH_LINES_WAIT:
			rc = lh_lines_wait(&in.lines, err) < 0 ? -1 : 1;
			break;
		case LH_LINES_ROOM:
			lh_lines_allow(&in.lines);
			break;
		case LH_LINES_END:
			rc = 0;
			break;
		case LH_LINES_LONG:
			rc = lh_err_set(err, LH_EIO, "a row is too long");
			break;
		default:
			rc = -1;
		}
	}
	free(block.p);
	lh_input_free(&in);
	return !rc && lseek(fd, 0, SEEK_SET) < 0 ? lh_err_sys(err, "cannot seek") : rc;
}

/* Set *key to the key of a row: 1, 0 if it has none, -1. */
static int key_of(struct adding *a, const char *p, size_t n, struct lh_key *key,
		  struct lh_err *err)
{
	const struct lh_value *v;
	unsigned char hash[32];
	struct lh_str s;

	if (lh_record_parse(&a->rec, p, n, err) < 0)
		return -1;
	v = lh_record_get(&a->rec, a->key);
	if (!v || v->type == LH_NULL || v->type == LH_ARRAY || v->type == LH_OBJECT)
		return 0;
	s = (struct lh_str){ v->p, v->n };
	lh_buf_reset(&a->text);
	if (v->type == LH_STRING) {
		lh_value_str(v, &a->text, &s);
	} else if (a->numbers && lh_canon_jcs(&a->text, v, &(struct lh_err){ 0 }) == 0) {
		s = (struct lh_str){ a->text.p, a->text.len };
	}
	lh_sha256(s.p, s.n, hash);
	memcpy(key, hash, sizeof *key);
	return 1;
}

/* Note the key of a new row. */
static int note_key(struct adding *a, const char *p, size_t n, struct lh_err *err)
{
	struct lh_key key;
	uint64_t *last;
	int rc = key_of(a, p, n, &key, err);

	a->row++;
	if (rc <= 0)
		return rc < 0 ? -1 : lh_err_data(err, 400, "row %llu has no \"%s\" (--upsert)",
						 (unsigned long long)a->row, a->key);
	last = lh_keymap_at(&a->keys, &key, err);
	if (!last)
		return -1;
	a->repeated += *last > 0;
	*last = a->row;
	return 0;
}

/* Set *key to what the row that was parsed is: two rows with the same members and values, in
 * whatever order and spelling, are one. */
static void content_of(struct adding *a, struct lh_key *key)
{
	struct lh_str s = { a->rec.line, a->rec.len };
	unsigned char hash[32];

	lh_buf_reset(&a->form);
	if (lh_canon_jcs_record(&a->form, &a->rec, &(struct lh_err){ 0 }) == 0)
		s = (struct lh_str){ a->form.p, a->form.len };
	lh_sha256(s.p, s.n, hash);
	memcpy(key, hash, sizeof *key);
}

/* Note what a new row is. */
static int note_content(struct adding *a, const char *p, size_t n, struct lh_err *err)
{
	struct lh_key key;
	uint64_t *at;

	if (lh_record_parse(&a->rec, p, n, err) < 0)
		return -1;
	content_of(a, &key);
	at = lh_keymap_at(&a->same, &key, err);
	if (at)
		*at = 1;
	return at ? 0 : -1;
}

/* Return whether the row of the dataset that was parsed, whose key a new one has, is the first
 * that is the same as that one, and stays therefore. */
static bool is_unchanged(struct adding *a)
{
	const uint64_t place = a->before + a->row + 1;
	struct lh_key key;
	int64_t i;
	uint64_t *at;

	content_of(a, &key);
	i = lh_map_find(&a->same, &key, sizeof key, sizeof(struct lh_known));
	if (i < 0)
		return false;
	at = &lh_keymap_entry(&a->same, (size_t)i)->bits;
	if (*at == 1) {
		*at = place;
		a->unchanged++;
	}
	return *at == place;
}

/* Return whether the row that was parsed, whose key new ones have, the last of them last, goes. */
static bool goes(struct adding *a, uint64_t last)
{
	struct lh_key key;

	if (a->rows == OF_DATASET)
		return !is_unchanged(a);
	if (a->rows == NEW_TWICE)
		return last != a->row;
	content_of(a, &key);
	return lh_keymap_get(&a->same, &key) > 1;
}

/* Write a row that is replaced, with the time. */
static int put_past(struct adding *a, struct lh_err *err)
{
	struct lh_buf *out = &a->past->out;

	if (lh_record_get(&a->rec, "replaced_at"))
		return lh_err_data(err, 400, "the dataset has a column \"replaced_at\": there is "
				   "no --history of it");
	lh_buf_add(out, a->rec.line, a->rec.len);
	while (out->p[out->len - 1] != '}')
		out->len--;
	out->len--;
	lh_buf_printf(out, ",\"replaced_at\":\"%s\"}\n", a->now);
	a->past->rows++;
	return sink_flush(a->past, SINK_BLOCK, err);
}

/* Write a row to where it goes, or count it: of the dataset one whose key a new row has does not
 * stay, of the new ones one whose key a later one has, or that the dataset has. */
static int pass_row(struct adding *a, const char *p, size_t n, struct lh_err *err)
{
	struct lh_key key;
	int rc = key_of(a, p, n, &key, err);
	const uint64_t last = rc > 0 ? lh_keymap_get(&a->keys, &key) : 0;

	a->row++;
	if (rc < 0)
		return -1;
	if (last && goes(a, last)) {
		a->found++;
		return a->past && a->stay && a->rows == OF_DATASET ? put_past(a, err) : 0;
	}
	if (!a->stay)
		return 0;
	lh_buf_add(&a->stay->out, p, n);
	lh_buf_putc(&a->stay->out, '\n');
	a->stay->rows++;
	return sink_flush(a->stay, SINK_BLOCK, err);
}

/* Write the rows of fd that stay to *to. */
static int pass_rows(struct adding *a, int fd, struct sink *to, struct lh_err *err)
{
	int rc = sink_open(to, err);

	a->stay = to;
	if (!rc)
		rc = each_row(a, fd, pass_row, err);
	if (!rc)
		rc = sink_end(to, err);
	a->stay = NULL;
	return rc;
}

/* Leave out new rows: which says which. */
static int leave_out(struct keep *k, int which, struct lh_err *err)
{
	struct sink to = NO_SINK;
	int rc, fd = k->fd;

	k->add.rows = which;
	rc = pass_rows(&k->add, fd, &to, err);
	k->add.rows = OF_DATASET;
	k->fd = to.fd;
	to.fd = fd;
	sink_free(&to);
	return rc;
}

int take_keys(struct ingest *in, struct lh_err *err)
{
	struct adding *a = &in->keep->add;
	int rc = each_row(a, in->keep->fd, note_key, err);

	if (!rc && a->repeated) {
		rc = leave_out(in->keep, NEW_TWICE, err);
		in->rows -= a->repeated;
	}
	return rc < 0 ? rc : each_row(a, in->keep->fd, note_content, err);
}

/* ---- parts ---- */

/* Append an object to a list of a manifest. */
static struct lh_writer list_of(struct lh_buf *list)
{
	struct lh_writer w = lh_write_to(list);

	w.comma = list->len > 0;
	return w;
}

static void add_values(struct lh_buf *list, const struct lh_value *v)
{
	struct lh_writer w = list_of(list);
	struct lh_iter it;

	if (!v || v->type != LH_ARRAY)
		return;
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		lh_write_value(&w, NULL, &it.val);
}

/* Put a file as the next part, add it to a list, and return its key, to be freed; or NULL. */
static char *put_part(struct keep *k, int fd, const char *ending, struct lh_buf *list,
		      struct lh_transfer *sent, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf name = { 0 };
	struct lh_file_digest is;
	struct lh_writer w = list_of(list);
	char hex[LH_SHA256_HEX + 1], *key;

	if (lh_digest_read(fd, UINT64_MAX, &is, err) < 0)
		return NULL;
	if (lseek(fd, 0, SEEK_SET) < 0) {
		lh_err_sys(err, "cannot seek");
		return NULL;
	}
	lh_hex(is.sha256, sizeof is.sha256, hex);
	lh_buf_printf(&name, "%.*s-%lu-%.16s%c", (int)k->was.schema_fingerprint.n,
		      k->was.schema_fingerprint.p, ++k->add.number, hex, '\0');
	key = make_key(k, (struct lh_str){ name.p, name.len - 1 }, ending);
	if (lh_store_check_key(key, strlen(key), err) < 0 ||
	    lh_store_put(k->store, key, &(struct lh_put){ .fd = fd, .sha256 = is.sha256 }, sent,
			 err) < 0) {
		free(key);
		return NULL;
	}
	write_object(&w, key, sent);
	return key;
}

/* Open a copy of an object, which is as its manifest says. */
static int fetch(struct keep *k, const struct lh_catalog_object *o, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *key = lh_strndup(o->key.p, o->key.n);
	unsigned char sha256[32];
	const bool known = o->sha256.p && lh_unhex(o->sha256.p, o->sha256.n, sha256);

	return lh_object_copy(k->store, &(struct lh_object_said){ key, o->size, known ? sha256
										: NULL }, err);
}

/* Replace an object by a part without the rows that new ones replace, if it has any. */
static int replace_rows(struct keep *k, const struct lh_catalog_object *o,
			const struct lh_value *as_it_is, struct lh_err *err)
{
	struct adding *a = &k->add;
	struct sink to = NO_SINK;
	struct lh_transfer sent;
	int fd = fetch(k, o, err), rc = fd < 0 ? -1 : each_row(a, fd, pass_row, err);
	char *key = NULL;

	if (!rc && !a->found) {
		struct lh_writer w = list_of(&a->objects);

		lh_write_value(&w, NULL, as_it_is);
	} else if (!rc) {
		rc = pass_rows(a, fd, &to, err);
		a->replaced += a->found;
		if (!rc && to.rows)
			rc = (key = put_part(k, to.fd, "jsonl.zst", &a->objects, &sent, err)) ? 0
											      : -1;
	}
	a->before += a->row;
	free(key);
	sink_free(&to);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Put the objects whose rows stay. */
static int replace_parts(struct keep *k, struct lh_err *err)
{
	struct lh_iter it;
	size_t i = 0;
	int rc = 0;

	if (!k->was.n_objects)
		return 0;
	for (lh_iter_init(&it, lh_record_get(&k->was.rec, "objects")); !rc && lh_iter_next(&it); )
		rc = replace_rows(k, &k->was.object[i++], &it.val, err);
	return rc || !k->add.unchanged ? rc : leave_out(k, NEW_SAME, err);
}

/* Count the row if its id is not that of the column. */
static int look_at_id(struct adding *a, const char *p, size_t n, struct lh_err *err)
{
	const char *id = a->id, *prefix = a->id_prefix ? a->id_prefix : "";
	LH_SCOPED(lh_buf_free) struct lh_buf has = { 0 };
	const struct lh_value *v, *is;
	struct lh_str s;

	if (lh_record_parse(&a->rec, p, n, err) < 0)
		return -1;
	is = lh_record_get(&a->rec, "id");
	v = lh_record_get(&a->rec, id);
	lh_buf_reset(&a->text);
	s = v ? (struct lh_str){ v->p, v->n } : (struct lh_str){ NULL, 0 };
	if (v && v->type == LH_STRING)
		lh_value_str(v, &a->text, &s);
	lh_buf_puts(&has, prefix);
	lh_buf_add(&has, s.p, s.n);
	a->found += !is || !v || !lh_value_is(is, has.p ? has.p : "", has.len);
	return 0;
}

int check_ids(struct keep *k, const char *id, const char *prefix, struct lh_err *err)
{
	const struct lh_catalog_dataset *m = &k->was;
	int fd, rc;

	if (m->id_column.n) {
		const char *is = prefix ? prefix : "";

		if (id && lh_str_is(m->id_column, id, strlen(id)) &&
		    (lh_str_is(m->id_prefix, is, strlen(is)) || (!*is && !m->id_prefix.n)))
			return 0;
		return lh_err_data(err, 409, "the ids of the dataset are \"%.*s\" and column "
				   "\"%.*s\" (--id-prefix, --id)", (int)m->id_prefix.n,
				   m->id_prefix.n ? m->id_prefix.p : "", (int)m->id_column.n,
				   m->id_column.p);
	}
	if (!id || !m->n_objects)
		return 0;
	/* Manifests of earlier versions do not say it: the rows do. */
	k->add.id = id;
	k->add.id_prefix = prefix;
	fd = fetch(k, &m->object[0], err);
	rc = fd < 0 ? -1 : each_row(&k->add, fd, look_at_id, err);
	if (fd >= 0)
		close(fd);
	return rc < 0 || !k->add.found ? rc :
	       lh_err_data(err, 409, "the rows of the dataset have no such ids: it was kept "
			   "without --id");
}

/* Find the number of the last part. */
static void find_number(struct keep *k)
{
	LH_SCOPED(lh_free_local) char *first = make_key(k, k->was.schema_fingerprint, "");
	const struct lh_catalog_dataset *m = &k->was;
	size_t n = strlen(first) - 1, i;
	unsigned long number;

	k->add.number = 1;
	for (i = 0; i < m->n_objects + m->n_history; i++) {
		const struct lh_catalog_object *o = i < m->n_objects ? &m->object[i] :
						    &m->history[i - m->n_objects];
		LH_SCOPED(lh_free_local) char *key = lh_strndup(o->key.p, o->key.n);

		if (strncmp(key, first, n) || key[n] != '-')
			continue;
		number = strtoul(key + n + 1, NULL, 10);
		if (number > k->add.number && number < 1000000000)
			k->add.number = number;
	}
}

int put_parts(struct ingest *in, struct lh_err *err)
{
	struct keep *k = in->keep;
	struct adding *a = &k->add;
	struct sink past = NO_SINK;
	struct lh_transfer sent;
	int rc = 0;
	char *key;

	find_number(k);
	lh_tool_time(in->tool, a->now);
	if (in->s->history && (rc = sink_open(&past, err)) == 0)
		a->past = &past;
	if (!rc && !a->key)
		add_values(&a->objects, lh_record_get(&k->was.rec, "objects"));
	else if (!rc)
		rc = replace_parts(k, err);
	if (!rc && past.rows) {
		add_values(&a->history, lh_record_get(&k->was.rec, "history"));
		rc = sink_end(&past, err);
		key = rc ? NULL : put_part(k, past.fd, "replaced.jsonl.zst", &a->history, &sent,
					   err);
		rc = key ? 0 : -1;
		free(key);
	}
	a->past = NULL;
	sink_free(&past);
	if (rc < 0 || a->unchanged == in->rows)	/* there is none to put */
		return rc < 0 ? -1 : 0;
	free(k->key);
	k->key = put_part(k, k->fd, "jsonl.zst", &a->objects, &k->sent, err);
	return k->key ? 0 : -1;
}

/* ---- what is not needed any more ---- */

struct sweep {
	const struct lh_catalog_dataset *m;
	size_t prefix;
	char **key;
	size_t n, cap;
};

static bool is_named(const struct lh_catalog_object *o, size_t n, const char *key)
{
	size_t i = 0;

	while (i < n && !lh_str_is(o[i].key, key, strlen(key)))
		i++;
	return i < n;
}

static int on_object(void *sweep, const struct lh_object *o, struct lh_err *err)
{
	struct sweep *s = sweep;
	const char end = o->key[s->prefix];

	(void)err;
	if ((end != '-' && end != '.') || is_named(s->m->object, s->m->n_objects, o->key) ||
	    is_named(s->m->history, s->m->n_history, o->key))
		return 0;
	lh_grow(&s->key, &s->cap, s->n + 1, sizeof *s->key);
	s->key[s->n++] = lh_strndup(o->key, strlen(o->key));
	return 0;
}

void sweep_parts(struct ingest *in, const struct lh_catalog_dataset *m)
{
	struct keep *k = in->keep;
	LH_SCOPED(lh_free_local) char *prefix = make_key(k, m->schema_fingerprint, "");
	struct sweep s = { .m = m, .prefix = strlen(prefix) - 1 };
	struct lh_err why;
	size_t i;
	int rc;

	prefix[s.prefix] = '\0';
	rc = lh_store_list(k->store, prefix, on_object, &s, &why);
	for (i = 0; i < s.n; i++) {
		if (!rc && lh_store_delete(k->store, s.key[i], NULL, &why) < 0 &&
		    lh_err_status(&why) != 404)
			rc = -1;
		free(s.key[i]);
	}
	free(s.key);
	if (rc < 0)
		lh_tool_warn(in->tool, "what was replaced is not deleted, which the next run "
			     "does: %s", why.msg);
}
