/* out.c - write lines or frames.  See out.h. */
#include "out.h"

#include <string.h>

#include "archive/archive.h"

static int frame(struct out *o, char kind, const char *p, size_t n)
{
	unsigned char h[LH_CAT_FRAME];

	do {
		size_t some = n < LH_CAT_FRAME_MAX ? n : LH_CAT_FRAME_MAX;

		h[0] = (unsigned char)kind;
		h[1] = (unsigned char)some;
		h[2] = (unsigned char)(some >> 8);
		h[3] = (unsigned char)(some >> 16);
		h[4] = 0;
		if (lh_tool_out(o->tool, h, sizeof h) < 0 || lh_tool_out(o->tool, p, some) < 0)
			return -1;
		p += some;
		n -= some;
	} while (n && kind == 'D');
	return 0;
}

/* Write the first n bytes of the buffer and remove them. */
static int write_out(struct out *o, size_t n)
{
	int rc = 0;

	if (n && o->frames)
		rc = frame(o, 'D', o->p, n);
	else if (n)
		rc = lh_tool_out(o->tool, o->p, n);
	o->n -= n;
	memmove(o->p, o->p + n, o->n);
	return rc;
}

static size_t whole_lines(const struct out *o)
{
	const char *lf = o->n ? memrchr(o->p, '\n', o->n) : NULL;

	return o->frames ? o->n : lf ? (size_t)(lf - o->p) + 1 : 0;
}

static int make_room(struct out *o)
{
	size_t n = whole_lines(o);

	return write_out(o, n ? n : o->n);
}

int out_begin(struct out *o, const char *name)
{
	o->begun = false;
	return o->frames ? frame(o, 'M', name, strlen(name)) : 0;
}

int out_add(struct out *o, const char *p, size_t n)
{
	if (!n)
		return 0;
	if (!o->begun && !o->frames && o->any) {
		if (o->open_line && o->n == sizeof o->p && make_room(o) < 0)
			return -1;
		if (o->open_line)
			o->p[o->n++] = '\n';
		if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
			p += 3;		/* a BOM is skipped at the beginning only */
			n -= 3;
		}
	}
	o->begun = o->any = true;
	while (n) {
		size_t room = sizeof o->p - o->n, some = n < room ? n : room;

		memcpy(o->p + o->n, p, some);
		o->n += some;
		p += some;
		n -= some;
		o->open_line = o->p[o->n - 1] != '\n';
		if (o->n == sizeof o->p && make_room(o) < 0)
			return -1;
	}
	return 0;
}

int out_flush(struct out *o)
{
	return write_out(o, whole_lines(o)) < 0 ? -1 : lh_tool_flush(o->tool);
}

int out_end(struct out *o)
{
	return o->frames ? write_out(o, o->n) : 0;
}

int out_broken(struct out *o, const char *why)
{
	if (write_out(o, whole_lines(o)) < 0)
		return -1;
	o->n = 0;
	o->open_line = false;
	return o->frames ? frame(o, 'E', why, strlen(why)) : 0;
}

int out_finish(struct out *o)
{
	if (write_out(o, o->n) < 0)
		return -1;
	return o->frames ? frame(o, 'Z', "", 0) : 0;
}
