/* collect_known.c - find what earlier runs have collected. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "collect_parts.h"
#include <lh/digest.h>
#include "base/mem.h"
#include "flow/flow.h"

void lh_collect_skip_key(const char *source, size_t n, uint64_t offset, const char *sig,
			 size_t sig_n, struct lh_buf *scratch, unsigned char key[32])
{
	lh_buf_reset(scratch);
	lh_buf_add(scratch, sig, sig_n);
	lh_buf_putc(scratch, '\n');
	lh_buf_u64(scratch, offset);
	lh_buf_putc(scratch, '\n');
	lh_buf_add(scratch, source, n);
	lh_sha256(scratch->p, scratch->len, key);
}

/* ---- evidence ---- */

/* The result of a record is the 32 bytes of its hash. */
static int on_evidence(struct lh_record *rec, void *hash, struct lh_buf *out, void *arg,
		       struct lh_err *err)
{
	const struct lh_value *provenance = lh_record_get(rec, "provenance");
	struct lh_value sig;

	(void)out;
	(void)arg;
	if (!provenance || !lh_value_get(provenance, "sig_hash", &sig) || sig.type != LH_STRING ||
	    !lh_unhex(sig.p + 1, sig.n - 2, hash))
		return lh_err_set(err, LH_EDATA, "evidence without provenance.sig_hash");
	return 1;
}

static int add_hash(const struct lh_output *o, void *set, struct lh_err *err)
{
	return lh_hashset_add(set, o->result, NULL, err);
}

static int read_known(struct collect *c, const char *relpath, struct lh_err *err)
{
	const struct lh_flow flow = {
		.fill = on_evidence, .result_size = 32, .sink = add_hash, .shared = &c->seen,
		.jobs = c->run->how.jobs, .tombstones = true,
	};
	LH_SCOPED(lh_free_local) char *path = lh_root_join(c->run->root, relpath);

	return lh_flow_file(path, &flow, err);
}

static int of_source(void *ctx, const char *relpath, struct lh_err *err)
{
	struct collect *c = ctx;

	if (lh_stream_of(relpath, strlen(relpath)) != c->stream)
		return 0;
	return read_known(c, relpath, err);
}

static int exists(const struct collect *c, const char *relpath, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(c->run->root, relpath);
	struct stat st;
	int is;

	is = lstat(path, &st) == 0 ? 1 : errno == ENOENT ? 0 : lh_err_sys(err, "%s", path);
	return is;
}

int lh_collect_known(struct collect *c, const char *today, struct lh_err *err)
{
	int is;

	if (c->how->dedup == LH_DEDUP_ALL)
		return lh_root_each(c->run->root, LH_ROOT_EVIDENCE, of_source, c, err);
	is = exists(c, today, err);
	return is > 0 ? read_known(c, today, err) : is;
}

/* ---- skips ---- */

static int on_skip(struct lh_record *rec, void *key, struct lh_buf *out, void *scratch,
		   struct lh_err *err)
{
	const struct lh_value *source = lh_record_get(rec, "source_file"),
			      *offset = lh_record_get(rec, "line_offset");
	const struct lh_value *sig = lh_record_get(rec, "sig_hash");
	int64_t at;

	(void)out;
	if (!source || source->type != LH_STRING || !sig || sig->type != LH_STRING ||
	    !offset || offset->type != LH_NUMBER || !lh_value_i64(offset, &at) || at < 0)
		return lh_err_set(err, LH_EDATA,
				  "a skip without source_file, line_offset or sig_hash");
	lh_collect_skip_key(source->p + 1, source->n - 2, (uint64_t)at, sig->p + 1,
			    sig->n - 2, scratch, key);
	return 1;
}

static void scratch_free(void *scratch)
{
	lh_buf_free(scratch);
}

int lh_collect_known_skips(struct collect *c, struct lh_err *err)
{
	const struct lh_flow flow = {
		.fill = on_skip, .result_size = 32, .sink = add_hash, .shared = &c->skips_seen,
		.jobs = c->run->how.jobs, .tombstones = true,
		.context_size = sizeof(struct lh_buf),
		.context_free = scratch_free,
	};
	int rc = exists(c, LH_ROOT_SKIPS, err);
	LH_SCOPED(lh_free_local) char *path = NULL;

	if (rc <= 0)
		return rc;
	path = lh_root_join(c->run->root, LH_ROOT_SKIPS);
	return lh_flow_file(path, &flow, err);
}
