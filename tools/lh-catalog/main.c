/* lh-catalog: which datasets there are.  See lh-catalog(1). */
#include "catalog.h"

static const struct lh_option options[] = {
	{ 0, "catalog", "DIR", "the folder of manifests (or LH_CATALOG)",
	  LH_TEXT(struct settings, catalog, .env = "LH_CATALOG") },
	{ 0, "store", "STORE", "verify: where the objects are; requests: the only one allowed",
	  LH_TEXT(struct settings, store, .verbs = V_REQUESTS | V_VERIFY) },
	LH_ALLOW_EMPTY_OPTION(V_VERIFY),
	LH_LOCK_OPTION(V_REGISTER | V_REMOVE | V_REQUESTS),
	LH_NOW_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static int check(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;

	if (!s->catalog || !*s->catalog)
		return lh_tool_usage(tool, "--catalog DIR is missing");
	if (tool->verb->bit & V_VERIFY && (!s->store || !*s->store))
		return lh_tool_usage(tool, "--store STORE is missing");
	return 0;
}

static int free_settings(struct lh_tool *tool, void *settings, int rc)
{
	(void)tool;
	lh_catalog_dataset_free(&((struct settings *)settings)->m);
	return rc;
}

int main(int argc, char **argv)
{
	struct settings s = { NULL };
	static const struct lh_tool_spec spec = {
		.name = "lh-catalog",
		.synopsis = "COMMAND [OPTION]... --catalog DIR [OPERAND]...",
		.summary = "keep a catalog of datasets: a manifest for each",
		.example = "lh-catalog get --catalog lake tickets | jq -r '.objects[].key'",
		.options = options,
		.check = check,
		.close = free_settings,
		.ops = catalog_ops,
		.what = "catalog",
	};

	return lh_op_main(&spec, argc, argv, &s);
}
