/* lh-gen drafts: the request around an artifact, and its verdict. */
#include "drafts.h"
#include "gen.h"
#include "lh_mem.h"

struct gen_drafts {
	uint64_t seed;
	int kinds;
	struct gen_person *people;
	struct draft d;
};

static const char *const kind_names[] = { "fill", "email", "sms", "playbook" };

static const char *const unknown_kinds[] = { "nonsense", "Fill", "EMAIL", "sms ", "", "playbooks", "résumé" };
static const char *const no_artifacts[] = { "null", "[]", "[{\"fills\":[]}]", "\"fills\"", "17", "true", "\"\"" };
static const char *const no_contexts[] = { "[]", "[{\"city\":\"Gary\"}]", "\"Gary\"", "17", "false", "\"\"" };

/* What a context may hold, and a value that is of another type. */
static const struct {
	const char *member, *value, *must;
} bad_contexts[] = {
	{ "target_count", "\"3\"", "a whole number" }, { "target_count", "1.5", "a whole number" },
	{ "target_count", "[2]", "a whole number" }, { "city", "7", "a string" }, { "state", "{}", "a string" },
	{ "role", "[\"Welder\"]", "a string" }, { "client_id", "false", "a string" },
	{ "target_count", "true", "a whole number" }, { "candidate_id", "17", "a string" },
};
#define FILL_CONTEXTS 8
#define MESSAGE_CONTEXT 8

/* A context that no draft gets past, to stand where it must not be looked at. */
static const char decoy[] = "\"target_count\":97,\"city\":\"Nowhere\",\"state\":\"ZZ\",\"role\":\"Astronaut\",\"candidate_id\":\"w-0\"";

struct gen_drafts *gen_drafts_new(uint64_t seed, unsigned n, int kinds, struct lh_err *err)
{
	struct gen_drafts *g = lh_calloc(1, sizeof(*g), err);
	struct draft *d;
	int rc = -1;

	if (!g)
		return NULL;
	d = &g->d;
	g->seed = seed;
	g->kinds = kinds;
	lh_buf_init(&d->artifact, LH_BUF_NOMAX);
	lh_buf_init(&d->context, LH_BUF_NOMAX);
	lh_buf_init(&d->findings, LH_BUF_NOMAX);
	lh_buf_init(&d->error, LH_BUF_NOMAX);
	lh_buf_init(&d->text, LH_BUF_NOMAX);
	g->people = lh_calloc(n, sizeof(*g->people), err);
	if (g->people) {
		for (unsigned i = 0; i < n; i++)
			gen_person(&g->people[i], &d->text, seed, i);
		rc = lh_buf_check(&d->text, err);
	}
	d->people = g->people;
	d->n_people = n;
	if (rc) {
		gen_drafts_free(g);
		return NULL;
	}
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
	if (b->len && b->p[b->len - 1] != '{')
		lh_buf_putc(b, ',');
	lh_buf_putc(b, '"');
	lh_buf_puts(b, name);
	lh_buf_puts(b, "\":{");
	lh_buf_add(b, members, n);
	lh_buf_putc(b, '}');
}

/* The artifact and, beside it or within it, the context. */
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

static void put_expected(struct lh_buf *out, const struct lh_buf *error, const struct lh_buf *findings)
{
	lh_buf_puts(out, ",\"expect\":{\"status\":");
	if (error->len) {
		lh_buf_puts(out, "422,\"error\":");
		lh_buf_add(out, error->p, error->len);
	} else {
		lh_buf_puts(out, "200,\"report\":{\"findings\":[");
		lh_buf_add(out, findings->p, findings->len);
		lh_buf_puts(out, "],\"elapsed_ms\":0}");
	}
	lh_buf_puts(out, "}}\n");
}

/* A request that is refused for what stands around the artifact. */
static void put_unfit(struct draft *d, struct lh_buf *out)
{
	struct lh_buf *m = &d->text;
	const char *kind = kind_names[d->kind], *artifact = NULL, *context = NULL;
	unsigned how = gen_pick(&d->r, 4);

	lh_buf_reset(m);
	if (how == 0) {
		kind = DRAFT_ONE_OF(d, unknown_kinds);
		lh_buf_printf(m, "unknown kind \"%s\" (expected fill, email, sms or playbook)", kind);
	}
	if (how == 1 || (how == 0 && draft_one_in(d, 4))) {
		artifact = DRAFT_ONE_OF(d, no_artifacts);
		lh_buf_puts(m, how ? "artifact must be an object" : "");
	}
	if (how == 2) {
		context = DRAFT_ONE_OF(d, no_contexts);
		lh_buf_puts(m, "context must be an object");
	}
	lh_buf_puts(out, "{");
	draft_text(out, "kind", kind);
	if (artifact)
		draft_json(out, "artifact", artifact);
	else
		put_object(out, "artifact", d->artifact.p, d->artifact.len);
	if (how == 3) {
		unsigned which = d->kind == DRAFT_FILL ? gen_pick(&d->r, FILL_CONTEXTS) : d->kind == DRAFT_PLAYBOOK ? gen_pick(&d->r, 3) : MESSAGE_CONTEXT;

		lh_buf_puts(out, ",\"context\":{");
		draft_json(out, bad_contexts[which].member, bad_contexts[which].value);
		lh_buf_putc(out, '}');
		lh_buf_printf(m, "context.%s must be %s", bad_contexts[which].member, bad_contexts[which].must);
	} else if (context) {
		draft_json(out, "context", context);
	}
	lh_buf_puts(out, ",\"expect\":{\"status\":400,\"error\":{\"message\":");
	lh_buf_json(out, m->p, m->len);
	lh_buf_puts(out, "}}}\n");
}

int gen_draft(struct gen_drafts *g, struct lh_buf *out, uint64_t i, struct lh_err *err)
{
	static const enum draft_kind often[] = { DRAFT_FILL, DRAFT_FILL, DRAFT_FILL, DRAFT_EMAIL, DRAFT_EMAIL, DRAFT_EMAIL, DRAFT_SMS, DRAFT_SMS, DRAFT_PLAYBOOK };
	struct draft *d = &g->d;

	d->r = gen_row(g->seed, GEN_DRAFT, i);
	d->kind = g->kinds == DRAFT_ALL ? DRAFT_ONE_OF(d, often) : (enum draft_kind)g->kinds;
	lh_buf_reset(&d->artifact);
	lh_buf_reset(&d->context);
	lh_buf_reset(&d->findings);
	lh_buf_reset(&d->error);
	if (d->kind == DRAFT_FILL)
		draft_fill(d);
	else if (d->kind == DRAFT_PLAYBOOK)
		draft_playbook(d);
	else
		draft_message(d);
	if (draft_one_in(d, 40)) {
		put_unfit(d, out);
	} else {
		lh_buf_puts(out, "{");
		draft_text(out, "kind", kind_names[d->kind]);
		put_artifact(d, out);
		put_expected(out, &d->error, &d->findings);
	}
	if (lh_buf_check(&d->artifact, err) || lh_buf_check(&d->context, err) || lh_buf_check(&d->findings, err) ||
	    lh_buf_check(&d->error, err) || lh_buf_check(&d->text, err))
		return -1;
	return 0;
}
