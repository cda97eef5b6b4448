/* probes.c - the probes that a folder describes.  See parity.h. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool/records.h"
#include "base/mem.h"
#include "distill/root.h"
#include "parity.h"

#define LIST "probes.jsonl"
#define RIGHT "LH_PARITY_RIGHT_"

/* All probes of one run. */
struct run {
	struct lh_tool *tool;
	const char *out, *only;
	char folder[PATH_MAX], list[PATH_MAX + sizeof LIST];
	struct lh_buf lines, summary;
	uint64_t passed, failed, skipped, probes;
	bool absent;
};

/* One description, and its memory. */
struct described {
	struct probe probe;
	char *name, *fixture, *path, *command[2], *field;
	char **ignore;
	size_t n_ignore;
};

static char *copy(const struct lh_value *v, const char *name, struct lh_err *err)
{
	struct lh_buf scratch;
	struct lh_str text;
	char *s = NULL;

	if (v->type != LH_STRING) {
		lh_err_set(err, LH_EDATA, "\"%s\" must be a string", name);
		return NULL;
	}
	lh_buf_init(&scratch, LH_BUF_NOMAX);
	if (lh_value_str(v, &scratch, &text, err) == 0) {
		if (memchr(text.p, '\0', text.n))
			lh_err_set(err, LH_EDATA, "\"%s\" holds a NUL", name);
		else
			s = lh_strndup(text.p, text.n, err);
	}
	lh_buf_free(&scratch);
	return s;
}

static int get_text(const struct lh_record *rec, const char *name, bool required, char **to, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(rec, name);

	if (!v)
		return required ? lh_err_set(err, LH_EDATA, "missing string \"%s\"", name) : 0;
	*to = copy(v, name, err);
	return *to ? 0 : -1;
}

static int get_real(const struct lh_record *rec, const char *name, double least, double most, double *to, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(rec, name);

	if (!v)
		return 0;
	*to = v->type == LH_NUMBER ? lh_value_f64(v) : -1;
	return *to >= least && *to <= most ? 0 : lh_err_set(err, LH_EDATA, "\"%s\" must be a number from %g to %g", name, least, most);
}

static int get_ignore(const struct lh_record *rec, struct described *d, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(rec, "ignore");
	struct lh_iter it;
	size_t cap = 0;

	if (!v)
		return 0;
	if (v->type != LH_ARRAY)
		return lh_err_set(err, LH_EDATA, "\"ignore\" must be an array of strings");
	for (lh_iter_init(&it, v); lh_iter_next(&it); d->n_ignore++) {
		if (lh_grow(&d->ignore, &cap, d->n_ignore + 1, sizeof *d->ignore, err) < 0)
			return -1;
		d->ignore[d->n_ignore] = copy(&it.val, "ignore", err);
		if (!d->ignore[d->n_ignore])
			return -1;
	}
	return 0;
}

static int get_compare(const struct lh_record *rec, int *compare, struct lh_err *err)
{
	static const char *const names[] = { "exact", "json", "cosine" };
	const struct lh_value *v = lh_record_get(rec, "compare");
	int i;

	*compare = COMPARE_JSON;
	for (i = 0; v && i < 3; i++)
		if (v->type == LH_STRING && lh_value_is(v, names[i], strlen(names[i]))) {
			*compare = i;
			return 0;
		}
	return v ? lh_err_set(err, LH_EDATA, "\"compare\" must be exact, json or cosine") : 0;
}

/* Check a name, which becomes a file's and a variable's. */
static int check_name(const char *s, struct lh_err *err)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return n && n <= 64 && !s[n] ? 0 : lh_err_set(err, LH_EDATA, "\"probe\" must be 1 to 64 of a-z, A-Z, 0-9, _ and -");
}

static int describe(const struct run *r, const struct lh_record *rec, struct described *d, struct lh_err *err)
{
	const struct lh_value *each = lh_record_get(rec, "per_record");
	struct probe *p = &d->probe;
	size_t n;

	*p = (struct probe){ .tolerance = TOLERANCE, .timeout = TIMEOUT };
	if (get_text(rec, "probe", true, &d->name, err) < 0 || check_name(d->name, err) < 0 ||
	    get_text(rec, "fixture", true, &d->fixture, err) < 0 ||
	    get_text(rec, "left", true, &d->command[0], err) < 0 || get_text(rec, "right", true, &d->command[1], err) < 0 ||
	    get_text(rec, "field", false, &d->field, err) < 0 || get_compare(rec, &p->compare, err) < 0 ||
	    get_ignore(rec, d, err) < 0 || get_real(rec, "tolerance", 0, 2, &p->tolerance, err) < 0 ||
	    get_real(rec, "timeout", 0.001, 86400, &p->timeout, err) < 0)
		return -1;
	if (each && each->type != LH_TRUE && each->type != LH_FALSE)
		return lh_err_set(err, LH_EDATA, "\"per_record\" must be true or false");
	n = strlen(r->folder) + strlen(d->fixture) + 2;
	d->path = lh_calloc(n, 1, err);
	if (!d->path)
		return -1;
	snprintf(d->path, n, "%s%s%s", *d->fixture == '/' ? "" : r->folder, *d->fixture == '/' ? "" : "/", d->fixture);
	p->name = d->name;
	p->fixture = d->path;
	p->command[0] = d->command[0];
	p->command[1] = probe_right(d->name) ? probe_right(d->name) : d->command[1];
	p->field = d->field;
	p->per_record = d->field || (each && each->type == LH_TRUE);
	p->ignore = (struct lh_list){ (const char **)d->ignore, d->n_ignore };
	return 0;
}

static void described_free(struct described *d)
{
	size_t i;

	cases_free(&d->probe);
	for (i = 0; i < d->n_ignore; i++)
		free(d->ignore[i]);
	free(d->ignore);
	free(d->name);
	free(d->fixture);
	free(d->path);
	free(d->command[0]);
	free(d->command[1]);
	free(d->field);
}

const char *probe_right(const char *name)
{
	char variable[sizeof RIGHT + 64];
	const char *value;
	size_t i;

	snprintf(variable, sizeof variable, RIGHT "%s", name);
	for (i = sizeof RIGHT - 1; variable[i]; i++) {
		if (variable[i] >= 'a' && variable[i] <= 'z')
			variable[i] = (char)(variable[i] - 0x20);
		else if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", variable[i]))
			variable[i] = '_';
	}
	value = getenv(variable);
	return value && *value ? value : NULL;
}

static void put_row(struct run *r, const struct probe *p)
{
	lh_buf_printf(&r->summary, "| %s | %zu | %llu | %llu | %llu | [%s.md](%s.md) |\n", p->name, p->n, (unsigned long long)p->passed,
		      (unsigned long long)p->failed, (unsigned long long)p->skipped, p->name, p->name);
	r->passed += p->passed;
	r->failed += p->failed;
	r->skipped += p->skipped;
	r->probes++;
	r->absent |= p->absent;
}

static int run_one(struct run *r, struct probe *p)
{
	struct lh_tool *tool = r->tool;
	size_t n = strlen(r->out) + strlen(p->name) + sizeof "/.md";
	char *path = lh_calloc(n, 1, &tool->err);
	int rc = path ? 0 : -1;

	if (!rc) {
		snprintf(path, n, "%s/%s.md", r->out, p->name);
		rc = probe_one(tool, p, path);
	}
	free(path);
	put_row(r, p);
	return rc;
}

/* Keep the lines: their probes run after all have been read. */
static int on_line(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	struct run *r = ctx;

	lh_buf_add(&r->lines, o->text, o->n);
	lh_buf_putc(&r->lines, '\n');
	return lh_buf_check(&r->lines, err);
}

static int as_it_is(struct lh_record *rec, struct lh_buf *out, void *ctx, struct lh_err *err)
{
	(void)ctx;
	(void)err;
	lh_buf_add(out, rec->line, rec->len);
	return 0;
}

static int each_probe(struct run *r)
{
	const char *at = r->lines.p, *lf, *end = at + r->lines.len;
	struct lh_err *err = &r->tool->err;
	struct lh_record rec;
	int rc = 0;

	lh_record_init(&rec);
	for (; !rc && at < end; at = lf + 1) {
		struct described d = { .name = NULL };

		lf = memchr(at, '\n', (size_t)(end - at));
		rc = lh_record_parse(&rec, at, (size_t)(lf - at), err);
		if (!rc)
			rc = describe(r, &rec, &d, err);
		if (rc < 0 && err->code == LH_EDATA) {
			lh_err_prefix(err, "%s: probe %llu", r->list, (unsigned long long)r->probes + 1);
			err->code = LH_EIO;
		}
		if (!rc && (!r->only || strcmp(r->only, d.name) == 0))
			rc = run_one(r, &d.probe);
		described_free(&d);
	}
	lh_record_free(&rec);
	return rc;
}

/* Set LH_PARITY_DIR, with which commands find their files, and put these tools
 * first in PATH. */
static int set_environment(struct run *r)
{
	const char *path = getenv("PATH");
	char self[PATH_MAX], *both, *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	int rc;

	if (setenv("LH_PARITY_DIR", r->folder, 1) < 0)
		return lh_err_nomem(&r->tool->err);
	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return 0;
	*slash = '\0';
	path = path ? path : "/usr/bin:/bin";
	both = lh_calloc(strlen(self) + strlen(path) + 2, 1, &r->tool->err);
	if (!both)
		return -1;
	snprintf(both, strlen(self) + strlen(path) + 2, "%s:%s", self, path);
	rc = setenv("PATH", both, 1);
	free(both);
	return rc < 0 ? lh_err_nomem(&r->tool->err) : 0;
}

/* Find the given folder, else that of an installed tool, else of its source tree. */
static int find_folder(struct run *r, const char *folder)
{
	static const char *const near[] = { "../share/lakehouse-tools/parity", "../tests/parity" };
	char self[PATH_MAX], path[2 * PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	size_t i;

	if (folder)
		return realpath(folder, r->folder) ? 0 : lh_err_sys(&r->tool->err, "%s", folder);
	self[n > 0 ? n : 0] = '\0';
	for (i = 0; i < 2 && n > 0; i++) {
		snprintf(path, sizeof path, "%.*s/%s", (int)(strrchr(self, '/') - self), self, near[i]);
		if (realpath(path, r->folder))
			return 0;
	}
	return lh_err_set(&r->tool->err, LH_EIO, "no folder of probes near the program: name one with --probes");
}

static int make_out(struct run *r)
{
	struct lh_err *err = &r->tool->err;
	bool absolute = *r->out == '/';
	size_t n = strlen(r->out) + 2;
	struct lh_root *root = lh_root_open(absolute ? "/" : ".", err);
	char *inside = root ? lh_calloc(n, 1, err) : NULL;
	int rc = -1;

	if (inside) {
		snprintf(inside, n, "%s/", r->out + absolute);
		rc = lh_root_folders(root, inside, err);
	}
	free(inside);
	lh_root_close(root);
	return rc;
}

static int summary(struct run *r)
{
	size_t n = strlen(r->out) + sizeof "/SUMMARY.md";
	char *path = lh_calloc(n, 1, &r->tool->err), now[32];
	struct lh_buf b;
	int rc;

	if (!path)
		return -1;
	snprintf(path, n, "%s/SUMMARY.md", r->out);
	lh_tool_time(r->tool, now);
	lh_buf_init(&b, LH_BUF_NOMAX);
	lh_buf_printf(&b, "# Parity\n\n**Date:** %s\n\n| Probe | Cases | Match | Diff | Skipped | Report |\n|---|---|---|---|---|---|\n", now);
	lh_buf_add(&b, r->summary.p, r->summary.len);
	lh_buf_printf(&b, "\n**Tally:** %llu/%llu\n", (unsigned long long)r->passed,
		      (unsigned long long)(r->passed + r->failed + r->skipped));
	if (r->summary.failed)
		b.failed = r->summary.failed;
	rc = write_file(path, &b, &r->tool->err);
	lh_buf_free(&b);
	free(path);
	return rc;
}

static int conclude(struct run *r)
{
	uint64_t total = r->passed + r->failed + r->skipped;

	if (!r->probes && r->only)
		return lh_tool_usage(r->tool, "--probe: %s has no probe \"%.200s\"", r->list, r->only);
	if (!r->probes)
		return lh_err_set(&r->tool->err, LH_EIO, "%s: holds no probe", r->list);
	if (r->absent && !r->passed && !r->failed)
		lh_tool_verdict_bad(r->tool);
	if (summary(r) < 0 || print_tally(r->tool, "all", r->passed, r->failed, r->skipped) < 0)
		return -1;
	lh_tool_message(r->tool, "%llu/%llu", (unsigned long long)r->passed, (unsigned long long)total);
	return 0;
}

int probes_run(struct lh_tool *tool, const char *folder, const char *out, const char *only)
{
	struct run r = { .tool = tool, .out = out, .only = only };
	int rc;

	lh_buf_init(&r.lines, LH_BUF_NOMAX);
	lh_buf_init(&r.summary, LH_BUF_NOMAX);
	rc = find_folder(&r, folder);
	snprintf(r.list, sizeof r.list, "%s/" LIST, r.folder);
	if (!rc)
		rc = lh_flow_file(r.list, &(struct lh_flow){ .map = as_it_is, .sink = on_line, .shared = &r }, &tool->err);
	if (!rc)
		rc = set_environment(&r);
	if (!rc)
		rc = make_out(&r);
	if (!rc)
		rc = each_probe(&r);
	if (!rc)
		rc = conclude(&r);
	lh_buf_free(&r.lines);
	lh_buf_free(&r.summary);
	return rc;
}
