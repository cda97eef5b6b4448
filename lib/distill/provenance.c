/* provenance.c - the row that a record comes from.  See evidence.h. */
#include "evidence.h"

struct holder {
	struct lh_provenance from;
};

const struct lh_bind lh_provenance_members[] = {
	{ LH_BIND_STRING("source_file", struct lh_provenance, source_file), .lax = true,
	  .filled = true },
	{ LH_BIND_SOME("line_offset", struct lh_provenance, line_offset), .null = true },
	{ LH_BIND_STRING("sig_hash", struct lh_provenance, sig_hash), .lax = true, .filled = true },
	{ LH_BIND_STRING("recorded_at", struct lh_provenance, recorded_at), .lax = true,
	  .filled = true },
	LH_BIND_END
};

static const struct lh_bind record_members[] = {
	{ LH_BIND_TABLE("provenance", struct holder, from, lh_provenance_members), .lax = true },
	LH_BIND_END
};

void lh_provenance_set_line(struct lh_provenance *p)
{
	const struct lh_value *offset = &p->line_offset;
	int64_t line;

	p->line = -1;
	if (offset->p && offset->type == LH_NUMBER && lh_value_i64(offset, &line) && line >= 0)
		p->line = line;
}

int lh_provenance_read(const struct lh_record *rec, struct lh_provenance *p, struct lh_buf *text,
		       struct lh_err *err)
{
	struct holder holder = { .from.line_offset.p = NULL };

	if (lh_bind(record_members, rec, &holder, text, err) < 0)
		return -1;
	*p = holder.from;
	lh_provenance_set_line(p);
	return 0;
}
