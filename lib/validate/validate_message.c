/* validate_message.c - check an email or a text message.  See lh/validate.h. */
#include "base/utf8.h"
#include "text/spelling.h"
#include "text/spelling.h"
#include "validate_parts.h"

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
	for (at = 0; !*yes && at < body->n && !b->failed; at += in.n) {
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
