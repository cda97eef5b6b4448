/* part.c - write a part of a divided census.  See part.h. */
#include "part.h"

#include <stddef.h>

#include <lh/digest.h>
#include <lh/num.h>
#include "base/bits.h"
#include "file/file.h"
#include "json/write.h"

#define AT(member) offsetof(struct census, member)

const struct part_count part_count[PART_COUNTS] = {
	{ "evidence", AT(evidence) },
	{ "tier1", AT(tier1) },
	{ "skips", AT(skips) },
	{ "accepted", AT(scored[LH_ACCEPTED]) },
	{ "partially_accepted", AT(scored[LH_PARTIALLY_ACCEPTED]) },
	{ "rejected", AT(scored[LH_REJECTED]) },
	{ "needs_human_review", AT(scored[LH_NEEDS_HUMAN_REVIEW]) },
	{ "rag", AT(exported[LH_RAG]) },
	{ "sft", AT(exported[LH_SFT]) },
	{ "preference", AT(exported[LH_PREFERENCE]) },
	{ "quarantined", AT(quarantined) },
};

const char *const part_finding[FINDINGS + 1] = {
	[FOUND_EVIDENCE] = "evidence", [FOUND_SCORED] = "scored", [FOUND_SFT] = "sft",
	[FOUND_RAG] = "rag", [FOUND_SELF_PAIR] = "self_pair", [FOUND_SAME_TEXT] = "same_text",
	[FOUND_PROVENANCE] = "provenance", [FOUND_QUARANTINE] = "quarantine",
};

/* Write the place and the text of the first faulty row. */
static void write_first(struct lh_writer *w, const struct census *c, const struct finding *f)
{
	char place[24];
	size_t skip = strlen(c->state.file[f->file].path) +
		      (size_t)snprintf(place, sizeof place, ":%llu:", (unsigned long long)f->line);
	struct lh_str text = { f->first.p + skip, f->first.len - skip };

	lh_write_u64(w, "file", f->file);
	lh_write_u64(w, "line", f->line);
	if (lh_utf8_valid(text.p, text.n)) {
		lh_write_str(w, "text", text);
		return;
	}
	lh_write_key(w, "text64");
	lh_buf_putc(w->out, '"');
	lh_buf_base64(w->out, text.p, text.n);
	lh_buf_putc(w->out, '"');
}

static void write_found(struct lh_writer *w, const struct census *c)
{
	const struct finding *f;
	int i;

	lh_write_array(w, "found");
	for (i = 0; i < FINDINGS; i++) {
		f = &c->found[i];
		if (!f->rows)
			continue;
		lh_write_object(w, NULL);
		lh_write_text(w, "finding", part_finding[i]);
		lh_write_u64(w, "rows", f->rows);
		if (f->line != UNREADABLE && !f->first.failed)
			write_first(w, c, f);
		lh_write_end(w);
	}
	lh_write_end(w);
}

static void write_files(struct lh_writer *w, const struct root_state *s)
{
	const struct root_file *f;
	char hex[17];

	lh_write_array(w, "files");
	for (f = s->file; f < s->file + s->n; f++) {
		snprintf(hex, sizeof hex, "%016llx", (unsigned long long)f->digest);
		lh_write_object(w, NULL);
		lh_write_text(w, "path", f->path);
		lh_write_u64(w, "bytes", f->bytes);
		lh_write_text(w, "digest", hex);
		if (f->unreadable)
			lh_write_bool(w, "unreadable", true);
		lh_write_end(w);
	}
	lh_write_end(w);
}

static int check_texts(const struct census *c, struct lh_err *err)
{
	int i;

	for (i = 0; i < FINDINGS; i++)
		if (lh_buf_check(&c->found[i].first, err) < 0)
			return -1;
	return 0;
}

int part_write(const struct audit *a, struct lh_err *err)
{
	const struct census *c = &a->census;
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	struct lh_writer w = lh_write_to(&out);
	int rc;
	unsigned char sum[32];
	char hex[LH_SHA256_HEX];
	const struct part_count *n;

	lh_write_object(&w, NULL);
	lh_write_text(&w, "schema", PART_SCHEMA);
	lh_write_text(&w, "version", LH_VERSION);
	lh_write_u64(&w, "shard", c->shard.i);
	lh_write_u64(&w, "shards", c->shard.n);
	if (a->run_id)
		lh_write_text(&w, "run_id", a->run_id);
	lh_write_object(&w, "counts");
	for (n = part_count; n < part_count + PART_COUNTS; n++)
		lh_write_u64(&w, n->name, *(const uint64_t *)((const char *)c + n->at));
	lh_write_end(&w);
	write_found(&w, c);
	write_files(&w, &c->state);
	lh_sha256(out.p ? out.p : "", out.len, sum);
	lh_hex(sum, sizeof sum, hex);
	lh_buf_puts(&out, PART_SUM);
	lh_buf_add(&out, hex, sizeof hex);
	lh_buf_puts(&out, "\"}\n");
	rc = check_texts(c, err);
	return rc ? rc : lh_atomic_put(a->s->part, 0666, &out, err);
}
