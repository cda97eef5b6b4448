/* choose.c - which member is the id, and what the text is.  See filesearch_parts.h. */
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/table.h"
#include "filesearch_parts.h"
#include "flow/flow.h"
#include "json/value.h"
#include "json/write.h"

#define NAMES_MAX 4096		/* members that are looked at */
#define NAMES_SAID 6		/* members with texts that are named */
#define PIECE 65536		/* bytes written at a time */
#define ID_MAX 1024		/* bytes, those of an index */
#define LINE_MAX_BYTES ((uint64_t)2 << 30)

struct member {			/* of the records */
	int rank;		/* as id: the lower the better; -1: none */
	bool text;		/* it has strings */
	uint64_t ids;		/* records in which it may be the id; all of them differ */
	struct lh_map hashes;
};

struct chosen {
	const struct lh_filesearch_how *how;
	struct lh_intern names;
	struct member *member;
	size_t cap;
	uint64_t records, line, without_text;
	bool lines_rise;		/* so that each record has another */
	int64_t id;			/* the member; -1: the line */
	struct lh_buf template_text, scratch, text, out;
	struct lh_template *template;
	struct passages passages;
	struct sample sample;
	bool texts, folder;	/* as of the struct lh_filesearch */
	bool divided;		/* a row is a passage */
	int to;
};

/* ---- names of ids ---- */

/* Return the last word of a name, "Id" of "personId" and "sku" of "product sku". */
static struct lh_str last_word(struct lh_str name)
{
	size_t i = name.n;

	while (i && isalnum((unsigned char)name.p[i - 1]) &&
	       !(i < name.n && isupper((unsigned char)name.p[i]) &&
		 islower((unsigned char)name.p[i - 1])))
		i--;
	return (struct lh_str){ name.p + i, name.n - i };
}

static bool is_word(struct lh_str s, const char *word)
{
	return s.n == strlen(word) && !strncasecmp(s.p, word, s.n);
}

static int rank_of(struct lh_str name, const char *id_field)
{
	static const char *const words[] = { "uuid", "key", "sku", "code", "number" };
	struct lh_str last = last_word(name);
	int i;

	if (id_field)
		return lh_str_is(name, id_field, strlen(id_field)) ? 0 : -1;
	if (is_word(name, "id"))
		return 0;
	if (is_word(last, "id"))
		return is_word(name, "_id") ? 2 : 1;
	for (i = 0; i < 5; i++)
		if (is_word(last, words[i]))
			return 3 + i;
	return -1;
}

/* ---- the first look ---- */

static struct member *member_of(struct chosen *c, const struct lh_value *key, struct lh_err *err)
{
	const size_t known = c->names.n;
	struct lh_str name;
	uint32_t i;

	lh_buf_reset(&c->scratch);
	lh_value_str(key, &c->scratch, &name);
	if (known == NAMES_MAX && lh_intern_find(&c->names, name.p, name.n) < 0)
		return NULL;
	lh_intern_add(&c->names, name.p, name.n, &i, err);
	if (i == known) {
		lh_grow(&c->member, &c->cap, known + 1, sizeof *c->member);
		c->member[i] = (struct member){ .rank = rank_of(name, c->how->id_field) };
	}
	return &c->member[i];
}

static bool has_text(const struct lh_value *v)
{
	struct lh_iter it;

	if (v->type == LH_ARRAY || v->type == LH_OBJECT)
		for (lh_iter_init(&it, v); lh_iter_next(&it); )
			if (has_text(&it.val))
				return true;
	return v->type == LH_STRING && v->n > 2;
}

/* Return the text of a value that may be an id; n 0: it may not. */
static struct lh_str id_of(const struct lh_value *v, struct lh_buf *scratch)
{
	struct lh_str s = { v->p, v->n };

	if (v->type == LH_STRING) {
		lh_buf_reset(scratch);
		lh_value_str(v, scratch, &s);
	}
	if ((v->type != LH_STRING && v->type != LH_NUMBER) || s.n > ID_MAX)
		s.n = 0;
	return s;
}

static void look_at_id(struct chosen *c, struct member *m, const struct lh_value *v,
		       struct lh_err *err)
{
	struct lh_str id = id_of(v, &c->scratch);
	uint64_t hash;
	bool is_new = false;

	if (!id.n || m->ids + 1 != c->records) {
		m->rank = -1;
		return;
	}
	hash = lh_xxh3_seeded(id.p, id.n, lh_seed());
	lh_map_add(&m->hashes, &hash, sizeof hash, sizeof hash, &is_new, err);
	if (is_new) {
		m->ids++;
		return;
	}
	m->rank = -1;
	lh_map_free(&m->hashes);
}

static int look(struct lh_record *rec, void *result, struct lh_buf *out, void *context,
		struct lh_err *err)
{
	struct chosen *c = context;
	struct member *m;
	int64_t line = 0;
	size_t i;

	(void)result;
	(void)out;
	lh_value_i64(&rec->member[0].val, &line);
	c->lines_rise &= (uint64_t)line > c->line;
	c->line = (uint64_t)line;
	c->records++;
	for (i = 1; i < rec->n; i++) {
		m = member_of(c, &rec->member[i].key, err);
		if (!m)
			continue;
		if (!m->text)
			m->text = has_text(&rec->member[i].val);
		if (m->rank >= 0)
			look_at_id(c, m, &rec->member[i].val, err);
	}
	return 0;
}

static int64_t choose_id(const struct chosen *c)
{
	int64_t best = -1;
	size_t i;

	for (i = 0; i < c->names.n; i++)
		if (c->member[i].rank >= 0 && c->member[i].ids == c->records &&
		    (best < 0 || c->member[i].rank < c->member[best].rank))
			best = (int64_t)i;
	return best;
}

/* ---- what is said ---- */

static void say(struct chosen *c, struct lh_filesearch *f)
{
	struct lh_buf *b = &f->said;
	struct lh_str name;
	size_t i, n = 0;

	if (!c->records) {
		lh_buf_puts(b, "no records");
		return;
	}
	lh_buf_puts(b, "text: ");
	if (c->how->template || c->how->field)
		lh_buf_puts(b, c->how->template ? c->how->template : c->how->field);
	for (i = 0; !c->template && i < c->names.n; i++) {
		if (!c->member[i].text || n++ >= NAMES_SAID)
			continue;
		name = lh_intern_text(&c->names, (uint32_t)i);
		lh_buf_puts(b, n > 1 ? ", " : "");
		lh_buf_add(b, name.p, name.n);
	}
	if (n > NAMES_SAID)
		lh_buf_printf(b, " and %zu more", n - NAMES_SAID);
	if (!n && !c->template)
		lh_buf_puts(b, "none");
	lh_buf_puts(b, "; id: ");
	if (c->id >= 0) {
		name = lh_intern_text(&c->names, (uint32_t)c->id);
		lh_buf_add(b, name.p, name.n);
	} else {
		lh_buf_puts(b, c->lines_rise ? "the line" : "the number of the record");
	}
}

/* ---- the records for lh-index ---- */

/* Append every string in a value, as the words of the index are taken. */
static void add_strings(struct chosen *c, const struct lh_value *v)
{
	struct lh_iter it;
	struct lh_str s;

	if (v->type == LH_STRING) {
		lh_buf_reset(&c->scratch);
		lh_value_str(v, &c->scratch, &s);
		lh_buf_add(&c->text, s.p, s.n);
		lh_buf_puts(&c->text, s.n ? "\n" : "");
	}
	if (v->type == LH_ARRAY || v->type == LH_OBJECT)
		for (lh_iter_init(&it, v); lh_iter_next(&it); )
			add_strings(c, &it.val);
}

static int make_text(struct chosen *c, const struct lh_record *rec, struct lh_err *err)
{
	size_t i;

	lh_buf_reset(&c->text);
	if (c->template)
		return lh_template_render(c->template, rec, &c->text, err);
	/* lines of a passage are counted in the text alone */
	for (i = c->texts ? rec->n - 1 : 1; i < rec->n; i++)
		add_strings(c, &rec->member[i].val);
	return 0;
}

static void put_id(struct chosen *c, const struct lh_record *rec, struct lh_buf *out)
{
	const struct lh_value *v = NULL;
	struct lh_str name, id;
	size_t i;

	if (c->id >= 0)
		name = lh_intern_text(&c->names, (uint32_t)c->id);
	for (i = 1; c->id >= 0 && !v && i < rec->n; i++)
		if (lh_value_is(&rec->member[i].key, name.p, name.n))
			v = &rec->member[i].val;
	if (v) {
		id = id_of(v, &c->scratch);
		lh_buf_json(out, id.p, id.n);
	} else {
		lh_buf_printf(out, "\"%llu\"", (unsigned long long)(c->lines_rise ? c->line :
								   c->records));
	}
}

/* Append the row of a passage; number 0: it is all of the text, or its beginning. */
static void put_row(struct chosen *c, const struct lh_record *rec, const struct passage *p,
		    size_t number, struct lh_buf *out)
{
	const char *rest = rec->member[0].val.p + rec->member[0].val.n;
	const char *end = rec->line + rec->len;

	lh_sample_add(&c->sample, p->text);
	lh_buf_puts(out, "{\"" ID_MEMBER "\":");
	put_id(c, rec, out);
	if (number) {
		out->len--;
		lh_buf_printf(out, "\\u%04x%zu\"", LH_PASSAGE_SIGN, number);
	}
	lh_buf_puts(out, ",\"" TEXT_MEMBER "\":");
	lh_buf_json(out, p->text.p, p->text.n);
	lh_buf_puts(out, ",\"metadata\":{");
	rest += *rest == ',';
	if (c->texts)			/* the text is its passage */
		end = rec->member[rec->n - 2].val.p + rec->member[rec->n - 2].val.n + 1;
	while (!c->texts && end[-1] != '}')
		end--;
	lh_buf_add(out, rest, rest < end ? (size_t)(end - rest) - 1 : 0);
	if (c->texts || c->passages.n > 1) {
		lh_buf_printf(out, "%s\"" LH_PASSAGE_MEMBER "\":{\"line\":%llu,\"text\":",
			      out->p[out->len - 1] == '{' ? "" : ",", (unsigned long long)p->line);
		lh_buf_json(out, p->text.p, p->text.n);
		lh_buf_putc(out, '}');
	}
	lh_buf_puts(out, "}}\n");
}

static int wrap(struct lh_record *rec, void *result, struct lh_buf *out, void *context,
		struct lh_err *err)
{
	struct chosen *c = context;
	int64_t line = 0;
	size_t i;

	(void)result;
	lh_value_i64(&rec->member[0].val, &line);
	c->line = (uint64_t)line;
	c->records++;
	if (make_text(c, rec, err) < 0)
		return -1;
	if (!c->text.len) {
		c->without_text++;
		return 0;
	}
	lh_passages((struct lh_str){ c->text.p, c->text.len }, &c->passages);
	if (c->how->index) {		/* whoever searches it knows of no passages */
		c->passages.n = 1;
		c->passages.v[0].text = (struct lh_str){ c->text.p, c->text.len };
	}
	c->divided |= c->texts || c->passages.n > 1;
	for (i = 0; i < c->passages.n; i++) {
		if (!c->folder)
			c->passages.v[i].line = c->line;
		put_row(c, rec, &c->passages.v[i], i, out);
	}
	return 1;
}

static int write_wrapped(const struct lh_output *o, void *shared, struct lh_err *err)
{
	struct chosen *c = shared;
	int rc = 0;

	if (o)
		lh_buf_add(&c->out, o->text, o->n);
	if (c->out.len >= PIECE || (!o && c->out.len)) {
		rc = lh_write_all(c->to, c->out.p, c->out.len, err);
		lh_buf_reset(&c->out);
	}
	return rc;
}

/* ---- both looks ---- */

static int pass(struct chosen *c, int fd, struct lh_err *err,
		int (*fill)(struct lh_record *, void *, struct lh_buf *, void *, struct lh_err *))
{
	c->records = c->line = 0;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return lh_err_sys(err, "lseek");
	return lh_flow_fd("records", fd, &(struct lh_flow){
		.plain = true, .max_line = LINE_MAX_BYTES, .jobs = 1, .fill = fill,
		.result_size = 1, .sink = write_wrapped, .shared = c }, err);
}

/* Check that no field is one that the lines for lh-index have for themselves. */
static int check_paths(const struct chosen *c, struct lh_err *err)
{
	const struct lh_path *p;
	size_t i;

	for (i = 0; (p = lh_template_path(c->template, i)); i++)
		if (!strncmp(p->text, "metadata", 8) && (!p->text[8] || p->text[8] == '.'))
			return lh_err_set(err, LH_EUSAGE, "a member called metadata cannot be the "
					  "text alone");
	return 0;
}

/* Make the template of --template or --field. */
static int set_template(struct chosen *c, struct lh_err *err)
{
	const char *p = c->how->field;

	if (c->how->template)
		lh_buf_puts(&c->template_text, c->how->template);
	else if (p && strpbrk(p, "{}"))
		return lh_err_set(err, LH_EUSAGE, "--field: a name with braces cannot be used");
	else if (p)
		lh_buf_printf(&c->template_text, "{%s}", p);
	lh_buf_putc(&c->template_text, '\0');
	if (c->template_text.len == 1)
		return 0;
	c->template = lh_template_new(c->template_text.p, err);
	return c->template ? check_paths(c, err) : lh_err_prefix(err, "--template");
}

struct chosen *lh_chosen_new(int fd, const char *file, const struct lh_filesearch_how *how,
			     struct lh_filesearch *f, struct lh_err *err)
{
	struct chosen *c = lh_calloc(1, sizeof *c);
	int rc;

	c->how = how;
	c->sample.stride = 1;
	c->texts = f->texts && !how->index;
	c->folder = f->folder;
	c->lines_rise = true;
	rc = set_template(c, err) < 0 ? -1 : pass(c, fd, err, look);
	c->id = rc < 0 ? -1 : choose_id(c);
	if (!rc && c->id < 0 && how->id_field && c->records)
		rc = lh_err_set(err, LH_EUSAGE, "--id-field: in %s \"%s\" is missing, empty, not a "
				"text or number, or the same in two records", file, how->id_field);
	if (rc < 0) {
		lh_chosen_free(c);
		return NULL;
	}
	f->records = c->records;
	f->id_is_line = c->id < 0;
	say(c, f);
	return c;
}

void lh_chosen_free(struct chosen *c)
{
	size_t i;

	for (i = 0; i < c->names.n; i++)
		lh_map_free(&c->member[i].hashes);
	free(c->member);
	lh_intern_free(&c->names);
	lh_template_free(c->template);
	lh_buf_free(&c->template_text);
	lh_buf_free(&c->scratch);
	lh_buf_free(&c->text);
	lh_buf_free(&c->out);
	lh_sample_free(&c->sample);
	free(c->passages.v);
	free(c);
}

const char *lh_chosen_template(const struct chosen *c)
{
	return c->template && !c->divided ? c->template_text.p : NULL;
}

const struct sample *lh_chosen_sample(const struct chosen *c)
{
	return &c->sample;
}

int lh_chosen_write(struct chosen *c, int from, int to, struct lh_filesearch *f,
		    struct lh_err *err)
{
	c->to = to;
	if (pass(c, from, err, wrap) < 0 || write_wrapped(NULL, c, err) < 0)
		return -1;
	f->divided = c->divided;
	if (c->without_text && c->without_text == c->records) {
		lh_buf_printf(&f->warning, "%sno record has a text: choose one by --field or "
			      "--template", f->warning.len ? "; " : "");
		f->rejected = true;
	} else if (c->without_text)
		lh_buf_printf(&f->warning, "%s%llu of %llu records have no text, and are not found",
			      f->warning.len ? "; " : "", (unsigned long long)c->without_text,
			      (unsigned long long)c->records);
	return 0;
}
