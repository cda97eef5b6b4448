/* names.c - the corpora that INDEX operands name, and the playbooks.  See search.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "search.h"

/* Split FILE or NAME=FILE.  A file name may contain '=': an operand that names an
 * existing file is that file. */
static const char *split(const char *operand, size_t *name_len)
{
	const char *equals = strchr(operand, '=');

	if (!equals || access(operand, F_OK) == 0)
		return NULL;
	*name_len = (size_t)(equals - operand);
	return equals + 1;
}

static bool is_folder(const char *operand)
{
	size_t n = strlen(operand);
	struct stat st;

	return (n && operand[n - 1] == '/') || (stat(operand, &st) == 0 && S_ISDIR(st.st_mode));
}

/* Add a name without a path; NULL with *err. */
static struct name *names_add(struct names *l, struct lh_str text)
{
	struct name *c;

	lh_grow(&l->v, &l->cap, l->all + 1, sizeof *l->v);
	c = &l->v[l->all++];
	*c = (struct name){ .alone = l->wire };
	c->text = lh_strndup(text.p, text.n);
	lh_buf_json(&c->json, text.p, text.n);
	return c;
}

/* Read an operand; *name is the name if the operand is a file alone. */
static const char *read_operand(const char *operand, struct lh_str *name, struct lh_err *err)
{
	struct lh_str given = { operand, 0 };
	const char *path = split(operand, &given.n);

	if (path)
		*name = given;
	else
		path = operand;
	if (!name->n)
		lh_err_set(err, LH_EUSAGE, "\"%s\" gives a corpus no name", operand);
	else if (!*path)
		lh_err_set(err, LH_EUSAGE, "\"%s\" names no file: NAME=FILE", operand);
	else if (!lh_utf8_valid(name->p, name->n))
		lh_err_set(err, LH_EUSAGE,
			   "corpus name \"%.*s\" is not UTF-8: give it one with NAME=FILE",
			   (int)name->n, name->p);
	else
		return path;
	return NULL;
}

static struct name *add_file(struct names *l, struct lh_str name, const char *path)
{
	struct name *c = names_add(l, name);

	c->path = lh_strndup(path, strlen(path));
	return c;
}

/* Add an index by its operand. */
static int add_corpus(struct names *l, const char *operand, struct lh_err *err)
{
	struct lh_str name = lh_index_name(operand);
	const char *path = read_operand(operand, &name, err);

	if (!path)
		return -1;
	add_file(l, name, path);
	return 0;
}

/* ---- folders ---- */

static void add_listed(struct names *l, const char *folder, const struct lh_index_folder *found)
{
	struct name *c;
	size_t i;

	for (i = 0; i < found->n; i++) {
		c = names_add(l, lh_str_of(found->name[i]));
		c->path = lh_index_folder_path(folder, lh_str_of(c->text));
		c->lazy = c->alone = true;
	}
}

/* Note the state of a folder before it is read, so that a change in between is seen. */
static void watch(struct names *l, const char *path)
{
	struct folder *f;

	lh_grow(&l->folder, &l->cap_folders, l->n_folders + 1, sizeof *l->folder);
	f = &l->folder[l->n_folders++];
	f->path = path;
	lh_stamp_take(&f->stamp, path);
}

/* Add the indexes of a folder. */
static int add_folder(struct names *l, const char *path, bool may_be_absent, struct lh_err *err)
{
	struct lh_index_folder found;
	int rc = 0;

	watch(l, path);
	if (may_be_absent && !l->folder[l->n_folders - 1].stamp.there)
		return 0;
	if (lh_index_folder_read(&found, path, err) < 0)
		return l->wire && l->again ? -1 : lh_err_prefix(err, "%s", path);
	if (!found.n && !may_be_absent && !l->wire && !l->again)
		rc = lh_err_set(err, LH_EUSAGE, "no index in %s", path);
	else
		add_listed(l, path, &found);
	lh_index_folder_free(&found);
	return rc;
}

/* ---- all ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static int check_names(const struct names *l, struct lh_err *err)
{
	size_t i;

	for (i = 1; i < l->n; i++)
		if (!strcmp(l->v[i - 1].text, l->v[i].text))
			return lh_err_set(err, LH_EUSAGE,
					  "two corpora are named \"%s\" (%s and %s); name one with "
					  "NAME=FILE",
					  l->v[i].text, l->v[i - 1].path, l->v[i].path);
	return 0;
}

/* Without a name of its own, a playbook has the default name in queries. */
static int add_playbook(struct names *l, const char *operand, bool optional, struct lh_err *err)
{
	struct lh_str name = lh_str_of(LH_PLAYBOOK_CORPUS);
	const char *path = read_operand(operand, &name, err);
	const struct name *added = path ? add_file(l, name, path) : NULL;
	long same;

	if (!added)
		return lh_err_prefix(err, "--playbook");
	if (!optional && !l->again && access(path, F_OK) < 0 && errno == ENOENT)
		return lh_err_set(err, LH_EUSAGE,
				  "--playbook: %s: no such file; --playbook-optional if it need "
				  "not exist", path);
	same = names_find(l, lh_str_of(added->text));
	if (same >= 0)
		return lh_err_set(err, LH_EUSAGE,
				  "--playbook: %s is named \"%s\" already; name one with NAME=FILE",
				  l->v[same].path, added->text);
	return 0;
}

static int add_all(struct names *l, const struct run *run, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < run->n_operands; i++)
		if (is_folder(run->operands[i]) ?
			    add_folder(l, run->operands[i], false, err) < 0 :
			    add_corpus(l, run->operands[i], err) < 0)
			return -1;
	l->n = l->all;
	if (l->n)
		qsort(l->v, l->n, sizeof *l->v, by_text);
	if (check_names(l, err) < 0)
		return -1;
	if (run->set->playbook && add_playbook(l, run->set->playbook,
						run->set->playbook_optional, err) < 0)
		return -1;
	return run->set->playbooks ? add_folder(l, run->set->playbooks, true, err) : 0;
}

struct names *names_new(const struct run *run, bool again, struct lh_err *err)
{
	struct names *l = lh_calloc(1, sizeof *l);

	l->wire = run->set->wire;
	l->again = again;
	if (add_all(l, run, err) == 0)
		return l;
	names_drop(l);
	return NULL;
}

struct names *names_share(struct names *l)
{
	atomic_fetch_add(&l->others, 1);
	return l;
}

void names_drop(struct names *l)
{
	size_t i;

	if (!l || atomic_fetch_sub(&l->others, 1) > 0)
		return;
	for (i = 0; i < l->all; i++) {
		lh_buf_free(&l->v[i].json);
		free(l->v[i].text);
		free(l->v[i].path);
	}
	free(l->folder);
	free(l->v);
	free(l);
}

bool names_stale(const struct names *l)
{
	size_t i;

	for (i = 0; i < l->n_folders; i++)
		if (!lh_stamp_fits(&l->folder[i].stamp, l->folder[i].path))
			return true;
	return false;
}

/* Search v[from..to), which is sorted. */
static long find_name(const struct names *l, size_t from, size_t to, struct lh_str text)
{
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int c = lh_str_cmp(lh_str_of(l->v[mid].text), text);

		if (!c)
			return (long)mid;
		if (c < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return -1;
}

long names_find(const struct names *l, struct lh_str text)
{
	return find_name(l, 0, l->n, text);
}

long names_find_in(const struct names *l, const struct lh_scope *scope, struct lh_str text)
{
	return lh_scope_has(scope, text) ? names_find(l, text) : -1;
}

long names_find_playbook(const struct names *l, struct lh_str text)
{
	return find_name(l, l->n, l->all, text);
}

long names_find_same(const struct names *l, const struct names *of, size_t i)
{
	struct lh_str text = lh_str_of(of->v[i].text);
	long at = i < of->n ? names_find(l, text) : names_find_playbook(l, text);

	return at >= 0 && strcmp(l->v[at].path, of->v[i].path) == 0 ? at : -1;
}
