/*
 * vocabulary.h - models that are a vocabulary and nothing else, for tests and fuzzers.
 *
 *     struct vocabulary v = vocabulary_begin();
 *     key_str(&v, "tokenizer.ggml.model", "bert");
 *     key_strs(&v, "tokenizer.ggml.tokens", n, (const char *[]){ "[UNK]", ... });
 *     struct lh_gguf *g = vocabulary_open(&v, &err);          and v is freed
 */
#ifndef VOCABULARY_H
#define VOCABULARY_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"

#include "transformer/gguf.h"

struct vocabulary {
	struct lh_buf bytes;
	uint64_t keys;
};

enum { OF_U8 = 0, OF_U32 = 4, OF_I32 = 5, OF_F32 = 6, OF_BOOL = 7, OF_STR = 8, OF_ARRAY = 9 };

static inline void put(struct vocabulary *v, const void *p, size_t n)
{
	lh_buf_add(&v->bytes, p, n);
}

static inline void put_u32(struct vocabulary *v, uint32_t x)
{
	put(v, &x, sizeof x);
}

static inline void put_u64(struct vocabulary *v, uint64_t x)
{
	put(v, &x, sizeof x);
}

static inline void put_str(struct vocabulary *v, struct lh_str s)
{
	put_u64(v, s.n);
	put(v, s.p, s.n);
}

static inline struct vocabulary vocabulary_begin(void)
{
	struct vocabulary v = { 0 };

	put(&v, "GGUF", 4);
	put_u32(&v, 3);
	put_u64(&v, 0);
	put_u64(&v, 0);
	return v;
}

static inline void key(struct vocabulary *v, const char *name, uint32_t type)
{
	put_str(v, lh_str_of(name));
	put_u32(v, type);
	v->keys++;
}

static inline void key_u32(struct vocabulary *v, const char *name, uint32_t x)
{
	key(v, name, OF_U32);
	put_u32(v, x);
}

static inline void key_bool(struct vocabulary *v, const char *name, bool x)
{
	key(v, name, OF_BOOL);
	put(v, &(char){ x }, 1);
}

static inline void key_str(struct vocabulary *v, const char *name, const char *s)
{
	key(v, name, OF_STR);
	put_str(v, lh_str_of(s));
}

/* Begin an array; its n elements follow. */
static inline void key_array(struct vocabulary *v, const char *name, uint32_t type, size_t n)
{
	key(v, name, OF_ARRAY);
	put_u32(v, type);
	put_u64(v, n);
}

static inline void key_strs(struct vocabulary *v, const char *name, size_t n,
			    const char *const *s)
{
	key_array(v, name, OF_STR, n);
	for (size_t i = 0; i < n; i++)
		put_str(v, lh_str_of(s[i]));
}

static inline struct lh_gguf *vocabulary_open(struct vocabulary *v, struct lh_err *err)
{
	int fd = memfd_create("vocabulary", 0);
	struct lh_gguf *g;
	char path[64];

	put(v, (char[32]){ 0 }, -v->bytes.len & 31);
	memcpy(v->bytes.p + 16, &v->keys, sizeof v->keys);
	if (fd < 0 || lh_buf_check(&v->bytes, err) < 0 ||
	    write(fd, v->bytes.p, v->bytes.len) != (ssize_t)v->bytes.len)
		abort();
	lh_buf_free(&v->bytes);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	g = lh_gguf_open(path, err);
	close(fd);
	return g;
}

#endif
