/*
 * lh_subject - where what is kept about a subject lies.
 *
 * A subject's files are named by its id made fit for a file name: each code
 * point but A-Z, a-z, 0-9, ".", "_" and "-" becomes one "_".  Two ids may come
 * to the same name; whoever writes looks whose the file is.  In the folder of
 * subjects NAME.audit.jsonl is the log (lh_chain.h) and NAME.json the manifest.
 *
 * Errors: LH_EDATA for an id that can have no file: empty, one whose name would
 *         begin with a dot, or be longer than LH_SUBJECT_MAX bytes.
 */
#ifndef LH_SUBJECT_H
#define LH_SUBJECT_H

#include "lh_buf.h"

#define LH_SUBJECT_DIR "data/_catalog/subjects"
#define LH_SUBJECT_MAX 200
#define LH_SUBJECT_LOG ".audit.jsonl"
#define LH_SUBJECT_MANIFEST ".json"

/* The name of the id p[0..n), which is UTF-8, with a NUL. */
LH_API int lh_subject_name(char name[LH_SUBJECT_MAX + 1], const char *p, size_t n, struct lh_err *err);

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

#endif
