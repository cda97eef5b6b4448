/* json_text.h - JSON of texts for unit tests: what is returned stays until the fourth one after. */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include "check.h"
#include "json/json.h"

static struct json_text {
	struct lh_buf text;
	struct lh_record rec;
} json_texts[4];
static unsigned json_last;

static inline struct json_text *json_text_next(const char *text)
{
	struct json_text *t = &json_texts[json_last++ % 4];

	lh_buf_reset(&t->text);
	lh_buf_puts(&t->text, text);
	return t;
}

static inline struct lh_record *record_of(const char *text)
{
	struct json_text *t = json_text_next(text);
	struct lh_err err;

	check_why(lh_record_parse(&t->rec, t->text.p, t->text.len, &err) == 0, text);
	return &t->rec;
}

static inline struct lh_value value_of(const char *text)
{
	struct json_text *t = json_text_next(text);
	struct lh_err err;
	struct lh_value v;

	check_why(lh_json_parse(&t->rec, t->text.p, t->text.len, &v, &err) == 0, text);
	return v;
}

#endif
