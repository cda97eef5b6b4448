/* parts.c - join the parts of a divided census.  See audit.h. */
#include "audit.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"

struct parts {
	struct part all;	/* the first, with the rows of the others added */
	char **file;
	size_t *by;		/* which file each shard is of, from 1; 0: none yet */
};

static int add_part(struct parts *all, size_t i, struct lh_err *err)
{
	struct lh_shard *shard = &all->all.census.shard, own;
	const char *file = all->file[i], *diff;
	struct part p;
	int rc = -1;

	if (part_read(&p, file, err) < 0)
		return -1;
	own = p.census.shard;
	diff = root_state_diff(&p.census.state, &all->all.census.state);
	if (own.n != shard->n)
		lh_err_set(err, LH_EDATA, "%s: part %" PRIu64 "/%" PRIu64 ", but %s is of %" PRIu64,
			   file, own.i, own.n, all->file[0], shard->n);
	else if (all->by[own.i])
		lh_err_set(err, LH_EDATA, "%s: part %" PRIu64 "/%" PRIu64 ", as %s", file, own.i,
			   own.n, all->file[all->by[own.i] - 1]);
	else if (strcmp(p.run_id ? p.run_id : "", all->all.run_id ? all->all.run_id : ""))
		lh_err_set(err, LH_EDATA, "%s: of run %s, but %s is of run %s", file,
			   p.run_id ? p.run_id : "(none)", all->file[0],
			   all->all.run_id ? all->all.run_id : "(none)");
	else if (diff)
		lh_err_set(err, LH_EDATA, "%s: of another state of the root than %s: %s", file,
			   all->file[0], diff);
	else
		rc = 0;
	if (!rc) {
		all->by[own.i] = i + 1;
		census_add(&all->all.census, &p.census);
	}
	part_free(&p);
	return rc;
}

static int read_all(struct parts *all, size_t n, struct lh_err *err)
{
	struct lh_shard *shard = &all->all.census.shard;
	size_t i;

	if (part_read(&all->all, all->file[0], err) < 0)
		return -1;
	all->by = lh_calloc(shard->n, sizeof *all->by, err);
	if (!all->by)
		return -1;
	all->by[shard->i] = 1;
	for (i = 1; i < n; i++)
		if (add_part(all, i, err) < 0)
			return -1;
	for (i = 0; i < shard->n; i++)
		if (!all->by[i])
			return lh_err_set(err, LH_EDATA, "part %zu/%" PRIu64 " is missing", i,
					  shard->n);
	return 0;
}

struct parts *parts_read(char **file, size_t n, struct lh_err *err)
{
	struct parts *p = lh_calloc(1, sizeof *p, err);

	if (!p)
		return NULL;
	p->file = file;
	if (read_all(p, n, err) == 0)
		return p;
	parts_free(p);
	return NULL;
}

int parts_take(struct audit *a, struct lh_err *err)
{
	const struct part *all = &a->parts->all;
	const char *root = lh_root_path(a->root), *diff;

	if (strcmp(a->run_id ? a->run_id : "", all->run_id ? all->run_id : ""))
		return lh_err_set(err, LH_EDATA, "%s: has changed since the parts were made: they "
				  "are of run %s, its newest is %s", root,
				  all->run_id ? all->run_id : "(none)",
				  a->run_id ? a->run_id : "(none)");
	a->census.rows = ROWS_NONE;
	if (census_take(a, err) < 0)
		return -1;
	diff = root_state_diff(&a->census.state, &all->census.state);
	if (diff)
		return lh_err_set(err, LH_EDATA, "%s: has changed since the parts were made: %s",
				  root, diff);
	census_add(&a->census, &all->census);
	return 0;
}

void parts_free(struct parts *p)
{
	if (p) {
		part_free(&p->all);
		free(p->by);
	}
	free(p);
}
