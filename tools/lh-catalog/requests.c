/* requests.c - lh-catalog requests: each record names its operation. */
#include "catalog.h"

#include "json/bind.h"
#include "json/write.h"

#define ANSWER_MAX ((size_t)64 << 20)	/* bytes of a list */

static const char *const ops[] = { "register", "get", "list", "remove", NULL };
enum op { REGISTER, GET, LIST, REMOVE };

struct request {
	enum op op;
};
static const struct lh_bind request_members[] = {
	{ LH_BIND_INDEX("op", struct request, op, ops), .required = true },
	LH_BIND_END
};

/* ---- list ---- */

struct answer {
	struct run *run;
	struct lh_writer w;
	uint64_t count;
};

static int add_manifest(void *answer, const struct lh_catalog_dataset *m, struct lh_err *err)
{
	struct answer *a = answer;

	lh_write_raw(&a->w, NULL, m->json);
	a->count++;
	return a->w.out->len <= ANSWER_MAX
		? 0 : lh_err_data(err, 413, "the list is larger than %zuM", ANSWER_MAX >> 20);
}

static int warn_damaged(void *answer, const struct lh_err *why, struct lh_err *err)
{
	(void)err;
	lh_tool_warn(((struct answer *)answer)->run->tool, "%s", why->msg);
	return 0;
}

static int answer_list(struct run *r, struct lh_buf *out, struct lh_err *err)
{
	struct answer a = { .run = r, .w = lh_write_to(out) };
	const struct lh_catalog_visit visit = { add_manifest, warn_damaged, &a };

	lh_write_object(&a.w, NULL);
	lh_write_array(&a.w, "manifests");
	if (lh_catalog_list(r->folder, &visit, err) < 0)
		return -1;
	lh_write_end(&a.w);
	lh_write_u64(&a.w, "count", a.count);
	lh_write_end(&a.w);
	return 0;
}

/* ---- the command ---- */

static int answer(struct run *r, struct lh_record *rec, struct lh_buf *out, struct lh_err *err)
{
	struct request q;

	if (lh_bind(request_members, rec, &q, &r->strings, err) < 0)
		return -1;
	switch (q.op) {
	case GET: return get_record(rec, out, r, err);
	case LIST: return answer_list(r, out, err);
	case REMOVE: return remove_record(rec, out, r, err);
	default: return register_record(rec, out, r, err);
	}
}

/* A catalog that is locked, full or damaged costs its request, not the process; its files are
 * named on stderr only. */
static int on_request(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err)
{
	struct run *r = run;

	if (answer(r, rec, out, err) == 0) {
		r->failing = false;
		return 0;
	}
	return lh_records_unavailable(r->tool, &r->failing, "the catalog cannot be used at present",
				      err);
}

int catalog_requests(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct run r = { .tool = tool, .folder = s->catalog, .store = s->store, .omit = "op" };
	int rc;

	tool->jobs = 1;
	rc = run_records(&r, tool->operands, tool->n_operands, on_request);
	lh_catalog_dataset_free(&r.m);
	lh_buf_free(&r.strings);
	return rc;
}
