/* note.c - signed texts and checkpoints.  See note.h. */
#include <lh/num.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "crypto/ed25519.h"
#include "note_parts.h"

#define HASH_TEXT 44	/* characters of a hash in base64 */

/* Check the characters of a note. */
static int check_text(struct lh_str text, struct lh_err *err)
{
	size_t i;

	if (text.n > LH_NOTE_MAX)
		return lh_err_data(err, 413, "a note of more than %u bytes", LH_NOTE_MAX);
	if (!lh_utf8_valid(text.p, text.n))
		return lh_err_set(err, LH_EDATA, "a note with invalid UTF-8");
	for (i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' && text.p[i] != '\n')
			return lh_err_set(err, LH_EDATA, "a note with a control character");
	return 0;
}

/* Read a signature line, without its LF; the signature goes to `to`. */
static bool read_line(struct lh_note_line *line, struct lh_str text, uint8_t *to)
{
	const char *mark = LH_EM_DASH " ", *space;
	size_t n = strlen(mark);
	long len;

	if (text.n < n || memcmp(text.p, mark, n))
		return false;
	line->line = (struct lh_str){ text.p, text.n + 1 };
	text = (struct lh_str){ text.p + n, text.n - n };
	space = memchr(text.p, ' ', text.n);
	if (!space)
		return false;
	line->name = (struct lh_str){ text.p, (size_t)(space - text.p) };
	len = lh_base64_read(space + 1, text.n - line->name.n - 1, to);
	if (len <= 4 || !lh_key_name_valid(line->name))
		return false;
	line->id = lh_tlog_u32(to);
	line->signature = to + 4;
	line->n = (size_t)len - 4;
	return true;
}

/* Read the signature lines; the note, which is empty, gets one block for them and the bytes. */
static int read_lines(struct lh_note *note, struct lh_str text, struct lh_err *err)
{
	struct lh_str line;
	uint8_t *to;

	if (!text.n || text.p[text.n - 1] != '\n')
		return lh_err_set(err, LH_EDATA, "a note without signature lines");
	note->lines = lh_calloc(1, LH_NOTE_LINES * sizeof *note->lines + text.n);
	to = (uint8_t *)(note->lines + LH_NOTE_LINES);
	while (lh_next_line(&text, &line)) {
		if (note->n == LH_NOTE_LINES)
			return lh_err_set(err, LH_EDATA, "a note of more than %d signature lines",
					  LH_NOTE_LINES);
		if (!read_line(&note->lines[note->n], line, to))
			return lh_err_set(err, LH_EDATA, "signature line %zu is not like \""
					  LH_EM_DASH " NAME BASE64\"", note->n + 1);
		to = note->lines[note->n].signature + note->lines[note->n].n;
		note->n++;
	}
	return 0;
}

int lh_note_parse_lines(struct lh_note *note, struct lh_str body, struct lh_str lines,
			struct lh_err *err)
{
	*note = (struct lh_note){ .body = body };
	if (check_text(lines, err) == 0 && read_lines(note, lines, err) == 0)
		return 0;
	lh_note_free(note);
	return -1;
}

int lh_note_parse(struct lh_note *note, struct lh_str text, struct lh_err *err)
{
	const char *at;

	*note = (struct lh_note){ .n = 0 };
	if (check_text(text, err) < 0)
		return -1;
	at = memrchr(text.p, '\n', text.n);
	while (at && at > text.p && at[-1] != '\n')
		at = memrchr(text.p, '\n', (size_t)(at - text.p));
	if (!at || at == text.p)
		return lh_err_set(err, LH_EDATA, "a note without an empty line before its "
				  "signature lines");
	note->body = (struct lh_str){ text.p, (size_t)(at - text.p) };
	at++;
	if (read_lines(note, (struct lh_str){ at, text.n - (size_t)(at - text.p) }, err) == 0)
		return 0;
	lh_note_free(note);
	return -1;
}

void lh_note_free(struct lh_note *note)
{
	free(note->lines);
	*note = (struct lh_note){ .n = 0 };
}

enum lh_signature lh_note_check(const struct lh_note *note, size_t line, const struct lh_vkey *key,
				uint64_t *time)
{
	const struct lh_note_line *l = &note->lines[line];
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str signed_text = note->body;
	size_t before = key->kind == LH_KEY_COSIGNER ? 8 : 0;	/* bytes of the time */
	uint64_t t = 0;
	int rc;

	if (time)
		*time = 0;
	if (key->kind == LH_KEY_MLDSA || l->id != key->id ||
	    !lh_str_is(l->name, key->name, strlen(key->name)))
		return LH_SIGNATURE_UNKNOWN;
	if (l->n != before + LH_ED25519_SIGNATURE)
		return LH_SIGNATURE_BAD;
	if (before) {
		t = (uint64_t)lh_tlog_u32(l->signature) << 32 | lh_tlog_u32(l->signature + 4);
		if (t > INT64_MAX)
			return LH_SIGNATURE_BAD;
		lh_cosigned_text(&text, t, note->body);
		if (text.failed)
			return LH_SIGNATURE_NOMEM;
		signed_text = (struct lh_str){ text.p, text.len };
	}
	rc = lh_ed25519_check(key->key, signed_text.p, signed_text.n, l->signature + before);
	if (rc < 0)
		return LH_SIGNATURE_NOMEM;
	if (rc && time)
		*time = t;
	return rc ? LH_SIGNATURE_GOOD : LH_SIGNATURE_BAD;
}

bool lh_tlog_size_read(struct lh_str text, uint64_t most, uint64_t *size)
{
	uint64_t v = 0;
	size_t i;

	if (!text.n || text.n > 19 || (text.n > 1 && text.p[0] == '0'))
		return false;
	for (i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(text.p[i] - '0');
	}
	*size = v;
	return v <= most;
}

bool lh_tlog_hash_read(struct lh_str text, uint8_t hash[LH_TLOG_HASH])
{
	uint8_t to[HASH_TEXT / 4 * 3];

	if (text.n != HASH_TEXT || lh_base64_read(text.p, text.n, to) != LH_TLOG_HASH)
		return false;
	memcpy(hash, to, LH_TLOG_HASH);
	return true;
}

int lh_checkpoint_parse(struct lh_checkpoint *c, struct lh_str body, struct lh_err *err)
{
	struct lh_str rest = body, size, root;

	*c = (struct lh_checkpoint){ .size = 0 };
	if (!body.n || body.p[body.n - 1] != '\n' || body.p[0] == '\n' ||
	    memmem(body.p, body.n, "\n\n", 2))
		return lh_err_set(err, LH_EDATA, "a checkpoint with an empty line");
	if (!lh_next_line(&rest, &c->origin) || !lh_next_line(&rest, &size) ||
	    !lh_next_line(&rest, &root))
		return lh_err_set(err, LH_EDATA, "a checkpoint of less than three lines");
	if (!lh_tlog_size_read(size, LH_TLOG_MAX, &c->size))
		return lh_err_set(err, LH_EDATA, "the size of a checkpoint must be a whole number "
				  "from 0 to %llu", LH_TLOG_MAX);
	if (!lh_tlog_hash_read(root, c->root))
		return lh_err_set(err, LH_EDATA, "the root of a checkpoint must be 32 bytes in "
				  "base64");
	c->extensions = rest;
	return 0;
}

int lh_checkpoint_print(const struct lh_checkpoint *c, struct lh_buf *out, struct lh_err *err)
{
	struct lh_checkpoint again;
	size_t from = out->len;
	struct lh_str body;

	lh_buf_add(out, c->origin.p, c->origin.n);
	lh_buf_putc(out, '\n');
	lh_buf_u64(out, c->size);
	lh_buf_putc(out, '\n');
	lh_buf_base64(out, c->root, sizeof c->root);
	lh_buf_putc(out, '\n');
	lh_buf_add(out, c->extensions.p, c->extensions.n);
	body = (struct lh_str){ out->p + from, out->len - from };
	if (check_text(body, err) < 0 || lh_checkpoint_parse(&again, body, err) < 0)
		return -1;
	if (again.origin.n != c->origin.n)
		return lh_err_set(err, LH_EDATA, "an origin of several lines");
	return 0;
}
