/* logs.c - the logs of a folder, and those that should be there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "audit.h"
#include "base/mem.h"

struct logs {
	struct log *log;	/* sorted by name, the first n of them */
	size_t n, all, cap;
};

int print(struct lh_tool *tool, struct lh_buf *b)
{
	int rc = lh_tool_out(tool, b->p, b->len);

	lh_buf_reset(b);
	return rc;
}

void operand_failed(struct lh_tool *tool, int *rc)
{
	lh_tool_warn(tool, "%s", tool->err.msg);
	tool->err.msg[0] = '\0';
	*rc = -1;
}

static int by_name(const void *a, const void *b)
{
	const struct log *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void sort(struct logs *l)
{
	if (l->all)
		qsort(l->log, l->all, sizeof *l->log, by_name);
	l->n = l->all;
}

static struct log *find_log(const struct logs *l, const char *name)
{
	struct log key = { .name = (char *)name };

	return l->n ? bsearch(&key, l->log, l->n, sizeof key, by_name) : NULL;
}

static struct log *add_log(struct logs *l, const char *name)
{
	struct log *log;

	lh_grow(&l->log, &l->cap, l->all + 1, sizeof *l->log);
	log = &l->log[l->all];
	*log = (struct log){ .name = lh_strndup(name, strlen(name)) };
	l->all++;
	return log;
}

static int add_present(struct logs *l, const char *dir, struct lh_err *err)
{
	LH_SCOPED(lh_subject_list_free) struct lh_subject_list there;
	size_t i;
	int rc = lh_subject_list(&there, dir, LH_SUBJECT_LOG, err);

	for (i = 0; i < there.n && !rc; i++)
		add_log(l, there.name[i]);
	sort(l);
	return rc;
}

static void add_anchored(struct logs *l, const struct anchor *a)
{
	struct log *log;
	size_t i;

	for (i = 0; i < a->n; i++) {
		log = find_log(l, a->log[i].name);
		if (!log)
			log = add_log(l, a->log[i].name);
		log->anchor = &a->log[i].at;
	}
	sort(l);
}

/* Add the log of a manifest whose root is a row. */
static int add_rooted(struct logs *l, const char *dir, const struct lh_manifest *m,
		      struct lh_err *err)
{
	char name[LH_SUBJECT_MAX + 1];

	if (m->audit_log_chain_root.n < LH_CHAIN_TIP - 1)
		return 0;
	if (lh_chain_log_name(name, dir, m->candidate_id.p, m->candidate_id.n, err) < 0)
		return -1;
	if (find_log(l, name))
		return 0;
	add_log(l, name)->has_root = true;
	return 0;
}

static int add_manifest(struct lh_tool *tool, struct logs *l, const char *dir, const char *name)
{
	char *path = lh_subject_path(dir, name, LH_SUBJECT_MANIFEST);
	struct lh_manifest m;
	int rc = lh_manifest_read(&m, path, &tool->err);

	free(path);
	if (rc)
		return rc < 0 ? -1 : 0;
	rc = add_rooted(l, dir, &m, &tool->err);
	lh_manifest_free(&m);
	return rc;
}

bool is_ours(const struct settings *s, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	return lh_shard_has(&s->shard, name, strlen(name));
}

/* Add the logs of manifests.  Only manifests without a log of their name are read.
 * A file that is not a manifest may have been one: that is a bad verdict. */
static int add_manifests(struct lh_tool *tool, const struct settings *s, struct logs *l,
			 uint64_t *failures)
{
	const char *dir = s->dir;
	LH_SCOPED(lh_subject_list_free) struct lh_subject_list there;
	size_t i;
	int rc = lh_subject_list(&there, dir, LH_SUBJECT_MANIFEST, &tool->err);

	for (i = 0; i < there.n && !rc; i++) {
		char log[LH_SUBJECT_MAX + sizeof LH_SUBJECT_LOG];

		if (find_log(l, there.name[i]) || add_manifest(tool, l, dir, there.name[i]) == 0)
			continue;
		if (tool->err.code == LH_ENOMEM) {
			rc = -1;
			break;
		}
		/* Report it in the shard of the log of its name. */
		snprintf(log, sizeof log, "%s" LH_SUBJECT_LOG, there.name[i]);
		if (!is_ours(s, log))
			continue;
		++*failures;
		lh_tool_warn(tool, "%s", tool->err.msg);
		if (tool->err.code == LH_EDATA)
			lh_tool_verdict_bad(tool);
		else
			lh_tool_failed(tool);
	}
	sort(l);
	return rc;
}

int each_log(struct lh_tool *tool, const struct settings *s, const struct anchor *a, log_fn fn,
	     void *ctx, uint64_t *failures)
{
	struct logs l = { .n = 0 };
	uint64_t here;
	char *path;
	size_t i;
	int failed = 0, rc = add_present(&l, s->dir, &tool->err);

	if (!rc)
		add_anchored(&l, a);
	if (!failures)
		failures = &here;
	*failures = 0;
	if (!rc)
		rc = add_manifests(tool, s, &l, failures);
	for (i = 0; !rc && i < l.n; i++) {
		path = lh_subject_path(s->dir, l.log[i].name, LH_SUBJECT_LOG);
		if (!is_ours(s, path)) {
			free(path);
			continue;
		}
		if (fn(tool, s, path, &l.log[i], ctx) < 0) {
			operand_failed(tool, &failed);
			++*failures;
		}
		free(path);
		lh_tool_share(tool, i + 1, l.n);
	}
	for (i = 0; i < l.all; i++)
		free(l.log[i].name);
	free(l.log);
	return rc ? rc : failed;
}
