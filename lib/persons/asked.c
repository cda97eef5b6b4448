/* asked.c - which corpora of persons a request is about, whatever is answered.  See
 * persons_parts.h. */
#include "persons_parts.h"

#include <stdio.h>

#include "crypto/digest.h"
#include "audit/subject.h"
#include "index/index_tools.h"

#define SUBJECT "corpus:"

struct asking {
	struct lh_persons *p;
	struct lh_persons_rows *rows;
	const struct lh_persons_answer *a;
	bool names;			/* it names a corpus */
	struct lh_err *err;
};

/* ---- the row of a corpus ---- */

/* Write the text that was asked: the statement, or the line without what differs each time. */
static void write_asked(const struct asking *w, struct lh_buf *to)
{
	static const char *const drop[] = { "trace_id", "file" };
	const struct lh_value *sql = lh_record_get(&w->p->asked, "sql");
	struct lh_str text;

	lh_buf_reset(to);
	if (sql && sql->type == LH_STRING) {
		lh_value_str(sql, to, &text);
		if (text.p != to->p)
			lh_buf_add(to, text.p, text.n);
	} else {
		struct lh_writer line = lh_write_record(to, &w->p->asked, drop, 2);

		lh_write_end(&line);
	}
}

/* Begin the row of a corpus or table: with the hash of what was asked, and its text. */
static int add_corpus(struct asking *w, struct lh_str name)
{
	char id[sizeof SUBJECT + LH_SUBJECT_ID_MAX], is[LH_SUBJECT_MAX + 1];
	static const char begin[] = "\"sha256:";
	char member[sizeof begin + LH_SHA256_HEX];
	struct lh_buf *text = &w->p->copy;
	unsigned char hash[32];
	struct lh_persons_row *row;
	struct lh_err unused;
	size_t n = (size_t)snprintf(id, sizeof id, SUBJECT "%.*s", (int)name.n, name.p);

	if (n >= sizeof id || lh_subject_name(is, id, n, &unused) < 0)
		n = (size_t)snprintf(id, sizeof id, SUBJECT "?");
	row = lh_persons_row_of(w->rows, w->a, (struct lh_str){ id, n }, w->err);
	if (!row)
		return -1;
	write_asked(w, text);
	lh_sha256(text->p, text->len, hash);
	memcpy(member, begin, sizeof begin - 1);
	lh_hex(hash, sizeof hash, member + sizeof begin - 1);
	member[sizeof member - 1] = '"';
	lh_persons_add_member(row, (struct lh_str){ member, sizeof member });
	if (!w->p->how.text)
		return 0;
	lh_buf_reset(&w->p->strings);
	lh_buf_puts(&w->p->strings, "text:");
	lh_buf_add(&w->p->strings, text->p, text->len);
	lh_buf_reset(text);
	lh_buf_json(text, w->p->strings.p, w->p->strings.len);
	lh_persons_add_member(row, (struct lh_str){ text->p, text->len });
	return 0;
}

/* ---- the names of corpora ---- */

/* Return whether an index or a playbook may be of persons; one that a configured command keeps
 * elsewhere is not known, and may. */
static bool may_be_of_persons(const struct asking *w, struct lh_str name)
{
	bool there = false;

	return lh_persons_kept(w->p, "index", name, &there) ||
	       lh_persons_kept(w->p, "playbook", name, &there) ||
	       (!there && w->a->route && !w->a->route->built_in);
}

static int take_name(struct asking *w, const struct lh_value *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str name;

	if (v->type != LH_STRING)
		return 0;
	lh_value_str(v, &text, &name);
	if (!lh_index_name_valid(name))
		return 0;
	w->names = true;
	if (!may_be_of_persons(w, name))
		return 0;
	return add_corpus(w, name);
}

static int take_names(struct asking *w, const struct lh_value *v)
{
	struct lh_iter it;

	if (v->type != LH_ARRAY)
		return take_name(w, v);
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if (take_name(w, &it.val) < 0)
			return -1;
	return 0;
}

/* Take the corpora that the line names: in members that name files of the server. */
static int take_named(struct asking *w)
{
	struct lh_value all, member;
	struct lh_iter it;
	char name[64];

	if (!lh_value_get(&w->a->route->operation, "paths", &all))
		return 0;
	for (lh_iter_init(&it, &all); lh_iter_next(&it); ) {
		const struct lh_value *v;
		size_t n;

		if (!lh_value_get(&it.val, "member", &member) || member.n < 2)
			continue;
		n = member.n - 2;
		if (n > 2 && !memcmp(member.p + 1 + n - 2, "[]", 2))
			n -= 2;
		snprintf(name, sizeof name, "%.*s", (int)n, member.p + 1);
		v = lh_record_get(&w->p->asked, name);
		if (v && take_names(w, v) < 0)
			return -1;
	}
	return 0;
}

/* Take all that are there: a record is looked up in each. */
static int take_all(struct asking *w)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };
	struct lh_index_folder f;
	struct lh_err unused;
	size_t i;
	int rc = 0;

	lh_buf_printf(&path, "%s/index", w->p->how.state);
	lh_buf_putc(&path, '\0');
	if (lh_index_folder_read(&f, path.p, &unused) < 0)
		return 0;		/* as the filter will find */
	for (i = 0; !rc && i < f.n; i++)
		if (may_be_of_persons(w, lh_str_of(f.name[i])))
			rc = add_corpus(w, lh_str_of(f.name[i]));
	lh_index_folder_free(&f);
	return rc;
}

/* ---- tables ---- */

bool lh_persons_dataset(struct lh_str *key)
{
	static const char folder[] = "datasets/";
	const size_t n = sizeof folder - 1;

	if (key->n <= n || memcmp(key->p, folder, n) != 0)
		return false;
	key->p += n;
	key->n -= n;
	return true;
}

/* Add the tables that a filter of SQL has read; without its word, for a statement that failed or
 * was cut off, it may have been any. */
static int add_tables(struct asking *w)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	const struct lh_value list = { .p = w->a->tables.p, .n = w->a->tables.n,
				       .type = LH_ARRAY };
	struct lh_str name;
	struct lh_iter it;

	if (!list.n)
		return add_corpus(w, lh_str_of("sql"));
	for (lh_iter_init(&it, &list); lh_iter_next(&it); ) {
		lh_buf_reset(&text);
		lh_value_str(&it.val, &text, &name);
		if (add_corpus(w, name) < 0)
			return -1;
	}
	return 0;
}

/* ---- a request ---- */

/* Take the dataset that an object is of: its bytes are all rows of the table. */
static int take_object(struct asking *w)
{
	const struct lh_value *v = lh_record_get(&w->p->asked, "key");
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str key;
	const char *end;

	if (!v || v->type != LH_STRING)
		return 0;
	lh_value_str(v, &text, &key);
	if (!lh_persons_dataset(&key))
		return 0;
	end = memchr(key.p, '/', key.n);
	return add_corpus(w, (struct lh_str){ key.p, end ? (size_t)(end - key.p) : key.n });
}

static bool has_roster(const struct lh_route *r)
{
	return (lh_persons_run_by(r, "lh-validate") || lh_persons_run_by(r, "lh-iterate")) &&
	       lh_persons_has_option(r, "--roster");
}

int lh_persons_asked(struct lh_persons_rows *r, const struct lh_persons_answer *a,
		     struct lh_err *err)
{
	struct asking w = { .p = r->persons, .rows = r, .a = a, .err = err };

	if (!a->route || !a->asked.n)
		return 0;
	if (lh_record_parse(&w.p->asked, a->asked.p, a->asked.n, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	if (!*a->route->method && !a->route->described)	/* the command of a tool for models */
		return add_corpus(&w, lh_str_of(a->route->route));
	if (take_named(&w) < 0)
		return -1;
	if (lh_persons_run_by(a->route, "lh-query"))
		return add_tables(&w);
	if (a->route->kind == LH_ROUTE_GET)
		return take_object(&w);
	if (has_roster(a->route))
		return add_corpus(&w, lh_str_of("roster"));
	return !w.names && lh_route_lists(a->route, "shows", "id") &&
	       lh_route_lists(a->route, "shows", "metadata") ? take_all(&w) : 0;
}
