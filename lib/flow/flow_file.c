/* flow_file.c - a flow without a tool around it.  See flow.h. */
#include <fcntl.h>
#include <unistd.h>

#include "file/file.h"
#include "flow_parts.h"

#define MAX_LINE (UINT64_C(256) << 20)

int lh_flow_file(const char *path, uint64_t jobs, uint64_t max_line, const struct lh_flow *flow, struct lh_err *err)
{
	struct lh_tool_state state = { .mute = true };
	struct lh_tool tool = {
		.name = "", .quiet = true, .progress = LH_PROGRESS_NEVER, .on_error = LH_ON_ERROR_STOP,
		.jobs = jobs, .max_line = max_line ? max_line : MAX_LINE, .state = &state,
	};
	char *operands[] = { (char *)path };
	struct lh_flow plain = *flow;
	int fd = lh_open_regular(path, O_RDONLY, 0, err), rc;

	if (fd < 0)
		return -1;
	state.input = &fd;
	plain.plain = true;
	plain.operands = operands;
	plain.n_operands = 1;
	lh_buf_init(&state.out, LH_BUF_NOMAX);
	rc = lh_flow_run(&tool, &plain);
	close(fd);
	if (rc < 0)
		*err = tool.err;
	lh_buf_free(&state.out);
	return rc;
}
