/* extract_parts - what the parts of lh_extract share. */
#ifndef LH_EXTRACT_PARTS_H
#define LH_EXTRACT_PARTS_H

#include <lh/extract.h>
#include "json/json_scanner.h"

/* A brace outside of strings, if the text before it is. */
struct lh_brace {
	uint32_t at;
	uint32_t close;		/* of a {: the } that ends it; of a }: the next that ends what is
				 * around it; an index from 1, or 0 if there is none */
};

struct lh_tries {
	const char *base;	/* offsets are relative to it */
	uint64_t *kind;		/* a bit for each open container: set for an object */
	size_t kinds;
	struct lh_brace *brace;	/* those of the text, the last one first */
	size_t n, cap;
	bool counted;		/* brace is that of this text */
	struct lh_scan fail;	/* where and why a leaf is invalid */
};

/* The result of reading one object. */
struct lh_try {
	const char *end;	/* after the object; or where it cannot be read further */
	size_t deepest;		/* nesting of containers, the object included */
};

/* Read one object at p ('{'), of any depth, with keys unchecked and anything after
 * it: 1, 0 if it is not one. */
int lh_try_object(struct lh_tries *x, const char *p, const char *end, struct lh_try *t);

/* Set *close to the place after the } that ends the { at p, braces in strings not counted;
 * to NULL if nothing ends it. */
void lh_try_end(struct lh_tries *x, const char *p, const char *end, const char **close);

/* What a tag says about the text after it. */
enum lh_mark_kind {
	LH_MARK_NONE,		/* nothing, or it is not such a tag */
	LH_MARK_OPEN,		/* it is thought, up to the end of the same name */
	LH_MARK_CLOSE,		/* the thought of this name has ended */
	LH_MARK_CHANNEL,	/* it is a message in a channel of harmony other than final */
	LH_MARK_FINAL,		/* it is a final one */
	LH_MARK_STOP,		/* the message has ended */
};

#define LH_MARK_NAMES 7		/* names of thoughts; a channel's is this number */

struct lh_mark {
	enum lh_mark_kind kind;
	char name;
	const char *end;	/* after the tag; after its first byte if it is none */
};

/* Read the tag at p, where a bracket may open one. */
struct lh_mark lh_mark_read(const char *p, const char *end);

static inline bool lh_json_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Append the checked object v without white space, and of duplicate keys in an
 * object only the last. */
int lh_extract_last(struct lh_buf *out, const struct lh_value *v, struct lh_err *err);

#endif
