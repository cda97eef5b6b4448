/* mcp_tools.c - tools of a file.  See mcp_tool.h. */
#include "mcp_tool.h"

#include <stdlib.h>

int lh_mcp_tools_read(struct lh_mcp_tools *t, const char *path, struct lh_err *err)
{
	(void)t;
	return lh_err_set(err, LH_EUSAGE, "%s: tools of a file are not read yet", path);
}

void lh_mcp_tools_free(struct lh_mcp_tools *t)
{
	free(t->v);
}
