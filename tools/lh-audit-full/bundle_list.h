/*
 * bundle_list - the lines of a bundle's manifest, which may be hostile.
 *
 * Errors:  LH_EDATA, "line 3: ..."; LH_ENOMEM.
 */
#ifndef BUNDLE_LIST_H
#define BUNDLE_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "bundle.h"
#include <lh/digest.h>

struct bundle_line {
	char name[BUNDLE_NAME_MAX + 1];
	char sha256[LH_SHA256_HEX + 1];
	uint64_t size;
	bool seen;		/* for the reader */
};

struct bundle_list {		/* by name */
	struct bundle_line *line;
	size_t n, cap;
};

/* LH_PAD bytes must follow the n at p. */
int bundle_list_read(struct bundle_list *list, const char *p, size_t n, struct lh_err *err);
struct bundle_line *bundle_list_find(const struct bundle_list *list, const char *name);
void bundle_list_free(struct bundle_list *list);

/* Return whether a name is valid: letters, digits, "._-" and "/", relative, without
 * "." and "..", of at most BUNDLE_NAME_MAX bytes.  Such a name has the same meaning
 * on every machine. */
bool bundle_name_ok(const char *s, size_t n);

#endif
