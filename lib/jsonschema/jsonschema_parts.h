/*
 * jsonschema_parts - shared by the files of lib/jsonschema.
 *
 *     read.c         a schema as nodes; what $ref and $anchor name; references without end
 *     keywords.c     what each keyword puts into a node
 *     check.c        a node over a value
 *     regex.c        patterns
 */
#ifndef LH_JSONSCHEMA_PARTS_H
#define LH_JSONSCHEMA_PARTS_H

#include "base/table.h"
#include "base/utf8.h"
#include "json/value.h"
#include "jsonschema.h"

/* ---- regex.c ---- */
struct lh_regex;

/* Compile a pattern of ECMA-262, which is not kept; NULL with LH_EDATA, and err->column the byte
 * of the fault, from 1, if it is one of the grammar. */
struct lh_regex *lh_regex_new(struct lh_str pattern, struct lh_err *err);
void lh_regex_free(struct lh_regex *re);

/* Return 1 if the text, valid UTF-8, contains a match, or 0; -1 with LH_EDATA if more than *steps
 * steps are needed, or more than 64 MiB.  *steps becomes those that are left.  Any number of
 * threads may search with one expression, each with a run of its own. */
int lh_regex_search(const struct lh_regex *re, struct lh_jsonschema_run *run, struct lh_str text,
		    uint64_t *steps, struct lh_err *err);

/* Take n steps from those that are left, if there are as many. */
static inline bool lh_js_spend(uint64_t *steps, uint64_t n)
{
	bool enough = *steps >= n;

	*steps -= enough ? n : 0;
	return enough;
}

/* ---- a compiled schema ---- */
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
	struct lh_js_limit {
		struct lh_exact value;
		struct lh_value text;	/* p NULL: none */
	} limit[4];			/* enum lh_js_limit_kind */
	struct lh_value multiple;	/* p NULL: none */
	uint64_t divisor;		/* of multipleOf: divisor * 10^exponent */
	int64_t exponent;
};

enum lh_js_limit_kind { LH_JS_MINIMUM, LH_JS_MAXIMUM, LH_JS_ABOVE, LH_JS_BELOW };

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
	struct lh_js_pattern *patterns, *last_pattern;
	const struct lh_js_node *additional, *names;
};

/* A value, of enum or const or to compare with others, and its hash. */
struct lh_js_value {
	struct lh_value v;
	uint64_t hash;
};

struct lh_js_node {
	struct lh_value at;		/* the schema in its document */
	bool constant, accepts;		/* the schema true or false */
	uint8_t types;			/* a bit for each enum lh_type; 0: any */
	bool integer;			/* of numbers those that are whole */
	bool number_too;		/* ... or all */
	bool in_place;			/* has one of those from ref on */
	struct lh_js_choice {
		struct lh_js_value *value;
		size_t n;
	} choice, only;			/* enum, const */
	struct lh_js_number *number;
	struct lh_js_string *string;
	struct lh_js_array *array;
	struct lh_js_object *object;
	const struct lh_js_node *ref;
	struct lh_js_list all, any, one;
	const struct lh_js_node *not, *if_, *then, *else_;
	const struct lh_js_node *rest_members, *rest_items;	/* unevaluated... */
	struct lh_js_edge *edges;	/* nodes that the same value is checked by */
	struct lh_js_node *from;	/* while references without end are looked for */
	enum { LH_JS_NEW, LH_JS_ON_THE_WAY, LH_JS_DONE } color;
};

struct lh_js_edge {
	struct lh_js_node *to;
	struct lh_js_edge *next;
};

/* What a reference finds without a search: the name of an $anchor, or a pointer into $defs or
 * one that was referred to. */
struct lh_js_id {
	struct lh_str name;
	struct lh_js_node *node;
};

struct lh_js_pending {
	struct lh_js_node *node;
	struct lh_value ref;		/* the text of the reference */
	struct lh_js_pending *next;
};

struct lh_jsonschema {
	struct lh_js_block {		/* nodes and what is in them, freed together */
		struct lh_js_block *next;
		char data[];
	} *block;
	size_t used, size;		/* bytes of the newest block */
	struct lh_buf text;
	struct lh_value top;
	const struct lh_js_node *root;
	struct lh_str uri;		/* $id, or "" */
	struct lh_js_id *id;
	size_t ids, cap_ids;
	struct lh_table by_name;
	struct lh_map by_place;		/* const char * -> struct lh_js_node * */
	struct lh_regex **regex;
	size_t regexes, cap_regexes;
	struct lh_js_object **object;	/* their tables are freed */
	size_t objects, cap_objects;
};

/* While a schema is compiled. */
struct lh_js_reader {
	struct lh_jsonschema *s;
	struct lh_buf scratch;		/* texts that are freed at the end */
	struct lh_js_pending *pending, **last;
	lh_jsonschema_note *note;
	void *ctx;
	struct lh_err *err;
};

/* ---- read.c ---- */
/* Return n zeroed objects of size bytes, which are freed with the schema. */
void *lh_js_new(struct lh_js_reader *r, size_t n, size_t size);
/* Compile the schema v, unless it was; NULL with *err. */
struct lh_js_node *lh_js_read(struct lh_js_reader *r, const struct lh_value *v);
/* Compile a schema that is applied to the value that n is applied to. */
struct lh_js_node *lh_js_read_in_place(struct lh_js_reader *r, struct lh_js_node *n,
				       const struct lh_value *v);
/* Append the JSON Pointer of the value that begins at p. */
void lh_js_put_pointer(struct lh_buf *out, const struct lh_value *root, const char *p);
/* Report a fault at a place of the schema; returns -1. */
int lh_js_fault(struct lh_js_reader *r, const char *at, const char *fmt, ...) LH_PRINTF(3, 4);
/* Copy a text, or that of a string; it is freed with the schema. */
struct lh_str lh_js_keep(struct lh_js_reader *r, struct lh_str text);
struct lh_str lh_js_text(struct lh_js_reader *r, const struct lh_value *v);
/* Name a node; `at` is where a fault is that there is one of the name. */
int lh_js_add_id(struct lh_js_reader *r, const char *at, struct lh_str name,
		 struct lh_js_node *node);

/* ---- keywords.c ---- */
/* Read one member of the schema n: 0, or -1. */
int lh_js_keyword(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *key,
		  const struct lh_value *v);
/* Hash by meaning: lh_value_equal values that are also exactly equal have equal hashes. */
uint64_t lh_js_hash(const struct lh_value *v, struct lh_buf *scratch);
static inline bool lh_js_equal(const struct lh_js_value *a, const struct lh_js_value *b)
{
	return a->hash == b->hash && lh_value_equal(&a->v, &b->v);
}
/* Return how much of a value's text is shown. */
static inline int lh_js_head(const struct lh_value *v)
{
	return (int)lh_utf8_head((struct lh_str){ v->p, v->n }, 200).n;
}

#endif
