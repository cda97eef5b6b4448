/* requests.c - the bodies of stdin become requests.  See load.h. */
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "load.h"
#include "tool/records.h"

struct reader {
	const struct target *target;
	struct requests *r;
};

static int copy_body(struct lh_record *rec, struct lh_buf *out, void *context, struct lh_err *err)
{
	(void)context;
	(void)err;
	lh_buf_add(out, rec->line, rec->len);
	return 0;
}

/* Append a request.  Its text may still move, so only its length is set. */
static void add_request(struct requests *r, const struct target *t, const char *method,
		       struct lh_str body)
{
	lh_grow(&r->one, &r->cap, r->n + 1, sizeof *r->one);
	r->one[r->n].n = r->text.len;
	target_request(t, method, lh_str_of(t->path), body, &r->text);
	r->one[r->n].n = r->text.len - r->one[r->n].n;
	r->n++;
}

static int add_body(const struct lh_output *o, void *shared, struct lh_err *err)
{
	struct reader *reader = shared;

	(void)err;
	add_request(reader->r, reader->target, "POST", (struct lh_str){ o->text, o->n });
	return 0;
}

int requests_read(struct lh_tool *tool, const struct target *t, struct requests *r)
{
	struct reader reader = { t, r };
	char *files[] = { "-" };
	const char *p;
	size_t i;

	tool->jobs = 1;
	tool->on_error = LH_ON_ERROR_STOP;
	if (!isatty(STDIN_FILENO) &&
	    lh_records_run(tool, &(struct lh_flow){ .files = files, .n_files = 1, .map = copy_body,
						    .sink = add_body, .shared = &reader }) < 0) {
		lh_tool_failed(tool);
		return -1;
	}
	if (!r->n)
		add_request(r, t, "GET", (struct lh_str){ NULL, 0 });
	for (p = r->text.p, i = 0; i < r->n; p += r->one[i++].n)
		r->one[i].p = p;
	return 0;
}

void requests_free(struct requests *r)
{
	if (r->text.p)
		explicit_bzero(r->text.p, r->text.cap);
	lh_buf_free(&r->text);
	free(r->one);
}
