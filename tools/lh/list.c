/* list.c - the tools by family, and what each says of itself.  See lh.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file/file.h"
#include "json/bind.h"
#include "lh.h"
#include "proc/coproc.h"

/* ---- families ---- */

#define OUTPUT_STEP 65536
#define MEMBERS_MAX 9

static const struct family {
	const char *name, *members[MEMBERS_MAX];
} families[] = {
	{ "search", { "lh-embed", "lh-index", "lh-search", "lh-rerank", "lh-merge",
		      "lh-playbook", "lh-pathway", "lh-relevance" } },
	{ "validate", { "lh-extract-json", "lh-validate", "lh-chat", "lh-iterate" } },
	{ "audit", { "lh-subject-audit", "lh-subject", "lh-audit-full", "lh-tlog" } },
	{ "distill", { "lh-materialize", "lh-score", "lh-export", "lh-distill",
		       "lh-replay", "lh-trace" } },
	{ "lake", { "lh-ingest", "lh-catalog", "lh-store", "lh-query" } },
	{ "agents", { "lh-observe" } },
	{ "measure", { "lh-gen", "lh-judge", "lh-lift", "lh-parity" } },
	{ "serve", { "lh-serve", "lh-mcp", "lh-load" } },
	{ "general", { "lh-cat", "lh-show" } },
	{ "other", { NULL } },		/* all that are left */
};

/* Those that a newcomer meets first. */
static const char *const starters[] = { "lh-ingest", "lh-index", "lh-search", "lh-show",
					"lh-query", "lh-validate", "lh-serve", NULL };

const struct page list_pages[] = {
#include "share/pages.inc"
	{ NULL, NULL },
};

const struct page *list_page(const char *name)
{
	const struct page *p;

	for (p = list_pages; p->name; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

const char *list_name(size_t i)
{
	size_t f, m;

	for (f = 0; f < sizeof families / sizeof *families; f++)
		for (m = 0; m < MEMBERS_MAX && families[f].members[m]; m++)
			if (!i--)
				return families[f].members[m];
	return NULL;
}

int list_folder(char *to, size_t n, struct lh_err *err)
{
	char *slash;

	lh_coproc_find("lh", to, n);
	slash = strrchr(to, '/');
	if (!slash)
		return lh_err_set(err, LH_EIO, "cannot tell where the tools are");
	*slash = '\0';
	return 0;
}

/* Append what a tool writes to stdout when it is run with one option.  0, or -1 with *err
 * filled. */
static int list_run(const char *name, const char *option, struct lh_buf *out, struct lh_err *err)
{
	char *argv[] = { (char *)name, (char *)option, NULL };
	int ends[2], rc = 0;
	ssize_t got = 1;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return lh_err_sys(err, "pipe");
	pid = lh_coproc_spawn(
		&(struct lh_spawn){ .argv = argv, .fd = (int[]){ -1, ends[1] }, .n_fd = 2 }, err);
	close(ends[1]);
	while (pid > 0 && got > 0 && out->len < LIST_OUTPUT_MAX) {
		char *to = lh_buf_room(out, OUTPUT_STEP);

		got = to ? lh_read_some(ends[0], to, OUTPUT_STEP, err) : 0;
		if (got > 0)
			lh_buf_took(out, (size_t)got);
	}
	close(ends[0]);
	if (pid < 0)
		return -1;
	while (waitpid(pid, &rc, 0) < 0 && errno == EINTR)
		;
	return 0;
}

/* What the tool says in its --help that it does. */
static int summary(const char *name, char *to, size_t n, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc = list_run(name, "--help", &text, err);

	lh_buf_putc(&text, '\0');
	if (!rc) {
		/* Copy the line after the usage, whose own lines are indented except for
		 * the first. */
		const char *line = text.p;

		do
			line = strchr(line, '\n');
		while (line && *++line == ' ');
		snprintf(to, n, "%.*s", line ? (int)strcspn(line, "\n") : 0, line ? line : "");
	}
	return rc;
}

/* The tools in the folder, less those that were printed. */
struct found {
	struct dirent **entries;
	int n;
};

static int is_tool(const struct dirent *e)
{
	return strncmp(e->d_name, "lh-", 3) == 0 && !strchr(e->d_name, '.');
}

int list_names(struct dirent ***entries, struct lh_err *err)
{
	char folder[LIST_PATH_ROOM];
	int n;

	if (list_folder(folder, sizeof folder, err) < 0)
		return -1;
	n = scandir(folder, entries, is_tool, alphasort);
	return n < 0 ? lh_err_sys(err, "%s", folder) : n;
}

/* Take a tool by its name, or with NULL the first that is left; NULL if there is none. */
static struct dirent *take(struct found *f, const char *name)
{
	struct dirent *e;
	int i;

	for (i = 0; i < f->n; i++) {
		e = f->entries[i];
		if (!e || (name && strcmp(e->d_name, name) != 0))
			continue;
		f->entries[i] = NULL;
		return e;
	}
	return NULL;
}

/* Take the next tool of a family, whose members before *m were taken. */
static struct dirent *take_of(struct found *f, const struct family *family, size_t *m)
{
	struct dirent *e = NULL;

	if (!family->members[0])
		return take(f, NULL);
	while (!e && *m < MEMBERS_MAX && family->members[*m])
		e = take(f, family->members[(*m)++]);
	return e;
}

static int put_heading(struct lh_tool *t, const char *heading)
{
	struct lh_buf line = { 0 };

	lh_term_put(&line, lh_term_colored(STDOUT_FILENO, t->color), LH_STYLE_HEADING, heading,
		    strlen(heading));
	return lh_tool_out_line(t, &line);
}

static int put_tool(struct lh_tool *t, int width, const char *name, const char *what)
{
	struct lh_buf line = { 0 };

	lh_buf_printf(&line, "  %-*.255s  %s", width, name, what);
	return lh_tool_out_line(t, &line);
}

/* Print the tools of a family, each with what it says that it does. */
static int put_family(struct lh_tool *t, struct found *f, const struct family *family)
{
	struct dirent *e;
	char what[256];
	size_t m = 0, n = 0;
	int rc = 0;

	while (!rc && (e = take_of(f, family, &m))) {
		rc = summary(e->d_name, what, sizeof what, &t->err);
		if (!rc && !n++)
			rc = put_heading(t, family->name);
		if (!rc)
			rc = put_tool(t, 16, e->d_name, what);
		free(e);
	}
	return rc;
}

/* Print a family as one line: its name, and its tools as "lh NAME" takes them. */
static int put_names(struct lh_tool *t, struct found *f, const struct family *family)
{
	LH_SCOPED(lh_buf_free) struct lh_buf names = { 0 };
	struct dirent *e;
	size_t m = 0;
	int rc = 0;

	while ((e = take_of(f, family, &m))) {
		lh_buf_printf(&names, "%s%.255s", names.len ? " " : "", e->d_name + 3);
		free(e);
	}
	lh_buf_putc(&names, '\0');
	if (names.len > 1)
		rc = put_tool(t, 11, family->name, names.p);
	return rc;
}

static int put_start(struct lh_tool *t, const struct found *f)
{
	int i, s, rc = put_heading(t, "start here");

	for (s = 0; !rc && starters[s]; s++)
		for (i = 0; !rc && i < f->n; i++)
			if (strcmp(f->entries[i]->d_name, starters[s]) == 0)
				rc = put_tool(t, 11, starters[s], list_page(starters[s])->about);
	if (!rc)
		rc = put_tool(t, 11, t->name, t->summary);
	return rc ? rc : put_heading(t, "families (lh --all says what each tool does)");
}

int list_command(struct lh_tool *t, void *settings)
{
	const struct settings *s = settings;
	struct found f;
	struct dirent *e;
	size_t i;
	int rc;

	f.n = list_names(&f.entries, &t->err);
	if (f.n < 0)
		return -1;
	rc = s->all ? 0 : put_start(t, &f);
	for (i = 0; !rc && i < sizeof families / sizeof *families; i++)
		rc = s->all ? put_family(t, &f, &families[i]) : put_names(t, &f, &families[i]);
	while ((e = take(&f, NULL)))
		free(e);
	free(f.entries);
	return rc;
}

/* ---- what a tool says of itself ---- */

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
