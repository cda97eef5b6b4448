/* verify.c - lh-subject-audit verify and repair. */
#include <stdlib.h>

#include "audit.h"

struct listing {
	struct lh_buf out;
	bool any;
};

static void on_broken(void *ctx, uint64_t row, enum lh_chain_fault fault)
{
	struct listing *l = ctx;

	lh_buf_printf(&l->out, "%s{\"row\":%llu,\"error\":\"%s\"}", l->any ? "," : "", (unsigned long long)row,
		      lh_chain_fault_text(fault));
	l->any = true;
}

static void put_verdict(struct lh_buf *b, const char *path, const struct lh_chain_verdict *v, const struct settings *s, const struct lh_buf *broken)
{
	const char *verified = v->fault ? "false" : "true";
	char error[LH_CHAIN_ERROR];

	lh_chain_error(v, error);
	if (s->wire) {
		lh_buf_printf(b, "{\"mode\":\"verify\",\"count\":%llu,\"tip\":\"%s\",\"verified\":%s,\"error\":\"%s\"}\n",
			      (unsigned long long)v->count, v->tip, verified, error);
		return;
	}
	lh_buf_putc(b, '{');
	put_text(b, "file", path);
	lh_buf_printf(b, ",\"count\":%llu,\"tip\":\"%s\",\"verified\":%s,\"error\":", (unsigned long long)v->count, v->tip, verified);
	if (*error)
		lh_buf_printf(b, "\"%s\"", error);
	else
		lh_buf_puts(b, "null");
	lh_buf_printf(b, ",\"state\":\"%s\"", lh_chain_state_name(v->state));
	if (s->all) {
		lh_buf_puts(b, ",\"broken\":[");
		lh_buf_add(b, broken->p, broken->len);
		lh_buf_putc(b, ']');
	}
	lh_buf_puts(b, "}\n");
}

/* path is the log of the subject name, "" when the path does not tell. */
static int verify_one(struct lh_tool *tool, const struct settings *s, const char *path, const char *name, const struct lh_chain_anchor *anchor)
{
	struct listing list = { .any = false };
	struct lh_chain_check c = {
		.keys = &s->keys, .name = *name ? name : NULL, .jobs = (unsigned)tool->jobs, .max_row = tool->max_line,
		.broken = s->all ? on_broken : NULL, .ctx = &list, .anchor = anchor,
	};
	struct lh_chain_verdict v;
	struct lh_buf b;
	int rc;

	lh_buf_init(&list.out, LH_BUF_NOMAX);
	lh_buf_init(&b, LH_BUF_NOMAX);
	rc = lh_chain_verify(path, &c, &v, &tool->err);
	if (rc == 0)
		rc = lh_buf_check(&list.out, &tool->err);
	if (rc == 0) {
		put_verdict(&b, path, &v, s, &list.out);
		rc = print(tool, &b);
	}
	if (rc == 0 && v.fault)
		lh_tool_verdict_bad(tool);
	lh_buf_free(&b);
	lh_buf_free(&list.out);
	return rc;
}

/* The logs that are there, and those that were: both lists are sorted. */
static int verify_dir(struct lh_tool *tool, const struct settings *s, const struct anchor *a)
{
	struct lh_subject_list l;
	size_t i = 0, k = 0;
	int rc = 0;

	if (lh_subject_list(&l, s->dir, LH_SUBJECT_LOG, &tool->err) < 0)
		return -1;
	while (i < l.n || k < a->n) {
		int order = i == l.n ? 1 : k == a->n ? -1 : strcmp(l.name[i], a->log[k].name);
		const char *name = order <= 0 ? l.name[i] : a->log[k].name;
		char *path = lh_subject_path(s->dir, name, LH_SUBJECT_LOG, &tool->err);

		if (!path || verify_one(tool, s, path, name, order >= 0 ? &a->log[k].at : NULL) < 0)
			operand_failed(tool, &rc);
		free(path);
		i += order <= 0;
		k += order >= 0;
	}
	lh_subject_list_free(&l);
	return rc;
}

/* A log may lie anywhere: whose it is its name says, or its first row. */
static int verify_file(struct lh_tool *tool, const struct settings *s, const char *path, const struct anchor *a)
{
	char name[LH_SUBJECT_MAX + 1], by_row[LH_SUBJECT_MAX + 1] = "";
	struct lh_buf id;
	int rc = 0;

	if (lh_subject_of_path(name, path, LH_SUBJECT_LOG))
		return verify_one(tool, s, path, name, anchor_find(a, name));
	lh_buf_init(&id, LH_BUF_NOMAX);
	if (a->n)
		rc = lh_chain_subject(path, tool->max_line, &id, &tool->err);
	if (rc > 0 && lh_subject_name(by_row, id.p, id.len, &tool->err) < 0)
		*by_row = '\0';
	lh_buf_free(&id);
	return rc < 0 ? -1 : verify_one(tool, s, path, "", anchor_find(a, by_row));
}

int audit_verify(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct anchor a = { NULL, 0, 0 };
	size_t i;
	int rc = 0;

	if (s->against && anchor_read(&a, s->against, &s->keys, &tool->err) < 0)
		return -1;
	if (!tool->n_operands)
		rc = verify_dir(tool, s, &a);
	for (i = 0; i < tool->n_operands; i++)
		if (verify_file(tool, s, tool->operands[i], &a) < 0)
			operand_failed(tool, &rc);
	anchor_free(&a);
	return rc;
}

int audit_repair(struct lh_tool *tool, void *settings)
{
	struct lh_buf b;
	int64_t n;
	size_t i;
	int rc = 0;

	(void)settings;
	lh_buf_init(&b, LH_BUF_NOMAX);
	for (i = 0; i < tool->n_operands; i++) {
		n = lh_chain_repair(tool->operands[i], &tool->err);
		if (n >= 0) {
			lh_buf_putc(&b, '{');
			put_text(&b, "file", tool->operands[i]);
			lh_buf_printf(&b, ",\"cut\":%lld}\n", (long long)n);
		}
		if (n < 0 || print(tool, &b) < 0)
			operand_failed(tool, &rc);
	}
	lh_buf_free(&b);
	return rc;
}
