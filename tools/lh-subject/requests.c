/*
 * requests.c - the commands as operations of requests, and an erasure in snapshots.  See subject.h.
 *
 * A request runs the command of its name with the places of this process, and what that would
 * print is the answer; a copy of a snapshot is a state from which the same command erases.  Neither
 * places nor files come from a request, and no process has a person's id or texts in its arguments.
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

#define FLAG(name, f) { LH_BIND_BOOL(name, struct request, want.f) }
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

/* Run lh-store with these words. */
static int run_store(struct copy *c, struct lh_child_out *child, const char *const *argv)
{
	struct lh_child_how how = { .argv = (char **)argv, .keys = LH_KEYS_STORE,
				    .max = ANSWER_MAX };

	if (lh_child_run(&how, NULL, 0, child, c->e->err) < 0)
		return -1;
	lh_buf_room(&child->out, LH_PAD);
	return child->status ? lh_err_set(c->e->err, LH_EIO, "%s: %s", c->dest, child->last_line)
			     : 0;
}

#define RUN(c, child, ...) \
	run_store(c, child, (const char *const[]){ "lh-store", __VA_ARGS__, "-q", NULL })

/* Run a command about a person whose log the asker writes, and collect its lines. */
static int run_for(struct lh_tool *tool, struct settings *s, lh_op_command *command,
		   const struct asked *asked, struct lh_buf *lines)
{
	const bool quiet = tool->quiet;
	int rc;

	s->asked = asked;
	s->lines = lines;
	tool->quiet = true;
	rc = command(tool, s);
	tool->quiet = quiet;
	return rc;
}

/* Plan an erasure from the copy, or erase; what it prints is not needed. */
static int erase_in(struct copy *c, bool apply)
{
	LH_SCOPED(lh_buf_free) struct lh_buf lines = { 0 };
	struct erasure *e = c->e;
	const struct asked asked = { e->who->id, e->who->also, e->who->n_also, true };
	int rc;

	c->s.want.apply = apply;
	c->s.status = 0;
	c->s.does = REST_KEPT;
	rc = settings_check(e->tool, &c->s) < 0 ? -1
		: run_for(e->tool, &c->s, subject_erase, &asked, &lines);
	settings_free(e->tool, &c->s, rc);
	c->s.subjects = NULL;
	if (rc < 0) {
		e->err->code = e->err->code == LH_EINTR ? LH_EINTR : LH_EIO;
		lh_err_prefix(e->err, "%s", c->dest);
	}
	return rc;
}

/* Put the copy in the place of its snapshot; bytes that no snapshot has any more are removed. */
static int replace_snapshot(struct copy *c)
{
	LH_SCOPED(lh_child_free) struct lh_child_out child = { .status = 0 };

	return RUN(c, &child, "snapshot", "--replace", "--now", c->time, c->path, c->dest);
}

/* Do with a snapshot what is asked, and print whether it has, or had, the person.  One in which
 * nothing can be erased stays as it is. */
static int do_snapshot(struct copy *c)
{
	LH_SCOPED(lh_child_free) struct lh_child_out restored = { .status = 0 };
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	struct erasure *e = c->e;
	enum rest does;

	lh_remove_all(c->path);
	if (RUN(c, &restored, "restore", "--as-of", c->time, c->dest, c->path) < 0 ||
	    erase_in(c, false) < 0)
		return -1;
	does = c->s.does;
	c->s.status = 0;
	if (c->apply && does == REST_LEFT && (erase_in(c, true) < 0 || replace_snapshot(c) < 0))
		return -1;
	if (does == REST_KEPT)
		return 0;
	if (e->s->want.apply && (does < REST_LEFT || c->s.status))
		set_status(e->tool, e->s, 1);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "place", "snapshots");
	lh_write_bytes(&w, "path", c->dest);
	lh_write_text(&w, "snapshot", c->time);
	lh_write_text(&w, "action", rest_name[does]);
	lh_write_end(&w);
	if (does == REST_LEFT)
		lh_buf_printf(&e->snapshots, "%s%.*s", e->in_snapshots++ ? "," : "", (int)line.len,
			      line.p);
	/* what is erased is printed once it is done, and what stays once */
	if (does == REST_LEFT ? c->apply == e->s->want.apply : !c->again)
		return print_line(e->tool, e->s, &line);
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
	LH_SCOPED(lh_free_local) char *path = NULL;
	LH_SCOPED(lh_free_local) char *reason = lh_strndup(e->reason.p, e->reason.n);
	struct lh_tmpdir dir = { NULL, -1 };
	struct settings *s = e->s;
	struct copy c = { .e = e, .apply = apply, .again = e->in_snapshots > 0, .s = {
		.key_file = s->key_file, .insecure_key = s->insecure_key, .fold = s->fold,
		.want = s->want, .reason = reason } };
	const bool was = lh_signal_deferred();
	struct lh_err later;
	size_t i;
	int rc;

	e->in_snapshots = e->snapshots.len = 0;
	if (!s->snapshots.n)
		return 0;
	lh_signal_defer(true);	/* the copy is removed in any case */
	rc = lh_tmpdir_make(&dir, "lh-subject", e->err);
	path = lh_format("%s/copy", dir.path ? dir.path : "");
	c.s.state = c.path = path;
	c.s.want.from_roster = false;
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
	LH_SCOPED(lh_free_local) char *path = lh_format("%s/%.*s", folder, (int)name.n, name.p);

	lh_buf_init(file, ANSWER_MAX);
	if (lh_file_read(path, file, err) < 0 || w->out->len + file->len > ANSWER_MAX)
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

static int write_answer(struct lh_buf *out, const struct request *r, const struct settings *s,
			struct lh_err *err)
{
	struct lh_writer w = lh_write_to(out);
	struct lh_str rest = { s->lines->p, s->lines->len }, line;

	lh_write_object(&w, NULL);
	lh_write_str(&w, "candidate_id", r->id);
	lh_write_u64(&w, "exit", (uint64_t)s->status);
	lh_write_array(&w, "lines");
	while (lh_next_line(&rest, &line))
		lh_write_raw(&w, NULL, line);
	lh_write_end(&w);
	if (s->out && add_files(&w, s->out, err) < 0)
		return -1;
	lh_write_end(&w);
	return 0;
}

static int run_command(const struct lh_call *call, const struct request *r, const char *folder,
		       struct lh_buf *out, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *reason = r->reason.p ? lh_strndup(r->reason.p, r->reason.n)
							   : NULL;
	LH_SCOPED(lh_buf_free) struct lh_buf lines = { 0 };
	const struct asked asked = { r->id, r->also, r->n_also, true };
	const struct lh_op *op = call->tool->spec->ops;
	struct lh_tool *tool = call->tool;
	struct settings s = *(const struct settings *)call->settings;
	int rc;

	s.want = r->want;
	s.reason = reason;
	s.out = folder;
	while (strcmp(op->name, call->op->name) != 0)
		op++;		/* the command of that name is before it */
	rc = run_for(tool, &s, op->command, &asked, &lines);
	places_free(&s.places);
	if (rc < 0 && tool->err.code == LH_EINTR)
		*err = tool->err;
	else if (rc < 0 || s.status > 1)
		rc = lh_err_set(err, LH_EIO, "%s: %s", op->name, rc < 0 ? tool->err.msg
				: "not everything could be searched");
	tool->err = (struct lh_err){ 0 };
	return rc < 0 ? -1 : write_answer(out, r, &s, err);
}

static int check_texts(const struct request *r, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < r->n_also; i++)
		if (r->also[i].n > LH_TEXT_MAX || (r->also[i].n < LH_TEXT_LEAST && !r->want.brief))
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
	LH_SCOPED(lh_free_local) char *folder = NULL;
	const bool was = lh_signal_deferred();
	struct lh_err later;
	int rc;

	if (check_texts(r, err) < 0)
		return -1;
	if (r->want.apply && !r->reason.n)
		return lh_err_data(err, 400, "\"apply\" needs \"reason\", for the receipt");
	if (r->want.id_only && (r->want.from_roster || r->n_also))
		return lh_err_data(err, 400, "\"id_only\" searches for no texts");
	if (strcmp(call->op->name, "export") != 0)
		return run_command(call, r, NULL, out, err);
	lh_signal_defer(true);	/* the folder is removed in any case */
	rc = lh_tmpdir_make(&dir, "lh-subject", err);
	folder = lh_format("%s/export", dir.path ? dir.path : "");
	if (!rc)
		rc = run_command(call, r, folder, out, err);
	if (lh_tmpdir_remove(&dir, rc ? &later : err) < 0)
		rc = -1;
	lh_signal_defer(was);
	return rc;
}
