/*
 * jsonschema_parts - shared by the files of lib/jsonschema.
 *
 *     read.c         a schema as nodes
 *     dialect.c      what $schema means
 *     keywords.c     what each keyword puts into a node
 *     refs.c         what $ref and $dynamicRef refer to; references without end
 *     pointer.c      places in a schema
 *     check.c        a node over a value: types, numbers, strings
 *     check_in.c     ... over members and items
 *     check_many.c   ... allOf, anyOf, if and their kind
 *     unique.c       uniqueItems
 *     hash.c         equal values have equal hashes
 *     report.c       violations as text
 */
#ifndef LH_JSONSCHEMA_PARTS_H
#define LH_JSONSCHEMA_PARTS_H

#include "arena.h"
#include "base/table.h"
#include "json/value.h"
#include "jsonschema.h"

struct lh_js_node;

struct lh_js_list {
	const struct lh_js_node **node;
	size_t n;
};

/* Limits of a count; most: UINT64_MAX without one. */
struct lh_js_limits {
	uint64_t least, most;
};

struct lh_js_pattern {
	struct lh_regex *regex;
	struct lh_value text;		/* as in the schema */
	const struct lh_js_node *node;	/* of patternProperties */
	struct lh_js_pattern *next;
};

struct lh_js_number {
	struct lh_exact limit[4];	/* enum lh_js_limit */
	struct lh_value text[4], multiple;
	bool has[4], has_multiple;
	uint64_t divisor;		/* of multipleOf: divisor * 10^exponent */
	int64_t exponent;
};

enum lh_js_limit { LH_JS_MINIMUM, LH_JS_MAXIMUM, LH_JS_ABOVE, LH_JS_BELOW };

struct lh_js_string {
	struct lh_js_limits length;
	struct lh_js_pattern *pattern;
};

struct lh_js_array {
	struct lh_js_limits count, matching;
	struct lh_js_list prefix;
	const struct lh_js_node *items, *contains;
	bool unique;
};

/* A name that a schema has something to say about. */
struct lh_js_name {
	struct lh_str text;		/* unescaped */
	struct lh_value as_written;
	const struct lh_js_node *property, *dependent;
	bool required;
	uint32_t list;			/* of names, that it was in last */
	struct lh_js_need *needs;	/* of dependentRequired */
};

struct lh_js_need {
	uint32_t name;
	struct lh_js_need *next;
};

struct lh_js_object {
	struct lh_js_limits count;
	struct lh_js_name *name;
	size_t n, cap;
	uint32_t lists;			/* of names, read so far */
	struct lh_table by_name;
	bool has_dependent;		/* dependentRequired or dependentSchemas */
	struct lh_js_pattern *patterns, *last_pattern;
	const struct lh_js_node *additional, *names;
};

/* A value of enum or const. */
struct lh_js_value {
	struct lh_value v;
	uint64_t hash;
};

struct lh_js_node {
	struct lh_value at;		/* the schema in its document */
	uint32_t resource;
	bool constant, accepts;		/* the schema true or false */
	uint8_t types;			/* a bit for each enum lh_type; 0: any */
	bool integer;			/* of numbers those that are whole */
	bool number_too;		/* ... or all */
	bool in_place;			/* has one of those from ref on */
	struct lh_js_value *choice;	/* enum */
	size_t choices;
	struct lh_js_value *only;	/* const */
	struct lh_js_number *number;
	struct lh_js_string *string;
	struct lh_js_array *array;
	struct lh_js_object *object;
	const struct lh_js_node *ref, *dynamic_ref;
	struct lh_str dynamic_name;	/* of dynamic_ref; p NULL: as $ref */
	struct lh_js_list all, any, one;
	const struct lh_js_node *not, *if_, *then, *else_;
	const struct lh_js_node *rest_members, *rest_items;	/* unevaluated... */
	struct lh_js_edge *edges;	/* nodes that the same value is checked by */
	uint8_t color;			/* when references without end are looked for */
};

struct lh_js_edge {
	struct lh_js_node *to;
	struct lh_js_edge *next;
};

struct lh_js_anchor {
	struct lh_str name;
	const struct lh_js_node *node;
	struct lh_js_anchor *next;
};

/* A document within the document: what one $id names. */
struct lh_js_resource {
	struct lh_str uri;
	struct lh_js_node *root;
	struct lh_js_anchor *dynamic;	/* each $dynamicAnchor */
	bool no_validation;		/* its dialect is without that vocabulary */
};

/* "uri", "uri#anchor" or, of those in $defs and those that were referred to, "uri#/pointer". */
struct lh_js_id {
	struct lh_str uri;
	struct lh_js_node *node;
	bool dynamic;
};

struct lh_js_pending {
	struct lh_js_node *node;
	struct lh_value ref;		/* the text of the reference */
	bool dynamic;
	struct lh_js_pending *next;
};

#define LH_JS_DOCUMENTS 1000

struct lh_js_document {
	struct lh_str uri;		/* "": the one that was given */
	struct lh_str file;		/* the path of its file; p NULL: none */
	struct lh_buf text;
	struct lh_value root;
	struct lh_js_document *next;
};

struct lh_jsonschema {
	struct lh_arena arena;
	struct lh_js_document *document;	/* the newest first */
	size_t documents;
	const struct lh_js_node *root;
	struct lh_js_resource *resource;
	size_t resources, cap_resources;
	struct lh_js_id *id;
	size_t ids, cap_ids;
	struct lh_table by_uri;
	struct lh_map by_place;		/* const char * -> struct lh_js_node * */
	struct lh_regex **regex;
	size_t regexes, cap_regexes;
	struct lh_js_object **object;	/* their tables are freed */
	size_t objects, cap_objects;
	bool dynamic;			/* has a $dynamicRef */
};

/* While a schema is compiled. */
struct lh_js_reader {
	struct lh_jsonschema *s;
	struct lh_record parser;
	struct lh_buf scratch;		/* texts that are freed at the end */
	struct lh_js_pending *pending, **last;
	struct lh_jsonschema_how how;
	struct lh_err *err;
};

/* ---- read.c ---- */
/* Compile the schema v, unless it was, as part of a resource; NULL with *err. */
struct lh_js_node *lh_js_read(struct lh_js_reader *r, const struct lh_value *v, uint32_t resource);
/* Return the node that was compiled from the value at p, or NULL. */
struct lh_js_node *lh_js_node_at(const struct lh_jsonschema *s, const char *p);
/* Compile a schema that is applied to the value that n is applied to. */
struct lh_js_node *lh_js_read_in_place(struct lh_js_reader *r, struct lh_js_node *n,
				       const struct lh_value *v);
int lh_js_add_edge(struct lh_js_reader *r, struct lh_js_node *from, struct lh_js_node *to);
/* Compile a document, whose text is taken over.  Its URI, that of its $id, or both, name it;
 * file: its path, p NULL: none. */
struct lh_js_node *lh_js_read_document(struct lh_js_reader *r, struct lh_str uri,
				       struct lh_str file, struct lh_buf *text);
/* Append the place that p is in a document. */
void lh_js_put_place(struct lh_js_reader *r, struct lh_buf *out, const char *p);
/* Report a fault at a place of the schema; returns -1. */
int lh_js_fault(struct lh_js_reader *r, const char *at, const char *fmt, ...) LH_PRINTF(3, 4);
/* Copy the text of a string, or a text, into the arena. */
int lh_js_text(struct lh_js_reader *r, const struct lh_value *v, struct lh_str *out);
int lh_js_keep(struct lh_js_reader *r, const char *p, size_t n, struct lh_str *out);

/* ---- dialect.c ---- */
/* Read $schema, of the resource that n is in. */
int lh_js_read_dialect(struct lh_js_reader *r, const struct lh_js_node *n,
		       const struct lh_value *v);

/* ---- keywords.c ---- */
/* Read one member of the schema n: 0, or -1. */
int lh_js_keyword(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *key,
		  const struct lh_value *v);

/* ---- refs.c ---- */
int lh_js_add_id(struct lh_js_reader *r, const char *at, struct lh_str uri, struct lh_str anchor,
		 struct lh_js_node *node, bool dynamic);
/* Name a schema of $defs or definitions, so that references find it without a search. */
int lh_js_name_member(struct lh_js_reader *r, const struct lh_js_node *n, const char *keyword,
		      const struct lh_value *key, struct lh_js_node *node);
/* Return the node that has this $dynamicAnchor in a resource, or NULL. */
const struct lh_js_node *lh_js_dynamic_anchor(const struct lh_jsonschema *s, uint32_t resource,
					      struct lh_str name);
/* Set the path of the file that a URI names; p NULL: none. */
int lh_js_file(struct lh_js_reader *r, struct lh_str uri, struct lh_str *file);
/* Append the text of the document with a URI, in this file: 1, 0 if there is none, or -1. */
int lh_js_load(struct lh_js_reader *r, struct lh_str uri, struct lh_str file,
	       struct lh_buf *text);
int lh_js_resolve_all(struct lh_js_reader *r);
int lh_js_refuse_loops(struct lh_js_reader *r);

/* ---- pointer.c ---- */
/* Append the JSON Pointer of the value that begins at p. */
void lh_js_put_pointer(struct lh_buf *out, const struct lh_value *root, const char *p);
/* Follow a JSON Pointer from v; *passed: the innermost compiled node on its way. */
bool lh_js_follow(const struct lh_jsonschema *s, struct lh_value *v, struct lh_str pointer,
		  const struct lh_js_node **passed);

/* ---- hash.c ---- */
/* Hash by meaning: lh_value_equal values that are also exactly equal have equal hashes. */
uint64_t lh_js_hash(const struct lh_value *v, struct lh_buf *scratch);
/* Return whether the values are equal, given their hashes. */
static inline bool lh_js_equal(const struct lh_value *a, uint64_t hash_a, const struct lh_value *b,
			       uint64_t hash_b)
{
	return hash_a == hash_b && lh_value_equal(a, b);
}

/* The text of the schema of schemas. */
extern const char lh_js_meta[];
#define LH_JS_META_URI "https://json-schema.org/draft/2020-12/schema"

/* ---- check ---- */
struct lh_js_scope {
	const struct lh_js_scope *up;
	uint32_t resource;
};

/* Where in the record: a member or an item. */
struct lh_js_place {
	const struct lh_js_place *up;
	const struct lh_value *key;	/* NULL: an item */
	size_t at;
};

/* Children of one value that were evaluated: bits from `from` on in run->bits. */
struct lh_js_seen {
	size_t from, n;
};

struct lh_js_walk {
	const struct lh_jsonschema *s;
	struct lh_jsonschema_run *run;
	const struct lh_js_scope *scope;
	bool inside;			/* a schema of anyOf or oneOf: less is reported */
	unsigned quiet;			/* no reports: the result alone counts */
	unsigned depth;
	uint64_t steps;			/* left */
	long n;				/* violations */
	lh_schema_fn *found;
	void *ctx;
	struct lh_err *err;
	bool failed;			/* *err is set */
};

/* Return whether v is valid by n; false also if w->failed.  Marks the children that were
 * evaluated in seen, unless NULL. */
bool lh_js_check(struct lh_js_walk *w, const struct lh_js_node *n, const struct lh_value *v,
		 const struct lh_js_place *at, struct lh_js_seen *seen);
bool lh_js_check_quietly(struct lh_js_walk *w, const struct lh_js_node *n,
			 const struct lh_value *v, struct lh_js_seen *seen);
bool lh_js_check_object(struct lh_js_walk *w, const struct lh_js_object *o,
			const struct lh_value *v, const struct lh_js_place *at,
			struct lh_js_seen *seen);
bool lh_js_check_array(struct lh_js_walk *w, const struct lh_js_array *a,
		       const struct lh_value *v, const struct lh_js_place *at,
		       struct lh_js_seen *seen);
bool lh_js_check_in_place(struct lh_js_walk *w, const struct lh_js_node *n,
			  const struct lh_value *v, const struct lh_js_place *at,
			  struct lh_js_seen *seen);
bool lh_js_check_rest(struct lh_js_walk *w, const struct lh_js_node *n, const struct lh_value *v,
		      const struct lh_js_place *at, struct lh_js_seen *seen);
bool lh_js_check_unique(struct lh_js_walk *w, const struct lh_value *v,
			const struct lh_js_place *at);
/* Return whether the text of the string v matches. */
bool lh_js_matches(struct lh_js_walk *w, const struct lh_js_pattern *p, const struct lh_value *v);
/* Unescape the string v at the end of run->scratch, whose length the caller restores. */
void lh_js_text_of(struct lh_js_walk *w, const struct lh_value *v, struct lh_str *out);

/* Take n zeroed bits from the end of run->bits: false with w->failed.  The caller gives them
 * back by setting run->bits.len. */
bool lh_js_bits(struct lh_js_walk *w, size_t n, struct lh_js_seen *out);
static inline void lh_js_mark(struct lh_js_walk *w, const struct lh_js_seen *s, size_t i)
{
	w->run->bits.p[s->from + (i >> 3)] |= (char)(1 << (i & 7));
}
static inline bool lh_js_marked(const struct lh_js_walk *w, const struct lh_js_seen *s, size_t i)
{
	return w->run->bits.p[s->from + (i >> 3)] >> (i & 7) & 1;
}

/* ---- report.c ---- */
/* Report a violation unless w is quiet; returns false. */
bool lh_js_report(struct lh_js_walk *w, const struct lh_js_place *at, const char *fmt, ...)
	LH_PRINTF(3, 4);
/* Return the length of the first characters of p that have at most `most` bytes. */
size_t lh_js_whole(const char *p, size_t n, size_t most);
bool lh_js_expected(struct lh_js_walk *w, const struct lh_js_place *at, const struct lh_value *v,
		    const char *what);

#endif
