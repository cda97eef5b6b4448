/*
 * requests.c - the commands as operations of requests.  See subject.h.
 *
 * A request runs the command of its name with the places of this process, and what that would
 * print is the answer.  Neither places nor files come from a request, and no process has a person's
 * id or texts in its arguments.
 */
#include <stdlib.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/num.h"

#include "base/mem.h"
#include "base/signal.h"
#include "file/file.h"
#include "subject.h"
#include "text/texts.h"

#define ANSWER_MAX ((size_t)64 << 20)	/* bytes of what a command prints, of an export */

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

int run_for(struct lh_tool *tool, struct settings *s, lh_op_command *command,
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
	if (s->out && access(s->out, F_OK) == 0 && add_files(&w, s->out, err) < 0)
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
