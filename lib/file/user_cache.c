/* user_cache.c - where the caches of this user are.  See file.h. */
#include "file.h"

#include <stdlib.h>

bool lh_user_cache(struct lh_buf *path)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	bool own = cache && *cache == '/';

	if (!own && (!home || *home != '/'))
		return false;
	lh_buf_puts(path, own ? cache : home);
	lh_buf_puts(path, own ? "/lakehouse-tools" : "/.cache/lakehouse-tools");
	return true;
}
