/* exports.c - phase 4: forbidden rows in exports, and refused records. */
#include "audit.h"

#define ULL(n) ((unsigned long long)(n))

static void check_none(struct audit *a, enum check_id id, enum finding_id finding, unsigned exports)
{
	const struct finding *f = &a->census.found[finding];
	int x;

	if (f->rows || !f->first.p[0])
		check_set(a, id, !f->rows, "0", "%llu", ULL(f->rows));
	else
		check_set(a, id, false, "0", "not readable");
	if (f->first.p[0])
		check_note(a, id, "%s", f->first.p);
	for (x = 0; x < LH_EXPORTERS; x++)
		if (exports & 1u << x && !a->census.exported[x] && !f->first.p[0])
			check_note(a, id, "%s: %s", lh_exporter_output((enum lh_exporter)x),
				   a->census.found_export[x] ? "empty" : "absent");
}

int phase_exports(struct audit *a, struct lh_err *err)
{
	const struct finding *damaged = &a->census.found[FOUND_QUARANTINE];
	uint64_t n = a->census.quarantined;

	(void)err;
	check_none(a, CHECK_SFT, FOUND_SFT, 1u << LH_SFT);
	check_none(a, CHECK_RAG, FOUND_RAG, 1u << LH_RAG);
	check_none(a, CHECK_SELF_PAIR, FOUND_SELF_PAIR, 1u << LH_PREFERENCE);
	check_none(a, CHECK_SAME_TEXT, FOUND_SAME_TEXT, 1u << LH_PREFERENCE);
	check_none(a, CHECK_PROVENANCE, FOUND_PROVENANCE, (1u << LH_EXPORTERS) - 1);
	check_set(a, CHECK_QUARANTINE, n && !damaged->first.p[0], "> 0", "%llu", ULL(n));
	if (damaged->first.p[0])
		check_note(a, CHECK_QUARANTINE, "%s", damaged->first.p);
	return 0;
}
