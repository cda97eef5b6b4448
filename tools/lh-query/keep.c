/*
 * keep.c - lh-query --keep: the rows of a query as a dataset, with where they come from.
 *
 * The rows go to a file without a name.  When all are there, lh-ingest keeps it, as any table; its
 * manifest then has the statement as "lineage", with the tables that it used and what they were.
 */
#include <fcntl.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "json/write.h"
#include "manifest/manifest.h"
#include "proc/coproc.h"
#include "proc/run.h"
#include "query.h"
#include "store/store.h"

static int write_digest(struct lh_writer *w, const char *path, struct lh_err *err)
{
	struct lh_file_digest is;
	char hex[LH_SHA256_HEX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 ? lh_err_sys(err, "cannot open") : lh_digest_read(fd, UINT64_MAX, &is, err);

	if (fd >= 0)
		close(fd);
	if (rc < 0)
		return -1;
	lh_hex(is.sha256, sizeof is.sha256, hex);
	lh_write_object(w, NULL);
	lh_write_u64(w, "bytes", is.bytes);
	lh_write_str(w, "sha256", (struct lh_str){ hex, sizeof hex });
	lh_write_end(w);
	return 0;
}

/* Write what a dataset was by its objects, and what another table was by its files. */
static int write_input(struct lh_writer *w, struct table *t, struct lh_err *err)
{
	char hex[LH_SHA256_HEX];
	struct lh_stamp now;
	size_t i;
	int rc = 0;

	lh_write_object(w, NULL);
	lh_write_text(w, "table", t->name);
	lh_write_bytes(w, t->dataset ? "dataset" : "file", t->path);
	if (t->inner)
		lh_write_bytes(w, "inner", t->inner);
	lh_write_array(w, t->dataset ? "objects" : "files");
	for (i = 0; t->dataset && i < t->n_objects; i++) {
		lh_write_object(w, NULL);
		lh_write_text(w, "key", t->object[i].key);
		lh_hex(t->object[i].sha256, sizeof t->object[i].sha256, hex);
		if (t->object[i].has_sha256)
			lh_write_str(w, "sha256", (struct lh_str){ hex, sizeof hex });
		lh_write_end(w);
	}
	for (i = 0; !t->dataset && !rc && i < t->files.n; i++)
		rc = write_digest(w, t->files.path[i], err);
	lh_stamp_take(&now, t->path);	/* one that was written just before is no other */
	if (!rc && !t->dataset && t->files.fd[0] < 0 && !t->stamp.stream &&
	    !lh_stamp_same(&t->stamp, &now))
		rc = lh_err_set(err, LH_EIO, "was changed while it was read");
	lh_write_end(w);
	lh_write_end(w);
	return rc < 0 ? lh_err_prefix(err, "%s", t->path) : 0;
}

/* Write the lineage to a file without a name: its descriptor; *persons: a table is of persons. */
static int write_lineage(struct query *q, bool *persons, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(&text);
	int fd = lh_store_spool(err), rc = fd < 0 ? -1 : 0;
	size_t i;

	*persons = false;
	lh_write_object(&w, NULL);
	lh_write_text(&w, "sql", q->tool->operands[0]);
	lh_write_array(&w, "inputs");
	for (i = 0; !rc && i < q->n_tables; i++) {
		if (!q->table[i].in_use)
			continue;
		*persons |= table_of_persons(q, &q->table[i]);
		rc = write_input(&w, &q->table[i], err);
	}
	lh_write_end(&w);
	lh_write_end(&w);
	if (!rc)
		rc = lh_write_all(fd, text.p, text.len, err);
	if (rc < 0 && fd >= 0)
		close(fd);
	return rc < 0 ? -1 : fd;
}

static int ingest(struct query *q, int rows, int out, struct lh_err *err)
{
	const struct settings *s = q->s;
	LH_SCOPED(lh_child_free) struct lh_child_out child = { .status = 0 };
	char lineage[40], *argv[24] = {
		(char *)"lh-ingest", (char *)"--jsonl", (char *)"--progress=never",
		(char *)"--catalog", (char *)s->catalog, (char *)"--store", (char *)s->store,
		(char *)"--name", (char *)s->keep, (char *)"--lineage", lineage,
	};
	size_t n = 11;
	bool persons;
	int fd = write_lineage(q, &persons, err), rc = fd < 0 ? -1 : 0;

	snprintf(lineage, sizeof lineage, "/proc/%d/fd/%d", (int)getpid(), fd);
	if (!s->force)
		argv[n++] = (char *)"--new";
	if (persons)
		argv[n++] = (char *)"--of-persons";
	if (q->tool->quiet)
		argv[n++] = (char *)"--quiet";
	if (q->tool->now) {
		argv[n++] = (char *)"--now";
		argv[n++] = (char *)q->tool->now;
	}
	if (!rc)
		rc = lh_child_run(&(struct lh_child_how){ .argv = argv, .keys = LH_KEYS_STORE,
			.in = rows, .to = out }, NULL, 0, &child, err);
	if (fd >= 0)
		close(fd);
	if (!rc && child.status == 1)
		lh_tool_verdict_bad(q->tool);
	else if (!rc && child.status)
		rc = lh_err_set(err, LH_EIO, "the rows are not kept: lh-ingest ended with status "
				"%d", child.status);
	return rc;
}

int keep_rows(struct query *q, int (*answer)(struct query *q))
{
	struct lh_err *err = &q->tool->err;
	int rows = lh_store_spool(err);
	int out = rows < 0 ? -1 : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	int rc = out < 0 || dup2(rows, STDOUT_FILENO) < 0 ? -1 : 0;

	if (rc < 0 && rows >= 0)
		lh_err_sys(err, "standard output");
	if (!rc) {
		rc = answer(q);
		if (lh_tool_flush(q->tool) < 0)		/* also what a query that failed had */
			rc = -1;
		if (dup2(out, STDOUT_FILENO) < 0)
			rc = lh_err_sys(err, "standard output");
		if (!rc && !q->stopped)
			rc = ingest(q, rows, out, err);
	}
	if (rows >= 0)
		close(rows);
	if (out >= 0)
		close(out);
	return rc;
}
