/*
 * write - write JSON text member by member; the writer adds commas and escapes.
 *
 *     struct lh_writer w = lh_write_to(out);
 *
 *     lh_write_object(&w, NULL);
 *     lh_write_str(&w, "id", id);
 *     lh_write_u64(&w, "rows", n);
 *     lh_write_array(&w, "hits");
 *     for (i = 0; i < n; i++)
 *             lh_write_f32(&w, NULL, hit[i].distance);
 *     lh_write_end(&w);
 *     lh_write_end(&w);                  {"id":"a","rows":2,"hits":[0.5,1]}
 *     lh_buf_putc(out, '\n');
 *
 * A record with members added to it:
 *
 *     struct lh_writer w = lh_write_record(out, rec, (const char *[]){ "reply" }, 1);
 *
 *     lh_write_text(&w, "reply", "hello");
 *     lh_write_end(&w);
 *
 * The text has no white space.  The name of a member is the first argument after the
 * writer; it is NULL for an array element and for the outermost value.  Names are written
 * without escapes; for a name that needs them use lh_write_key_str.
 *
 * Errors: none here; the buffer records that it could not grow (lh_buf_check).
 * Depth:  63 containers opened by the writer.
 */
#ifndef LH_WRITE_H
#define LH_WRITE_H

#include "base/buf.h"
#include "json/json.h"

/* Constant JSON text as a string literal: LH_JSON({"id":"w-1"}). */
#define LH_JSON(...) #__VA_ARGS__

struct lh_writer {
	struct lh_buf *out;
	uint64_t objects;	/* a bit per open container, 1 for an object; innermost first */
	bool comma;		/* not at the first member or element: write a comma before it */
};

/* Start writing a value at the end of out. */
static inline struct lh_writer lh_write_to(struct lh_buf *out)
{
	return (struct lh_writer){ out, 0, false };
}

/* Continue an object that has members already, whose opening brace the caller wrote. */
static inline struct lh_writer lh_write_in_object(struct lh_buf *out)
{
	return (struct lh_writer){ out, 1, true };
}

/* Start an object with the members of a record, without the n named in drop. */
struct lh_writer lh_write_record(struct lh_buf *out, const struct lh_record *rec,
				 const char *const *drop, size_t n);

/* Continue the object, not empty, at the end of out: its closing brace is removed. */
static inline struct lh_writer lh_write_again(struct lh_buf *out)
{
	out->len -= out->len > 0;
	return (struct lh_writer){ out, 1, true };
}

/* Write the comma and the name of the next value, which the caller appends. */
static inline void lh_write_key(struct lh_writer *w, const char *name)
{
	size_t n = name ? strlen(name) : 0;
	char *to = lh_buf_room(w->out, n + 4), *p = to;

	if (!to)
		return;
	*p = ',';
	p += w->comma;
	w->comma = true;
	if (name) {
		*p++ = '"';
		memcpy(p, name, n);
		p += n;
		*p++ = '"';
		*p++ = ':';
	}
	lh_buf_took(w->out, (size_t)(p - to));
}

/* Write the same with a name that may need escapes. */
void lh_write_key_str(struct lh_writer *w, struct lh_str name);

/* Begin an object or an array; end the innermost. */
static inline void lh_write_object(struct lh_writer *w, const char *name)
{
	lh_write_key(w, name);
	lh_buf_putc(w->out, '{');
	w->objects = w->objects << 1 | 1;
	w->comma = false;
}

static inline void lh_write_array(struct lh_writer *w, const char *name)
{
	lh_write_key(w, name);
	lh_buf_putc(w->out, '[');
	w->objects <<= 1;
	w->comma = false;
}

static inline void lh_write_end(struct lh_writer *w)
{
	lh_buf_putc(w->out, w->objects & 1 ? '}' : ']');
	w->objects >>= 1;
	w->comma = true;
}

static inline void lh_write_str(struct lh_writer *w, const char *name, struct lh_str s)
{
	lh_write_key(w, name);
	lh_buf_json(w->out, s.p, s.n);
}

static inline void lh_write_null(struct lh_writer *w, const char *name)
{
	lh_write_key(w, name);
	lh_buf_puts(w->out, "null");
}

/* Write a C string; NULL is written as null. */
static inline void lh_write_text(struct lh_writer *w, const char *name, const char *s)
{
	if (s)
		lh_write_str(w, name, (struct lh_str){ s, strlen(s) });
	else
		lh_write_null(w, name);
}

/* Write a C string that may not be UTF-8, such as a file name: if it is not, each byte that is
 * not ASCII becomes U+FFFD. */
void lh_write_bytes(struct lh_writer *w, const char *name, const char *s);

static inline void lh_write_u64(struct lh_writer *w, const char *name, uint64_t v)
{
	lh_write_key(w, name);
	lh_buf_u64(w->out, v);
}

static inline void lh_write_i64(struct lh_writer *w, const char *name, int64_t v)
{
	lh_write_key(w, name);
	if (v < 0)
		lh_buf_putc(w->out, '-');
	lh_buf_u64(w->out, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

/* Write a finite number in its shortest form (base/num.h). */
void lh_write_f32(struct lh_writer *w, const char *name, float v);
void lh_write_f64(struct lh_writer *w, const char *name, double v);

static inline void lh_write_bool(struct lh_writer *w, const char *name, bool v)
{
	lh_write_key(w, name);
	lh_buf_puts(w->out, v ? "true" : "false");
}

/* Write a value that is JSON text already, unchanged. */
static inline void lh_write_raw(struct lh_writer *w, const char *name, struct lh_str json)
{
	lh_write_key(w, name);
	lh_buf_add(w->out, json.p, json.n);
}

static inline void lh_write_value(struct lh_writer *w, const char *name, const struct lh_value *v)
{
	lh_write_raw(w, name, (struct lh_str){ v->p, v->n });
}

/*
 * compact - JSON text without the white space between its tokens, as jq -c writes it; strings
 * and numbers keep every byte.
 */

/* Append a text that was checked as JSON, and is not in the memory of out; LH_PAD readable
 * bytes follow it. */
void lh_json_compact(struct lh_buf *out, const char *p, size_t n);

#endif
