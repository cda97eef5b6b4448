/* lh-mcp: tools for a model, by the Model Context Protocol.  See lh-mcp(1). */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/subject.h"
#include "base/mem.h"
#include "base/signal.h"
#include "base/time.h"
#include "mcp/mcp.h"
#include "observe/observe.h"
#include "tool/op.h"
#include "tool/tool.h"

#define CHUNK 65536
#define TURN_MS 50
#define CALLS_MAX 4096			/* in flight */
#define OUT_MAX ((size_t)8 << 20)	/* bytes that the client has not read */
#define END_SECONDS 5.0			/* for the client to read the last answers */
#define FILTERS_END 2.0			/* for the filters to end by themselves */

struct transport {
	struct lh_tool *tool;
	struct lh_loop loop;
	struct lh_mcp *mcp;
	struct lh_mcp_peer peer;
	struct lh_watch in, out, wake;
	struct lh_mcp_lines lines;
	struct lh_buf output;
	size_t sent;			/* bytes of it that were written */
	bool begun;			/* a line was taken: no byte order mark follows */
	bool more;			/* lines may be there that were not taken */
	bool is_file;			/* stdin: it can always be read */
	bool listening;			/* for stdin */
	bool blocked;			/* stdout: the client does not read */
	bool gone, failed;		/* stdout is closed; stdin cannot be read */
	double end_at;			/* when to give up the rest */
	unsigned kind;			/* of stdout: S_IFREG ... */
};

/* ---- stdout ---- */

static void on_answer(struct lh_mcp_peer *p, struct lh_str json, int code)
{
	struct transport *s = (struct transport *)((char *)p - offsetof(struct transport, peer));

	(void)code;
	lh_buf_add(&s->output, json.p, json.n);
	lh_buf_putc(&s->output, '\n');
}

/* Write without waiting.  The flags of stdout are shared with others, and stay as they are: a
 * pipe that poll calls writable takes PIPE_BUF bytes. */
static ssize_t write_some(struct transport *s, const char *p, size_t n)
{
	struct pollfd f = { .fd = STDOUT_FILENO, .events = POLLOUT };

	if (s->kind == S_IFREG)
		return write(STDOUT_FILENO, p, n);
	if (s->kind == S_IFSOCK)
		return send(STDOUT_FILENO, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (poll(&f, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(STDOUT_FILENO, p, n > PIPE_BUF ? PIPE_BUF : n);
}

/* Wait for stdout, or no longer.  What cannot be waited for, as a file, is written again in the
 * next turn. */
static void set_blocked(struct transport *s, bool blocked)
{
	struct lh_err ignored;

	if (s->blocked == blocked)
		return;
	s->blocked = blocked;
	if (blocked)
		lh_loop_add(&s->loop, &s->out, EPOLLOUT, &ignored);
	else
		lh_loop_remove(&s->loop, &s->out);
}

/* Write the answers. */
static int flush(struct transport *s, struct lh_err *err)
{
	ssize_t n;

	while (s->sent < s->output.len && !s->gone) {
		n = write_some(s, s->output.p + s->sent, s->output.len - s->sent);
		if (n >= 0) {
			s->sent += (size_t)n;
		} else if (errno == EAGAIN) {
			set_blocked(s, true);
			return 0;
		} else if (errno == EPIPE || errno == ECONNRESET) {
			s->gone = true;
		} else if (errno != EINTR) {
			return lh_err_sys(err, "stdout");
		}
	}
	s->output.len = s->sent = 0;
	set_blocked(s, false);
	return 0;
}

static void on_writable(struct lh_watch *io, uint32_t events)
{
	(void)io;
	(void)events;			/* each turn writes */
}

/* ---- stdin ---- */

/* Return whether no more messages are taken for now. */
static bool is_full(const struct transport *s)
{
	return s->peer.calls >= CALLS_MAX || s->output.len - s->sent >= OUT_MAX;
}

/* Take the messages that are there. */
static void take_lines(struct transport *s)
{
	struct lh_str line;
	int got = 1;

	while (got && !is_full(s)) {
		got = lh_mcp_lines_next(&s->lines, &line);
		if (got < 0) {
			char why[80];

			snprintf(why, sizeof why, "a message has at most %zu bytes (--max-line)",
				 s->lines.max);
			lh_mcp_refuse(s->mcp, &s->peer, LH_MCP_REQUEST, why);
		} else if (got) {
			if (!s->begun && line.n >= 3 && !memcmp(line.p, "\xef\xbb\xbf", 3))
				line = (struct lh_str){ line.p + 3, line.n - 3 };
			lh_mcp_take(s->mcp, &s->peer, line);
		}
		s->begun |= got != 0;
	}
	s->more = got;
}

static int read_input(struct transport *s, struct lh_err *err)
{
	char *to = lh_mcp_lines_room(&s->lines, CHUNK);
	ssize_t n = read(STDIN_FILENO, to, CHUNK);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0 && errno != ECONNRESET)
		return lh_err_sys(err, "stdin");
	lh_mcp_lines_took(&s->lines, n > 0 ? (size_t)n : 0);
	return 0;
}

static void on_readable(struct lh_watch *io, uint32_t events)
{
	struct transport *s = (struct transport *)((char *)io - offsetof(struct transport, in));

	(void)events;
	s->failed = read_input(s, &s->tool->err) < 0;
	take_lines(s);
}

/* Listen for stdin while messages are taken. */
static int listen_in(struct transport *s, struct lh_err *err)
{
	bool want = !s->lines.ended && !is_full(s);

	if (s->is_file || s->listening == want)
		return 0;
	s->listening = want;
	if (want)
		return lh_loop_add(&s->loop, &s->in, EPOLLIN, err);
	lh_loop_remove(&s->loop, &s->in);
	return 0;
}

/* ---- the loop ---- */

static bool is_over(struct transport *s)
{
	if (s->gone || lh_signal_pending())
		return true;
	if (!s->lines.ended)
		return false;
	if (s->peer.calls || s->more) {
		s->end_at = 0;
		return false;
	}
	if (!s->end_at)
		s->end_at = lh_time_monotonic() + END_SECONDS;
	return s->output.len == s->sent || lh_time_monotonic() >= s->end_at;
}

static int turn(struct transport *s, struct lh_err *err)
{
	bool more = s->is_file && !s->lines.ended && !is_full(s);

	if (lh_loop_wait(&s->loop, more || (s->more && !is_full(s)) ? 0 : TURN_MS, err) < 0)
		return -1;
	if (more)
		on_readable(&s->in, EPOLLIN);
	else if (s->more)
		take_lines(s);
	lh_mcp_tick(s->mcp);
	if (flush(s, err) < 0)
		return -1;
	return s->failed ? -1 : listen_in(s, err);
}

static int start(struct transport *s, struct lh_mcp_how *how, struct lh_err *err)
{
	struct stat st;

	if (lh_loop_open(&s->loop, err) < 0)
		return -1;
	s->kind = fstat(STDOUT_FILENO, &st) < 0 ? S_IFREG : st.st_mode & S_IFMT;
	s->is_file = lh_loop_add(&s->loop, &s->in, EPOLLIN, err) < 0;
	if (s->is_file && errno != EPERM)
		return -1;
	s->listening = !s->is_file;
	s->wake.fd = lh_signal_wake_fd();
	how->loop = &s->loop;
	s->mcp = lh_mcp_new(how, err);
	return s->mcp ? lh_loop_add(&s->loop, &s->wake, EPOLLIN, err) : -1;
}

/* Serve until stdin ends, the client closes stdout, or a signal comes.  how->loop is set here.
 * max_line: bytes of a message. */
static int serve_stdio(struct lh_tool *tool, struct lh_mcp_how *how, size_t max_line)
{
	char user[LH_TOOL_USER];
	struct transport s = {
		.tool = tool, .loop = { .fd = -1 },
		.peer = { .answer = on_answer, .token = lh_tool_user(user) },
		.in = { STDIN_FILENO, on_readable }, .out = { STDOUT_FILENO, on_writable },
		.wake = { -1, on_writable },
		.lines = { .max = max_line },
	};
	int rc = lh_signal_wake_open(&tool->err);

	lh_signal_defer(true);
	if (!rc)
		rc = start(&s, how, &tool->err);
	while (!rc && !is_over(&s))
		rc = turn(&s, &tool->err);
	if (s.mcp) {
		lh_mcp_leave(s.mcp, &s.peer);
		if (!rc) {
			/* Let the filters end by themselves, for a moment. */
			const double until = lh_time_monotonic() + FILTERS_END;
			struct lh_err err;

			lh_mcp_retire(s.mcp);
			while (!lh_mcp_over(s.mcp) && lh_time_monotonic() < until &&
			       !lh_signal_pending()) {
				if (lh_loop_wait(&s.loop, TURN_MS, &err) < 0)
					break;
				lh_mcp_tick(s.mcp);
			}
		}
		lh_mcp_free(s.mcp);
	}
	lh_loop_close(&s.loop);
	lh_mcp_lines_free(&s.lines);
	lh_buf_free(&s.output);
	return rc;
}

struct settings {
	const char *state, *tools, *audit_log;
	struct lh_list allow, key_file, persons;
	struct lh_decisions_how decisions;
	bool compat, print_tools, audit_required, audit_optional;
	int audit_sync;
	double timeout;
	uint64_t max_line;
};

static const struct lh_option options[] = {
	{ 0, "state", "DIR", "folder of indexes, playbooks and logs (default .)",
	  LH_TEXT(struct settings, state) },
	{ 0, "tools", "FILE", "more tools (JSON)", LH_TEXT(struct settings, tools) },
	{ 0, "print-tools", NULL, "print the tools that are built in, and exit",
	  LH_FLAG(struct settings, print_tools) },
	{ 0, "allow-write", "TOOL", "also this tool, which changes something (repeatable)",
	  LH_TEXTS(struct settings, allow, .words = LH_MCP_WRITERS) },
	{ 0, "compat", NULL, "also embed_text and search_vectors",
	  LH_FLAG(struct settings, compat) },
	{ 0, "audit-log", "DIR", "logs of whose data is shown (default: in --state, with a key)",
	  LH_TEXT(struct settings, audit_log) },
	{ 0, "audit-required", NULL, "no answer without its rows (default, with a key)",
	  LH_FLAG(struct settings, audit_required) },
	{ 0, "no-audit-required", NULL, "answers without their rows, too",
	  LH_FLAG(struct settings, audit_optional) },
	{ 0, "audit-sync", LH_PERSONS_SYNCS, "when rows are on disk (default batch)",
	  LH_CHOICE(struct settings, audit_sync) },
	{ 0, "persons", "CORPUS", "records of CORPUS are persons (repeatable)",
	  LH_TEXTS(struct settings, persons) },
	{ 0, "key-file", "FILE", "the key of the audit log (repeatable)",
	  LH_TEXTS(struct settings, key_file, .env = "LH_SUBJECT_AUDIT_KEY") },
	LH_DECISIONS_OPTIONS(struct settings, decisions),
	{ 0, "timeout", "S", "seconds for a call (default 30)",
	  LH_REAL(struct settings, timeout, 0.01, 86400) },
	{ 0, "max-line", "SIZE", "longest message, K/M/G (default 16M)",
	  LH_SIZE(struct settings, max_line, 1, 2147483648.0) },
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

/* Persons are shown without a key, whose rows would be missing, only if that is asked for. */
static int check_without(struct lh_tool *tool, const struct settings *set)
{
	LH_SCOPED(lh_free_local) char *persons = NULL;

	if (set->audit_log || set->audit_required)
		return lh_tool_usage(tool, "--audit-%s: no key: name its file by --key-file or "
				     "LH_SUBJECT_AUDIT_KEY", set->audit_log ? "log" : "required");
	persons = lh_persons_in(set->state, &set->persons);
	if (persons && !set->audit_optional)
		return lh_tool_usage(tool, "--state %s holds persons (%s), and no key is named: "
				     "--key-file or LH_SUBJECT_AUDIT_KEY names its file, or "
				     "--no-audit-required shows them without rows of who looked",
				     set->state, persons);
	if (persons)
		lh_tool_warn(tool, "who looks at persons (%s) is not recorded: no key is named",
			     persons);
	return 0;
}

/* Check the state and the key, before anything is read. */
static int check_state(struct lh_tool *tool, const struct settings *set)
{
	LH_SCOPED(lh_free_local) char *logs = NULL;
	struct stat st;

	if (set->audit_required && set->audit_optional)
		return lh_tool_usage(tool, "--audit-required and --no-audit-required exclude each "
				     "other");
	if (set->decisions.text && !set->decisions.path)
		return lh_tool_usage(tool, "--decisions-text: needs --decisions");
	if (stat(set->state, &st) < 0 || !S_ISDIR(st.st_mode))
		return lh_tool_usage(tool, "--state %s: no such folder", set->state);
	if (!set->key_file.n)
		return check_without(tool, set);
	logs = lh_format("%s/" LH_SUBJECT_DIR, set->state);
	return lh_persons_try_keys(set->audit_log ? set->audit_log : logs, set->key_file.v,
				   set->key_file.n, &tool->err);
}

/* Check that the tools exist that --allow-write names. */
static int check_allowed(struct lh_tool *tool, const struct lh_list *allow,
			 const struct lh_mcp_how *how)
{
	size_t i;

	for (i = 0; i < allow->n; i++)
		if (!lh_mcp_tools_find(how->tools, allow->v[i]) &&
		    !lh_mcp_tools_find(how->more, allow->v[i]))
			return lh_tool_usage(tool, "--allow-write %s: no such tool", allow->v[i]);
	return 0;
}

/* Make the one that appends rows of the persons shown, once the routes are there; *p is NULL
 * without a key. */
static int open_persons(struct lh_tool *tool, const struct settings *set,
			struct lh_routes *routes, struct lh_mcp_tools *more, struct lh_buf *folder,
			struct lh_persons **p)
{
	struct lh_persons_how how = {
		.folder = set->audit_log, .key = set->key_file.v, .keys = set->key_file.n,
		.sync = (enum lh_persons_sync)set->audit_sync, .daemon = tool->name,
		.state = set->state, .corpus = set->persons.v, .corpora = set->persons.n,
		.required = !set->audit_optional, .text = set->decisions.text, .warn = lh_tool_told,
		.owner = tool,
	};

	*p = NULL;
	if (!set->key_file.n)
		return 0;
	lh_buf_puts(folder, set->state);
	lh_buf_add(folder, "/" LH_SUBJECT_DIR, sizeof "/" LH_SUBJECT_DIR);
	if (!how.folder)
		how.folder = folder->p;
	if (lh_persons_filters(routes, &how, &tool->err) < 0 ||
	    lh_mcp_tools_audit(more, &how, &tool->err) < 0)
		return -1;
	*p = lh_persons_new(&how);
	return 0;
}

static int run(struct lh_tool *tool, void *settings)
{
	const struct settings *set = settings;
	LH_SCOPED(lh_routes_free) struct lh_routes routes = { 0 };
	struct lh_mcp_tools tools = { .n = 0 }, more = { .n = 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf folder = { 0 };
	struct lh_mcp_how how = {
		.tools = &tools, .more = &more,
		.program = tool->name, .version = LH_VERSION, .state = set->state,
		.routes = &routes,
		.allow = set->allow.v, .allowed = set->allow.n, .compat = set->compat,
		.timeout = set->timeout, .answer_max = LH_MCP_ANSWER_LINE, .warn = lh_tool_told,
		.owner = tool,
	};
	int rc = check_state(tool, set);

	if (!rc)
		rc = lh_routes_built_in(&routes, set->state, &tool->err);
	if (!rc)
		lh_routes_named(&routes, lh_str_of("POST /v1/sql"))->off = NULL;
	if (!rc && set->decisions.path)
		lh_persons_decisions(&routes, set->decisions.path, set->decisions.text);
	if (!rc)
		rc = lh_mcp_tools_read(&tools, NULL, &tool->err);
	if (!rc && set->tools)
		rc = lh_mcp_tools_read(&more, set->tools, &tool->err);
	if (!rc)
		rc = open_persons(tool, set, &routes, &more, &folder, &how.persons);
	if (!rc)
		rc = check_allowed(tool, &set->allow, &how);
	if (!rc)
		rc = serve_stdio(tool, &how, set->max_line);
	lh_persons_free(how.persons);
	lh_mcp_tools_free(&more);
	lh_mcp_tools_free(&tools);
	return rc;
}

static int print_tools(struct lh_tool *tool, void *settings)
{
	(void)settings;
	return lh_tool_out(tool, lh_mcp_built_in, strlen(lh_mcp_built_in));
}

static int check(struct lh_tool *tool, void *settings)
{
	(void)settings;
	return tool->n_operands ? lh_tool_unexpected(tool, 0, "lh-mcp takes none") : 0;
}

static const struct lh_op ops[] = {
	{ "", .command = run, .writes = true },
	{ "", .about = "print the tools that are built in", .command = print_tools },
	LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	return &ops[((const struct settings *)settings)->print_tools];
}

int main(int argc, char **argv)
{
	struct settings set = { .state = ".", .timeout = LH_MCP_TIMEOUT, .max_line = 16 << 20,
				.audit_sync = LH_PERSONS_BATCH };
	static const struct lh_tool_spec spec = {
		.name = "lh-mcp",
		.synopsis = "[OPTION]...",
		.summary = "offer the tools to a model, by the Model Context Protocol",
		.example = "lh-mcp --tools mine.json",
		.options = options,
		.ops = ops,
		.mode = mode,
		.check = check,
		.ignore_sigpipe = true,
	};

	return lh_op_main(&spec, argc, argv, &set);
}
