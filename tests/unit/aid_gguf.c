/*
 * aid_gguf - what the reader of GGUF files makes of a file.
 *
 *     aid_gguf list FILE...           a line for each tensor: name, type, dimensions, bytes, and
 *                                     whether it is finite; errors to stderr, exit 2
 *     aid_gguf values FILE TENSOR     its values as floats of this machine
 *     aid_gguf prefixes FILE          open every shorter file: each byte of the header, then
 *                                     every 4 KiB and the last byte; each must be refused
 *     aid_gguf bytes FILE             open the file with each byte of its header changed, in 4
 *                                     ways, and read all of it
 */
#include <fcntl.h>
#include <sys/mman.h>

#include "check.h"
#include "transformer/gguf.h"

static struct lh_err err;
static float *row;
static size_t row_n;

static int list(const char *path)
{
	struct lh_gguf *g = lh_gguf_open(path, &err);

	if (!g) {
		fprintf(stderr, "%s\n", err.msg);
		return 2;
	}
	for (size_t i = 0; i < lh_gguf_tensors(g); i++) {
		const struct lh_gguf_tensor *t = lh_gguf_tensor_at(g, i);

		printf("%.*s %s", (int)t->name.n, t->name.p, lh_gguf_type_name(t->type));
		for (unsigned d = 0; d < t->dims; d++)
			printf("%c%llu", d ? 'x' : ' ', (unsigned long long)t->dim[d]);
		printf(" %zu %s\n", t->bytes, !lh_gguf_readable(t) ? "not readable" :
					      lh_gguf_finite(t)	   ? "finite" : "not finite");
	}
	lh_gguf_close(g);
	return 0;
}

static float *decode(const struct lh_gguf_tensor *t, uint64_t i)
{
	if (row_n < t->dim[0])
		check((row = realloc(row, (row_n = t->dim[0]) * sizeof *row)));
	lh_gguf_row(t, i, row);
	return row;
}

static uint64_t rows(const struct lh_gguf_tensor *t)
{
	return t->dim[1] * t->dim[2] * t->dim[3];
}

static int values(const char *path, const char *name)
{
	struct lh_gguf *g = lh_gguf_open(path, &err);
	const struct lh_gguf_tensor *t;

	check_why(g, err.msg);
	t = lh_gguf_tensor(g, name);
	check_why(t && lh_gguf_readable(t), name);
	for (uint64_t i = 0; i < rows(t); i++)
		check(fwrite(decode(t, i), 4, t->dim[0], stdout) == t->dim[0]);
	lh_gguf_close(g);
	return 0;
}

/* ---- many files ---- */

static const char *held;		/* the bytes of FILE */
static size_t header, end, size;	/* bytes before the data, before what may be missing, all */
static int fd;

static void hold(const char *path)
{
	struct lh_gguf *g = lh_gguf_open(path, &err);
	const struct lh_gguf_tensor *last;
	struct lh_str all;
	char *copy;

	check_why(g && lh_gguf_tensors(g), err.msg);
	all = lh_gguf_bytes(g);
	last = lh_gguf_tensor_at(g, lh_gguf_tensors(g) - 1);
	header = (size_t)((const char *)lh_gguf_tensor_at(g, 0)->data - all.p);
	end = (size_t)((const char *)last->data - all.p) + last->bytes;
	size = all.n;
	check((copy = malloc(size)));
	held = memcpy(copy, all.p, size);
	lh_gguf_close(g);
	fd = memfd_create("gguf", 0);
	check(fd >= 0);
}

static struct lh_gguf *open_held(void)
{
	char path[64];
	struct lh_gguf *g;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	g = lh_gguf_open(path, &err);
	if (!g)
		check_why(err.code == LH_ECORRUPT && !strncmp(err.msg, path, strlen(path)),
			  err.msg);
	return g;
}

static int prefixes(const char *path)
{
	size_t refused = 0, most;

	hold(path);
	most = end - 1;
	for (size_t n = 0; n < end; n += n < header + 64 ? 1 : 4096, refused++) {
		check(ftruncate(fd, 0) == 0 && pwrite(fd, held, n, 0) == (ssize_t)n);
		check(!open_held());
	}
	check(ftruncate(fd, (off_t)most) == 0 && pwrite(fd, held, most, 0) == (ssize_t)most);
	check(!open_held());
	check(pwrite(fd, held, end, 0) == (ssize_t)end);
	lh_gguf_close(open_held());
	printf("%zu refused, of a header of %zu and %zu bytes\n", refused + 1, header, size);
	return 0;
}

static void read_all(struct lh_gguf *g)
{
	for (size_t i = 0; i < lh_gguf_tensors(g); i++) {
		const struct lh_gguf_tensor *t = lh_gguf_tensor_at(g, i);

		check(lh_gguf_tensor_at(g, i)->data >= (const unsigned char *)lh_gguf_bytes(g).p);
		if (!lh_gguf_readable(t))
			continue;
		lh_gguf_finite(t);
		decode(t, rows(t) - 1);
	}
}

static int every_byte(const char *path)
{
	static const unsigned char changes[] = { 0x01, 0x80, 0xff, 0x20 };
	size_t refused = 0, taken = 0;

	hold(path);
	check(pwrite(fd, held, size, 0) == (ssize_t)size);
	for (size_t i = 0; i < 4 * header; i++) {
		char c = (char)(held[i / 4] ^ changes[i % 4]);
		struct lh_gguf *g;

		check(pwrite(fd, &c, 1, (off_t)(i / 4)) == 1);
		g = open_held();
		if (g)
			read_all(g);
		*(g ? &taken : &refused) += 1;
		lh_gguf_close(g);
		check(pwrite(fd, held + i / 4, 1, (off_t)(i / 4)) == 1);
	}
	printf("%zu refused, %zu taken, of a header of %zu bytes\n", refused, taken, header);
	return 0;
}

int main(int argc, char **argv)
{
	const char *command = argc > 2 ? argv[1] : "";
	int rc = 0;

	if (!strcmp(command, "list"))
		for (int i = 2; i < argc; i++)
			rc |= list(argv[i]);
	else if (!strcmp(command, "values") && argc > 3)
		rc = values(argv[2], argv[3]);
	else if (!strcmp(command, "prefixes"))
		rc = prefixes(argv[2]);
	else if (!strcmp(command, "bytes"))
		rc = every_byte(argv[2]);
	else
		check_why(false, "aid_gguf list|values|prefixes|bytes FILE [TENSOR]");
	free(row);
	free((void *)held);
	return rc;
}
