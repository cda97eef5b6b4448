/* lineage_decisions.c - the decisions that name an id, or were made for a request. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include "lineage_parts.h"
#include "observe/observe.h"

#define LONGEST ((size_t)256 << 20)

struct search {
	struct lh_lineage *l;
	struct lh_str operand;
	bool subject;		/* it is the id of a subject and nothing else */
	const char *shown;	/* the path of the log in answers */
	uint64_t line, asked;	/* asked: the line that the operand names; 0: none */
	struct lh_buf text;
	/* the newest steps: step[found % n] is the oldest if more were found */
	char **step;
	size_t n, cap;
	uint64_t found;
};

/* Return the line of this log that an operand FILE:LINE names, or 0. */
static uint64_t line_of(const struct search *s, const char *path)
{
	size_t n = strlen(path), i;
	uint64_t line = 0;

	if (s->subject || s->operand.n <= n + 1 || s->operand.n > n + 17 ||
	    memcmp(s->operand.p, path, n) != 0 || s->operand.p[n] != ':')
		return 0;
	for (i = n + 1; i < s->operand.n; i++) {
		if (s->operand.p[i] < '0' || s->operand.p[i] > '9')
			return 0;
		line = line * 10 + (uint64_t)(s->operand.p[i] - '0');
	}
	return line;
}

/* Return whether a member of an object, a string, is the operand. */
static bool has(const struct search *s, const struct lh_value *object, const char *name)
{
	struct lh_value v;

	return lh_value_get(object, name, &v) && v.type == LH_STRING &&
	       lh_value_is(&v, s->operand.p, s->operand.n);
}

static bool names_id(const struct search *s, const struct lh_value *ids)
{
	struct lh_iter it;

	if (!ids->p)
		return false;
	for (lh_iter_init(&it, ids); lh_iter_next(&it); )
		if (it.val.type == LH_OBJECT &&
		    (has(s, &it.val, "id") ||
		     (!s->subject && (has(s, &it.val, "boosted_by") ||
				      has(s, &it.val, "injected_by")))))
			return true;
	return false;
}

/* Return whether the decision in l->rec is one that is asked for. */
static bool is_asked(const struct search *s, const struct lh_decision_row *row)
{
	const struct lh_value *entry = lh_record_get(&s->l->rec, "entry");

	if (s->line == s->asked || names_id(s, &row->ids))
		return true;
	return !s->subject &&
	       (lh_str_is(row->trace, s->operand.p, s->operand.n) ||
		(entry && entry->type == LH_STRING &&
		 lh_value_is(entry, s->operand.p, s->operand.n)));
}

/* Make the step of the decision in l->rec in s->text. */
static void write_step(struct search *s)
{
	static const char *const members[] = { "ts", "tool", "verdict", "trace_id", "rules",
					       "playbook", "indexes", "text" };
	struct lh_record *rec = &s->l->rec;
	const struct lh_value *v;
	struct lh_writer w;
	size_t i;

	lh_buf_reset(&s->text);
	w = lh_write_to(&s->text);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "step", "decision");
	lh_write_bytes(&w, "file", s->shown);
	lh_write_u64(&w, "line", s->line);
	for (i = 0; i < sizeof members / sizeof *members; i++) {
		v = lh_record_get(rec, members[i]);
		if (v && v->type != LH_NULL)
			lh_lineage_member(&w, rec, members[i]);
	}
	if (s->l->how.records)
		lh_write_raw(&w, "record", (struct lh_str){ rec->line, rec->len });
	lh_write_end(&w);
}

/* Keep the step in s->text, in place of the oldest if there are enough. */
static void keep(struct search *s)
{
	char **to;

	if (s->n < s->l->how.most) {
		lh_grow(&s->step, &s->cap, s->n + 1, sizeof *s->step);
		to = &s->step[s->n++];
	} else {
		to = &s->step[s->found % s->n];
		free(*to);
	}
	*to = lh_strndup(s->text.p, s->text.len);
	s->found++;
}

/* Take a line of the log: a row without escapes that does not have the bytes of the operand
 * does not name it. */
static int take(struct search *s, const struct lh_log_line *line, struct lh_err *err)
{
	struct lh_decision_row row;

	if (!line->p || (s->line != s->asked && !memchr(line->p, '\\', line->n) &&
			 !memmem(line->p, line->n, s->operand.p, s->operand.n)))
		return 0;
	lh_buf_reset(&s->text);
	if (lh_record_parse(&s->l->rec, line->p, line->n, err) < 0 ||
	    lh_decision_read(&s->l->rec, &row, &s->text, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	if (!is_asked(s, &row))
		return 0;
	write_step(s);
	keep(s);
	return 0;
}

/* Search a log; absent: it need not exist. */
static int search_log(struct search *s, const char *path, const char *shown, bool absent,
		      struct lh_err *err)
{
	struct lh_log_lines lines;
	struct lh_log_line line;
	int fd = lh_open_regular(path, O_RDONLY, 0, err), rc;

	if (fd < 0)
		return absent && errno == ENOENT ? 0 : -1;
	s->shown = shown;
	s->line = 0;
	s->asked = line_of(s, shown);
	if (!s->asked)
		s->asked = line_of(s, path);
	lh_log_lines_open(&lines, fd, path, 0, LONGEST);
	while ((rc = lh_log_lines_next(&lines, &line, err)) > 0) {
		s->line++;
		if (take(s, &line, err) < 0) {
			rc = -1;
			break;
		}
	}
	s->l->decisions.files++;
	s->l->decisions.rows += s->line;
	lh_log_lines_close(&lines);
	close(fd);
	return rc;
}

static int search_logs(struct search *s, struct lh_err *err)
{
	const struct lh_list *logs = s->l->how.decisions;
	LH_SCOPED(lh_free_local) char *path = NULL;
	size_t i;
	int rc = 0;

	for (i = 0; logs && i < logs->n && !rc; i++)
		rc = search_log(s, logs->v[i], logs->v[i], false, err);
	if (logs && logs->n)
		return rc;
	path = lh_root_join(s->l->root, LH_DECISIONS_LOG);
	rc = search_log(s, path, LH_DECISIONS_LOG, true, err);
	if (rc < 0 && err->code == LH_EIO) {
		s->l->how.warn(s->l->how.ctx, true, err->msg);
		rc = 0;
	}
	return rc;
}

int lh_lineage_decisions(struct lh_lineage *l, struct lh_writer *w, struct lh_str operand,
			 bool subject, struct lh_err *err)
{
	struct search s = { .l = l, .operand = operand, .subject = subject };
	size_t i, first;
	int rc;

	l->decisions.files = l->decisions.rows = 0;
	rc = operand.n ? search_logs(&s, err) : 0;
	first = s.found > s.n ? s.found % s.n : 0;
	if (!rc && s.n) {
		lh_write_object(w, NULL);
		lh_write_text(w, "step", "decisions");
		lh_write_u64(w, "rows", s.found);
		if (s.found > s.n)
			lh_write_u64(w, "more", s.found - s.n);
		lh_write_array(w, "steps");
		for (i = 0; i < s.n; i++)
			lh_write_raw(w, NULL, lh_str_of(s.step[(first + i) % s.n]));
		lh_write_end(w);
		lh_write_end(w);
		rc = 1;
	}
	for (i = 0; i < s.n; i++)
		free(s.step[i]);
	free(s.step);
	lh_buf_free(&s.text);
	return rc;
}
