/*
 * coproc - another tool of this family as a child: one request line in, one
 * reply line out.
 *
 *     struct lh_coproc c;
 *     char *argv[] = { "lh-embed", "--engine", "ollama", NULL };
 *     if (lh_coproc_start(&c, argv, LH_KEYS_OLLAMA, err) == 0 &&
 *         lh_coproc_ask(&c, line, n, 60, &reply, err) == 0)
 *             ... reply.p[0..reply.n) without its LF, valid until the next call
 *     rc = lh_coproc_stop(&c, err);
 *
 * The program is looked for beside our own executable first, then in PATH, and
 * started without a shell.  What it writes to stderr is kept, in memory, and its
 * last line becomes our error when it fails: one fault is told once.  It ends
 * when we do, for its stdin ends then.
 *
 * What somebody typed is started by lh_shell_coproc_start instead, through /bin/sh,
 * and trusted with less: it leads a process group, which is killed as a whole,
 * its answers have a limit, only the end of its stderr is kept, and it must say
 * nothing that it was not asked.  It has pipes, which a program may open again
 * as /dev/stdin, so whoever starts it ignores SIGPIPE; and its group outlives
 * whoever dies of a signal before stopping it.
 *
 * Owner:   the struct is the caller's; stop it also after a failure.  An all
 *          zero struct may be stopped.
 * Errors:  LH_EIO: it cannot be started, or ended; LH_ENET: it did not answer
 *          in time, and was killed; LH_EINTR: a signal asked us to stop, and
 *          the child was told the same.
 * Threads: one thread per struct.
 */
#ifndef LH_COPROC_H
#define LH_COPROC_H

#include <stdbool.h>
#include <sys/types.h>

#include <lh/buf.h>
#include <lh/json.h>

struct lh_stderr_tail {		/* the last of what was said */
	char text[1024];
	size_t n;
};

struct lh_coproc {
	pid_t pid;		/* 0 when not running */
	int fd;			/* a socket: its stdin and stdout; of a command its stdout */
	int said;		/* a file in memory: its stderr; of a command a pipe */
	char name[64];
	struct lh_buf in;	/* what it wrote; the reply is its first line */
	size_t reply;		/* bytes of in that the last reply took, with LF */

	bool command;		/* what follows is of commands alone */
	size_t max;		/* bytes of a reply */
	int to;			/* its stdin; -1 when closed */
	int exit;		/* readable once it ended; -1 on a kernel that has no such thing */
	int status;		/* when it ended: its exit status, or 128 and a signal */
	struct lh_stderr_tail words;	/* the end of its stderr */
};

/* The variables that hold keys or may (addresses and proxies with user-info), or
 * lead to them, by who needs them: a child is given those alone that its kind
 * stands for, and all variables that are none of these. */
enum lh_child_keys {
	LH_KEYS_NONE = 0,	/* what reads archives, roots, pages */
	LH_KEYS_OLLAMA = 1,	/* what embeds by Ollama, */
	LH_KEYS_OPENAI = 2,	/* or by OpenAI's API */
	LH_KEYS_CHAT = 4,	/* what asks language models */
	LH_KEYS_AUDIT = 8,	/* what writes to logs of subjects */
	LH_KEYS_ALL = 15,	/* what the user has typed */
};

int lh_coproc_start(struct lh_coproc *c, char *const argv[], unsigned keys, struct lh_err *err);

/* Send line (which holds no LF) and wait seconds for the answer. */
int lh_coproc_ask(struct lh_coproc *c, const char *line, size_t n, double seconds, struct lh_str *reply, struct lh_err *err);

/* What a tool under --on-error emit answers in place of a record that it refuses:
 * the member "error" of that, as an error with its code in err->status.  LH_EDATA,
 * LH_ENET for a code of 500 and above, or LH_EIO when it is no such thing. */
int lh_coproc_refusal(const struct lh_value *error, struct lh_err *err);

/* End its input and wait for it: 0 when it exited with 0 or 1. */
int lh_coproc_stop(struct lh_coproc *c, struct lh_err *err);

/* Start command through /bin/sh -c; a reply has at most max bytes.  ask is as
 * above, but its first failure ends the command, and c->status is set. */
int lh_shell_coproc_start(struct lh_coproc *c, const char *command, size_t max, struct lh_err *err);

/* End a command's input and give it seconds to end: 0, and c->status; LH_ENET
 * when it had to be killed.  *more: it wrote something after its last reply,
 * and was killed for that.  Stop it then. */
int lh_coproc_close(struct lh_coproc *c, double seconds, bool *more, struct lh_err *err);

/* The last line that a command wrote to stderr, or "". */
void lh_coproc_stderr_tail(const struct lh_coproc *c, char *to, size_t n);

/* What is started, and how; all is borrowed. */
struct lh_spawn {
	char *const *argv;
	const int *fd;		/* its descriptors 0, 1, ...; -1: as ours */
	size_t n_fd;
	char *const *env;	/* "NAME=value" to set in its environment, then NULL; or NULL */
	unsigned keys;		/* set of enum lh_child_keys: which of our variables it gets */
	const char *folder;	/* where it works; NULL: where we do */
	bool group;		/* it leads a process group of its own, where SIGPIPE is not ignored */
};

/* Start argv[0], found as above.  Its PID, or -1. */
pid_t lh_coproc_spawn(const struct lh_spawn *s, struct lh_err *err);

/* The last line of said, what the tool name wrote to its stderr, without its own
 * name: as an error, LH_EIO.  False when it wrote nothing. */
bool lh_coproc_stderr_error(int said, const char *name, struct lh_err *err);

/* The path of a tool beside our own executable into to[0..n), or the name as it
 * is when there is none, or when it holds a "/". */
void lh_coproc_find(const char *name, char *to, size_t n);

#endif
