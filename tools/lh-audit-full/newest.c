/* newest.c - find the newest run.  See audit.h. */
#include "audit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "json/bind.h"

#define SUMMARY_MAX ((size_t)16 << 20)

struct search {
	struct audit *a;
	struct lh_buf text;
	struct lh_record rec;
	int64_t at;
	char *bad;		/* the id of the run whose summary is in a->bad_summary */
};

/* Of several keep the one with the least id, whatever their order. */
static void record_bad_run(struct search *s, const char *id, const struct lh_err *why)
{
	char *copy;

	if (s->bad && strcmp(s->bad, id) <= 0)
		return;
	copy = lh_strndup(id, strlen(id));
	free(s->bad);
	s->bad = copy;
	lh_buf_reset(&s->a->bad_summary);
	if (why->code == LH_EIO)	/* the message has the name of the file */
		lh_buf_puts(&s->a->bad_summary, check_reason(s->a, why));
	else
		lh_buf_printf(&s->a->bad_summary, "%s/%s/summary.json: %s", LH_ROOT_REPORTS, id,
			      why->msg);
}

struct ending {
	struct lh_value at;
};
static const struct lh_bind summary[] = {
	{ LH_BIND_VALUE("ended_at", struct ending, at, LH_BIND_IS(LH_STRING)), .lax = true },
	LH_BIND_END
};

/* Read when the run ended from its summary: 1, 0 without one, -1. */
static int read_end_time(struct search *s, const char *id, int64_t *at, struct lh_err *err)
{
	struct ending v = { .at = { .p = NULL } };
	char relpath[512];
	struct lh_err why;
	int rc;

	snprintf(relpath, sizeof relpath, "%s/%s/summary.json", LH_ROOT_REPORTS, id);
	rc = root_file(s->a, relpath, &s->text, &why);
	if (!rc)
		return 0;
	if (rc > 0)
		rc = lh_record_parse(&s->rec, s->text.p, s->text.len, &why);
	if (rc < 0 && !check_is_finding(&why)) {
		*err = why;
		return -1;
	}
	if (!rc) {
		rc = lh_bind(summary, &s->rec, &v, NULL, &why);
		if (!rc && (!v.at.p || lh_time_read(v.at.p + 1, v.at.n - 2, at) < 0))
			rc = lh_err_set(&why, LH_ECORRUPT, "ended_at is not a time");
	}
	if (rc < 0) {
		*at = INT64_MIN;
		record_bad_run(s, id, &why);
		return 1;
	}
	return 1;
}

static int check_run(void *ctx, const char *id, struct lh_err *err)
{
	struct search *s = ctx;
	struct audit *a = s->a;
	int64_t at;
	char *copy;
	int rc = read_end_time(s, id, &at, err);

	if (rc <= 0 || (a->run_id && (at < s->at || (at == s->at && strcmp(id, a->run_id) < 0))))
		return rc < 0 ? -1 : 0;
	copy = lh_strndup(id, strlen(id));
	free(a->run_id);
	a->run_id = copy;
	s->at = at;
	return 0;
}

int newest_run(struct audit *a, struct lh_err *err)
{
	struct search s = { .a = a };
	int rc;

	lh_buf_init(&s.text, SUMMARY_MAX);
	rc = lh_run_each(a->root, check_run, &s, err);
	if (rc < 0 && check_is_finding(err)) {
		lh_buf_reset(&a->bad_summary);
		lh_buf_puts(&a->bad_summary, check_reason(a, err));
		rc = 0;
	}
	lh_buf_putc(&a->bad_summary, '\0');
	lh_record_free(&s.rec);
	lh_buf_free(&s.text);
	free(s.bad);
	return rc;
}
