/* wrong_key.c - tell a key that is not the logs' from logs that were forged. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit.h"
#include "file/file.h"

#define BLOCK 65536
#define LOGS 1000	/* others that are tried */

struct broken {
	uint64_t n;
};

static void on_broken(void *ctx, uint64_t row, enum lh_chain_fault fault)
{
	struct broken *b = ctx;

	(void)row;
	(void)fault;
	b->n++;
}

/* Count the lines in the first bytes of a file; 0 if it cannot be read. */
static uint64_t count_lines(const char *path, uint64_t left)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char block[BLOCK], last = '\n';
	struct lh_err err;
	uint64_t lines = 0;
	ssize_t n = 1, i;

	while (fd >= 0 && left && n > 0) {
		n = lh_read_some(fd, block, left < BLOCK ? (size_t)left : BLOCK, &err);
		for (i = 0; i < n; i++)
			lines += (last = block[i]) == '\n';
		left -= n > 0 ? (uint64_t)n : 0;
	}
	if (fd >= 0)
		close(fd);
	return lines + (last != '\n');
}

int key_look(struct key_check *k, const struct lh_chain_check *how, const char *path,
	     const struct lh_chain_verdict *v)
{
	struct broken broken = { 0 };
	struct lh_chain_check c = *how;
	struct lh_chain_verdict again;
	struct lh_err err;

	if (v->absent || !v->bytes || k->good || v->state == LH_CHAIN_UNAUTHENTICATED)
		return 0;
	if (v->count) {
		k->good = true;
		return 0;
	}
	c.broken = on_broken;
	c.ctx = &broken;
	if (lh_chain_verify(path, &c, &again, &err) < 0)
		return 0;	/* it was read before: the first verdict stands */
	k->good = broken.n < count_lines(path, again.bytes);
	k->suspect = v->fault == LH_CHAIN_MAC || k->suspect;
	return 1;
}

bool key_is_wrong(const struct key_check *k)
{
	return k->suspect && !k->good;
}

int key_error(struct lh_err *err)
{
	return lh_err_set(err, LH_EIO, WRONG_KEY);
}

int key_try_others(struct key_check *k, struct lh_tool *tool, const struct settings *s)
{
	struct lh_chain_check c = { .keys = &s->keys, .jobs = 1, .max_row = tool->max_line,
				    .lock_timeout = tool->lock_timeout };
	LH_SCOPED(lh_subject_list_free) struct lh_subject_list there;
	struct lh_chain_verdict v;
	struct lh_err ignored;
	char *path;
	size_t i;
	int rc = lh_subject_list(&there, s->dir, LH_SUBJECT_LOG, &tool->err);

	for (i = 0; !rc && !k->good && i < there.n && i < LOGS; i++) {
		c.name = there.name[i];
		path = lh_subject_path(s->dir, there.name[i], LH_SUBJECT_LOG);
		if (lh_chain_verify(path, &c, &v, &ignored) == 0)
			key_look(k, &c, path, &v);
		free(path);
	}
	return rc;
}
