/*
 * subject - the file names of a subject's log and manifest.
 *
 * The files are named by the subject's id.  An id of A-Z, a-z, 0-9, ".", "_" and
 * "-" is the name itself; in any other id each other byte becomes "_", and "~" with
 * the first 12 hex digits of the id's SHA-256 is appended: two ids never have the
 * same name.  Other programs only replace each other code point by "_": such a file
 * is read and continued if it is that id's.  In the folder of subjects
 * NAME.audit.jsonl is the log (chain.h) and NAME.json the manifest.
 *
 * Errors: LH_EDATA for an id that can have no file: empty, longer than LH_SUBJECT_ID_MAX
 *         bytes, or one whose name would begin with a dot.
 */
#ifndef LH_SUBJECT_H
#define LH_SUBJECT_H

#include "base/buf.h"

#define LH_SUBJECT_DIR "data/_catalog/subjects"
#define LH_SUBJECT_ID_MAX 200
#define LH_SUBJECT_MAX (LH_SUBJECT_ID_MAX + 13)	/* bytes of a name */
#define LH_SUBJECT_LOG ".audit.jsonl"
#define LH_SUBJECT_MANIFEST ".json"

/* Set name to the name of the id p[0..n), which is UTF-8, with a NUL. */
int lh_subject_name(char name[LH_SUBJECT_MAX + 1], const char *p, size_t n,
		    struct lh_err *err);

/* Set name to the one that other programs give the id; false if they give it none,
 * or the same. */
bool lh_subject_plain_name(char name[LH_SUBJECT_MAX + 1], const char *p, size_t n);

/* Return whether name is one of the two names of the id. */
bool lh_subject_named(const char *name, const char *p, size_t n);

/* Set name to NAME of a path that ends in NAME and suffix; false if it does not. */
bool lh_subject_of_path(char name[LH_SUBJECT_MAX + 1], const char *path, const char *suffix);

/* Return DIR/NAMEsuffix, which the caller frees. */
char *lh_subject_path(const char *dir, const char *name, const char *suffix);

/* Create the folder and those above it (mode 0700) where they do not exist. */
int lh_subject_make_dir(const char *dir, struct lh_err *err);

/* The names of all files NAMEsuffix in a folder, sorted by bytes. */
struct lh_subject_list {
	char **name;
	size_t n, cap;
};
int lh_subject_list(struct lh_subject_list *l, const char *dir, const char *suffix,
		    struct lh_err *err);
void lh_subject_list_free(struct lh_subject_list *l);

#endif
