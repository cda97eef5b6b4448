/* mcp_audit.c - rows on the chains of the persons that an answer shows.  See mcp_parts.h. */
#include "mcp_parts.h"

int lh_mcp_audit(struct lh_mcp_call *c, struct lh_str shown, struct lh_err *err)
{
	(void)c;
	(void)shown;
	(void)err;
	return 0;
}

void lh_mcp_audit_free(struct lh_mcp_call *c)
{
	(void)c;
}
