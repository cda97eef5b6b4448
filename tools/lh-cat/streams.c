/*
 * streams.c - objects in S3, lines and frames, and a compressed file that is written.  See cat.h.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive/archive.h"
#include "base/mem.h"
#include "base/signal.h"
#include "cat.h"
#include "file/file.h"
#include "proc/coproc.h"

/* ---- objects in S3 ---- */

#define SCHEME "s3://"

bool object_named(const char *operand)
{
	return strncmp(operand, SCHEME, sizeof SCHEME - 1) == 0;
}

static volatile pid_t child;	/* 0: none */

/* The object may be large and its service slow: the child, which has keys, must not outlive this
 * process. */
static void end_child(void)
{
	if (child > 0)
		kill(child, SIGTERM);
}

static int start(struct object *o, char *store, const char *key, struct lh_err *err)
{
	char *argv[] = { "lh-store", "get", "--", store, (char *)key, NULL };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return lh_err_sys(err, "pipe");
	o->pid = lh_coproc_spawn(&(struct lh_spawn){
		.argv = argv, .fd = (int[]){ -1, ends[1], o->stderr_fd }, .n_fd = 3,
		.keys = LH_KEYS_STORE }, err);
	close(ends[1]);
	if (o->pid > 0) {
		child = o->pid;
		lh_signal_before_death(end_child);
		return ends[0];
	}
	close(ends[0]);
	return -1;
}

int object_open(struct object *o, const char *operand, struct lh_err *err)
{
	const char *slash = strchr(operand + sizeof SCHEME - 1, '/');
	LH_SCOPED(lh_free_local) char *store = NULL;
	int fd;

	if (!slash)
		return lh_err_set(err, LH_EIO, "is not s3://BUCKET/KEY");
	store = lh_strndup(operand, (size_t)(slash - operand));
	o->stderr_fd = memfd_create("lh-store", MFD_CLOEXEC);
	fd = o->stderr_fd < 0 ? lh_err_sys(err, "memfd_create") : start(o, store, slash + 1, err);
	if (fd < 0 && o->stderr_fd >= 0)
		close(o->stderr_fd);
	return fd;
}

int object_close(struct object *o, struct lh_err *err)
{
	siginfo_t info;
	int status = 0, rc = 0;

	/* its PID is its own until it is reaped */
	while (waitid(P_PID, (id_t)o->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	child = 0;
	while (waitpid(o->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE)
		status = 0;	/* nobody wants the bytes after the end of an archive */
	if (status && !lh_coproc_stderr_error(o->stderr_fd, "lh-store", err))
		rc = lh_err_set(err, LH_EIO, "lh-store ended before it was done");
	else if (status)
		rc = -1;
	close(o->stderr_fd);
	return rc;
}

/* ---- lines and frames ---- */

static int frame(struct out *o, char kind, const char *p, size_t n)
{
	unsigned char h[LH_CAT_FRAME];

	do {
		size_t some = n < LH_CAT_FRAME_MAX ? n : LH_CAT_FRAME_MAX;

		h[0] = (unsigned char)kind;
		h[1] = (unsigned char)some;
		h[2] = (unsigned char)(some >> 8);
		h[3] = (unsigned char)(some >> 16);
		h[4] = 0;
		if (lh_tool_out(o->tool, h, sizeof h) < 0 || lh_tool_out(o->tool, p, some) < 0)
			return -1;
		p += some;
		n -= some;
	} while (n && kind == 'D');
	return 0;
}

/* Write the first n bytes of the buffer and remove them. */
static int write_out(struct out *o, size_t n)
{
	int rc = 0;

	if (n && o->frames)
		rc = frame(o, 'D', o->p, n);
	else if (n)
		rc = lh_tool_out(o->tool, o->p, n);
	o->n -= n;
	memmove(o->p, o->p + n, o->n);
	return rc;
}

static size_t whole_lines(const struct out *o)
{
	const char *lf = o->n ? memrchr(o->p, '\n', o->n) : NULL;

	return o->frames ? o->n : lf ? (size_t)(lf - o->p) + 1 : 0;
}

static int make_room(struct out *o)
{
	size_t n = whole_lines(o);

	return write_out(o, n ? n : o->n);
}

int out_begin(struct out *o, const char *name)
{
	o->begun = false;
	return o->frames ? frame(o, 'M', name, strlen(name)) : 0;
}

int out_add(struct out *o, const char *p, size_t n)
{
	if (!n)
		return 0;
	if (!o->begun && !o->frames && o->any) {
		if (o->open_line && o->n == sizeof o->p && make_room(o) < 0)
			return -1;
		if (o->open_line)
			o->p[o->n++] = '\n';
		if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
			p += 3;		/* a BOM is skipped at the beginning only */
			n -= 3;
		}
	}
	o->begun = o->any = true;
	while (n) {
		size_t room = sizeof o->p - o->n, some = n < room ? n : room;

		memcpy(o->p + o->n, p, some);
		o->n += some;
		p += some;
		n -= some;
		o->open_line = o->p[o->n - 1] != '\n';
		if (o->n == sizeof o->p && make_room(o) < 0)
			return -1;
	}
	return 0;
}

int out_flush(struct out *o)
{
	return write_out(o, whole_lines(o)) < 0 ? -1 : lh_tool_flush(o->tool);
}

int out_end(struct out *o)
{
	return o->frames ? write_out(o, o->n) : 0;
}

int out_broken(struct out *o, const char *why)
{
	if (write_out(o, whole_lines(o)) < 0)
		return -1;
	o->n = 0;
	o->open_line = false;
	return o->frames ? frame(o, 'E', why, strlen(why)) : 0;
}

int out_finish(struct out *o)
{
	if (write_out(o, o->n) < 0)
		return -1;
	return o->frames ? frame(o, 'Z', "", 0) : 0;
}

/* ---- a compressed file ---- */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#define XXH_INLINE_ALL
#include <xxhash.h>
#pragma GCC diagnostic pop

#define LEVEL "3"		/* the file may be large */
#define DESCRIPTOR 4		/* offset of a zstd frame's descriptor, after its magic number */
#define HAS_CHECKSUM 4		/* the bit in it */

struct packer {
	struct archive *a;
	bool over;		/* no more output, in spite of libarchive's end of it */
	bool sums, marked;	/* the frame gets a checksum; its descriptor says so */
	XXH64_state_t sum;
	struct lh_err failed;	/* of the callback; code LH_OK: none */
	char payload[LH_CAT_FRAME_MAX];
};

/* Write the beginning of a zstd frame, with the mark that a checksum follows it (RFC 8878,
 * section 3.1.1): libarchive writes none, and every reader checks one. */
static int mark_frame(struct packer *pk, const char *p, size_t n)
{
	char head[DESCRIPTOR + 1];

	if (n < sizeof head)
		return lh_err_set(&pk->failed, LH_EIO, "a zstd frame of %zu bytes", n);
	memcpy(head, p, sizeof head);
	head[DESCRIPTOR] |= HAS_CHECKSUM;
	pk->marked = true;
	if (lh_write_all(STDOUT_FILENO, head, sizeof head, &pk->failed) < 0)
		return -1;
	return lh_write_all(STDOUT_FILENO, p + sizeof head, n - sizeof head, &pk->failed);
}

/* Write the checksum after the frame. */
static int end_frame(struct packer *pk, struct lh_err *err)
{
	const uint32_t sum = (uint32_t)XXH64_digest(&pk->sum);
	const unsigned char le[4] = { (unsigned char)sum, (unsigned char)(sum >> 8),
				      (unsigned char)(sum >> 16), (unsigned char)(sum >> 24) };

	return lh_write_all(STDOUT_FILENO, le, sizeof le, err);
}

/* Write, and let libarchive go on after a failure: it leaks the buffer of a writer that fails. */
static la_ssize_t on_write(struct archive *a, void *ctx, const void *p, size_t n)
{
	struct packer *pk = ctx;

	(void)a;
	if (pk->over)
		return (la_ssize_t)n;
	if ((pk->sums && !pk->marked ? mark_frame(pk, p, n) :
	     lh_write_all(STDOUT_FILENO, p, n, &pk->failed)) < 0)
		pk->over = true;
	return (la_ssize_t)n;
}

static int failed(const struct packer *pk, struct lh_err *err)
{
	const char *why = archive_error_string(pk->a);

	if (pk->failed.code) {
		*err = pk->failed;
		return -1;
	}
	return lh_err_set(err, LH_EIO, "cannot pack: %s", why ? why : "no reason given");
}

/* libarchive's raw format has one entry, whose name is not written. */
static int begin_file(struct packer *pk, struct lh_err *err)
{
	struct archive_entry *e = archive_entry_new();
	int rc;

	if (!e)
		return lh_err_nomem(err);
	archive_entry_set_filetype(e, AE_IFREG);
	rc = archive_write_header(pk->a, e) == ARCHIVE_OK && !pk->over ? 0 : failed(pk, err);
	archive_entry_free(e);
	return rc;
}

static int begin(struct packer *pk, const char *kind, struct lh_err *err)
{
	pk->a = archive_write_new();
	if (!pk->a)
		return lh_err_nomem(err);
	if (archive_write_set_format_raw(pk->a) != ARCHIVE_OK ||
	    archive_write_add_filter_by_name(pk->a, kind) != ARCHIVE_OK ||
	    (strcmp(kind, "zstd") == 0 &&
	     archive_write_set_filter_option(pk->a, kind, "compression-level", LEVEL) !=
		 ARCHIVE_OK) ||
	    (strcmp(kind, "gzip") == 0 &&
	     archive_write_set_filter_option(pk->a, kind, "timestamp", NULL) != ARCHIVE_OK) ||
	    archive_write_set_bytes_in_last_block(pk->a, 1) != ARCHIVE_OK ||
	    archive_write_open(pk->a, pk, NULL, on_write, NULL) != ARCHIVE_OK)
		return failed(pk, err);
	return begin_file(pk, err);
}

static int read_exactly(void *p, size_t n, struct lh_err *err)
{
	char *to = p;
	ssize_t got;

	for (; n; to += got, n -= (size_t)got) {
		got = lh_read_some(STDIN_FILENO, to, n, err);
		if (got < 0)
			return -1;
		if (!got)
			return lh_err_set(err, LH_EIO, "the bytes broke off");
	}
	return 0;
}

/* Read the next frame into the payload: its kind, or -1. */
static int next_frame(struct packer *pk, size_t *n, struct lh_err *err)
{
	unsigned char h[LH_CAT_FRAME];

	if (read_exactly(h, sizeof h, err) < 0)
		return -1;
	*n = (size_t)h[1] | (size_t)h[2] << 8 | (size_t)h[3] << 16 | (size_t)h[4] << 24;
	if (*n > LH_CAT_FRAME_MAX)
		return lh_err_set(err, LH_EIO, "a frame of %zu bytes", *n);
	return read_exactly(pk->payload, *n, err) < 0 ? -1 : h[0];
}

static int more(struct packer *pk, size_t n, struct lh_err *err)
{
	la_ssize_t put;
	const char *p = pk->payload;

	if (pk->sums)
		XXH64_update(&pk->sum, p, n);
	for (; n; p += put, n -= (size_t)put) {
		put = archive_write_data(pk->a, p, n);
		if (put <= 0 || pk->over)
			return failed(pk, err);
	}
	return 0;
}

static int finish(struct packer *pk, struct lh_err *err)
{
	if (archive_write_close(pk->a) != ARCHIVE_OK || pk->over)
		return failed(pk, err);
	return pk->sums ? end_frame(pk, err) : 0;
}

int pack(struct lh_tool *tool, const char *compression)
{
	static struct packer pk;
	size_t n;
	int kind = 'D', rc;

	pk.sums = strcmp(compression, "zstd") == 0;
	XXH64_reset(&pk.sum, 0);
	rc = begin(&pk, compression, &tool->err);
	while (!rc && kind != 'Z') {
		kind = next_frame(&pk, &n, &tool->err);
		if (kind == 'D')
			rc = more(&pk, n, &tool->err);
		else if (kind == 'Z')
			rc = finish(&pk, &tool->err);
		else
			rc = kind < 0 ? -1
				      : lh_err_set(&tool->err, LH_EIO, "a frame of kind %d", kind);
	}
	if (rc)
		pk.over = true;
	if (pk.a)
		archive_write_free(pk.a);
	return rc;
}
