/* lh-gen drafts: the request around an artifact, and its verdict. */
#include "drafts.h"
#include "base/mem.h"

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
	d->artifact = (struct lh_buf){ 0 };
	d->context = (struct lh_buf){ 0 };
	d->findings = (struct lh_buf){ 0 };
	d->error = (struct lh_buf){ 0 };
	d->text = (struct lh_buf){ 0 };
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
