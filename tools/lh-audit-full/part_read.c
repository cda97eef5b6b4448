/* part_read.c - read a part of a divided census, which may be torn or hostile.  See part.h. */
#include "part.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lh/digest.h>
#include <lh/num.h>
#include "base/mem.h"
#include "file/file.h"
#include "json/bind.h"

#define PART_MAX ((size_t)1 << 30)
#define ROWS_MOST 1000000000000000	/* the sum of LH_SHARDS_MAX of them is in range */

struct found {
	int finding;
	bool placed;		/* it has a file */
	uint64_t rows, file, line;
	struct lh_str text, text64;
};
struct file {
	struct lh_str path, digest;
	uint64_t bytes;
	bool unreadable;
};
struct document {
	struct lh_str schema, version, run_id;
	uint64_t shard, shards;
	struct lh_value counts;
	struct found *found;
	size_t n_found;
	struct file *file;
	size_t n_files;
};

static const struct lh_bind found_members[] = {
	{ LH_BIND_INDEX("finding", struct found, finding, part_finding), .required = true },
	{ LH_BIND_U64("rows", struct found, rows, 1, ROWS_MOST), .required = true },
	{ LH_BIND_U64("file", struct found, file, 0, INT64_MAX),
	  .given = LH_BIND_FIELD(struct found, placed) },
	{ LH_BIND_U64("line", struct found, line, 1, INT64_MAX) },
	{ LH_BIND_STRING("text", struct found, text), .no_nul = true },
	{ LH_BIND_STRING("text64", struct found, text64) },
	LH_BIND_CLOSED
};
static const struct lh_bind file_members[] = {
	{ LH_BIND_STRING("path", struct file, path), .required = true, .no_nul = true },
	{ LH_BIND_U64("bytes", struct file, bytes, 0, INT64_MAX), .required = true },
	{ LH_BIND_STRING("digest", struct file, digest), .required = true },
	{ LH_BIND_BOOL("unreadable", struct file, unreadable) },
	LH_BIND_CLOSED
};
static const struct lh_bind members[] = {
	{ LH_BIND_STRING("schema", struct document, schema), .required = true },
	{ LH_BIND_STRING("version", struct document, version), .required = true },
	{ LH_BIND_U64("shard", struct document, shard, 0, LH_SHARDS_MAX - 1), .required = true },
	{ LH_BIND_U64("shards", struct document, shards, 1, LH_SHARDS_MAX), .required = true },
	{ LH_BIND_STRING("run_id", struct document, run_id), .no_nul = true },
	{ LH_BIND_OBJECT("counts", struct document, counts), .required = true },
	{ LH_BIND_TABLES("found", struct document, found, n_found, found_members),
	  .required = true },
	{ LH_BIND_TABLES("files", struct document, file, n_files, file_members),
	  .required = true },
	LH_BIND_END
};

/* Check that the text ends with the checksum of what is before it. */
static int check_sum(const struct lh_buf *text, struct lh_err *err)
{
	const size_t end = sizeof PART_SUM - 1 + LH_SHA256_HEX + 3;
	unsigned char sum[32];
	char hex[LH_SHA256_HEX];
	const char *at;

	if (text->len < end)
		return lh_err_set(err, LH_ECORRUPT, "not a part of an audit, or torn");
	at = text->p + text->len - end;
	lh_sha256(text->p, text->len - end, sum);
	lh_hex(sum, sizeof sum, hex);
	if (memcmp(at, PART_SUM, sizeof PART_SUM - 1) ||
	    memcmp(at + sizeof PART_SUM - 1, hex, sizeof hex) ||
	    memcmp(text->p + text->len - 3, "\"}\n", 3))
		return lh_err_set(err, LH_ECORRUPT, "torn, changed, or not a part of an audit: its "
						    "checksum is not that of its bytes");
	return 0;
}

static int take_counts(struct census *c, const struct lh_value *v, struct lh_err *err)
{
	struct {
		uint64_t n;
	} count;
	struct lh_bind table[] = { { LH_BIND_U64("", __typeof__(count), n, 0, ROWS_MOST),
				     .required = true },
				   LH_BIND_END };
	const struct part_count *n;

	for (n = part_count; n < part_count + PART_COUNTS; n++) {
		lh_bind_rename(table, n->name);
		if (lh_bind_part(table, "counts", v, &count, NULL, err) < 0)
			return -1;
		*(uint64_t *)((char *)c + n->at) = count.n;
	}
	return 0;
}

static int take_file(struct root_state *s, const struct file *from, struct lh_err *err)
{
	struct root_file f = { .bytes = from->bytes, .unreadable = from->unreadable };
	char hex[17] = "";

	if (from->digest.n == sizeof hex - 1)
		memcpy(hex, from->digest.p, sizeof hex - 1);
	if (strspn(hex, "0123456789abcdef") != sizeof hex - 1)
		return lh_err_set(err, LH_EDATA, "a digest is not of 16 hex digits");
	f.digest = strtoull(hex, NULL, 16);
	return root_state_add(s, from->path.p, from->path.n, &f, err);
}

/* Append the text of a finding, after file and line. */
static int take_text(struct lh_buf *to, const struct found *from, struct lh_err *err)
{
	char *room;
	long got;

	lh_buf_add(to, from->text.p, from->text.n);
	room = from->text64.n ? lh_buf_room(to, from->text64.n) : NULL;
	got = room ? lh_base64_read(from->text64.p, from->text64.n, room) : 0;
	if (got < 0 || (got && memchr(room, '\0', (size_t)got)))
		return lh_err_set(err, LH_EDATA, "a text64 is not base64 of a text");
	lh_buf_took(to, (size_t)got);
	return lh_buf_check(to, err);
}

static int take_found(struct census *c, const struct found *from, struct lh_err *err)
{
	struct finding *f = &c->found[from->finding];

	if (f->rows)
		return lh_err_set(err, LH_EDATA, "finding \"%s\" twice",
				  part_finding[from->finding]);
	f->rows = from->rows;
	if (!from->placed)
		return 0;
	if (from->file >= c->state.n || !from->line)
		return lh_err_set(err, LH_EDATA, "finding \"%s\" is in no file of the list",
				  part_finding[from->finding]);
	f->file = from->file;
	f->line = from->line;
	lh_buf_printf(&f->first, "%s:%" PRIu64 ":", c->state.file[f->file].path, f->line);
	return take_text(&f->first, from, err);
}

static int take(struct part *p, const struct document *d, struct lh_err *err)
{
	struct census *c = &p->census;
	size_t i;

	if (!lh_str_is(d->schema, PART_SCHEMA, sizeof PART_SCHEMA - 1))
		return lh_err_set(err, LH_EDATA, "not a part of an audit: another schema");
	if (!lh_str_is(d->version, LH_VERSION, sizeof LH_VERSION - 1))
		return lh_err_set(err, LH_EDATA, "made by version %.*s, this is " LH_VERSION,
				  (int)(d->version.n < 40 ? d->version.n : 40), d->version.p);
	if (d->shard >= d->shards)
		return lh_err_set(err, LH_EDATA, "\"shard\" must be below \"shards\"");
	c->shard = (struct lh_shard){ d->shard, d->shards };
	if (d->run_id.p) {
		p->run_id = lh_strndup(d->run_id.p, d->run_id.n, err);
		if (!p->run_id)
			return -1;
	}
	for (i = 0; i < d->n_files; i++)
		if (take_file(&c->state, &d->file[i], err) < 0)
			return -1;
	for (i = 0; i < d->n_found; i++)
		if (take_found(c, &d->found[i], err) < 0)
			return -1;
	return take_counts(c, &d->counts, err);
}

static int parse(struct part *p, const struct lh_buf *text, struct lh_err *err)
{
	struct document d = { .shards = 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf strings = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	int rc = lh_record_parse(&rec, text->p, text->len, err);

	if (!rc)
		rc = lh_bind(members, &rec, &d, &strings, err);
	return rc ? rc : take(p, &d, err);
}

/* Read a file, or standard input: 1, 0 if it does not exist, -1. */
static int read_text(const char *file, struct lh_buf *text, struct lh_err *err)
{
	int fd;

	if (strcmp(file, "-"))
		return lh_file_read(file, text, err);
	fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return fd < 0 ? lh_err_sys(err, "-") : lh_read_rest(fd, "-", text, err);
}

int part_read(struct part *p, const char *file, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc;

	*p = (struct part){ .run_id = NULL };
	lh_buf_init(&text, PART_MAX);
	rc = read_text(file, &text, err);
	if (!rc)
		rc = lh_err_set(err, LH_EIO, "%s: No such file or directory", file);
	else if (rc > 0)
		rc = check_sum(&text, err) < 0 || parse(p, &text, err) < 0 ?
			     lh_err_prefix(err, "%s", file) : 0;
	if (rc < 0)
		part_free(p);
	return rc;
}

void part_free(struct part *p)
{
	census_free(&p->census);
	free(p->run_id);
	*p = (struct part){ .run_id = NULL };
}
