/*
 * fuzz_spelling - a person's text is found in any text that has it between blanks, and what is
 * found in any bytes is within them.
 *
 * Input: the length of the text that is searched for; that text; what it is searched in.
 */
#include "fuzz.h"

#include "../../lib/text/texts.c"

struct found {
	size_t n, end;
};

static void on_text(void *ctx, size_t number, size_t at, size_t len, enum lh_text_how how)
{
	struct found *f = ctx;

	(void)how;
	never(number > 1 || !len || at + len > f->end);
	f->n++;
}

static struct found find(const struct lh_texts *t, const void *p, size_t n)
{
	struct found f = { .end = n };

	lh_texts_find(t, p, n, on_text, &f);
	return f;
}

/* Check that a text is found between blanks, and is what its normal form says. */
static void check_text(const struct lh_texts *t, const struct lh_needle *text)
{
	static struct lh_buf normal, again, padded;
	struct lh_needle of_normal = *text;
	enum lh_text_kind kind, kind_again;

	lh_buf_reset(&normal);
	lh_buf_reset(&again);
	lh_buf_reset(&padded);
	lh_buf_puts(&padded, " ");
	lh_buf_add(&padded, text->text.p, text->text.n);
	lh_buf_puts(&padded, " ");
	never(!find(t, padded.p, padded.len).n);
	lh_needle_normal(text, &normal, &kind);
	of_normal.text = (struct lh_str){ normal.p, normal.len };
	must(normal.len);
	lh_needle_normal(&of_normal, &again, &kind_again);
	never(kind == LH_TEXT_TELEPHONE && (kind != kind_again || again.len > 10));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t n = size ? data[0] : 0;
	const struct lh_needle text = { { (const char *)data + 1, n }, 0, true, false };
	struct lh_err err;
	struct lh_texts *t;

	if (!n || size < n + 1)
		return 0;
	t = lh_texts_new(&text, 1, &err);
	if (t) {
		find(t, data + 1 + n, size - 1 - n);
		if (lh_utf8_valid(text.text.p, n) && !memchr(text.text.p, '\0', n))
			check_text(t, &text);
	}
	lh_texts_free(t);
	return 0;
}
