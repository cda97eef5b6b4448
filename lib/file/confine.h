/*
 * confine - have the kernel refuse what a program that is started (lh_spawn.confined of
 * proc/coproc.h) has no need of, before its first instruction.
 *
 *     struct lh_confine may = { .starts = false, .net = false };
 *     struct lh_confined c;
 *     lh_confine_let(&may, "/usr/bin/lh-x", LH_MAY_RUN);
 *     lh_confine_let(&may, "state/index", LH_MAY_READ);
 *     if (lh_confined_make(&c, &may, err) == 0)
 *             ... in the child: lh_confined_enter(&c); execve with c.pass as sixth argument
 *     lh_confined_end(&c);
 *
 * It opens the files and what is below the folders that it may, starts only programs that it may
 * run, makes no symbolic link, connects by TCP to the ports that are listed, signals nobody
 * outside; makes no socket unless .net, and starts nothing at all unless .starts, whatever file it
 * made: the start that the caller makes is told by a number that the program does not get.  It
 * gains no privileges (no_new_privs), has no capabilities, and the kernel's rarer calls fail with
 * EPERM.  What a kernel cannot do is left out: lh_confine_missing says it.  Children inherit all
 * of it.
 *
 * A path is known by the inode that it leads to at the start: what replaces it by rename, or comes
 * later, is another, which may not be read.  lh_confine_stale finds that, so that a program can be
 * started anew.
 *
 * Owner:   the structs are the caller's; free them.
 * Threads: one thread per struct; lh_confined_enter may be called between vfork and exec.
 */
#ifndef LH_CONFINE_H
#define LH_CONFINE_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum { LH_MAY_READ = 1, LH_MAY_WRITE = 2, LH_MAY_RUN = 4,
       LH_MAY_STAY = 8,	/* lh_confine_stale does not look at it */
       LH_MAY_MAKE = 16	/* a folder that is made, 0700, where it is not there */ };
#define LH_CONFINE_PORTS 32

struct lh_may {
	char *path;
	unsigned may;
	dev_t dev;		/* of what was there when rules were last made; ... */
	ino_t ino;		/* ... 0: nothing */
};

struct lh_confine {
	struct lh_may *v;
	size_t n, cap;
	uint16_t port[LH_CONFINE_PORTS];
	size_t ports;
	bool net, starts;
	bool privileges;	/* gain none, and no more: all files, calls and capabilities */
	bool noted;		/* what the paths lead to is */
};

/* Let a path be used so, whether it is there or not; a port.  Twice is as once. */
void lh_confine_let(struct lh_confine *c, const char *path, unsigned may);
void lh_confine_let_port(struct lh_confine *c, unsigned port);
/* Return whether something has replaced a path, or come there, since rules were last made. */
bool lh_confine_stale(const struct lh_confine *c);
/* Return whether both let the same be done. */
bool lh_confine_same(const struct lh_confine *a, const struct lh_confine *b);
void lh_confine_free(struct lh_confine *c);

#define LH_CONFINED_CODE 96
struct lh_confined {
	int rules;		/* of Landlock; -1: none */
	bool privileges;
	uint64_t pass;		/* by which the one start is told; 0: any start */
	struct sock_filter code[LH_CONFINED_CODE];
	unsigned short n;	/* 0: none */
};
int lh_confined_make(struct lh_confined *to, struct lh_confine *from, struct lh_err *err);
/* Confine the calling thread: 0, or -1 with errno. */
int lh_confined_enter(const struct lh_confined *c);
void lh_confined_end(struct lh_confined *c);

/* What a kernel may lack: a bit each, and their names in order; NULL ends them. */
enum { LH_LACKS_FILES = 1, LH_LACKS_TRUNCATE = 2, LH_LACKS_CONNECT = 4, LH_LACKS_SIGNALS = 8,
       LH_LACKS_CALLS = 16 };
extern const char *const lh_confine_parts[];
unsigned lh_confine_missing(void);

#endif
