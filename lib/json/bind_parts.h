/*
 * bind_parts - the place of a member in a record, and the types that a line accepts.
 */
#ifndef LH_BIND_PARTS_H
#define LH_BIND_PARTS_H

#include "bind.h"

/* A member on the path from the record to the current value. */
struct lh_bind_place {
	const struct lh_bind_place *up;	/* the member that contains it; NULL: the record */
	const struct lh_bind *line;
	unsigned rank;			/* index of the name used in the record */
	size_t index;			/* of the array element; SIZE_MAX: the member itself */
};

/* Return the types accepted by a line. */
static inline unsigned lh_bind_types(const struct lh_bind *line)
{
	static const unsigned char types[] = {
		[LH_BIND_TO_STRING] = LH_BIND_IS(LH_STRING),
		[LH_BIND_TO_ID] = LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NUMBER),
		[LH_BIND_TO_BOOL] = LH_BIND_IS(LH_TRUE) | LH_BIND_IS(LH_FALSE),
		[LH_BIND_TO_TRUTH] = LH_BIND_IS(LH_TRUE) | LH_BIND_IS(LH_FALSE),
		[LH_BIND_TO_WHOLE] = LH_BIND_IS(LH_NUMBER),
		[LH_BIND_TO_F64] = LH_BIND_IS(LH_NUMBER),
		[LH_BIND_TO_CHOICE] = LH_BIND_IS(LH_STRING),
		[LH_BIND_TO_INDEX] = LH_BIND_IS(LH_STRING),
		[LH_BIND_TO_STRINGS] = LH_BIND_IS(LH_ARRAY),
		[LH_BIND_TO_IDS] = LH_BIND_IS(LH_ARRAY),
		[LH_BIND_TO_TABLE] = LH_BIND_IS(LH_OBJECT),
		[LH_BIND_TO_TABLES] = LH_BIND_IS(LH_ARRAY),
	};

	if (line->to == LH_BIND_TO_VALUE || line->to == LH_BIND_TO_JSON)
		return line->types | (line->null ? LH_BIND_IS(LH_NULL) : 0);
	return types[line->to];
}

#endif
