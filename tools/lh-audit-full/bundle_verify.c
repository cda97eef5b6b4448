/*
 * bundle_verify.c - verify that a bundle is what its manifest states.
 *
 * A verdict (exit 1) on any contents of a bundle, also on one that is cut short; a
 * failure (exit 2) if there is no bundle to read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundle.h"
#include "bundle_list.h"
#include "archive/archive.h"
#include <lh/digest.h>
#include "file/file.h"
#include "json/write.h"

#define ENTRIES_MAX 4096
#define CHUNK ((size_t)64 << 10)

struct verify {
	struct lh_tool *tool;
	const char *file;
	struct lh_child_reader *cat;
	struct bundle_list list;
	const struct bundle_line *last;	/* the previous one */
	char sum[LH_SHA256_HEX + 1];	/* the manifest's; "" until it is read */
	const char *seal;		/* its fault, or NULL */
	bool bad;			/* a member is bad */
	char why[600];			/* the fault of the whole, or "" */
	struct lh_buf out;
};

static bool LH_PRINTF(2, 3) wrong(struct verify *v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!*v->why)
		vsnprintf(v->why, sizeof v->why, fmt, ap);
	va_end(ap);
	return false;
}

static int print(struct verify *v, struct lh_err *err)
{
	int rc = lh_buf_check(&v->out, err);

	if (!rc)
		rc = lh_tool_out(v->tool, v->out.p, v->out.len);
	lh_buf_reset(&v->out);
	return rc;
}

/* Write the verdict, which ends a line, and print the line; error may be NULL. */
static int end_line(struct verify *v, struct lh_writer *w, const char *error, struct lh_err *err)
{
	lh_write_bool(w, "verified", !error);
	lh_write_bytes(w, "error", error);
	lh_write_end(w);
	lh_buf_putc(&v->out, '\n');
	return print(v, err);
}

/* Print the line of a member, if it is listed; sha256 and error may be NULL. */
static int member_line(struct verify *v, const char *name, uint64_t size, const char *sha256,
		       const char *error, struct lh_err *err)
{
	struct lh_writer w = lh_write_to(&v->out);

	v->bad |= error != NULL;
	if (!error && v->tool->quiet)
		return 0;
	lh_write_object(&w, NULL);
	lh_write_bytes(&w, "path", name);
	lh_write_u64(&w, "size", size);
	lh_write_text(&w, "sha256", sha256);
	return end_line(v, &w, error, err);
}

static int summary(struct verify *v, struct lh_err *err)
{
	bool verified = !v->bad && !v->seal && !*v->why;
	struct lh_writer w = lh_write_to(&v->out);

	if (!verified)
		lh_tool_verdict_bad(v->tool);
	else if (v->tool->quiet)
		return 0;
	if (v->bad && !*v->why)
		wrong(v, "not every member is as listed");
	if (v->seal)
		wrong(v, "%s", v->seal);
	lh_write_object(&w, NULL);
	lh_write_bytes(&w, "file", v->file);
	lh_write_u64(&w, "members", v->list.n);
	lh_write_text(&w, "manifest_sha256", *v->sum ? v->sum : NULL);
	return end_line(v, &w, *v->why ? v->why : NULL, err);
}

/* Read the bytes of an entry: their number and hash.  1; 0 if the archive is
 * damaged there; -1. */
static int entry_bytes(struct verify *v, uint64_t *size, char *hex, struct lh_buf *keep,
		       struct lh_err *err)
{
	unsigned char sum[32];
	struct lh_sha256 s;
	char chunk[CHUNK];
	ssize_t n;

	*size = 0;
	lh_sha256_start(&s);
	while ((n = lh_child_reader_read(v->cat, chunk, sizeof chunk, err)) > 0) {
		*size += (uint64_t)n;
		lh_sha256_more(&s, chunk, (size_t)n);
		if (keep)
			lh_buf_add(keep, chunk, (size_t)n);
	}
	lh_sha256_end(&s, sum);
	lh_hex(sum, 32, hex);
	hex[n == 0 ? LH_SHA256_HEX : 0] = '\0';
	if (n < 0 && v->cat->ended)
		return wrong(v, "%s", err->msg);
	return n < 0 ? -1 : 1;
}

/* Go to the next entry: 1, 0 if there is none or the archive is damaged, -1. */
static int next_entry(struct verify *v, struct lh_child_reader_entry *e, struct lh_err *err)
{
	char none[CHUNK];

	if (!v->cat->more && lh_child_reader_read(v->cat, none, sizeof none, err) < 0)
		return v->cat->ended ? wrong(v, "%s", err->msg) : -1;
	return v->cat->more ? (lh_child_reader_entry(v->cat, e, err) < 0 ? -1 : 1) : 0;
}

/* Read the manifest, which distinguishes a bundle from any other archive: 1; 0 if
 * it is not one; -1. */
static int read_manifest(struct verify *v, struct lh_err *err)
{
	struct lh_child_reader_entry e;
	LH_SCOPED(lh_buf_free) struct lh_buf lines = { 0 };
	uint64_t size;
	int rc = next_entry(v, &e, err);

	if (rc <= 0)
		return rc < 0 ? -1 : wrong(v, "holds nothing");
	if (!*e.name)
		return wrong(v, "is not an archive");
	if (strcmp(e.name, BUNDLE_MANIFEST) != 0)
		return wrong(v, "begins with \"%.100s\", not with %s", e.name, BUNDLE_MANIFEST);
	if (*e.what)
		return wrong(v, "%s is a %s, not a regular file", BUNDLE_MANIFEST, e.what);
	if (e.size > BUNDLE_MANIFEST_MAX)
		return wrong(v, "%s is said to have %llu bytes, more than %zu", BUNDLE_MANIFEST,
			     (unsigned long long)e.size, BUNDLE_MANIFEST_MAX);
	lh_buf_init(&lines, BUNDLE_MANIFEST_MAX);
	rc = entry_bytes(v, &size, v->sum, &lines, err);
	if (rc > 0 && lh_buf_check(&lines, err) < 0)
		rc = -1;
	if (rc > 0 && bundle_list_read(&v->list, lines.p, lines.len, err) < 0)
		rc = err->code == LH_EDATA ? wrong(v, "%s: %s", BUNDLE_MANIFEST, err->msg) : -1;
	return rc;
}

static const char *LH_PRINTF(3, 4) format_text(char *to, size_t n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(to, n, fmt, ap);
	va_end(ap);
	return to;
}

/* Return the fault of an entry that shows before its bytes are read, or NULL. */
static const char *fault(struct verify *v, const struct lh_child_reader_entry *e,
			 struct bundle_line *l, char *to, size_t n)
{
	if (!bundle_name_ok(e->name, strlen(e->name)))
		return "not a name for a member";
	if (!l)
		return format_text(to, n, "not listed in %s", BUNDLE_MANIFEST);
	if (l->seen)
		return "is there twice";
	if (*e->what)
		return format_text(to, n, "is a %s, not a regular file", e->what);
	if (v->last && l < v->last)
		return format_text(to, n, "comes after %s", v->last->name);
	if (e->size != l->size)
		return format_text(to, n, "has %llu bytes, not %llu", (unsigned long long)e->size,
				   (unsigned long long)l->size);
	return NULL;
}

/* Check one entry after the manifest: 1, 0 to end, -1. */
static int check_entry(struct verify *v, const struct lh_child_reader_entry *e, struct lh_err *err)
{
	struct bundle_line *l = bundle_list_find(&v->list, e->name);
	char hex[LH_SHA256_HEX + 1], room[256], name[512];
	const char *error = fault(v, e, l, room, sizeof room);
	uint64_t size = e->size, got;
	int rc;

	format_text(name, sizeof name, "%s", e->name);
	if (*e->what)
		rc = 1;
	else
		rc = entry_bytes(v, &got, hex, NULL, err);
	if (rc < 0)
		return -1;
	if (!error && rc == 0)
		error = v->why;
	if (!error && got != l->size)
		error = format_text(room, sizeof room, "has %llu bytes, not %llu",
				    (unsigned long long)got, (unsigned long long)l->size);
	if (!error && strcmp(hex, l->sha256) != 0)
		error = format_text(room, sizeof room, "its SHA-256 is %s", hex);
	if (l && !l->seen) {
		l->seen = true;
		v->last = !v->last || l > v->last ? l : v->last;
		size = l->size;
	}
	return member_line(v, name, size, l ? l->sha256 : NULL, error, err) < 0 ? -1 : rc;
}

static int members(struct verify *v, struct lh_err *err)
{
	struct lh_child_reader_entry e;
	const struct bundle_line *l;
	size_t n = 0;
	int rc;

	while ((rc = next_entry(v, &e, err)) > 0 && (rc = check_entry(v, &e, err)) > 0) {
		if (++n == ENTRIES_MAX) {
			wrong(v, "holds more than %d members", ENTRIES_MAX);
			break;
		}
		if (n < v->list.n)
			lh_tool_share(v->tool, n, v->list.n);
	}
	for (l = v->list.line; rc >= 0 && l < v->list.line + v->list.n; l++)
		if (!l->seen &&
		    member_line(v, l->name, l->size, l->sha256, *v->why ? "not reached" : "missing",
				err) < 0)
			rc = -1;
	return rc < 0 ? -1 : 0;
}

static const char no_seal[] = "ends in no seal";

/* Check that the bytes after the archive are its seal. */
static int check_seal(struct verify *v, int fd, uint64_t n, struct lh_err *err)
{
	unsigned char is[BUNDLE_SEAL], want[BUNDLE_SEAL];

	v->seal = no_seal;
	if (n < BUNDLE_SEAL)
		return 0;
	if (pread(fd, is, sizeof is, (off_t)(n - BUNDLE_SEAL)) != (ssize_t)sizeof is)
		return lh_err_sys(err, "cannot read");
	if (bundle_seal(fd, n - BUNDLE_SEAL, want, err) < 0)
		return -1;
	if (memcmp(is, want, sizeof is) == 0)
		v->seal = NULL;
	else if (memcmp(is, want, BUNDLE_SEAL - 32) == 0)
		v->seal = "does not fit its seal: some bit is not as it was";
	return 0;
}

/* Open any regular file, and read its seal: a bundle whose first bytes are damaged
 * is still a bundle. */
static int open_bundle(struct verify *v, int *fd, struct lh_err *err)
{
	struct stat st;

	*fd = strcmp(v->file, "-") ? open(v->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
				   : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (*fd < 0 || fstat(*fd, &st) < 0)
		return lh_err_sys(err, "%s", v->file);
	if (!S_ISREG(st.st_mode))
		return lh_not_regular(v->file, st.st_mode, err);
	return check_seal(v, *fd, (uint64_t)st.st_size, err) < 0 ? lh_err_prefix(err, "%s", v->file)
								 : 0;
}

/* Return whether it begins as zstd does, as far as it goes. */
static bool is_zstd(int fd)
{
	static const unsigned char magic[4] = { 0x28, 0xb5, 0x2f, 0xfd };
	unsigned char head[4];
	ssize_t n = pread(fd, head, sizeof head, 0);

	return n >= 0 && memcmp(head, magic, (size_t)n) == 0;
}

static int verify(struct verify *v, int fd, struct lh_err *err)
{
	int rc;

	if (!is_zstd(fd) && v->seal == no_seal)
		return lh_err_set(err, LH_ECORRUPT,
				  "%s: not a bundle, by its first and by its last bytes", v->file);
	if (!is_zstd(fd)) {
		wrong(v, "does not begin as a bundle does");
		return summary(v, err);
	}
	if (lseek(fd, 0, SEEK_SET) < 0)
		return lh_err_sys(err, "%s: cannot read", v->file);
	v->cat = lh_child_reader_entries(fd, err);
	rc = v->cat ? read_manifest(v, err) : -1;
	if (rc > 0)
		rc = members(v, err);
	return rc < 0 ? -1 : summary(v, err);
}

int bundle_verify(struct lh_tool *tool, const char *file)
{
	struct verify v = { .tool = tool, .file = file };
	int fd = -1, rc;

	rc = open_bundle(&v, &fd, &tool->err);
	if (!rc)
		rc = verify(&v, fd, &tool->err);
	lh_child_reader_stop(v.cat);
	if (fd >= 0)
		close(fd);
	bundle_list_free(&v.list);
	lh_buf_free(&v.out);
	return rc;
}
