/*
 * fuzz_observe - any bytes as a log of lh-observe; the first byte decides how long a line may be.
 *
 * Forwards and backwards a log has the same lines, the bytes between its line ends; one that is
 * longer is there without its text.  A row that is read has a source, an endpoint and a duration
 * that may be unknown; printed as an operation and read again, it is the same.
 */
#include "fuzz.h"

#include "base/num.h"
#include "observe/observe.h"

static struct lh_err err;
static struct lh_record rec, rec_again;
static struct lh_buf text, text_again, printed;

static bool same(struct lh_str a, struct lh_str b)
{
	return lh_str_cmp(a, b) == 0;
}

static void check_row(const struct lh_log_line *line)
{
	struct lh_observed o, again;
	char ms[LH_F64_MAX];

	if (lh_record_parse(&rec, line->p, line->n, &err) < 0 ||
	    lh_observe_read(&rec, &o, &text, &err) < 0) {
		must(err.code == LH_EDATA);
		return;
	}
	must(o.source.n && o.endpoint.n && o.duration_ms <= LH_OBSERVE_MS);
	lh_buf_reset(&printed);
	lh_observe_print(&printed, &(struct lh_observe_row){
		.timestamp = o.timestamp, .source = o.source, .endpoint = o.endpoint,
		.success = o.success, .duration_ms = { ms, o.duration_ms < 0 ? 0
			: lh_f64_print(ms, o.duration_ms) } });
	must(!printed.failed && !memchr(printed.p, '\n', printed.len));
	must(lh_record_parse(&rec_again, printed.p, printed.len, &err) == 0);
	must(lh_observe_read(&rec_again, &again, &text_again, &err) == 0);
	must(again.kind == LH_OBSERVE_OPERATION && same(again.timestamp, o.timestamp));
	must(same(again.source, o.source) && same(again.endpoint, o.endpoint));
	must(again.success == o.success);
	must(o.duration_ms < 0 ? again.duration_ms < 0 : again.duration_ms == o.duration_ms);
}

/* Hold a line against the bytes of the log, which is n bytes long. */
static void check_line(const struct lh_log_line *line, const uint8_t *log, size_t n,
		       size_t longest)
{
	const size_t length = line->end - line->at - line->whole;

	must(line->end <= n && line->at + line->whole <= line->end);
	must(!line->at || log[line->at - 1] == '\n');
	must(line->whole ? log[line->end - 1] == '\n' : line->end == n);
	must(!memchr(log + line->at, '\n', length));
	must(!line->p == (length > longest));
	if (!line->p)
		return;
	must(line->n == length && !memcmp(line->p, log + line->at, length));
	check_row(line);
}

static void check_log(int fd, const uint8_t *log, size_t n, size_t longest)
{
	struct lh_log_lines forwards, backwards;
	struct lh_log_line line;
	uint64_t at = 0, end = n;
	size_t lines = 0;
	int rc;

	lh_log_lines_open(&forwards, fd, "log", 0, longest);
	for (; (rc = lh_log_lines_next(&forwards, &line, &err)) > 0; at = line.end, lines++) {
		must(line.at == at && line.whole);
		check_line(&line, log, n, longest);
	}
	must(rc == 0 && forwards.at == at);
	lh_log_lines_open(&backwards, fd, "log", n, longest);
	for (; (rc = lh_log_lines_before(&backwards, &line, &err)) > 0; end = line.at) {
		must(line.end == end);
		check_line(&line, log, n, longest);
		lines -= line.whole;
		must(line.whole || line.at == at);
	}
	must(rc == 0 && end == 0 && lines == 0);
	lh_log_lines_close(&forwards);
	lh_log_lines_close(&backwards);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static int fd = -1;

	if (fd < 0)
		fd = fuzz_nameless();
	if (!n)
		return 0;
	fuzz_fill(fd, data + 1, n - 1);
	check_log(fd, data + 1, n - 1, *data ? *data * (size_t)8 : 1 << 20);
	return 0;
}
