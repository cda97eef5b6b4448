/* settings.c - settings that were given, completed by a configuration.  See subject.h. */
#include <stdlib.h>

#include "audit/subject.h"
#include "base/mem.h"
#include "serve/routes.h"
#include "subject.h"

/* Take what the configuration says is out of reach.  The frame frees the list of an option. */
static void take_elsewhere(struct settings *s)
{
	const struct lh_list *from = &s->file->subject.elsewhere;

	s->elsewhere = (struct lh_list){ lh_calloc(from->n, sizeof *from->v), from->n };
	if (from->n)
		memcpy(s->elsewhere.v, from->v, from->n * sizeof *from->v);
}

/* Take the state and the logs that a configuration names, where no option does. */
static int read_config(struct lh_tool *tool, struct settings *s)
{
	s->file = lh_calloc(1, sizeof *s->file);
	if (lh_serve_config_read(s->file, s->config, &tool->err) < 0)
		return -1;
	if (!s->state)
		s->state = s->file->state;
	if (!s->subjects)
		s->subjects = s->file->audit.log;
	if (!s->state)
		return lh_tool_usage(tool, "%s: names no state", s->config);
	s->access_log = s->file->access_log;
	if (!s->elsewhere.n)
		take_elsewhere(s);
	return 0;
}

int settings_check(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	const char *root;

	if (s->config && read_config(tool, s) < 0)
		return -1;
	root = s->state ? s->state : s->root.n ? s->root.v[0] : NULL;
	if (!root && !s->subjects && !s->index.n && !s->playbook.n && !s->log.n && !s->store.n &&
	    !s->cache.n && !s->roster.n && !s->snapshots.n)
		return lh_tool_usage(tool, "no place: --state DIR names one");
	if (!root)
		return 0;
	lh_buf_printf(&s->folder, "%s/%s%c", root, LH_SUBJECT_DIR, '\0');
	if (!s->subjects || is_same_folder(s->subjects, s->folder.p))
		s->subjects = s->folder.p;	/* which is listed with the root */
	return 0;
}

int settings_free(struct lh_tool *tool, void *settings, int rc)
{
	struct settings *s = settings;

	(void)tool;
	places_free(&s->places);
	lh_intern_free(&s->listed);
	lh_buf_free(&s->listed_id);
	lh_buf_free(&s->folder);
	if (s->file)
		lh_serve_config_free(s->file);
	free(s->file);
	return rc;
}
