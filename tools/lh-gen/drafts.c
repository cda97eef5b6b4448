/* drafts.c - lh-gen drafts: messages, and the request around an artifact.  See gen.h. */
#include "gen.h"

#include "base/mem.h"

/* ---- messages to workers, by email and by sms ---- */

#define SMS_MOST 160	/* code points */
#define SUBJECT_MOST 78
#define PAY_NEAR 40	/* between the word and the dollar sign */

/* The faults of a message, in the order in which a validator finds them. */
enum fault {
	SOUND, NO_TO, NO_BODY, NO_SUBJECT, LONG_BODY, LONG_SUBJECT, SSN_SUBJECT, SSN_BODY,
		PAY_SUBJECT, PAY_BODY, GHOST, FAULTS
};

struct message {
	struct draft *d;
	bool sms;
	bool fault[FAULTS];
	unsigned subject_points, body_points;
	unsigned who;
	bool about;	/* the context names a candidate: who */
	char id[DRAFT_TEXT];
};

static const char *const prose[] = {
	"The shift begins at 06:00.", "Please bring boots.", "Ask for the lead at dock 4.",
	"Reply YES to confirm.", "Parking is behind the building.", "See you there!",
	"Lunch is at noon.", "Bring two forms of ID.", "It may rain ☔.", "Grüße vom Büro.",
	"Use \"door B\".", "The office closes at 17:00.", "We pay weekly.", "你好!",
};

static const char *const subjects[] = {
	"Shift on Monday", "Your start next week", "Où et quand", "Confirm, please",
	"Re: your question", "⭐ First day", "Schedule", "",
};

/* '#' is any digit.  None of these is an SSN. */
static const char *const looks_like_ssn[] = {
	"###-###-####", "(###) ###-####", "+1-###-###-####", "1-###-###-####", "###.###.####",
	"####-##-##", "##-##-####", "##/##/####", "#####-####", "#########", "### ## ####",
	"###.##.####", "####-##-####", "###-##-#####", "##-###-####", "###-##-###",
	"###–##–####", "###‑##-####", "###--##-####", "###-##--####", "#-##-####",
	"###-##-##-####", "####-##-#####", "###-##", "１２３-##-####", "###-４５-####",
	"###-##-###x", "###-#x-####", "#### #### #### ####", "###-##\n-####",
	"###########-##-####",
};

static const char *const around_ssn[] = {
	"###-##-####", "SSN ###-##-####", "SSN:###-##-####.", "#(###-##-####)",
	"ORD-###-##-####", "#-###-##-####", "###-##-####-#", "no###-##-####", "###-##-####x",
	"é###-##-####é", "٣###-##-####", "###-##-####３", "-###-##-####-", "###-##-###-##-####",
	"###-##-#####, ###-##-####", "###-###-##-####", "####-##-#### ###-##-####",
	"###-##-####/###-##-####",
};

static const char *const pay_words[] = {
	"salary", "compensation", "pay rate", "bill rate", "hourly rate", "wage", "Salary",
	"COMPENSATION", "Pay Rate", "BILL rate", "hourly RATE", "sewage", "wages", "pay rates",
};

/* Either half of a disclosure, or nearly one. */
static const char *const looks_like_pay[] = {
	"Your wage is agreed.", "Compensation: ask the office.", "Same hourly rate as before.",
	"Parking is $5 a day.", "Boots up to $ 80 are on us.",
	"wage in $ as agreed", "wage: 20$", "wage $  5", "pay  rate $20", "payrate $20",
	"rate of pay: $20", "wag e $5", "Salary €20", "bill-rate $20",
	"hourly wag. $18", "salary $x5", "pay\nrate $ 20", "saláry $20",
};

static unsigned points(const char *s, size_t n)
{
	unsigned k = 0;

	for (size_t i = 0; i < n; i++)
		k += ((unsigned char)s[i] & 0xc0) != 0x80;
	return k;
}

static void put_digits(struct draft *d, struct lh_buf *b, const char *form)
{
	for (; *form; form++)
		lh_buf_putc(b, *form == '#' ? (char)('0' + gen_pick(&d->r, 10)) : *form);
}

/* Append n code points without a meaning. */
static void put_filler(struct draft *d, struct lh_buf *b, unsigned n)
{
	static const char *const filler[] = { "x", "o", " ", "-", "é", "好", "⭐", "😀", ".", "." };

	while (n--)
		lh_buf_puts(b, DRAFT_ONE_OF(d, filler));
}

/* Append a word of pay and an amount with that many code points between word and
 * dollar sign, in either order. */
static void put_pay(struct draft *d, struct lh_buf *b, unsigned between)
{
	static const char *const amounts[] = { "$5", "$ 5", "$20", "$ 18.50", "$0" };
	const char *word = DRAFT_ONE_OF(d, pay_words), *amount = DRAFT_ONE_OF(d, amounts);
	unsigned figures = (unsigned)strlen(amount) - 1;

	if (between >= figures && draft_one_in(d, 2)) {
		/* "wages" ends, "sewage" begins, with letters that are not the word's */
		word = pay_words[gen_pick(&d->r, 11)];
		lh_buf_puts(b, amount);
		put_filler(d, b, between - figures);
		lh_buf_puts(b, word);
		return;
	}
	if (word[strlen(word) - 1] == 's' && between)
		between--;
	lh_buf_puts(b, word);
	put_filler(d, b, between);
	lh_buf_puts(b, amount);
}

/* Address the body to who, or (false) to nobody in particular. */
static bool put_greeting(struct message *m, struct lh_buf *b)
{
	const struct gen_person *p = &m->d->people[m->who];
	const char *first = p->first, *last = p->last, *accent = strstr(first, "é");
	struct draft *d = m->d;
	char equal[DRAFT_TEXT];

	switch (gen_pick(&d->r, 8)) {
	case 0:
		lh_buf_puts(b, "Hello,");
		return false;
	case 1:
		if (accent)	/* another letter: only ASCII is folded */
			lh_buf_printf(b, "Hi %.*sÉ%s,", (int)(accent - first), first,
				      accent + strlen("é"));
		else
			lh_buf_printf(b, "Hi %s,", strcasestr(last, first) ? "you" : last);
		return false;
	case 2:
		lh_buf_printf(b, "Re%ss:", first);
		return true;
	case 3:
		lh_buf_printf(b, "Dear %s %s,", first, last);
		return true;
	default:
		draft_equal(d, first, equal);
		lh_buf_printf(b, "Hi %s,", equal);
		return true;
	}
}

static void put_space(struct draft *d, struct lh_buf *b)
{
	static const char *const space[] = { " ", " ", " ", "\n", "\n\n" };

	if (b->len)
		lh_buf_puts(b, DRAFT_ONE_OF(d, space));
}

static void put_planted(struct message *m, struct lh_buf *b)
{
	static const unsigned char near[] = { 0, 1, 2, 7, PAY_NEAR - 1, PAY_NEAR, PAY_NEAR };

	if (m->fault[SSN_BODY]) {
		put_space(m->d, b);
		put_digits(m->d, b, DRAFT_ONE_OF(m->d, around_ssn));
	}
	if (m->fault[PAY_BODY]) {
		put_space(m->d, b);
		put_pay(m->d, b, DRAFT_ONE_OF(m->d, near));
	}
}

/* Lengthen the text to that many code points. */
static void pad(struct draft *d, struct lh_buf *b, unsigned to)
{
	unsigned have = points(b->p, b->len);

	if (have >= to)
		return;
	lh_buf_putc(b, ' ');
	put_filler(d, b, to - have - 1);
}

static void put_body(struct message *m)
{
	struct draft *d = m->d;
	struct lh_buf *b = draft_scratch(d);
	bool planted = m->fault[SSN_BODY] || m->fault[PAY_BODY], early = draft_one_in(d, 2), named;

	if (early)
		put_planted(m, b);
	put_space(d, b);
	named = put_greeting(m, b);
	if (!m->sms || !planted) {
		for (unsigned n = gen_pick(&d->r, m->sms ? 2 : 5); n--; ) {
			put_space(d, b);
			lh_buf_puts(b, DRAFT_ONE_OF(d, prose));
		}
		for (unsigned n = gen_pick(&d->r, m->sms ? 2 : 4); n--; ) {
			put_space(d, b);
			put_digits(d, b, DRAFT_ONE_OF(d, looks_like_ssn));
		}
		if (!m->fault[PAY_BODY] && draft_one_in(d, 4)) {
			put_space(d, b);
			if (draft_one_in(d, 3))
				put_pay(d, b, PAY_NEAR + 1 +
					      (draft_one_in(d, 2) ? 0 : gen_pick(&d->r, 5)));
			else
				lh_buf_puts(b, DRAFT_ONE_OF(d, looks_like_pay));
		}
	}
	if (!early)
		put_planted(m, b);
	if (m->fault[LONG_BODY])
		pad(d, b, SMS_MOST + 1 + (draft_one_in(d, 2) ? 0 : gen_pick(&d->r, 200)));
	else if (draft_one_in(d, 6))
		pad(d, b, SMS_MOST);
	m->body_points = points(b->p, b->len);
	draft_json(&d->artifact, "body", "");
	lh_buf_json(&d->artifact, b->p, b->len);
	if (m->about && !named) {
		char name[DRAFT_TEXT];

		draft_name(d, m->who, name);
		draft_warn(d, "body", "body does not mention '%s'", name);
	}
}

static void put_subject(struct message *m)
{
	static const char *const no_strings[] = { "5", "[]", "{}", "false", "[\"Shift\"]" };
	struct draft *d = m->d;
	struct lh_buf *b = draft_scratch(d);

	if (m->fault[NO_SUBJECT]) {
		draft_json(&d->artifact, "subject", DRAFT_ONE_OF(d, no_strings));
		return;
	}
	lh_buf_puts(b, DRAFT_ONE_OF(d, subjects));
	if (m->fault[SSN_SUBJECT]) {
		put_space(d, b);
		put_digits(d, b, DRAFT_ONE_OF(d, around_ssn));
	} else if (draft_one_in(d, 6)) {
		put_space(d, b);
		put_digits(d, b, DRAFT_ONE_OF(d, looks_like_ssn));
	}
	if (m->fault[PAY_SUBJECT]) {
		put_space(d, b);
		put_pay(d, b, 9);
	} else if (draft_one_in(d, 12)) {
		lh_buf_puts(b, " wage");	/* the amount, if any, is in the body */
	}
	if (m->fault[LONG_SUBJECT])
		pad(d, b, SUBJECT_MOST + 1 + (draft_one_in(d, 2) ? 0 : gen_pick(&d->r, 60)));
	else if (draft_one_in(d, 6))
		pad(d, b, SUBJECT_MOST);
	m->subject_points = points(b->p, b->len);
	draft_json(&d->artifact, "subject", "");
	lh_buf_json(&d->artifact, b->p, b->len);
}

static void put_address(struct lh_buf *b, const struct gen_person *p, unsigned who)
{
	gen_mail(b, p->first);
	lh_buf_putc(b, '.');
	gen_mail(b, p->last);
	lh_buf_printf(b, "%u@example.com", who + 1);
}

static void put_to(struct message *m)
{
	const struct gen_person *p = &m->d->people[m->who];
	struct lh_buf *b = &m->d->artifact;

	if (m->fault[NO_TO]) {
		draft_no_text(m->d, b, "to");
		return;
	}
	draft_json(b, "to", "\"");
	if (draft_one_in(m->d, 30))
		/* the validator does not check "to" */
		lh_buf_puts(b, "123-45-6789: salary $5");
	else if (m->sms)
		lh_buf_printf(b, "+1-%s-555-0%u", p->city->area, 100 + gen_pick(&m->d->r, 100));
	else
		put_address(b, p, m->who);
	lh_buf_putc(b, '"');
}

static void describe_case(struct message *m)
{
	struct draft *d = m->d;

	if (m->fault[NO_TO])
		draft_misshapen(d, "to", "missing");
	if (m->fault[NO_BODY])
		draft_misshapen(d, "body", "missing");
	if (m->fault[NO_SUBJECT])
		draft_misshapen(d, "subject", "expected string");
	if (m->fault[LONG_BODY])
		draft_refuse(d, "Completeness", "SMS body is %u chars (max 160)", m->body_points);
	if (m->fault[LONG_SUBJECT])
		draft_refuse(d, "Completeness", "subject is %u chars (max 78)", m->subject_points);
	/* one text for both, as in the other runtimes */
	if (m->fault[SSN_SUBJECT] || m->fault[SSN_BODY])
		draft_refuse(d, "Policy", "SSN-shaped sequence in body");
	if (m->fault[PAY_SUBJECT] || m->fault[PAY_BODY])
		draft_refuse(d, "Policy", "salary disclosure: keyword near dollar amount");
	if (m->fault[GHOST])
		draft_refuse(d, "Consistency",
			     "_context.candidate_id '%s' does not exist in worker roster", m->id);
}

static void draft_message(struct draft *d)
{
	struct message m;
	bool subject_wrong, inside = d->kind == DRAFT_EMAIL && draft_one_in(d, 10);
	char id[DRAFT_TEXT];

	memset(&m, 0, sizeof(m));
	m.d = d;
	m.sms = d->kind == DRAFT_SMS || inside;
	m.who = gen_pick(&d->r, d->n_people);
	/* Half of the messages are correct; of the others one in four has two faults. */
	if (draft_one_in(d, 2)) {
		m.fault[1 + gen_pick(&d->r, FAULTS - 1)] = true;
		if (draft_one_in(d, 4))
			m.fault[1 + gen_pick(&d->r, FAULTS - 1)] = true;
	}
	if (!m.sms)
		m.fault[LONG_BODY] = false;
	m.about = !m.fault[GHOST] && draft_one_in(d, 2);
	subject_wrong = m.fault[NO_SUBJECT] || m.fault[LONG_SUBJECT] || m.fault[SSN_SUBJECT] ||
		m.fault[PAY_SUBJECT];
	if (inside)
		draft_text(&d->artifact, "kind", "sms");
	else if (draft_one_in(d, 10))
		draft_text(&d->artifact, "kind", d->kind == DRAFT_SMS ? "sms" : "email");
	put_to(&m);
	if (subject_wrong || (m.sms ? draft_one_in(d, 6) : !draft_one_in(d, 4)))
		put_subject(&m);
	else if (draft_one_in(d, 4))
		draft_json(&d->artifact, "subject", "null");
	if (m.fault[NO_BODY])
		draft_no_text(d, &d->artifact, "body");
	else
		put_body(&m);
	if (m.fault[GHOST]) {
		draft_ghost(d, m.id);
		draft_text(&d->context, "candidate_id", m.id);
	} else if (m.about) {
		draft_id(m.who, id);
		draft_equal(d, id, m.id);
		draft_text(&d->context, "candidate_id", m.id);
	} else if (draft_one_in(d, 6)) {
		draft_json(&d->context, "candidate_id", draft_one_in(d, 2) ? "null" : "\"\"");
	}
	describe_case(&m);
}

/* ---- the request around an artifact, and its verdict ---- */

struct gen_drafts {
	uint64_t seed;
	enum draft_kind kinds;
	struct gen_person *people;
	struct draft d;
};

static const char *const kind_names[] = { "fill", "email", "sms", "playbook" };

static const char *const unknown_kinds[] = { "nonsense", "Fill", "EMAIL", "sms ", "", "playbooks",
					     "résumé" };
static const char *const no_artifacts[] = { "null", "[]", LH_JSON([{"fills":[]}]), "\"fills\"",
					    "17", "true", "\"\"" };
static const char *const no_contexts[] = { "[]", LH_JSON([{"city":"Gary"}]), "\"Gary\"", "17",
					   "false", "\"\"" };

/* The members of a context, each with a value of another type. */
static const struct {
	const char *member, *value, *must;
} bad_contexts[] = {
	{ "target_count", "\"3\"", "a whole number" }, { "target_count", "1.5", "a whole number" },
	{ "target_count", "[2]", "a whole number" }, { "target_count", "true", "a whole number" },
	{ "city", "7", "a string" }, { "state", "{}", "a string" },
	{ "role", "[\"Welder\"]", "a string" },
	{ "client_id", "false", "a string" }, { "candidate_id", "17", "a string" },
};
#define COUNTS 4		/* the first: target_count */
#define FILL_CONTEXTS 8		/* the first: those that a fill uses */
#define MESSAGE_CONTEXT 8	/* the one that messages use */

/* A context that every draft fails, for places that must be ignored. */
static const char decoy[] = LH_JSON(
	"target_count":97,"city":"Nowhere","state":"ZZ","role":"Astronaut","candidate_id":"w-0");

struct gen_drafts *gen_drafts_new(uint64_t seed, unsigned n, enum draft_kind kinds)
{
	struct gen_drafts *g = lh_calloc(1, sizeof(*g));
	struct draft *d = &g->d;

	g->seed = seed;
	g->kinds = kinds;
	g->people = lh_calloc(n, sizeof(*g->people));
	for (unsigned i = 0; i < n; i++)
		gen_person(&g->people[i], &d->text, seed, i);
	d->people = g->people;
	d->n_people = n;
	return g;
}

void gen_drafts_free(struct gen_drafts *g)
{
	if (!g)
		return;
	lh_buf_free(&g->d.artifact);
	lh_buf_free(&g->d.context);
	lh_buf_free(&g->d.findings);
	lh_buf_free(&g->d.error);
	lh_buf_free(&g->d.text);
	free(g->people);
	free(g);
}

static void put_object(struct lh_buf *b, const char *name, const char *members, size_t n)
{
	draft_json(b, name, "{");
	lh_buf_add(b, members, n);
	lh_buf_putc(b, '}');
}

/* Append the artifact and, next to it or within it, the context. */
static void put_artifact(struct draft *d, struct lh_buf *out)
{
	const struct lh_buf *context = &d->context;
	bool inside = context->len && draft_one_in(d, 4);
	bool replaces = !inside && draft_one_in(d, 8);

	if (inside)
		put_object(&d->artifact, "_context", context->p, context->len);
	else if (replaces)
		put_object(&d->artifact, "_context", decoy, sizeof(decoy) - 1);
	put_object(out, "artifact", d->artifact.p, d->artifact.len);
	if (replaces || (context->len && !inside))
		put_object(out, "context", context->p, context->len);
	else if (draft_one_in(d, 8))
		draft_json(out, "context", "null");
}

/* Begin the member with the answer of lh-validate: its status. */
static struct lh_writer begin_expected(struct lh_buf *out, unsigned status)
{
	struct lh_writer json = lh_write_in_object(out);

	lh_write_object(&json, "expect");
	lh_write_u64(&json, "status", status);
	return json;
}

static void end_expected(struct lh_writer *json)
{
	lh_write_end(json);
	lh_write_end(json);
	lh_buf_putc(json->out, '\n');
}

static void put_bad_context(struct draft *d, struct lh_buf *out, struct lh_buf *message)
{
	unsigned which;

	if (draft_one_in(d, 2)) {
		draft_json(out, "context", DRAFT_ONE_OF(d, no_contexts));
		lh_buf_puts(message, "context must be an object");
		return;
	}
	if (d->kind == DRAFT_FILL)
		which = gen_pick(&d->r, FILL_CONTEXTS);
	else
		which = d->kind == DRAFT_PLAYBOOK ? gen_pick(&d->r, COUNTS) : MESSAGE_CONTEXT;
	draft_json(out, "context", "{");
	draft_json(out, bad_contexts[which].member, bad_contexts[which].value);
	lh_buf_putc(out, '}');
	lh_buf_printf(message, "context.%s must be %s", bad_contexts[which].member,
		      bad_contexts[which].must);
}

/* Append a request that is refused for a fault outside of the artifact. */
static void put_unfit(struct draft *d, struct lh_buf *out)
{
	bool odd_kind = draft_one_in(d, 4), odd_artifact = draft_one_in(d, 3);
	const char *kind = odd_kind ? DRAFT_ONE_OF(d, unknown_kinds) : kind_names[d->kind];
	struct lh_buf *message = draft_scratch(d);
	struct lh_writer json;

	draft_text(out, "kind", kind);
	if (odd_artifact)
		draft_json(out, "artifact", DRAFT_ONE_OF(d, no_artifacts));
	else
		put_object(out, "artifact", d->artifact.p, d->artifact.len);
	if (odd_kind)
		lh_buf_printf(message,
			      "unknown kind \"%s\" (expected fill, email, sms or playbook)", kind);
	else if (odd_artifact)
		lh_buf_puts(message, "artifact must be an object");
	else
		put_bad_context(d, out, message);
	json = begin_expected(out, 400);
	lh_write_object(&json, "error");
	lh_write_str(&json, "message", (struct lh_str){ message->p, message->len });
	lh_write_end(&json);
	end_expected(&json);
}

void gen_draft(struct gen_drafts *g, struct lh_buf *out, uint64_t i)
{
	static const enum draft_kind often[] = { DRAFT_FILL, DRAFT_FILL, DRAFT_FILL, DRAFT_EMAIL,
						 DRAFT_EMAIL, DRAFT_EMAIL, DRAFT_SMS, DRAFT_SMS,
						 DRAFT_PLAYBOOK };
	struct draft *d = &g->d;

	d->r = gen_row(g->seed, GEN_DRAFT, i);
	d->kind = g->kinds == DRAFT_ALL ? DRAFT_ONE_OF(d, often) : g->kinds;
	lh_buf_reset(&d->artifact);
	lh_buf_reset(&d->context);
	lh_buf_reset(&d->findings);
	lh_buf_reset(&d->error);
	lh_buf_reset(&d->text);
	if (d->kind == DRAFT_FILL)
		draft_fill(d);
	else if (d->kind == DRAFT_PLAYBOOK)
		draft_playbook(d);
	else
		draft_message(d);
	lh_buf_putc(out, '{');
	if (draft_one_in(d, 40)) {
		put_unfit(d, out);
	} else {
		struct lh_writer json;

		draft_text(out, "kind", kind_names[d->kind]);
		put_artifact(d, out);
		json = begin_expected(out, d->error.len ? 422 : 200);
		if (d->error.len) {
			lh_write_raw(&json, "error", (struct lh_str){ d->error.p, d->error.len });
		} else {
			lh_write_object(&json, "report");
			lh_write_array(&json, "findings");
			lh_buf_add(out, d->findings.p, d->findings.len);
			lh_write_end(&json);
			lh_write_u64(&json, "elapsed_ms", 0);
			lh_write_end(&json);
		}
		end_expected(&json);
	}
}
