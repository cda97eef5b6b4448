/* ids.c - which records have the id of an earlier one; and their lines. */
#include "base/xxh3.h"
#include "ingest.h"

#define IDS_MAX (1u << 22)	/* ids that are compared, in 100 MiB at most */

int ingest_id(struct ingest *in, struct lh_str id, struct lh_err *err)
{
	const uint64_t hash = lh_xxh3(id.p, id.n);
	bool is_new = true;

	if (in->ids.n < IDS_MAX &&
	    lh_map_add(&in->ids, &hash, sizeof hash, sizeof hash, &is_new, err) < 0)
		return -1;
	if (in->ids.n == IDS_MAX)
		is_new = lh_map_find(&in->ids, &hash, sizeof hash, sizeof hash) < 0;
	in->repeated += !is_new;
	return 0;
}

void ingest_line(struct ingest *in, uint64_t line)
{
	lh_buf_json(&in->out, in->s->line, strlen(in->s->line));
	lh_buf_putc(&in->out, ':');
	lh_buf_u64(&in->out, line);
}
