/*
 * export_check.c - verify an export by reading it again.  See stage.h.
 *
 * The third layer of the firewall: except for the schemas it shares no decision
 * with the code that wrote the file, and it also checks what the schemas do not
 * cover.
 */
#include "stages.h"

#include "crypto/digest.h"
#include "base/mem.h"
#include "file/rows.h"
#include "json/value.h"
#include "schema/schema.h"

struct check {
	enum lh_exporter x;
	const char *relpath;
	const struct lh_map *known;
	const struct lh_export_ids *due;
	/* of the expected ids, those found in order from the first on */
	size_t met;
	struct lh_stage_result *res;
	const struct lh_schema *schema;
	uint64_t line, faults;
	struct lh_record rec;
	struct lh_buf run_id, sig, scratch;
	struct lh_map ids;
};

/* Read sixteen lowercase hex digits as a number. */
static bool read_hex16(const char *p, uint64_t *out)
{
	size_t i;

	for (*out = 0, i = 0; i < 16; i++) {
		if (p[i] >= '0' && p[i] <= '9')
			*out = *out << 4 | (uint64_t)(p[i] - '0');
		else if (p[i] >= 'a' && p[i] <= 'f')
			*out = *out << 4 | (uint64_t)(p[i] - 'a' + 10);
		else
			return false;
	}
	return true;
}

struct lh_key lh_export_id(const char *id, size_t n)
{
	static const char *const kinds[] = { "rag-", "sft-", "pref-" };
	unsigned char hash[32];
	struct lh_key k;
	size_t i, len;

	for (i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		len = strlen(kinds[i]);
		if (n == len + 16 && !memcmp(id, kinds[i], len) && read_hex16(id + len, &k.a)) {
			k.b = i + 1;
			return k;
		}
	}
	lh_sha256(id, n, hash);
	memcpy(&k, hash, sizeof k);
	return k;
}

static void report_fault(struct check *c, const char *what)
{
	if (c->faults++ < LH_EXPORT_FAULTS)
		lh_stage_fault(c->res, "%s:%llu: %s", c->relpath, (unsigned long long)c->line,
			       what);
}

static void on_violation(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	struct check *c = ctx;

	if (c->faults++ < LH_EXPORT_FAULTS)
		lh_stage_fault(c->res, "%s:%llu: %.*s: %.*s", c->relpath,
			       (unsigned long long)c->line, (int)field->n, field->p,
			       (int)problem->n, problem->p);
}

static bool field_is(const struct check *c, const char *field, const char *category)
{
	const struct lh_value *v = lh_record_get(&c->rec, field);

	return v && lh_value_is(v, category, strlen(category));
}

/* Whatever its category, a sample must not be made of a record that the scores refuse. */
static void check_source(struct check *c)
{
	const struct lh_value *from = lh_record_get(&c->rec, "provenance");
	struct lh_str run_id, sig;
	struct lh_value v;
	struct lh_key key;

	if (c->x == LH_PREFERENCE || !from || from->type != LH_OBJECT ||
	    !lh_value_get(from, "sig_hash", &v))
		return;
	run_id = lh_value_text(lh_record_get(&c->rec, "source_run_id"), &c->run_id);
	sig = lh_value_text(&v, &c->sig);
	key = lh_record_key(&run_id, &sig, &(struct lh_str){ c->rec.line, c->rec.len });
	if (lh_keymap_get(c->known, &key) & lh_export_unsafe(c->x))
		report_fault(c, "made of a record whose score is never safe here");
}

static bool is_same(const struct lh_key *a, const struct lh_key *b)
{
	return a->a == b->a && a->b == b->b;
}

static int check_id(struct check *c, struct lh_err *err)
{
	struct lh_key key;
	struct lh_str id;
	uint64_t *bits;

	id = lh_value_text(lh_record_get(&c->rec, "id"), &c->run_id);
	key = lh_export_id(id.p, id.n);
	bits = lh_keymap_at(&c->ids, &key, err);
	if (!bits)
		return -1;
	if (*bits)
		report_fault(c, "the id is also in an earlier line");
	*bits = 1;
	if (c->met < c->due->n && is_same(&key, &c->due->id[c->met]))
		c->met++;
	return 0;
}

static int check_row(void *ctx, const struct lh_file_row *row, struct lh_err *err)
{
	struct check *c = ctx;
	static const char *const fields[] = { "quality_score", "success_score", "source_category",
					      "category" };
	size_t i;

	c->line = row->line;
	if (lh_record_parse(&c->rec, row->p, row->n, err) < 0) {
		if (err->code != LH_EDATA)
			return -1;
		report_fault(c, err->msg);
		return 0;
	}
	lh_schema_check_record(c->schema, &c->rec, &c->scratch, on_violation, c);
	for (i = 0; c->x != LH_PREFERENCE && i < sizeof fields / sizeof *fields; i++)
		if (field_is(c, fields[i], "rejected") ||
		    (c->x == LH_SFT && field_is(c, fields[i], "needs_human_review"))) {
			report_fault(c, "the category is never safe here");
			break;
		}
	check_source(c);
	return check_id(c, err);
}

int lh_export_check(const struct lh_root *root, enum lh_exporter x, const struct lh_map *known,
		    const struct lh_export_ids *due, struct lh_stage_result *res,
		    struct lh_err *err)
{
	static const char *const schemas[LH_EXPORTERS] = { "rag_sample", "sft_sample",
							   "preference_sample" };
	struct check c = {
		.x = x, .relpath = lh_exporter_output(x), .known = known, .due = due, .res = res
	};
	LH_SCOPED(lh_free_local) char *path = lh_root_join(root, c.relpath);
	int rc;

	c.schema = lh_schema_find(schemas[x]);
	rc = lh_rows_each(path, check_row, &c, err);
	if (rc >= 0) {
		size_t missing = 0, i;

		for (i = c.met; i < c.due->n; i++)
			missing += !lh_keymap_get(&c.ids, &c.due->id[i]);
		if (missing)
			lh_stage_fault(c.res, "%s: %s not there", c.relpath,
				       LH_N(missing, "sample is|samples are"));
		if (c.faults > LH_EXPORT_FAULTS)
			lh_stage_fault(c.res, "%s: %llu more faults", c.relpath,
				       (unsigned long long)(c.faults - LH_EXPORT_FAULTS));
	}
	lh_record_free(&c.rec);
	lh_buf_free(&c.run_id);
	lh_buf_free(&c.sig);
	lh_buf_free(&c.scratch);
	lh_map_free(&c.ids);
	return rc < 0 ? -1 : 0;
}
