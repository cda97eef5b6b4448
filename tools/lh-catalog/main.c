/* lh-catalog: which datasets there are.  See lh-catalog(1). */
#include "catalog.h"

#include <stdlib.h>

static const struct lh_option options[] = {
	{ 0, "catalog", "DIR", "the folder of manifests (or LH_CATALOG)",
	  LH_TEXT(struct settings, catalog, .env = "LH_CATALOG") },
	{ 0, "store", "STORE", "verify: where the objects are; requests: the only one allowed",
	  LH_TEXT(struct settings, store, .verbs = V_REQUESTS | V_VERIFY) },
	LH_LOCK_OPTION(V_REGISTER | V_REMOVE | V_REQUESTS),
	LH_NOW_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static const struct lh_verb verbs[] = {
	{ "register", "[FILE...]", "make or renew the manifests of records", V_REGISTER, 0,
	  catalog_register },
	{ "get", "[NAME...]", "print manifests by their names", V_GET, 0, catalog_get },
	{ "list", "", "print all manifests", V_LIST, 0, catalog_list },
	{ "remove", "[NAME...]", "remove manifests by their names", V_REMOVE, 0, catalog_remove },
	{ "verify", "[NAME...]", "compare objects with what their manifests say", V_VERIFY, 0,
	  catalog_verify },
	{ "requests", "[FILE...]", "answer requests, each with its operation in \"op\"",
	  V_REQUESTS, 0, catalog_requests },
	{ NULL, NULL, NULL, 0, 0, NULL },
};

static int check(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;

	if (!s->catalog || !*s->catalog)
		return lh_tool_usage(tool, "--catalog DIR is missing");
	if (tool->verb->bit & V_VERIFY && (!s->store || !*s->store))
		return lh_tool_usage(tool, "--store STORE is missing");
	if (tool->verb->bit & V_LIST && tool->n_operands)
		return lh_tool_unexpected(tool, 0, "list takes none");
	return 0;
}

int main(int argc, char **argv)
{
	struct settings s = { NULL };
	static const struct lh_tool_spec spec = {
		.name = "lh-catalog",
		.synopsis = "COMMAND [OPTION]... --catalog DIR [OPERAND]...",
		.summary = "keep a catalog of datasets: a manifest for each",
		.options = options,
		.verbs = verbs,
		.check = check,
	};

	return lh_tool_main(&spec, argc, argv, &s);
}
