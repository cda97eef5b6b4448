/* lh-gen kb: write the files.  See kb.h. */
#include "kb.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "file/file.h"
#include "base/mem.h"
#include "base/signal.h"
#include "distill/root.h"

#define BLOCK (256 << 10)
#define RECON "docs/recon/local-distillation-recon.md"
#define RECON_HEAD "# Sources of the local distillation\n\nMade-up rows, written by `lh-gen kb`"
#define RECON_AT LH_STREAMS
#define EXPECT_AT (LH_STREAMS + 1)
#define FILES (LH_STREAMS + 2)

/* Rows in a thousand. */
static const unsigned share[LH_STREAMS] = {
	[LH_DISTILLED_FACTS] = 90,
	[LH_DISTILLED_PROCEDURES] = 40,
	[LH_DISTILLED_CONFIG_HINTS] = 20,
	[LH_CONTRACT_ANALYSES] = 70,
	[LH_MODE_EXPERIMENTS] = 220,
	[LH_SCRUM_REVIEWS] = 170,
	[LH_OBSERVER_ESCALATIONS] = 40,
	[LH_AUDIT_FACTS] = 80,
	[LH_AUTO_APPLY] = 60,
	[LH_OBSERVER_REVIEWS] = 120,
	[LH_AUDITS] = 50,
	[LH_OUTCOMES] = 40,
};

/* A file that is written under a temporary name until all are complete. */
struct output {
	struct lh_atomic file;
	struct lh_buf buf;
	uint64_t lines, rows;
	bool wanted;
};

static const struct lh_made made_recon = { "a file of lh-gen kb", { RECON_HEAD }, NULL };
/* A stream does not say who made it: the description of the sources does. */
static const struct lh_made made_stream = { "a stream of lh-gen kb", { NULL }, NULL };

struct kb {
	struct lh_tool *tool;
	struct lh_root *root;
	struct output out[FILES];
	struct kb_row row;
	const struct kb_settings *how;
};

static int output_open(struct kb *kb, struct output *o, const char *relpath,
		       const struct lh_made *made, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(kb->root, relpath);
	int rc = lh_root_folders(kb->root, relpath, err);

	if (!rc && made)
		rc = lh_tool_replaces(kb->tool, path, made);
	if (!rc)
		rc = lh_atomic_open(&o->file, path, 0666, err);
	o->wanted = !rc;
	return rc;
}

static int kb_open(struct kb *kb, double lock_timeout, struct lh_err *err)
{
	const struct lh_made *made;
	const char *root = kb->how->root;
	struct stat st;

	for (int i = 0; i < FILES; i++) {
		kb->out[i].buf = (struct lh_buf){ 0 };
		kb->out[i].file = (struct lh_atomic){ .fd = -1, .slot = -1 };
	}
	kb->row.text = (struct lh_buf){ 0 };
	if (root && lh_own_mkdir(root, 0777, err) < 0)
		return -1;
	kb->root = lh_root_open(root, err);
	if (!kb->root || lh_root_lock(kb->root, lock_timeout, err) < 0)
		return -1;
	if (output_open(kb, &kb->out[RECON_AT], RECON, &made_recon, err) < 0)
		return -1;
	made = stat(kb->out[RECON_AT].file.path, &st) == 0 && st.st_size ? NULL : &made_stream;
	for (int s = 0; s < LH_STREAMS; s++)
		if (output_open(kb, &kb->out[s], lh_stream_source(s), made, err) < 0)
			return -1;
	if (!kb->how->expect)
		return 0;
	if (lh_atomic_open(&kb->out[EXPECT_AT].file, kb->how->expect, 0666, err) < 0)
		return -1;
	kb->out[EXPECT_AT].wanted = true;
	return 0;
}

static int output_flush(struct output *o, size_t above, struct lh_err *err)
{
	if (o->buf.len <= above && !o->buf.failed)
		return 0;
	if (lh_atomic_write(&o->file, o->buf.p, o->buf.len, err) < 0)
		return -1;
	lh_buf_reset(&o->buf);
	return 0;
}

/* Choose the stream of a row; the first rows go to one stream each, so that none is
 * empty. */
static enum lh_stream choose_stream(struct kb_row *row)
{
	unsigned roll = kb_pick(row, 1000);
	int s = 0;

	if (row->i < LH_STREAMS)
		return (enum lh_stream)row->i;
	while (roll >= share[s])
		roll -= share[s++];
	return (enum lh_stream)s;
}

static int add_row(struct kb *kb, uint64_t i, struct lh_err *err)
{
	static const char *const blank[] = { "\n", "\r\n", " \t \n" };
	struct kb_row *row = &kb->row;
	struct output *expect = &kb->out[EXPECT_AT], *o;
	const char *category;
	enum lh_stream stream;

	row->r = gen_row(kb->how->seed, GEN_KB, i);
	row->i = i;
	stream = choose_stream(row);
	o = &kb->out[stream];
	row->out = &o->buf;
	row->fault = KB_SOUND;
	if (kb->how->dirty) {
		if (kb_one_in(row, 100)) {	/* a line without a row */
			lh_buf_puts(&o->buf, KB_ONE_OF(row, blank));
			o->lines++;
		}
		if (kb_one_in(row, 50))
			row->fault = (enum kb_fault)(1 + kb_pick(row, KB_FAULTS - 1));
	}
	category = kb_make(row, stream);
	if (expect->wanted) {
		/* Append the category that the evidence of a row must get. */
		uint64_t line = o->lines;
		struct lh_writer json = lh_write_to(&expect->buf);

		lh_write_object(&json, NULL);
		lh_write_text(&json, "source_file", lh_stream_source(stream));
		lh_write_u64(&json, "line_offset", line);
		lh_write_text(&json, "category", category);
		lh_write_end(&json);
		lh_buf_putc(&expect->buf, '\n');
	}
	o->lines++;
	o->rows++;
	if (output_flush(expect, BLOCK, err) < 0)
		return -1;
	return output_flush(o, BLOCK, err);
}

static int kb_commit(struct kb *kb, struct lh_err *err)
{
	struct lh_buf *b = &kb->out[RECON_AT].buf;

	lh_buf_puts(b, RECON_HEAD);
	lh_buf_printf(b, " with seed %ju%s.\n\n| source | rows |\n|---|---:|\n",
		      (uintmax_t)kb->how->seed,
		      kb->how->dirty ? ", some of them broken on purpose" : "");
	for (int s = 0; s < LH_STREAMS; s++)
		lh_buf_printf(b, "| `%s` | %ju |\n", lh_stream_source(s),
			      (uintmax_t)kb->out[s].rows);
	lh_buf_puts(b, "\nThe first eight are tier 1, the last four tier 2.\n");
	for (int i = 0; i < FILES; i++)
		if (kb->out[i].wanted && output_flush(&kb->out[i], 0, err) < 0)
			return -1;
	for (int i = 0; i < FILES; i++)
		if (kb->out[i].wanted && lh_atomic_commit(&kb->out[i].file, err) < 0)
			return -1;
	return 0;
}

int kb_run(struct lh_tool *tool, const struct kb_settings *s)
{
	LH_SCOPED(lh_free_local) struct kb *kb = lh_calloc(1, sizeof(*kb));
	int rc;

	kb->tool = tool;
	kb->how = s;
	rc = kb_open(kb, tool->lock_timeout, &tool->err);
	for (uint64_t i = 0; i < s->n && !rc; i++) {
		rc = add_row(kb, i, &tool->err);
		if (!rc && i % 4096 == 0) {
			lh_tool_progress(tool, i);
			if (lh_stopping())
				rc = lh_err_set(&tool->err, LH_EINTR, "interrupted");
		}
	}
	if (!rc)
		rc = kb_commit(kb, &tool->err);
	for (int i = 0; i < FILES; i++) {
		lh_atomic_close(&kb->out[i].file);
		lh_buf_free(&kb->out[i].buf);
	}
	lh_buf_free(&kb->row.text);
	lh_root_close(kb->root);
	return rc;
}
