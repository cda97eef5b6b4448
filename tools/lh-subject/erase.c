/* erase.c - lh-subject erase: the plan, and the rounds that carry it out.  See erase.h. */
#include "erase.h"

#include <stdlib.h>

#include "base/mem.h"

#define ROUNDS 8

/* ---- the plan ---- */

/* Set what is done with a place of which nothing, or all, is changed. */
static void stays(struct target *t, const char *action, const char *why)
{
	t->action = action;
	t->why = why;
	t->works = false;
}

/* Choose what is done with a place. */
static void choose(const struct erasure *e, struct target *t)
{
	const struct place *p = place_of(e, t);
	const bool own = place_is_own(p, e->who->id);

	t->action = place_is[p->kind].action;
	t->works = place_is[p->kind].cut != CUT_NONE;
	if (own && p->kind == PLACE_MANIFEST && e->hits.erased)
		stays(t, "kept", "it says that the person was erased");
	else if (own && p->kind != PLACE_MANIFEST && !e->s->want.with_log)
		stays(t, "kept", p->why);
	else if (own && p->linked)
		stays(t, "by hand", "has another name");
	else if (own && p->kind != PLACE_MANIFEST)
		t->action = "remove";
	else if (own || t->rest[REST_LEFT] || !t->n)
		return;
	else if (place_is[p->kind].why && p->kind != PLACE_OTHER)
		stays(t, "kept", p->why);
	else if (t->rest[REST_BY_HAND])
		stays(t, "by hand", t->why);
	else
		stays(t, "look", NULL);
}

static size_t depth_of(const struct hits *h, const struct hit *hit)
{
	size_t depth = 0;

	for (; hit->via != NO_HIT && depth < h->n; hit = &h->v[hit->via])
		depth++;
	return depth;
}

static struct target *add_target(struct erasure *e, size_t place)
{
	lh_grow(&e->target, &e->cap_targets, e->n_targets + 1, sizeof *e->target);
	e->target[e->n_targets] = (struct target){ .place = place };
	return &e->target[e->n_targets++];
}

/* Add the target of hits [from, to), which are of one place. */
static void add_hits(struct erasure *e, size_t from, size_t to)
{
	struct target *t;
	size_t i, depth;

	if (place_is_list(&e->s->places.v[e->hits.v[from].place]))
		return;
	t = add_target(e, e->hits.v[from].place);
	t->hit = &e->hits.v[from];
	t->n = to - from;
	for (i = from; i < to; i++) {
		const struct hit *h = &e->hits.v[i];

		depth = depth_of(&e->hits, h);
		t->depth = depth > t->depth ? depth : t->depth;
		t->others += h->others;
		t->rest[h->rest == REST_UNLISTED ? REST_LOOK : h->rest]++;
		t->why = t->why ? t->why : h->why;
	}
	choose(e, t);
}

/* Return whether the round would change anything. */
static bool has_work(const struct erasure *e)
{
	size_t i = 0;

	while (i < e->n_targets && !e->target[i].works)
		i++;
	return i < e->n_targets;
}

/* Find the person in the places that are listed, and set the targets of the round, by path. */
static int plan(struct erasure *e)
{
	size_t i = 0, from, place, n = 0;
	bool works;

	hits_free(&e->hits);
	e->n_targets = 0;
	if (find_person(e->tool, e->s, e->who, &e->hits, e->err) < 0)
		return -1;
	for (place = 0; place < e->s->places.n; place++) {
		for (from = i; i < e->hits.n && e->hits.v[i].place == place; i++)
			;
		if (i > from)
			add_hits(e, from, i);
		else if (e->s->places.v[place].kind == PLACE_CACHE)	/* its keys are hashes */
			add_target(e, place);
	}
	works = has_work(e) || e->resumed;
	for (i = 0; i < e->n_targets; i++) {
		if (!e->target[i].n && works)
			choose(e, &e->target[i]);
		if (e->target[i].n || works)
			e->target[n++] = e->target[i];
	}
	e->n_targets = n;
	return 0;
}

/* ---- print ---- */

/* Note what stays in a snapshot for the receipt of the state. */
static void note_by_hand(struct erasure *e, const struct target *t, const char *why)
{
	struct lh_buf *to = &e->s->snapshot->by_hand;
	struct lh_writer w = lh_write_to(to);

	if (to->len)
		lh_buf_putc(to, ',');
	erasure_write_by_hand(e, &w, place_of(e, t), why);
}

static int print_target(struct erasure *e, const struct target *t, const char *action,
			const char *why, size_t rows)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	enum rest does = REST_KEPT;

	while (does < REST_LEFT && strcmp(action, rest_name[does]) != 0)
		does++;
	e->s->does = does > e->s->does ? does : e->s->does;
	if (e->s->snapshot && does == REST_BY_HAND)
		note_by_hand(e, t, why);
	if (e->s->snapshot && (does == REST_LEFT || does == REST_KEPT))
		return 0;
	lh_write_object(&w, NULL);
	place_write(&w, e->s, place_of(e, t));
	lh_write_text(&w, "action", action);
	lh_write_u64(&w, "rows", rows);
	if (t->others)
		lh_write_u64(&w, "others", t->others);
	if (why)
		lh_write_text(&w, "why", why);
	lh_write_end(&w);
	return print_line(e->tool, e->s, &line);
}

/* Print the plan, and set the verdict if some of it is by hand. */
static int print_plan(struct erasure *e)
{
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < e->n_targets; i++) {
		const struct target *t = &e->target[i];
		const bool kept = !strcmp(t->action, "kept");
		const size_t by_hand = t->rest[REST_BY_HAND], look = t->rest[REST_LOOK],
			     rows = t->rest[REST_LEFT] + t->rest[REST_KEPT];

		if (is_by_hand(t))
			set_status(e->tool, e->s, 1);
		if (t->works || rows || kept)
			rc = print_target(e, t, t->action, t->works ? NULL : t->why,
					  t->works || rows ? rows : by_hand + look);
		if (!rc && by_hand && !kept)
			rc = print_target(e, t, "by hand", t->why, by_hand);
		if (!rc && look && !kept)
			rc = print_target(e, t, "look", e->s->list ? "not in the list"
					  : "another person may have that name", look);
	}
	return rc;
}

/* Set what a snapshot has, of which no summary is printed. */
static int set_extent(struct erasure *e, const struct remains *left)
{
	struct extent *is = &e->s->snapshot->is;

	is->places = e->s->places.n;
	is->incomplete = e->hits.incomplete;
	is->remains = *left;
	return 0;
}

/* Print the summary with a sentence, which begins with that; left: what
 * remains, NULL: what was found. */
static int print_summary(struct erasure *e, struct lh_str receipt, const char *state,
			 const struct remains *left, const char *says)
{
	LH_SCOPED(lh_buf_free) struct lh_buf sentence = { 0 };
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	struct remains now;

	if (!left) {
		remains_of(NULL, e->s, e->who, &e->hits, &now);
		if (!e->s->snapshot)
			remains_add(&now, &e->in.remains);
		left = &now;
	}
	if (e->s->snapshot)
		return set_extent(e, left);
	lh_write_object(&w, NULL);
	lh_write_bool(&w, "summary", true);
	lh_write_str(&w, "candidate_id", e->who->id);
	if (receipt.p)
		lh_write_str(&w, "receipt", receipt);
	else
		lh_write_null(&w, "receipt");
	lh_write_text(&w, "state", state);
	lh_write_u64(&w, "look", left->look);
	lh_write_u64(&w, "by_hand", left->by_hand);
	lh_write_u64(&w, "opaque", left->opaque);
	write_searched(&w, e->who, NULL);
	lh_buf_puts(&sentence, says);
	put_snapshots(&sentence, e->s, &e->in);
	put_remains(&sentence, left);
	put_searched(&sentence, e->who);
	return end_summary(e->tool, e->s, &w, &sentence);
}

/* ---- rounds ---- */

static int by_order(const void *a, const void *b, void *context)
{
	const struct target *x = a, *y = b;
	const struct erasure *e = context;
	const unsigned r = place_is[place_of(e, x)->kind].rank,
		       s = place_is[place_of(e, y)->kind].rank;

	if (x->depth != y->depth)
		return x->depth > y->depth ? -1 : 1;
	return r != s ? r < s ? -1 : 1 : x->place < y->place ? -1 : 1;
}

static int apply(struct erasure *e)
{
	size_t i;

	qsort_r(e->target, e->n_targets, sizeof *e->target, by_order, e);
	for (i = 0; i < e->n_targets; i++) {
		if (!e->target[i].works)
			continue;
		if (cut_place(e, &e->target[i]) < 0)
			return -1;
		lh_tool_verbose(e->tool, "%s: done", place_of(e, &e->target[i])->path);
	}
	return erasure_settle(e);
}

/* Carry out the plan, and what is found after it; the list is there. */
static int carry_out(struct erasure *e)
{
	int rc = erasure_settle(e), round;
	size_t i;

	for (round = 0; !rc && has_work(e); round++)
		if (round == ROUNDS)
			rc = lh_err_set(e->err, LH_ELOCKED, "others wrote data of the person %d "
					"times meanwhile; run it again", ROUNDS);
		else
			rc = apply(e) < 0 || places_list(e->s, e->err) < 0 ? -1 : plan(e);
	for (i = 0; !rc && i < e->n_lines; i++)
		rc = place_settle(e, &e->line[i]);
	while (e->n_held)
		lh_root_close(e->held[--e->n_held].root);
	return rc ? rc : erase_end_log(e);
}

/* Return what an erasure has come to. */
static const char *state_of(const struct remains *left)
{
	return left->left || left->look || left->by_hand ? "erased in part" : "erased";
}

/* Finish if nothing is left. */
static int finish(struct erasure *e)
{
	struct remains left;
	char says[192];
	bool versions;

	if (places_list(e->s, e->err) < 0 || plan(e) < 0 || check_complete(&e->hits, e->err) < 0)
		return -1;
	remains_of(NULL, e->s, e->who, &e->hits, &left);
	if (left.left)
		return lh_err_set(e->err, LH_EDATA, "%s left, and no receipt was written: "
				  "lh-subject verify lists them",
				  LH_N(left.left, "row or text is|rows or texts are"));
	if (erasure_snapshots(e, true) < 0)
		return -1;
	remains_add(&left, &e->in.remains);
	if (erasure_finish(e, &left) < 0)
		return -1;
	versions = erasure_versions(e, NULL);
	if (left.look || left.by_hand || versions)
		set_status(e->tool, e->s, 1);
	snprintf(says, sizeof says, "%s%s%s%s, as the receipt %s says",
		 state_of(&left), e->in_snapshots ? ", also from " : "",
		 e->in_snapshots ? LH_N(e->in_snapshots, "snapshot") : "", versions
		 ? ", but for older versions of objects that S3 may keep" : "", e->id);
	return print_summary(e, lh_str_of(e->id), state_of(&left), &left, says);
}

/* ---- the command ---- */

/* End for a person who was erased before: what is left then and now is said again, since the roster
 * with the texts may be gone. */
static int end_before(struct erasure *e)
{
	struct remains left;
	char says[128] = "the person was erased before";

	if (check_complete(&e->hits, e->err) < 0)
		return -1;
	remains_of(NULL, e->s, e->who, &e->hits, &left);
	remains_add(&left, &e->in.remains);
	erasure_left_before(e, &left);
	if (left.left || left.look || left.by_hand)
		set_status(e->tool, e->s, 1);
	snprintf(says, sizeof says, "the person was %s before", state_of(&left));
	if (left.left)
		snprintf(says + strlen(says), sizeof says - strlen(says), "; %s left",
			 LH_N(left.left, "row or text is|rows or texts are"));
	return print_summary(e, e->before.id, state_of(&left), &left, says);
}

/* Refuse to search for the id alone, unless that is asked for. */
static int check_texts(struct erasure *e)
{
	if (e->who->n_also || e->s->want.id_only || e->resumed || !e->n_targets ||
	    (e->before.id.p && !has_work(e)))
		return 0;
	if (e->s->want.apply)
		return lh_tool_usage(e->tool, "no roster has the person, so that names, e-mail "
				     "addresses and telephones would not be searched: --also TEXT "
				     "names them, --id-only erases by the id alone");
	lh_tool_message(e->tool, "no roster has the person: --apply needs --also TEXT or "
			"--id-only");
	return 0;
}

/* Lock the roots before the person is found: no run makes rows from what is found meanwhile. */
static int hold_roots(struct erasure *e)
{
	size_t i;

	for (i = 0; i < e->s->places.n; i++)
		if (e->s->places.v[i].root && erase_hold_root(e, e->s->places.v[i].root) < 0)
			return -1;
	return places_list(e->s, e->err);
}

static bool stays_in_snapshots(const struct erasure *e)
{
	return e->in.remains.look || e->in.remains.by_hand;
}

static int run(struct erasure *e)
{
	const struct lh_str before = e->before.id;
	bool any;

	if ((e->s->want.apply && hold_roots(e) < 0) || erasure_check(e) < 0 || plan(e) < 0 ||
	    check_texts(e) < 0)
		return -1;
	/* who erases leaves the row `erased` */
	if (!e->s->want.apply && has_work(e) &&
	    looked(e->tool, e->s, e->who, &e->hits, false, "erase, a plan") < 0)
		return -1;
	if (print_plan(e) < 0)
		return -1;
	any = has_work(e) || e->resumed;
	/* an erasure that has work looks there at its end */
	if ((!any || !e->s->want.apply) && erasure_snapshots(e, false) < 0)
		return -1;
	any |= e->in_snapshots > 0;
	if (!any && before.p)
		return end_before(e);
	if (e->hits.incomplete || e->in.incomplete)
		set_status(e->tool, e->s, 2);
	if (!any && !e->n_targets && !stays_in_snapshots(e)) {
		set_status(e->tool, e->s, 1);
		return print_summary(e, before, "not found", NULL,
				     "nothing of the person was found");
	}
	if (!e->s->want.apply && e->resumed)
		return print_summary(e, before, "begun", NULL, "an erasure was begun, and goes on "
				     "with --apply");
	if (!e->s->want.apply)
		return print_summary(e, before, "planned", NULL, "this is a plan, and nothing was "
				     "changed");
	if (before.p && !e->resumed)
		lh_tool_message(e->tool, "the person was erased before, by %.*s, and is there "
				"again", (int)before.n, before.p);
	if (!e->resumed && erasure_begin(e) < 0)
		return -1;
	return carry_out(e) < 0 ? -1 : finish(e);
}

/* Refuse a reason that would leave the person in the receipt. */
static int check_reason(struct erasure *e)
{
	struct match m = { .others = 0 };
	const char *reason = e->s->reason ? e->s->reason : "";
	const bool named = person_match_bytes(e->who, reason, strlen(reason), &m);

	lh_buf_free(&m.members);
	if (named && (m.also || !e->who->number))
		return lh_tool_usage(e->tool, "--reason: names the person, whom the receipt must "
				     "not have");
	return 0;
}

static int erase_person(struct lh_tool *tool, struct settings *s, struct person *who)
{
	struct erasure e = ERASURE(tool, s, who);
	const struct wants want = s->want;
	int rc;

	who->thorough = true;
	rc = read_keys(tool, s, &e.keys) < 0 || (want.apply && erasure_lock(&e) < 0) ||
	     erasure_open(&e) < 0 || check_reason(&e) < 0 ? -1 : run(&e);
	erasure_close(&e);
	s->want = want;		/* a list that was begun asks for more */
	return rc;
}

/* Erase each person who is asked about; with --list the one of its rows. */
static int erase_listed(struct lh_tool *tool, struct settings *s)
{
	const struct lh_str id = { s->listed_id.p, s->listed_id.len };
	const struct asked asked = { .id = id };
	const char *given = tool->n_operands ? tool->operands[0] : NULL;
	int rc;

	if (!id.n || s->asked)
		return each_person(tool, s, V_ERASE, erase_person);
	if (given && !lh_str_is(id, given, strlen(given)))
		return lh_tool_usage(tool, "--list: its rows are of \"%.*s\", not of \"%s\"",
				     (int)id.n, id.p, given);
	s->asked = &asked;
	rc = each_person(tool, s, V_ERASE, erase_person);
	s->asked = NULL;
	return rc;
}

int subject_erase(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;

	if (s->want.apply && (!s->reason || !*s->reason))
		return lh_tool_usage(tool, "--apply needs --reason TEXT, for the receipt");
	if (s->want.id_only && (s->want.from_roster || s->also.n))
		return lh_tool_usage(tool, "--id-only searches for no texts, which --from-roster "
				     "and --also name");
	if (!s->key_file.n)
		return lh_tool_usage(tool, "erase needs --key-file FILE, the key of the audit log");
	if (!s->subjects)
		return lh_tool_usage(tool, "erase needs --subjects DIR, where receipts are");
	if (!s->tlog != !s->tlog_key.n)
		return lh_tool_usage(tool, "--tlog DIR and --key-file-tlog FILE go together");
	if (s->snapshots.n && s->list)
		return lh_tool_usage(tool, "--list has rows of the state, not of --snapshots");
	return read_listed(s, &tool->err) < 0 ? -1 : erase_listed(tool, s);
}
