/* lh-catalog: which datasets there are.  See lh-catalog(1). */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "json/write.h"
#include "store/store.h"
#include "tool/op.h"

enum { V_REGISTER = 1, V_GET = 2, V_LIST = 4, V_REMOVE = 8, V_REQUESTS = 16,
       V_VERIFY = 32 };

struct settings {
	const char *catalog, *store;
	struct lh_catalog_dataset m;	/* the one read last */
};

/* ---- manifests ---- */

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

/* Report a manifest that cannot be read: the damaged of a struct lh_catalog_visit. */
static int report_damaged(void *tool, const struct lh_err *why, struct lh_err *err)
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

static const struct lh_bind verified[] = {
	LH_OP_TEXT("name"), LH_OP_TEXT("key"), LH_OP_TEXT("problem"), LH_BIND_END
};
static int catalog_verify(struct lh_tool *tool, void *settings);

static const struct lh_op catalog_ops[] = {
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
	  .out = verified, .command = catalog_verify },
	LH_OP_REQUESTS("[FILE...]", V_REQUESTS),
	LH_OP_END
};

/* ---- objects against their manifests ---- */

#define DATASETS "datasets/"	/* where lh-ingest puts objects */

struct verify {
	struct lh_tool *tool;
	struct lh_store *store;
	int null;		/* /dev/null: what is hashed goes there */
	char **named;		/* the keys of all manifests */
	size_t n, cap;
	uint64_t objects, differ;
};

/* ---- a line for each object that differs ---- */

static void begin_line(struct lh_writer *w, struct lh_str name, const char *key,
		       const char *problem)
{
	lh_write_object(w, NULL);
	if (name.p)
		lh_write_str(w, "name", name);
	lh_write_text(w, "key", key);
	lh_write_text(w, "problem", problem);
}

static int end_line(struct verify *v, struct lh_writer *w)
{
	v->differ++;
	lh_tool_verdict_bad(v->tool);
	lh_write_end(w);
	return lh_tool_out_line(v->tool, w->out);
}

static int report_size(struct verify *v, struct lh_str name, const char *key, int64_t want,
		       uint64_t size)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	begin_line(&w, name, key, "size");
	lh_write_u64(&w, "size", size);
	lh_write_i64(&w, "manifest_size", want);
	return end_line(v, &w);
}

static int report_sha256(struct verify *v, struct lh_str name, const char *key,
			 struct lh_str want, const unsigned char *sum)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	char hex[LH_SHA256_HEX];

	lh_hex(sum, 32, hex);
	begin_line(&w, name, key, "sha256");
	lh_write_str(&w, "sha256", (struct lh_str){ hex, sizeof hex });
	lh_write_str(&w, "manifest_sha256", want);
	return end_line(v, &w);
}

static int report_key(struct verify *v, struct lh_str name, const char *key, const char *problem)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	begin_line(&w, name, key, problem);
	return end_line(v, &w);
}

/* ---- objects ---- */

static int check_object(struct verify *v, struct lh_str name, const char *key,
			const struct lh_catalog_object *o, struct lh_err *err)
{
	struct lh_transfer got;
	struct lh_object head;
	unsigned char want[32];

	if (lh_store_head(v->store, key, &head, err) < 0)
		return lh_err_status(err) == 404 ? report_key(v, name, key, "missing") :
		       lh_err_status(err) == 400 ? report_key(v, name, key, "not a key") : -1;
	if (o->size >= 0 && head.size != (uint64_t)o->size)
		return report_size(v, name, key, o->size, head.size);
	if (!o->sha256.p || !lh_unhex(o->sha256.p, o->sha256.n, want))
		return 0;
	if (lh_store_get(v->store, key, v->null, &got, err) < 0)
		return -1;
	return memcmp(got.sha256, want, sizeof want)
		? report_sha256(v, name, key, o->sha256, got.sha256) : 0;
}

static int check_dataset(void *verify, const struct lh_catalog_dataset *m, struct lh_err *err)
{
	struct verify *v = verify;
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < m->n_objects + m->n_history; i++) {
		const struct lh_catalog_object *o = i < m->n_objects ? &m->object[i] :
						    &m->history[i - m->n_objects];
		char *key = lh_strndup(o->key.p, o->key.n);

		lh_grow(&v->named, &v->cap, v->n + 1, sizeof *v->named);
		v->named[v->n++] = key;
		v->objects++;
		rc = check_object(v, m->name, key, o, err);
	}
	return rc;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Report an object that no manifest names: a run of lh-ingest was killed before it registered
 * the object, or the dataset was removed. */
static int check_named(void *verify, const struct lh_object *o, struct lh_err *err)
{
	struct verify *v = verify;

	(void)err;
	if (v->n && bsearch(&o->key, v->named, v->n, sizeof *v->named, by_text))
		return 0;
	v->objects++;
	return report_key(v, (struct lh_str){ NULL, 0 }, o->key, "no manifest");
}

/* Report what has no key, and so no manifest. */
static void on_refused(void *verify, const struct lh_err *why)
{
	struct verify *v = verify;

	lh_tool_warn(v->tool, "%s", why->msg);
	lh_tool_verdict_bad(v->tool);
}

/* ---- the command ---- */

static int damaged(void *verify, const struct lh_err *why, struct lh_err *err)
{
	return report_damaged(((struct verify *)verify)->tool, why, err);
}

static int check_all(struct verify *v, const struct settings *s, struct lh_err *err)
{
	const struct lh_catalog_visit visit = { check_dataset, damaged, v };

	if (lh_catalog_list(s->catalog, &visit, err) < 0)
		return -1;
	if (!lh_store_is_s3(s->store) && access(s->store, F_OK) < 0)
		return 0;
	if (v->n)
		qsort(v->named, v->n, sizeof *v->named, by_text);
	return lh_store_list(v->store, DATASETS, check_named, v, err);
}

static int check_names(struct verify *v, const struct settings *s, struct lh_err *err)
{
	LH_SCOPED(lh_catalog_dataset_free) struct lh_catalog_dataset m = { 0 };
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < v->tool->n_operands; i++) {
		if (lh_catalog_get(s->catalog, lh_str_of(v->tool->operands[i]), &m, err) == 0)
			rc = check_dataset(v, &m, err);
		else if (err->code == LH_EDATA || err->code == LH_ECORRUPT)
			report_damaged(v->tool, err, NULL);
		else
			rc = -1;
	}
	return rc;
}

static int catalog_verify(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct lh_err *err = &tool->err;
	struct verify v = { .tool = tool, .null = open("/dev/null", O_WRONLY | O_CLOEXEC) };
	struct lh_store_opts opts = LH_STORE_DEFAULTS;
	int rc = v.null < 0 ? lh_err_sys(err, "/dev/null") : 0;

	opts.refused = on_refused;
	opts.context = &v;
	if (!rc)
		v.store = lh_store_open(s->store, &opts, err);
	if (v.store)
		rc = tool->n_operands ? check_names(&v, s, err) : check_all(&v, s, err);
	else
		rc = -1;
	if (!rc && !tool->n_operands)
		lh_tool_verdict_over(tool, v.objects, "objects", s->catalog);
	if (!rc && v.differ)
		lh_tool_warn(tool, "%llu of %llu objects differ", (unsigned long long)v.differ,
			     (unsigned long long)v.objects);
	while (v.n)
		free(v.named[--v.n]);
	free(v.named);
	lh_store_close(v.store);
	if (v.null >= 0)
		close(v.null);
	return rc;
}

/* ---- options ---- */

static const struct lh_option options[] = {
	{ 0, "catalog", "DIR", "the folder of manifests (or LH_CATALOG)",
	  LH_TEXT(struct settings, catalog, .env = "LH_CATALOG") },
	{ 0, "store", "STORE", "verify: where the objects are; requests: the only one allowed",
	  LH_TEXT(struct settings, store, .verbs = V_REQUESTS | V_VERIFY) },
	LH_ALLOW_EMPTY_OPTION(V_VERIFY),
	LH_LOCK_OPTION(V_REGISTER | V_REMOVE | V_REQUESTS),
	LH_NOW_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static int check(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;

	if (!s->catalog || !*s->catalog)
		return lh_tool_usage(tool, "--catalog DIR is missing");
	if (tool->verb->bit & V_VERIFY && (!s->store || !*s->store))
		return lh_tool_usage(tool, "--store STORE is missing");
	return 0;
}

static int free_settings(struct lh_tool *tool, void *settings, int rc)
{
	(void)tool;
	lh_catalog_dataset_free(&((struct settings *)settings)->m);
	return rc;
}

int main(int argc, char **argv)
{
	struct settings s = { NULL };
	static const struct lh_tool_spec spec = {
		.name = "lh-catalog",
		.synopsis = "COMMAND [OPTION]... --catalog DIR [OPERAND]...",
		.summary = "keep a catalog of datasets: a manifest for each",
		.example = "lh-catalog get --catalog lake tickets | jq -r '.objects[].key'",
		.options = options,
		.check = check,
		.close = free_settings,
		.ops = catalog_ops,
		.what = "catalog",
	};

	return lh_op_main(&spec, argc, argv, &s);
}
