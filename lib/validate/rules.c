/* rules.c - open a folder of rule files.  See lh/rules.h. */
#include <dirent.h>
#include <stdlib.h>

#include "file/file.h"
#include "base/mem.h"
#include "rules_parts.h"
#include "validate_parts.h"

void *lh_rules_own(struct lh_rules *r, void *p)
{
	lh_grow(&r->owned, &r->cap_owned, r->n_owned + 1, sizeof *r->owned);
	return r->owned[r->n_owned++] = p;
}

/* Insert "PATH:LINE:COLUMN: " before an error about a byte of a text. */
static int prefix_place(const char *path, const char *text, struct lh_err *err)
{
	size_t line = 1, column = 0, i;

	if (err->code != LH_EDATA || !err->column)
		return lh_err_prefix(err, "%s", path);
	for (i = 0; i < err->column; i++, column++)
		if (i && text[i - 1] == '\n')
			line++, column = 0;
	return lh_err_prefix(err, "%s:%zu:%zu", path, line, column);
}

/* Read a file, whose text r owns, padded, as one JSON value. */
static int load_text(struct lh_rules *r, const char *path, struct lh_value *v, struct lh_err *err)
{
	struct lh_mapped file;
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	char *text;
	int rc;

	if (lh_mapped_open(&file, path, err) < 0)
		return -1;
	if (file.n > LH_RULES_FILE_MAX) {
		lh_mapped_close(&file);
		return lh_err_set(err, LH_EUSAGE, "%s: is larger than %d bytes", path,
				  LH_RULES_FILE_MAX);
	}
	text = lh_rules_own(r, lh_calloc(file.n + LH_PAD, 1));
	memcpy(text, file.p, file.n);
	lh_sha256_more(&r->sum, file.p, file.n);
	v->n = file.n;
	lh_mapped_close(&file);
	rc = lh_json_parse(&rec, text, v->n, v, err);
	return rc < 0 ? prefix_place(path, text, err) : 0;
}

/* Note the stamp of a path, before it is read.  The path is r's. */
static void note_stamp(struct lh_rules *r, const char *path)
{
	lh_grow(&r->file, &r->cap_files, r->n_files + 1, sizeof *r->file);
	lh_stamp_take(&r->file[r->n_files].stamp, path);
	r->file[r->n_files++].path = path;
}

static int load_file(struct lh_rules *r, const char *dir, const char *name, struct lh_err *err)
{
	size_t n = strlen(dir) + strlen(name) + 2, first = r->n, i;
	struct lh_value v;
	char *path = lh_rules_own(r, lh_calloc(n, 1));

	snprintf(path, n, "%s/%s", dir, name);
	note_stamp(r, path);
	if (load_text(r, path, &v, err) < 0)
		return -1;
	if (lh_rules_read(r, &v, err) < 0)
		return lh_err_prefix(err, "%s", path);
	for (i = first; i < r->n; i++)
		r->rule[i].file = path;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct lh_rule *x = *(const struct lh_rule *const *)a,
		*y = *(const struct lh_rule *const *)b;
	size_t n = x->hit.id.n < y->hit.id.n ? x->hit.id.n : y->hit.id.n;
	int c = memcmp(x->hit.id.p, y->hit.id.p, n);

	if (!c)
		c = (x->hit.id.n > y->hit.id.n) - (x->hit.id.n < y->hit.id.n);
	return c ? c : (x > y) - (x < y);
}

static int check_ids(const struct lh_rules *r, struct lh_err *err)
{
	const struct lh_rule **sorted;
	size_t i;
	int rc = 0;

	if (!r->n)
		return 0;
	sorted = lh_calloc(r->n, sizeof *sorted);
	for (i = 0; i < r->n; i++)
		sorted[i] = &r->rule[i];
	qsort(sorted, r->n, sizeof *sorted, by_id);
	for (i = 1; i < r->n && !rc; i++) {
		const struct lh_rule *a = sorted[i - 1], *b = sorted[i];

		if (a->hit.id.n == b->hit.id.n && !memcmp(a->hit.id.p, b->hit.id.p, a->hit.id.n))
			rc = lh_err_set(err, LH_EUSAGE,
					"%s: rule \"%.*s\": duplicate id, also in %s", b->file,
					(int)b->hit.id.n, b->hit.id.p, a->file);
	}
	free(sorted);
	return rc;
}

static int rule_file(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return *e->d_name != '.' && n > 5 && !strcmp(e->d_name + n - 5, ".json");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

struct lh_rules *lh_rules_open(const char *dir, struct lh_err *err)
{
	struct lh_rules *r = lh_calloc(1, sizeof *r);
	LH_SCOPED(lh_free_local) struct dirent **name = NULL;
	int n, i, rc = 0;

	note_stamp(r, lh_rules_own(r, lh_strndup(dir, strlen(dir))));
	lh_sha256_start(&r->sum);
	n = scandir(dir, &name, rule_file, by_name);
	if (n < 0) {
		lh_err_sys(err, "%s: cannot read the folder of rules", dir);
		lh_rules_free(r);
		return NULL;
	}
	for (i = 0; i < n; i++) {
		if (!rc)
			rc = load_file(r, dir, name[i]->d_name, err);
		free(name[i]);
	}
	lh_sha256_end(&r->sum, r->hash);
	if (!rc)
		rc = check_ids(r, err);
	if (!rc)
		return r;
	lh_rules_free(r);
	return NULL;
}

void lh_rules_free(struct lh_rules *r)
{
	size_t i;

	if (!r || atomic_fetch_sub(&r->extra_refs, 1) > 0)
		return;
	for (i = 0; i < r->n_owned; i++)
		free(r->owned[i]);
	free(r->file);
	free(r->owned);
	free(r->rule);
	free(r);
}

void lh_rules_version(const struct lh_rules *r, char to[LH_VERSION_MAX])
{
	lh_hex(r->hash, sizeof r->hash, to);
	to[LH_SHA256_HEX] = '\0';
}

bool lh_rules_stale(const struct lh_rules *r)
{
	size_t i;

	for (i = 0; i < r->n_files; i++)
		if (!lh_stamp_fits(&r->file[i].stamp, r->file[i].path))
			return true;
	return false;
}

struct lh_rules *lh_rules_renew(struct lh_rules *r, struct lh_err *err)
{
	if (lh_rules_stale(r))
		return lh_rules_open(r->file[0].path, err);
	atomic_fetch_add(&r->extra_refs, 1);
	return r;
}
