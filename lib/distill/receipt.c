/* receipt.c - the receipt of a stage.  See receipt.h. */
#include "receipt.h"

#include <stdio.h>
#include <stdlib.h>

#include <lh/digest.h>
#include "json/write.h"
#include "schema/schema_table.h"
#include "base/mem.h"
#include "root.h"

#define NO_GIT "no git commit; zeros stand for it"

/* One side of a receipt: its files as JSON, and the lines that are hashed. */
struct side {
	struct lh_run *run;
	struct lh_buf files, lines;
	uint64_t records;
};

static int add_file(void *ctx, const char *relpath, struct lh_err *err)
{
	struct side *s = ctx;
	struct lh_file_digest fact;
	struct lh_writer json;
	char hex[LH_SHA256_HEX + 1] = "";
	int rc = lh_digest_cache_get(s->run->facts, s->run->root, relpath, &fact, err);

	if (rc <= 0)
		return rc;
	lh_hex(fact.sha256, sizeof fact.sha256, hex);
	s->records += fact.records;
	lh_buf_printf(&s->lines, "%s\t%s\n", relpath, hex);
	json = lh_write_to(&s->files);
	json.comma = s->files.len > 0;
	lh_write_object(&json, NULL);
	lh_write_text(&json, "path", relpath);
	lh_write_text(&json, "sha256", hex);
	lh_write_u64(&json, "bytes", fact.bytes);
	lh_write_u64(&json, "record_count", fact.records);
	lh_write_end(&json);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_sources(struct side *s, unsigned sources, struct lh_err *err)
{
	const char *path[LH_STREAMS];
	size_t n = 0, i;
	int rc = 0;

	for (i = 0; i < LH_STREAMS; i++)
		if (!sources || sources & 1u << i)
			path[n++] = lh_stream_source((enum lh_stream)i);
	qsort(path, n, sizeof *path, by_name);
	for (i = 0; !rc && i < n; i++)
		rc = add_file(s, path[i], err);
	return rc;
}

/* Add the inputs in order of path: "data/evidence" < "data/scored-runs", "data/_kb"
 * < "data/evidence", "exports/p..." < "exports/quarantine" < "exports/r...". */
static int add_inputs(struct side *s, const struct lh_stage_result *res, struct lh_err *err)
{
	const struct lh_root *root = s->run->root;

	if (res->stage == LH_STAGE_COLLECT)
		return add_sources(s, res->sources, err);
	if (lh_root_each(root, LH_ROOT_EVIDENCE, add_file, s, err) < 0)
		return -1;
	return res->stage == LH_STAGE_SCORE ? 0
		: lh_root_each(root, LH_ROOT_SCORED, add_file, s, err);
}

static int add_outputs(struct side *s, const struct lh_stage_result *res, struct lh_err *err)
{
	static const char *const exports[LH_STAGES][2] = {
		[LH_STAGE_RAG] = { LH_ROOT_EXPORTS "/quarantine/rag.jsonl",
				   LH_ROOT_EXPORTS "/rag/playbooks.jsonl" },
		[LH_STAGE_SFT] = { LH_ROOT_EXPORTS "/quarantine/sft.jsonl",
				   LH_ROOT_EXPORTS "/sft/instruction_response.jsonl" },
		[LH_STAGE_PREFERENCE] = { LH_ROOT_EXPORTS "/preference/chosen_rejected.jsonl",
					  LH_ROOT_EXPORTS "/quarantine/preference.jsonl" },
	};
	const struct lh_root *root = s->run->root;
	size_t i;

	if (res->stage == LH_STAGE_SCORE)
		return lh_root_each(root, LH_ROOT_SCORED, add_file, s, err);
	if (res->stage == LH_STAGE_COLLECT)
		return add_file(s, LH_ROOT_SKIPS, err) < 0 ? -1
			: lh_root_each(root, LH_ROOT_EVIDENCE, add_file, s, err);
	for (i = 0; i < 2; i++)
		if (add_file(s, exports[res->stage][i], err) < 0)
			return -1;
	return 0;
}

/* ---- the text ---- */

static void put_side(struct lh_writer *json, const char *name, const struct side *s,
		     const char *hash)
{
	lh_write_object(json, name);
	lh_write_array(json, "files");
	lh_buf_add(json->out, s->files.p, s->files.len);
	lh_write_end(json);
	lh_write_u64(json, "record_count", s->records);
	lh_write_text(json, "hash", hash);
	lh_write_end(json);
}

/* Append the JSON strings of list, and one more unless it is NULL. */
static void put_list(struct lh_writer *json, const char *name, const struct lh_buf *list,
		     const char *more)
{
	lh_write_array(json, name);
	lh_buf_add(json->out, list->p, list->len);
	json->comma = list->len > 0;
	if (more)
		lh_write_text(json, NULL, more);
	lh_write_end(json);
}

static void put_receipt(struct lh_buf *b, const struct lh_run *run,
			const struct lh_stage_result *res, const struct side *in,
			const struct side *out)
{
	struct lh_writer json = lh_write_to(b);
	char time[LH_TIME_LEN + 1];

	lh_run_time(run, time);
	lh_write_object(&json, NULL);
	lh_write_u64(&json, "schema_version",
		     lh_schema_version(lh_schema_find("stage_receipt")));
	lh_write_text(&json, "run_id", run->id);
	lh_write_text(&json, "stage", lh_stage_name(res->stage));
	lh_write_text(&json, "timestamp", time);
	lh_write_text(&json, "git_commit", run->git_commit);
	put_side(&json, "inputs", in, res->input_hash);
	put_side(&json, "outputs", out, res->output_hash);
	lh_write_object(&json, "stats");
	lh_write_u64(&json, "accepted", res->accepted);
	lh_write_u64(&json, "rejected", res->rejected);
	lh_write_u64(&json, "quarantined", res->quarantined);
	lh_write_u64(&json, "skipped", res->skipped);
	lh_write_end(&json);
	lh_write_object(&json, "validation");
	lh_write_bool(&json, "passed", res->passed);
	put_list(&json, "errors", &res->errors, NULL);
	put_list(&json, "warnings", &res->warnings, run->no_git ? NO_GIT : NULL);
	lh_write_end(&json);
	lh_write_u64(&json, "duration_ms", res->duration_ms);
	lh_write_end(&json);
	lh_buf_putc(b, '\n');
}

int lh_report_write(struct lh_run *run, const char *name, const struct lh_buf *text,
		    struct lh_err *err)
{
	size_t n = sizeof LH_ROOT_REPORTS + strlen(run->id) + strlen(name) + 2;
	LH_SCOPED(lh_free_local) char *relpath = lh_calloc(n, 1);
	int rc = lh_buf_check(text, err);

	if (!rc) {
		snprintf(relpath, n, "%s/%s/%s", LH_ROOT_REPORTS, run->id, name);
		rc = lh_root_put(run->root, relpath, text, err);
	}
	return rc;
}

static void hash_side(const struct side *s, char hex[65])
{
	unsigned char hash[32];

	lh_sha256(s->lines.p, s->lines.len, hash);
	lh_hex(hash, sizeof hash, hex);
	hex[LH_SHA256_HEX] = '\0';
}

static int write_receipt(struct lh_run *run, struct lh_stage_result *res, struct side *in,
			 struct side *out, struct lh_err *err)
{
	char name[32];
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

	if (add_inputs(in, res, err) || add_outputs(out, res, err))
		return -1;
	hash_side(in, res->input_hash);
	hash_side(out, res->output_hash);
	res->records_in = in->records;
	res->records_out = out->records;
	res->duration_ms = run->fixed ? 0 : (uint64_t)((lh_time_monotonic() - res->start) * 1e3);
	put_receipt(&b, run, res, in, out);
	snprintf(name, sizeof name, "%s.json", lh_stage_name(res->stage));
	return lh_report_write(run, name, &b, err);
}

static void side_init(struct side *s, struct lh_run *run)
{
	*s = (struct side){ .run = run };
}

static void side_free(struct side *s)
{
	lh_buf_free(&s->files);
	lh_buf_free(&s->lines);
}

int lh_receipt_write(struct lh_run *run, struct lh_stage_result *res, struct lh_err *err)
{
	struct side in, out;
	int rc;

	if (run->how.dry)
		return 0;
	side_init(&in, run);
	side_init(&out, run);
	rc = write_receipt(run, res, &in, &out, err);
	side_free(&in);
	side_free(&out);
	return rc;
}
