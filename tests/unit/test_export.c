/*
 * lh_sample, lh_stage_export: what guards samples without the gates before it, which are in
 * lh-export.bats; rows, folders and keys of the stages.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "json_text.h"
#include "file/file.h"
#include "distill/evidence_lookup.h"
#include "distill/sample.h"
#include "file/rows.h"
#include "distill/sample_parts.h"
#include "distill/stages.h"

#define AT "2026-05-03T12:00:00.000Z"
#define SIG "ec70bb92c9e2cf6020cb9aaffaa429fc356efff9fc06f825c8f816be82a52be3"
#define OTHER "655b17d2a11d685b9885961a808a6c9ef021c5c1d6200680edecee1a8452c4fd"
#define FROM \
	"\"provenance\":{\"source_file\":\"data/_kb/scrum_reviews.jsonl\",\"line_offset\":0," \
	"\"sig_hash\":\"" SIG "\",\"recorded_at\":\"" AT "\"}"
#define SCORED(category) \
	"{\"evidence_run_id\":\"run-1\"," \
	"\"category\":\"" category "\",\"reasons\":[\"why\"]," FROM "}"
#define EVIDENCE \
	"{\"run_id\":\"run-1\"," \
	"\"task_id\":\"scrum_review:a.c\"," FROM ",\"text\":\"t\",\"model_role\":\"executor\"}"

static struct lh_err err;

/* Layer 1: without the gate of categories the schema refuses it. */
static void builds(enum lh_exporter x, const char *category, const char *error)
{
	const struct lh_export all = { .include_review = true, .include_partial = true };
	struct lh_sampler *s = lh_sampler_new(x, &all, AT, &err);
	struct lh_buf out = { 0 };
	char text[1000];
	int rc;

	snprintf(text, sizeof text, SCORED("%s"), category);
	check(s);
	lh_source_scored(&s->one, record_of(text));
	lh_source_evidence(&s->one, record_of(EVIDENCE));
	lh_sample_begin(s);
	rc = lh_sample_build(s, &out);
	check(rc == !error);
	if (error) {
		check(s->result.refused == LH_SCHEMA_VIOLATION);
		lh_buf_putc(&s->result.errors, '\0');
		check_why(strstr(s->result.errors.p, error), s->result.errors.p);
	}
	lh_buf_free(&out);
	lh_sampler_free(s);
}

/* Layer 3: lines in the file, wherever they came from. */
static bool clean(const struct lh_root *root, const char *lines, const struct lh_export_ids *due)
{
	const struct lh_map none = { .n = 0 };
	struct lh_stage_result res;
	bool passed;

	check_put(lh_exporter_output(LH_SFT), lines);
	lh_stage_begin(&res, LH_STAGE_SFT);
	check_why(lh_export_check(root, LH_SFT, &none, due, &res, &err) == 0, err.msg);
	passed = res.passed;
	check(passed == !res.errors.len);
	lh_stage_done(&res);
	return passed;
}

#define SFT(id) \
	"{\"schema_version\":1," \
	"\"id\":\"" id "\",\"instruction\":\"i\",\"context\":\"\",\"response\":\"r\"," \
	"\"source_run_id\":\"run-1\"," \
	"\"quality_score\":\"accepted\",\"created_at\":\"" AT "\"," FROM "}\n"

/* A sample that was reported as written must be there. */
static void rereads(void)
{
	struct lh_key id[2] = { lh_export_id("b", 1), lh_export_id("a", 1) };
	struct lh_export_ids due = { id, 2, 2 };
	struct lh_root *root = lh_root_open(".", &err);

	check(root && lh_root_folders(root, "exports/sft/x", &err) == 0);
	check(clean(root, SFT("a") SFT("b"), &due));
	check(clean(root, SFT("b") SFT("c") SFT("a"), &due));
	check(!clean(root, SFT("b"), &due));
	check(!clean(root, SFT("a"), &due));
	lh_root_close(root);
}

/* ---- evidence of scored runs ---- */

#define ROW(run, sig) "{\"run_id\":\"" run "\",\"provenance\":{\"sig_hash\":\"" sig "\"}}\n"

static int find(struct lh_evidence_lookup *j, uint64_t n, const char *run, const char *sig,
		uint64_t *at)
{
	struct lh_str a = { run, strlen(run) }, b = { sig, strlen(sig) };
	struct lh_found f = { .at = 0 };
	int rc = lh_evidence_lookup_find(j, n, &a, &b, &f, &err);

	*at = f.at;
	return rc;
}

static void joins(void)
{
	const char *scored = "data/scored-runs/2026/05/03/a.jsonl",
		*evidence = "data/evidence/2026/05/03/a.jsonl";
	struct lh_root *root = lh_root_open(".", &err);
	struct lh_evidence_lookup *j = lh_evidence_lookup_new();
	const size_t row = strlen(ROW("a", SIG));
	uint64_t at;

	check(root && j && lh_root_folders(root, evidence, &err) == 0);
	/* no such file */
	check(lh_evidence_lookup_open(j, root, scored, &err) == 0 &&
	      find(j, 0, "a", SIG, &at) == 0);
	check_put(evidence, ROW("a", SIG) "\n" ROW("b", SIG) ROW("c", SIG) ROW("d", SIG));
	check(lh_evidence_lookup_open(j, root, scored, &err) == 0);
	check(find(j, 0, "a", SIG, &at) == 1 && at == 0);
	check(find(j, 2, "c", SIG, &at) == 1 && at == 2 * row + 1);	/* rows may be omitted */
	check(find(j, 3, "b", SIG, &at) == 1 && at == row + 1);	/* out of order */
	check(find(j, 4, "b", OTHER, &at) == 0 && find(j, 5, "e", SIG, &at) == 0);
	check(find(j, 9, "d", SIG, &at) == 1 && at == 3 * row + 1);
	check(lh_evidence_lookup_open(j, root, scored, &err) == 0 &&
	      find(j, 0, "a", SIG, &at) == 1);
	lh_evidence_lookup_free(j);
	lh_root_close(root);
}

/* Lines that end around the end of a window of a megabyte, and longer ones; the
 * last line of the file ends around the end of a page. */
static void rows_in_windows(void)
{
	static const size_t long_ones[] = { (1 << 20) - 70, (1 << 20) - 1, 1 << 20, (1 << 20) + 1,
					    5 << 20 };
	struct lh_rows *r = lh_rows_new();
	static char text[6 << 20];
	struct lh_file_row row;
	size_t i, n, tail;

	memset(text, 'x', sizeof text);
	for (i = 0; i < sizeof long_ones / sizeof *long_ones; i++)
		for (tail = 0; tail < 130; tail += 43) {
			FILE *f = fopen("windows", "w");

			n = long_ones[i];
			check(f && fwrite(text, 1, n, f) == n && fputs("\nshort\n", f) >= 0);
			n = 4096 - (n + 7) % 4096 + 4096 - tail;
			check(fwrite(text, 1, n, f) == n && fclose(f) == 0);
			check(lh_rows_open(r, "windows", &err) == 1);
			check(lh_rows_next(r, &row, &err) == 1 && row.n == long_ones[i] &&
			      !memcmp(row.p, text, row.n));
			check(lh_rows_next(r, &row, &err) == 1 && row.n == 5 &&
			      row.at == long_ones[i] + 1 && !memcmp(row.p, "short", 5));
			check(lh_rows_next(r, &row, &err) == 1 && row.n == n && row.line == 3 &&
			      !memcmp(row.p, text, n));
			check(row.p[n + LH_PAD - 1] <= '~');	/* may be read */
			check(lh_rows_next(r, &row, &err) == 0);
		}
	lh_rows_free(r);
}

static bool has(int folder, const char *path)
{
	return lh_exists_beneath(folder, path, strlen(path), &err) == 1;
}

static void beneath(void)
{
	int d;

	check(mkdir("b", 0777) == 0 && mkdir("b/in", 0777) == 0 && mkdir("out", 0777) == 0);
	check_put("b/in/f", "");
	check_put("out/f", "");
	check(symlink("in/f", "b/good") == 0 && symlink("../out/f", "b/bad") == 0 &&
	      symlink("../out", "b/dir") == 0);
	check(symlink("/proc/self/root", "b/root") == 0 && symlink("loop", "b/loop") == 0);
	check(lh_open_beneath("absent", &err) < 0 && lh_open_beneath("out/f", &err) < 0);
	d = lh_open_beneath("b", &err);
	check(d >= 0 && has(d, "in/f") && has(d, "./in//f") && has(d, "good") &&
	      has(d, "in/../in/f"));
	check(!has(d, "in") && !has(d, "") && !has(d, "in/g") && !has(d, "in/f/g") &&
	      !has(d, "bad") && !has(d, "dir/f") && !has(d, "loop"));
	check(!has(d, "../b/in/f") && !has(d, "../out/f") && !has(d, "/etc/passwd") &&
	      !has(d, "root/etc/passwd"));
	check(lh_exists_beneath(d, "in/f\0x", 6, &err) == 0);
	check(close(d) == 0);
}

static void keys(void)
{
	struct lh_map m = { .n = 0 };
	struct lh_key k;
	uint64_t *bits;
	int i;

	check(!lh_keymap_get(&m, &(struct lh_key){ 1, 1 }) &&
	      !lh_keymap_get(&m, &(struct lh_key){ 0, 0 }));
	for (i = 0; i < 200000; i++) {
		k = (struct lh_key){ (uint64_t)(i % 100000) % 1000, (uint64_t)(i % 100000) / 1000 };
		check(lh_keymap_get(&m, &k) == (i < 100000 ? 0 : (uint64_t)(i % 100000 + 1)));
		bits = lh_keymap_at(&m, &k, &err);
		check(bits && *bits == (i < 100000 ? 0 : (uint64_t)(i % 100000 + 1)));
		*bits = (uint64_t)(i % 100000 + 1);
	}
	check(m.n == 100000);
	check((m.cap * sizeof(struct lh_known) + m.table.slots * sizeof *m.table.slot) / m.n <= 60);
	lh_map_free(&m);
	check(!lh_keymap_get(&m, &k));
}

int main(void)
{
	check_folder();
	test(builds(LH_SFT, "accepted", NULL));
	test(builds(LH_SFT, "rejected", "contamination: rejected must never enter sft"));
	test(builds(LH_SFT, "needs_human_review",
		    "contamination: needs_human_review must never enter sft"));
	test(builds(LH_RAG, "needs_human_review", NULL));
	test(builds(LH_RAG, "rejected",
		    "source_category: expected accepted, partially_accepted or "
		    "needs_human_review"));
	test(rereads());
	test(keys());
	test(joins());
	test(rows_in_windows());
	test(beneath());
	return 0;
}
