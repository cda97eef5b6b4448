/*
 * tool - what every lh-* program has: options, help, messages, rejects, progress, exit
 * status.  The only part of lib that writes to stderr.
 *
 * A tool has one table of options, each bound to a field of its settings struct.  The
 * table gives parsing, range checks and --help; tests compare the man page with it.
 *
 *     struct settings { uint64_t k; bool exact; const char *query; struct lh_list where; };
 *     static const struct lh_option options[] = {
 *             { 'k', NULL, "N", "results per query (default 10)",
 *               LH_UINT(struct settings, k, 0, 10000) },
 *             { 0, "exact", NULL, "brute force", LH_FLAG(struct settings, exact) },
 *             { 'Q', NULL, "TEXT", "one query", LH_TEXT(struct settings, query) },
 *             { 0, "where", "KEY=VALUE", "filter (repeatable)", LH_TEXTS(struct settings, where) },
 *             LH_JOBS_OPTION, LH_INPUT_OPTIONS, LH_COMMON_OPTIONS, LH_OPTION_END
 *     };
 *     int main(int argc, char **argv)
 *     {
 *             struct settings s = { .k = 10 };
 *             static const struct lh_op ops[] = {
 *                     { "", .in = query_members, .out = out, .command = search }, LH_OP_END
 *             };
 *             static const struct lh_tool_spec spec = {
 *                     .name = "lh-search", .synopsis = "[OPTION]... INDEX...",
 *                     .summary = "find the nearest records", .options = options, .ops = ops
 *             };
 *
 *             return lh_op_main(&spec, argc, argv, &s);
 *     }
 *
 * lh_tool_parse prints --help, --version and --describe-options and returns LH_TOOL_DONE,
 * which is not zero and which lh_tool_finish turns into exit status 0.  Every other result
 * that is not zero is -1 with tool.err filled.
 *
 * --describe-options prints one JSON object, by which "lh complete" works.
 * type is flag, text, whole, number, size, time or choice; value is of texts and operands:
 * text, file (files: the patterns of its names; none: any), folder, command, page, url or
 * choice.  A choice has choices; other texts have those if some values have a name:
 *
 *     {"tool":"lh-search","version":"0.1.0","summary":...,"synopsis":"[OPTION]... INDEX...",
 *      "operands":[{"name":"INDEX","required":true,"repeatable":true,"value":"file",
 *                   "files":["*.lhv"]}],
 *      "commands":[{"name":"build","synopsis":...,"operands":[...],"help":...}],
 *      "options":[{"short":"k","long":...,"type":"whole","repeatable":false,"argument":"N",
 *                  "min":0,"max":10000,"default":"10","env":...,"commands":[...],"help":...}]}
 *
 * A tool has either operands or commands; commands of an option: all, if there is none.
 * What kind of value an argument has follows from its name (FILE, DIR, INDEX): describe.c.
 *
 * Exit status, chosen by lh_tool_finish: 2 for a failure (rc < 0, lh_tool_failed was
 * called, or a write to stdout failed), else 1 if a record was rejected or
 * lh_tool_verdict_bad was called, else 0.  stdout is flushed and closed first.  A signal
 * (SIGINT, SIGTERM, SIGHUP) ends the run between records; temporary files are removed and
 * the signal is raised again, so that the shell reports 128 + n.
 *
 * Environment: the env of an option names a variable with its default; an option on the
 * command line takes precedence.
 */
#ifndef LH_TOOL_H
#define LH_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/xxh3.h"
#include "term/term.h"
#include "base/buf.h"

#define LH_VERSION "0.1.0"
#define LH_TOOL_DONE 1

enum lh_opt_type {
	LH_OPT_FLAG,
	LH_OPT_TEXT,
	LH_OPT_TEXTS,
	LH_OPT_UINT,
	LH_OPT_INT,
	LH_OPT_SIZE,
	LH_OPT_REAL,
	LH_OPT_CHOICE,
	LH_OPT_TIME
};

enum lh_tool_ask {
	LH_ASK_NOTHING, LH_ASK_VERSION, LH_ASK_OPERATIONS, LH_ASK_DESCRIPTION, LH_ASK_HELP
};

/* A kind of file that a tool makes, and replaces: what it is called, "an index", and how it
 * begins, in any of these ways; or a function that looks at the file. */
#define LH_MADE_WAYS 3
struct lh_made {
	const char *what;
	const char *begins[LH_MADE_WAYS];
	bool (*is)(const char *path);
};
extern const struct lh_made lh_made_page;	/* of text/escape.h */

struct lh_option {
	int key;		/* short letter, 0 for none */
	const char *name;	/* long name without "--", NULL for none */
	const char *arg;	/* NULL: without a value; for a choice "a|b|c" */
	const char *help;	/* with the default in parentheses */
	enum lh_opt_type type;
	bool common;		/* a field of struct lh_tool, not of the settings */
	size_t off;		/* offset of the field */
	double min, max;	/* of UINT, INT, SIZE and REAL: the accepted range */
	bool exponent;		/* of REAL: 1e-3 is accepted, as measures are printed */
	const char *env;	/* variable with the default, or NULL */
	unsigned verbs;		/* bit set of the commands it belongs to; 0 means all */
	enum lh_tool_ask asks;	/* of a flag: what is printed in place of a run; of one that is
				   not common, only without operands */
	bool hidden;		/* not in --help, nor in completions */
	bool seldom;		/* without a row of its own in --help */
	const struct lh_made *makes;	/* of a text: the tool replaces the file that it names,
					   if that is one of these */
	const char *words;	/* "a|b|c": of a choice with a short arg, the choices; of a text,
				   values that completions offer next to those of its arg's kind */
};

/*
 * The end of an option's line, by the type of its field: s is the settings struct, f the
 * field in it, lo to hi the range of a number.  .env and .verbs may follow:
 *
 *     { 0, "roster", "FILE", "the workers",
 *       LH_TEXT(struct settings, roster, .env = "LH_ROSTER", .verbs = V_RUN) },
 */
#define LH_FLAG(s, f, ...) LH_FIELD(FLAG, s, f, bool, ##__VA_ARGS__)
#define LH_TEXT(s, f, ...) LH_FIELD(TEXT, s, f, const char *, ##__VA_ARGS__)
#define LH_TEXTS(s, f, ...) LH_FIELD(TEXTS, s, f, struct lh_list, ##__VA_ARGS__)
#define LH_UINT(s, f, lo, hi, ...) \
	LH_FIELD(UINT, s, f, uint64_t, .min = lo, .max = hi, ##__VA_ARGS__)
#define LH_INT(s, f, lo, hi, ...) LH_FIELD(INT, s, f, int64_t, .min = lo, .max = hi, ##__VA_ARGS__)
/* A number of bytes; K, M and G are accepted. */
#define LH_SIZE(s, f, lo, hi, ...) \
	LH_FIELD(SIZE, s, f, uint64_t, .min = lo, .max = hi, ##__VA_ARGS__)
#define LH_REAL(s, f, lo, hi, ...) LH_FIELD(REAL, s, f, double, .min = lo, .max = hi, ##__VA_ARGS__)
/* An RFC 3339 time, checked. */
#define LH_TIME(s, f, ...) LH_FIELD(TIME, s, f, const char *, ##__VA_ARGS__)
/* An int or an enum: the index into the choices, which are those of .words if that is given. */
#define LH_CHOICE(s, f, ...) \
	LH_FIELD_IF(sizeof(((s *)0)->f) == sizeof(int), CHOICE, s, f, ##__VA_ARGS__)

#define LH_FIELD(type, s, f, c, ...) \
	LH_FIELD_IF(__builtin_types_compatible_p(__typeof__(((s *)0)->f), c), type, s, f, \
		    ##__VA_ARGS__)
#define LH_FIELD_IF(fits, type, s, f, ...) \
	LH_OPT_##type, .off = offsetof(s, f) + 0 * sizeof(char[(fits) ? 1 : -1]), ##__VA_ARGS__

/* The same for a field of struct lh_tool. */
#define LH_TOOL_FIELD(type, f, ...) \
	LH_OPT_##type, .common = true, .off = offsetof(struct lh_tool, f), ##__VA_ARGS__

enum lh_on_error { LH_ON_ERROR_SKIP, LH_ON_ERROR_EMIT, LH_ON_ERROR_STOP };
enum lh_progress { LH_PROGRESS_AUTO, LH_PROGRESS_ALWAYS, LH_PROGRESS_NEVER };

/* A command of a tool: "build" of lh-index build|add|...  All commands share one settings
 * struct.  The command named "" runs where no command is given, with the operands it has;
 * it is not listed in the help. */
struct lh_verb {
	const char *name;
	const char *operands;	/* "INDEX [FILE...]" */
	const char *help;
	unsigned bit;		/* in the verbs of an option */
	size_t min_operands;
};

struct lh_tool {
	const char *name, *synopsis, *summary;
	const struct lh_tool_spec *spec;	/* of lh_op_main, or NULL */
	const struct lh_option *options;
	const struct lh_verb *verbs;	/* NULL: none */
	const struct lh_verb *verb;	/* the command given */
	char **operands;		/* without the command */
	size_t n_operands;
	struct lh_err err;

	bool quiet, verbose;		/* common options */
	int on_error, progress;
	enum lh_color color;
	const char *rejects;
	uint64_t max_members;		/* of an object */
	uint64_t max_line, jobs;	/* jobs: set to the number of cores at init */
	double lock_timeout;		/* seconds to wait for another writer; 60 */
	const char *now;		/* --now or LH_NOW, checked; NULL: the clock */
	bool allow_empty;		/* see lh_tool_verdict_over */
	bool force;			/* replace files of other kinds as well */
	bool files;			/* records may name files; see lh_op_refuse_paths */
	bool once;			/* read files only at the start, not again on change */

	struct lh_tool_state *state;	/* private to lib/tool */
};

void lh_tool_init(struct lh_tool *t, const char *name, const char *synopsis, const char *summary,
		  const struct lh_option *options);
int lh_tool_parse(struct lh_tool *t, int argc, char **argv, void *settings);
int lh_tool_finish(struct lh_tool *t, int rc);

struct lh_call;

/* A tool, for lh_op_main of op.h. */
struct lh_tool_spec {
	const char *name, *synopsis, *summary;
	const char *example;		/* for --help, of its page; further lines indented */
	const struct lh_option *options;
	const struct lh_op *ops;
	/* Return the operation of a filter under the options given.  NULL: the first. */
	const struct lh_op *(*mode)(const void *settings);
	int (*check)(struct lh_tool *tool, void *settings);	/* or NULL */
	bool ignore_sigpipe;		/* see lh_tool_ignore_sigpipe */
	/* Free what the settings hold, at the end, with the result rc: rc, or -1.  Or NULL. */
	int (*close)(struct lh_tool *tool, void *settings, int rc);
	const char *what;		/* "log": what requests use, in messages to clients */
	int (*before_output)(void *settings, struct lh_err *err);	/* of a flow, or NULL */
	/* Note that a request failed, or turn *err into its refusal and return -1.  Or NULL. */
	int (*failed)(const struct lh_call *call, struct lh_err *err);
};

/* Set a usage error found after parsing: fills t->err, returns -1. */
int lh_tool_usage(struct lh_tool *t, const char *fmt, ...) LH_PRINTF(2, 3);

/* Set the error "unexpected operand "x": " for operand i, followed by the text, which
 * names the operands accepted.  Returns -1. */
int lh_tool_unexpected(struct lh_tool *t, size_t i, const char *fmt, ...) LH_PRINTF(3, 4);

/* Return whether the command that runs has the option. */
bool lh_tool_has_option(const struct lh_tool *t, const char *name);

/* Set the error for "-" where a file is required; what is its kind, "an index".  Returns -1. */
int lh_tool_no_stream(struct lh_tool *t, const char *what);

/* Check that the file at path, which the tool is about to replace, is of the kind that it makes,
 * or empty or absent; --force allows every kind.  An audit log, and a file that an option or
 * the environment names as a key or a token, is refused in any case.  lh_tool_parse does this
 * for options that have .makes, but for "-". */
int lh_tool_replaces(struct lh_tool *t, const char *path, const struct lh_made *made);

/* Return whether the records are read from stdin, which then cannot be read for anything
 * else. */
bool lh_tool_reads_stdin(const struct lh_tool *t);

/* Write "lh-x: text" to stderr, control bytes escaped: lh_tool_warn always, lh_tool_message
 * unless -q, lh_tool_verbose only with -v. */
void lh_tool_warn(struct lh_tool *t, const char *fmt, ...) LH_PRINTF(2, 3);
/* Warn, as a callback of a module that belongs to the tool. */
void lh_tool_told(void *tool, const char *text);
void lh_tool_message(struct lh_tool *t, const char *fmt, ...) LH_PRINTF(2, 3);
void lh_tool_verbose(struct lh_tool *t, const char *fmt, ...) LH_PRINTF(2, 3);

/* Record a bad verdict: the exit status will be at least 1.  Any thread. */
void lh_tool_verdict_bad(struct lh_tool *t);

/* Say and record that a verdict is over nothing, unless n things were looked at: "0 logs in d".
 * What should be there may have been removed, which is a bad verdict unless --allow-empty.  where
 * may be NULL. */
void lh_tool_verdict_over(struct lh_tool *t, uint64_t n, const char *what, const char *where);

/* Of a command that answers requests: who asks waits for a line for each, also for a rejected one,
 * so skip, the default of other commands, is emit. */
void lh_tool_answer_each(struct lh_tool *t);

/* Record a failure of a part of a run that continues: the exit status will be 2.  Any
 * thread. */
void lh_tool_failed(struct lh_tool *t);

/* Record a failure that is one record's, an unreachable upstream: the exit status will be
 * 2, with --on-error emit, where the record's line says it, 1.  Any thread. */
void lh_tool_record_failed(struct lh_tool *t);

/* Print n bytes to stdout, outside a map.  Buffered; flushed by lh_tool_finish. */
int lh_tool_out(struct lh_tool *t, const void *p, size_t n);
/* Print a text, and free the buffer. */
int lh_tool_out_text(struct lh_tool *t, struct lh_buf *text);
/* The same with an LF added. */
int lh_tool_out_line(struct lh_tool *t, struct lh_buf *line);
/* Print an object of n counts as a line. */
int lh_tool_out_counts(struct lh_tool *t, const char *const *name, const uint64_t *count, size_t n);
int lh_tool_flush(struct lh_tool *t);
/* Keep back what is printed until lh_tool_flush, which then calls settle: it may change the text,
 * and if it fails nothing of it is written.  lh_tool_held is the number of bytes kept.  settle
 * NULL: print as usual. */
void lh_tool_hold(struct lh_tool *t, int (*settle)(void *ctx, struct lh_buf *text,
						   struct lh_err *err), void *ctx);
size_t lh_tool_held(const struct lh_tool *t);

/* Return whether progress is shown: on a terminal unless -q, or as --progress says. */
bool lh_tool_shows_progress(const struct lh_tool *t);

/* Set the number of records that a loop outside a flow has done, for the progress line. */
void lh_tool_progress(struct lh_tool *t, uint64_t records);

/* Set the stage named in the progress line, "score"; NULL: none. */
void lh_tool_doing(struct lh_tool *t, const char *what);

/* Show the percentage done and the time left, for work of a known size.  Always shown when
 * all is done. */
void lh_tool_share(struct lh_tool *t, uint64_t done, uint64_t of);

/* Show the bytes moved, of all if that is known (0: not), and how many a second. */
void lh_tool_bytes(struct lh_tool *t, uint64_t done, uint64_t of);

/* Ignore SIGPIPE, for a tool with state to clean up: lh_records_run and lh_tool_out return -1
 * when stdout is closed, without a message, and the exit status is 0. */
void lh_tool_ignore_sigpipe(struct lh_tool *t);

/* Print the time of --now, LH_NOW or the clock: RFC 3339 UTC with milliseconds,
 * "2026-05-03T12:00:00.000Z".  out has 32 bytes. */
void lh_tool_time(const struct lh_tool *t, char *out);

/* Set user to who runs the program, for rows that no token of a client is behind, and return it:
 * "user NAME", or with sudo(8) "user root, for NAME". */
#define LH_TOOL_USER 256
const char *lh_tool_user(char user[LH_TOOL_USER]);

#define LH_JOBS_OPTION \
	{ 'j', "jobs", "N", "threads (default: cores)", \
	  LH_TOOL_FIELD(UINT, jobs, .min = 1, .max = 256) }
#define LH_LOCK_OPTION(of) \
	{ 0, "lock-timeout", "S", "seconds to wait for another writer (default 60)", \
	  LH_TOOL_FIELD(REAL, lock_timeout, .max = 1e9, .verbs = of) }
#define LH_ALLOW_EMPTY_OPTION(of) \
	{ 0, "allow-empty", NULL, "there may be nothing to check", \
	  LH_TOOL_FIELD(FLAG, allow_empty, .verbs = of) }
#define LH_NOW_OPTION \
	{ 0, "now", "TIME", "the time to write (default: the clock)", \
	  LH_TOOL_FIELD(TIME, now, .env = "LH_NOW") }
#define LH_FORCE_OPTION(of) \
	{ 0, "force", NULL, "replace a file of another kind, too", \
	  LH_TOOL_FIELD(FLAG, force, .verbs = of) }
#define LH_ONCE_OPTION \
	{ 0, "once", NULL, "read files only at the start", LH_TOOL_FIELD(FLAG, once) }
#define LH_FILES_OPTION(of) \
	{ 0, "files", NULL, "requests may name files", LH_TOOL_FIELD(FLAG, files, .verbs = of) }
#define LH_INPUT_OPTIONS \
	{ 0, "on-error", "skip|emit|stop", "what to do with bad records (default skip)", \
	  LH_TOOL_FIELD(CHOICE, on_error) }, \
	{ 0, "rejects", "FILE", "append rejected lines to FILE", LH_TOOL_FIELD(TEXT, rejects) }, \
	{ 0, "max-line", "SIZE", "longest line, K/M/G (default 256M)", \
	  LH_TOOL_FIELD(SIZE, max_line, .min = 1, .max = 2147483648.0) }, \
	{ 0, "max-members", "N", "most members of an object (default 65536)", \
	  LH_TOOL_FIELD(UINT, max_members, .min = 64, .max = 1000000000) }
#define LH_COMMON_OPTIONS \
	{ 0, "color", "auto|always|never", "whether to use colour (default auto)", \
	  LH_TOOL_FIELD(CHOICE, color) }, \
	{ 0, "progress", "auto|always|never", "progress on stderr (default auto)", \
	  LH_TOOL_FIELD(CHOICE, progress) }, \
	{ 'q', "quiet", NULL, "print only the summary and fatal errors", \
	  LH_TOOL_FIELD(FLAG, quiet) }, \
	{ 'v', "verbose", NULL, "print more on stderr", LH_TOOL_FIELD(FLAG, verbose) }, \
	{ 'h', "help", NULL, "show this help", LH_OPT_FLAG, .common = true, \
	  .asks = LH_ASK_HELP }, \
	{ 'V', "version", NULL, "show the version", LH_OPT_FLAG, .common = true, \
	  .asks = LH_ASK_VERSION }, \
	{ 0, "describe", NULL, "print the operations as JSON", LH_OPT_FLAG, .common = true, \
	  .asks = LH_ASK_OPERATIONS }, \
	{ 0, "describe-options", NULL, "print these tables as JSON", LH_OPT_FLAG, .common = true, \
	  .asks = LH_ASK_DESCRIPTION, .hidden = true }
#define LH_OPTION_END { .name = NULL }

#endif
