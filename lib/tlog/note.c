/* note.c - signed texts, checkpoints, and the keys that sign them.  See note.h. */
#include <sys/random.h>

#include "crypto/digest.h"
#include "base/num.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "crypto/ed25519.h"
#include "note_parts.h"

/* ---- keys, and what they sign ---- */

#define MLDSA_KEY 1312			/* bytes */
#define MATERIAL (1 + MLDSA_KEY)	/* the kind, and the longest key */
#define KEY_FILE_MAX 4096
#define PRIVATE "PRIVATE+KEY+"

struct lh_signer {
	struct lh_vkey vkey;
	struct lh_secret seed;
	struct lh_ed25519 *key;
};

/* Return whether Unicode calls this character white space. */
static bool is_space(uint32_t c)
{
	return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	       c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Return whether a text can be the name of a key: UTF-8, not empty, without white space, control
 * characters and "+". */
static bool lh_key_name_valid(struct lh_str name)
{
	const unsigned char *p = (const unsigned char *)name.p, *end = p + name.n;
	uint32_t c;

	if (!name.n || !lh_utf8_valid(name.p, name.n))
		return false;
	while (p < end) {
		c = lh_utf8_get(&p);
		if (c <= ' ' || c == '+' || is_space(c))
			return false;
	}
	return true;
}

/* Return the id of a key: the hash of its name, its kind and the key itself. */
static uint32_t key_id(struct lh_str name, const uint8_t *material, size_t n)
{
	struct lh_sha256 sha;
	uint8_t sum[32];

	lh_sha256_start(&sha);
	lh_sha256_more(&sha, name.p, name.n);
	lh_sha256_more(&sha, "\n", 1);
	lh_sha256_more(&sha, material, n);
	lh_sha256_end(&sha, sum);
	return lh_tlog_u32(sum);
}

/* Divide "NAME+ID+BASE64".  material has room for n bytes; returns how many there are, or -1. */
static long read_parts(struct lh_str text, struct lh_str *name, uint32_t *id, uint8_t *material,
		       size_t n)
{
	const char *end = text.p + text.n, *plus = memchr(text.p, '+', text.n);
	uint8_t sum[32];
	char digits[LH_SHA256_HEX];

	if (!plus || end - plus < 10 || plus[9] != '+' ||
	    !lh_is_hex((struct lh_str){ plus + 1, 8 }, 8) || (size_t)(end - plus - 10) / 4 * 3 > n)
		return -1;
	*name = (struct lh_str){ text.p, (size_t)(plus - text.p) };
	memset(digits, '0', sizeof digits);
	memcpy(digits, plus + 1, 8);
	lh_unhex(digits, sizeof digits, sum);
	*id = lh_tlog_u32(sum);
	return lh_key_name_valid(*name) ? lh_base64_read(plus + 10, (size_t)(end - plus - 10),
							 material) : -1;
}

/* Fill a key; the id is checked unless NULL. */
static int set_vkey(struct lh_vkey *k, struct lh_str name, const uint32_t *id,
		    const uint8_t *material, size_t n, struct lh_err *err)
{
	*k = (struct lh_vkey){ .id = key_id(name, material, n), .kind = material[0] };
	if (id && *id != k->id)
		return lh_err_set(err, LH_EDATA, "the id of the key is not that of its name");
	if (k->kind == LH_KEY_MLDSA)
		lh_sha256(material + 1, n - 1, k->key);
	else
		memcpy(k->key, material + 1, sizeof k->key);
	k->name = lh_strndup(name.p, name.n);
	return 0;
}

int lh_vkey_parse(struct lh_vkey *k, struct lh_str text, struct lh_err *err)
{
	uint8_t material[MATERIAL + 2];
	struct lh_str name;
	uint32_t id;
	long n = read_parts(text, &name, &id, material, sizeof material);

	*k = (struct lh_vkey){ .name = NULL };
	if (n < 1)
		return lh_err_set(err, LH_EDATA, "not a public key like NAME+ID+BASE64");
	if (material[0] != LH_KEY_ED25519 && material[0] != LH_KEY_COSIGNER &&
	    material[0] != LH_KEY_MLDSA)
		return lh_err_set(err, LH_EDATA, "the type of the key is 0x%02x, not 0x01, 0x04 "
				  "or 0x06", material[0]);
	if (n - 1 != (material[0] == LH_KEY_MLDSA ? MLDSA_KEY : LH_ED25519_KEY))
		return lh_err_set(err, LH_EDATA, "a public key of %ld bytes", n - 1);
	return set_vkey(k, name, &id, material, (size_t)n, err);
}

void lh_vkey_free(struct lh_vkey *k)
{
	free(k->name);
	*k = (struct lh_vkey){ .name = NULL };
}

/* Append "NAME+ID+BASE64" of a key or a seed. */
static void print_parts(struct lh_buf *out, const struct lh_vkey *k, const uint8_t *key)
{
	uint8_t material[1 + LH_ED25519_KEY] = { (uint8_t)k->kind };

	memcpy(material + 1, key, LH_ED25519_KEY);
	lh_buf_printf(out, "%s+%08x+", k->name, k->id);
	lh_buf_base64(out, material, sizeof material);
	explicit_bzero(material, sizeof material);
}

int lh_vkey_print(const struct lh_vkey *k, struct lh_buf *out, struct lh_err *err)
{
	if (k->kind == LH_KEY_MLDSA)
		return lh_err_set(err, LH_EDATA, "a key of type 0x06 cannot be printed");
	print_parts(out, k, k->key);
	return 0;
}

/* Make the key of s->seed, and its vkey; id may be NULL. */
static int use_seed(struct lh_signer *s, struct lh_str name, const uint32_t *id,
		    enum lh_vkey_kind kind, struct lh_err *err)
{
	uint8_t material[1 + LH_ED25519_KEY] = { (uint8_t)kind };

	s->key = lh_ed25519_new(s->seed.p, material + 1);
	return set_vkey(&s->vkey, name, id, material, sizeof material, err);
}

/* Read the text of a private key. */
static int parse_signer(struct lh_signer *s, const struct lh_secret *text, struct lh_err *err)
{
	struct lh_str key = { (const char *)text->p, text->n }, name;
	struct lh_secret material;
	uint32_t id;
	long n = -1;
	int rc;

	if (key.n && key.p[key.n - 1] == '\n')
		key.n--;
	lh_secret_alloc(&material, LH_ED25519_KEY + 4);
	if (key.n > strlen(PRIVATE) && !memcmp(key.p, PRIVATE, strlen(PRIVATE))) {
		key.p += strlen(PRIVATE);
		key.n -= strlen(PRIVATE);
		n = read_parts(key, &name, &id, material.p, material.n);
	}
	if (n != 1 + LH_ED25519_KEY ||
	    (material.p[0] != LH_KEY_ED25519 && material.p[0] != LH_KEY_COSIGNER)) {
		rc = lh_err_set(err, LH_EIO, "not a private key like " PRIVATE "NAME+ID+BASE64");
	} else {
		lh_secret_alloc(&s->seed, LH_ED25519_KEY);
		memcpy(s->seed.p, material.p + 1, LH_ED25519_KEY);
		rc = use_seed(s, name, &id, material.p[0], err);
	}
	lh_secret_wipe(&material);
	return rc;
}

int lh_signer_read(struct lh_signer **s, const char *path, struct lh_err *err)
{
	struct lh_secret text;
	int rc = -1;

	*s = NULL;
	if (lh_secret_read(&text, path, KEY_FILE_MAX, false, err) < 0)
		return -1;
	*s = lh_calloc(1, sizeof **s);
	rc = parse_signer(*s, &text, err);
	lh_secret_wipe(&text);
	if (rc == 0)
		return 0;
	lh_signer_free_local(s);
	*s = NULL;
	err->code = LH_EIO;
	return lh_err_prefix(err, "%s", path);
}

int lh_signer_make(struct lh_signer **s, struct lh_str name, enum lh_vkey_kind kind,
		   struct lh_err *err)
{
	*s = NULL;
	if (!lh_key_name_valid(name))
		return lh_err_set(err, LH_EUSAGE, "the name of a key is UTF-8 without white "
				  "space, control characters and \"+\"");
	*s = lh_calloc(1, sizeof **s);
	lh_secret_alloc(&(*s)->seed, LH_ED25519_KEY);
	if (getrandom((*s)->seed.p, LH_ED25519_KEY, 0) != LH_ED25519_KEY)
		lh_err_sys(err, "cannot get random bytes");
	else if (use_seed(*s, name, NULL, kind, err) == 0)
		return 0;
	lh_signer_free(*s);
	*s = NULL;
	return -1;
}

void lh_signer_text(const struct lh_signer *s, struct lh_secret *text)
{
	/* large enough not to grow, which would leave a copy */
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };

	lh_buf_room(&out, strlen(s->vkey.name) + 128);
	lh_buf_puts(&out, PRIVATE);
	print_parts(&out, &s->vkey, s->seed.p);
	lh_buf_putc(&out, '\n');
	lh_secret_alloc(text, out.len);
	memcpy(text->p, out.p, out.len);
	explicit_bzero(out.p, out.cap);
}

const struct lh_vkey *lh_signer_vkey(const struct lh_signer *s)
{
	return &s->vkey;
}

void lh_signer_free(struct lh_signer *s)
{
	if (!s)
		return;
	lh_ed25519_free(s->key);
	lh_secret_wipe(&s->seed);
	lh_vkey_free(&s->vkey);
	free(s);
}

void lh_signer_free_local(struct lh_signer **s)
{
	lh_signer_free(*s);
}

/* Append what a cosigner signs. */
static void lh_cosigned_text(struct lh_buf *out, uint64_t time, struct lh_str body)
{
	lh_buf_printf(out, "cosignature/v1\ntime %llu\n", (unsigned long long)time);
	lh_buf_add(out, body.p, body.n);
}

int lh_signer_sign(const struct lh_signer *s, struct lh_str body, uint64_t now, struct lh_buf *out,
		   struct lh_err *err)
{
	bool cosigner = s->vkey.kind == LH_KEY_COSIGNER;
	uint8_t line[4 + 8 + LH_ED25519_SIGNATURE], *at = line + 4;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	if (!body.n || body.p[body.n - 1] != '\n')
		return lh_err_set(err, LH_EDATA, "a text without LF at its end cannot be signed");
	if (now > INT64_MAX || (cosigner && !now))
		return lh_err_set(err, LH_EDATA, "the time of a cosignature is out of range");
	lh_tlog_put_u32(line, s->vkey.id);
	if (cosigner) {
		lh_tlog_put_u32(at, (uint32_t)(now >> 32));
		lh_tlog_put_u32(at + 4, (uint32_t)now);
		at += 8;
		lh_cosigned_text(&text, now, body);
		body = (struct lh_str){ text.p, text.len };
	}
	lh_ed25519_sign(s->key, body.p, body.n, at);
	lh_buf_printf(out, LH_EM_DASH " %s ", s->vkey.name);
	lh_buf_base64(out, line, (size_t)(at - line) + LH_ED25519_SIGNATURE);
	lh_buf_putc(out, '\n');
	return 0;
}

/* ---- notes ---- */

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
	bool good;

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
		signed_text = (struct lh_str){ text.p, text.len };
	}
	good = lh_ed25519_check(key->key, signed_text.p, signed_text.n, l->signature + before);
	if (good && time)
		*time = t;
	return good ? LH_SIGNATURE_GOOD : LH_SIGNATURE_BAD;
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
