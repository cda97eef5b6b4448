/*
 * snapshots.c - find, verify and erase in the snapshots of --snapshots.  See subject.h.
 *
 * Each snapshot is restored to a folder of its own, and is a state there, in which the same command
 * runs.  What is in a file of it is printed with the store, the time and the path in the snapshot.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "base/time.h"
#include "erase.h"
#include "file/file.h"
#include "proc/coproc.h"
#include "proc/run.h"

#define ANSWER_MAX ((size_t)64 << 20)	/* bytes of the list of the snapshots of a store */

/* All snapshots, and the one at hand. */
struct copies {
	struct lh_tool *tool;
	const struct person *who;
	const struct lh_list *dest;
	const char *path;		/* of the copy */
	struct settings s;		/* of the copy alone */
	struct snapshot at;
	int (*each)(struct copies *c);
	struct extent *sum;
	struct lh_buf *lines;		/* what is printed of them; NULL: nothing is */

	lh_op_command *command;		/* of a search */

	/* of an erasure */
	struct erasure *e;
	bool apply;			/* not only a plan is asked for */
	bool again;			/* there was a plan, which has named what stays */
};

/* Run lh-store with these words. */
static int run_store(struct copies *c, struct lh_child_out *child, const char *const *argv)
{
	struct lh_child_how how = { .argv = (char **)argv, .keys = LH_KEYS_STORE,
				    .max = ANSWER_MAX };

	if (lh_child_run(&how, NULL, 0, child, &c->tool->err) < 0)
		return -1;
	lh_buf_room(&child->out, LH_PAD);
	return child->status ? lh_err_set(&c->tool->err, LH_EIO, "%s: %s", c->at.dest,
					  child->last_line)
			     : 0;
}

#define RUN(c, child, ...) \
	run_store(c, child, (const char *const[]){ "lh-store", __VA_ARGS__, "-q", NULL })

void remains_add(struct remains *to, const struct remains *r)
{
	to->left += r->left;
	to->look += r->look;
	to->by_hand += r->by_hand;
	to->kept += r->kept;
	to->opaque += r->opaque;
}

static void extent_add(struct extent *to, const struct extent *x)
{
	to->snapshots++;
	to->places += x->places;
	to->bytes += x->bytes;
	to->found += x->found;
	to->incomplete |= x->incomplete;
	remains_add(&to->remains, &x->remains);
}

/* Run a command in the copy, and append what it prints of files to *lines. */
static int run_in(struct copies *c, lh_op_command *command, struct lh_buf *lines)
{
	const struct asked asked = { c->who->id, c->who->also, c->who->n_also, true };
	struct lh_err *err = &c->tool->err;
	int rc;

	c->s.snapshot = &c->at;
	c->s.status = 0;
	c->s.does = REST_KEPT;
	c->at.is = (struct extent){ .places = 0 };
	rc = settings_check(c->tool, &c->s) < 0 ? -1
		: run_for(c->tool, &c->s, command, &asked, lines);
	settings_free(c->tool, &c->s, rc);
	c->s.subjects = NULL;
	if (rc < 0) {
		err->code = err->code == LH_EINTR ? LH_EINTR : LH_EIO;
		lh_err_prefix(err, "%s, the snapshot of %s", c->at.dest, c->at.time);
	}
	return rc;
}

/* ---- each ---- */

/* Call each for all snapshots of a store, once it is restored. */
static int each_of_store(struct copies *c)
{
	LH_SCOPED(lh_child_free) struct lh_child_out child = { .status = 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	const struct lh_value *time;
	struct lh_str rest, text;
	int rc = RUN(c, &child, "snapshots", "--allow-empty", c->at.dest);

	*c->at.time = '\0';
	rest = (struct lh_str){ child.out.p, child.out.len };
	while (!rc && lh_next_line(&rest, &text)) {
		LH_SCOPED(lh_child_free) struct lh_child_out restored = { .status = 0 };

		rc = lh_record_parse(&rec, text.p, text.n, &c->tool->err);
		time = rc ? NULL : lh_record_get(&rec, "snapshot");
		if (!time || time->n != LH_TIME_LEN + 2)
			continue;
		snprintf(c->at.time, sizeof c->at.time, "%.*s", LH_TIME_LEN, time->p + 1);
		lh_remove_all(c->path);
		rc = RUN(c, &restored, "restore", "--as-of", c->at.time, c->at.dest, c->path);
		rc = rc ? rc : c->each(c);
		if (!rc)
			extent_add(c->sum, &c->at.is);
	}
	return rc;
}

/* Put the copy in the place of its snapshot; bytes that no snapshot has any more are removed. */
static int replace_snapshot(struct copies *c)
{
	LH_SCOPED(lh_child_free) struct lh_child_out child = { .status = 0 };

	return RUN(c, &child, "snapshot", "--replace", "--now", c->at.time, c->path, c->at.dest);
}

static int each_snapshot(struct copies *c)
{
	struct lh_tmpdir dir = { NULL, -1 };
	const bool was = lh_signal_deferred();
	LH_SCOPED(lh_free_local) char *path = NULL;
	struct lh_err later;
	size_t i;
	int rc;

	*c->sum = (struct extent){ .places = 0 };
	if (!c->dest->n)
		return 0;
	lh_signal_defer(true);	/* the copy is removed in any case */
	rc = lh_tmpdir_make(&dir, "lh-subject", &c->tool->err);
	path = lh_format("%s/copy", dir.path ? dir.path : "");
	c->s.state = c->path = path;
	c->at.rel = strlen(path) + 1;
	for (i = 0; !rc && i < c->dest->n; i++) {
		const size_t before = c->e ? c->e->in_snapshots : 0;

		c->at.dest = c->dest->v[i];
		rc = each_of_store(c);
		/* a run that was killed may have left bytes that no snapshot has */
		if (!rc && *c->at.time && c->apply && c->e->in_snapshots == before)
			rc = replace_snapshot(c);
	}
	rc = lh_tmpdir_remove(&dir, rc ? &later : &c->tool->err) < 0 ? -1 : rc;
	lh_buf_free(&c->at.by_hand);
	lh_signal_defer(was);
	return rc;
}

/* ---- a search ---- */

static int search_one(struct copies *c)
{
	return run_in(c, c->command, c->lines);
}

int snapshots_search(struct lh_tool *tool, struct settings *s, const struct person *who,
		     lh_op_command *command, struct lh_buf *lines, struct extent *sum)
{
	struct copies c = { .tool = tool, .who = who, .dest = &s->snapshots, .sum = sum,
			    .lines = lines, .each = search_one, .command = command,
			    .s = { .fold = s->fold, .want = s->want } };

	return each_snapshot(&c);
}

/* ---- an erasure ---- */

/* Plan an erasure in the copy, or erase. */
static int erase_in(struct copies *c, bool apply, struct lh_buf *lines)
{
	lh_buf_reset(lines);
	lh_buf_reset(&c->at.by_hand);
	c->s.want.apply = apply;
	return run_in(c, subject_erase, lines);
}

/* Write the line of a snapshot from which the person is erased. */
static void write_erased(const struct copies *c, struct lh_buf *line)
{
	struct lh_writer w = lh_write_to(line);

	lh_write_object(&w, NULL);
	lh_write_text(&w, "place", "snapshots");
	lh_write_bytes(&w, "path", c->at.dest);
	lh_write_text(&w, "snapshot", c->at.time);
	lh_write_text(&w, "action", rest_name[REST_LEFT]);
	lh_write_end(&w);
}

/* Add what is done with a snapshot to what the receipt says. */
static void note_done(struct copies *c, const struct lh_buf *line)
{
	struct erasure *e = c->e;

	if (line->len)
		lh_buf_printf(&e->snapshots, "%s%.*s", e->in_snapshots++ ? "," : "",
			      (int)line->len, line->p);
	if (c->at.by_hand.len)
		lh_buf_printf(&e->snapshots_by_hand, "%s%.*s",
			      e->snapshots_by_hand.len ? "," : "", (int)c->at.by_hand.len,
			      c->at.by_hand.p);
}

/* Do with a snapshot what is asked, and print whether it has, or had, the person, and its files
 * that stay.  One in which nothing can be erased stays as it is. */
static int erase_one(struct copies *c)
{
	LH_SCOPED(lh_buf_free) struct lh_buf stays = { 0 };
	struct lh_buf line = { 0 };
	struct erasure *e = c->e;
	struct lh_str rest, text;
	bool says;
	int rc = erase_in(c, false, &stays);
	const bool has = c->s.does == REST_LEFT;

	if (!rc && c->apply && has)
		rc = erase_in(c, true, &stays) < 0 ? -1 : replace_snapshot(c);
	if (!rc && e->s->want.apply && c->at.is.incomplete)
		rc = lh_err_set(e->err, LH_EIO, "%s, the snapshot of %s: not everything could be "
				"searched", c->at.dest, c->at.time);
	if (rc < 0)
		return -1;
	if (e->s->want.apply && (c->at.is.remains.look || c->at.is.remains.by_hand ||
				 c->s.status))
		set_status(e->tool, e->s, 1);
	if (has)
		write_erased(c, &line);
	note_done(c, &line);
	/* what is erased is printed once it is done, and what stays once */
	says = has ? c->apply == e->s->want.apply : !c->again;
	if (has && says)
		rc = print_line(e->tool, e->s, &line);
	rest = (struct lh_str){ stays.p, stays.len };
	while (!rc && says && lh_next_line(&rest, &text)) {
		lh_buf_add(&line, text.p, text.n);
		rc = print_line(e->tool, e->s, &line);
	}
	lh_buf_free(&line);
	return rc;
}

int erasure_snapshots(struct erasure *e, bool apply)
{
	LH_SCOPED(lh_free_local) char *reason = lh_strndup(e->reason.p, e->reason.n);
	struct settings *s = e->s;
	struct copies c = {
		.tool = e->tool, .who = e->who, .dest = &s->snapshots, .sum = &e->in,
		.each = erase_one, .e = e, .apply = apply, .again = e->looked,
		.s = { .key_file = s->key_file, .insecure_key = s->insecure_key, .fold = s->fold,
		       .want = s->want, .reason = reason }
	};

	e->in_snapshots = e->snapshots.len = e->snapshots_by_hand.len = 0;
	e->looked = true;
	c.s.want.from_roster = false;
	return each_snapshot(&c);
}
