/* commands.c - lh-catalog register, get, list and remove. */
#include "catalog.h"

#include "json/bind.h"
#include "json/write.h"

struct named {
	struct lh_str name;
};
static const struct lh_bind named_members[] = {
	{ LH_BIND_STRING("name", struct named, name), .required = true, .filled = true },
	LH_BIND_END
};

static int begin(struct run *r, struct lh_tool *tool, const struct settings *s)
{
	*r = (struct run){ .tool = tool, .folder = s->catalog };
	tool->jobs = 1;
	return 0;
}

static int end(struct run *r, int rc)
{
	lh_catalog_dataset_free(&r->m);
	lh_buf_free(&r->strings);
	return rc;
}

/* A damaged manifest costs its record alone. */
static int failed(struct lh_err *err)
{
	if (err->code == LH_ECORRUPT)
		err->code = LH_EDATA;
	return -1;
}

/* ---- maps ---- */

int register_record(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err)
{
	struct run *r = run;
	struct lh_writer w = lh_write_to(out);
	char now[32];
	const struct lh_catalog_how how = {
		.now = now, .lock_timeout = r->tool->lock_timeout, .omit = r->omit,
		.store = r->store
	};
	bool existing;

	lh_tool_time(r->tool, now);
	if (lh_catalog_register(r->folder, rec, &how, &r->m, &existing, err) < 0)
		return failed(err);
	lh_write_object(&w, NULL);
	lh_write_raw(&w, "manifest", r->m.json);
	lh_write_bool(&w, "existing", existing);
	lh_write_end(&w);
	return 0;
}

static int get_name(struct run *r, struct lh_str name, struct lh_buf *out, struct lh_err *err)
{
	if (lh_catalog_get(r->folder, name, &r->m, err) < 0)
		return failed(err);
	lh_buf_add(out, r->m.json.p, r->m.json.n);
	return 0;
}

static int remove_name(struct run *r, struct lh_str name, struct lh_buf *out, struct lh_err *err)
{
	struct lh_writer w = lh_write_to(out);

	if (lh_catalog_remove(r->folder, name, r->tool->lock_timeout, err) < 0)
		return -1;
	lh_write_object(&w, NULL);
	lh_write_str(&w, "name", name);
	lh_write_bool(&w, "removed", true);
	lh_write_end(&w);
	return 0;
}

typedef int name_fn(struct run *r, struct lh_str name, struct lh_buf *out, struct lh_err *err);

static int with_name(struct lh_record *rec, struct lh_buf *out, struct run *r, name_fn *fn,
		     struct lh_err *err)
{
	struct named n = { { NULL, 0 } };

	if (lh_bind(named_members, rec, &n, &r->strings, err) < 0)
		return -1;
	return fn(r, n.name, out, err);
}

int get_record(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err)
{
	return with_name(rec, out, run, get_name, err);
}

int remove_record(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err)
{
	return with_name(rec, out, run, remove_name, err);
}

/* ---- commands ---- */

int run_records(struct run *r, char **files, size_t n,
		int (*map)(struct lh_record *, struct lh_buf *, void *, struct lh_err *))
{
	const struct lh_flow flow = {
		.map = map, .shared = r, .files = files, .n_files = n,
	};

	return lh_records_run(r->tool, &flow);
}

/* Answer for one name of the command line. */
static int answer_operand(struct run *r, const char *name, name_fn *fn)
{
	struct lh_buf out = { 0 };
	struct lh_err *err = &r->tool->err;

	if (fn(r, lh_str_of(name), &out, err) == 0)
		return lh_tool_out_line(r->tool, &out);
	lh_buf_free(&out);
	if (err->code != LH_EDATA)
		return -1;
	lh_tool_warn(r->tool, "%s", err->msg);
	lh_tool_verdict_bad(r->tool);
	return 0;
}

static int run_names(struct lh_tool *tool, const struct settings *s, name_fn *fn,
		     int (*map)(struct lh_record *, struct lh_buf *, void *, struct lh_err *))
{
	struct run r;
	size_t i;
	int rc = begin(&r, tool, s);

	if (!tool->n_operands)
		return end(&r, run_records(&r, NULL, 0, map));
	for (i = 0; !rc && i < tool->n_operands; i++)
		rc = answer_operand(&r, tool->operands[i], fn);
	return end(&r, rc);
}

int catalog_register(struct lh_tool *tool, void *settings)
{
	struct run r;

	begin(&r, tool, settings);
	return end(&r, run_records(&r, tool->operands, tool->n_operands, register_record));
}

int catalog_get(struct lh_tool *tool, void *settings)
{
	return run_names(tool, settings, get_name, get_record);
}

int catalog_remove(struct lh_tool *tool, void *settings)
{
	return run_names(tool, settings, remove_name, remove_record);
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

int catalog_list(struct lh_tool *tool, void *settings)
{
	const struct lh_catalog_visit visit = { print_manifest, report_damaged, tool };

	return lh_catalog_list(((const struct settings *)settings)->catalog, &visit, &tool->err);
}
