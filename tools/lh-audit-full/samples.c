/* samples.c - the files of share/fixtures/schemas. */
#include "samples.h"

#include <stddef.h>

const struct sample samples[] = {
#include "share/fixtures/schemas.inc"
	{ NULL, NULL, NULL }
};
