/*
 * tool - the frame of every lh-* program: options, help, messages, rejects,
 * progress, exit status.  The only part of liblh that writes to stderr.
 *
 * A tool is one table of options bound to the fields of its settings struct;
 * from it come parsing, range checks, --help, and (by test) the man page.
 *
 *     struct settings { uint64_t k; bool exact; const char *query; struct lh_list where; };
 *     static const struct lh_option options[] = {
 *             { 'k', NULL, "N", "results per query (default 10)", LH_UINT(struct settings, k, 0, 10000) },
 *             { 0, "exact", NULL, "brute force", LH_FLAG(struct settings, exact) },
 *             { 'Q', NULL, "TEXT", "one query", LH_TEXT(struct settings, query) },
 *             { 0, "where", "KEY=VALUE", "filter (repeatable)", LH_TEXTS(struct settings, where) },
 *             LH_JOBS_OPTION, LH_INPUT_OPTIONS, LH_COMMON_OPTIONS, LH_OPTION_END
 *     };
 *     int main(int argc, char **argv)
 *     {
 *             struct settings s = { .k = 10 };
 *             struct lh_tool tool;
 *             int rc;
 *
 *             lh_tool_init(&tool, "lh-search", "[OPTION]... INDEX...", "find the nearest records", options);
 *             rc = lh_tool_parse(&tool, argc, argv, &s);
 *             if (!rc) rc = ...;
 *             return lh_tool_finish(&tool, rc);
 *     }
 *
 * --help and --version print and exit within lh_tool_parse's caller: parse
 * returns LH_TOOL_DONE, a non-zero that lh_tool_finish turns into exit 0.
 * Every other non-zero is -1 with tool.err filled.
 *
 * Exit status, chosen by lh_tool_finish: 2 for a failure (rc < 0, or
 * lh_tool_failed was called), 1 when a record was rejected or
 * lh_tool_verdict_bad was called, else 0; stdout is
 * flushed and closed first, and a failed write there is 2.  A signal caught
 * (SIGINT, SIGTERM, SIGHUP) ends whole records only, removes temporary files,
 * and re-raises, so that the shell sees 128 + n.
 *
 * Environment: an option's env names a variable that gives its default; an
 * option on the command line wins.
 */
#ifndef LH_TOOL_H
#define LH_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lh/buf.h>

#define LH_VERSION "0.1.0"
#define LH_TOOL_DONE 1

enum lh_opt_type { LH_OPT_FLAG, LH_OPT_TEXT, LH_OPT_TEXTS, LH_OPT_UINT, LH_OPT_INT, LH_OPT_SIZE, LH_OPT_REAL, LH_OPT_CHOICE, LH_OPT_TIME };

struct lh_list {		/* a repeatable option's values, borrowed from argv */
	const char **v;
	size_t n;
};

struct lh_option {
	int key;		/* short letter, 0 for none */
	const char *name;	/* long name without "--", NULL for none */
	const char *arg;	/* NULL: takes none; for a choice "a|b|c" */
	const char *help;	/* with the default in parentheses */
	enum lh_opt_type type;
	bool common;		/* a field of struct lh_tool, not of the settings */
	size_t off;		/* of the field */
	double min, max;	/* UINT, INT, SIZE and REAL: what is accepted */
	const char *env;	/* variable that gives the default, or NULL */
	unsigned verbs;		/* bit set of the verbs it belongs to; 0 means all */
};

/*
 * The rest of an option: s is the settings struct, f the field in it, which must have
 * the type said here; a number's range is lo to hi.  Then, if wanted, .env and .verbs:
 *
 *     { 0, "roster", "FILE", "the workers", LH_TEXT(struct settings, roster, .env = "LH_ROSTER", .verbs = V_RUN) },
 */
#define LH_FLAG(s, f, ...) LH_FIELD(FLAG, s, f, bool, ##__VA_ARGS__)
#define LH_TEXT(s, f, ...) LH_FIELD(TEXT, s, f, const char *, ##__VA_ARGS__)
#define LH_TEXTS(s, f, ...) LH_FIELD(TEXTS, s, f, struct lh_list, ##__VA_ARGS__)
#define LH_UINT(s, f, lo, hi, ...) LH_FIELD(UINT, s, f, uint64_t, .min = lo, .max = hi, ##__VA_ARGS__)
#define LH_INT(s, f, lo, hi, ...) LH_FIELD(INT, s, f, int64_t, .min = lo, .max = hi, ##__VA_ARGS__)
/* Bytes, with K, M or G. */
#define LH_SIZE(s, f, lo, hi, ...) LH_FIELD(SIZE, s, f, uint64_t, .min = lo, .max = hi, ##__VA_ARGS__)
#define LH_REAL(s, f, lo, hi, ...) LH_FIELD(REAL, s, f, double, .min = lo, .max = hi, ##__VA_ARGS__)
/* A checked RFC 3339 time. */
#define LH_TIME(s, f, ...) LH_FIELD(TIME, s, f, const char *, ##__VA_ARGS__)
/* An int or an enum: the index into the choices. */
#define LH_CHOICE(s, f, ...) LH_FIELD_IF(sizeof(((s *)0)->f) == sizeof(int), CHOICE, s, f, ##__VA_ARGS__)

#define LH_FIELD(type, s, f, c, ...) \
	LH_FIELD_IF(__builtin_types_compatible_p(__typeof__(((s *)0)->f), c), type, s, f, ##__VA_ARGS__)
#define LH_FIELD_IF(fits, type, s, f, ...) \
	LH_OPT_##type, .off = offsetof(s, f) + 0 * sizeof(char[(fits) ? 1 : -1]), ##__VA_ARGS__

/* The same for a field of struct lh_tool. */
#define LH_TOOL_FIELD(type, f, ...) \
	LH_OPT_##type, .common = true, .off = offsetof(struct lh_tool, f), ##__VA_ARGS__

enum lh_on_error { LH_ON_ERROR_SKIP, LH_ON_ERROR_EMIT, LH_ON_ERROR_STOP };
enum lh_progress { LH_PROGRESS_AUTO, LH_PROGRESS_ALWAYS, LH_PROGRESS_NEVER };

/* A tool with verbs: lh-index build|add|...; the settings hold what each needs.
 * A verb named "" is what the tool does without operands: tool.verb then, and
 * not listed in the help. */
struct lh_tool;
struct lh_verb {
	const char *name;
	const char *operands;	/* "INDEX [FILE...]" */
	const char *help;
	unsigned bit;
	size_t min_operands;
	int (*run)(struct lh_tool *tool, void *settings);
};

struct lh_tool {
	const char *name, *synopsis, *summary;
	const struct lh_option *options;
	const struct lh_verb *verbs;	/* NULL: none */
	const struct lh_verb *verb;	/* the one that was named */
	char **operands;		/* what is left of argv */
	size_t n_operands;
	struct lh_err err;

	bool quiet, verbose;		/* common options */
	int on_error, progress;
	const char *rejects;
	uint64_t max_members;		/* of an object */
	uint64_t max_line, jobs;	/* jobs: set to the number of cores at init */
	double lock_timeout;		/* seconds to wait for another writer; 60 */
	const char *now;		/* --now or LH_NOW, checked; NULL: the clock */
	bool once;			/* what files hold is looked at once */

	struct lh_tool_state *state;	/* the frame's own */
};

void lh_tool_init(struct lh_tool *t, const char *name, const char *synopsis, const char *summary, const struct lh_option *options);
void lh_tool_verbs(struct lh_tool *t, const struct lh_verb *verbs);
int lh_tool_parse(struct lh_tool *t, int argc, char **argv, void *settings);
int lh_tool_finish(struct lh_tool *t, int rc);

/* The main function of a tool with verbs: parse argv into *settings, check them, run the
 * verb named.  Returns the exit status. */
struct lh_tool_spec {
	const char *name, *synopsis, *summary;
	const struct lh_option *options;
	const struct lh_verb *verbs;
	int (*check)(struct lh_tool *tool, void *settings);	/* or NULL */
	bool ignore_sigpipe;		/* see lh_tool_ignore_sigpipe */
};
int lh_tool_main(const struct lh_tool_spec *spec, int argc, char **argv, void *settings);

/* A usage error found after parsing: fills t->err, returns -1. */
int lh_tool_usage(struct lh_tool *t, const char *fmt, ...) LH_PRINTF(2, 3);

/* Report operand i as one too many: "unexpected operand "x": " and the text, which says
 * what is taken.  Returns -1. */
int lh_tool_unexpected(struct lh_tool *t, size_t i, const char *fmt, ...) LH_PRINTF(3, 4);

/* Report "-" given where a file is needed: what is "an index".  Returns -1. */
int lh_tool_no_stream(struct lh_tool *t, const char *what);

/* Is standard input among what the records are read from?  Then nothing else
 * can be. */
bool lh_tool_reads_stdin(const struct lh_tool *t);

/* "lh-x: text" on stderr, control bytes escaped; say is silent under -q,
 * chat speaks only under -v. */
void lh_tool_warn(struct lh_tool *t, const char *fmt, ...) LH_PRINTF(2, 3);
void lh_tool_message(struct lh_tool *t, const char *fmt, ...) LH_PRINTF(2, 3);
void lh_tool_verbose(struct lh_tool *t, const char *fmt, ...) LH_PRINTF(2, 3);

/* Some verdict is bad: the exit status will be 1 at least. */
void lh_tool_verdict_bad(struct lh_tool *t);

/* Something could not be done although the run goes on: the exit status will
 * be 2.  From any thread. */
void lh_tool_failed(struct lh_tool *t);

/* Buffered stdout for what a tool prints outside a flow; flushed by finish. */
int lh_tool_out(struct lh_tool *t, const void *p, size_t n);
/* The same of a line: the LF is added, and the buffer freed. */
int lh_tool_out_line(struct lh_tool *t, struct lh_buf *line);
/* An object of n counts, as a line. */
int lh_tool_out_counts(struct lh_tool *t, const char *const *name, const uint64_t *count, size_t n);
int lh_tool_flush(struct lh_tool *t);

/* What a loop outside a flow has done so far, for the progress line. */
void lh_tool_progress(struct lh_tool *t, uint64_t records);

/* Of what the records are, in the progress line: "score"; NULL: of the tool. */
void lh_tool_doing(struct lh_tool *t, const char *what);

/* Where it is known how much there is to be done of that: the percentage and the
 * time that is left.  Shown also when all is done. */
void lh_tool_share(struct lh_tool *t, uint64_t done, uint64_t of);

/* For a tool with state to clean up: a closed stdout is then an error without
 * a message (lh_records_run and lh_tool_out return -1) and exit status 0. */
void lh_tool_ignore_sigpipe(struct lh_tool *t);

/* RFC 3339 UTC with milliseconds ("2026-05-03T12:00:00.000Z"): --now, LH_NOW,
 * or the clock. out has 32 bytes. */
void lh_tool_time(const struct lh_tool *t, char *out);

#define LH_JOBS_OPTION \
	{ 'j', "jobs", "N", "threads (default: cores)", \
	  LH_TOOL_FIELD(UINT, jobs, .min = 1, .max = 256) }
#define LH_LOCK_OPTION(of) \
	{ 0, "lock-timeout", "S", "seconds to wait for another writer (default 60)", \
	  LH_TOOL_FIELD(REAL, lock_timeout, .max = 1e9, .verbs = of) }
#define LH_NOW_OPTION \
	{ 0, "now", "TIME", "the time to write (default: the clock)", \
	  LH_TOOL_FIELD(TIME, now, .env = "LH_NOW") }
#define LH_ONCE_OPTION \
	{ 0, "once", NULL, "read files only at the start", LH_TOOL_FIELD(FLAG, once) }
#define LH_INPUT_OPTIONS \
	{ 0, "on-error", "skip|emit|stop", "what to do with a rejected record (default skip)", \
	  LH_TOOL_FIELD(CHOICE, on_error) }, \
	{ 0, "rejects", "FILE", "append rejected lines to FILE", LH_TOOL_FIELD(TEXT, rejects) }, \
	{ 0, "max-line", "SIZE", "longest line, K/M/G (default 256M)", \
	  LH_TOOL_FIELD(SIZE, max_line, .min = 1, .max = 2147483648.0) }, \
	{ 0, "max-members", "N", "most members of an object (default 65536)", \
	  LH_TOOL_FIELD(UINT, max_members, .min = 64, .max = 1000000000) }
#define LH_COMMON_OPTIONS \
	{ 0, "progress", "auto|always|never", "progress on stderr (default auto)", \
	  LH_TOOL_FIELD(CHOICE, progress) }, \
	{ 'q', "quiet", NULL, "print only the summary and fatal errors", \
	  LH_TOOL_FIELD(FLAG, quiet) }, \
	{ 'v', "verbose", NULL, "print more on stderr", LH_TOOL_FIELD(FLAG, verbose) }, \
	{ 'h', "help", NULL, "show this help", LH_OPT_FLAG, .common = true }, \
	{ 'V', "version", NULL, "show the version", LH_OPT_FLAG, .common = true }
#define LH_OPTION_END { .name = NULL }

#endif
