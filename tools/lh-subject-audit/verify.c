/* verify.c - lh-subject-audit verify and repair. */
#include <stdlib.h>

#include "audit.h"

struct listing {
	struct lh_buf out;
	struct lh_writer w;
};

static void on_broken(void *ctx, uint64_t row, enum lh_chain_fault fault)
{
	struct listing *l = ctx;

	lh_write_object(&l->w, NULL);
	lh_write_u64(&l->w, "row", row);
	lh_write_text(&l->w, "error", lh_chain_fault_text(fault));
	lh_write_u64(&l->w, "line", row + 1);
	lh_write_end(&l->w);
}

void log_error(const struct log *log, const struct lh_chain_verdict *v, char error[LH_CHAIN_ERROR])
{
	lh_chain_error(v, error);
	if (!*error && v->absent && log->has_root)
		memcpy(error, ROOT_MISMATCH, sizeof ROOT_MISMATCH);
}

/* As other programs print it. */
static void write_wire(struct lh_writer *w, const struct lh_chain_verdict *v, const char *error)
{
	lh_write_text(w, "mode", "verify");
	lh_write_u64(w, "count", v->count);
	lh_write_text(w, "tip", v->tip);
	lh_write_bool(w, "verified", !*error);
	lh_write_text(w, "error", error);
}

static void write_verdict(struct lh_writer *w, const char *path, const struct lh_chain_verdict *v,
			  const char *error, const struct lh_buf *broken)
{
	enum lh_chain_state state = *error && !v->fault ? LH_CHAIN_TAMPERED : v->state;

	lh_write_bytes(w, "file", path);
	lh_write_u64(w, "count", v->count);
	lh_write_text(w, "tip", v->tip);
	lh_write_bool(w, "verified", !*error);
	lh_write_text(w, "error", *error ? error : NULL);
	lh_write_text(w, "state", lh_chain_state_name(state));
	if (v->fault && v->fault != LH_CHAIN_ANCHOR)
		lh_write_u64(w, "line", v->row + 1);
	if (broken)
		lh_write_raw(w, "broken", (struct lh_str){ broken->p, broken->len });
}

static int print_verdict(struct lh_tool *tool, const struct settings *s, const char *path,
			 const struct log *log, const struct lh_chain_verdict *v,
			 const struct lh_buf *broken)
{
	char error[LH_CHAIN_ERROR];
	struct lh_writer w;
	struct lh_buf b = { 0 };
	int rc;

	log_error(log, v, error);
	if (*error)
		lh_tool_verdict_bad(tool);
	w = lh_write_to(&b);
	lh_write_object(&w, NULL);
	if (s->wire)
		write_wire(&w, v, error);
	else
		write_verdict(&w, path, v, error, s->all ? broken : NULL);
	lh_write_end(&w);
	lh_buf_putc(&b, '\n');
	rc = print(tool, &b);
	lh_buf_free(&b);
	return rc;
}

/* Verify a log of the folder (ctx NULL), or one that the user names and that must
 * exist. */
static int verify_one(struct lh_tool *tool, const struct settings *s, const char *path,
		      const struct log *log, void *ctx)
{
	struct listing list;
	struct lh_chain_check c = {
		.keys = &s->keys, .name = log->name, .jobs = (unsigned)tool->jobs,
		.max_row = tool->max_line, .lock_timeout = tool->lock_timeout,
		.broken = s->all ? on_broken : NULL, .ctx = &list, .anchor = log->anchor,
	};
	struct lh_chain_verdict v;
	int rc;

	list.out = (struct lh_buf){ 0 };
	list.w = lh_write_to(&list.out);
	lh_write_array(&list.w, NULL);
	rc = lh_chain_verify(path, &c, &v, &tool->err);
	lh_write_end(&list.w);
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
static int verify_file(struct lh_tool *tool, const struct settings *s, const char *path,
		       const struct anchor *a)
{
	char name[LH_SUBJECT_MAX + 1];
	struct log log = { .name = NULL };
	struct lh_buf id = { 0 };
	int rc = 0;

	if (lh_subject_of_path(name, path, LH_SUBJECT_LOG)) {
		log.name = name;
		log.anchor = anchor_find(a, name);
	}
	if (a->n && !log.anchor)
		rc = lh_chain_subject(path, tool->max_line, tool->lock_timeout, &id, &tool->err);
	if (rc > 0)
		log.anchor = anchor_find_id(a, id.p, id.len, log.name);
	lh_buf_free(&id);
	return rc < 0 ? -1 : verify_one(tool, s, path, &log, tool);
}

int audit_verify(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct anchor a = { NULL, 0, 0 };
	size_t i;
	int rc = 0;

	if (lh_tool_shard(tool, &s->shard) < 0)
		return -1;
	if (s->against && anchor_read(&a, s->against, tool->n_operands ? NULL : s->dir, &s->keys,
				      &tool->err) < 0)
		return -1;
	if (!tool->n_operands)
		rc = each_log(tool, s, &a, verify_one, NULL, NULL);
	for (i = 0; i < tool->n_operands; i++)
		if (is_ours(s, tool->operands[i]) &&
		    verify_file(tool, s, tool->operands[i], &a) < 0)
			operand_failed(tool, &rc);
	anchor_free(&a);
	return rc;
}

int audit_repair(struct lh_tool *tool, void *settings)
{
	struct lh_writer w;
	struct lh_buf b = { 0 };
	int64_t n;
	size_t i;
	int rc = 0;

	(void)settings;
	for (i = 0; i < tool->n_operands; i++) {
		n = lh_chain_repair(tool->operands[i], tool->lock_timeout, &tool->err);
		if (n >= 0) {
			w = lh_write_to(&b);
			lh_write_object(&w, NULL);
			lh_write_bytes(&w, "file", tool->operands[i]);
			lh_write_u64(&w, "cut", (uint64_t)n);
			lh_write_end(&w);
			lh_buf_putc(&b, '\n');
		}
		if (n < 0 || print(tool, &b) < 0)
			operand_failed(tool, &rc);
	}
	lh_buf_free(&b);
	return rc;
}
