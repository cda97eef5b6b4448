/*
 * yaml - read one YAML document as JSON text.
 *
 *     struct lh_yaml y = { 0 };
 *     if (lh_yaml_read(&y, text, n, err) < 0)
 *             ... err->msg, on line y.line
 *     else
 *             ... y.json; byte 12 of it is of line lh_yaml_line(&y, 12)
 *     lh_yaml_free(&y);
 *
 * Plain scalars have the types of the core schema of YAML 1.2: null (also ~ and nothing),
 * true and false, whole numbers (also 0o17 and 0x1f) and fractions; "no", "on" and dates are
 * strings.  A quoted or block scalar is a string.  The key of a member is its text.
 *
 * Refused: tags, keys that are not scalars, numbers that JSON does not have (.inf, .nan), a
 * second document, an alias inside its own anchor, nesting deeper than LH_YAML_DEPTH.  An alias
 * is a copy of its anchor; all of it is LH_YAML_MAX bytes at most.  A key that occurs twice is
 * left to the reader of the JSON text.
 *
 * Errors:  LH_EDATA, with y.line set; LH_ENOMEM.
 * Threads: one thread per struct.
 */
#ifndef LH_YAML_H
#define LH_YAML_H

#include <lh/buf.h>

#define LH_YAML_DEPTH 100
#define LH_YAML_MAX ((size_t)16 << 20)

struct lh_yaml {
	struct lh_buf json;
	struct lh_yaml_mark {		/* of each key and value */
		size_t at, line;	/* byte of json; from 1 */
	} *mark;
	size_t n, cap;
	size_t line;			/* of the error; 0: unknown */
};

int lh_yaml_read(struct lh_yaml *y, const char *p, size_t n, struct lh_err *err);
/* Return the line on which the byte number `at` of y->json was written. */
size_t lh_yaml_line(const struct lh_yaml *y, size_t at);
void lh_yaml_free(struct lh_yaml *y);

#endif
