/* export_archive.c - write the archive, the same bytes for the same files.  See export.h. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lh/time.h>

#include "archive/archive.h"
#include "export.h"
#include "file/file.h"
#include "text/escape.h"

#define PART 65536
#define PAGE "index.html"

struct packing {
	struct archive *a;
	struct lh_atomic out;
	struct lh_err failed;	/* of the callback; code LH_OK: none */
};

/* Write, and let libarchive go on after a failure: it leaks the buffer of a writer that fails. */
static la_ssize_t on_write(struct archive *a, void *ctx, const void *p, size_t n)
{
	struct packing *k = ctx;

	(void)a;
	if (!k->failed.code)
		lh_atomic_write(&k->out, p, n, &k->failed);
	return (la_ssize_t)n;
}

static int failed(const struct packing *k, struct lh_err *err)
{
	const char *why = archive_error_string(k->a);

	if (k->failed.code) {
		*err = k->failed;
		return -1;
	}
	return lh_err_set(err, archive_errno(k->a) == ENOMEM ? LH_ENOMEM : LH_EIO,
			  "cannot pack: %s", why ? why : "no reason given");
}

static int begin(struct packing *k, struct lh_err *err)
{
	k->a = archive_write_new();
	if (!k->a)
		return lh_err_nomem(err);
	if (archive_write_set_format_pax_restricted(k->a) != ARCHIVE_OK ||
	    archive_write_add_filter_gzip(k->a) != ARCHIVE_OK ||
	    archive_write_set_filter_option(k->a, "gzip", "timestamp", NULL) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(k->a, 1) != ARCHIVE_OK ||
	    archive_write_open(k->a, k, NULL, on_write, NULL) != ARCHIVE_OK)
		return failed(k, err);
	return 0;
}

static int add_file(struct packing *k, struct export *x, const struct export_file *f, time_t at)
{
	LH_SCOPED(lh_buf_free) struct lh_buf part = { 0 };
	struct archive_entry *e = archive_entry_new();
	uint64_t done, n;
	int rc;

	if (!e)
		return lh_err_nomem(x->err);
	archive_entry_set_pathname(e, f->name);
	archive_entry_set_size(e, (la_int64_t)f->n);
	archive_entry_set_mtime(e, at, 0);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0600);
	rc = archive_write_header(k->a, e) == ARCHIVE_OK ? 0 : failed(k, x->err);
	archive_entry_free(e);
	for (done = 0; !rc && done < f->n; done += n) {
		n = f->n - done < PART ? f->n - done : PART;
		rc = spool_read(&x->made, f->at + done, n, &part, x->err);
		if (!rc && archive_write_data(k->a, part.p, part.len) != (la_ssize_t)n)
			rc = failed(k, x->err);
	}
	return rc;
}

int export_archive(struct export *x)
{
	struct packing k = { .a = NULL };
	int64_t now;
	size_t i;
	int rc = lh_time_read(x->now, strlen(x->now), &now);

	if (!rc)
		rc = lh_atomic_open(&k.out, x->s->out, 0600, x->err);
	if (rc)
		return -1;
	/* It may replace one that others could read. */
	if (fchmod(k.out.fd, 0600) < 0)
		rc = lh_err_sys(x->err, "%s", x->s->out);
	if (!rc)
		rc = begin(&k, x->err);
	for (i = 0; !rc && i < x->n_files; i++)
		rc = add_file(&k, x, &x->file[i], (time_t)(now / 1000));
	if (!rc && (archive_write_close(k.a) != ARCHIVE_OK || k.failed.code))
		rc = failed(&k, x->err);
	archive_write_free(k.a);
	if (!rc)
		rc = lh_atomic_commit(&k.out, x->err);
	lh_atomic_close(&k.out);
	return rc;
}

/* Return whether the first file of an archive is a page of export. */
static bool begins_with_page(struct lh_archive *a)
{
	static const char title[] = "<title>" EXPORT_TITLE "</title>";
	const char *name;
	const void *p;
	struct lh_err err;
	ssize_t n;

	if (lh_archive_next(a, &name, &err) <= 0 || strcmp(name, PAGE))
		return false;
	n = lh_archive_read(a, &p, &err);
	return n > (ssize_t)sizeof LH_HTML_BEGIN &&
	       !memcmp(p, LH_HTML_BEGIN, sizeof LH_HTML_BEGIN - 1) &&
	       memmem(p, (size_t)n, title, sizeof title - 1);
}

bool export_is_archive(const char *path)
{
	struct lh_archive_source src = { .max_ratio = 1000 };
	char head[LH_ARCHIVE_SNIFF];
	struct lh_archive *a;
	struct lh_err err;
	ssize_t n;
	bool is;

	src.fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (src.fd < 0)
		return false;
	n = lh_read_some(src.fd, head, sizeof head, &err);
	src.head = head;
	src.n_head = n > 0 ? (size_t)n : 0;
	a = src.n_head && lh_archive_kind(head, src.n_head) ? lh_archive_open(&src, &err) : NULL;
	is = a && begins_with_page(a);
	lh_archive_free(a);
	close(src.fd);
	return is;
}
