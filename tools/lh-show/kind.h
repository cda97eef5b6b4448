/*
 * kind - the kinds of records that a table has columns for, recognized by their members.
 */
#ifndef KIND_H
#define KIND_H

#include <lh/json.h>

/* The names, as --kind has them and in the order of its choices; several kinds may share one. */
#define KIND_NAMES "hits|verdicts|workers|evidence|scores|samples|chain|sessions|findings|" \
	"operations|errors|plain"
enum kind_name {
	KIND_ANY = -1,		/* the kind is that of the records */
	KIND_HITS, KIND_VERDICTS, KIND_WORKERS, KIND_EVIDENCE, KIND_SCORES, KIND_SAMPLES,
	KIND_CHAIN, KIND_SESSIONS, KIND_FINDINGS, KIND_OPERATIONS, KIND_ERRORS,
	KIND_PLAIN,
};

struct kind {
	enum kind_name name;
	const char *tells;	/* paths of the members that it has, separated by blanks */
	const char *columns;	/* paths; a path that ends with * has the columns of the
				   kind of that member */
	const char *rows;	/* the member whose elements are the rows, or NULL */
};

/* The kinds; the last one, KIND_PLAIN, has all members as columns. */
#define KIND_COUNT 24
extern const struct kind kinds[KIND_COUNT];

/* Return the first kind that the value has, among those of that name (KIND_ANY: all); with a
 * name, the first of that name if it has none. */
const struct kind *kind_of(const struct lh_value *v, enum kind_name name);

#endif
