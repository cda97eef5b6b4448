/*
 * artifacts.c - check each kind of artifact: messages, fills, drafts of playbooks.
 * See validate.h.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "json/json_scanner.h"
#include "text/spelling.h"
#include "validate_parts.h"

/* ---- the length of a text message ---- */

/*
 * 3GPP TS 23.038: a text of the GSM 7-bit default alphabet has one unit for each character, two
 * for one of its extension table; any other text is UTF-16.  What does not fit into one message
 * is sent in parts, each of which loses 6 bytes to its header, and no character is in two.
 */

/* In addition to ASCII: the default alphabet, and the extension table. */
static const uint16_t gsm[] = {
	0xa1, 0xa3, 0xa4, 0xa5, 0xa7, 0xbf, 0xc4, 0xc5, 0xc6, 0xc7, 0xc9, 0xd1, 0xd6,
	0xd8, 0xdc, 0xdf, 0xe0, 0xe4, 0xe5, 0xe6, 0xe8, 0xe9, 0xec, 0xf1, 0xf2, 0xf6,
	0xf8, 0xf9, 0xfc, 0x393, 0x394, 0x398, 0x39b, 0x39e, 0x3a0, 0x3a3, 0x3a6, 0x3a8, 0x3a9,
};

/* Return the units of a character in GSM 7-bit; 0: it has none. */
static unsigned gsm_units(uint32_t c)
{
	size_t i;

	if (c < 0x80 && c)
		return strchr("\f^{}\\[~]|", (int)c) ? 2 :
			(c < ' ' && c != '\n' && c != '\r') || c == '`' || c == 0x7f ? 0 : 1;
	if (c == 0x20ac)
		return 2;
	for (i = 0; i < sizeof gsm / sizeof *gsm; i++)
		if (gsm[i] == c)
			return 1;
	return 0;
}

static unsigned units_of(uint32_t c, bool utf16)
{
	return utf16 ? 1 + (c > 0xffff) : gsm_units(c);
}

static struct lh_sms lh_sms_measure(const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text, *from = p, *end = p + n;
	struct lh_sms sms = { .parts = 1 };
	uint64_t part = 0, room;
	unsigned u;

	while (p < end && !sms.utf16)
		sms.utf16 = !gsm_units(lh_utf8_get(&p));
	for (p = from; p < end; )
		sms.units += units_of(lh_utf8_get(&p), sms.utf16);
	sms.one = sms.utf16 ? 70 : 160;
	if (sms.units <= sms.one)
		return sms;
	room = sms.utf16 ? 67 : 153;
	for (p = from; p < end; part += u) {
		u = units_of(lh_utf8_get(&p), sms.utf16);
		if (part + u > room) {
			sms.parts++;
			part = 0;
		}
	}
	return sms;
}

/* ---- messages ---- */

#define SMS_MAX 160		/* code points, by the original's count */
#define SUBJECT_MAX 78		/* RFC 5322, 2.1.1 */

#define PIECE 65536		/* bytes folded at a time */

struct message {
	struct lh_str to, subject, body;	/* subject.n = 0: none */
};

static int read_subject(struct lh_validator *v, struct lh_str *subject)
{
	struct lh_value val;

	*subject = (struct lh_str){ "", 0 };
	if (!lh_value_get(v->artifact, "subject", &val) || val.type == LH_NULL)
		return 0;
	if (val.type == LH_STRING) {
		lh_val_str(v, &val, subject);
		return 0;
	}
	lh_val_at(v, "subject");
	return lh_val_error(v, LH_VAL_SCHEMA, "expected string");
}

static int check_length(struct lh_validator *v, const char *what, const struct lh_str *s,
			uint64_t max)
{
	uint64_t n = s->n > max ? lh_quantize_points(s->p, s->n) : 0;

	if (n <= max)
		return 0;
	return lh_val_error(v, LH_VAL_COMPLETENESS, "%s is %u chars (max %u)",
			    &(struct lh_str){ what, strlen(what) }, n, max);
}

/* Check that the body is sent in one part. */
static int check_sms(struct lh_validator *v, const struct lh_str *s)
{
	struct lh_str code;
	struct lh_sms sms;

	if (v->how.sms_chars)
		return check_length(v, "SMS body", s, SMS_MAX);
	sms = lh_sms_measure(s->p, s->n);
	if (sms.parts == 1)
		return 0;
	code = sms.utf16 ? (struct lh_str){ "UTF-16", 6 } : (struct lh_str){ "GSM 7-bit", 9 };
	return lh_val_error(v, LH_VAL_COMPLETENESS,
			    "SMS body is %u units of %s in %u parts (max %u units, 1 part)",
			    sms.units, &code, sms.parts, sms.one);
}

static int check_secrets(struct lh_validator *v, const struct message *m)
{
	bool original = v->how.original;

	if (lh_has_ssn(m->subject.p, m->subject.n, original) ||
	    lh_has_ssn(m->body.p, m->body.n, original))
		return lh_val_error(v, LH_VAL_POLICY, "SSN-shaped sequence in body");
	if (lh_has_salary(m->subject.p, m->subject.n, original) ||
	    lh_has_salary(m->body.p, m->body.n, original))
		return lh_val_error(v, LH_VAL_POLICY,
				    "salary disclosure: keyword near dollar amount");
	return 0;
}

/* A full name in the body includes its first word, so that is what is searched.  A
 * long body is folded piece by piece. */
static void find_name(struct lh_validator *v, const struct lh_str *body, const struct lh_str *name,
		      bool *yes)
{
	struct lh_str word = lh_trim(name->p, name->n), in;
	size_t n = 0, piece, at, mark;

	while (n < word.n && !lh_is_blank(word.p[n]))
		n++;
	word.n = n;
	piece = PIECE + 4 * n;
	lh_buf_reset(&v->folded);
	if (!lh_buf_room(&v->folded, n + 1 + (body->n < piece + n ? body->n : piece + n) + 1))
		return;
	lh_val_fold(v, &word, &word);
	mark = v->folded.len;
	for (*yes = false, at = 0; !*yes && at < body->n; at += piece) {
		v->folded.len = mark;
		in = (struct lh_str){ body->p + at,
				      body->n - at < piece + n ? body->n - at : piece + n };
		lh_val_fold(v, &in, &in);
		*yes = memmem(in.p, in.n, word.p, n) != NULL;
	}
}

/* Return whether a text has the word, of which the last letter has no more marks there. */
static bool has_word(struct lh_str in, struct lh_str word)
{
	const char *end = in.p + in.n, *at = in.p;
	const unsigned char *next;

	while (word.n && (at = memmem(at, (size_t)(end - at), word.p, word.n))) {
		next = (const unsigned char *)(at += word.n);
		if (at == end || !lh_spelled_is_mark(lh_utf8_get(&next)))
			return true;
	}
	return !word.n;
}

/* Search the first word of the name as a reader would, a piece of a long body at a time. */
static void read_name(struct lh_validator *v, const struct lh_str *body, const struct lh_str *name,
		      bool *yes)
{
	struct lh_buf *b = &v->folded;
	size_t n = 0, overlap = 16 * name->n, at;
	struct lh_str in;

	lh_buf_reset(b);
	lh_name_normal(b, *name);
	while (n < b->len && b->p[n] != ' ')
		n++;
	for (at = 0; !*yes && at < body->n; at += in.n) {
		in = lh_utf8_head((struct lh_str){ body->p + at, body->n - at }, PIECE + overlap);
		b->len = n;
		lh_text_normal(b, in);
		*yes = has_word((struct lh_str){ b->p + n, b->len - n },
				(struct lh_str){ b->p, n });
		if (at + in.n < body->n)
			in = lh_utf8_head(in, PIECE);
	}
}

static int check_candidate(struct lh_validator *v, const struct lh_str *id,
			   const struct lh_str *body)
{
	struct lh_worker w;
	bool found;

	if (!id->n)
		return 0;
	if (lh_val_worker(v, id, &w, &found) < 0)
		return -1;
	if (!found)
		return lh_val_error(v, LH_VAL_CONSISTENCY,
				    "_context.candidate_id '%s' does not exist in worker roster",
				    id);
	find_name(v, body, &w.name, &found);
	if (!found && !v->how.original)
		read_name(v, body, &w.name, &found);
	if (!found) {
		lh_val_at(v, "body");
		lh_val_warn(v, "body does not mention '%s'", &w.name);
	}
	return 0;
}

int lh_validate_message(struct lh_validator *v, bool sms)
{
	struct lh_str candidate;
	struct message m;
	int rc = lh_val_context_str(v, "candidate_id", &candidate);

	if (!rc)
		rc = lh_val_need(v, "to", &m.to);
	if (!rc)
		rc = lh_val_need(v, "body", &m.body);
	if (!rc)
		rc = read_subject(v, &m.subject);
	if (!rc && sms)
		rc = check_sms(v, &m.body);
	if (!rc)
		rc = check_length(v, "subject", &m.subject, SUBJECT_MAX);
	if (!rc)
		rc = check_secrets(v, &m);
	if (!rc)
		rc = check_candidate(v, &candidate, &m.body);
	return rc;
}

/* ---- fills ---- */

/*
 * See
 * validate.h.
 */

struct contract {		/* from the context; n = 0: absent */
	bool counted;
	int64_t target_count;
	struct lh_str city, state, role, client_id;
};

struct fill {
	uint64_t i;
	struct lh_value id_value;
	struct lh_str id, name;
};

/* Empty the set and make room for n ids. */
static void seen_open(struct lh_seen *s, size_t n)
{
	size_t want = 16;

	while (want < 2 * n)
		want *= 2;
	lh_grow(&s->slot, &s->cap, want, sizeof *s->slot);
	memset(s->slot, 0, want * sizeof *s->slot);
	s->mask = want - 1;
}

/* Return whether the id at that offset of the artifact equals key without case. */
static void is_id_at(struct lh_validator *v, uint32_t at, const struct lh_str *key, bool *same)
{
	const struct lh_value *a = v->artifact;
	struct lh_value val = { .p = a->p + at, .type = LH_STRING };
	size_t mark = v->text.len;
	struct lh_str id;

	val.n = (size_t)(lh_skip_string(val.p, a->p + a->n, &val.escaped) - val.p);
	lh_val_str(v, &val, &id);
	*same = lh_val_same(&id, key);
	v->text.len = mark;
}

/* Add the id at val, whose trimmed and folded form is key. */
static void seen_add(struct lh_validator *v, const struct lh_value *val, const struct lh_str *key,
		     bool *again)
{
	struct lh_seen *s = &v->seen;
	uint32_t hash = lh_key_hash(key->p, key->n, s->seed);
	size_t i;

	for (i = hash & s->mask; s->slot[i].at; i = (i + 1) & s->mask) {
		if (s->slot[i].hash != hash)
			continue;
		is_id_at(v, s->slot[i].at, key, again);
		if (*again)
			return;
	}
	*again = false;
	s->slot[i] = (struct lh_seen_slot){ hash, (uint32_t)(val->p - v->artifact->p) };
}

/* Read a member that must be a string that is not blank. */
static int read_member(struct lh_validator *v, const struct fill *f, const struct lh_value *entry,
		       const char *name, struct lh_value *val, struct lh_str *out)
{
	*val = (struct lh_value){ .type = LH_NULL };
	if (lh_value_get(entry, name, val) && val->type == LH_STRING) {
		lh_val_str(v, val, out);
		if (!lh_val_blank(out))
			return 0;
	}
	lh_val_at(v, "fills[%u].%s", f->i, &(struct lh_str){ name, strlen(name) });
	return lh_val_error(v, LH_VAL_SCHEMA, "missing");
}

static int check_entry(struct lh_validator *v, const struct lh_value *entry, struct fill *f)
{
	struct lh_value name;
	int rc = read_member(v, f, entry, "candidate_id", &f->id_value, &f->id);

	return rc ? rc : read_member(v, f, entry, "name", &name, &f->name);
}

static int check_new(struct lh_validator *v, const struct fill *f)
{
	struct lh_str id = lh_trim(f->id.p, f->id.n), key;
	bool again;

	lh_buf_reset(&v->folded);
	lh_val_fold(v, &id, &key);
	seen_add(v, &f->id_value, &key, &again);
	return again ? lh_val_error(v, LH_VAL_CONSISTENCY, "duplicate candidate_id '%s' in fills",
				    &f->id) : 0;
}

/* A worker whose place is unknown is not in another place. */
static int check_place(struct lh_validator *v, const char *what, const struct lh_str *has,
		       const struct lh_str *wants)
{
	const struct lh_str name = { what, strlen(what) };

	if (!has->n || !wants->n || lh_val_same(has, wants))
		return 0;
	return lh_val_error(v, LH_VAL_CONSISTENCY, "%s '%s' doesn't match contract %s '%s'", &name,
			    has, &name, wants);
}

static int check_worker(struct lh_validator *v, const struct fill *f, const struct contract *c,
			const struct lh_worker *w)
{
	static const struct lh_str active = { "active", 6 };
	bool same = true;
	int rc;

	if (w->status.n && !lh_val_same(&w->status, &active))
		return lh_val_error(v, LH_VAL_CONSISTENCY,
				    "fills[%u] worker '%s' status is '%s', expected 'active'",
				    f->i, &f->id, &w->status);
	if (c->client_id.n && lh_worker_blacklisted(w, c->client_id.p, c->client_id.n))
		return lh_val_error(v, LH_VAL_POLICY,
				    "fills[%u] worker '%s' is blacklisted for client '%s'",
				    f->i, &f->id, &c->client_id);
	rc = check_place(v, "city", &w->city, &c->city);
	if (!rc)
		rc = check_place(v, "state", &w->state, &c->state);
	if (!rc)
		rc = check_place(v, "role", &w->role, &c->role);
	if (!rc && w->name.n)
		lh_val_same_name(v, &f->name, &w->name, &same);
	if (!rc && !same) {
		lh_val_at(v, "fills[%u].name", f->i);
		lh_val_warn(v, "'%s' differs from roster name '%s'", &f->name, &w->name);
	}
	return rc;
}

static int check_fill(struct lh_validator *v, const struct fill *f, const struct contract *c)
{
	struct lh_worker w;
	bool found;
	int rc = check_new(v, f);

	if (rc)
		return rc;
	if (lh_val_worker(v, &f->id, &w, &found) < 0)
		return -1;
	if (!found)
		return lh_val_error(v, LH_VAL_CONSISTENCY,
				    "fills[%u].candidate_id '%s' does not exist in worker roster",
				    f->i, &f->id);
	return check_worker(v, f, c, &w);
}

static int read_contract(struct lh_validator *v, struct contract *c)
{
	int rc = lh_val_context_count(v, &c->counted, &c->target_count);

	if (!rc)
		rc = lh_val_context_str(v, "city", &c->city);
	if (!rc)
		rc = lh_val_context_str(v, "state", &c->state);
	if (!rc)
		rc = lh_val_context_str(v, "role", &c->role);
	if (!rc)
		rc = lh_val_context_str(v, "client_id", &c->client_id);
	return rc;
}

int lh_validate_fill(struct lh_validator *v)
{
	struct lh_value fills;
	struct contract c;
	struct lh_iter it;
	struct fill f;
	size_t mark;
	int rc = read_contract(v, &c);

	if (rc)
		return rc;
	if (!lh_value_get(v->artifact, "fills", &fills) || fills.type != LH_ARRAY) {
		lh_val_at(v, "fills");
		return lh_val_error(v, LH_VAL_SCHEMA, "expected array");
	}
	mark = v->text.len;
	for (f.i = 0, lh_iter_init(&it, &fills); lh_iter_next(&it); f.i++, v->text.len = mark)
		if ((rc = check_entry(v, &it.val, &f)) != 0)
			return rc;
	if (c.counted && f.i != (uint64_t)c.target_count)
		return lh_val_error(v, LH_VAL_COMPLETENESS,
				    "endorsed count (%u) != target_count (%d)", f.i,
				    c.target_count);
	seen_open(&v->seen, f.i);
	for (f.i = 0, lh_iter_init(&it, &fills); lh_iter_next(&it); f.i++, v->text.len = mark)
		if ((rc = check_entry(v, &it.val, &f)) != 0 || (rc = check_fill(v, &f, &c)) != 0)
			return rc;
	return 0;
}

/* ---- drafts of playbooks ---- */

static int check_operation(struct lh_validator *v)
{
	struct lh_value val;
	struct lh_str s;

	lh_val_at(v, "operation");
	if (!lh_value_get(v->artifact, "operation", &val) || val.type != LH_STRING)
		return lh_val_error(v, LH_VAL_SCHEMA, "missing");
	lh_val_str(v, &val, &s);
	if (s.n >= 5 && !memcmp(s.p, "fill:", 5))
		return 0;
	lh_buf_json(&v->scratch, s.p, s.n);
	return lh_val_error(v, LH_VAL_SCHEMA, "expected `fill: ...` prefix, got %s",
			    &(struct lh_str){ v->scratch.p, v->scratch.len });
}

static int count_names(struct lh_validator *v, uint64_t *n)
{
	struct lh_value names;
	struct lh_iter it;

	if (!lh_value_get(v->artifact, "endorsed_names", &names) || names.type != LH_ARRAY) {
		lh_val_at(v, "endorsed_names");
		return lh_val_error(v, LH_VAL_SCHEMA, "expected array");
	}
	for (*n = 0, lh_iter_init(&it, &names); lh_iter_next(&it); )
		++*n;
	return *n ? 0 : lh_val_error(v, LH_VAL_COMPLETENESS, "endorsed_names must be non-empty");
}

/* Check that there are at most twice as many names as places; the artifact's own
 * count has precedence. */
static int check_ceiling(struct lh_validator *v, uint64_t n, bool set, int64_t target)
{
	struct lh_value val;
	int64_t most;

	if (lh_value_get(v->artifact, "target_count", &val) && val.type != LH_NULL) {
		set = true;
		if (val.type != LH_NUMBER || !lh_value_i64(&val, &target)) {
			lh_val_at(v, "target_count");
			return lh_val_error(v, LH_VAL_SCHEMA, "expected whole number");
		}
	}
	if (__builtin_mul_overflow(target, 2, &most))
		most = target < 0 ? INT64_MIN : INT64_MAX;
	if (!set || (most >= 0 && n <= (uint64_t)most))
		return 0;
	return lh_val_error(v, LH_VAL_COMPLETENESS,
			    "endorsed_names (%u) exceeds target_count × 2 (%d)", n, most);
}

static int check_fingerprint(struct lh_validator *v)
{
	struct lh_str s;
	int rc = lh_val_need(v, "fingerprint", &s);

	return rc > 0 ? lh_val_error(v, LH_VAL_SCHEMA,
				     "missing — required for Phase 25 validity window") : rc;
}

int lh_validate_playbook(struct lh_validator *v)
{
	bool set = false;
	int64_t target = 0;
	uint64_t n = 0;
	int rc = lh_val_context_count(v, &set, &target);

	if (!rc)
		rc = check_operation(v);
	if (!rc)
		rc = count_names(v, &n);
	if (!rc)
		rc = check_ceiling(v, n, set, target);
	if (!rc)
		rc = check_fingerprint(v);
	return rc;
}
