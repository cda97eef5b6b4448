/*
 * document - JSON that is put together or changed, as a tree of jansson, by jansson's functions.
 *
 *     LH_SCOPED(lh_document_free) json_t *t = lh_document_of(&v);
 *     json_object_del(t, "id");
 *     json_object_set_new(t, "type", json_string("object"));
 *     lh_document_write(out, t);
 *
 * What is read, or copied but for a member or two, is no document: see json.h, bind.h, write.h.
 *
 * Numbers: those that are read keep their text, as what lh_document_kept makes does: to jansson it
 *          is a string that begins with LH_DOCUMENT_KEPT.  Its own integers are written too, its
 *          reals are not.
 * Memory:  jansson allocates by base/mem.h, so none of its functions fails for want of memory.
 *          json_pack gives NULL for a text that is not UTF-8; what was parsed is.
 * Depth:   the recursion is as deep as the value.
 */
#ifndef LH_DOCUMENT_H
#define LH_DOCUMENT_H

#include <jansson.h>

#include "json/json.h"

#define LH_DOCUMENT_KEPT '\xff'	/* a byte that no text has */

/* Make a document of a checked value; of a JSON text, of which every byte is kept. */
json_t *lh_document_of(const struct lh_value *v);
json_t *lh_document_kept(struct lh_str json);
/* Append it without white space; members are in the order in which they were set. */
void lh_document_write(struct lh_buf *out, json_t *t);

/* Return the text of a string; NULL of anything else. */
static inline const char *lh_document_text(const json_t *t)
{
	const char *text = json_string_value(t);

	return text && *text != LH_DOCUMENT_KEPT ? text : NULL;
}

static inline void lh_document_free(json_t **t)
{
	json_decref(*t);
}

#endif
