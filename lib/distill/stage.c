/* stage.c - a run of stages, and their results.  See stage.h. */
#include "stage.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "crypto/digest.h"
#include "file/file.h"
#include "json/json.h"
#include "base/mem.h"
#include "receipt.h"

#define ID_MAX 128
#define UUID_LEN 36
#define SUFFIXES 1000000	/* runs of one id before it fails */

const char *lh_stage_name(enum lh_stage s)
{
	static const char *const names[] = { "collect", "score", "export-rag", "export-sft",
					     "export-preference" };

	return names[s];
}

bool lh_run_id_valid(const char *id)
{
	size_t n = strlen(id), i;

	if (!n || n > ID_MAX || *id == '.' || !lh_utf8_valid(id, n))
		return false;
	for (i = 0; i < n; i++)
		if ((unsigned char)id[i] < ' ' || id[i] == '/' || id[i] == 0x7f)
			return false;
	return true;
}

static int each_run(DIR *d, const char *path, lh_run_fn *fn, void *ctx, struct lh_err *err)
{
	const struct dirent *e;
	int rc = 0;

	while (!rc) {
		errno = 0;
		e = readdir(d);
		if (!e)
			return errno ? lh_err_sys(err, "%s: cannot read", path) : 0;
		if (lh_run_id_valid(e->d_name))
			rc = fn(ctx, e->d_name, err);
	}
	return rc;
}

int lh_run_each(const struct lh_root *root, lh_run_fn *fn, void *ctx, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(root, LH_ROOT_REPORTS);
	DIR *d = opendir(path);
	int rc = 0;

	if (!d && errno != ENOENT && errno != ENOTDIR)
		rc = lh_err_sys(err, "%s: cannot open", path);
	if (d) {
		rc = each_run(d, path, fn, ctx, err);
		closedir(d);
	}
	return rc;
}

/* ---- the id ---- */

/* Print 16 bytes as a UUID (RFC 9562) of that version. */
static void print_uuid(unsigned char b[16], unsigned version, char out[UUID_LEN + 1])
{
	static const unsigned char group[] = { 4, 2, 2, 2, 6 };
	size_t g, at = 0;

	b[6] = (unsigned char)((b[6] & 0x0f) | version << 4);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	for (g = 0; g < sizeof group; g++) {
		if (g)
			*out++ = '-';
		lh_hex(b + at, group[g], out);
		out += 2 * group[g];
		at += group[g];
	}
	*out = '\0';
}

/* Hash time and root, so that a fixed clock gives the same id again. */
static int hashed_uuid(const struct lh_run *run, char out[UUID_LEN + 1], struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *real = realpath(lh_root_path(run->root), NULL);
	char time[LH_TIME_LEN + 1];
	unsigned char hash[32];
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

	if (!real)
		return lh_err_sys(err, "%s", lh_root_path(run->root));
	lh_run_time(run, time);
	lh_buf_printf(&b, "%s\n%s\n", time, real);
	lh_sha256(b.p, b.len, hash);
	print_uuid(hash, 8, out);
	return 0;
}

static int random_uuid(char out[UUID_LEN + 1], struct lh_err *err)
{
	unsigned char b[16];

	if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
		return lh_err_sys(err, "no random bytes");
	print_uuid(b, 4, out);
	return 0;
}

static int id_exists(const struct lh_run *run, const char *id, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *relpath = lh_format("%s/%s", LH_ROOT_REPORTS, id);

	return lh_root_has(run->root, relpath, err);
}

static int make_id(struct lh_run *run, struct lh_err *err)
{
	char id[UUID_LEN + 16];
	int i, is;

	if ((run->fixed ? hashed_uuid(run, id, err) : random_uuid(id, err)) < 0)
		return -1;
	for (i = 2; (is = id_exists(run, id, err)) > 0 && i < SUFFIXES; i++)
		snprintf(id + UUID_LEN, sizeof id - UUID_LEN, "-%d", i);
	if (is < 0)
		return -1;
	run->id = lh_strndup(id, strlen(id));
	return 0;
}

static int set_id(struct lh_run *run, struct lh_err *err)
{
	const char *id = run->how.run_id;

	if (!id)
		return make_id(run, err);
	if (!lh_run_id_valid(id))
		return lh_err_set(err, LH_EUSAGE,
				  "--run-id: \"%s\" is not a name for a run (up to %d bytes, no "
				  "\"/\", not hidden)",
				  id, ID_MAX);
	run->id = lh_strndup(id, strlen(id));
	return 0;
}

/* ---- the run ---- */

void lh_run_time(const struct lh_run *run, char *out)
{
	lh_time_print(run->fixed ? run->now : lh_time_clock(), out);
}

static int set_times(struct lh_run *run, const char *now, struct lh_err *err)
{
	const char *at = run->how.recorded_at;
	int64_t ms;

	run->fixed = now != NULL;
	if (now && lh_time_read(now, strlen(now), &run->now) < 0)
		return lh_err_set(err, LH_EUSAGE, "--now: \"%s\" is not an RFC 3339 time", now);
	if (!at) {
		lh_run_time(run, run->recorded_at);
		return 0;
	}
	if (lh_time_read(at, strlen(at), &ms) < 0)
		return lh_err_set(err, LH_EUSAGE, "--recorded-at: \"%s\" is not an RFC 3339 time",
				  at);
	lh_time_print(ms, run->recorded_at);
	return 0;
}

/* Remove the temporary files of a killed run that this one would never replace:
 * those of another day, or of its receipts. */
static void remove_leftovers(const struct lh_run *run)
{
	static const char *const folders[] = { LH_ROOT_SOURCES, LH_ROOT_EVIDENCE, LH_ROOT_SCORED,
					       LH_ROOT_EXPORTS, LH_ROOT_REPORTS };
	size_t i;

	for (i = 0; i < sizeof folders / sizeof *folders; i++) {
		char *path = lh_root_join(run->root, folders[i]);

		lh_sweep_below(path);
		free(path);
	}
}

static int open_run(struct lh_run *run, const char *now, struct lh_err *err)
{
	if (set_times(run, now, err) < 0)
		return -1;
	if (run->how.run_id && !lh_run_id_valid(run->how.run_id))
		return set_id(run, err);
	run->root = lh_root_open(run->how.root, err);
	if (!run->root)
		return -1;
	if (run->how.dry)
		return 0;
	run->facts = lh_digest_cache_new(lh_root_path(run->root));
	lh_root_remember(run->root, run->facts);
	if (lh_root_lock(run->root, run->how.lock_timeout, err) < 0)
		return -1;
	remove_leftovers(run);
	if (set_id(run, err) < 0)
		return -1;
	run->no_git = !lh_git_commit(lh_root_path(run->root), run->git_commit, &run->why_no_git);
	if (!run->no_git || run->why_no_git.code == LH_EDATA)
		return 0;
	*err = run->why_no_git;
	return -1;
}

struct lh_run *lh_run_open(const struct lh_run_how *how, const char *now, struct lh_err *err)
{
	struct lh_run *run = lh_calloc(1, sizeof *run);

	run->how = *how;
	if (open_run(run, now, err) == 0)
		return run;
	lh_run_close(run);
	return NULL;
}

void lh_run_release(struct lh_run *run)
{
	lh_root_close(run->root);
	run->root = NULL;
}

void lh_run_close(struct lh_run *run)
{
	if (!run)
		return;
	lh_run_release(run);
	lh_digest_cache_free(run->facts);
	free(run->id);
	free(run);
}

/* ---- a stage ---- */

void lh_stage_begin(struct lh_stage_result *res, enum lh_stage stage)
{
	*res = (struct lh_stage_result){ .stage = stage,
					 .passed = true,
					 .start = lh_time_monotonic() };
}

void lh_stage_done(struct lh_stage_result *res)
{
	lh_buf_free(&res->errors);
	lh_buf_free(&res->warnings);
}

static void put_text(struct lh_buf *list, const char *fmt, va_list ap)
{
	char text[1024];
	int n = vsnprintf(text, sizeof text, fmt, ap);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;

	while (len && !lh_utf8_valid(text, len))
		len--;		/* cut within a character */
	if (list->len)
		lh_buf_putc(list, ',');
	lh_buf_json(list, text, len);
}

void lh_stage_fault(struct lh_stage_result *res, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_text(&res->errors, fmt, ap);
	va_end(ap);
	res->passed = false;
}

void lh_stage_warn(struct lh_stage_result *res, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_text(&res->warnings, fmt, ap);
	va_end(ap);
}
