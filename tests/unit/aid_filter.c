/*
 * aid_filter - a program for the tests of the frame: the smallest filter.  It adds
 * "seen":true, refuses records with "refuse", and has options for the other paths
 * through the flow.
 */
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "file/file.h"
#include "tool/op.h"

struct settings {
	bool batch, sink, identity, keep;
	uint64_t batch_max, sleep_ms, repeat;
	double real;
	int colour;
	const char *begun, *into;
	struct lh_list words;
	struct lh_tool *tool;
	struct lh_atomic file;
};

static const struct lh_option options[] = {
	{ 0, "batch", NULL, "map in batches", LH_FLAG(struct settings, batch) },
	{ 'b', "batch-max", "N", "records per batch (default 4)",
	  LH_UINT(struct settings, batch_max, 1, 1000) },
	{ 0, "sink", NULL, "write by a sink", LH_FLAG(struct settings, sink) },
	{ 0, "identity", NULL, "add nothing", LH_FLAG(struct settings, identity) },
	{ 0, "keep", NULL, "outlive a closed stdout", LH_FLAG(struct settings, keep) },
	{ 0, "sleep", "MS", "wait so long over a record that holds \"slow\"",
	  LH_UINT(struct settings, sleep_ms, 0, 600000) },
	{ 0, "begun", "FILE", "make FILE before that wait", LH_TEXT(struct settings, begun) },
	{ 0, "repeat", "N", "write the record's line N times in it",
	  LH_UINT(struct settings, repeat, 0, 1000000) },
	{ 0, "real", "X", "a number", LH_REAL(struct settings, real, 0, 10, .env = "LH_AID_REAL") },
	{ 0, "colour", "red|green", "one of two", LH_CHOICE(struct settings, colour) },
	{ 0, "into", "FILE", "replace FILE by the output", LH_TEXT(struct settings, into) },
	{ 'w', "word", "TEXT", "a word (repeatable)", LH_TEXTS(struct settings, words) },
	LH_NOW_OPTION, LH_JOBS_OPTION, LH_INPUT_OPTIONS, LH_COMMON_OPTIONS, LH_OPTION_END
};

static int add(struct settings *s, struct lh_record *rec, struct lh_buf *out, struct lh_err *err)
{
	uint64_t i;

	if (lh_record_get(rec, "refuse"))
		return lh_err_set(err, LH_EDATA, "field \"refuse\" is not wanted");
	if (lh_record_get(rec, "fatal"))
		return lh_err_set(err, LH_ENET, "http://127.0.0.1:9: gone");
	if (lh_record_get(rec, "slow")) {
		struct timespec left = { (time_t)(s->sleep_ms / 1000),
					 (long)(s->sleep_ms % 1000) * 1000000 };

		if (s->begun)
			close(open(s->begun, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		while (nanosleep(&left, &left) < 0)
			;	/* a signal does not end the wait */
	}
	if (s->identity) {
		lh_buf_add(out, rec->line, rec->len);
		return 0;
	}
	lh_record_open(out, rec, (const char *[]){ "seen" }, 1);
	lh_buf_puts(out, "\"seen\":true");
	for (i = 0; i < s->repeat; i++)
		lh_buf_printf(out, ",\"again%llu\":0", (unsigned long long)i);
	lh_buf_putc(out, '}');
	return 0;
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err)
{
	return add(worker, rec, out, err);
}

static int on_batch(struct lh_batch *b, void *worker, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < b->n; i++) {
		if (add(worker, b->rec[i], b->out, err) == 0)
			lh_batch_accept(b);
		else if (err->code == LH_EDATA)
			lh_batch_reject(b, err);
		else
			return -1;
	}
	return 0;
}

static int to_sink(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	struct settings *s = ctx;

	if (o->line % 7 == 0)
		return lh_err_set(err, LH_EDATA, "line number divides by seven");
	if (s->into)
		return lh_write_all(s->file.fd, o->text, o->n, err) < 0 ||
			lh_write_all(s->file.fd, "\n", 1, err) < 0 ? -1 : 0;
	return lh_tool_out(s->tool, o->text, o->n) < 0 || lh_tool_out(s->tool, "\n", 1) < 0 ? -1
		: 0;
}

static int run(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct lh_flow flow = { .map = s->batch ? NULL : on_record,
				.batch = s->batch ? on_batch : NULL,
				.batch_max = s->batch_max,
				.sink = s->sink || s->into ? to_sink : NULL, .shared = s };
	int rc;

	s->tool = tool;
	if (s->keep)
		lh_tool_ignore_sigpipe(tool);
	if (s->into && lh_atomic_open(&s->file, s->into, 0666, &tool->err) < 0)
		return -1;
	rc = lh_records_run(tool, &flow);
	if (!rc && s->into)
		rc = lh_atomic_commit(&s->file, &tool->err);
	lh_atomic_close(&s->file);
	return rc;
}

int main(int argc, char **argv)
{
	struct settings s = { .batch_max = 4 };
	static const struct lh_op ops[] = { { "", .in = lh_op_any, .command = run }, LH_OP_END };
	static const struct lh_tool_spec spec = {
		.name = "aid-filter",
		.synopsis = "[OPTION]... [FILE]...",
		.summary = "adds \"seen\":true to every record",
		.options = options,
		.ops = ops,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
