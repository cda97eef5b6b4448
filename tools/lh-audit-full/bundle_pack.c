/* bundle_pack.c - write the members into a bundle.  See bundle.h. */
#include "bundle.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive.h"
#include <lh/digest.h>
#include "file/file.h"
#include "json/write.h"

#define CHUNK ((size_t)64 << 10)

/* RFC 8878, 3.1.2: magic number and length of a skippable frame */
static const unsigned char seal_head[8] = { 0x5e, 0x2a, 0x4d, 0x18, BUNDLE_SEAL - 8, 0, 0, 0 };

typedef int take_fn(void *ctx, const void *p, size_t n, struct lh_err *err);

/* Read n bytes of a file in pieces. */
static int file_bytes(int fd, uint64_t from, uint64_t n, take_fn *take, void *ctx,
		      struct lh_err *err)
{
	char chunk[CHUNK];
	ssize_t got;

	if (lseek(fd, (off_t)from, SEEK_SET) < 0)
		return lh_err_sys(err, "cannot read");
	for (; n; n -= (uint64_t)got) {
		got = lh_read_some(fd, chunk, n < CHUNK ? (size_t)n : CHUNK, err);
		if (got < 0)
			return -1;
		if (!got)
			return lh_err_set(err, LH_EIO, "became shorter while it was read");
		if (take(ctx, chunk, (size_t)got, err) < 0)
			return -1;
	}
	return 0;
}

static int read_bytes(const struct bundle_member *m, take_fn *take, void *ctx, struct lh_err *err)
{
	if (m->fd >= 0)
		return file_bytes(m->fd, m->from, m->size, take, ctx, err);
	return take(ctx, m->text.p, m->text.len, err);
}

static int hash(void *ctx, const void *p, size_t n, struct lh_err *err)
{
	(void)err;
	lh_sha256_more(ctx, p, n);
	return 0;
}

struct sending {
	struct lh_child_writer pack;
	struct lh_sha256 sum;
};

static int send_on(void *ctx, const void *p, size_t n, struct lh_err *err)
{
	struct sending *s = ctx;

	lh_sha256_more(&s->sum, p, n);
	return lh_child_writer_more(&s->pack, p, n, err);
}

static int measure_member(struct bundle_member *m, struct lh_err *err)
{
	struct lh_sha256 sum;

	if (m->fd < 0)
		m->size = m->text.len;
	lh_sha256_start(&sum);
	if (read_bytes(m, hash, &sum, err) < 0)
		return lh_err_prefix(err, "%s", m->name);
	lh_sha256_end(&sum, m->sha256);
	return 0;
}

static int make_manifest(struct bundle_member *to, struct bundle_member *m, size_t n,
			 struct lh_err *err)
{
	char hex[LH_SHA256_HEX];
	struct lh_writer w;
	size_t i;

	for (i = 0; i < n; i++) {
		if (measure_member(&m[i], err) < 0)
			return -1;
		lh_hex(m[i].sha256, 32, hex);
		w = lh_write_to(&to->text);
		lh_write_object(&w, NULL);
		lh_write_text(&w, "path", m[i].name);
		lh_write_u64(&w, "size", m[i].size);
		lh_write_str(&w, "sha256", (struct lh_str){ hex, sizeof hex });
		lh_write_end(&w);
		lh_buf_putc(&to->text, '\n');
	}
	return lh_buf_check(&to->text, err) < 0 ? -1 : measure_member(to, err);
}

/* Add a member, which must be as the manifest states: an audit's own files are
 * under its lock, but other programs append to baselines and replays. */
static int add_member(struct sending *s, const struct bundle_member *m, struct lh_err *err)
{
	unsigned char sum[32];

	if (lh_child_writer_member(&s->pack, m->name, m->size, err) < 0)
		return -1;
	lh_sha256_start(&s->sum);
	if (read_bytes(m, send_on, s, err) < 0)
		return lh_err_prefix(err, "%s", m->name);
	lh_sha256_end(&s->sum, sum);
	if (memcmp(sum, m->sha256, sizeof sum) != 0)
		return lh_err_set(err, LH_EIO, "%s: changed while it was read", m->name);
	return 0;
}

/* Run lh-cat for this alone, because libarchive would cost every audit 4 ms at its
 * start, and follows null pointers if out of memory. */
static int archive(int fd, const struct bundle_member *manifest, const struct bundle_member *m,
		   size_t n, struct lh_err *err)
{
	struct sending s;
	size_t i;
	int rc;

	if (lh_child_writer_start(&s.pack, fd, err) < 0)
		return -1;
	rc = add_member(&s, manifest, err);
	for (i = 0; i < n && !rc; i++)
		rc = add_member(&s, &m[i], err);
	if (!rc)
		rc = lh_child_writer_end(&s.pack, err);
	lh_child_writer_stop(&s.pack);
	return rc;
}

int bundle_seal(int fd, uint64_t n, unsigned char seal[BUNDLE_SEAL], struct lh_err *err)
{
	struct lh_sha256 sum;

	memcpy(seal, seal_head, sizeof seal_head);
	lh_sha256_start(&sum);
	if (file_bytes(fd, 0, n, hash, &sum, err) < 0)
		return -1;
	lh_sha256_end(&sum, seal + sizeof seal_head);
	return 0;
}

bool bundle_is_sealed(const char *file)
{
	unsigned char seal[BUNDLE_SEAL];
	int fd = open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool is = fd >= 0 && lseek(fd, -BUNDLE_SEAL, SEEK_END) >= 0 &&
		read(fd, seal, sizeof seal) == (ssize_t)sizeof seal &&
		memcmp(seal, seal_head, sizeof seal_head) == 0;

	if (fd >= 0)
		close(fd);
	return is;
}

static int seal_it(int fd, struct lh_err *err)
{
	unsigned char seal[BUNDLE_SEAL];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return lh_err_sys(err, "cannot look at it");
	if (bundle_seal(fd, (uint64_t)st.st_size, seal, err) < 0)
		return -1;
	return lh_pwrite_all(fd, seal, sizeof seal, st.st_size, err);
}

int bundle_pack(const char *file, struct bundle_member *m, size_t n, struct lh_err *err)
{
	struct bundle_member manifest = { .name = BUNDLE_MANIFEST, .fd = -1 };
	LH_SCOPED(lh_atomic_close) struct lh_atomic out = { .fd = -1, .slot = -1 };
	int rc;

	lh_buf_init(&manifest.text, BUNDLE_MANIFEST_MAX);
	rc = make_manifest(&manifest, m, n, err);
	if (!rc)
		rc = lh_atomic_open(&out, file, 0600, err);
	if (!rc && fchmod(out.fd, 0600) < 0)
		rc = lh_err_sys(err, "%s: cannot set its mode", file);
	if (!rc && (archive(out.fd, &manifest, m, n, err) < 0 || seal_it(out.fd, err) < 0))
		rc = lh_err_prefix(err, "%s: cannot write", file);
	if (!rc)
		rc = lh_atomic_commit(&out, err);
	lh_buf_free(&manifest.text);
	return rc;
}
