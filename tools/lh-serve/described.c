/* described.c - what the filters of share/serve/routes.json print with --describe, as the
 * Makefile has asked them.  See site.h. */
#include "site.h"

const struct lh_described described[] = {
#include "share/serve/described.inc"
	{ NULL, NULL }
};
