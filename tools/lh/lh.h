/* lh.h - the commands of lh itself, each in a file of its own. */
#ifndef LH_LH_H
#define LH_LH_H

#include <dirent.h>
#include <stddef.h>

#include "base/buf.h"
#include "json/json.h"
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

/* ---- what a tool says about itself with --describe-options ---- */

/* Owner: the texts point into the struct described, which described_free frees. */

/* What can be typed at a place: an operand, or the value of an option. */
struct slot {
	struct lh_str value;			/* its kind */
	bool repeatable;
	const struct lh_str *files, *choices;	/* patterns, and words */
	size_t n_files, n_choices;
};

struct command {
	struct lh_str name, help;
	struct slot *operands;
	size_t n_operands;
};

struct option {
	struct lh_str key, name, type, help;	/* key: the letter */
	struct slot slot;
	const struct lh_str *commands;
	size_t n_commands;
	bool given;				/* on a command line; set by its reader */
};

struct described {
	struct command *commands;
	size_t n_commands;
	struct slot *operands;			/* of a tool without commands */
	size_t n_operands;
	struct option *options;
	size_t n_options;

	struct lh_record record;		/* memory of the texts */
	struct lh_buf line, text;
};

/* Read what the tool of that name says into *d, to be freed in any case.  0, or -1 with *err
 * filled. */
int described_read(struct described *d, const char *name, struct lh_err *err);
void described_free(struct described *d);

/* ---- the lh-* tools next to this executable ---- */

/*
 *     search
 *       lh-embed          text in, vectors out
 *       ...
 *
 * Without --all it prints seven tools and lh to begin with, and each family as one line.
 * Families and their order are those of the README.  A tool of no family comes
 * last, under "other".
 */

#define LIST_PATH_ROOM 4096
#define LIST_OUTPUT_MAX (1u << 20)

/* The pages of the manual by their names, with what each is about; the last has no name. */
extern const struct page {
	const char *name, *about;
} list_pages[];

/* Find a page by its name; NULL if there is none. */
const struct page *list_page(const char *name);

/* Write the folder of this executable, without a slash at its end, to to.  0, or -1
 * with *err filled. */
int list_folder(char *to, size_t n, struct lh_err *err);

/* Return the name of tool i of all that belong to a family, from 0; NULL past the last. */
const char *list_name(size_t i);

/* Set *entries to the tools there, by name; the caller frees each and the array.  Their
 * number, or -1 with *err filled. */
int list_names(struct dirent ***entries, struct lh_err *err);

/* ---- the libraries that the tools load ---- */

#define LIBRARY_VERSION 64

struct library {
	const char *name, *file;
	const char *function;	/* returns the version */
	const char *compiled;	/* the version of its headers; NULL: they do not say */
	const char *without;	/* what does not work without it; NULL: it is optional */
};

/* All of them; the name of the last is NULL. */
extern const struct library libraries[];

#endif
