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

	lh_buf_printf(&l->out, "%s{\"row\":%llu,\"error\":\"%s\",\"line\":%llu}", l->any ? "," : "", (unsigned long long)row,
		      lh_chain_fault_text(fault), (unsigned long long)row + 1);
	l->any = true;
}

void log_error(const struct log *log, const struct lh_chain_verdict *v, char error[LH_CHAIN_ERROR])
{
	lh_chain_error(v, error);
	if (!*error && v->absent && log->has_root)
		memcpy(error, ROOT_MISMATCH, sizeof ROOT_MISMATCH);
}

static void put_verdict(struct lh_buf *b, const char *path, const struct lh_chain_verdict *v, const char *error,
			const struct settings *s, const struct lh_buf *broken)
{
	const char *verified = *error ? "false" : "true";

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
	lh_buf_printf(b, ",\"state\":\"%s\"", lh_chain_state_name(*error && !v->fault ? LH_CHAIN_TAMPERED : v->state));
	if (v->fault && v->fault != LH_CHAIN_ANCHOR)
		lh_buf_printf(b, ",\"line\":%llu", (unsigned long long)v->row + 1);
	if (s->all) {
		lh_buf_puts(b, ",\"broken\":[");
		lh_buf_add(b, broken->p, broken->len);
		lh_buf_putc(b, ']');
	}
	lh_buf_puts(b, "}\n");
}

static int print_verdict(struct lh_tool *tool, const struct settings *s, const char *path, const struct log *log,
			 const struct lh_chain_verdict *v, const struct lh_buf *broken)
{
	char error[LH_CHAIN_ERROR];
	struct lh_buf b;
	int rc;

	log_error(log, v, error);
	if (*error)
		lh_tool_verdict_bad(tool);
	lh_buf_init(&b, LH_BUF_NOMAX);
	put_verdict(&b, path, v, error, s, broken);
	rc = print(tool, &b);
	lh_buf_free(&b);
	return rc;
}

/* Verify a log of the folder (ctx NULL), or one that the user names and that must
 * exist. */
static int verify_one(struct lh_tool *tool, const struct settings *s, const char *path, const struct log *log, void *ctx)
{
	struct listing list = { .any = false };
	struct lh_chain_check c = {
		.keys = &s->keys, .name = log->name, .jobs = (unsigned)tool->jobs, .max_row = tool->max_line, .lock_timeout = tool->lock_timeout,
		.broken = s->all ? on_broken : NULL, .ctx = &list, .anchor = log->anchor,
	};
	struct lh_chain_verdict v;
	int rc;

	lh_buf_init(&list.out, LH_BUF_NOMAX);
	rc = lh_chain_verify(path, &c, &v, &tool->err);
	if (rc == 0)
		rc = lh_buf_check(&list.out, &tool->err);
	if (rc == 0 && ctx && v.absent && !log->anchor)
		rc = lh_err_set(&tool->err, LH_EIO, "%s: no such log", path);
	if (rc == 0)
		rc = print_verdict(tool, s, path, log, &v, &list.out);
	lh_buf_free(&list.out);
	return rc;
}

/* Verify a log anywhere: its name determines its subject, or its first row. */
static int verify_file(struct lh_tool *tool, const struct settings *s, const char *path, const struct anchor *a)
{
	char name[LH_SUBJECT_MAX + 1];
	struct log log = { .name = NULL };
	struct lh_buf id;
	int rc = 0;

	if (lh_subject_of_path(name, path, LH_SUBJECT_LOG)) {
		log.name = name;
		log.anchor = anchor_find(a, name);
	}
	lh_buf_init(&id, LH_BUF_NOMAX);
	if (a->n && !log.anchor)
		rc = lh_chain_subject(path, tool->max_line, tool->lock_timeout, &id, &tool->err);
	if (rc > 0)
		log.anchor = anchor_find_id(a, id.p, id.len, log.name);
	lh_buf_free(&id);
	return rc < 0 ? -1 : verify_one(tool, s, path, &log, tool);
}

int audit_verify(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct anchor a = { NULL, 0, 0 };
	size_t i;
	int rc = 0;

	if (s->against && anchor_read(&a, s->against, tool->n_operands ? NULL : s->dir, &s->keys, &tool->err) < 0)
		return -1;
	if (!tool->n_operands)
		rc = each_log(tool, s, &a, verify_one, NULL);
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
		n = lh_chain_repair(tool->operands[i], tool->lock_timeout, &tool->err);
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
