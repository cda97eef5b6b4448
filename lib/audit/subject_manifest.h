/*
 * subject_manifest - the data of a subject in addition to the log: status, consent,
 * how long data may be kept, and where they are.
 *
 *     struct lh_manifest m;
 *     rc = lh_manifest_read(&m, path, err);          (1: there is none)
 *     if (rc == 0) ... m.status ...
 *     lh_manifest_free(&m);
 *
 * A manifest is one JSON object of schema subject_manifest.v1, on any number of
 * lines.  Its bytes are kept: unknown members stay, and absent ones stay absent.  A
 * value that is not in its list of values is refused, so that it is not taken for a
 * harmless one.
 *
 * Owner:  the struct is the caller's; lh_manifest_free on one that is all zero does nothing.
 * Errors: LH_EDATA names the member by its path ("consent.biometric.status").
 */
#ifndef LH_SUBJECT_MANIFEST_H
#define LH_SUBJECT_MANIFEST_H

#include "json/json.h"
#include "audit/subject.h"
#include "json/write.h"

#define LH_MANIFEST_MAX ((size_t)16 << 20)	/* bytes of its file */

struct lh_consent {
	struct lh_str status;
	struct lh_str retention_until;	/* of biometric data, if there is one */
};

/* The members, unescaped and as they are written.  Optional ones that are absent are zero. */
struct lh_manifest {
	struct lh_str schema, candidate_id, created_at, updated_at, status, vertical;
	struct {
		struct lh_value candidate_id, status, vertical;
	} json;
	struct lh_consents {
		struct lh_consent general_pii, biometric;
	} consent;
	struct lh_retention {
		struct lh_str general_pii_until, policy;
	} retention;
	struct lh_dataset {
		struct lh_str name, key_column, key_value;
		struct lh_value name_json;
	} *dataset;
	size_t n_datasets;
	struct lh_value safe_views;	/* an array of strings */
	struct lh_str audit_log_path, audit_log_chain_root;
	struct lh_value biometric_collection;

	struct lh_value object;		/* all of it as it is written */
	struct lh_record rec;		/* of the file that it was read from */
	struct lh_buf text, strings;
};

/* Check that the record is a manifest and set m's members, which point into the record's
 * line.  Free m in any case. */
int lh_manifest_bind(struct lh_manifest *m, const struct lh_record *rec,
		     struct lh_err *err);

/* Read and check a file: 0; 1 if it does not exist. */
int lh_manifest_read(struct lh_manifest *m, const char *path, struct lh_err *err);
void lh_manifest_free(struct lh_manifest *m);

/* Return whether it is that subject's. */
bool lh_manifest_is(const struct lh_manifest *m, const char *id, size_t n);

/* Set name to the name of the id's manifest in dir, with a NUL: the name that other
 * programs give it if that manifest exists and is that id's, else its own
 * (subject.h), whether or not that manifest exists. */
int lh_manifest_name(char name[LH_SUBJECT_MAX + 1], const char *dir, const char *id,
		     size_t n, struct lh_err *err);

/* ---- accesses as the rows of a table ---- */

/*
 *     lh_html_open(&page, title, LH_ACCESS_STYLE);
 *     lh_buf_puts(&page, LH_ACCESS_BEGIN);
 *     rc = lh_access_html(&page, &rec, &text, err);		(each row)
 *     lh_buf_puts(&page, LH_ACCESS_END);
 *
 * Threads: any number.
 */

/* Columns have fixed widths, so that long words are broken within them; if there is
 * no room for five columns, a row is a block of labelled lines.  Text that cannot
 * be broken, such as one letter with hundreds of marks, is cut off. */
#define LH_ACCESS_STYLE \
	"p,dt,dd,li,.verdict{overflow-wrap:anywhere}\n" \
	"p,dd,li,td,.verdict{overflow:hidden}\n" \
	"table{table-layout:fixed}th.when{width:15rem}\n" \
	"@media(max-width:56rem){table,tbody,tr,td{display:block}thead{display:none}\n" \
	"tr{border-top:2px solid var(--line);padding:.4rem 0}\n" \
	"td{border:0;padding:.1rem 0}td::before{content:attr(data-label) " LH_JSON(": ") \
	";color:var(--dim)}}\n"

#define LH_ACCESS_BEGIN \
	"<table>\n<thead><tr><th class=\"when\">When</th><th>Who</th><th>What " \
	"for</th><th>Which data</th>" \
	"<th>Outcome</th></tr></thead>\n<tbody>\n"
#define LH_ACCESS_END "</tbody>\n</table>\n"

/* Append a row of a log; text is memory for its strings. */
int lh_access_html(struct lh_buf *out, const struct lh_record *rec, struct lh_buf *text,
		   struct lh_err *err);

#endif
