/* child.c - run another tool, or a given command.  See child.h. */
#include "child.h"

/* A tool that ran out of memory is not a finding about the root. */
static bool found_no_memory(const struct lh_child_how *how, const struct lh_child_out *out)
{
	return !how->command && out->status == 2 && strstr(out->last_line, ": out of memory");
}

int child_run(struct audit *a, enum check_id id, const struct lh_child_how *how, const void *in,
	      size_t n, struct lh_child_out *out, struct lh_err *err)
{
	const char *name = how->command ? "the command" : how->argv[0];

	if (lh_child_run(how, in, n, out, err) < 0) {
		if (!check_is_finding(err))
			return -1;
		check_note(a, id, "%s", err->msg);
		return 0;
	}
	if (found_no_memory(how, out))
		return lh_err_set(err, LH_ENOMEM, "%s: out of memory", name);
	if (out->timed_out)
		check_note(a, id, "%s took more than %g seconds", name, how->seconds);
	else if (out->status > 128)
		check_note(a, id, "%s was ended by signal %d", name, out->status - 128);
	return !out->timed_out && out->status <= 128;
}
