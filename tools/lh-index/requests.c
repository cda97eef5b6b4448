/* requests.c - lh-index requests: each record names its operation on the indexes of a folder. */
#include <stdio.h>
#include <stdlib.h>

#include "base/signal.h"
#include "json/bind.h"
#include "requests.h"

const struct lh_bind named_members[] = {
	NAME(named, name),
	LH_BIND_END
};
const struct lh_bind seen_members[] = {
	NAME(named, name),
	LH_SCOPE_MEMBER(struct named, scope),
	LH_BIND_END
};
const struct lh_bind listing_members[] = {
	LH_SCOPE_MEMBER(struct listing, scope),
	LH_BIND_END
};

/* ---- shared ---- */

struct requests *requests_begin(const struct lh_call *call, struct lh_buf *out)
{
	struct requests *r = ((const struct settings *)call->settings)->requests;

	r->n++;
	r->at = NULL;
	r->making = false;
	r->in.scope = NULL;
	opened_refresh(r);
	r->w = lh_write_to(out);
	lh_write_object(&r->w, NULL);
	return r;
}

int requests_confine(struct requests *r, const struct lh_scope *scope, struct lh_err *err)
{
	r->in.scope = scope;
	return lh_scope_compile(&r->scope, scope, err);
}

bool requests_sees(const struct requests *r, struct lh_str meta)
{
	struct lh_err unused;

	return !r->scope || lh_filter_match(r->scope, meta.p, meta.n, &unused) > 0;
}

void requests_put_length(struct requests *r, uint64_t n)
{
	if (!r->scope)
		lh_write_u64(&r->w, "length", n);
}

int requests_end(struct requests *r)
{
	lh_write_end(&r->w);
	*r->reported = '\0';
	return 0;
}

/* An index that is locked, damaged or gone costs its request, not the process. */
int requests_refuse(const struct lh_call *call, struct lh_err *err)
{
	struct requests *r = ((const struct settings *)call->settings)->requests;

	if (err->code == LH_EDATA || !r->at)
		return -1;
	requests_report(r, err);
	return lh_index_named_error(&r->in, r->at, !r->making, err);
}

/* Set *path to that of the name, and r->at. */
static int find_path(struct requests *r, struct lh_str name, char **path, struct lh_err *err)
{
	free(*path);
	*path = lh_index_named_find(&r->in, name, err);
	r->at = *path;
	return *path ? 0 : -1;
}

int requests_find(struct requests *r, struct lh_str name, struct lh_err *err)
{
	return find_path(r, name, &r->path, err);
}

void requests_report(struct requests *r, const struct lh_err *err)
{
	if (strncmp(r->reported, err->msg, sizeof r->reported - 1) != 0)
		lh_tool_warn(r->tool, "%s", err->msg);
	snprintf(r->reported, sizeof r->reported, "%.255s", err->msg);
}

void summary_set(struct summary *s, const struct lh_index_params *p)
{
	s->dimension = p->dimension;
	s->m = p->m;
	s->ef_search = (uint32_t)lh_index_ef(p, 1);
	s->distance = p->distance;
}

void requests_put_params(struct requests *r, struct lh_str name, const struct summary *s)
{
	struct lh_writer *w = &r->w;

	lh_write_object(w, "params");
	lh_write_str(w, "name", name);
	if (s) {
		lh_write_u64(w, "dimension", s->dimension);
		lh_write_u64(w, "m", s->m);
		lh_write_u64(w, "ef_search", s->ef_search);
		lh_write_text(w, "distance", lh_distance_name(s->distance));
	}
	lh_write_end(w);
}

/* Read the number of records of an index. */
static int requests_length(const char *path, uint64_t *n, struct lh_err *err)
{
	struct lh_index *ix = lh_index_open(path, err);
	struct lh_index_stats st;

	if (!ix)
		return -1;
	lh_index_get_stats(ix, &st);
	*n = st.live;
	lh_index_close(ix);
	return 0;
}

/* ---- create, delete ---- */

static const char *const distances[] = { "cosine", "l2", "ip", "euclidean", "dot",
					 "inner_product", NULL };
static const enum lh_distance distance_of[] = { LH_COSINE, LH_L2, LH_IP, LH_L2, LH_IP, LH_IP };
static const char *const layouts[] = { LH_INDEX_LAYOUT, NULL };

const struct lh_bind creation_members[] = {
	NAME(creation, name),
	{ LH_BIND_U64("dimension", struct creation, dimension, 1, LH_DIM_MAX), .required = true },
	{ LH_BIND_U64("m", struct creation, m, 2, 128) },
	{ LH_BIND_U64("ef_search", struct creation, ef_search, 1, LH_INDEX_EF_MAX) },
	{ LH_BIND_INDEX("distance", struct creation, distance, distances) },
	{ LH_BIND_INDEX("layout", struct creation, layout, layouts) },
	LH_BIND_END
};

bool requests_names(const struct lh_list *list, struct lh_str name)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (lh_str_is(name, list->v[i], strlen(list->v[i])))
			return true;
	return false;
}

int requests_create(const struct lh_call *call, const void *in, struct lh_buf *out,
		    struct lh_err *err)
{
	const struct creation *c = in;
	struct lh_index_params p;
	struct requests *r = requests_begin(call, out);
	struct summary s;
	int rc;

	lh_index_params_default(&p);
	p.dimension = (uint32_t)c->dimension;
	p.m = c->m ? lh_index_nearest_m(c->m) : p.m;
	p.ef_search = (uint32_t)c->ef_search;
	p.distance = distance_of[c->distance];
	p.persons = requests_names(&r->settings->persons, c->name);
	if (lh_index_check_params(&p, err) < 0)
		return -1;
	lh_tool_time(r->tool, p.created_at);
	free(r->path);
	r->making = true;
	r->at = r->path = lh_index_folder_path(r->in.folder, c->name);
	rc = lh_index_create(r->path, &p, r->settings->lock_timeout, err);
	if (rc > 0)
		return lh_err_data(err, 409, "there is an index \"%.*s\" already", (int)c->name.n,
				   c->name.p);
	if (rc < 0)
		return -1;
	summary_set(&s, &p);
	requests_put_params(r, c->name, &s);
	lh_write_u64(&r->w, "length", 0);
	lh_write_u64(&r->w, "status", 201);
	return requests_end(r);
}

/* Find what to remove: the index of that name, or else the playbook. */
static int find_removed(struct requests *r, struct lh_str name, struct lh_err *err)
{
	const struct lh_index_named playbooks = { .folder = r->settings->playbooks,
						  .what = "playbook" };
	struct lh_err why;

	if (requests_find(r, name, err) == 0 || !playbooks.folder || err->status != 404)
		return r->path ? 0 : -1;
	r->path = lh_index_named_find(&playbooks, name, &why);
	r->at = r->path;
	return r->path ? 0 : -1;
}

int requests_delete(const struct lh_call *call, const void *in, struct lh_buf *out,
		    struct lh_err *err)
{
	struct requests *r = requests_begin(call, out);
	int rc;

	if (find_removed(r, ((const struct named *)in)->name, err) < 0)
		return -1;
	opened_close(r, r->path);
	lh_index_close(r->looked_up);
	r->looked_up = NULL;
	rc = lh_index_remove(r->path, r->settings->lock_timeout, err);
	if (rc > 0)	/* another process was faster */
		return lh_err_set(err, LH_EIO, "%s: removed meanwhile", r->path);
	if (rc < 0)
		return -1;
	lh_write_u64(&r->w, "status", 204);
	return requests_end(r);
}

/* ---- merge ---- */

const struct lh_bind merging_members[] = {
	NAME(merging, src),
	NAME(merging, dest),
	{ LH_BIND_BOOL("clear_source", struct merging, clear) },
	LH_BIND_END
};

struct outcome {
	uint64_t merged, skipped;
};

/* Store all rows that DEST lacks; with SRC open for a move, delete all of its rows. */
static int transfer(struct requests *r, struct transfer *t, struct outcome *is,
		    struct lh_err *err)
{
	const struct lh_index_tally *to = lh_index_change_tally(t->to.c);
	int more = 1;

	if (!t->from.c) {
		if (merge_rows(t, r->path, err) < 0 || changes_store(&t->to, err) < 0)
			return -1;
	} else {
		while (more > 0 && !lh_stopping())
			more = move_rows(t, err);
		if (more < 0)
			return -1;
	}
	*is = (struct outcome){ to->added, to->existing };
	return lh_stopping() ? lh_err_set(err, LH_EINTR, "interrupted") : 0;
}

static int merge_into(struct requests *r, const struct merging *m, struct outcome *is,
		      struct transfer *t, struct lh_err *err)
{
	char src[LH_INDEX_NAME_MAX + 8];
	int rc = carry_persons(r->other, r->path, r->settings, (unsigned)r->jobs, err);

	if (rc == 0)
		rc = transfer_open(t, r->other, m->clear ? r->path : NULL,
				   r->settings->lock_timeout, err);
	snprintf(src, sizeof src, "\"%.*s\"", (int)m->src.n, m->src.p);
	if (rc == 0)
		rc = transfer_fits(t, r->path, src, err);
	if (rc == 0 && transfer(r, t, is, err) < 0)
		return err->code != LH_EUSAGE ? -1 :
		       lh_err_data(err, 409, "one of the indexes was replaced meanwhile");
	if (rc < 0 && err->code == LH_EUSAGE) {
		err->code = LH_EDATA;
		err->status = 409;
	}
	return rc;
}

int requests_merge(const struct lh_call *call, const void *in, struct lh_buf *out,
		   struct lh_err *err)
{
	const struct merging *m = in;
	struct transfer t = { .keep = true, .lenient = true };
	struct outcome is = { 0, 0 };
	struct requests *r = requests_begin(call, out);
	uint64_t source, dest;
	int rc;

	if (find_path(r, m->src, &r->path, err) < 0 || find_path(r, m->dest, &r->other, err) < 0)
		return -1;
	if (same_file(r->path, r->other))
		return lh_err_set(err, LH_EDATA, "\"dest\" must not be \"src\"");
	rc = merge_into(r, m, &is, &t, err);
	if (rc == 0) {
		/* The rows are stored: a compaction that fails is reported, but not an error. */
		struct changes *each[] = { &t.to, &t.from };
		struct lh_err why;
		size_t i;

		for (i = 0; i < 2; i++)
			if (changes_fold(each[i], r->jobs, r->settings->lock_timeout, &why) < 0)
				lh_tool_warn(r->tool, "%s", why.msg);
	}
	transfer_close(&t);
	if (rc < 0 || requests_length(r->path, &source, err) < 0 ||
	    requests_length(r->other, &dest, err) < 0) {
		/* Find out which of the two indexes an error is about: its message begins
		 * with the path. */
		size_t n = strlen(r->path);

		r->at = strncmp(err->msg, r->path, n) == 0 && strchr(":-", err->msg[n]) ? r->path
											: r->other;
		return -1;
	}
	lh_write_u64(&r->w, "merged", is.merged);
	lh_write_u64(&r->w, "skipped", is.skipped);
	lh_write_u64(&r->w, "failed", t.failed);
	lh_write_u64(&r->w, "source_length", source);
	lh_write_u64(&r->w, "dest_length", dest);
	return requests_end(r);
}

/* ---- the command ---- */

int index_requests(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct requests r = { .tool = tool, .settings = s, .jobs = tool->jobs,
			      .in = { tool->operands[0], "index" } };
	int rc;

	s->requests = &r;
	if (lh_index_named_check(&r.in, &tool->err) < 0)
		return -1;
	rc = lh_op_requests(tool, settings);
	opened_refresh(&r);
	opened_close(&r, NULL);
	catalog_free(&r.catalog);
	lh_index_close(r.looked_up);
	lh_persons_used_free(&r.used);
	metadata_free(&r.metadata);
	free(r.looked_up_path);
	free(r.path);
	free(r.other);
	lh_filter_free(r.scope);
	lh_buf_free(&r.item_text);
	lh_buf_free(&r.texts);
	lh_buf_free(&r.meta);
	lh_buf_free(&r.vector);
	return rc;
}
