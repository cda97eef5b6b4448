/*
 * intern - store equal strings once, and number the different ones from 0.
 *
 *     lh_intern_init(&in);
 *     rc = lh_intern_add(&in, text, n, &number, err);
 *     s = lh_intern_text(&in, number);
 *     lh_intern_free(&in);
 *
 * Memory:  each different string, and some 40 bytes.
 * Threads: one thread per struct.
 */
#ifndef LH_INTERN_H
#define LH_INTERN_H

#include <lh/buf.h>
#include "table.h"

struct lh_intern {
	struct lh_buf text;
	struct lh_intern_one {
		size_t at, n;
	} *one;
	size_t n, cap;
	struct lh_table table;
};

void lh_intern_init(struct lh_intern *in);
void lh_intern_free(struct lh_intern *in);

/* Return the number of a string, or -1 if it was not added. */
int64_t lh_intern_find(const struct lh_intern *in, const char *text, size_t n);

/* Add a string if it is not there, and set *number to its number. */
int lh_intern_add(struct lh_intern *in, const char *text, size_t n, uint32_t *number,
		  struct lh_err *err);

/* Return the string of a number; valid until the next lh_intern_add. */
struct lh_str lh_intern_text(const struct lh_intern *in, uint32_t number);

#endif
