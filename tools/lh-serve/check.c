/* check.c - lh-serve --check: try the engine of the routes that embed.  See site.h. */
#include <stdlib.h>

#include "proc/coproc.h"
#include "site.h"

#define WAIT 10.0	/* seconds for the first vector */

/* Judge the answer: a service that is down may come back, a model that it lacks does not. */
static int judge(struct lh_tool *tool, const char *route, struct lh_str said, struct lh_err *err)
{
	const struct lh_value *error;
	struct lh_record rec;
	int rc;

	lh_record_init(&rec);
	rc = lh_record_parse(&rec, said.p, said.n, err);
	error = rc ? NULL : lh_record_get(&rec, "error");
	if (error) {
		lh_coproc_refusal(error, err);
		if (err->code == LH_ENET && !strstr(err->msg, ": HTTP 404"))
			lh_tool_warn(tool, "%s: %s", route, err->msg);
		else
			rc = -1;
	}
	lh_record_free(&rec);
	return rc;
}

static int try_engine(struct lh_tool *tool, const struct lh_route *r)
{
	static const char text[] = "{\"texts\":[\"forklift operator\"]}";
	struct lh_coproc c = { .pid = 0 };
	struct lh_err *err = &tool->err, unused;
	struct lh_str said;
	int rc = lh_coproc_start(&c, r->run, lh_route_keys(lh_route_program(r)), err);

	if (rc == 0)
		rc = lh_coproc_ask(&c, text, sizeof text - 1, WAIT, &said, err);
	if (rc == 0) {
		rc = judge(tool, r->route, said, err);
	} else if (err->code == LH_ENET) {
		lh_tool_warn(tool, "%s: %s", r->route, err->msg);
		rc = 0;
	}
	lh_coproc_stop(&c, &unused);
	return rc ? lh_err_prefix(err, "%s", r->route) : 0;
}

int site_try_engine(const struct site *site, struct lh_tool *tool)
{
	size_t i;

	for (i = 0; i < site->routes.n; i++) {
		const struct lh_route *r = &site->routes.v[i];
		const char *name = r->run ? strrchr(r->run[0], '/') : NULL;

		if (!r->run || r->off || strcmp(r->route, "POST /v1/embed") != 0)
			continue;
		name = name ? name + 1 : r->run[0];
		if (!strcmp(name, "lh-embed") && try_engine(tool, r) < 0)
			return -1;
	}
	return 0;
}
