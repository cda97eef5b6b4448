/* bundle.c - make a bundle.  See bundle.h. */
#include "bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "audit.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "file/file.h"
#include "json/write.h"
#include "tlog/once.h"
#include <lh/digest.h>

#define TAIL_ROWS 50

/* in byte order of their names, which is their order in the bundle */
enum member {
	M_BASELINES, M_CHECKS, M_REPLAYS, M_HTML, M_JSON, M_MARKDOWN,
	M_COLLECT, M_DRIFT, M_PREFERENCE, M_RAG, M_SFT, M_SCORE, M_SUMMARY, M_SUMMARY_MD,
	MEMBERS
};

static const struct {
	const char *name;
	const char *file;	/* of the root; NULL: it is made here */
	bool of_run;		/* below the run's folder */
} members[MEMBERS] = {
	[M_BASELINES] = { "baselines.jsonl", AUDIT_BASELINES, false },
	[M_CHECKS] = { "checks.jsonl", NULL, false },
	[M_REPLAYS] = { "replay-tail.jsonl", AUDIT_REPLAYS, false },
	[M_HTML] = { "report.html", NULL, false },
	[M_JSON] = { "report.json", NULL, false },
	[M_MARKDOWN] = { "report.md", NULL, false },
	[M_COLLECT] = { "run/collect.json", "collect.json", true },
	[M_DRIFT] = { "run/drift.json", "drift.json", true },
	[M_PREFERENCE] = { "run/export-preference.json", "export-preference.json", true },
	[M_RAG] = { "run/export-rag.json", "export-rag.json", true },
	[M_SFT] = { "run/export-sft.json", "export-sft.json", true },
	[M_SCORE] = { "run/score.json", "score.json", true },
	[M_SUMMARY] = { "run/summary.json", "summary.json", true },
	[M_SUMMARY_MD] = { "run/summary.md", "summary.md", true },
};

/* Return where the last rows begin. */
static uint64_t tail(const char *p, size_t n)
{
	const char *end = p + n, *line;
	int rows = 0;

	if (n && end[-1] == '\n')
		end--;
	for (; end > p; end = line - 1) {
		line = memrchr(p, '\n', (size_t)(end - p));
		line = line ? line + 1 : p;
		rows += lh_trim(line, (size_t)(end - line)).n != 0;
		if (rows == TAIL_ROWS || line == p)
			return (uint64_t)(line - p);
	}
	return 0;
}

static int cut_to_tail(struct bundle_member *m, struct lh_err *err)
{
	struct lh_mapped map;

	if (!m->size)
		return 0;
	if (lh_mapped_fd(&map, m->fd, err) < 0)
		return -1;
	m->from = tail(map.p, map.n);
	m->size = map.n - m->from;
	lh_mapped_close(&map);
	return 0;
}

/* Open a file for a member: 1; 0 if it does not exist or cannot be read, which a
 * check has reported already; -1. */
static int open_member(const struct audit *a, const char *relpath, struct bundle_member *m,
		       struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(a->root, relpath, err);
	struct stat st;

	if (!path)
		return -1;
	m->fd = lh_open_regular(path, O_RDONLY, 0, err);
	if (m->fd < 0 && errno != ENOENT && errno != ENOTDIR && errno != ENOMEM)
		lh_tool_warn(a->tool, "%s: left out of the bundle", err->msg);
	if (m->fd < 0)
		return err->code == LH_ENOMEM ? -1 : 0;
	if (fstat(m->fd, &st) < 0)
		return lh_err_sys(err, "%s", relpath);
	m->size = (uint64_t)st.st_size;
	return 1;
}

static int from_root(const struct audit *a, enum member id, struct bundle_member *m,
		     struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };
	int rc;

	if (members[id].of_run && !a->run_id)
		return 0;
	if (members[id].of_run)
		lh_buf_printf(&path, "%s/%s/", LH_ROOT_REPORTS, a->run_id);
	lh_buf_puts(&path, members[id].file);
	lh_buf_putc(&path, '\0');
	rc = lh_buf_check(&path, err) < 0 ? -1 : open_member(a, path.p, m, err);
	if (rc > 0 && id == M_REPLAYS && cut_to_tail(m, err) < 0)
		return -1;
	return rc;
}

static int from_audit(struct audit *a, enum member id, struct lh_buf *out, struct lh_err *err)
{
	switch (id) {
	case M_CHECKS:
		lines_print(out, a, true);
		break;
	case M_JSON:
		document_print(out, a, true);
		break;
	case M_HTML:
		if (html_print(out, a, err) < 0)
			return -1;
		break;
	default:
		markdown_print(out, a);
	}
	return lh_buf_check(out, err) < 0 ? -1 : 1;
}

int bundle_write(struct audit *a, struct lh_err *err)
{
	struct bundle_member m[MEMBERS];
	size_t i, n = 0;
	int id, rc = 0;

	for (id = 0; id < MEMBERS && rc >= 0; id++) {
		m[n] = (struct bundle_member){ .name = members[id].name, .fd = -1 };
		m[n].text = (struct lh_buf){ 0 };
		rc = members[id].file ? from_root(a, id, &m[n], err)
			: from_audit(a, id, &m[n].text, err);
		n += rc != 0;
	}
	if (rc >= 0)
		rc = bundle_pack(a->s->bundle, m, n, err);
	for (i = 0; i < n; i++) {
		lh_buf_free(&m[i].text);
		if (m[i].fd >= 0)
			close(m[i].fd);
	}
	return rc;
}

/* ---- in a transparency log ---- */

int bundle_commit(struct lh_tool *tool, const struct settings *s, const char *file,
		  uint64_t *index)
{
	LH_SCOPED(lh_tlog_keyed_close) struct lh_tlog_keyed tree = { .log = NULL };
	struct lh_err *err = &tool->err;
	char entry[LH_RECEIPT_ENTRY];
	struct lh_mapped map;
	unsigned char sum[32];

	if (!bundle_is_sealed(file))
		return lh_err_set(err, LH_EIO, "%s: not a bundle, or cut short", file);
	if (lh_mapped_open(&map, file, err) < 0)
		return -1;
	lh_sha256(map.p, map.n, sum);
	lh_mapped_close(&map);
	lh_receipt_entry(sum, entry);
	if (lh_tlog_keyed_open(&tree, s->tlog, s->tlog_key.v, s->tlog_key.n, tool->lock_timeout,
			       err) < 0)
		return -1;
	return lh_tlog_append_once(tree.log, &(struct lh_str){ entry, sizeof entry }, 1, index,
				   err);
}

static int print_commit(struct lh_tool *tool, const struct settings *s, const char *file)
{
	struct lh_buf out = { 0 };
	struct lh_writer w = lh_write_to(&out);
	uint64_t index;

	if (bundle_commit(tool, s, file, &index) < 0)
		return -1;
	lh_write_object(&w, NULL);
	lh_write_bytes(&w, "file", file);
	lh_write_u64(&w, "tlog_index", index);
	lh_write_end(&w);
	return lh_tool_out_line(tool, &out);
}

int bundle_verb(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	const char *what = tool->operands[0];
	bool commits = strcmp(what, "commit") == 0;

	if (!commits && strcmp(what, "verify") != 0)
		return lh_tool_usage(tool, "bundle: \"%s\" is not verify or commit", what);
	if (tool->n_operands == 1)
		return lh_tool_usage(tool, "bundle %s: missing operand BUNDLE", what);
	if (tool->n_operands > 2)
		return lh_tool_unexpected(tool, 2, "bundle %s takes one BUNDLE", what);
	if (commits && !s->tlog)
		return lh_tool_usage(tool, "bundle commit needs --tlog");
	if (!commits && s->tlog)
		return lh_tool_usage(tool, "--tlog is for bundle commit");
	return commits ? print_commit(tool, s, tool->operands[1])
		       : bundle_verify(tool, tool->operands[1]);
}
