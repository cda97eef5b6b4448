/* described.c - run the tools with --describe-options.  See described.h. */
#include "described.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "json/bind.h"
#include "list.h"

#define SLOT_LINES(s, at) \
	{ LH_BIND_STRING("value", s, at value) }, \
	{ LH_BIND_BOOL("repeatable", s, at repeatable) }, \
	{ LH_BIND_STRINGS("files", s, at files, at n_files) }, \
	{ LH_BIND_STRINGS("choices", s, at choices, at n_choices) }

static const struct lh_bind slot_members[] = {
	{ LH_BIND_STRING("name", struct slot, name), .required = true },
	SLOT_LINES(struct slot, ),
	LH_BIND_END
};

static const struct lh_bind command_members[] = {
	{ LH_BIND_STRING("name", struct command, name), .required = true },
	{ LH_BIND_STRING("help", struct command, help), .required = true },
	{ LH_BIND_TABLES("operands", struct command, operands, n_operands, slot_members) },
	LH_BIND_END
};

static const struct lh_bind option_members[] = {
	{ LH_BIND_STRING("short", struct option, key) },
	{ LH_BIND_STRING("long", struct option, name) },
	{ LH_BIND_STRING("type", struct option, type), .required = true },
	{ LH_BIND_STRING("help", struct option, help), .required = true },
	{ LH_BIND_STRING("argument", struct option, slot.name) },
	SLOT_LINES(struct option, slot.),
	{ LH_BIND_STRINGS("commands", struct option, commands, n_commands) },
	LH_BIND_END
};

static const struct lh_bind tool_members[] = {
	{ LH_BIND_STRING("tool", struct described, tool), .required = true },
	{ LH_BIND_STRING("summary", struct described, summary), .required = true },
	{ LH_BIND_TABLES("commands", struct described, commands, n_commands, command_members) },
	{ LH_BIND_TABLES("operands", struct described, operands, n_operands, slot_members) },
	{ LH_BIND_TABLES("options", struct described, options, n_options, option_members),
	  .required = true },
	LH_BIND_END
};

/* Read one tool into an element that is zero.  Returns 1, 0 if it does not say what it has,
 * or -1. */
static int read_one(struct described *d, const char *name, struct lh_err *err)
{
	struct lh_err skipped;

	lh_record_init(&d->record);
	if (list_run(name, "--describe-options", &d->line, err) < 0)
		return -1;
	if (lh_record_parse(&d->record, d->line.p ? d->line.p : "", d->line.len, &skipped) < 0 ||
	    lh_bind(tool_members, &d->record, d, &d->text, &skipped) < 0)
		return 0;
	return lh_str_is(d->tool, name, strlen(name));
}

static void free_one(struct described *d)
{
	lh_record_free(&d->record);
	lh_buf_free(&d->line);
	lh_buf_free(&d->text);
	*d = (struct described){ .n_options = 0 };
}

int described_read(struct described **all, size_t *n, struct lh_err *err)
{
	struct dirent **entries;
	int i, found = list_names(&entries, err), rc = found < 0 ? -1 : 0;
	struct described *d = rc ? NULL : lh_calloc((size_t)found + 1, sizeof *d, err);

	*n = 0;
	*all = d;
	for (i = -1; d && rc >= 0 && i < found; i++) {
		rc = read_one(&d[*n], i < 0 ? "lh" : entries[i]->d_name, err);
		if (rc > 0)
			++*n;
		else
			free_one(&d[*n]);
	}
	for (i = 0; i < found; i++)
		free(entries[i]);
	if (found >= 0)
		free(entries);
	return d && rc >= 0 ? 0 : -1;
}

void described_free(struct described *all, size_t n)
{
	while (n)
		free_one(&all[--n]);
	free(all);
}
