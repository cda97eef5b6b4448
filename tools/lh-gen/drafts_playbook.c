/* lh-gen drafts: playbook drafts of fills that went well. */
#include "drafts.h"

enum fault { SOUND, NO_OPERATION, OTHER_OPERATION, NO_ARRAY, NOBODY, TOO_MANY, NO_FINGERPRINT,
	     FAULTS };

static bool has(const enum fault *fault, enum fault which)
{
	return fault[0] == which || fault[1] == which;
}

static void put_operation(struct draft *d, const enum fault *fault)
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
static void put_target(struct draft *d, const enum fault *fault, unsigned n)
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

static void put_names(struct draft *d, const enum fault *fault)
{
	static const char *const no_arrays[] = { "null", "\"Ana Smith\"", "{}", "2" };
	unsigned n = has(fault, NOBODY) ? 0 : 1 + gen_pick(&d->r, 6);
	char name[DRAFT_TEXT];

	if (has(fault, NO_ARRAY)) {
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
	enum fault fault[2] = { SOUND, SOUND };

	if (draft_one_in(d, 2))
		fault[0] = 1 + gen_pick(&d->r, FAULTS - 1);
	if (fault[0] && draft_one_in(d, 4))
		fault[1] = 1 + gen_pick(&d->r, FAULTS - 1);
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
