/* lh.h - the commands of lh itself, each in a file of its own. */
#ifndef LH_LH_H
#define LH_LH_H

#include "tool/tool.h"
#include <lh/buf.h>

enum {
	V_LIST = 1,
	V_HELP = 2,
	V_VERSION = 4,
	V_DOCTOR = 8,
	V_COMPLETION = 16,
	V_COMPLETE = 32,
};

struct settings {
	bool all, json;
	const char *word;	/* of help -k */
};

/* A page of the manual as text, which ends with a 0. */
struct help_page {
	const char *name;
	struct lh_buf text;
	double score;
};

/* Find the pages that have a word, those first that are about it.  Returns their number; *found is
 * freed by help_free. */
size_t help_find(const char *word, struct help_page **found);
void help_free(struct help_page *page, size_t n);

/* The commands: each takes a struct settings, and returns 0, or -1 with t->err filled. */
int list_command(struct lh_tool *t, void *settings);
int help_command(struct lh_tool *t, void *settings);
int complete_command(struct lh_tool *t, void *settings);
int completion_command(struct lh_tool *t, void *settings);
int version_command(struct lh_tool *t, void *settings);
int doctor_command(struct lh_tool *t, void *settings);

#endif
