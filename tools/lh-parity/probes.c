/* probes.c - the probes that a folder describes.  See parity.h. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool/records.h"
#include "base/mem.h"
#include "file/file.h"
#include "json/bind.h"
#include "distill/root.h"
#include "parity.h"

#define LIST "probes.jsonl"
#define SUMMARY_MAX ((size_t)64 << 20)	/* bytes of all runs */
#define RIGHT "LH_PARITY_RIGHT_"
#define RECORD_HEAD "# Verified\n\n" \
	"What `lh-parity all --record` found, the newest first: whether the tools answer " \
	"each case of a\nprobe as another program does, by default a second " \
	"implementation from the descriptions alone.\n\n| date | version | probe | against | " \
	"cases | verdict |\n|---|---|---|---|---|---|\n"

/* All probes of one run. */
struct run {
	struct lh_tool *tool;
	const char *out, *only;
	char folder[PATH_MAX], list[PATH_MAX + sizeof LIST];
	struct lh_buf lines, summary, record;
	uint64_t passed, failed, skipped, probes;
	bool absent;
};

/* A description as it is in the folder's list. */
struct line {
	struct lh_str name, fixture, left, right, field;
	int compare;
	const struct lh_str *ignore;
	size_t n_ignore;
	double tolerance, timeout;
	bool per_record;
};

/* A name becomes a file's and a variable's. */
static bool is_name(const struct lh_value *v, struct lh_str s)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t i;

	(void)v;
	for (i = 0; i < s.n && memchr(good, s.p[i], sizeof good - 1); i++)
		;
	return s.n && s.n <= 64 && i == s.n;
}

static const char *const compares[] = { "exact", "json", "cosine", NULL };

static const struct lh_bind members[] = {
	{ LH_BIND_STRING("probe", struct line, name), .required = true, .is = is_name,
	  .what = "name of 1 to 64 of a-z, A-Z, 0-9, _ and -" },
	{ LH_BIND_STRING("fixture", struct line, fixture), .required = true, .no_nul = true },
	{ LH_BIND_STRING("left", struct line, left), .required = true, .no_nul = true },
	{ LH_BIND_STRING("right", struct line, right), .required = true, .no_nul = true },
	{ LH_BIND_STRING("field", struct line, field), .not_null = true, .no_nul = true },
	{ LH_BIND_INDEX("compare", struct line, compare, compares), .not_null = true },
	{ LH_BIND_STRINGS("ignore", struct line, ignore, n_ignore), .not_null = true },
	{ LH_BIND_F64("tolerance", struct line, tolerance, 0, 2), .not_null = true },
	{ LH_BIND_F64("timeout", struct line, timeout, 0.001, 86400), .not_null = true },
	{ LH_BIND_BOOL("per_record", struct line, per_record), .not_null = true },
	LH_BIND_END
};

/* A probe, and the memory of its texts. */
struct described {
	struct probe probe;
	char *name, *path, *command[2], *field;
	char **ignore;
	size_t n_ignore;
};

static void copy(struct lh_str s, char **to)
{
	*to = lh_strndup(s.p, s.n);
}

static int copy_ignored(struct described *d, const struct line *l, struct lh_err *err)
{
	d->ignore = lh_calloc(l->n_ignore + 1, sizeof *d->ignore);
	for (; d->n_ignore < l->n_ignore; d->n_ignore++) {
		struct lh_str s = l->ignore[d->n_ignore];

		if (memchr(s.p, '\0', s.n))
			return lh_err_set(err, LH_EDATA, "ignore[%zu] must not hold NUL",
					  d->n_ignore);
		copy(s, &d->ignore[d->n_ignore]);
	}
	return 0;
}

static int copy_texts(const struct run *r, struct described *d, const struct line *l,
		      struct lh_err *err)
{
	bool absolute = l->fixture.n && *l->fixture.p == '/';
	size_t n = strlen(r->folder) + l->fixture.n + 2;

	copy(l->name, &d->name);
	copy(l->left, &d->command[0]);
	copy(l->right, &d->command[1]);
	if (l->field.p)
		copy(l->field, &d->field);
	if (copy_ignored(d, l, err) < 0)
		return -1;
	d->path = lh_calloc(n, 1);
	snprintf(d->path, n, "%s%s%.*s", absolute ? "" : r->folder, absolute ? "" : "/",
		 (int)l->fixture.n, l->fixture.p);
	return 0;
}

static int describe(const struct run *r, const struct lh_record *rec, struct described *d,
		    struct lh_err *err)
{
	struct line l = { .compare = COMPARE_JSON, .tolerance = TOLERANCE, .timeout = TIMEOUT };
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc = lh_bind(members, rec, &l, &text, err);

	if (!rc)
		rc = copy_texts(r, d, &l, err);
	if (rc < 0)
		return -1;
	d->probe = (struct probe){ .name = d->name,
				   .fixture = d->path,
				   .compare = l.compare,
				   .command = { d->command[0],
						probe_right(d->name) ? probe_right(d->name)
								     : d->command[1] },
				   .ignore = { (const char **)d->ignore, d->n_ignore },
				   .tolerance = l.tolerance,
				   .timeout = l.timeout,
				   .field = LH_PATH(d->field),
				   .per_record = d->field || l.per_record };
	return 0;
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

#define RECORD "doc/verified.md"

static const struct lh_made made_record = {
	"a record of lh-parity", { "# Verified\n\nWhat `lh-parity" }, NULL };

/* Add the row of a probe to the record of all runs. */
static void add_record(struct run *r, const struct probe *p)
{
	const bool whole = p->passed == p->n;
	char now[32];

	lh_tool_time(r->tool, now);
	lh_buf_printf(&r->record, "| %.10s | %s | %s | %s | %zu | %s |\n", now, LH_VERSION, p->name,
		      probe_right(p->name) ? "another program" : "the second implementation", p->n,
		      p->failed ? "differs" : whole ? "equal" : p->passed ? "equal, not all run"
									  : "not run");
}

/* Put the rows of this run before those of earlier ones. */
static int write_record(struct run *r)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 }, earlier = { .max = SUMMARY_MAX };
	const size_t head = sizeof RECORD_HEAD - 1;
	struct lh_err *err = &r->tool->err;

	if (lh_tool_replaces(r->tool, RECORD, &made_record) < 0 ||
	    lh_file_read(RECORD, &earlier, err) < 0 || lh_own_mkdirs("doc", 0777, err) < 0)
		return -1;
	lh_buf_puts(&b, RECORD_HEAD);
	lh_buf_add(&b, r->record.p, r->record.len);
	if (earlier.len > head)
		lh_buf_add(&b, earlier.p + head, earlier.len - head);
	return lh_atomic_put(RECORD, 0666, &b, err);
}

static int run_one(struct run *r, struct probe *p)
{
	struct lh_tool *tool = r->tool;
	size_t n = strlen(r->out) + strlen(p->name) + sizeof "/.md";
	LH_SCOPED(lh_free_local) char *path = lh_calloc(n, 1);
	int rc;

	snprintf(path, n, "%s/%s.md", r->out, p->name);
	rc = probe_one(tool, p, path);
	lh_buf_printf(&r->summary, "| %s | %zu | %llu | %llu | %llu | [%s.md](%s.md) |\n", p->name,
		      p->n, (unsigned long long)p->passed, (unsigned long long)p->failed,
		      (unsigned long long)p->skipped, p->name, p->name);
	add_record(r, p);
	r->passed += p->passed;
	r->failed += p->failed;
	r->skipped += p->skipped;
	r->probes++;
	r->absent |= p->absent;
	return rc;
}

/* Keep the lines: their probes run after all have been read. */
static int on_line(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	struct run *r = ctx;

	(void)err;
	lh_buf_add(&r->lines, o->text, o->n);
	lh_buf_putc(&r->lines, '\n');
	return 0;
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
	struct lh_str rest = { r->lines.p, r->lines.len }, line;
	struct lh_err *err = &r->tool->err;
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	int rc = 0;

	while (!rc && lh_next_line(&rest, &line)) {
		struct described d = { .name = NULL };
		size_t i;

		rc = lh_record_parse(&rec, line.p, line.n, err);
		if (!rc)
			rc = describe(r, &rec, &d, err);
		if (rc < 0 && err->code == LH_EDATA) {
			lh_err_prefix(err, "%s: probe %llu", r->list,
				      (unsigned long long)r->probes + 1);
			err->code = LH_EIO;
		}
		if (!rc && (!r->only || strcmp(r->only, d.name) == 0))
			rc = run_one(r, &d.probe);
		cases_free(&d.probe);
		for (i = 0; i < d.n_ignore; i++)
			free(d.ignore[i]);
		free(d.ignore);
		free(d.name);
		free(d.path);
		free(d.command[0]);
		free(d.command[1]);
		free(d.field);
	}
	return rc;
}

/* Set LH_PARITY_DIR, with which commands find their files, and put these tools
 * first in PATH. */
static int set_environment(struct run *r)
{
	const char *path = getenv("PATH");
	LH_SCOPED(lh_free_local) char *both = NULL;
	char self[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (setenv("LH_PARITY_DIR", r->folder, 1) < 0)
		return lh_err_sys(&r->tool->err, "setenv");
	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return 0;
	*slash = '\0';
	path = path ? path : "/usr/bin:/bin";
	both = lh_calloc(strlen(self) + strlen(path) + 2, 1);
	snprintf(both, strlen(self) + strlen(path) + 2, "%s:%s", self, path);
	return setenv("PATH", both, 1) < 0 ? lh_err_sys(&r->tool->err, "setenv") : 0;
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
		snprintf(path, sizeof path, "%.*s/%s", (int)(strrchr(self, '/') - self), self,
			 near[i]);
		if (realpath(path, r->folder))
			return 0;
	}
	return lh_err_set(&r->tool->err, LH_EIO,
			  "no folder of probes near the program: name one with --probes");
}

static int make_out(struct run *r)
{
	struct lh_err *err = &r->tool->err;
	bool absolute = *r->out == '/';
	size_t n = strlen(r->out) + 2;
	struct lh_root *root = lh_root_open(absolute ? "/" : ".", err);
	LH_SCOPED(lh_free_local) char *inside = lh_calloc(n, 1);
	int rc;

	snprintf(inside, n, "%s/", r->out + absolute);
	rc = root ? lh_root_folders(root, inside, err) : -1;
	lh_root_close(root);
	return rc;
}

/* Append the summary of this run to those of earlier ones, each with its date. */
static int summary(struct run *r)
{
	size_t n = strlen(r->out) + sizeof "/SUMMARY.md";
	LH_SCOPED(lh_free_local) char *path = lh_calloc(n, 1);
	char now[32];
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	int rc;

	snprintf(path, n, "%s/SUMMARY.md", r->out);
	lh_tool_time(r->tool, now);
	lh_buf_init(&b, SUMMARY_MAX);
	rc = lh_tool_replaces(r->tool, path, &made_report);
	if (!rc && lh_file_read(path, &b, &r->tool->err) < 0)
		rc = -1;
	lh_buf_printf(&b,
		      "%s\n**Date:** %s\n\n| Probe | Cases | Match | Diff | Skipped | "
		      "Report |\n|---|---|---|---|---|---|\n",
		      b.len ? "" : "# Parity\n", now);
	lh_buf_add(&b, r->summary.p, r->summary.len);
	lh_buf_printf(&b, "\n**Tally:** %llu/%llu\n", (unsigned long long)r->passed,
		      (unsigned long long)(r->passed + r->failed + r->skipped));
	return rc ? rc : lh_atomic_put(path, 0666, &b, &r->tool->err);
}

static int conclude(struct run *r, bool record)
{
	uint64_t total = r->passed + r->failed + r->skipped;

	if (!r->probes && r->only)
		return lh_tool_usage(r->tool, "--probe: %s has no probe \"%.200s\"", r->list,
				     r->only);
	if (!r->probes)
		return lh_err_set(&r->tool->err, LH_EIO, "%s: no probe in it", r->list);
	if (r->absent && !r->passed && !r->failed)
		lh_tool_verdict_bad(r->tool);
	if (summary(r) < 0 || print_tally(r->tool, "all", r->passed, r->failed, r->skipped) < 0)
		return -1;
	if (record && write_record(r) < 0)
		return -1;
	lh_tool_message(r->tool, "%llu/%llu", (unsigned long long)r->passed,
			(unsigned long long)total);
	return 0;
}

int probes_run(struct lh_tool *tool, const char *folder, const char *out, const char *only,
	       bool record)
{
	struct run r = { .tool = tool, .out = out, .only = only };
	int rc = find_folder(&r, folder);

	snprintf(r.list, sizeof r.list, "%s/" LIST, r.folder);
	if (!rc)
		rc = lh_flow_file(r.list,
				  &(struct lh_flow){
					  .map = as_it_is, .sink = on_line, .shared = &r },
				  &tool->err);
	if (!rc)
		rc = set_environment(&r);
	if (!rc)
		rc = make_out(&r);
	if (!rc)
		rc = each_probe(&r);
	if (!rc)
		rc = conclude(&r, record);
	lh_buf_free(&r.lines);
	lh_buf_free(&r.summary);
	lh_buf_free(&r.record);
	return rc;
}
