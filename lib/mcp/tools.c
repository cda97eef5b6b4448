/* tools.c - the tools that are built in.  See mcp_tool.h. */
#include "mcp_tool.h"

const struct lh_mcp_tool lh_mcp_tools[] = {
	{ .name = "relevance", .title = "Score chunks for a file",
	  .description = "Score chunks of text by how relevant they are for a file.",
	  .input = LH_JSON({"type":"object","properties":{"focus":{"type":"object"},
			    "chunks":{"type":"array"}},"required":["focus","chunks"]}),
	  .route = "POST /v1/matrix/relevance", .idempotent = true },
	{ .name = "list_datasets", .title = "The datasets",
	  .description = "List the datasets of the catalog.",
	  .input = LH_JSON({"type":"object","properties":{}}),
	  .route = "GET /v1/catalog/list", .idempotent = true },
};
const size_t lh_mcp_tools_n = sizeof lh_mcp_tools / sizeof *lh_mcp_tools;
