/* console.c - the page for people, compiled in.  See serve.h. */
#include "serve.h"

static const char html[] =
#include "tools/lh-serve/console/console.html.inc"
	;
static const char css[] =
#include "tools/lh-serve/console/console.css.inc"
	;
static const char js[] =
#include "tools/lh-serve/console/console.js.inc"
	;

const struct console_file console_files[] = {
	{ "/", "text/html; charset=utf-8", html, sizeof html - 1 },
	{ "/console.css", "text/css; charset=utf-8", css, sizeof css - 1 },
	{ "/console.js", "text/javascript; charset=utf-8", js, sizeof js - 1 },
	{ 0 },
};

const char console_policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
	"img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
