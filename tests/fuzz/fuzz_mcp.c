/*
 * fuzz_mcp - the messages of a client, in pieces; the first byte is the size of a piece.
 *
 * The lines are the same however they are cut.  Each answer is one line of JSON with a result or
 * an error, and each request gets one, unless it was cancelled.  The tools are `cat` and one that
 * is off.
 */
#include "fuzz.h"

#include "base/time.h"
#include "mcp/mcp.h"

#define LONGEST 2048

static struct lh_err err;
static size_t answers, requests;

static void on_answer(struct lh_mcp_peer *p, struct lh_str json, int code)
{
	static struct lh_record rec;
	static struct lh_buf text;

	(void)p;
	lh_buf_reset(&text);
	lh_buf_add(&text, json.p, json.n);
	must(!memchr(json.p, '\n', json.n) && lh_record_parse(&rec, text.p, text.len, &err) == 0);
	must(!lh_record_get(&rec, "result") == !!lh_record_get(&rec, "error"));
	must(!lh_record_get(&rec, "error") == !code);
	answers++;
}

static char *argv[] = { "cat", NULL };
static struct lh_mcp_tool tools[] = {
	{ .name = "echo", .description = "d", .input = LH_JSON({"type":"object"}), .run = argv,
	  .repeat = true },
	{ .name = "off", .description = "d", .input = LH_JSON({"type":"object"}),
	  .route = "POST /off" },
	{ .name = "write", .description = "d", .input = LH_JSON({"type":"object"}), .run = argv,
	  .write = true },
};
static struct lh_loop loop;

/* Make the server, whose process serves all inputs. */
static struct lh_mcp *server(void)
{
	static struct lh_route off = { .route = (char *)"POST /off", .off = "it is off" };
	static struct lh_routes routes = { &off, 1, 1 };
	static const struct lh_mcp_tools all = { .v = tools, .n = sizeof tools / sizeof *tools };
	const struct lh_mcp_how how = {
		.tools = &all, .program = "fuzz",
		.version = "0", .state = "/nonexistent", .routes = &routes, .loop = &loop,
		.timeout = 60, .answer_max = 16384,
	};
	struct lh_mcp *m;

	must(lh_loop_open(&loop, &err) == 0);
	m = lh_mcp_new(&how, &err);
	must(m != NULL);
	return m;
}

/* Feed the next piece: false after the last one, which is empty. */
static bool feed(struct lh_mcp_lines *l, const uint8_t **p, const uint8_t *end, size_t most)
{
	size_t n = (size_t)(end - *p) < most ? (size_t)(end - *p) : most;
	char *to;

	if (l->ended)
		return false;
	to = lh_mcp_lines_room(l, most);
	must(to != NULL);
	memcpy(to, *p, n);
	lh_mcp_lines_took(l, n);
	*p += n;
	return true;
}

/* Collect the lines, each after a byte that says whether it is too long. */
static void collect(const uint8_t *p, size_t n, size_t most, struct lh_buf *out)
{
	struct lh_mcp_lines l = { .max = LONGEST };
	const uint8_t *at = p;
	struct lh_str line;
	int got;

	lh_buf_reset(out);
	while (feed(&l, &at, p + n, most))
		while ((got = lh_mcp_lines_next(&l, &line))) {
			lh_buf_putc(out, got < 0 ? '-' : '+');
			if (got > 0)
				lh_buf_add(out, line.p, line.n);
			lh_buf_putc(out, '\n');
		}
	lh_mcp_lines_free(&l);
}

static void serve(struct lh_mcp *m, const uint8_t *p, size_t n, size_t most)
{
	struct lh_mcp_lines l = { .max = LONGEST };
	struct lh_mcp_peer peer = { .answer = on_answer };
	const uint8_t *at = p;
	struct lh_str line;
	int got;

	while (feed(&l, &at, p + n, most)) {
		while ((got = lh_mcp_lines_next(&l, &line)))
			if (got > 0)
				requests += lh_mcp_take(m, &peer, line);
		lh_mcp_tick(m);
	}
	if (n % 7 == 3)
		lh_mcp_leave(m, &peer);
	while (peer.calls) {
		must(lh_loop_wait(&loop, 50, &err) == 0);
		lh_mcp_tick(m);
	}
	must(!peer.first);
	lh_mcp_lines_free(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct lh_mcp *m;
	static struct lh_buf whole, pieces;
	size_t most = n ? 1 + data[0] % 64 : 1;

	if (!n || n > 65536)
		return 0;
	if (!m)
		m = server();
	data++, n--;
	collect(data, n, n + 1, &whole);
	collect(data, n, most, &pieces);
	must(whole.len == pieces.len && (!whole.len || !memcmp(whole.p, pieces.p, whole.len)));
	answers = requests = 0;
	serve(m, data, n, most);
	must(answers <= requests);
	must(answers == requests || n % 7 == 3 || memmem(data, n, "notifications", 13) ||
	     memchr(data, '\\', n));
	return 0;
}
