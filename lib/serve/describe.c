/* describe.c - the operations of routes, from what their filters say of themselves.  See
 * routes.h. */
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "proc/run.h"

#define ASK_SECONDS 10.0
#define ASK_MAX ((size_t)4 << 20)	/* bytes of what a command says of itself */

/* Words of a command by which its program chooses what it answers: two commands of a program
 * with the same ones answer alike, whatever files and limits they name. */
static const char *const modes[] = {
	"requests", "gate", "--requests", "--wire", "go", "rust", "--schema", "--kind",
	"--normalize-errors", "--providers", "--emit-session", "--info", "--tokens",
	"--benchmark", "--compile", NULL
};

/* Return whether a word is that one, or begins with it and "=". */
static bool is_mode(const char *word, const char *mode)
{
	const size_t n = strlen(mode);

	return !strncmp(word, mode, n) && (!word[n] || (*mode == '-' && word[n] == '='));
}

/* Return the first of these words from *argv on, and move behind it; NULL: there is none. */
static const char *next_mode(const char *const **argv)
{
	size_t i;

	for (; **argv; ++*argv)
		for (i = 0; modes[i]; i++)
			if (is_mode(**argv, modes[i])) {
				++*argv;
				return modes[i];
			}
	return NULL;
}

static const char *program_of(const char *command)
{
	const char *slash = strrchr(command, '/');

	return slash ? slash + 1 : command;
}

static bool answers_alike(const char *const *a, const char *const *b)
{
	const char *x, *y;

	if (strcmp(program_of(*a++), program_of(*b++)) != 0)
		return false;
	do {
		x = next_mode(&a);
		y = next_mode(&b);
		if (!x || !y)
			return x == y;
	} while (!strcmp(x, y));
	return false;
}

/* Set the name of the operation that a route asks for: its "op", else its command, else "". */
static void read_name(const struct lh_route *r, struct lh_buf *name)
{
	const char *const *argv = (const char *const *)r->run + 1;
	const char *command = next_mode(&argv);
	LH_SCOPED(lh_buf_free) struct lh_buf object = { 0 };
	struct lh_value members = { .type = LH_OBJECT }, op;
	struct lh_str text = lh_str_of(command && *command != '-' ? command : "");

	lh_buf_printf(&object, "{%s}", r->members ? r->members : "");
	members.p = object.p;
	members.n = object.len;
	if (lh_value_get(&members, "op", &op) && op.type == LH_STRING)
		lh_value_str(&op, name, &text);
	if (text.p != name->p)
		lh_buf_add(name, text.p, text.n);
}

/* Find the operation of that name; one of requests alone before a command of the same name. */
static void find_operation(const char *text, struct lh_str name, struct lh_value *to)
{
	const struct lh_value all = { .p = text, .n = strlen(text), .type = LH_OBJECT };
	struct lh_value list, v;
	struct lh_iter it;

	if (!lh_value_get(&all, "operations", &list))
		return;
	for (lh_iter_init(&it, &list); lh_iter_next(&it); ) {
		if (!lh_value_get(&it.val, "name", &v) || !lh_value_is(&v, name.p, name.n))
			continue;
		if (!lh_value_get(&it.val, "operands", &v) || v.type == LH_NULL) {
			*to = it.val;
			return;
		}
		if (!to->p)
			*to = it.val;
	}
}

void lh_routes_describe(struct lh_routes *r, const struct lh_described *all)
{
	LH_SCOPED(lh_buf_free) struct lh_buf name = { 0 };
	const struct lh_described *d;
	size_t i;

	for (i = 0; i < r->n; i++) {
		struct lh_route *route = &r->v[i];

		if (!route->run)
			continue;
		for (d = all; d->run && !answers_alike((const char *const *)route->run, d->run);
		     d++)
			;
		lh_buf_reset(&name);
		route->described = d->run;
		if (!d->run)
			continue;
		read_name(route, &name);
		find_operation(d->text, (struct lh_str){ name.p ? name.p : "", name.len },
			       &route->operation);
		route->scoped = lh_route_takes(route, "scope");
	}
}

const char *lh_route_program(const struct lh_route *r)
{
	return r->program ? r->program : program_of(r->run[0]);
}

/* Take what a command says of itself: 1; 0 if that is no description. */
static int take_description(struct lh_route *r, struct lh_buf *text, struct lh_err *err)
{
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf name = { 0 };
	const struct lh_value *tool, *operations;

	while (text->len && text->p[text->len - 1] == '\n')
		text->len--;
	if (lh_record_parse(&rec, text->p, text->len, err) < 0)
		return 0;
	tool = lh_record_get(&rec, "name");
	operations = lh_record_get(&rec, "operations");
	if (!tool || tool->type != LH_STRING || tool->escaped || !operations ||
	    operations->type != LH_ARRAY)
		return 0;
	r->program = lh_strndup(tool->p + 1, tool->n - 2);
	r->says = lh_strndup(text->p, text->len);
	read_name(r, &name);
	find_operation(r->says, (struct lh_str){ name.p ? name.p : "", name.len }, &r->operation);
	if (!r->operation.p)	/* the word is in a script */
		find_operation(r->says, lh_str_of("requests"), &r->operation);
	r->scoped = lh_route_takes(r, "scope");
	return 1;
}

int lh_route_ask(struct lh_route *r, struct lh_err *err)
{
	LH_SCOPED(lh_child_free) struct lh_child_out out = { .status = 0 };
	struct lh_child_how how = { .seconds = ASK_SECONDS, .max = ASK_MAX };
	size_t n = 0;
	char **argv;
	int rc;

	if (!r->run || r->described)
		return 0;
	while (r->run[n])
		n++;
	argv = lh_calloc(n + 2, sizeof *argv);
	memcpy(argv, r->run, n * sizeof *argv);
	argv[n] = (char *)"--describe";
	how.argv = argv;
	rc = lh_child_run(&how, NULL, 0, &out, err);
	free(argv);
	rc = rc < 0 ? (err->code == LH_EIO ? 0 : -1)
		    : out.status ? 0 : take_description(r, &out.out, err);
	r->described = rc > 0;
	return rc ? (rc > 0 ? 0 : -1)
		  : lh_err_set(err, LH_EUSAGE, "\"%s\": its command, %s, does not describe itself "
			       "(--describe)", r->route, r->run[0]);
}

/* Return whether a text in JSON is a member, or a path that ends in it; NULL: any. */
static bool is_member(const struct lh_value *v, const char *member)
{
	const size_t n = member ? strlen(member) : 0;

	return !n || (v->n >= n + 2 && !memcmp(v->p + v->n - 1 - n, member, n) &&
		      strchr("\".", v->p[v->n - 2 - n]));
}

bool lh_route_takes(const struct lh_route *r, const char *member)
{
	struct lh_value input, properties, v;

	return r->operation.p && lh_value_get(&r->operation, "input", &input) &&
	       lh_value_get(&input, "properties", &properties) &&
	       lh_value_get(&properties, member, &v);
}

bool lh_route_lists(const struct lh_route *r, const char *list, const char *member)
{
	struct lh_value all;
	struct lh_iter it;

	if (!r->operation.p || !lh_value_get(&r->operation, list, &all))
		return false;
	for (lh_iter_init(&it, &all); lh_iter_next(&it); )
		if (is_member(&it.val, member))
			return true;
	return false;
}

int lh_route_refuse_paths(const struct lh_route *r, const struct lh_route_path *path,
			  const struct lh_record *rec, struct lh_err *err)
{
	struct lh_value all, member, safe;
	struct lh_iter it;
	char name[64];

	if (!r->operation.p || !lh_value_get(&r->operation, "paths", &all))
		return 0;
	for (lh_iter_init(&it, &all); lh_iter_next(&it); ) {
		if (!lh_value_get(&it.val, "member", &member) ||
		    !lh_value_get(&it.val, "safe", &safe) || safe.type == LH_TRUE)
			continue;
		snprintf(name, sizeof name, "%.*s", (int)member.n - 2, member.p + 1);
		if ((rec && lh_record_get(rec, name)) || lh_route_arg(path, name).p)
			return lh_err_set(err, LH_EDATA, "\"%s\" is not for requests from "
					  "outside: it names a file", name);
	}
	return 0;
}
