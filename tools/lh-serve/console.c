/* console.c - the files of the console, compiled in.  See serve.h. */
#include "serve.h"

const char console_policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
	"img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const struct console_file console_files[] = { { NULL, NULL, NULL, 0 } };
