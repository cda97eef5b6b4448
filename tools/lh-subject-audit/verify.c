/* verify.c - lh-subject-audit verify and repair. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit.h"
#include "base/mem.h"
#include "file/file.h"
#include "tlog/log.h"
#include "tlog/note.h"

/* ---- a key that is not the logs' ---- */

#define BLOCK 65536
#define LOGS 1000	/* others that are tried */

static void on_wrong(void *ctx, uint64_t row, enum lh_chain_fault fault)
{
	(void)row, (void)fault;
	++*(uint64_t *)ctx;
}

/* Count the lines in the first bytes of a file; 0 if it cannot be read. */
static uint64_t count_lines(const char *path, uint64_t left)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char block[BLOCK], last = '\n';
	struct lh_err err;
	uint64_t lines = 0;
	ssize_t n = 1, i;

	while (fd >= 0 && left && n > 0) {
		n = lh_read_some(fd, block, left < BLOCK ? (size_t)left : BLOCK, &err);
		for (i = 0; i < n; i++)
			lines += (last = block[i]) == '\n';
		left -= n > 0 ? (uint64_t)n : 0;
	}
	if (fd >= 0)
		close(fd);
	return lines + (last != '\n');
}

void key_look(struct key_check *k, const struct lh_chain_check *how, const char *path,
	      const struct lh_chain_verdict *v)
{
	struct lh_chain_check c = *how;
	struct lh_chain_verdict again;
	struct lh_err err;
	uint64_t broken = 0;

	if (v->absent || !v->bytes || k->good || v->state == LH_CHAIN_UNAUTHENTICATED)
		return;
	k->good = v->count > 0;
	c.broken = on_wrong;
	c.ctx = &broken;
	/* it was read before: if that fails, the first verdict stands */
	if (k->good || lh_chain_verify(path, &c, &again, &err) < 0)
		return;
	k->good = broken < count_lines(path, again.bytes);
	k->suspect = v->fault == LH_CHAIN_MAC || k->suspect;
}

int key_settle(struct key_check *k, struct lh_tool *tool, const struct settings *s,
	       const struct lh_chain_check *how, const char *path,
	       const struct lh_chain_verdict *v)
{
	key_look(k, how, path, v);
	if (!key_is_wrong(k) || k->tried)
		return 0;
	k->tried = true;
	return key_try_others(k, tool, s);
}

bool key_is_wrong(const struct key_check *k)
{
	return k->suspect && !k->good;
}

int key_error(struct lh_err *err)
{
	return lh_err_set(err, LH_EIO, WRONG_KEY);
}

int key_try_others(struct key_check *k, struct lh_tool *tool, const struct settings *s)
{
	struct lh_chain_check c = check_of(tool, s, NULL, NULL);
	LH_SCOPED(lh_subject_list_free) struct lh_subject_list there;
	struct lh_chain_verdict v;
	struct lh_err ignored;
	char *path;
	size_t i;
	int rc = lh_subject_list(&there, s->dir, LH_SUBJECT_LOG, &tool->err);

	c.jobs = 1;
	for (i = 0; !rc && !k->good && i < there.n && i < LOGS; i++) {
		c.name = there.name[i];
		path = lh_subject_path(s->dir, there.name[i], LH_SUBJECT_LOG);
		if (lh_chain_verify(path, &c, &v, &ignored) == 0)
			key_look(k, &c, path, &v);
		free(path);
	}
	return rc;
}

/* ---- a log against the checkpoint of an anchor ---- */

/* Return whether the tree is one that an older checkpoint can have grown to: its tiles give the
 * roots of both. */
static int has_grown(struct lh_tlog *tree, const struct lh_checkpoint *old, struct lh_err *err)
{
	const struct lh_tlog_head *head = lh_tlog_head(tree);
	struct lh_tlog_nodes nodes = lh_tlog_nodes(tree);
	uint8_t root[LH_TLOG_HASH];

	if (lh_str_cmp(old->origin, head->origin) != 0 || old->size > head->size)
		return 0;
	if (lh_tlog_root(&nodes, old->size, root, err) < 0)
		return -1;
	if (memcmp(root, old->root, sizeof root) != 0)
		return 0;
	if (lh_tlog_root(&nodes, head->size, root, err) < 0)
		return -1;
	return memcmp(root, head->root, sizeof root) == 0;
}

static int compare(struct lh_tool *tool, const struct settings *s, const struct lh_checkpoint *old)
{
	struct lh_tlog *tree = lh_tlog_open(s->tlog, &tool->err);
	int grown = tree ? has_grown(tree, old, &tool->err) : -1;

	if (grown > 0)
		lh_tool_message(tool, "%s: its tree of %s has grown from the anchor's, of %llu",
				s->tlog, LH_N(lh_tlog_head(tree)->size, "entry|entries"),
				(unsigned long long)old->size);
	if (!grown) {
		lh_tool_warn(tool, "%s: its tree of %s has not grown from the anchor's, of %llu "
			     "in the log %.*s", s->tlog,
			     LH_N(lh_tlog_head(tree)->size, "entry|entries"),
			     (unsigned long long)old->size, (int)old->origin.n, old->origin.p);
		lh_tool_verdict_bad(tool);
	}
	lh_tlog_close(tree);
	return grown < 0 ? -1 : 0;
}

/* Check that the tree of --tlog has grown from the checkpoint of an anchor: report it. */
static int tree_check(struct lh_tool *tool, const struct settings *s, const char *checkpoint)
{
	LH_SCOPED(lh_note_free) struct lh_note note = { .n = 0 };
	struct lh_checkpoint old;
	int rc;

	if (!checkpoint && !s->tlog)
		return 0;
	if (!checkpoint)
		return lh_err_set(&tool->err, LH_EIO, "%s: it has no checkpoint for --tlog",
				  s->against);
	if (!s->tlog)
		return lh_tool_usage(tool, "%s has a checkpoint: name its log by --tlog",
				     s->against);
	rc = lh_note_parse(&note, lh_str_of(checkpoint), &tool->err);
	if (!rc)
		rc = lh_checkpoint_parse(&old, note.body, &tool->err);
	if (rc < 0)
		return lh_err_prefix(&tool->err, "%s", s->against);
	return compare(tool, s, &old);
}

/* ---- verify and repair ---- */

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

/* Append what to do with a log that is not the one of its anchor. */
static void put_remedy(struct lh_buf *b, const struct log *log, const struct lh_chain_verdict *v)
{
	unsigned long long was = log->anchor ? log->anchor->count : 0;
	unsigned long long gone = was > v->count ? was - v->count : 0;

	if (gone)
		lh_buf_printf(b, "; %s missing", LH_N(gone, "row is|rows are"));
	else if (!v->absent)
		lh_buf_printf(b, "; row %llu is another", was ? was - 1 : 0);
	lh_buf_puts(b, ": put a copy of the log back; or, if you know why, ");
	if (v->torn)
		lh_buf_puts(b, "repair its last line, which is torn, and ");
	lh_buf_puts(b, "accept it: lh-subject-audit anchor --against ANCHOR --accept REASON");
}

/* Return what more is known of a line that is no JSON object. */
static const char *hint(enum lh_chain_fault fault)
{
	return fault == LH_CHAIN_BLANK ? ": a blank line, which no append writes"
		: fault == LH_CHAIN_MARK ? ": a byte order mark, which an editor writes and no "
					   "append; without its 3 bytes the row may be right"
		: "";
}

/* Append a sentence on what is wrong with a log, and what to do. */
static void put_words(struct lh_buf *b, const char *path, const struct log *log,
		      const struct lh_chain_verdict *v, const char *error)
{
	unsigned long long rows = v->count;

	lh_buf_printf(b, "%s: ", path);
	if (v->state == LH_CHAIN_TORN)
		lh_buf_printf(b, "torn: its last line is incomplete (%s); lh-subject-audit repair "
			      "removes it and keeps the %s before", error, LH_N(rows, "row"));
	else if (v->state == LH_CHAIN_EMPTY)
		lh_buf_printf(b, "empty: its rows were removed, or none was ever written (%s); "
			      "verify --allow-empty if that is right", error);
	else if (v->absent)
		lh_buf_printf(b, "removed: it is not there (%s)", error);
	else if (v->fault == LH_CHAIN_ANCHOR)
		lh_buf_printf(b, "cut or replaced: it has %s, and should have the %llu of the "
			      "anchor (%s)", LH_N(rows, "row"),
			      log->anchor ? (unsigned long long)log->anchor->count : 0, error);
	else
		lh_buf_printf(b, "%s after %s (%s%s)", lh_chain_state_name(v->state),
			      LH_N(rows, "good row"), error, hint(v->fault));
	if (v->fault == LH_CHAIN_ANCHOR)
		put_remedy(b, log, v);
	lh_buf_putc(b, '\0');
}

/* Say the sentences on standard error, and empty the buffer. */
static void say(struct lh_tool *tool, struct lh_buf *b)
{
	const char *p = b->p;

	for (; p && p < b->p + b->len; p += strlen(p) + 1)
		lh_tool_message(tool, "%s", p);
	lh_buf_reset(b);
}

void log_say(struct lh_tool *tool, const char *path, const struct log *log,
	     const struct lh_chain_verdict *v, const char *error)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

	put_words(&b, path, log, v, error);
	say(tool, &b);
}

/* As other programs print it, which know no torn line, and take a log without rows for whole. */
static void write_wire(struct lh_writer *w, const struct lh_chain_verdict *v, const char *error)
{
	struct lh_chain_verdict theirs = *v;
	char text[LH_CHAIN_ERROR];

	if (v->fault == LH_CHAIN_CUT) {
		theirs.fault = LH_CHAIN_JSON;
		lh_chain_error(&theirs, text);
		error = text;
	}
	if (v->fault == LH_CHAIN_NO_ROWS)
		error = "";
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
	if (v->fault && v->fault != LH_CHAIN_ANCHOR && v->fault != LH_CHAIN_NO_ROWS)
		lh_write_u64(w, "line", v->row + 1);
	if (broken)
		lh_write_raw(w, "broken", (struct lh_str){ broken->p, broken->len });
}

#define HELD ((size_t)64 << 20)	/* bytes of verdicts that wait for the first good row */

/* What all logs come to. */
struct totals {
	struct key_check key;
	struct lh_buf held, said;	/* verdicts and words, while no row has verified */
	bool named;		/* the logs are named by the user and must exist */
	uint64_t logs, rows, of[LH_CHAIN_STATES];
};

/* Print the verdicts that are held, and these. */
static int release(struct lh_tool *tool, struct totals *t, struct lh_buf *b)
{
	lh_buf_add(&t->held, b->p, b->len);
	if (key_is_wrong(&t->key) && t->held.len < HELD)
		return 0;
	say(tool, &t->said);
	return print(tool, &t->held);
}

static int print_verdict(struct lh_tool *tool, const struct settings *s, const char *path,
			 const struct log *log, const struct lh_chain_verdict *v,
			 const struct lh_buf *broken, struct totals *t)
{
	char error[LH_CHAIN_ERROR];
	struct lh_writer w;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

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
	t->logs++;
	t->rows += v->count;
	t->of[*error && !v->fault ? LH_CHAIN_TAMPERED : v->state]++;
	if (*error)
		put_words(&t->said, path, log, v, error);
	return release(tool, t, &b);
}

/* Verify a log; ctx is a struct totals. */
static int verify_one(struct lh_tool *tool, const struct settings *s, const char *path,
		      const struct log *log, void *ctx)
{
	struct listing list;
	struct lh_chain_check c = check_of(tool, s, log->name, log->anchor);
	struct lh_chain_verdict v;
	struct totals *t = ctx;
	int rc;

	c.broken = s->all ? on_broken : NULL;
	c.ctx = &list;
	list.out = (struct lh_buf){ 0 };
	list.w = lh_write_to(&list.out);
	lh_write_array(&list.w, NULL);
	rc = lh_chain_verify(path, &c, &v, &tool->err);
	lh_write_end(&list.w);
	if (rc == 0 && t->named && v.absent && !log->anchor)
		rc = lh_err_set(&tool->err, LH_EIO, "%s: no such log", path);
	if (tool->allow_empty && v.fault == LH_CHAIN_NO_ROWS)
		v.fault = LH_CHAIN_WHOLE;	/* its state is still said */
	if (rc == 0)
		key_look(&t->key, &c, path, &v);
	if (rc == 0)
		rc = print_verdict(tool, s, path, log, &v, &list.out, t);
	lh_buf_free(&list.out);
	return rc;
}

/* Verify a log anywhere: its name determines its subject, or its first row. */
static int verify_file(struct lh_tool *tool, const struct settings *s, const char *path,
		       const struct anchor *a, struct totals *t)
{
	char name[LH_SUBJECT_MAX + 1];
	struct log log = { .name = NULL };
	LH_SCOPED(lh_buf_free) struct lh_buf id = { 0 };
	int rc = 0;

	if (lh_subject_of_path(name, path, LH_SUBJECT_LOG)) {
		log.name = name;
		log.anchor = anchor_find(a, name);
	}
	if (a->n && !log.anchor)
		rc = lh_chain_subject(path, tool->max_line, tool->lock_timeout, &id, &tool->err);
	if (rc > 0)
		log.anchor = anchor_find_id(a, id.p, id.len, log.name);
	return rc < 0 ? -1 : verify_one(tool, s, path, &log, t);
}

/* Say in one line for people what all logs come to. */
static void print_totals(struct lh_tool *tool, const struct settings *s, const struct totals *t)
{
	const uint64_t alone = t->of[LH_CHAIN_INTACT], good = t->of[LH_CHAIN_ANCHORED] + alone;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	int i;

	lh_buf_printf(&b, "%s, %s: ", LH_N(t->logs, "log"), LH_N(t->rows, "row"));
	if (good == t->logs && !alone)
		lh_buf_puts(&b, "all as anchored");
	else if (good == t->logs)
		lh_buf_puts(&b, "all intact");
	else
		lh_buf_printf(&b, "%llu intact", (unsigned long long)good);
	if (alone)
		lh_buf_printf(&b, ", %s not compared with an anchor", alone == t->logs ? "but"
			      : LH_N(alone, "log"));
	for (i = LH_CHAIN_TORN; i < LH_CHAIN_STATES; i++)
		if (t->of[i])
			lh_buf_printf(&b, ", %llu %s", (unsigned long long)t->of[i],
				      lh_chain_state_name((enum lh_chain_state)i));
	lh_buf_putc(&b, '\0');
	if (t->logs)
		lh_tool_message(tool, "%s", b.p);
	if (!t->named)
		lh_tool_verdict_over(tool, t->logs, "logs", s->dir);
}

/* End a verification: of a wrong key nothing is printed but that. */
static int end_totals(struct lh_tool *tool, const struct settings *s, struct totals *t)
{
	int rc = key_is_wrong(&t->key) ? key_error(&tool->err) : 0;

	if (!rc) {
		say(tool, &t->said);
		rc = print(tool, &t->held);
	}
	if (!rc)
		print_totals(tool, s, t);
	lh_buf_free(&t->held);
	lh_buf_free(&t->said);
	return rc;
}

int audit_verify(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	LH_SCOPED(anchor_free) struct anchor a = { .n = 0 };
	struct totals t = { .named = tool->n_operands > 0 };
	size_t i;
	int rc = 0, end;

	if (s->against && anchor_read(&a, s->against, tool->n_operands ? NULL : s->dir, &s->keys,
				      &tool->err) < 0)
		return -1;
	if (s->against && tree_check(tool, s, a.checkpoint) < 0)
		return -1;
	if (!tool->n_operands)
		rc = each_log(tool, s, &a, verify_one, &t, NULL);
	for (i = 0; i < tool->n_operands; i++) {
		LH_SCOPED(lh_free_local) char *log = operand_log(tool, s, tool->operands[i]);

		if (verify_file(tool, s, log, &a, &t) < 0)
			operand_failed(tool, &rc);
	}
	end = end_totals(tool, s, &t);
	return rc ? rc : end;
}

int audit_repair(struct lh_tool *tool, void *settings)
{
	struct lh_writer w;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
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
	return rc;
}
