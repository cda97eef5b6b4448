/* looked.c - the row on who looked.  See subject.h. */
#include <lh/chain.h>

#include "subject.h"

/* List the kinds of places that have hits; return their number. */
static size_t list_kinds(const struct settings *s, const struct hits *hits,
			 struct lh_str kind[PLACE_KINDS])
{
	bool has[PLACE_KINDS] = { false };
	size_t i, n = 0;

	for (i = 0; i < hits->n; i++)
		has[s->places.v[hits->v[i].place].kind] = true;
	for (i = 0; i < PLACE_KINDS; i++)
		if (has[i])
			kind[n++] = lh_str_of(place_kind_name((enum place_kind)i));
	return n;
}

int append_row(struct lh_tool *tool, const struct settings *s, const struct lh_chain_keys *keys,
	       const struct lh_chain_row *row)
{
	struct lh_err *err = &tool->err, later;
	struct lh_chain_log *log = lh_chain_log_open(s->subjects, keys, LH_CHAIN_EACH,
						     tool->lock_timeout, err);
	int rc = log ? lh_chain_append(log, row, NULL, err) : -1;

	if (log && lh_chain_log_close(log, rc ? &later : err) < 0)
		rc = -1;
	return rc;
}

int looked(struct lh_tool *tool, const struct settings *s, const struct person *who,
	   const struct hits *hits, const char *purpose)
{
	struct lh_str kind[PLACE_KINDS];
	char now[32];
	struct lh_chain_row row = {
		.candidate_id = who->id, .result = "success", .field = kind,
		.accessor = { .kind = lh_str_of("subject_request"),
			      .daemon = lh_str_of("lh-subject"), .purpose = lh_str_of(purpose) },
	};
	struct lh_chain_keys keys = { .n = 0 };
	int rc;

	if (!s->key_file.n || who->logged)
		return 0;
	if (!s->subjects) {
		lh_tool_verbose(tool, "no row on who looked: --subjects names the folder");
		return 0;
	}
	lh_tool_time(tool, now);
	row.ts = lh_str_of(now);
	row.n_fields = list_kinds(s, hits, kind);
	rc = lh_chain_keys_read(&keys, (const char *const *)s->key_file.v, s->key_file.n,
				s->insecure_key, &tool->err);
	if (!rc)
		rc = append_row(tool, s, &keys, &row);
	lh_chain_keys_free(&keys);
	return rc < 0 ? lh_err_prefix(&tool->err, "nothing is shown without its row in the log")
		      : 0;
}
