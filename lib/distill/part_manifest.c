/* part_manifest.c - part.json: what a part is, and the digests of its files.  See stages.h. */
#include "part_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include <lh/digest.h>
#include "base/mem.h"
#include "file/file.h"
#include "json/bind.h"
#include "json/write.h"

#define FORMAT 1
#define MANIFEST_MAX ((size_t)64 << 20)
#define HASH ",\"hash\":\""	/* what comes after the bytes that are hashed */
#define END (sizeof HASH - 1 + LH_SHA256_HEX + sizeof "\"}\n" - 1)

static const char *const jobs[] = { "materialize", "distill", NULL };
static const char *const dedups[] = { "all", "day", NULL };

static void hash_of(const char *p, size_t n, char hex[LH_SHA256_HEX + 1])
{
	unsigned char hash[32];

	lh_sha256(p, n, hash);
	lh_hex(hash, sizeof hash, hex);
	hex[LH_SHA256_HEX] = '\0';
}

/* ---- write ---- */

static void put_digest(struct lh_writer *json, const struct lh_file_digest *fact)
{
	char hex[LH_SHA256_HEX + 1] = "";

	lh_hex(fact->sha256, sizeof fact->sha256, hex);
	lh_write_text(json, "sha256", hex);
	lh_write_u64(json, "bytes", fact->bytes);
	lh_write_u64(json, "record_count", fact->records);
}

static void put_sources(struct lh_writer *json, const struct lh_collect *how)
{
	int s;

	lh_write_array(json, "sources");
	for (s = 0; s < LH_STREAMS; s++) {
		const struct lh_collected *of = &how->of[s];

		if (how->sources && !(how->sources & 1u << s))
			continue;
		lh_write_object(json, NULL);
		lh_write_text(json, "stream", lh_stream_name((enum lh_stream)s));
		lh_write_bool(json, "rows_present", of->present);
		if (of->present) {
			put_digest(json, &of->digest);
			lh_write_u64(json, "rows_read", of->read);
			lh_write_u64(json, "rows_written", of->written);
			lh_write_u64(json, "rows_skipped", of->skipped);
			lh_write_u64(json, "rows_deduped", of->deduped);
		}
		lh_write_end(json);
	}
	lh_write_end(json);
}

struct files {
	struct lh_run *run;
	struct lh_writer *json;
};

static int put_file(void *ctx, const char *relpath, struct lh_err *err)
{
	struct files *f = ctx;
	struct lh_file_digest fact;
	int rc = lh_digest_cache_get(f->run->facts, f->run->root, relpath, &fact, err);

	if (rc <= 0)
		return rc ? -1 : lh_err_set(err, LH_EIO, "%s: is gone", relpath);
	lh_write_object(f->json, NULL);
	lh_write_text(f->json, "path", relpath);
	put_digest(f->json, &fact);
	lh_write_end(f->json);
	return 0;
}

static int put_files(struct lh_run *run, enum lh_part_job job, struct lh_writer *json,
		     struct lh_err *err)
{
	struct files f = { run, json };
	int rc;

	lh_write_array(json, "files");
	rc = lh_root_each(run->root, "data", put_file, &f, err);
	if (!rc)
		rc = lh_part_receipts(run->id, job, put_file, &f, err);
	lh_write_end(json);
	return rc;
}

int lh_part_finish(struct lh_run *run, enum lh_part_job job, const struct lh_collect *how,
		   struct lh_buf *out, struct lh_err *err)
{
	struct lh_writer json = lh_write_to(out);
	char hash[LH_SHA256_HEX + 1];

	lh_buf_reset(out);
	lh_write_object(&json, NULL);
	lh_write_u64(&json, "format", FORMAT);
	lh_write_text(&json, "run_id", run->id);
	lh_write_u64(&json, "shard", run->how.shard.i);
	lh_write_u64(&json, "of", run->how.shard.n);
	lh_write_text(&json, "job", jobs[job]);
	lh_write_text(&json, "recorded_at", run->recorded_at);
	lh_write_text(&json, "dedup", dedups[how->dedup]);
	lh_write_text(&json, "scorer_version", LH_SCORER_VERSION);
	put_sources(&json, how);
	if (put_files(run, job, &json, err) < 0 || lh_buf_check(out, err) < 0)
		return -1;
	hash_of(out->p, out->len, hash);
	lh_write_text(&json, "hash", hash);
	lh_write_end(&json);
	lh_buf_putc(out, '\n');
	return lh_root_put(run->root, LH_PART_FILE, out, err);
}

/* ---- read ---- */

static const char *const streams[] = {
	"distilled_facts", "distilled_procedures", "distilled_config_hints", "contract_analyses",
	"mode_experiments", "scrum_reviews", "observer_escalations", "audit_facts", "auto_apply",
	"observer_reviews", "audits", "outcomes", NULL
};

#define COUNT(name, s, f) { LH_BIND_U64(name, s, f, 0, INT64_MAX) }

static const struct lh_bind source_members[] = {
	{ LH_BIND_INDEX("stream", struct lh_part_source, stream, streams), .required = true },
	{ LH_BIND_BOOL("rows_present", struct lh_part_source, present), .required = true },
	{ LH_BIND_STRING("sha256", struct lh_part_source, sha256) },
	COUNT("bytes", struct lh_part_source, bytes),
	COUNT("record_count", struct lh_part_source, records),
	COUNT("rows_read", struct lh_part_source, read),
	COUNT("rows_written", struct lh_part_source, written),
	COUNT("rows_skipped", struct lh_part_source, skipped),
	COUNT("rows_deduped", struct lh_part_source, deduped),
	LH_BIND_END
};

static const struct lh_bind file_members[] = {
	{ LH_BIND_STRING("path", struct lh_part_file, path), .required = true },
	{ LH_BIND_STRING("sha256", struct lh_part_file, sha256), .required = true },
	COUNT("bytes", struct lh_part_file, bytes),
	COUNT("record_count", struct lh_part_file, records),
	LH_BIND_END
};

static const struct lh_bind members[] = {
	{ LH_BIND_U64("format", struct lh_part_manifest, format, FORMAT, FORMAT),
	  .required = true },
	{ LH_BIND_STRING("run_id", struct lh_part_manifest, run_id), .required = true },
	{ LH_BIND_U64("shard", struct lh_part_manifest, i, 0, LH_SHARDS_MAX), .required = true },
	{ LH_BIND_U64("of", struct lh_part_manifest, n, 1, LH_SHARDS_MAX), .required = true },
	{ LH_BIND_INDEX("job", struct lh_part_manifest, job, jobs), .required = true },
	{ LH_BIND_STRING("recorded_at", struct lh_part_manifest, recorded_at),
	  .required = true },
	{ LH_BIND_INDEX("dedup", struct lh_part_manifest, dedup, dedups), .required = true },
	{ LH_BIND_STRING("scorer_version", struct lh_part_manifest, scorer), .required = true },
	{ LH_BIND_TABLES("sources", struct lh_part_manifest, source, sources, source_members),
	  .required = true },
	{ LH_BIND_TABLES("files", struct lh_part_manifest, file, files, file_members),
	  .required = true },
	LH_BIND_END
};

void lh_part_manifest_init(struct lh_part_manifest *m)
{
	*m = (struct lh_part_manifest){ .format = 0 };
	lh_buf_init(&m->text, MANIFEST_MAX);
}

void lh_part_manifest_free(struct lh_part_manifest *m)
{
	lh_buf_free(&m->text);
	lh_buf_free(&m->strings);
	lh_record_free(&m->rec);
}

/* Check the hash, which is the last member. */
static bool is_intact(const struct lh_buf *text)
{
	char hash[LH_SHA256_HEX + 1], end[END + 1];

	if (text->len < END)
		return false;
	hash_of(text->p, text->len - END, hash);
	snprintf(end, sizeof end, "%s%s\"}\n", HASH, hash);
	return !memcmp(text->p + text->len - END, end, END);
}

static int parse(struct lh_part_manifest *m, struct lh_err *err)
{
	if (!is_intact(&m->text))
		return lh_err_set(err, LH_ECORRUPT,
				  "is torn, or was edited: its hash does not fit");
	if (lh_record_parse(&m->rec, m->text.p, m->text.len, err) == 0 &&
	    lh_bind(members, &m->rec, m, &m->strings, err) == 0)
		return 0;
	if (err->code == LH_EDATA)
		err->code = LH_ECORRUPT;
	return -1;
}

int lh_part_manifest_read(struct lh_part_manifest *m, const struct lh_root *part,
			  struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(part, LH_PART_FILE, err);
	int rc = path ? lh_file_read(path, &m->text, err) : -1;

	if (rc > 0 && parse(m, err) < 0)
		rc = lh_err_prefix(err, "%s", path);
	return rc;
}
