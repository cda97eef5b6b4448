/* lh.h - the commands of lh itself, each in a file of its own. */
#ifndef LH_LH_H
#define LH_LH_H

#include "tool/tool.h"

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
};

/* The commands: each takes a struct settings, and returns 0, or -1 with t->err filled. */
int list_command(struct lh_tool *t, void *settings);
int help_command(struct lh_tool *t, void *settings);
int complete_command(struct lh_tool *t, void *settings);
int completion_command(struct lh_tool *t, void *settings);
int version_command(struct lh_tool *t, void *settings);
int doctor_command(struct lh_tool *t, void *settings);

#endif
