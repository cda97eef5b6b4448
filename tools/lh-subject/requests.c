/*
 * requests.c - the commands as operations of requests, and an erasure in snapshots.  See subject.h.
 *
 * Each request is answered by a process of its own, lh-subject with the places of this one: its
 * memory is given back, and what it prints is the answer.  Neither places nor files come from a
 * request; the person's id and texts are written to its stdin, not to its arguments.
 */
#include <stdlib.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/num.h"
#include "base/time.h"

#include "base/mem.h"
#include "base/signal.h"
#include "file/file.h"
#include "proc/coproc.h"
#include "proc/run.h"
#include "erase.h"
#include "text/texts.h"

#define ANSWER_MAX ((size_t)64 << 20)	/* bytes of what a command prints, of an export */
#define SECONDS 900.0

#define FLAG(name, f) { LH_BIND_BOOL(name, struct request, f) }
#define PERSON \
	{ LH_BIND_STRING("op", struct request, op) }, \
	{ LH_BIND_STRING("id", struct request, id), .required = true, .filled = true, \
	  .longest = LH_TEXT_MAX, .person = true, .about = "the id of the person" }, \
	{ LH_BIND_STRINGS("also", struct request, also, n_also), .each_filled = true, \
	  .about = "other texts that name the person" }, \
	FLAG("from_roster", from_roster), FLAG("short", brief)
const struct lh_bind find_members[] = { PERSON, LH_BIND_CLOSED };
const struct lh_bind verify_members[] = { PERSON, LH_BIND_CLOSED };
const struct lh_bind export_members[] = {
	PERSON, FLAG("unredacted", unredacted), LH_BIND_CLOSED
};
const struct lh_bind erase_members[] = {
	PERSON, FLAG("apply", apply), FLAG("id_only", id_only), FLAG("text_too", text_too),
	FLAG("with_log", with_log),
	{ LH_BIND_STRING("reason", struct request, reason), .longest = 4096, .no_nul = true },
	LH_BIND_CLOSED
};

const struct lh_bind request_out[] = {
	{ LH_BIND_ONLY("candidate_id", LH_BIND_TO_STRING), .required = true, .person = true },
	LH_OP_COUNT("exit"),
	{ LH_BIND_ONLY("lines", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY),
	  .required = true, .person = true, .about = "what the command printed" },
	{ LH_BIND_ONLY("files", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY), .person = true,
	  .about = "of export: name, and data in base64" },
	LH_BIND_END
};

/* ---- the command ---- */

struct words {
	char **v;
	size_t n, cap;
};

static void add_word(struct words *w, const char *dashes, const char *word)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	lh_buf_printf(&text, "%s%s", dashes, word);
	lh_grow(&w->v, &w->cap, w->n + 2, sizeof *w->v);
	w->v[w->n++] = lh_strndup(text.p, text.len);
	w->v[w->n] = NULL;
}

static void words_free(struct words *w)
{
	while (w->n)
		free(w->v[--w->n]);
	free(w->v);
}

/* Add the options that a command has, with what this process or the request gave them. */
static void add_options(struct words *w, const struct lh_tool *tool, unsigned command,
			const struct settings *s)
{
	const struct lh_option *o;
	size_t i;

	for (o = tool->spec->options; o->name; o++) {
		const void *field = (const char *)s + o->off;
		struct lh_list values = { NULL, 0 };

		if (o->common || (o->verbs && !(o->verbs & command)))
			continue;
		if (o->type == LH_OPT_FLAG && *(const bool *)field)
			add_word(w, "--", o->name);
		else if (o->type == LH_OPT_TEXT && *(const char *const *)field)
			values = (struct lh_list){ (const char **)field, 1 };
		else if (o->type == LH_OPT_TEXTS)
			values = *(const struct lh_list *)field;
		for (i = 0; i < values.n; i++) {
			add_word(w, "--", o->name);
			add_word(w, "", values.v[i]);
		}
	}
	if (tool->now) {
		add_word(w, "--", "now");
		add_word(w, "", tool->now);
	}
}

/* Write a person as a command reads one on its standard input; the row on who looked is written
 * here. */
static void write_person(struct lh_buf *in, struct lh_str id, const struct lh_str *also, size_t n)
{
	struct lh_writer w = lh_write_to(in);
	size_t i;

	lh_write_object(&w, NULL);
	lh_write_str(&w, "candidate_id", id);
	lh_write_array(&w, "also");
	for (i = 0; i < n; i++)
		lh_write_str(&w, NULL, also[i]);
	lh_write_end(&w);
	lh_write_bool(&w, "logged", true);
	lh_write_end(&w);
	lh_buf_putc(in, '\n');
}

/* ---- snapshots ---- */

/* A copy of a snapshot, from which the person is erased as from any state. */
struct copy {
	struct erasure *e;
	const char *dest, *path;
	struct settings s;		/* of the copy alone */
	bool apply;			/* not only a plan is asked for */
	bool again;			/* there was a plan, which has named what stays */
	char time[LH_TIME_LEN + 1];
};

/* Run lh-store with these words, or without any lh-subject erase for the copy. */
static int run_in(struct copy *c, struct lh_child_out *child, const char *const *word)
{
	LH_SCOPED(words_free) struct words w = { .v = NULL };
	LH_SCOPED(lh_buf_free) struct lh_buf in = { 0 };
	struct lh_child_how how = { .keys = LH_KEYS_AUDIT | LH_KEYS_STORE, .max = ANSWER_MAX };
	const int worst = !*word;	/* 1: nothing was found, or something is by hand */

	add_word(&w, "", worst ? "lh-subject" : "lh-store");
	for (; *word; word++)
		add_word(&w, "", *word);
	if (worst) {
		add_word(&w, "", "erase");
		add_options(&w, c->e->tool, V_ERASE, &c->s);
		write_person(&in, c->e->who->id, c->e->who->also, c->e->who->n_also);
	}
	add_word(&w, "", "-q");
	how.argv = w.v;
	if (lh_child_run(&how, in.p, in.len, child, c->e->err) < 0)
		return -1;
	lh_buf_room(&child->out, LH_PAD);
	return child->status <= worst ? 0 : lh_err_set(c->e->err, LH_EIO, "%s: %s", c->dest,
						       child->last_line);
}

#define RUN(c, child, ...) run_in(c, child, (const char *const[]){ __VA_ARGS__, NULL })

/* Put the copy in the place of its snapshot; bytes that no snapshot has any more are removed. */
static int replace_snapshot(struct copy *c)
{
	LH_SCOPED(lh_child_free) struct lh_child_out child = { .status = 0 };

	return RUN(c, &child, "snapshot", "--replace", "--now", c->time, c->path, c->dest);
}

/* What is done with a snapshot: the most of what a plan does with its places. */
enum does { KEEPS, LOOK, BY_HAND, ERASES };
static const char *const does_name[] = { "kept", "look", "by hand", "erase" };

static int read_plan(const struct lh_child_out *plan, enum does *most, struct lh_err *err)
{
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_str rest = { plan->out.p, plan->out.len }, text;
	const struct lh_value *action;
	unsigned i;

	*most = KEEPS;
	while (lh_next_line(&rest, &text)) {
		if (lh_record_parse(&rec, text.p, text.n, err) < 0)
			return -1;
		action = lh_record_get(&rec, "action");
		for (i = KEEPS; action && i < ERASES &&
		     !lh_value_is(action, does_name[i], strlen(does_name[i])); )
			i++;
		*most = i > *most ? i : *most;
	}
	return 0;
}

/* Do with a snapshot what is asked, and print whether it has, or had, the person.  One in which
 * nothing can be erased stays as it is. */
static int do_snapshot(struct copy *c)
{
	LH_SCOPED(lh_child_free) struct lh_child_out restored = { .status = 0 };
	LH_SCOPED(lh_child_free) struct lh_child_out plan = restored, erased = restored;
	static const char *const none[] = { NULL };
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	struct erasure *e = c->e;
	enum does does;

	lh_remove_all(c->path);
	c->s.apply = false;
	if (RUN(c, &restored, "restore", "--as-of", c->time, c->dest, c->path) < 0 ||
	    run_in(c, &plan, none) < 0 || read_plan(&plan, &does, e->err) < 0)
		return -1;
	c->s.apply = c->apply && does == ERASES;
	if (c->s.apply && (run_in(c, &erased, none) < 0 || replace_snapshot(c) < 0))
		return -1;
	if (does == KEEPS)
		return 0;
	if (e->s->apply && (does < ERASES || erased.status))
		lh_tool_verdict_bad(e->tool);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "place", "snapshots");
	lh_write_bytes(&w, "path", c->dest);
	lh_write_text(&w, "snapshot", c->time);
	lh_write_text(&w, "action", does_name[does]);
	lh_write_end(&w);
	if (does == ERASES)
		lh_buf_printf(&e->snapshots, "%s%.*s", e->in_snapshots++ ? "," : "", (int)line.len,
			      line.p);
	/* what is erased is printed once it is done, and what stays once */
	if (does == ERASES ? c->apply == e->s->apply : !c->again)
		return lh_tool_out_line(e->tool, &line);
	lh_buf_free(&line);
	return 0;
}

/* Do so with all snapshots of a place. */
static int each_snapshot(struct copy *c)
{
	LH_SCOPED(lh_child_free) struct lh_child_out child = { .status = 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	const size_t before = c->e->in_snapshots;
	const struct lh_value *time;
	struct lh_str rest, text;
	int rc = RUN(c, &child, "snapshots", "--allow-empty", c->dest);

	*c->time = '\0';
	rest = (struct lh_str){ child.out.p, child.out.len };
	while (!rc && lh_next_line(&rest, &text)) {
		rc = lh_record_parse(&rec, text.p, text.n, c->e->err);
		time = rc ? NULL : lh_record_get(&rec, "snapshot");
		if (!time || time->n != LH_TIME_LEN + 2)
			continue;
		snprintf(c->time, sizeof c->time, "%.*s", LH_TIME_LEN, time->p + 1);
		rc = do_snapshot(c);
	}
	/* a run that was killed may have left bytes that no snapshot has */
	return rc || !*c->time || !c->apply || c->e->in_snapshots > before ? rc
									   : replace_snapshot(c);
}

int erasure_snapshots(struct erasure *e, bool apply)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };
	LH_SCOPED(lh_free_local) char *reason = lh_strndup(e->reason.p, e->reason.n);
	struct lh_tmpdir dir = { NULL, -1 };
	struct settings *s = e->s;
	struct copy c = { .e = e, .apply = apply, .again = e->in_snapshots > 0, .s = {
		.key_file = s->key_file, .insecure_key = s->insecure_key, .id_only = s->id_only,
		.fold = s->fold, .brief = s->brief, .text_too = s->text_too,
		.with_log = s->with_log, .reason = reason } };
	const bool was = lh_signal_deferred();
	struct lh_err later;
	size_t i;
	int rc;

	e->in_snapshots = e->snapshots.len = 0;
	if (!s->snapshots.n)
		return 0;
	lh_signal_defer(true);	/* the copy is removed in any case */
	rc = lh_tmpdir_make(&dir, "lh-subject", e->err);
	lh_buf_printf(&path, "%s/copy%c", dir.path ? dir.path : "", '\0');
	c.s.state = c.path = path.p;
	for (i = 0; !rc && i < s->snapshots.n; i++) {
		c.dest = s->snapshots.v[i];
		rc = each_snapshot(&c);
	}
	rc = lh_tmpdir_remove(&dir, rc ? &later : e->err) < 0 ? -1 : rc;
	lh_signal_defer(was);
	return rc;
}

/* ---- the answer ---- */

static int add_file(struct lh_writer *w, const char *folder, struct lh_str name,
		    struct lh_buf *file, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };

	lh_buf_init(file, ANSWER_MAX);
	lh_buf_printf(&path, "%s/%.*s%c", folder, (int)name.n, name.p, '\0');
	if (lh_file_read(path.p, file, err) < 0 || w->out->len + file->len > ANSWER_MAX)
		return lh_err_data(err, 413, "the export is larger than %zuM; lh-subject export "
				   "writes it to a folder", ANSWER_MAX >> 20);
	lh_write_object(w, NULL);
	lh_write_str(w, "name", name);
	lh_write_key(w, "data");
	lh_buf_putc(w->out, '"');
	lh_buf_base64(w->out, file->p, file->len);
	lh_buf_putc(w->out, '"');
	lh_write_end(w);
	return 0;
}

/* Add the files of an export, which SHA256SUMS names after their hashes. */
static int add_files(struct lh_writer *w, const char *folder, struct lh_err *err)
{
	static const char sums[] = "SHA256SUMS";
	LH_SCOPED(lh_buf_free) struct lh_buf all = { 0 };
	struct lh_str rest, line;
	int rc;

	lh_write_array(w, "files");
	rc = add_file(w, folder, lh_str_of(sums), &all, err);
	rest = (struct lh_str){ all.p, all.len };
	while (!rc && lh_next_line(&rest, &line)) {
		LH_SCOPED(lh_buf_free) struct lh_buf file = { 0 };

		if (line.n > LH_SHA256_HEX + 2)
			rc = add_file(w, folder, (struct lh_str){ line.p + LH_SHA256_HEX + 2,
					line.n - LH_SHA256_HEX - 2 }, &file, err);
	}
	lh_write_end(w);
	return rc;
}

static int write_answer(struct lh_buf *out, const struct request *r,
			const struct lh_child_out *child, const char *folder, struct lh_err *err)
{
	struct lh_writer w = lh_write_to(out);
	struct lh_str rest = { child->out.p, child->out.len }, line;

	lh_write_object(&w, NULL);
	lh_write_str(&w, "candidate_id", r->id);
	lh_write_u64(&w, "exit", (uint64_t)child->status);
	lh_write_array(&w, "lines");
	while (lh_next_line(&rest, &line))
		lh_write_raw(&w, NULL, line);
	lh_write_end(&w);
	if (folder && add_files(&w, folder, err) < 0)
		return -1;
	lh_write_end(&w);
	return 0;
}

static int run_command(const struct lh_call *call, const struct request *r, const char *folder,
		       struct lh_buf *out, struct lh_err *err)
{
	LH_SCOPED(words_free) struct words w = { .v = NULL };
	LH_SCOPED(lh_free_local) char *reason = r->reason.p ? lh_strndup(r->reason.p, r->reason.n)
							   : NULL;
	LH_SCOPED(lh_buf_free) struct lh_buf in = { 0 };
	LH_SCOPED(lh_child_free) struct lh_child_out child = { .status = 0 };
	struct lh_child_how how = { .keys = LH_KEYS_AUDIT | LH_KEYS_STORE, .seconds = SECONDS,
				    .max = ANSWER_MAX };
	struct settings s = *(const struct settings *)call->settings;
	const struct lh_op *op = call->tool->spec->ops;

	s.from_roster = r->from_roster;
	s.brief = r->brief;
	s.apply = r->apply;
	s.id_only = r->id_only;
	s.text_too = r->text_too;
	s.with_log = r->with_log;
	s.unredacted = r->unredacted;
	s.reason = reason;
	s.out = folder;
	while (strcmp(op->name, call->op->name) != 0)
		op++;		/* the command of that name is before it */
	add_word(&w, "", "lh-subject");
	add_word(&w, "", op->name);
	add_word(&w, "", "-q");
	add_options(&w, call->tool, op->bit, &s);
	write_person(&in, r->id, r->also, r->n_also);
	how.argv = w.v;
	if (lh_child_run(&how, in.p, in.len, &child, err) < 0)
		return -1;
	if (child.status > 1 || !child.out.len)		/* it has looked at nothing */
		return lh_err_set(err, LH_EIO, "%s: %s", op->name, child.last_line);
	return write_answer(out, r, &child, folder, err);
}

static int check_texts(const struct request *r, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < r->n_also; i++)
		if (r->also[i].n > LH_TEXT_MAX || (r->also[i].n < LH_TEXT_LEAST && !r->brief))
			return lh_err_data(err, 400, "\"also\" must have texts of %d to %d bytes, "
					   "or with \"short\" shorter ones", LH_TEXT_LEAST,
					   LH_TEXT_MAX);
	return 0;
}

int answer_request(const struct lh_call *call, const void *in, struct lh_buf *out,
		   struct lh_err *err)
{
	const struct request *r = in;
	struct lh_tmpdir dir = { NULL, -1 };
	LH_SCOPED(lh_buf_free) struct lh_buf folder = { 0 };
	struct lh_err later;
	int rc;

	if (check_texts(r, err) < 0)
		return -1;
	if (r->apply && !r->reason.n)
		return lh_err_data(err, 400, "\"apply\" needs \"reason\", for the receipt");
	if (r->id_only && (r->from_roster || r->n_also))
		return lh_err_data(err, 400, "\"id_only\" searches for no texts");
	if (strcmp(call->op->name, "export") != 0)
		return run_command(call, r, NULL, out, err);
	if (lh_tmpdir_make(&dir, "lh-subject", err) < 0)
		return -1;
	lh_buf_printf(&folder, "%s/export%c", dir.path, '\0');
	rc = run_command(call, r, folder.p, out, err);
	if (lh_tmpdir_remove(&dir, rc ? &later : err) < 0)
		rc = -1;
	return rc;
}
