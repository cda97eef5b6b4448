/* rules_parts - a rule in memory. */
#ifndef LH_RULES_PARTS_H
#define LH_RULES_PARTS_H

#include <stdatomic.h>

#include "file/held.h"
#include "crypto/digest.h"
#include "validate/rules.h"

enum lh_rule_when { LH_WHEN_ALWAYS, LH_WHEN_EQUALS, LH_WHEN_MISMATCH, LH_WHEN_EMPTY,
		    LH_WHEN_GREATER, LH_WHEN_CONTAINS };

struct lh_rule {
	const char *file;
	unsigned tasks;		/* set of enum lh_task bits */
	enum lh_rule_when when;
	struct lh_str *path;	/* the parts of the field */
	size_t n_path;
	struct lh_value value;	/* or the threshold */
	struct lh_str *needle;	/* in lower case */
	size_t n_needles;
	struct lh_rule_hit hit;
};

struct lh_rules {
	atomic_uint extra_refs;	/* references, but one */
	struct lh_rules_file {
		const char *path;
		struct lh_stamp stamp;
	} *file;		/* the folder, and its files */
	size_t n_files, cap_files;
	struct lh_rule *rule;
	size_t n, cap;
	void **owned;		/* all memory that the rules point into */
	size_t n_owned, cap_owned;
	struct lh_sha256 sum;	/* of the texts of the files; and what it came to */
	unsigned char hash[32];
};

/* Read the rules of one checked file and add them. */
int lh_rules_read(struct lh_rules *r, const struct lh_value *file, struct lh_err *err);

#endif
