/* arg_kind.c - what the name of an argument says about its value.  See arg_kind.h. */
#include "arg_kind.h"

#include <string.h>

#define RECORDS "*.jsonl *.ndjson *.jsonl.gz *.jsonl.zst *.jsonl.xz *.jsonl.bz2 *.jsonl.lz4 " \
	"*.tar *.tar.gz *.tar.zst *.tgz *.zip"

/* FILE of an option is any file; as an operand it has records. */
static const struct lh_arg_kind kinds[] = {
	{ "FILE", "file", NULL },
	{ "PATH", "file", NULL },
	{ "DIR", "folder", NULL },
	{ "FOLDER", "folder", NULL },
	{ "ROOT", "folder", NULL },
	{ "STORE", "folder", NULL },
	{ "FROM", "folder", NULL },
	{ "TO", "folder", NULL },
	{ "INDEX", "file", "*.lhv" },
	{ "PLAYBOOK", "file", "*.lhv" },
	{ "DEST", "file", "*.lhv" },
	{ "SRC", "file", "*.lhv" },
	{ "ROSTER", "file", "*.lhv *.jsonl" },
	{ "MODEL", "file", "*.gguf" },
	{ "TABLE", "file", "*.csv *.tsv *.csv.gz *.csv.zst *.xlsx *.parquet *.jsonl" },
	{ "LOG", "file", "*.jsonl *.log" },
	{ "IDS", "file", "*.jsonl" },
	{ "BUNDLE", "file", "*.tar.zst" },
	{ "FIXTURE", "file", RECORDS },
	{ "OPERAND", "file", RECORDS },
	{ "NAME=FILE", "file", RECORDS " *.lhv *.csv *.parquet" },
	{ "CMD", "command", NULL },
	{ "PAGE", "page", NULL },
	{ "URL", "url", NULL },
};

/* The one named, or NULL. */
static const struct lh_arg_kind *by_name(const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strlen(kinds[i].name) == n && memcmp(kinds[i].name, name, n) == 0)
			return &kinds[i];
	return NULL;
}

/* The kind of "URL|DIR": that of the part whose values can be completed; of two kinds of files,
 * any file. */
static struct lh_arg_kind of_parts(const char *name, size_t n)
{
	static const struct lh_arg_kind text = { NULL, "text", NULL },
					file = { NULL, "file", NULL };
	const struct lh_arg_kind *found = NULL, *is;
	const char *end = name + n;
	size_t part;

	for (; name < end; name += part + 1) {
		part = strcspn(name, "|");
		part = part < (size_t)(end - name) ? part : (size_t)(end - name);
		is = by_name(name, part);
		if (is && found && !strcmp(is->kind, "file") && !strcmp(found->kind, "file"))
			return file;
		if (is && (!found || strcmp(found->kind, "url") == 0))
			found = is;
	}
	return found ? *found : text;
}

const char *lh_arg_suffix(const char *name, size_t n)
{
	const char *dot = memchr(name, '.', n);

	return dot && dot + 1 < name + n && dot[1] >= 'a' && dot[1] <= 'z' ? dot : NULL;
}

struct lh_arg_kind lh_arg_kind_of(const char *name, size_t n, bool operand)
{
	static const struct lh_arg_kind records = { "FILE", "file", RECORDS },
					file = { NULL, "file", NULL };

	if (operand && n == 4 && memcmp(name, "FILE", n) == 0)
		return records;
	return lh_arg_suffix(name, n) ? file : of_parts(name, n);
}
