/*
 * subject_manifest - what is kept about a subject besides the log: status,
 * consent, how long data may be held, and where they are.
 *
 *     struct lh_manifest m;
 *     rc = lh_manifest_read(&m, path, err);          (1: there is none)
 *     if (rc == 0) ... lh_manifest_text(&m, "status", ...) ...
 *     lh_manifest_free(&m);
 *
 * A manifest is one JSON object of schema subject_manifest.v1, on any number of
 * lines.  Its bytes are kept: members that are not known here, and those that
 * are absent, stay so.  A value that is not in a list of values is refused, so
 * that nobody takes it for a harmless one.
 *
 * Owner:  the struct is the caller's; lh_manifest_free on one that is all zero
 *         does nothing.
 * Errors: LH_EDATA names the member by its path ("consent.biometric.status").
 */
#ifndef LH_SUBJECT_MANIFEST_H
#define LH_SUBJECT_MANIFEST_H

#include <lh/json.h>
#include <lh/subject.h>

LH_C_BEGIN

#define LH_MANIFEST_MAX ((size_t)16 << 20)	/* bytes of its file */

/* Is the record a manifest, in every member that it must have? */
LH_API int lh_manifest_check(const struct lh_record *rec, struct lh_err *err);

struct lh_manifest {
	struct lh_record rec;
	struct lh_buf text;
};

/* Read and check a file: 0; 1 when it is not there. */
LH_API int lh_manifest_read(struct lh_manifest *m, const char *path, struct lh_err *err);
LH_API void lh_manifest_free(struct lh_manifest *m);

/* Is it that subject's? */
LH_API bool lh_manifest_is(const struct lh_manifest *m, const char *id, size_t n);

/*
 * The name of the id's manifest in dir, with a NUL: the one that other programs
 * give it where there is such a manifest and it is of that id, else its own
 * (lh/subject.h), whether or not there is such a manifest.
 */
LH_API int lh_manifest_name(char name[LH_SUBJECT_MAX + 1], const char *dir, const char *id, size_t n, struct lh_err *err);

/* The value at a path of names joined by dots; false when there is none. */
LH_API bool lh_manifest_get(const struct lh_record *rec, const char *path, struct lh_value *v);

/* Append the string at that path, unescaped; false when there is none. */
LH_API bool lh_manifest_text(const struct lh_record *rec, const char *path, struct lh_buf *out);

/* Append the text of a checked value on one line, without white space. */
LH_API void lh_json_compact(struct lh_buf *out, const struct lh_value *v);

LH_C_END

#endif
