/* arena.c - objects that are freed together.  See arena.h. */
#include "arena.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"

#define BLOCK ((size_t)4096)

struct lh_arena_block {
	struct lh_arena_block *next;
	char data[];
};

void *lh_arena_new(struct lh_arena *a, size_t n, size_t size, struct lh_err *err)
{
	struct lh_arena_block *b;
	size_t bytes, room;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 2) {
		lh_err_nomem(err);
		return NULL;
	}
	bytes = (bytes + 7) & ~(size_t)7;
	if (!a->block || a->size - a->used < bytes) {
		room = bytes > BLOCK ? bytes : BLOCK;
		b = lh_calloc(1, sizeof *b + room);
		b->next = a->block;
		a->block = b;
		a->size = room;
		a->used = 0;
	}
	a->used += bytes;
	return a->block->data + a->used - bytes;
}

void lh_arena_free(struct lh_arena *a)
{
	struct lh_arena_block *b, *next;

	for (b = a->block; b; b = next) {
		next = b->next;
		free(b);
	}
	*a = (struct lh_arena){ 0 };
}
