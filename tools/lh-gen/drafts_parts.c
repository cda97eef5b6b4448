/* lh-gen drafts: the parts of drafts of every kind; see drafts.h. */
#include <stdarg.h>

#include "drafts.h"

#define LOOKS 3000	/* workers tried before giving up */

static void put_reason(struct lh_writer *json, const char *name, const char *fmt, va_list ap)
{
	char reason[DRAFT_TEXT];
	int n = vsnprintf(reason, sizeof(reason), fmt, ap);

	if (n < 0)
		reason[0] = '\0';
	lh_write_text(json, name, reason);
}

void draft_refuse(struct draft *d, const char *variant, const char *fmt, ...)
{
	struct lh_writer json = lh_write_to(&d->error);
	va_list ap;

	if (d->error.len)
		return;
	lh_write_object(&json, NULL);
	lh_write_object(&json, variant);
	va_start(ap, fmt);
	put_reason(&json, "reason", fmt, ap);
	va_end(ap);
	lh_write_end(&json);
	lh_write_end(&json);
}

void draft_misshapen(struct draft *d, const char *field, const char *fmt, ...)
{
	struct lh_writer json = lh_write_to(&d->error);
	va_list ap;

	if (d->error.len)
		return;
	lh_write_object(&json, NULL);
	lh_write_object(&json, "Schema");
	lh_write_text(&json, "field", field);
	va_start(ap, fmt);
	put_reason(&json, "reason", fmt, ap);
	va_end(ap);
	lh_write_end(&json);
	lh_write_end(&json);
}

void draft_warn(struct draft *d, const char *field, const char *fmt, ...)
{
	struct lh_writer json = lh_write_to(&d->findings);
	va_list ap;

	json.comma = d->findings.len > 0;
	lh_write_object(&json, NULL);
	lh_write_text(&json, "field", field);
	lh_write_text(&json, "severity", "warning");
	va_start(ap, fmt);
	put_reason(&json, "message", fmt, ap);
	va_end(ap);
	lh_write_end(&json);
}

/* A reset would clear the failure of the buffer. */
struct lh_buf *draft_scratch(struct draft *d)
{
	if (!d->text.failed)
		lh_buf_reset(&d->text);
	return &d->text;
}

void draft_json(struct lh_buf *b, const char *name, const char *json)
{
	if (b->len && b->p[b->len - 1] != '{')
		lh_buf_putc(b, ',');
	lh_buf_json(b, name, strlen(name));
	lh_buf_putc(b, ':');
	lh_buf_puts(b, json);
}

void draft_text(struct lh_buf *b, const char *name, const char *text)
{
	draft_json(b, name, "");
	lh_buf_json(b, text, strlen(text));
}

void draft_number(struct lh_buf *b, const char *name, unsigned value)
{
	draft_json(b, name, "");
	lh_buf_u64(b, value);
}

void draft_no_text(struct draft *d, struct lh_buf *b, const char *name)
{
	static const char *const none[] = { "null", "\"\"", "\"  \"", "\"\\t\"", "17", "[\"w-1\"]",
					    LH_JSON({"text":"w-1"}), "true" };

	if (!draft_one_in(d, 3))
		draft_json(b, name, DRAFT_ONE_OF(d, none));
}

void draft_id(unsigned who, char *to)
{
	snprintf(to, DRAFT_TEXT, "w-%u", who + 1);
}

void draft_name(const struct draft *d, unsigned who, char *to)
{
	snprintf(to, DRAFT_TEXT, "%s %s", d->people[who].first->shown, d->people[who].last->shown);
}

void draft_ghost(struct draft *d, char *to)
{
	static const char *const ghosts[] = { "w-0", "w-01", "w", "1", "W-GHOST-1", "w-1 w-2",
					      "w-1,w-2", "w\\1", "w-\"1\"", "ｗ-1", "w-1'",
					      "new\nline", "w-1.0" };

	if (draft_one_in(d, 2))
		snprintf(to, DRAFT_TEXT, "w-%u", d->n_people + 1 + gen_pick(&d->r, 100000));
	else
		snprintf(to, DRAFT_TEXT, "%s", DRAFT_ONE_OF(d, ghosts));
}

/* ASCII only, because comparisons fold only that. */
static void recase(char *s, char from, char to)
{
	for (; *s; s++)
		if (*s >= from && *s <= from + 25)
			*s = (char)(*s - from + to);
}

void draft_equal(struct draft *d, const char *s, char *to)
{
	static const struct {
		const char *before, *after;
	} around[] = { { "", "" }, { "", "" }, { " ", "" }, { "", " " }, { "  ", "  " },
		       { "\t", "" }, { "", "\r\n" } };
	unsigned how = gen_pick(&d->r, 3 * sizeof(around) / sizeof(*around));
	bool plain = how >= sizeof(around) / sizeof(*around);

	snprintf(to, DRAFT_TEXT, "%s%s%s", plain ? "" : around[how].before, s,
		 plain ? "" : around[how].after);
	if (plain)
		return;
	how = gen_pick(&d->r, 3);
	if (how == 0)
		recase(to, 'a', 'A');
	else if (how == 1)
		recase(to, 'A', 'a');
}

long draft_find(struct draft *d, bool (*fits)(const void *ctx, unsigned who), const void *ctx)
{
	unsigned at = gen_pick(&d->r, d->n_people);

	for (unsigned i = 0; i < d->n_people && i < LOOKS; i++) {
		if (fits(ctx, at))
			return at;
		if (++at == d->n_people)
			at = 0;
	}
	return -1;
}
