/*
 * coproc - run another tool of this family as a child: one request line in, one
 * reply line out.
 *
 *     struct lh_coproc c;
 *     char *argv[] = { "lh-embed", "--engine", "ollama", NULL };
 *     if (lh_coproc_start(&c, argv, LH_KEYS_OLLAMA, err) == 0 &&
 *         lh_coproc_ask(&c, line, n, 60, &reply, err) == 0)
 *             ... reply.p[0..reply.n) without its LF, valid until the next call
 *     rc = lh_coproc_stop(&c, err);
 *
 * The program is searched next to the running executable first, then in PATH, and
 * started without a shell.  Its stderr is collected in memory, and the last line of
 * it becomes the error if it fails, so that a fault is reported once.  It ends when
 * this process does, because its stdin ends then.
 *
 * A command that the user typed is started by lh_shell_coproc_start instead,
 * through /bin/sh, and trusted less: it leads a process group, which is killed as a
 * whole; its replies have a maximum; only the end of its stderr is kept; and it
 * must write nothing that was not requested.  It has pipes, which a program may
 * open again as /dev/stdin, so the caller must ignore SIGPIPE; and its group
 * outlives a caller that dies of a signal before stopping it.
 *
 * Owner:   the struct is the caller's; stop it also after a failure.  An all zero
 *          struct may be stopped.
 * Errors:  LH_EIO: it cannot be started, or ended; LH_ENET: it did not answer in
 *          time, and was killed; LH_EINTR: a signal asked the process to stop, and
 *          was passed on to the child.
 * Threads: one thread per struct.
 */
#ifndef LH_COPROC_H
#define LH_COPROC_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "json/json.h"
#include "base/str.h"

struct lh_confined;

struct lh_stderr_tail {		/* the end of a child's stderr */
	char text[1024];
	size_t n;
	/* Take a line of it, without its LF, or a piece of a longer one; or NULL. */
	void (*line)(void *owner, const char *p, size_t n);
	void *owner;
	size_t open;		/* bytes at the end of text that were not passed to line */
};

struct lh_coproc {
	pid_t pid;		/* 0: not running */
	int fd;			/* a socket: its stdin and stdout; of a command its stdout */
	int stderr_fd;		/* its stderr: a file in memory; of a command a pipe */
	char name[64];
	struct lh_buf in;	/* its output; the reply is the first line */
	size_t reply;		/* bytes of `in` that the last reply used, with LF */

	bool command;		/* the members below are for commands only */
	size_t max;		/* bytes of a reply */
	int to;			/* its stdin; -1: closed */
	int exit;		/* pidfd, readable once it ended; -1 on a kernel without it */
	int status;		/* once it ended: its exit status, or 128 + the signal */
	struct lh_stderr_tail stderr_end;	/* the end of its stderr */
};

/* Who needs which variables that hold keys or may hold them (addresses and proxies
 * with user-info), or that name files of keys.  A child gets only those of its
 * kind, and all variables that are none of these; a stranger, which is not of this
 * family, only those of PATH, HOME, the locale and the like, and of LH_*.  A tool of
 * this family does not get the task of a Slurm job array, which would divide what it
 * reads once more. */
enum lh_child_keys {
	LH_KEYS_NONE = 0,	/* reads archives, roots, pages */
	LH_KEYS_OLLAMA = 1,	/* embeds with Ollama */
	LH_KEYS_OPENAI = 2,	/* embeds with OpenAI's API */
	LH_KEYS_CHAT = 4,	/* asks language models */
	LH_KEYS_AUDIT = 8,	/* writes to logs of subjects */
	LH_KEYS_STORE = 16,	/* reads or writes objects in S3 */
	LH_KEYS_STRANGER = 32,	/* a filter that is not of this family */
	LH_KEYS_EXPORT = 64,	/* sends rows to services */
	LH_KEYS_RERANK = 128,	/* asks a service to rerank */
	LH_KEYS_ALL = 223,	/* a command that the user typed */
};

int lh_coproc_start(struct lh_coproc *c, char *const argv[], unsigned keys, struct lh_err *err);

/* Send line (without an LF in it) and wait up to that many seconds for the reply. */
int lh_coproc_ask(struct lh_coproc *c, const char *line, size_t n, double seconds,
		  struct lh_str *reply, struct lh_err *err);

/* Report the error that a tool under --on-error emit writes in place of a record
 * that it refuses: the member "error" of that, with its code in err->status.
 * LH_EDATA; LH_ENET for a code of 500 and above; LH_EIO if it is not such an error. */
int lh_coproc_refusal(const struct lh_value *error, struct lh_err *err);

/* End its input and wait for it: 0 if it exited with 0 or 1. */
int lh_coproc_stop(struct lh_coproc *c, struct lh_err *err);

/* Start a command through /bin/sh -c; a reply has at most max bytes.  lh_coproc_ask
 * works as above, but its first failure ends the command and sets c->status. */
int lh_shell_coproc_start(struct lh_coproc *c, const char *command, size_t max, struct lh_err *err);

/* End the input of a command and give it that many seconds to end: 0, and
 * c->status; LH_ENET if it had to be killed.  *more: it wrote something after its
 * last reply, and was killed for that.  Call lh_coproc_stop afterwards. */
int lh_coproc_close(struct lh_coproc *c, double seconds, bool *more, struct lh_err *err);

/* Copy the last line that a command wrote to stderr, or "". */
void lh_coproc_stderr_tail(const struct lh_coproc *c, char *to, size_t n);

/* A program to start; all members are borrowed. */
struct lh_spawn {
	char *const *argv;
	const int *fd;		/* its descriptors 0, 1, ...; -1: inherited */
	size_t n_fd;
	char *const *env;	/* "NAME=value" to set in its environment, then NULL; or NULL */
	unsigned keys;		/* set of enum lh_child_keys: which variables it inherits */
	char *const *inherit;	/* names of others that it inherits, then NULL; or NULL */
	const char *folder;	/* its working directory; NULL: inherited */
	bool group;		/* leads a process group, with the default SIGPIPE */
	const struct lh_confined *confined;	/* what the kernel refuses it; NULL: nothing */
};

/* Start argv[0], searched as above.  Returns its PID, or -1. */
pid_t lh_coproc_spawn(const struct lh_spawn *s, struct lh_err *err);

/* Report the last line of stderr_fd, the stderr of the tool `name`, without that name,
 * as LH_EIO.  False if there is none. */
bool lh_coproc_stderr_error(int stderr_fd, const char *name, struct lh_err *err);

/* Copy the path of a tool next to the running executable to to[0..n); the bare name
 * if there is none, or if the name has a "/". */
void lh_coproc_find(const char *name, char *to, size_t n);
/* Copy the path of the program that lh_coproc_spawn would start; false if there is none. */
bool lh_coproc_program(const char *name, char *to, size_t n);

/*
 * stderr_tail - the end of a child's stderr is kept; the last line of it is
 * reported.  Every line is passed to w->line, if that is set.
 */

/* Read some of fd; return what read(2) returned. */
ssize_t lh_stderr_tail_read(struct lh_stderr_tail *w, int fd);

/* Read what is in the pipe fd (or -1) of an ended child, and no more: a process
 * that it left running may go on writing. */
void lh_stderr_tail_drain(struct lh_stderr_tail *w, int fd);

/* Pass on what follows the last LF: there is no more. */
void lh_stderr_tail_end(struct lh_stderr_tail *w);

/* Copy the last line that is not blank, without "name: " before it, to to[0..n). */
void lh_stderr_tail_last_line(const struct lh_stderr_tail *w, const char *name, char *to, size_t n);

/*
 * chat_child - ask language models through lh-chat as a child.
 *
 *     struct lh_chat_child c = { .timeout = 180, .retries = 2 };
 *
 *     if (lh_chat_child_ask(&c, line, n, &content, &err) == 0)
 *             ... content is the answer, valid until the next call
 *     lh_chat_child_stop(&c);
 *
 * The first question starts the child; one after a failure starts another.
 *
 * Errors:  those of coproc.h, but LH_EIO if lh-chat itself hangs; LH_EIO if it answers
 *          anything other than a reply; what lh_coproc_refusal reports if the model
 *          cannot be asked.
 * Threads: one thread per struct.
 */

struct lh_chat_child {
	double timeout;		/* seconds of a call to a model */
	uint64_t retries;	/* of a call */

	/* private */
	struct lh_coproc child;
	struct lh_record reply;
	struct lh_buf text;
};

/* Send a record of lh-chat (without an LF in it), and read the answer of the model. */
int lh_chat_child_ask(struct lh_chat_child *c, const char *line, size_t n, struct lh_str *content,
		      struct lh_err *err);

/* End the child, and free what the struct has. */
void lh_chat_child_stop(struct lh_chat_child *c);

#endif
