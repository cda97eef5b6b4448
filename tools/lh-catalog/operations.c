/* operations.c - lh-catalog register, get, list and remove. */
#include "catalog.h"

#include "json/write.h"

#define ANSWER_MAX ((size_t)64 << 20)	/* bytes of a list */

struct named {
	struct lh_str name;
};
static const struct lh_bind named_members[] = {
	{ LH_BIND_STRING("name", struct named, name), .required = true, .filled = true,
	  .about = "the name of the dataset" },
	LH_BIND_END
};
static const struct lh_bind registered[] = {
	{ LH_BIND_ONLY("manifest", LH_BIND_TO_TABLE), .table = lh_catalog_manifest,
	  .required = true },
	{ LH_BIND_ONLY("existing", LH_BIND_TO_BOOL), .required = true,
	  .about = "whether the name was registered already" },
	LH_BIND_END
};
static const struct lh_bind manifests[] = {
	{ LH_BIND_ONLY("manifests", LH_BIND_TO_TABLES), .table = lh_catalog_manifest,
	  .required = true },
	LH_OP_COUNT("count"),
	LH_BIND_END
};
static const struct lh_bind removed[] = {
	LH_OP_TEXT("name"),
	{ LH_BIND_ONLY("removed", LH_BIND_TO_BOOL), .required = true },
	LH_BIND_END
};

/* A damaged manifest costs its record alone. */
static int failed(struct lh_err *err)
{
	if (err->code == LH_ECORRUPT)
		err->code = LH_EDATA;
	return -1;
}

static int register_dataset(const struct lh_call *call, const void *in, struct lh_buf *out,
			    struct lh_err *err)
{
	struct settings *s = call->settings;
	struct lh_writer w = lh_write_to(out);
	char now[32];
	const struct lh_catalog_how how = {
		.now = now, .lock_timeout = call->tool->lock_timeout, .omit = call->omit,
		.store = s->store
	};
	bool existing;

	(void)in;
	lh_tool_time(call->tool, now);
	if (lh_catalog_register(s->catalog, call->rec, &how, &s->m, &existing, err) < 0)
		return failed(err);
	lh_write_object(&w, NULL);
	lh_write_raw(&w, "manifest", s->m.json);
	lh_write_bool(&w, "existing", existing);
	lh_write_end(&w);
	return 0;
}

static int get_dataset(const struct lh_call *call, const void *in, struct lh_buf *out,
		       struct lh_err *err)
{
	struct settings *s = call->settings;
	const struct named *n = in;

	if (lh_catalog_get(s->catalog, n->name, &s->m, err) < 0)
		return failed(err);
	lh_buf_add(out, s->m.json.p, s->m.json.n);
	return 0;
}

static int remove_dataset(const struct lh_call *call, const void *in, struct lh_buf *out,
			  struct lh_err *err)
{
	const struct settings *s = call->settings;
	struct lh_writer w = lh_write_to(out);
	const struct named *n = in;

	if (lh_catalog_remove(s->catalog, n->name, call->tool->lock_timeout, err) < 0)
		return -1;
	lh_write_object(&w, NULL);
	lh_write_str(&w, "name", n->name);
	lh_write_bool(&w, "removed", true);
	lh_write_end(&w);
	return 0;
}

/* ---- list ---- */

struct list {
	struct lh_tool *tool;
	struct lh_writer w;
	uint64_t count;
};

static int add_manifest(void *list, const struct lh_catalog_dataset *m, struct lh_err *err)
{
	struct list *l = list;

	lh_write_raw(&l->w, NULL, m->json);
	l->count++;
	return l->w.out->len <= ANSWER_MAX
		? 0 : lh_err_data(err, 413, "the list is larger than %zuM", ANSWER_MAX >> 20);
}

static int warn_damaged(void *list, const struct lh_err *why, struct lh_err *err)
{
	(void)err;
	lh_tool_warn(((struct list *)list)->tool, "%s", why->msg);
	return 0;
}

static int list_datasets(const struct lh_call *call, const void *in, struct lh_buf *out,
			 struct lh_err *err)
{
	struct list l = { .tool = call->tool, .w = lh_write_to(out) };
	const struct lh_catalog_visit visit = { add_manifest, warn_damaged, &l };

	(void)in;
	lh_write_object(&l.w, NULL);
	lh_write_array(&l.w, "manifests");
	if (lh_catalog_list(((const struct settings *)call->settings)->catalog, &visit, err) < 0)
		return -1;
	lh_write_end(&l.w);
	lh_write_u64(&l.w, "count", l.count);
	lh_write_end(&l.w);
	return 0;
}

static int print_manifest(void *tool, const struct lh_catalog_dataset *m, struct lh_err *err)
{
	(void)err;		/* it is that of the tool */
	if (lh_tool_out(tool, m->json.p, m->json.n) < 0)
		return -1;
	return lh_tool_out(tool, "\n", 1);
}

int report_damaged(void *tool, const struct lh_err *why, struct lh_err *err)
{
	(void)err;
	lh_tool_warn(tool, "%s", why->msg);
	lh_tool_verdict_bad(tool);
	return 0;
}

/* Print the manifests one by one: the command has no limit. */
static int print_all(struct lh_tool *tool, void *settings)
{
	const struct lh_catalog_visit visit = { print_manifest, report_damaged, tool };

	return lh_catalog_list(((const struct settings *)settings)->catalog, &visit, &tool->err);
}

static const struct lh_bind problem[] = {
	LH_OP_TEXT("name"), LH_OP_TEXT("key"), LH_OP_TEXT("problem"), LH_BIND_END
};

const struct lh_op catalog_ops[] = {
	{ "register", "[FILE...]", "make or renew the manifests of records", V_REGISTER,
	  register_dataset, .in = lh_catalog_registration, .out = registered, .writes = true,
	  .keeps = true },
	{ "get", "[NAME...]", "print manifests by their names", V_GET, get_dataset,
	  LH_OP_IN(named_members, struct named), .out = lh_catalog_manifest },
	{ "list", "", "print all manifests", V_LIST, .out = lh_catalog_manifest,
	  .command = print_all },
	{ "list", NULL, "all manifests in one answer", 0, list_datasets, .out = manifests },
	{ "remove", "[NAME...]", "remove manifests by their names", V_REMOVE, remove_dataset,
	  LH_OP_IN(named_members, struct named), .out = removed, .writes = true },
	{ "verify", "[NAME...]", "compare objects with what their manifests say", V_VERIFY,
	  .out = problem, .command = catalog_verify },
	LH_OP_REQUESTS("[FILE...]", V_REQUESTS),
	LH_OP_END
};
