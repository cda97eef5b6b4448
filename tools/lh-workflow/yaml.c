/* yaml.c - YAML as JSON text, by the events of libyaml.  See yaml.h. */
#include "yaml.h"

#include <stdlib.h>
#include <yaml.h>

#include "base/table.h"
#include "base/mem.h"

#define NO_ANCHOR SIZE_MAX

struct open {			/* a container that has not ended */
	bool object, key;	/* key: the next event is a key */
	bool comma;
	size_t anchor;		/* its number, or NO_ANCHOR */
};

struct anchor {
	size_t from, to;	/* in the JSON text; to is 0 until it has ended */
};

struct reading {
	struct lh_yaml *y;
	struct lh_err *err;
	yaml_event_t *event;
	struct open open[LH_YAML_DEPTH];
	size_t depth, documents;
	struct lh_intern names;
	size_t *newest, cap_newest;	/* by the number of its name: the anchor given last */
	struct anchor *anchor;
	size_t anchors, cap;
};

static int fail(struct reading *r, const char *why)
{
	r->y->line = r->event->start_mark.line + 1;
	return lh_err_set(r->err, LH_EDATA, "%s", why);
}

/* ---- plain scalars ---- */

static bool is_one_of(struct lh_str s, const char *const *word)
{
	for (; *word; word++)
		if (lh_str_is(s, *word, strlen(*word)))
			return true;
	return false;
}

static size_t digits(struct lh_str s, size_t at)
{
	size_t n = at;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n - at;
}

/* Write a decimal number as JSON has it: without "+" and leading zeros, with a digit before
 * the point and one after it.  False if s is not a number. */
static bool write_decimal(struct lh_buf *out, struct lh_str s)
{
	size_t at = s.n && (*s.p == '-' || *s.p == '+'), whole = at, n_whole = digits(s, at);
	size_t fraction, n_fraction = 0, exponent;

	at += n_whole;
	fraction = at + 1;
	if (at < s.n && s.p[at] == '.') {
		n_fraction = digits(s, fraction);
		at = fraction + n_fraction;
	}
	if (!n_whole && !n_fraction)
		return false;
	exponent = at;
	if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
		at += 1 + (at + 1 < s.n && (s.p[at + 1] == '-' || s.p[at + 1] == '+'));
		if (!digits(s, at))
			return false;
		at += digits(s, at);
	}
	if (at != s.n)
		return false;
	for (; n_whole && s.p[whole] == '0'; n_whole--)
		whole++;
	if (*s.p == '-')
		lh_buf_putc(out, '-');
	lh_buf_add(out, n_whole ? s.p + whole : "0", n_whole ? n_whole : 1);
	if (n_fraction)
		lh_buf_add(out, s.p + fraction - 1, n_fraction + 1);
	lh_buf_add(out, s.p + exponent, s.n - exponent);
	return true;
}

/* Write 0o17 and 0x1f in decimal: 1; 0 if s is neither, -1 if it is too large. */
static int write_based(struct lh_buf *out, struct lh_str s)
{
	const char base = s.n > 2 && *s.p == '0' ? s.p[1] : 0;
	const unsigned bits = base == 'x' ? 4 : base == 'o' ? 3 : 0;
	bool large = false;
	uint64_t v = 0;
	size_t i;

	for (i = 2; bits && i < s.n; i++) {
		const char c = s.p[i] | 0x20;
		const unsigned digit = s.p[i] >= '0' && s.p[i] <= '9' ? (unsigned)(s.p[i] - '0')
			: c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;

		if (digit >= 1u << bits)
			return 0;
		large |= v >> (64 - bits) != 0;
		v = v << bits | digit;
	}
	if (bits && !large)
		lh_buf_u64(out, v);
	return !bits ? 0 : large ? -1 : 1;
}

static int write_plain(struct reading *r, struct lh_str s)
{
	static const char *const null[] = { "", "~", "null", "Null", "NULL", NULL };
	static const char *const yes[] = { "true", "True", "TRUE", NULL };
	static const char *const no[] = { "false", "False", "FALSE", NULL };
	static const char *const strange[] = { ".nan", ".NaN", ".NAN", NULL };
	static const char *const infinite[] = { ".inf", ".Inf", ".INF", NULL };
	const size_t sign = s.n && (*s.p == '-' || *s.p == '+');
	struct lh_buf *out = &r->y->json;
	int based;

	if (is_one_of(s, strange) ||
	    is_one_of((struct lh_str){ s.p + sign, s.n - sign }, infinite))
		return fail(r, "a number must be finite");
	based = write_based(out, s);
	if (based < 0)
		return fail(r, "a number is larger than 64 bits");
	if (based)
		return 0;
	if (is_one_of(s, null))
		lh_buf_puts(out, "null");
	else if (is_one_of(s, yes))
		lh_buf_puts(out, "true");
	else if (is_one_of(s, no))
		lh_buf_puts(out, "false");
	else if (!write_decimal(out, s))
		lh_buf_json(out, s.p, s.n);
	return 0;
}

/* ---- anchors ---- */

/* Set *number to that of an anchor, NO_ANCHOR without one. */
static int begin_anchor(struct reading *r, const yaml_char_t *name, size_t *number)
{
	const char *text = (const char *)name;
	uint32_t i;

	*number = NO_ANCHOR;
	if (!name)
		return 0;
	if (lh_intern_add(&r->names, text, strlen(text), &i, r->err) < 0 ||
	    lh_grow(&r->newest, &r->cap_newest, (size_t)i + 1, sizeof *r->newest, r->err) < 0 ||
	    lh_grow(&r->anchor, &r->cap, r->anchors + 1, sizeof *r->anchor, r->err) < 0)
		return -1;
	r->anchor[r->anchors] = (struct anchor){ r->y->json.len, 0 };
	*number = r->newest[i] = r->anchors++;
	return 0;
}

static void end_anchor(struct reading *r, size_t number)
{
	if (number != NO_ANCHOR)
		r->anchor[number].to = r->y->json.len;
}

static int copy_anchor(struct reading *r)
{
	const char *name = (const char *)r->event->data.alias.anchor;
	const int64_t number = lh_intern_find(&r->names, name, strlen(name));
	struct lh_buf *out = &r->y->json;
	struct anchor a;

	if (number < 0)
		return fail(r, "an alias of an anchor that is not there");
	a = r->anchor[r->newest[number]];
	if (!a.to)
		return fail(r, "an alias inside its own anchor");
	if (lh_buf_room(out, a.to - a.from))
		lh_buf_add(out, out->p + a.from, a.to - a.from);
	return 0;
}

/* ---- values ---- */

static int mark(struct reading *r)
{
	struct lh_yaml *y = r->y;

	if (lh_grow(&y->mark, &y->cap, y->n + 1, sizeof *y->mark, r->err) < 0)
		return -1;
	y->mark[y->n++] = (struct lh_yaml_mark){ y->json.len, r->event->start_mark.line + 1 };
	return 0;
}

/* Write what comes before a value or a key. */
static int begin_value(struct reading *r)
{
	struct open *in = r->depth ? &r->open[r->depth - 1] : NULL;

	if (in && in->comma && (!in->object || in->key))
		lh_buf_putc(&r->y->json, ',');
	if (in)
		in->comma = true;
	return mark(r);
}

/* Write what comes after a value or a key. */
static void end_value(struct reading *r)
{
	struct open *in = r->depth ? &r->open[r->depth - 1] : NULL;

	if (!in || !in->object)
		return;
	if (in->key)
		lh_buf_putc(&r->y->json, ':');
	in->key = !in->key;
}

static int on_scalar(struct reading *r)
{
	const struct lh_str s = { (const char *)r->event->data.scalar.value,
				  r->event->data.scalar.length };
	const bool key = r->depth && r->open[r->depth - 1].key;
	const bool plain = r->event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	size_t anchor;

	if (r->event->data.scalar.tag)
		return fail(r, "tags are not supported");
	if (key && r->event->data.scalar.anchor)
		return fail(r, "an anchor of a key is not supported");
	if (!lh_utf8_valid(s.p, s.n))
		return fail(r, "a text is not UTF-8");
	if (begin_anchor(r, r->event->data.scalar.anchor, &anchor) < 0)
		return -1;
	if (key || !plain)
		lh_buf_json(&r->y->json, s.p, s.n);
	else if (write_plain(r, s) < 0)
		return -1;
	end_anchor(r, anchor);
	return 0;
}

static int on_container(struct reading *r, bool object, const yaml_char_t *name,
			const yaml_char_t *tag)
{
	struct open *to = &r->open[r->depth];

	if (tag)
		return fail(r, "tags are not supported");
	if (r->depth == LH_YAML_DEPTH)
		return fail(r, "nested too deeply");
	*to = (struct open){ .object = object, .key = object };
	if (begin_anchor(r, name, &to->anchor) < 0)
		return -1;
	r->depth++;
	lh_buf_putc(&r->y->json, object ? '{' : '[');
	return 0;
}

static int on_value(struct reading *r)
{
	const yaml_event_t *e = r->event;

	if (begin_value(r) < 0)
		return -1;
	if (e->type != YAML_SCALAR_EVENT && r->depth && r->open[r->depth - 1].key)
		return fail(r, "a key must be a scalar");
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		if (on_scalar(r) < 0)
			return -1;
		break;
	case YAML_ALIAS_EVENT:
		if (copy_anchor(r) < 0)
			return -1;
		break;
	case YAML_MAPPING_START_EVENT:
		return on_container(r, true, e->data.mapping_start.anchor,
				    e->data.mapping_start.tag);
	default:
		return on_container(r, false, e->data.sequence_start.anchor,
				    e->data.sequence_start.tag);
	}
	end_value(r);
	return 0;
}

/* ---- the document ---- */

static int on_event(struct reading *r)
{
	const struct open *of;

	switch (r->event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return r->documents++ ? fail(r, "there is a second document") : 0;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		of = &r->open[--r->depth];
		lh_buf_putc(&r->y->json, of->object ? '}' : ']');
		end_anchor(r, of->anchor);
		end_value(r);
		break;
	case YAML_SCALAR_EVENT:
	case YAML_ALIAS_EVENT:
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		if (on_value(r) < 0)
			return -1;
		break;
	default:
		return 0;
	}
	if (r->y->json.failed == LH_EDATA)
		return fail(r, "larger than 16M with its aliases");
	return lh_buf_check(&r->y->json, r->err);
}

/* Report why libyaml cannot go on. */
static int report(const yaml_parser_t *parser, struct reading *r)
{
	if (parser->error == YAML_MEMORY_ERROR)
		return lh_err_nomem(r->err);
	r->y->line = parser->problem_mark.line + 1;
	if (parser->error == YAML_READER_ERROR)
		r->y->line = parser->mark.line + 1;
	return lh_err_set(r->err, LH_EDATA, "%s",
			  parser->problem ? parser->problem : "is not YAML");
}

static int read_events(yaml_parser_t *parser, struct reading *r)
{
	yaml_event_t event;
	bool end = false;
	int rc = 0;

	while (!rc && !end) {
		if (!yaml_parser_parse(parser, &event))
			return report(parser, r);
		r->event = &event;
		end = event.type == YAML_STREAM_END_EVENT;
		rc = on_event(r);
		yaml_event_delete(&event);
	}
	if (!rc && !r->documents) {
		r->y->line = 1;
		rc = lh_err_set(r->err, LH_EDATA, "there is no document");
	}
	return rc;
}

int lh_yaml_read(struct lh_yaml *y, const char *p, size_t n, struct lh_err *err)
{
	struct reading r = { .y = y, .err = err };
	yaml_parser_t parser;
	int rc;

	y->n = y->line = 0;
	lh_buf_reset(&y->json);
	y->json.max = LH_YAML_MAX;
	if (!yaml_parser_initialize(&parser))
		return lh_err_nomem(err);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)p, n);
	rc = read_events(&parser, &r);
	lh_intern_free(&r.names);
	free(r.newest);
	free(r.anchor);
	yaml_parser_delete(&parser);
	return rc;
}

size_t lh_yaml_line(const struct lh_yaml *y, size_t at)
{
	size_t low = 0, high = y->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (y->mark[middle].at <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? y->mark[low - 1].line : 1;
}

void lh_yaml_free(struct lh_yaml *y)
{
	lh_buf_free(&y->json);
	free(y->mark);
	*y = (struct lh_yaml){ .n = 0 };
}
