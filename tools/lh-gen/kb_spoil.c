/* lh-gen kb: rows that cannot become evidence because of a fault in their text. */
#include "kb.h"

#define DEEP 512	/* arrays; with the row around them one more than the parser accepts */

/* Insert n bytes of text after the brace that the row starts with. */
static void put_first(struct lh_buf *out, size_t start, const char *text, size_t n)
{
	size_t rest = out->len - start - 1;

	lh_buf_room(out, n);
	memmove(out->p + start + 1 + n, out->p + start + 1, rest);
	memcpy(out->p + start + 1, text, n);
	lh_buf_took(out, n);
}

#define PUT_FIRST(text) put_first(row->out, start, text, sizeof(text) - 1)

void kb_spoil(struct kb_row *row, size_t start)
{
	struct lh_buf *out = row->out;
	struct lh_writer json;

	if (out->failed)
		return;
	switch (row->fault) {
	case KB_CUT:
		out->len = start + 1 + kb_pick(row, (unsigned)(out->len - start - 1));
		break;
	case KB_LIST:
		put_first(out, start, "{", 1);
		out->p[start] = '[';
		lh_buf_putc(out, ']');
		break;
	case KB_REPEAT:
		PUT_FIRST(LH_JSON("fault":1,"\u0066ault":2,));
		break;
	case KB_HUGE:
		PUT_FIRST(LH_JSON("fault":-1e400,));
		break;
	case KB_LONE:
		PUT_FIRST(LH_JSON("fault":"\ud83d!",));
		break;
	case KB_BYTES:
		PUT_FIRST(LH_JSON("fault":) "\"\xc3\x28\",");
		break;
	case KB_DEEP:
		json = lh_write_in_object(out);
		out->len--;
		lh_write_key(&json, "fault");
		for (int i = 0; i < DEEP; i++)
			lh_buf_putc(out, '[');
		for (int i = 0; i < DEEP; i++)
			lh_buf_putc(out, ']');
		lh_buf_putc(out, '}');
		break;
	default:
		break;
	}
}
