/* shown.c - the records found as a table, by lh-show.  See search.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/signal.h"
#include "file/file.h"
#include "json/write.h"
#include "proc/coproc.h"
#include "search.h"

/* Append the members of the metadata; a value that is no object is one. */
static void put_members(struct worker *w, const struct result *f, struct lh_buf *copy,
			struct lh_value *v)
{
	struct lh_str passage = { NULL, 0 };
	struct lh_err unused;

	lh_buf_reset(copy);
	if (f->row.meta.n) {
		lh_buf_add(copy, f->row.meta.p, passage_in(w, f->row.meta, &passage));
		lh_buf_putc(copy, f->row.meta.p[f->row.meta.n - 1]);
	}
	if (passage.n) {		/* its members in place of the brace */
		copy->len--;
		lh_buf_puts(copy, copy->len > 1 ? "," : "");
		lh_buf_add(copy, passage.p + 1, passage.n - 1);
		lh_buf_putc(copy, '}');
		copy->len--;
	}
	if (!f->row.meta.n || memchr(copy->p, '\n', copy->len) ||
	    lh_json_parse(&w->scan, copy->p, copy->len, v, &unused) < 0)
		v->type = LH_NULL;
}

void print_shown(struct worker *w, struct lh_buf *out)
{
	LH_SCOPED(lh_buf_free) struct lh_buf copy = { 0 };
	struct lh_value v = { 0 }, has;
	struct lh_writer to;
	size_t i;

	for (i = 0; i < w->n_found; i++) {
		const struct result *f = &w->found[i];

		put_members(w, f, &copy, &v);
		to = lh_write_to(out);
		lh_write_object(&to, NULL);
		if (w->n_chosen > 1)
			lh_write_text(&to, "corpus", f->seat->name->text);
		if (!v.type || (w->run->set->shown_id &&
				(v.type != LH_OBJECT || !lh_value_get(&v, "id", &has))))
			lh_write_str(&to, "id", f->row.id);
		if (v.type == LH_OBJECT && v.n > 2)
			lh_write_raw(&to, NULL, (struct lh_str){ v.p + 1, v.n - 2 });
		else if (v.type && v.type != LH_OBJECT)
			lh_write_value(&to, "value", &v);
		lh_write_end(&to);
		lh_buf_putc(out, '\n');
	}
}

/* Start lh-show with lines as its stdin. */
static pid_t start(struct lh_tool *tool, const struct lh_buf *lines, const char *text)
{
	static char *const colors[] = { "auto", "always", "never" };
	char *argv[] = { (char *)"lh-show", (char *)"--color", colors[tool->color],
			 (char *)"--mark", (char *)text, NULL };
	int in = memfd_create("found", MFD_CLOEXEC);
	pid_t pid = -1;

	if (in < 0)
		return lh_err_sys(&tool->err, "memfd_create");
	if (lh_write_all(in, lines->p, lines->len, &tool->err) == 0 &&
	    lseek(in, 0, SEEK_SET) == 0)
		pid = lh_coproc_spawn(&(struct lh_spawn){ .argv = argv, .fd = &in, .n_fd = 1 },
				      &tool->err);
	close(in);
	return pid;
}

int show(struct lh_tool *tool, const struct lh_buf *lines, const char *text)
{
	const bool was = lh_signal_deferred();
	int status = 0;
	pid_t pid;

	if (!lines->len) {
		lh_tool_message(tool, "nothing was found");
		return 0;
	}
	lh_signal_defer(true);		/* a pager takes them */
	pid = start(tool, lines, text);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	lh_signal_defer(was);
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) < 2)
		return pid < 0 ? -1 : 0;
	return lh_err_set(&tool->err, LH_EIO, "lh-show failed");
}
