/* resources.c - resources: what can be read by its URI.  See mcp_tool.h. */
#include "mcp_tool.h"

int lh_mcp_resources_list(struct lh_mcp_page *p, struct lh_err *err)
{
	if (p->cursor.p)
		return lh_err_set(err, LH_EDATA, "unknown cursor");
	return 0;
}

int lh_mcp_templates_list(struct lh_mcp_page *p, struct lh_err *err)
{
	return lh_mcp_resources_list(p, err);
}

int lh_mcp_resource_open(struct lh_mcp_resource *r, const char *state, struct lh_str uri,
			 struct lh_err *err)
{
	(void)r;
	(void)state;
	return lh_err_data(err, 404, "there is no resource %.*s", (int)(uri.n > 200 ? 200 : uri.n),
			   uri.p);
}
