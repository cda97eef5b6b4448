/*
 * subject - where what is kept about a subject is stored.
 *
 * A subject's files are named by its id.  An id of A-Z, a-z, 0-9, ".", "_" and
 * "-" is the name; in any other each other byte becomes "_", and "~" with the
 * first 12 hex digits of the id's SHA-256 follows: two ids never have one name.
 * Other programs make a name by putting "_" for each other code point, and no
 * more: such a file is read, and continued, where it is that id's.  In the
 * folder of subjects NAME.audit.jsonl is the log (lh/chain.h) and NAME.json the
 * manifest.
 *
 * Errors: LH_EDATA for an id that can have no file: empty, longer than
 *         LH_SUBJECT_ID_MAX bytes, or one whose name would begin with a dot.
 */
#ifndef LH_SUBJECT_H
#define LH_SUBJECT_H

#include <lh/buf.h>

LH_C_BEGIN

#define LH_SUBJECT_DIR "data/_catalog/subjects"
#define LH_SUBJECT_ID_MAX 200
#define LH_SUBJECT_MAX (LH_SUBJECT_ID_MAX + 13)	/* bytes of a name */
#define LH_SUBJECT_LOG ".audit.jsonl"
#define LH_SUBJECT_MANIFEST ".json"

/* The name of the id p[0..n), which is UTF-8, with a NUL. */
LH_API int lh_subject_name(char name[LH_SUBJECT_MAX + 1], const char *p, size_t n, struct lh_err *err);

/* The name that other programs give it; false when they give it none, or when
 * it is the same. */
LH_API bool lh_subject_plain_name(char name[LH_SUBJECT_MAX + 1], const char *p, size_t n);

/* Is that one of the two names of the id? */
LH_API bool lh_subject_named(const char *name, const char *p, size_t n);

/* The name in a path that ends in NAME and then suffix; false when it does not. */
LH_API bool lh_subject_of_path(char name[LH_SUBJECT_MAX + 1], const char *path, const char *suffix);

/* DIR/NAMEsuffix, to be freed. */
LH_API char *lh_subject_path(const char *dir, const char *name, const char *suffix, struct lh_err *err);

/* Make the folder and those above it (mode 0700) where they are missing. */
LH_API int lh_subject_make_dir(const char *dir, struct lh_err *err);

/* The names of all files NAMEsuffix in a folder, sorted by bytes. */
struct lh_subject_list {
	char **name;
	size_t n, cap;
};
LH_API int lh_subject_list(struct lh_subject_list *l, const char *dir, const char *suffix, struct lh_err *err);
LH_API void lh_subject_list_free(struct lh_subject_list *l);

LH_C_END

#endif
