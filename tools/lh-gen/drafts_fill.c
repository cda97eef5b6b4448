/* drafts_fill.c - lh-gen drafts: fills, playbooks, and the parts of all kinds.  See gen.h. */
#include <stdarg.h>

#include "gen.h"

/* ---- the parts of drafts of every kind ---- */

#define LOOKS 3000	/* workers tried before giving up */

static void put_reason(struct lh_writer *json, const char *name, const char *fmt, va_list ap)
{
	char reason[DRAFT_TEXT];
	int n = vsnprintf(reason, sizeof(reason), fmt, ap);

	if (n < 0)
		reason[0] = '\0';
	lh_write_text(json, name, reason);
}

void draft_refuse(struct draft *d, const char *variant, const char *fmt, ...)
{
	struct lh_writer json = lh_write_to(&d->error);
	va_list ap;

	if (d->error.len)
		return;
	lh_write_object(&json, NULL);
	lh_write_object(&json, variant);
	va_start(ap, fmt);
	put_reason(&json, "reason", fmt, ap);
	va_end(ap);
	lh_write_end(&json);
	lh_write_end(&json);
}

void draft_misshapen(struct draft *d, const char *field, const char *fmt, ...)
{
	struct lh_writer json = lh_write_to(&d->error);
	va_list ap;

	if (d->error.len)
		return;
	lh_write_object(&json, NULL);
	lh_write_object(&json, "Schema");
	lh_write_text(&json, "field", field);
	va_start(ap, fmt);
	put_reason(&json, "reason", fmt, ap);
	va_end(ap);
	lh_write_end(&json);
	lh_write_end(&json);
}

void draft_warn(struct draft *d, const char *field, const char *fmt, ...)
{
	struct lh_writer json = lh_write_to(&d->findings);
	va_list ap;

	json.comma = d->findings.len > 0;
	lh_write_object(&json, NULL);
	lh_write_text(&json, "field", field);
	lh_write_text(&json, "severity", "warning");
	va_start(ap, fmt);
	put_reason(&json, "message", fmt, ap);
	va_end(ap);
	lh_write_end(&json);
}

struct lh_buf *draft_scratch(struct draft *d)
{
	lh_buf_reset(&d->text);
	return &d->text;
}

void draft_json(struct lh_buf *b, const char *name, const char *json)
{
	if (b->len && b->p[b->len - 1] != '{')
		lh_buf_putc(b, ',');
	lh_buf_json(b, name, strlen(name));
	lh_buf_putc(b, ':');
	lh_buf_puts(b, json);
}

void draft_text(struct lh_buf *b, const char *name, const char *text)
{
	draft_json(b, name, "");
	lh_buf_json(b, text, strlen(text));
}

static void draft_number(struct lh_buf *b, const char *name, unsigned value)
{
	draft_json(b, name, "");
	lh_buf_u64(b, value);
}

void draft_no_text(struct draft *d, struct lh_buf *b, const char *name)
{
	static const char *const none[] = { "null", "\"\"", "\"  \"", "\"\\t\"", "17", "[\"w-1\"]",
					    LH_JSON({"text":"w-1"}), "true" };

	if (!draft_one_in(d, 3))
		draft_json(b, name, DRAFT_ONE_OF(d, none));
}

void draft_id(unsigned who, char *to)
{
	snprintf(to, DRAFT_TEXT, "w-%u", who + 1);
}

void draft_name(const struct draft *d, unsigned who, char *to)
{
	snprintf(to, DRAFT_TEXT, "%s %s", d->people[who].first, d->people[who].last);
}

void draft_ghost(struct draft *d, char *to)
{
	static const char *const ghosts[] = { "w-0", "w-01", "w", "1", "W-GHOST-1", "w-1 w-2",
					      "w-1,w-2", "w\\1", "w-\"1\"", "ｗ-1", "w-1'",
					      "new\nline", "w-1.0" };

	if (draft_one_in(d, 2))
		snprintf(to, DRAFT_TEXT, "w-%u", d->n_people + 1 + gen_pick(&d->r, 100000));
	else
		snprintf(to, DRAFT_TEXT, "%s", DRAFT_ONE_OF(d, ghosts));
}

/* ASCII only, because comparisons fold only that. */
static void recase(char *s, char from, char to)
{
	for (; *s; s++)
		if (*s >= from && *s <= from + 25)
			*s = (char)(*s - from + to);
}

void draft_equal(struct draft *d, const char *s, char *to)
{
	static const struct {
		const char *before, *after;
	} around[] = { { "", "" }, { "", "" }, { " ", "" }, { "", " " }, { "  ", "  " },
		       { "\t", "" }, { "", "\r\n" } };
	unsigned how = gen_pick(&d->r, 3 * sizeof(around) / sizeof(*around));
	bool plain = how >= sizeof(around) / sizeof(*around);

	snprintf(to, DRAFT_TEXT, "%s%s%s", plain ? "" : around[how].before, s,
		 plain ? "" : around[how].after);
	if (plain)
		return;
	how = gen_pick(&d->r, 3);
	if (how == 0)
		recase(to, 'a', 'A');
	else if (how == 1)
		recase(to, 'A', 'a');
}

/* Return a worker for whom fits returns true, or -1 if none of some thousand is. */
static long draft_find(struct draft *d, bool (*fits)(const void *ctx, unsigned who),
		       const void *ctx)
{
	unsigned at = gen_pick(&d->r, d->n_people);

	for (unsigned i = 0; i < d->n_people && i < LOOKS; i++) {
		if (fits(ctx, at))
			return at;
		if (++at == d->n_people)
			at = 0;
	}
	return -1;
}

/* ---- fills ---- */

#define MOST 40	/* workers in one fill; rarely more than a few */

/* The faults of a fill, in the order in which a validator finds them. */
enum fault {
	SOUND, NO_ARRAY, NO_OBJECT, NO_ID, NO_NAME, COUNT, DUPLICATE, GHOST, INACTIVE, BANNED, CITY,
		STATE, ROLE, FAULTS
};

/* The properties required of a worker in the fill; NULL: any. */
struct want {
	const struct gen_person *people;
	const char *client, *city, *state, *role;	/* as in the roster */
	enum fault but;					/* except for this fault */
	const unsigned *taken;
	unsigned n_taken;
};

struct fill {
	struct draft *d;
	enum fault fault[2];
	struct want want;
	unsigned who[MOST], n;
	enum fault wrong[MOST];		/* the fault of that entry */
	/* as in the context */
	char client[DRAFT_TEXT], city[DRAFT_TEXT], state[DRAFT_TEXT], role[DRAFT_TEXT];
	char id[DRAFT_TEXT], name[DRAFT_TEXT];
};

static bool banned(const struct gen_person *p, const char *client)
{
	for (unsigned i = 0; client && i < p->n_banned; i++)
		if (!strcmp(p->banned[i], client))
			return true;
	return false;
}

static bool same(const char *wanted, const char *have)
{
	return !wanted || !strcmp(wanted, have);
}

static bool is_candidate(const void *ctx, unsigned who)
{
	const struct want *w = ctx;
	const struct gen_person *p = &w->people[who];
	bool active = !strcmp(p->status, "active");

	for (unsigned i = 0; i < w->n_taken; i++)
		if (w->taken[i] == who)
			return false;
	switch (w->but) {
	case INACTIVE:
		return !active;
	case BANNED:
		return active && (w->client ? banned(p, w->client) : p->n_banned);
	case CITY:
		return active && !banned(p, w->client) && !same(w->city, p->city->name);
	case STATE:
		return active && !banned(p, w->client) && same(w->city, p->city->name) &&
			!same(w->state, p->city->state);
	case ROLE:
		return active && !banned(p, w->client) && same(w->city, p->city->name) &&
			same(w->state, p->city->state) && !same(w->role, p->role);
	default:
		return active && !banned(p, w->client) && same(w->city, p->city->name) &&
			same(w->state, p->city->state) && same(w->role, p->role);
	}
}

static long find_person(struct fill *f, enum fault but)
{
	f->want.but = but;
	f->want.taken = f->who;
	f->want.n_taken = f->n;
	return draft_find(f->d, is_candidate, &f->want);
}

static bool has_fault(const struct fill *f, enum fault fault)
{
	return f->fault[0] == fault || f->fault[1] == fault;
}

/* Choose the contract, and workers who fit it. */
static void choose_people(struct fill *f)
{
	struct want *w = &f->want;
	struct draft *d = f->d;
	unsigned wanted = 1 + gen_pick(&d->r, draft_one_in(d, 50) ? MOST : 1 + gen_pick(&d->r, 8));
	const struct gen_person *p;
	long first, banned_one = -1;

	w->people = d->people;
	if (has_fault(f, BANNED) && (banned_one = find_person(f, BANNED)) >= 0)
		w->client = d->people[banned_one].banned[0];
	first = find_person(f, SOUND);
	if (first < 0)
		return;
	f->who[f->n++] = (unsigned)first;
	p = &d->people[first];
	if (!w->client && !has_fault(f, BANNED) && !draft_one_in(d, 3))
		w->client = gen_client(&d->r, p->city);
	if (banned(p, w->client))
		w->client = NULL;
	if (has_fault(f, CITY) || (!has_fault(f, STATE) && draft_one_in(d, 2)))
		w->city = p->city->name;
	if (has_fault(f, STATE) || draft_one_in(d, 2))
		w->state = p->city->state;
	if (has_fault(f, ROLE) || draft_one_in(d, 2))
		w->role = p->role;
	while (f->n < wanted) {
		long next = find_person(f, SOUND);

		if (next < 0)
			break;
		f->who[f->n++] = (unsigned)next;
	}
}

/* Add a fault to an entry; a fault that these workers cannot have becomes an
 * unknown id. */
static void add_fault(struct fill *f, enum fault fault)
{
	unsigned at = gen_pick(&f->d->r, f->n);

	if (fault < NO_OBJECT || fault == COUNT || f->wrong[at])
		return;
	f->wrong[at] = fault;
	if (fault == DUPLICATE) {
		unsigned of = at ? gen_pick(&f->d->r, at) : 0;

		if (!at || (f->wrong[of] && f->wrong[of] != INACTIVE))
			f->wrong[at] = GHOST;
		else
			f->who[at] = f->who[of];
	} else if (fault >= INACTIVE) {
		long who = fault == BANNED && !f->want.client ? -1 : find_person(f, fault);

		if (who < 0)
			f->wrong[at] = GHOST;
		else
			f->who[at] = (unsigned)who;
	}
}

/* Append a member of the contract in one of its forms; one that is not required is
 * absent, null or empty. */
static void put_wanted(struct fill *f, const char *name, const char *value, char *written)
{
	if (value) {
		draft_equal(f->d, value, written);
		draft_text(&f->d->context, name, written);
	} else if (draft_one_in(f->d, 6)) {
		draft_json(&f->d->context, name, draft_one_in(f->d, 2) ? "null" : "\"\"");
	}
}

static void put_context(struct fill *f)
{
	struct lh_buf *c = &f->d->context;
	unsigned target = f->n;

	if (has_fault(f, COUNT)) {
		target = f->n > 1 && draft_one_in(f->d, 2) ? gen_pick(&f->d->r, f->n)
			: f->n + 1 + gen_pick(&f->d->r, 5);
		draft_refuse(f->d, "Completeness", "endorsed count (%u) != target_count (%u)", f->n,
			     target);
	}
	if (has_fault(f, COUNT) || !draft_one_in(f->d, 4))
		draft_number(c, "target_count", target);
	else if (draft_one_in(f->d, 4))
		draft_json(c, "target_count", "null");
	put_wanted(f, "city", f->want.city, f->city);
	put_wanted(f, "state", f->want.state, f->state);
	put_wanted(f, "role", f->want.role, f->role);
	put_wanted(f, "client_id", f->want.client, f->client);
	if (c->len && draft_one_in(f->d, 12))
		draft_text(c, "start", "06:00");
}

/* Choose the name next to worker who's id: the roster's, or another. */
static void set_name(struct fill *f, unsigned i, unsigned who)
{
	struct draft *d = f->d;
	char roster[DRAFT_TEXT], *accent;

	draft_name(d, who, roster);
	draft_equal(d, roster, f->name);
	if (!draft_one_in(d, 8))
		return;
	accent = strstr(roster, "é");
	if (accent && draft_one_in(d, 2)) {
		snprintf(f->name, DRAFT_TEXT, "%.*sÉ%s", (int)(accent - roster), roster,
			 accent + strlen("é"));
	} else {
		switch (gen_pick(&d->r, 3)) {
		case 0: snprintf(f->name, DRAFT_TEXT, "%s", d->people[who].first); break;
		case 1: snprintf(f->name, DRAFT_TEXT, "%s  %s", d->people[who].first,
				 d->people[who].last); break;
		case 2: snprintf(f->name, DRAFT_TEXT, "%s \"Ace\" %s", d->people[who].first,
				 d->people[who].last); break;
		}
	}
	if (f->wrong[i] == SOUND) {
		char field[DRAFT_TEXT];

		snprintf(field, sizeof(field), "fills[%u].name", i);
		draft_warn(d, field, "'%s' differs from roster name '%s'", f->name, roster);
	}
}

/* State why an entry that has an id and a name is refused. */
static void describe_case(struct fill *f, unsigned i)
{
	const struct gen_person *p = &f->d->people[f->who[i]];
	struct draft *d = f->d;

	switch (f->wrong[i]) {
	case DUPLICATE:
		draft_refuse(d, "Consistency", "duplicate candidate_id '%s' in fills", f->id);
		break;
	case GHOST:
		draft_refuse(d, "Consistency",
			     "fills[%u].candidate_id '%s' does not exist in worker roster", i,
			     f->id);
		break;
	case INACTIVE:
		draft_refuse(d, "Consistency",
			     "fills[%u] worker '%s' status is '%s', expected 'active'", i, f->id,
			     p->status);
		break;
	case BANNED:
		draft_refuse(d, "Policy", "fills[%u] worker '%s' is blacklisted for client '%s'", i,
			     f->id, f->client);
		break;
	case CITY:
		draft_refuse(d, "Consistency", "city '%s' doesn't match contract city '%s'",
			     p->city->name, f->city);
		break;
	case STATE:
		draft_refuse(d, "Consistency", "state '%s' doesn't match contract state '%s'",
			     p->city->state, f->state);
		break;
	case ROLE:
		draft_refuse(d, "Consistency", "role '%s' doesn't match contract role '%s'",
			     p->role, f->role);
		break;
	default:
		break;
	}
}

static void put_entry(struct fill *f, struct lh_buf *b, unsigned i)
{
	static const char *const no_objects[] = { "null", "\"w-1\"", "[\"w-1\",\"Ana\"]", "1",
						  "true" };
	struct draft *d = f->d;
	char id[DRAFT_TEXT];

	if (i)
		lh_buf_putc(b, ',');
	if (f->wrong[i] == NO_OBJECT) {
		lh_buf_puts(b, DRAFT_ONE_OF(d, no_objects));
		return;
	}
	draft_id(f->who[i], id);
	draft_equal(d, id, f->id);
	if (f->wrong[i] == GHOST)
		draft_ghost(d, f->id);
	set_name(f, i, f->who[i]);
	lh_buf_putc(b, '{');
	if (draft_one_in(d, 6))
		draft_json(b, "score", "0.930");
	if (f->wrong[i] == NO_ID)
		draft_no_text(d, b, "candidate_id");
	else
		draft_text(b, "candidate_id", f->id);
	if (f->wrong[i] == NO_NAME || (f->wrong[i] == NO_ID && draft_one_in(d, 2)))
		draft_no_text(d, b, "name");
	else
		draft_text(b, "name", f->name);
	lh_buf_putc(b, '}');
	describe_case(f, i);
}

static void put_fills(struct fill *f)
{
	static const char *const no_arrays[] =
		{ "null", "{}", LH_JSON({"candidate_id":"w-1","name":"Ana"}), "\"w-1\"", "3" };
	struct lh_buf *b = &f->d->artifact;

	if (has_fault(f, NO_ARRAY)) {
		if (!draft_one_in(f->d, 3))
			draft_json(b, "fills", DRAFT_ONE_OF(f->d, no_arrays));
		draft_text(b, "note", "two on the way");
		return;
	}
	draft_json(b, "fills", "[");
	for (unsigned i = 0; i < f->n; i++)
		put_entry(f, b, i);
	lh_buf_putc(b, ']');
	if (draft_one_in(f->d, 8))
		draft_text(b, "note", "salary $20, SSN 123-45-6789: not looked at in a fill");
}

void draft_fill(struct draft *d)
{
	struct fill f;
	char field[DRAFT_TEXT];

	memset(&f, 0, sizeof(f));
	f.d = d;
	/* Half of the fills are correct; of the others one in four has two faults. */
	if (!draft_one_in(d, 2)) {
		f.fault[0] = 1 + gen_pick(&d->r, FAULTS - 1);
		if (draft_one_in(d, 4))
			/* a second place would cancel the first */
			f.fault[1] = 1 + gen_pick(&d->r, BANNED);
	}
	if (!draft_one_in(d, 40))	/* else none: an empty fill is a fill as well */
		choose_people(&f);
	for (unsigned i = 0; f.n && i < 2; i++)
		add_fault(&f, f.fault[i]);
	/* State the faults that are found before any worker is checked. */
	if (has_fault(&f, NO_ARRAY))
		draft_misshapen(f.d, "fills", "expected array");
	for (unsigned i = 0; i < f.n; i++) {
		if (f.wrong[i] < NO_OBJECT || f.wrong[i] > NO_NAME)
			continue;
		snprintf(field, sizeof(field), "fills[%u].%s", i,
			 f.wrong[i] == NO_NAME ? "name" : "candidate_id");
		draft_misshapen(f.d, field, "missing");
	}
	put_context(&f);
	put_fills(&f);
}

/* ---- playbooks ---- */

enum flaw { FLAWLESS, NO_OPERATION, OTHER_OPERATION, NOT_ARRAY, NOBODY, TOO_MANY, NO_FINGERPRINT,
	     FLAWS };

static bool has(const enum flaw *fault, enum flaw which)
{
	return fault[0] == which || fault[1] == which;
}

static void put_operation(struct draft *d, const enum flaw *fault)
{
	static const char *const others[] = { "sms_draft: hello", "", "fil: Welder",
					      "refill: Welder", "fill", "say \"fill:\"",
					      "füll: Schweißer", "a\tb\nfill:", "fill\\: x" };
	struct lh_buf *got = draft_scratch(d);
	const char *other;
	struct gen_scene s;

	gen_scene(&d->r, &s);
	if (has(fault, NO_OPERATION)) {
		static const char *const none[] = { "null", "7", "[\"fill: x\"]", "{}" };

		if (!draft_one_in(d, 3))
			draft_json(&d->artifact, "operation", DRAFT_ONE_OF(d, none));
		draft_misshapen(d, "operation", "missing");
	} else if (has(fault, OTHER_OPERATION)) {
		other = DRAFT_ONE_OF(d, others);
		draft_text(&d->artifact, "operation", other);
		lh_buf_json(got, other, strlen(other));
		draft_misshapen(d, "operation", "expected `fill: ...` prefix, got %.*s",
				(int)got->len, got->p ? got->p : "");
	} else {
		draft_json(&d->artifact, "operation", "\"");
		gen_fill(&d->artifact, draft_one_in(d, 10) ? "fill:" : "fill: %r x%n in %t, %s\"",
			 &s);
		if (d->artifact.p[d->artifact.len - 1] != '"')
			lh_buf_putc(&d->artifact, '"');
	}
}

/* The artifact's target counts, or the context's if it has none; without either
 * there is no maximum. */
static void put_target(struct draft *d, const enum flaw *fault, unsigned n)
{
	unsigned target = (n + 1) / 2 + gen_pick(&d->r, 4);

	if (has(fault, TOO_MANY)) {
		target = n ? gen_pick(&d->r, (n + 1) / 2) : 0;
		draft_refuse(d, "Completeness", "endorsed_names (%u) exceeds target_count × 2 (%u)",
			     n, target * 2);
	} else if (draft_one_in(d, 4)) {
		return;
	}
	switch (gen_pick(&d->r, 3)) {
	case 0:
		draft_number(&d->artifact, "target_count", target);
		break;
	case 1:
		draft_number(&d->context, "target_count", target);
		break;
	case 2:
		draft_number(&d->artifact, "target_count", target);
		draft_number(&d->context, "target_count", has(fault, TOO_MANY) ? 90 : 0);
		break;
	}
}

static void put_names(struct draft *d, const enum flaw *fault)
{
	static const char *const no_arrays[] = { "null", "\"Ana Smith\"", "{}", "2" };
	unsigned n = has(fault, NOBODY) ? 0 : 1 + gen_pick(&d->r, 6);
	char name[DRAFT_TEXT];

	if (has(fault, NOT_ARRAY)) {
		if (!draft_one_in(d, 3))
			draft_json(&d->artifact, "endorsed_names", DRAFT_ONE_OF(d, no_arrays));
		draft_misshapen(d, "endorsed_names", "expected array");
	} else {
		draft_json(&d->artifact, "endorsed_names", "[");
		for (unsigned i = 0; i < n; i++) {
			draft_name(d, gen_pick(&d->r, d->n_people), name);
			if (i)
				lh_buf_putc(&d->artifact, ',');
			lh_buf_json(&d->artifact, name, strlen(name));
		}
		lh_buf_putc(&d->artifact, ']');
		if (!n)
			draft_refuse(d, "Completeness", "endorsed_names must be non-empty");
	}
	put_target(d, fault, n);
}

void draft_playbook(struct draft *d)
{
	static const char *const no_prints[] = { "null", "\"\"", "12", "[\"ab12\"]" };
	enum flaw fault[2] = { FLAWLESS, FLAWLESS };

	if (draft_one_in(d, 2))
		fault[0] = 1 + gen_pick(&d->r, FLAWS - 1);
	if (fault[0] && draft_one_in(d, 4))
		fault[1] = 1 + gen_pick(&d->r, FLAWS - 1);
	put_operation(d, fault);
	put_names(d, fault);
	if (has(fault, NO_FINGERPRINT)) {
		if (!draft_one_in(d, 3))
			draft_json(&d->artifact, "fingerprint", DRAFT_ONE_OF(d, no_prints));
		draft_misshapen(d, "fingerprint",
				"missing — required for Phase 25 validity window");
	} else {
		draft_json(&d->artifact, "fingerprint", "");
		lh_buf_printf(&d->artifact, "\"%08x\"", gen_pick(&d->r, 1u << 31));
	}
}
