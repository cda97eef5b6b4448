/* samples.c - phase 1: check the validators with known records. */
#include "audit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "file/file.h"
#include "proc/coproc.h"
#include "schema/schema.h"

/* "valid/receipt-full"; expected: the violations, a line each, or NULL. */
struct sample {
	const char *name, *text, *expected;
};

static const struct sample samples[] = {	/* those of share/fixtures/schemas */
#include "share/fixtures/schemas.inc"
	{ NULL, NULL, NULL }
};

#define NINE 9			/* schemas of past work; the others are of a run's own files */
#define ENOUGH 51
#define TEST_SECONDS 3600.0
#define TOLD 5			/* samples named at most */

#define VALIDATORS "all samples as expected"

struct judge {
	struct audit *a;
	struct lh_record rec;
	struct lh_buf text, want, found, scratch;
	unsigned all, wrong, counted;
	bool has[NINE][2];	/* an invalid and a valid one */
};

/* Note a sample with a wrong verdict, or one that cannot be read. */
static void add_fault(struct judge *j, const char *name, const char *what)
{
	if (++j->wrong <= TOLD)
		check_note(j->a, CHECK_VALIDATORS, "%s: %s", name, what);
}

static void note_violation(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	struct judge *j = ctx;

	lh_buf_add(&j->found, field->p, field->n);
	lh_buf_puts(&j->found, ": ");
	lh_buf_add(&j->found, problem->p, problem->n);
	lh_buf_putc(&j->found, '\n');
}

/* Return the number of the schema of "folder/schema-...", or -1. */
static int schema_of(const char *name)
{
	const char *at = strchr(name, '/') + 1, *known;
	size_t n = strcspn(at, "-.");
	int i;

	for (i = 0; (known = lh_schema_name((size_t)i)); i++)
		if (strlen(known) == n && !memcmp(known, at, n))
			return i;
	return -1;
}

/* Write the violations of j->text into j->found: return their number, or -1 with *err. */
static long find_violations(struct judge *j, int schema, struct lh_err *err)
{
	struct lh_value v;

	lh_buf_reset(&j->found);
	if (lh_json_parse(&j->rec, j->text.p, j->text.len, &v, err) < 0)
		return -1;
	return lh_schema_check(lh_schema_find(lh_schema_name((size_t)schema)), &v, &j->scratch,
			       note_violation, j);
}

/* Check the verdict on j->text, against j->want if that is known. */
static int check_name(struct judge *j, const char *name, bool known, struct lh_err *err)
{
	bool valid = name[0] == 'v';
	int schema = schema_of(name);
	long n;

	j->all++;
	if (schema < 0) {
		add_fault(j, name, "no schema of that name");
		return 0;
	}
	if (schema < NINE) {
		j->counted++;
		j->has[schema][valid] = true;
	}
	n = find_violations(j, schema, err);
	if (n < 0 && !check_is_finding(err))
		return -1;
	if (n < 0)
		add_fault(j, name, err->msg);
	else if (valid && n)
		add_fault(j, name, "not valid");
	else if (!valid && !n)
		add_fault(j, name, "valid");
	else if (!valid && known && (j->want.len != j->found.len ||
				     memcmp(j->want.p, j->found.p, j->found.len) != 0))
		add_fault(j, name, "not the violations that are expected");
	return 0;
}

static int check_built_in(struct judge *j, struct lh_err *err)
{
	const struct sample *s;

	for (s = samples; s->name; s++) {
		lh_buf_reset(&j->text);
		lh_buf_puts(&j->text, s->text);
		lh_buf_reset(&j->want);
		lh_buf_puts(&j->want, s->expected ? s->expected : "");
		if (check_name(j, s->name, s->expected != NULL, err) < 0)
			return -1;
	}
	return 0;
}

/* Check folder/NAME.json below --samples, against folder/NAME.expected. */
static int check_sample_file(struct judge *j, const char *name, struct lh_err *err)
{
	char path[4096];
	const char *dir = j->a->s->samples;
	bool known;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (lh_file_read(path, &j->text, err) <= 0) {
		j->all++;
		add_fault(j, name, err->msg);
		return 0;
	}
	snprintf(path, sizeof path, "%s/%.*s.expected", dir, (int)strlen(name) - 5, name);
	known = lh_file_read(path, &j->want, err) > 0;
	if (known && j->want.len && j->want.p[j->want.len - 1] != '\n')
		lh_buf_putc(&j->want, '\n');
	return check_name(j, name, known, err);
}

static int is_sample(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 && !strcmp(d->d_name + n - 5, ".json");
}

static int by_bytes(const struct dirent **x, const struct dirent **y)
{
	return strcmp((*x)->d_name, (*y)->d_name);
}

static int check_folder(struct judge *j, const char *folder, struct lh_err *err)
{
	struct dirent **d = NULL;
	char path[4096], name[300];
	int i, n, rc = 0;

	snprintf(path, sizeof path, "%s/%s", j->a->s->samples, folder);
	n = scandir(path, &d, is_sample, by_bytes);
	if (n < 0) {
		lh_err_sys(err, "%s: cannot read", path);
		check_note(j->a, CHECK_VALIDATORS, "%s", err->msg);
		return check_is_finding(err) ? 0 : -1;
	}
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof name, "%s/%s", folder, d[i]->d_name);
		if (!rc)
			rc = check_sample_file(j, name, err);
		free(d[i]);
	}
	free(d);
	return rc;
}

static int check_all(struct judge *j, struct lh_err *err)
{
	int i, valid;

	if (!j->a->s->samples)
		return check_built_in(j, err);
	if (check_folder(j, "valid", err) < 0 || check_folder(j, "invalid", err) < 0)
		return -1;
	for (i = 0; i < NINE; i++)
		for (valid = 1; valid >= 0; valid--)
			if (!j->has[i][valid])
				check_note(j->a, CHECK_VALIDATORS, "no %s sample of %s",
					   valid ? "valid" : "invalid", lh_schema_name((size_t)i));
	return 0;
}

/* Run --test-command: 1 if it exits with 0, 0, -1. */
static int run_test_command(struct audit *a, struct lh_err *err)
{
	struct lh_child_how how = { .command = a->s->test_command, .keys = LH_KEYS_ALL,
				    .seconds = TEST_SECONDS };
	LH_SCOPED(lh_child_free) struct lh_child_out out;
	int rc = child_run(a, CHECK_VALIDATORS, &how, NULL, 0, &out, err);

	if (rc > 0 && out.status) {
		check_note(a, CHECK_VALIDATORS, "the test command ended with status %d%s%s",
			   out.status, *out.last_line ? ": " : "", out.last_line);
		rc = 0;
	}
	return rc;
}

int phase_samples(struct audit *a, struct lh_err *err)
{
	struct judge j = { .a = a };
	bool passed;
	int rc;

	if (a->s->observer) {
		check_skip(a, CHECK_VALIDATORS, OBSERVER);
		check_skip(a, CHECK_SAMPLES, OBSERVER);
		return 0;
	}
	rc = check_all(&j, err);
	passed = j.all && !j.wrong;
	if (!rc && a->s->test_command)
		rc = run_test_command(a, err);
	else if (!rc)
		rc = 1;
	check_set(a, CHECK_VALIDATORS, passed && rc > 0, VALIDATORS, "%u of %u", j.all - j.wrong,
		  j.all);
	check_set(a, CHECK_SAMPLES, j.counted >= ENOUGH, ">= 51", "%u", j.counted);
	lh_record_free(&j.rec);
	lh_buf_free(&j.text);
	lh_buf_free(&j.want);
	lh_buf_free(&j.found);
	lh_buf_free(&j.scratch);
	return rc < 0 ? -1 : 0;
}
