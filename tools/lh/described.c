/* described.c - run a tool with --describe-options.  See described.h. */
#include "described.h"

#include "json/bind.h"
#include "list.h"

#define SLOT_LINES(s, at) \
	{ LH_BIND_STRING("value", s, at value) }, \
	{ LH_BIND_BOOL("repeatable", s, at repeatable) }, \
	{ LH_BIND_STRINGS("files", s, at files, at n_files) }, \
	{ LH_BIND_STRINGS("choices", s, at choices, at n_choices) }

static const struct lh_bind slot_members[] = {
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
	SLOT_LINES(struct option, slot.),
	{ LH_BIND_STRINGS("commands", struct option, commands, n_commands) },
	LH_BIND_END
};

static const struct lh_bind tool_members[] = {
	{ LH_BIND_TABLES("commands", struct described, commands, n_commands, command_members) },
	{ LH_BIND_TABLES("operands", struct described, operands, n_operands, slot_members) },
	{ LH_BIND_TABLES("options", struct described, options, n_options, option_members),
	  .required = true },
	LH_BIND_END
};

int described_read(struct described *d, const char *name, struct lh_err *err)
{
	*d = (struct described){ .n_options = 0 };
	if (list_run(name, "--describe-options", &d->line, err) < 0 ||
	    lh_record_parse(&d->record, d->line.p ? d->line.p : "", d->line.len, err) < 0)
		return -1;
	return lh_bind(tool_members, &d->record, d, &d->text, err);
}

void described_free(struct described *d)
{
	lh_record_free(&d->record);
	lh_buf_free(&d->line);
	lh_buf_free(&d->text);
}
