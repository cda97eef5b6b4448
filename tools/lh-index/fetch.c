/* fetch.c - lh-index fetch: copy an index from S3 into the cache. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "index.h"
#include "store/cache.h"

#define CACHE_SIZE ((uint64_t)10 << 30)

/* The folder of the cache: LH_CACHE, or below the user's cache folder. */
static int cache_folder(char *to, struct lh_err *err)
{
	const char *own = getenv("LH_CACHE"), *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	if (own && *own)
		snprintf(to, PATH_MAX, "%s", own);
	else if (cache && *cache == '/')
		snprintf(to, PATH_MAX, "%s/lakehouse-tools/objects", cache);
	else if (home && *home == '/')
		snprintf(to, PATH_MAX, "%s/.cache/lakehouse-tools/objects", home);
	else
		return lh_err_set(err, LH_EIO, "neither LH_CACHE nor XDG_CACHE_HOME nor HOME says "
				  "where the cache is");
	return 0;
}

/* Read LH_CACHE_SIZE, a number of bytes with K, M or G. */
static int cache_size(uint64_t *size, struct lh_err *err)
{
	static const char units[] = "KMG";
	const char *v = getenv("LH_CACHE_SIZE"), *unit = NULL;
	char *end;

	*size = CACHE_SIZE;
	if (!v || !*v)
		return 0;
	*size = strtoull(v, &end, 10);
	if (*v >= '0' && *v <= '9' && *end)
		unit = strchr(units, *end++);
	if (*v < '0' || *v > '9' || *end || (end[-1] > '9' && !unit) ||
	    *size > (unit ? (uint64_t)1 << 30 : INT64_MAX))
		return lh_err_set(err, LH_EUSAGE, "LH_CACHE_SIZE: \"%s\" is not a size, such as "
				  "500M or 10G", v);
	if (unit)
		*size <<= 10 * (unit - units + 1);
	return 0;
}

int index_fetch(struct lh_tool *tool, void *settings)
{
	struct lh_buf path = { 0 };
	char folder[PATH_MAX];
	struct lh_cache cache = { .folder = folder };
	int rc = cache_folder(folder, &tool->err);

	(void)settings;
	if (!rc)
		rc = cache_size(&cache.max, &tool->err);
	if (!rc)
		rc = lh_cache_fetch(&cache, tool->operands[0], "-log", NULL, &path, &tool->err);
	if (!rc) {
		path.p[path.len - 1] = '\n';
		rc = lh_tool_out(tool, path.p, path.len);
	}
	lh_buf_free(&path);
	return rc;
}
