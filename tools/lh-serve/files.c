/* files.c - files of records as the state of a server that ends with it.  See serve.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/archive.h"
#include "base/mem.h"
#include "base/signal.h"
#include "file/file.h"
#include "filesearch/filesearch.h"
#include "index/index_tools.h"
#include "serve.h"

/* Return the path of an index for a file, to be freed: its name without ending, in characters that
 * a name may have, and a number where that is taken. */
static char *index_for(const char *folder, const char *file, size_t number)
{
	LH_SCOPED(lh_free_local) char *copy = lh_strndup(file, strlen(file));
	struct lh_buf b = { 0 };
	size_t n = strlen(copy), i;
	const char *name, *dot;
	char *path;

	while (n > 1 && copy[n - 1] == '/')
		copy[--n] = '\0';
	name = strrchr(copy, '/') ? strrchr(copy, '/') + 1 : copy;
	n = lh_archive_stem(name);
	dot = memrchr(name, '.', n);
	n = dot && dot > name ? (size_t)(dot - name) : n;
	n = n < LH_INDEX_NAME_MAX / 2 ? n : LH_INDEX_NAME_MAX / 2;
	for (i = 0; i < n; i++)
		lh_buf_putc(&b, lh_index_name_valid((struct lh_str){ name + i, 1 }) ||
					(i && name[i] == '.') ? name[i] : '_');
	if (!b.len || !strcmp(file, "-"))
		lh_buf_puts(&b, "records");
	path = lh_index_folder_path(folder, (struct lh_str){ b.p, b.len });
	if (lh_index_is_file(path)) {
		free(path);
		lh_buf_printf(&b, "-%zu", number + 1);
		path = lh_index_folder_path(folder, (struct lh_str){ b.p, b.len });
	}
	lh_buf_free(&b);
	return path;
}

static int add_file(struct lh_tool *tool, const char *folder, const char *file, size_t number)
{
	LH_SCOPED(lh_free_local) char *index = index_for(folder, file, number);
	const struct lh_filesearch_how how = { .index = index, .quiet = tool->quiet,
					       .progress = tool->progress != LH_PROGRESS_NEVER };
	struct lh_filesearch f;
	int rc = 0;

	if (!lh_filesearch_is(file))
		return lh_tool_usage(tool, "%s is not a file of records; --state names a folder of "
				     "indexes", file);
	rc = lh_filesearch_open(&f, file, &how, &tool->err);
	if (!rc)
		lh_tool_message(tool, "%s: %s", file, f.said.p);
	if (!rc && f.warning.len)
		lh_tool_message(tool, "%s: %s", file, f.warning.p);
	if (!rc && f.rejected)
		lh_tool_verdict_bad(tool);
	lh_filesearch_close(&f);
	return rc;
}

int files_open(struct files *f, struct lh_tool *tool, struct settings *set)
{
	LH_SCOPED(lh_buf_free) struct lh_buf folder = { 0 };
	size_t i;
	int rc;

	*f = (struct files){ .dir = { NULL, -1 }, .was = lh_signal_deferred() };
	if (!tool->n_operands)
		return 0;
	lh_signal_defer(true);
	if (lh_tmpdir_make(&f->dir, "lh-serve-files", &tool->err) < 0)
		return -1;
	lh_buf_printf(&folder, "%s/index%c", f->dir.path, '\0');
	rc = mkdir(folder.p, 0700) < 0 ? lh_err_sys(&tool->err, "%s", folder.p) : 0;
	for (i = 0; !rc && i < tool->n_operands; i++)
		rc = add_file(tool, folder.p, tool->operands[i], i);
	set->state = f->dir.path;
	return rc;
}

void files_close(struct files *f)
{
	lh_tmpdir_remove(&f->dir, &(struct lh_err){ 0 });
	lh_signal_defer(f->was);
}

int files_check(struct lh_tool *tool, const struct settings *set)
{
	const char *key = getenv("LH_SUBJECT_AUDIT_KEY");

	if (tool->n_operands && (set->state || set->config))
		return lh_tool_usage(tool, "a file has a state of its own: without %s",
				     set->state ? "--state" : "--config");
	if (tool->n_operands && key && *key && !set->audit.log)
		return lh_tool_usage(tool, "LH_SUBJECT_AUDIT_KEY is set: --audit-log names a "
				     "folder for the rows of who looked, which outlast the state "
				     "of a file");
	if (tool->n_operands || set->state || set->config || set->listen.n || set->check ||
	    set->print_config)
		return 0;
	lh_tool_warn(tool, "there are three ways to serve:");
	lh_tool_warn(tool, "lh serve people.csv          files of records, for as long as it runs");
	lh_tool_warn(tool, "lh serve --state DIR         the indexes, playbooks and logs in DIR");
	lh_tool_warn(tool, "lh serve --config FILE       routes and settings of a file");
	return lh_tool_usage(tool, "missing operand FILE, or --state or --config");
}
