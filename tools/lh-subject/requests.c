/*
 * requests.c - the commands as operations of requests.  See subject.h.
 *
 * Each request is answered by a process of its own, lh-subject with the places of this one: its
 * memory is given back, and what it prints is the answer.  Neither places nor files come from a
 * request; the person's id and texts are written to its stdin, not to its arguments.
 */
#include <stdlib.h>
#include <unistd.h>

#include <lh/digest.h>
#include <lh/num.h>

#include "base/mem.h"
#include "file/file.h"
#include "proc/coproc.h"
#include "proc/run.h"
#include "subject.h"
#include "text/texts.h"

#define ANSWER_MAX ((size_t)64 << 20)	/* bytes of what a command prints, of an export */
#define SECONDS 900.0

#define FLAG(name, f) { LH_BIND_BOOL(name, struct request, f) }
#define PERSON \
	{ LH_BIND_STRING("op", struct request, op) }, \
	{ LH_BIND_STRING("id", struct request, id), .required = true, .filled = true, \
	  .longest = LH_TEXT_MAX, .person = true, .about = "the id of the person" }, \
	{ LH_BIND_STRINGS("also", struct request, also, n_also), .each_filled = true, \
	  .as_written = LH_BIND_FIELD(struct request, also_json), \
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
	struct lh_writer json = lh_write_to(&in);
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
	lh_write_object(&json, NULL);
	lh_write_str(&json, "candidate_id", r->id);
	if (r->also_json.p)
		lh_write_value(&json, "also", &r->also_json);
	lh_write_bool(&json, "logged", true);
	lh_write_end(&json);
	lh_buf_putc(&in, '\n');
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
