/* history.c - compare this audit's metrics with earlier ones.  See history.h. */
#include <stdio.h>
#include <stdlib.h>

#include "audit.h"
#include "file/file.h"
#include "base/mem.h"

#define DIGITS 21

/* Set the metrics of this audit, as if they had been read. */
static void measure(struct history *h, const uint64_t *metric)
{
	size_t i;

	h->numbers = lh_calloc(METRICS, DIGITS);
	lh_grow(&h->now.v, &h->now.cap, METRICS, sizeof *h->now.v);
	for (i = 0; i < METRICS; i++) {
		struct drift_metric *m = &h->now.v[i];
		char *to = h->numbers + i * DIGITS;

		m->name = (struct lh_str){ metric_names[i], strlen(metric_names[i]) };
		m->value = (struct lh_value){ .p = to, .type = LH_NUMBER };
		m->value.n = (size_t)snprintf(to, DIGITS, "%llu", (unsigned long long)metric[i]);
	}
	h->now.n = METRICS;
}

/* Compare with the last row on file. */
static int compare(struct history *h, struct lh_err *err)
{
	int rc = baselines_open(&h->on_file, h->path, err);

	if (!rc && h->on_file.n) {
		rc = baselines_take(&h->on_file, h->on_file.n, err);
		if (!rc)
			drift_metrics_of(&h->before, &h->on_file);
	}
	return rc ? rc : drift_compute(&h->drift, &h->now, &h->before, err);
}

/* Flag what fell because rows were erased.  Phase 5 reports a damaged receipt of an erasure;
 * what it would explain stays a warning. */
static int explain(struct audit *a, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *subjects = audit_subjects(a->root, a->s);
	char at[sizeof a->recorded_at + 2];
	const struct lh_value now = {
		.p = at, .n = (size_t)snprintf(at, sizeof at, "\"%s\"", a->recorded_at),
		.type = LH_STRING
	};
	int rc = drift_erasures(&a->history.drift, a->root, subjects,
				&a->history.on_file.recorded_at, &now, err);

	return rc < 0 && !check_is_finding(err) ? -1 : 0;
}

int history_read(struct audit *a, struct lh_err *err)
{
	struct history *h = &a->history;
	struct lh_err why;

	*h = (struct history){ .path = lh_root_join(a->root, AUDIT_BASELINES) };
	measure(h, a->metric);
	if (compare(h, &why) == 0)
		return explain(a, err);
	if (why.code == LH_ENOMEM || why.code == LH_EINTR) {
		*err = why;
		return -1;
	}
	h->bad = why;
	drift_free(&h->drift);
	return 0;
}

int history_append(const struct audit *a, struct lh_err *err)
{
	const struct history *h = &a->history;
	struct lh_applog log = { .fd = -1 };
	struct lh_writer w;
	LH_SCOPED(lh_buf_free) struct lh_buf row = { 0 };
	int rc;

	w = lh_write_to(&row);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "recorded_at", a->recorded_at);
	if (*a->git_commit)
		lh_write_text(&w, "git_commit", a->git_commit);
	metrics_write(&w, "metrics", a);
	lh_write_end(&w);
	rc = lh_root_folders(a->root, AUDIT_BASELINES, err);
	if (!rc)
		rc = lh_applog_open(&log, h->path, 0666, a->tool->lock_timeout, err);
	if (!rc)
		rc = lh_applog_append(&log, row.p, row.len, LH_SYNC_EACH, err);
	if (!rc)
		rc = lh_applog_close(&log, err);
	else
		lh_applog_close(&log, &(struct lh_err){ 0 });
	return rc;
}

void history_free(struct history *h)
{
	drift_free(&h->drift);
	drift_metrics_free(&h->before);
	drift_metrics_free(&h->now);
	baselines_close(&h->on_file);
	free(h->numbers);
	free(h->path);
	*h = (struct history){ .path = NULL };
}
