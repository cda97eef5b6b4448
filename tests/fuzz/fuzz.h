/* What harnesses share. */
#ifndef FUZZ_H
#define FUZZ_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "json/json.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static inline void must(bool holds)
{
	if (!holds)
		abort();
}

static inline void never(bool holds)
{
	must(!holds);
}

/* Copy a text with LH_PAD such bytes after it, so that the sanitizer sees what is read beyond. */
static inline char *padded(const void *text, size_t n, char with)
{
	char *p = malloc(n + LH_PAD);

	memset(p, with, n + LH_PAD);
	return n ? memcpy(p, text, n) : p;
}

/* ---- what checks by schemas report ---- */

/* Count a problem in *ctx, a long. */
static inline void fuzz_problem(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	never(!field->n || !problem->n || !lh_utf8_valid(field->p, field->n) ||
	      !lh_utf8_valid(problem->p, problem->n));
	++*(long *)ctx;
}

static inline void fuzz_no_problem(void *ctx, const struct lh_str *field,
				   const struct lh_str *problem)
{
	(void)ctx;
	(void)field;
	(void)problem;
	abort();
}

/* ---- files ---- */

static char fuzz_path[64];	/* of the harness alone */

static inline void fuzz_remove(void)
{
	unlink(fuzz_path);
}

/* Choose the path, in memory if possible. */
static inline void fuzz_choose_path(const char *suffix)
{
	snprintf(fuzz_path, sizeof fuzz_path, "%s/lh-fuzz-%ld%s",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (long)getpid(), suffix);
	atexit(fuzz_remove);
}

/* Write a file anew, or with O_APPEND to its end. */
static inline void fuzz_write(const char *path, const void *p, size_t n, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);

	must(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	close(fd);
}

/* Make a file without a name; its path is that of its descriptor. */
static inline int fuzz_nameless(void)
{
	int fd = memfd_create("fuzz", 0);

	must(fd >= 0);
	snprintf(fuzz_path, sizeof fuzz_path, "/proc/self/fd/%d", fd);
	return fd;
}

/* Replace what is in it. */
static inline void fuzz_fill(int fd, const void *p, size_t n)
{
	must(ftruncate(fd, 0) == 0 && pwrite(fd, p, n, 0) == (ssize_t)n);
}

/* Change a file: u24 offset, u8 length and the bytes, as often as there are some. */
static inline void fuzz_patch(unsigned char *file, size_t size, const uint8_t *data, size_t n)
{
	for (size_t i = 0; i + 4 <= n; i += 4 + data[i + 3]) {
		size_t at = (data[i] | data[i + 1] << 8 | (size_t)data[i + 2] << 16) % size;

		for (size_t k = 0; k < data[i + 3] && at + k < size && i + 4 + k < n; k++)
			file[at + k] = data[i + 4 + k];
	}
}

/* ---- texts in pieces ---- */

struct feed {
	const uint8_t *p, *end;
	size_t most;		/* bytes of a piece */
};

/* Read up to n bytes; ctx is a struct feed. */
static inline ssize_t feed_read(void *ctx, void *to, size_t n, struct lh_err *err)
{
	struct feed *f = ctx;
	size_t left = (size_t)(f->end - f->p);

	(void)err;
	n = n < left ? n : left;
	n = n < f->most ? n : f->most;
	memcpy(to, f->p, n);
	f->p += n;
	return (ssize_t)n;
}

#endif
