/* write.c - JSON text, member by member or on one line.  See write.h. */
#include "write.h"

#include "base/num.h"
#include "json_scanner.h"

void lh_json_compact(struct lh_buf *out, const char *p, size_t n)
{
	const char *end = p + n, *from;
	bool escaped;

	while (p < end) {
		for (from = p; p < end && (unsigned char)*p > ' '; )
			p = *p == '"' ? lh_skip_string(p, end, &escaped) : p + 1;
		lh_buf_add(out, from, (size_t)(p - from));
		while (p < end && (unsigned char)*p <= ' ')
			p++;
	}
}

struct lh_writer lh_write_record(struct lh_buf *out, const struct lh_record *rec,
				 const char *const *drop, size_t n)
{
	size_t from = out->len;
	struct lh_writer w = { out, 1, false };

	lh_record_open(out, rec, drop, n);
	w.comma = out->len > from && out->p[out->len - 1] == ',';
	out->len -= w.comma;
	return w;
}

void lh_write_key_str(struct lh_writer *w, struct lh_str name)
{
	lh_write_key(w, NULL);
	lh_buf_json(w->out, name.p, name.n);
	lh_buf_putc(w->out, ':');
	w->comma = false;	/* the value follows the name at once */
}

void lh_write_bytes(struct lh_writer *w, const char *name, const char *s)
{
	size_t n = s ? strlen(s) : 0, i;
	LH_SCOPED(lh_buf_free) struct lh_buf clean = { 0 };

	if (!n || lh_utf8_valid(s, n)) {
		lh_write_text(w, name, s);
		return;
	}
	for (i = 0; i < n; i++) {
		if ((unsigned char)s[i] < 0x80)
			lh_buf_putc(&clean, s[i]);
		else
			lh_buf_puts(&clean, "\xef\xbf\xbd");
	}
	lh_write_str(w, name, (struct lh_str){ clean.p, clean.len });
}

void lh_write_f32(struct lh_writer *w, const char *name, float v)
{
	char *to;

	lh_write_key(w, name);
	to = lh_buf_room(w->out, LH_F32_MAX);
	if (to)
		lh_buf_took(w->out, lh_f32_print(to, v));
}

void lh_write_f64(struct lh_writer *w, const char *name, double v)
{
	char *to;

	lh_write_key(w, name);
	to = lh_buf_room(w->out, LH_F64_MAX);
	if (to)
		lh_buf_took(w->out, lh_f64_print(to, v));
}
