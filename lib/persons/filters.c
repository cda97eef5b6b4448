/* filters.c - what filters of the family need so that their answers leave rows.  See
 * persons_parts.h. */
#include "persons_parts.h"

#include <stdlib.h>

#include "base/mem.h"

bool lh_persons_run_by(const struct lh_route *r, const char *tool)
{
	return r->run && !strcmp(lh_route_program(r), tool);
}

/* Options to add: a flag or a word with its value, and one with many. */
struct more {
	const char *word[4];
	size_t words;
	const char *option;		/* before each of ... */
	const char *const *value;
	size_t values;
};

/* Add options to a command, unless its first one is there already. */
static void add_options(struct lh_route *r, const struct more *m)
{
	size_t n = 0, i;
	const char **all;
	char **copy;

	for (; r->run[n]; n++)
		if (!strcmp(r->run[n], m->word[0]))
			return;
	all = lh_calloc(n + m->words + 2 * m->values + 1, sizeof(char *));
	memcpy(all, r->run, n * sizeof(char *));
	for (i = 0; i < m->words; i++)
		all[n++] = m->word[i];
	for (i = 0; i < m->values; i++) {
		all[n++] = m->option;
		all[n++] = m->value[i];
	}
	copy = lh_argv_copy((char *const *)all);
	free(all);
	lh_argv_free(r->run);
	r->run = copy;
}

/* Let a built-in lh-validate append to that folder. */
static void move_log(struct lh_route *r, const char *folder)
{
	size_t i;

	for (i = 1; r->built_in && r->run[i]; i++) {
		if (strcmp(r->run[i - 1], "--audit-log") != 0 || !strcmp(r->run[i], folder))
			continue;
		free(r->run[i]);
		r->run[i] = lh_strndup(folder, strlen(folder));
	}
}

bool lh_persons_has_option(const struct lh_route *r, const char *begin)
{
	size_t i;

	for (i = 1; r->run && r->run[i]; i++)
		if (!strncmp(r->run[i], begin, strlen(begin)))
			return true;
	return false;
}

/* Return whether the filter of a route judges. */
static bool judges(const struct lh_route *r)
{
	if (lh_persons_run_by(r, "lh-validate"))
		return !lh_persons_has_option(r, "--schema") &&
		       !lh_persons_has_option(r, "--normalize");
	if (lh_persons_run_by(r, "lh-iterate"))
		return !lh_persons_has_option(r, "--emit-session");
	if (lh_persons_run_by(r, "lh-playbook"))
		return r->run[1] && (!strcmp(r->run[1], "record") ||
				     !strcmp(r->run[1], "requests"));
	return lh_persons_run_by(r, "lh-search") && lh_persons_has_option(r, "--playbook");
}

void lh_persons_token(const struct lh_route *r, const char *token, struct lh_writer *w)
{
	if (lh_persons_run_by(r, "lh-validate") && lh_persons_has_option(r, "--audit-log") &&
	    !lh_persons_has_option(r, "--kind"))
		lh_write_text(w, "token", token);
}

bool lh_persons_attributed(const struct lh_route *r)
{
	return r->run && lh_persons_has_option(r, "--attribute");
}

void lh_persons_decisions(struct lh_routes *routes, const char *path, bool text)
{
	const struct more log = {
		.word = { "--decisions", path, "--decisions-text" }, .words = text ? 3 : 2,
	};
	size_t i;

	for (i = 0; i < routes->n; i++)
		if (judges(&routes->v[i]))
			add_options(&routes->v[i], &log);
}

/* Say that what a command shows is not known: its answers have rows by their looks alone. */
static void warn_unknown(const struct lh_persons_how *how, struct lh_err *err)
{
	lh_err_prefix(err, "its answers may show persons without a row");
	how->warn(how->owner, err->msg);
	*err = (struct lh_err){ 0 };
}

int lh_persons_filters(struct lh_routes *routes, const struct lh_persons_how *how,
		       struct lh_err *err)
{
	const struct more attribute = {
		.word = { "--attribute" }, .words = 1,
		.option = "--persons", .value = how->corpus, .values = how->corpora,
	};
	const struct more look_ups = {
		.word = { "--audit-log", how->folder, "--audit-required" },
		.words = how->required ? 3 : 2,
		.option = "--key-file", .value = how->key, .values = how->keys,
	};
	const struct more anchor = { .word = { "--against", how->anchor }, .words = 2 };
	size_t i;

	for (i = 0; i < routes->n; i++) {
		struct lh_route *r = &routes->v[i];

		if (!r->built_in && lh_route_ask(r, err) < 0) {
			if (how->required || err->code != LH_EUSAGE)
				return lh_err_prefix(err, "no answer without its rows in the audit "
						     "log (--no-audit-required)");
			if (how->warn)
				warn_unknown(how, err);
		}
		if (lh_persons_run_by(r, "lh-query") || lh_persons_run_by(r, "lh-search") ||
		    (lh_persons_run_by(r, "lh-index") && lh_persons_has_option(r, "requests")))
			add_options(r, &attribute);
		if (lh_persons_run_by(r, "lh-rerank"))
			add_options(r, &(struct more){ .word = { "--attribute" }, .words = 1 });
		if (how->anchor && lh_persons_run_by(r, "lh-subject-audit"))
			add_options(r, &anchor);
		if (lh_persons_run_by(r, "lh-validate") && judges(r)) {
			add_options(r, &look_ups);
			move_log(r, how->folder);
		}
	}
	return 0;
}
