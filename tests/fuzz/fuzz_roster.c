/*
 * fuzz_roster - any bytes as a roster of JSON Lines: it opens if and only if each line
 * is a worker, and then each worker is found by its id in capitals, with the
 * fields of the last line of that id.
 */
#include "fuzz.h"

#include "archive/archive.h"
#include "base/utf8.h"
#include "file/file.h"
#include "../../lib/validate/roster.c"

#define LINES_MAX 64

static const char *const fields[] = { "candidate_id", "name", "status", "city", "state", "role" };
#define FIELDS (sizeof fields / sizeof *fields)

struct line {
	struct lh_buf text;
	struct lh_str field[FIELDS];
};

static bool clients_good(const struct lh_value *v)
{
	bool good = !v || v->type == LH_NULL || v->type == LH_ARRAY;
	struct lh_iter it;

	if (good && v && v->type == LH_ARRAY)
		for (lh_iter_init(&it, v); lh_iter_next(&it); )
			good = good && (it.val.type == LH_STRING || it.val.type == LH_NULL);
	return good;
}

/* Read the fields of a line in the plainest way; false: it is not a worker. */
static bool read_line(const char *p, size_t n, struct line *l)
{
	struct lh_record rec;
	struct lh_err err;
	bool good;
	size_t i;

	l->text = (struct lh_buf){ 0 };
	lh_buf_room(&l->text, 2 * n + LH_PAD);		/* so that nothing moves */
	lh_buf_add(&l->text, p, n);
	lh_record_init(&rec);
	good = lh_record_parse(&rec, l->text.p, n, &err) == 0;
	for (i = 0; good && i < FIELDS; i++) {
		const struct lh_value *v = lh_record_get(&rec, fields[i]);

		l->field[i] = (struct lh_str){ "", 0 };
		good = !v || v->type == LH_NULL || v->type == LH_STRING;
		if (v && v->type == LH_STRING)
			lh_value_str(v, &l->text, &l->field[i]);
		if (!lh_trim(l->field[i].p, l->field[i].n).n)
			l->field[i].n = 0;
	}
	good = good && clients_good(lh_record_get(&rec, "blacklisted_clients"));
	lh_record_free(&rec);
	if (!good)
		return false;
	l->field[0] = lh_trim(l->field[0].p, l->field[0].n);
	return l->field[0].n && l->field[0].n <= LH_ID_MAX && l->field[1].n;
}

static bool blank(const char *p, size_t n)
{
	while (n && strchr(" \t\r", *p) && *p)
		p++, n--;
	return !n;
}

/* Read all lines; false: one is not a worker. */
static bool read_all(const char *p, size_t n, struct line *l, size_t *n_lines)
{
	const char *end = p + n, *lf;

	if (n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		p += 3;
	for (; p < end; p = lf ? lf + 1 : end) {
		lf = memchr(p, '\n', (size_t)(end - p));
		n = (size_t)((lf ? lf : end) - p);
		if (blank(p, n))
			continue;
		if (!read_line(p, n - (p[n - 1] == '\r'), &l[(*n_lines)++]))
			return false;
	}
	return true;
}

static bool same_id(const struct line *a, const struct line *b)
{
	return lh_fold_equal(a->field[0].p, a->field[0].n, b->field[0].p, b->field[0].n);
}

static void compare(const struct lh_roster_table *t, const struct line *l, size_t n)
{
	size_t i, j, different = 0;
	char key[LH_ID_MAX];
	struct lh_worker w;

	for (i = 0; i < n; i++) {
		for (j = i + 1; j < n && !same_id(&l[i], &l[j]); j++)
			;
		if (j < n)
			continue;
		different++;
		lh_roster_key(l[i].field[0].p, l[i].field[0].n, key);
		must(lh_roster_get(t, (struct lh_str){ key, l[i].field[0].n }, &w));
		for (j = 0; j < FIELDS; j++) {
			struct lh_str is = (const struct lh_str[]){ w.candidate_id, w.name,
								    w.status,	    w.city,
								    w.state,	    w.role }[j];

			must(is.n == l[i].field[j].n && !memcmp(is.p, l[i].field[j].p, is.n));
		}
		lh_worker_blacklisted(&w, "c", 1);
	}
	must(t->ids.n == different);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lh_roster_table t = { .packed = { 0 } };
	struct line l[LINES_MAX];
	size_t n = 0, i, lines = 0;
	struct lh_err err;
	bool good;
	int fd;

	for (i = 0; i < size; i++)
		lines += data[i] == '\n';
	/* an archive and an index are not read as lines */
	if (lines >= LINES_MAX || lh_archive_kind(data, size) ||
	    (size >= 4 && !memcmp(data, "\x89LHV", 4)))
		return 0;
	fd = memfd_create("roster", MFD_CLOEXEC);
	must(fd >= 0 && lh_pwrite_all(fd, data, size, 0, &err) == 0);
	good = lh_roster_read(&t, "roster", fd, 1, &err) == 0;
	close(fd);
	must(good || (err.code == LH_EDATA && !strncmp(err.msg, "roster:", 7)));
	must(good == read_all((const char *)data, size, l, &n));
	if (good)
		compare(&t, l, n);
	for (i = 0; i < n; i++)
		lh_buf_free(&l[i].text);
	lh_roster_table_free(&t);
	return 0;
}
