/* append.c - lh-tlog init, append and checkpoint, which write a log; keygen, vkey and note. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "base/time.h"
#include "base/mem.h"
#include "crypto/secret.h"
#include "file/file.h"
#include "tlog.h"

/* ---- keygen and vkey ---- */

/* Make a file that must not exist. */
static int make(const char *path, mode_t mode, const void *p, size_t n, struct lh_err *err)
{
	struct lh_atomic file;
	int rc = lh_atomic_open(&file, path, mode, err);

	if (rc == 0)
		rc = lh_atomic_write(&file, p, n, err);
	if (rc == 0)
		rc = lh_atomic_commit_new(&file, err);
	lh_atomic_close(&file);
	return rc > 0 ? lh_err_set(err, LH_EUSAGE, "%s: exists already", path) : rc;
}

static int print_key(struct lh_tool *tool, const struct settings *s, const struct lh_signer *key)
{
	struct lh_secret text;
	int rc;

	lh_signer_text(key, &text);
	rc = s->out ? make(s->out, 0600, text.p, text.n, &tool->err)
	     : lh_tool_out(tool, text.p, text.n);
	lh_secret_wipe(&text);
	if (rc < 0 && s->public)
		unlink(s->public);
	return rc;
}

int tlog_keygen(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	LH_SCOPED(lh_signer_free_local) struct lh_signer *key = NULL;
	LH_SCOPED(lh_buf_free) struct lh_buf public = { 0 };

	if (lh_signer_make(&key, lh_str_of(tool->operands[0]),
			   s->cosigner ? LH_KEY_COSIGNER : LH_KEY_ED25519, &tool->err) < 0 ||
	    lh_vkey_print(lh_signer_vkey(key), &public, &tool->err) < 0)
		return -1;
	lh_buf_putc(&public, '\n');
	if ((s->public && make(s->public, 0644, public.p, public.len, &tool->err) < 0) ||
	    print_key(tool, s, key) < 0)
		return -1;
	return s->public ? 0 : lh_write_all(STDERR_FILENO, public.p, public.len, &tool->err);
}

int tlog_vkey(struct lh_tool *tool, void *settings)
{
	LH_SCOPED(lh_signer_free_local) struct lh_signer *key = NULL;
	LH_SCOPED(lh_buf_free) struct lh_buf public = { 0 };

	(void)settings;
	if (lh_signer_read(&key, tool->operands[0], &tool->err) < 0)
		return -1;
	if (lh_vkey_print(lh_signer_vkey(key), &public, &tool->err) == 0)
		return lh_tool_out_line(tool, &public);
	return -1;
}

/* ---- note ---- */

/* Judge a note by the keys of --vkey: 1 if one has signed it, 0 and why not. */
static int judge(const struct lh_note *note, const struct lh_list *vkey, struct lh_err *why,
		 struct lh_err *err)
{
	struct lh_vkey key;
	bool good = false, bad = false;
	size_t i, j;

	for (i = 0; i < vkey->n && !bad; i++) {
		if (lh_vkey_parse(&key, lh_str_of(vkey->v[i]), err) < 0) {
			err->code = err->code == LH_EDATA ? LH_EUSAGE : err->code;
			return lh_err_prefix(err, "--vkey");
		}
		for (j = 0; j < note->n; j++)
			switch (lh_note_check(note, j, &key, NULL)) {
			case LH_SIGNATURE_BAD:
				bad = true;
				lh_err_set(why, LH_EDATA, "the signature of %s is wrong", key.name);
				break;
			case LH_SIGNATURE_GOOD:
				good = true;
				break;
			case LH_SIGNATURE_UNKNOWN:
				break;
			}
		lh_vkey_free(&key);
	}
	if (!good && !bad)
		lh_err_set(why, LH_EDATA, "no key of --vkey has signed it");
	return good && !bad;
}

int tlog_note(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	const char *file = tool->n_operands ? tool->operands[0] : "-";
	LH_SCOPED(lh_buf_free) struct lh_buf text = { .max = 2 * LH_NOTE_MAX };
	LH_SCOPED(lh_note_free) struct lh_note note = { .n = 0 };
	struct lh_err why;
	int rc;

	if (!s->vkey.n)
		return lh_tool_usage(tool, "note needs --vkey VKEY");
	rc = strcmp(file, "-") == 0 ? lh_read_rest(dup(STDIN_FILENO), "stdin", &text, &tool->err)
				    : lh_file_read(file, &text, &tool->err);
	if (rc == 0)
		return lh_err_set(&tool->err, LH_EIO, "%s: no such file", file);
	if (rc < 0)
		return -1;
	rc = lh_note_parse(&note, (struct lh_str){ text.p, text.len }, &why);
	if (rc < 0 && why.code != LH_EDATA) {
		tool->err = why;
		return -1;
	}
	rc = rc < 0 ? 0 : judge(&note, &s->vkey, &why, &tool->err);
	if (rc > 0)
		return lh_tool_out(tool, note.body.p, note.body.n);
	if (rc == 0) {
		lh_tool_warn(tool, "%s: %s", file, why.msg);
		lh_tool_verdict_bad(tool);
	}
	return rc;
}

/* ---- init, append and checkpoint ---- */

#define BATCH_BYTES ((size_t)16 << 20)	/* of entries, and of output, that wait for a checkpoint */

const struct lh_bind append_out[] = {
	LH_OP_OBJECT("tlog"),
	LH_BIND_END
};

static struct lh_tlog *open_writer(const struct lh_tool *tool, const struct settings *s,
				   struct lh_err *err)
{
	return lh_tlog_open_writer(tool->operands[0], s->signer, s->n_signers,
				   tool->lock_timeout, err);
}

int tlog_init(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;

	return lh_tlog_init(tool->operands[0], s->origin, !s->no_entries, s->signer,
			    s->n_signers, &tool->err);
}

int tlog_checkpoint(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct lh_tlog *log = open_writer(tool, s, &tool->err);
	int rc = log ? lh_tlog_sign(log, s->recover, &tool->err) : -1;

	lh_tlog_close(log);
	return rc;
}

/* ---- append ---- */

/* An entry whose record is printed and kept back: where its index belongs. */
struct entry {
	size_t printed;		/* bytes before that place */
	size_t end;		/* of the entry, in entries */
};

struct append {
	struct lh_tool *tool;
	const struct settings *s;
	struct lh_tlog *log;
	struct lh_path path;
	struct lh_buf strings, bytes;	/* of one record */
	struct lh_buf entries, text;
	struct entry *entry;
	size_t n, cap;
	double last;			/* when the last checkpoint was made */
};

/* Set *entry to what is appended of a record. */
static int read_entry(struct append *a, struct lh_record *rec, struct lh_str *entry,
		      struct lh_err *err)
{
	struct lh_value value;
	long n;
	char *to;

	lh_buf_reset(&a->strings);
	if (a->s->line) {
		*entry = (struct lh_str){ rec->line, rec->len };
		rec->line = memchr(entry->p, '{', entry->n);
		rec->len = (size_t)((const char *)memrchr(entry->p, '}', entry->n) + 1 - rec->line);
		return 0;
	}
	if (lh_path_string(&a->path, rec, &value, err) < 0)
		return -1;
	lh_value_str(&value, &a->strings, entry);
	if (a->s->field)
		return 0;
	lh_buf_reset(&a->bytes);
	to = lh_buf_room(&a->bytes, entry->n + 1);
	n = lh_base64_read(entry->p, entry->n, to);
	if (n < 0)
		return lh_err_set(err, LH_EDATA, "\"%s\" is not base64", a->path.text);
	*entry = (struct lh_str){ to, (size_t)n };
	return 0;
}

/* Append the entry, and the record up to its index. */
static int on_record(struct lh_record *rec, void *result, struct lh_buf *out, void *arg,
		     struct lh_err *err)
{
	struct append *a = arg;
	struct lh_str entry;
	struct lh_writer w;

	if (read_entry(a, rec, &entry, err) < 0)
		return -1;
	if (lh_tlog_has_entries(a->log) && entry.n > LH_TLOG_ENTRY_MAX)
		return lh_err_data(err, 413, "an entry must be at most %d bytes, not %zu",
				   LH_TLOG_ENTRY_MAX, entry.n);
	*(size_t *)result = entry.n;
	lh_buf_add(out, entry.p, entry.n);
	w = lh_write_record(out, rec, (const char *[]){ "tlog" }, 1);
	lh_write_key(&w, "tlog");
	return 1;
}

/* Take a record, and print it as far as it is known. */
static int keep_record(const struct lh_output *o, void *arg, struct lh_err *err)
{
	struct append *a = arg;
	const size_t n = *(const size_t *)o->result;
	const bool due = a->s->seconds > 0 && a->n &&
			 lh_time_monotonic() - a->last >= a->s->seconds;

	(void)err;
	if ((due || lh_tool_held(a->tool) + a->entries.len > BATCH_BYTES) &&
	    lh_tool_flush(a->tool) < 0)
		return -1;
	lh_grow(&a->entry, &a->cap, a->n + 1, sizeof *a->entry);
	lh_buf_add(&a->entries, o->text, n);
	if (lh_tool_out(a->tool, o->text + n, o->n - n) < 0)
		return -1;
	a->entry[a->n++] = (struct entry){ lh_tool_held(a->tool), a->entries.len };
	return lh_tool_out(a->tool, "\n", 1);
}

/* Return for how many milliseconds more a checkpoint waits. */
static int hold(void *arg)
{
	const struct append *a = arg;
	const double rest = a->s->seconds - (lh_time_monotonic() - a->last);

	return a->n && a->s->seconds > 0 && rest > 0 ? (int)(rest * 1000) + 1 : 0;
}

/* Append the entries to the log, and put their indexes where they belong in the text. */
static int add_entries(struct append *a, const struct lh_buf *text, struct lh_err *err)
{
	size_t i, from = 0, printed = 0;
	uint8_t leaf[LH_TLOG_HASH];
	uint64_t index;

	lh_buf_reset(&a->text);
	for (i = 0; i < a->n; i++) {
		const struct entry *e = &a->entry[i];
		struct lh_writer w = lh_write_to(&a->text);

		if (lh_tlog_add(a->log, a->entries.p + from, e->end - from, &index, leaf, err) < 0)
			return -1;
		lh_buf_add(&a->text, text->p + printed, e->printed - printed);
		lh_write_object(&w, NULL);
		lh_write_u64(&w, "index", index);
		lh_buf_puts(&a->text, ",\"leaf_hash\":\"");
		lh_buf_base64(&a->text, leaf, sizeof leaf);
		lh_buf_puts(&a->text, "\"}}");
		from = e->end;
		printed = e->printed;
	}
	lh_buf_add(&a->text, text->p + printed, text->len - printed);
	return 0;
}

/* Append the records that were kept back, and let them be printed once they are in the log. */
static int settle(void *arg, struct lh_buf *text, struct lh_err *err)
{
	struct append *a = arg;
	struct lh_buf swap;
	int rc, ms = hold(a);

	if (!a->n)
		return 0;
	if (ms)
		nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
	rc = lh_tlog_begin(a->log, err);
	if (rc == 0) {
		rc = add_entries(a, text, err);
		if (rc == 0)
			rc = lh_tlog_commit(a->log, err);
		else
			lh_tlog_cancel(a->log);
	}
	a->last = lh_time_monotonic();
	a->n = 0;
	lh_buf_reset(&a->entries);
	swap = *text;
	*text = a->text;
	a->text = swap;
	return rc;
}

static int run(struct append *a)
{
	struct lh_tool *tool = a->tool;
	struct lh_flow flow = {
		.fill = on_record, .result_size = sizeof(size_t), .sink = keep_record,
		.hold = hold, .shared = a, .lines = a->s->line,
		.files = tool->operands + 1, .n_files = tool->n_operands - 1,
	};
	struct lh_err why;
	int rc;

	tool->jobs = 1;
	a->path.text = a->s->field ? a->s->field : a->s->base64;
	if (a->path.text)
		lh_records_want(tool, a->s->field ? "--field" : "--base64", &a->path);
	lh_buf_room(&a->entries, 1);
	lh_tool_hold(tool, settle, a);
	rc = lh_records_run(tool, &flow);
	/* What was read before an error is appended, too. */
	why = tool->err;
	if (lh_tool_flush(tool) == 0)
		tool->err = why;
	else
		rc = -1;
	lh_tool_hold(tool, NULL, NULL);
	return rc;
}

int tlog_append(struct lh_tool *tool, void *settings)
{
	struct append a = { .tool = tool, .s = settings };
	int rc;

	a.last = -1e9;
	a.log = open_writer(tool, a.s, &tool->err);
	rc = a.log ? run(&a) : -1;
	lh_tlog_close(a.log);
	lh_buf_free(&a.strings);
	lh_buf_free(&a.bytes);
	lh_buf_free(&a.entries);
	lh_buf_free(&a.text);
	free(a.entry);
	return rc;
}
