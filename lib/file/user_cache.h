/* user_cache - where the caches of this user are. */
#ifndef LH_USER_CACHE_H
#define LH_USER_CACHE_H

#include <lh/buf.h>

/* Append ($XDG_CACHE_HOME or ~/.cache)/lakehouse-tools; false if neither XDG_CACHE_HOME nor
 * HOME is an absolute path. */
bool lh_user_cache(struct lh_buf *path);

#endif
