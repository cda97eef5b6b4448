/* dialect.c - what $schema means.  See jsonschema_parts.h. */
#include "jsonschema_parts.h"

#include <stdio.h>

#include "uri.h"

#define VOCABULARY "https://json-schema.org/draft/2020-12/vocab/"

/* Return whether a vocabulary is known, for one that a schema may not do without. */
static bool is_known(const struct lh_value *uri)
{
	static const char *const name[] = { "core", "applicator", "unevaluated", "validation",
					    "meta-data", "format-annotation", "content" };
	char known[100];
	size_t i;

	for (i = 0; i < sizeof name / sizeof *name; i++) {
		snprintf(known, sizeof known, VOCABULARY "%s", name[i]);
		if (lh_value_is(uri, known, strlen(known)))
			return true;
	}
	return false;
}

/* Read $vocabulary of a schema of schemas: set whether validation is among them. */
static int read_vocabularies(struct lh_js_reader *r, const char *at, const struct lh_value *v,
			     bool *validation)
{
	static const char name[] = VOCABULARY "validation";
	struct lh_iter it;

	*validation = false;
	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		if (it.val.type == LH_TRUE && !is_known(&it.key))
			return lh_js_fault(r, at, "needs the vocabulary %.*s, which is not "
					   "supported", it.key.n > 300 ? 300 : (int)it.key.n,
					   it.key.p);
		*validation |= lh_value_is(&it.key, name, sizeof name - 1);
	}
	return 0;
}

/* Read the schema of schemas that $schema names, which itself is not applied. */
static int read_meta(struct lh_js_reader *r, const char *at, struct lh_str uri, bool *validation)
{
	struct lh_value meta, vocabulary;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str file;
	int rc = lh_js_file(r, uri, &file);

	if (!rc)
		rc = lh_js_load(r, uri, file, &text);
	if (rc > 0 && (rc = 0) == 0)
		rc = lh_json_parse(&r->parser, lh_buf_room(&text, 1) ? text.p : "", text.len, &meta,
				   r->err) == 0 ? 1 : -1;
	if (rc > 0)
		rc = lh_value_get(&meta, "$vocabulary", &vocabulary);
	if (!rc)
		rc = lh_js_fault(r, at, "only %s is supported", LH_JS_META_URI);
	if (rc > 0)
		rc = read_vocabularies(r, at, &vocabulary, validation);
	r->err->column = 0;
	return rc;
}

int lh_js_read_dialect(struct lh_js_reader *r, const struct lh_js_node *n,
		       const struct lh_value *v)
{
	struct lh_js_resource *of = &r->s->resource[n->resource];
	struct lh_str text, fragment;
	LH_SCOPED(lh_buf_free) struct lh_buf uri = { 0 };
	bool validation = true;
	int rc;

	if (v->type != LH_STRING)
		return lh_js_fault(r, v->p, "must be a string");
	if (lh_js_text(r, v, &text) < 0)
		return -1;
	fragment = lh_uri_resolve(&uri, of->uri, text);
	rc = 0;
	if (fragment.n)
		rc = lh_js_fault(r, v->p, "must not have a fragment");
	text = (struct lh_str){ uri.p ? uri.p : "", uri.len };
	if (!rc && !lh_str_is(text, LH_JS_META_URI, strlen(LH_JS_META_URI)))
		rc = read_meta(r, v->p, text, &validation);
	of->no_validation = !validation;
	return rc;
}
