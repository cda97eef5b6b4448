/* filesearch.c - from a file to its index, step by step.  See filesearch.h. */
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal.h"
#include "embed/embedder.h"
#include "embed/hashv1.h"
#include "filesearch_parts.h"
#include "index/index_tools.h"
#include "proc/run.h"
#include "store/store.h"

/* ---- roots and states ---- */

/* Return whether a folder has a file of such a name. */
static bool has_named(const char *folder, const char *begins, const char *ends)
{
	const size_t b = strlen(begins), e = strlen(ends);
	DIR *d = opendir(folder);
	struct dirent *one;
	bool found = false;

	while (d && !found && (one = readdir(d))) {
		const size_t n = strlen(one->d_name);

		found = n >= b + e && !strncmp(one->d_name, begins, b) &&
			!strcmp(one->d_name + n - e, ends);
	}
	if (d)
		closedir(d);
	return found;
}

static bool has_state(const char *folder)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };

	lh_buf_printf(&path, "%s/data/_kb%c", folder, '\0');
	if (access(path.p, F_OK) == 0)
		return true;
	lh_buf_reset(&path);
	lh_buf_printf(&path, "%s/index%c", folder, '\0');
	if (access(path.p, F_OK) < 0)
		return false;
	return has_named(path.p, "", ".lhv") || has_named(folder, "roster", ".jsonl");
}

char *lh_filesearch_state(const char *path)
{
	char *at = realpath(path, NULL), *slash;

	for (; at; *slash = '\0') {
		if (has_state(at))
			return at;
		slash = strrchr(at, '/');
		if (!slash || slash == at)
			break;
	}
	free(at);
	return NULL;
}

/* ---- files ---- */

#define DIMENSION "384"		/* of hash-v3: with the words themselves, more finds nothing more */
#define BYTES_A_RECORD 500	/* of an index, about: its vector, id and words */

/* ---- operands ---- */

static bool has_index(const char *folder)
{
	struct lh_index_folder found;
	struct lh_err unused;
	bool any = false;

	if (lh_index_folder_read(&found, folder, &unused) == 0) {
		any = found.n;
		lh_index_folder_free(&found);
	}
	return any;
}

/* Return whether a folder is itself a root or a state. */
static bool is_state(const char *folder)
{
	LH_SCOPED(lh_free_local) char *state = lh_filesearch_state(folder),
				      *real = realpath(folder, NULL);

	return state && real && !strcmp(state, real);
}

bool lh_filesearch_is(const char *operand)
{
	struct stat st;
	bool is = true;
	int fd;

	if (!strcmp(operand, "-"))
		return true;
	if (stat(operand, &st) < 0 || lh_ends_with(operand, ".lhv"))
		return false;
	if (S_ISDIR(st.st_mode))
		return !has_index(operand) &&
		       (is_state(operand) || lh_source_has_text(operand));
	if (!S_ISREG(st.st_mode))
		return S_ISFIFO(st.st_mode);
	fd = open(operand, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0) {
		is = !lh_index_is(fd);
		close(fd);
	}
	return is;
}

/* ---- the index ---- */

/* Return whether the table of meaning of hash-v4 is there. */
static bool has_table(void)
{
	struct lh_err unused;
	struct lh_hashv1 *h = lh_hash_new(LH_HASHV4_MODEL, LH_HASHV1_DIM, &unused);

	lh_hashv1_free(h);
	return h;
}

/* Let lh-index make an index of the records in a file.  What a model has read is kept until all is
 * read, so that a run that is killed goes on. */
static int build(const struct lh_filesearch *f, const struct chosen *c, int in,
		 const struct kept *k, const struct lh_filesearch_how *how, struct lh_err *err)
{
	const char *template = lh_chosen_template(c), *index = f->index;
	const bool table = !f->by_model && !how->hash && has_table();
	const char *hash = how->hash ? how->hash : table ? LH_HASHV4_MODEL : LH_HASHV3_MODEL;
	const bool kept = f->by_model && k->index && !strcmp(f->index, k->index);
	LH_SCOPED(lh_free_local) char *vectors = kept ? lh_kept_vectors(k) : NULL,
				      *env = lh_format("LH_EMBED_CACHE=%s", vectors ? vectors : "");
	char *set[] = { kept ? env : NULL, NULL };
	char *argv[] = {
		(char *)"lh-index", (char *)"build",
		(char *)(f->by_model ? "--engine=gguf" : "--engine=hash"), (char *)"--model",
		(char *)(f->by_model ? how->model : hash),
		(char *)(f->by_model || !strcmp(hash, LH_HASHV4_MODEL) ? "--truncate" :
			 "--dimension=" DIMENSION),
		(char *)"--precision=i8",
		(char *)"--exact-below=1000000000", (char *)"--lexical", (char *)"--allow-empty",
		(char *)"--force",	/* a damaged one is replaced */
		(char *)"--max-line=2G", (char *)"--id-field=" ID_MEMBER,
		(char *)(template ? "--template" : "--field"),
		(char *)(template ? template : TEXT_MEMBER),
		(char *)(how->progress ? "--progress=auto" : "--progress=never"),
		(char *)(how->quiet ? "-q" : "--on-error=skip"), (char *)"--", (char *)index,
		NULL
	};
	LH_SCOPED(lh_child_free) struct lh_child_out out = { .status = 0 };
	int to = lh_store_spool(err), rc;
	mode_t mask;

	if (to < 0)
		return -1;
	mask = umask(077);
	rc = lh_child_run(&(struct lh_child_how){ .argv = argv, .env = set, .in = in, .to = to },
			  NULL, 0, &out, err);
	umask(mask);
	close(to);
	if (!rc && !out.status && vectors)
		unlink(vectors);
	return !rc && out.status ? lh_err_set(err, LH_EIO, "no index was made") : rc;
}

/* Choose where the index of the records is made: 1 if it is there already. */
static int place(struct lh_filesearch *f, struct kept *k, const char *file, int records,
		 const struct lh_filesearch_how *how, struct lh_err *err)
{
	struct lh_buf path = { 0 };
	struct lh_err why;
	struct stat st;
	int rc = -1;

	if (how->index) {
		f->index = lh_strndup(how->index, strlen(how->index));
		return 0;
	}
	if (k->index && f->records >= LH_FILESEARCH_KEPT && lh_kept_fits(k, file) &&
	    fstat(records, &st) == 0) {
		rc = lh_kept_begin(k, f->records * BYTES_A_RECORD + 2 * (uint64_t)st.st_size, f,
				   &why);
		if (rc < 0 && why.code == LH_EINTR)
			return lh_err_set(err, LH_EINTR, "interrupted");
		if (rc < 0)
			lh_buf_printf(&f->warning, "%snot kept: %s", f->warning.len ? "; " : "",
				      why.msg);
		if (!rc)
			f->index = lh_strndup(k->index, strlen(k->index));
	}
	if (rc >= 0)
		return rc;
	if (lh_tmpdir_make(&f->dir, "lh-search", err) < 0)
		return -1;
	lh_buf_printf(&path, "%s/records.lhv%c", f->dir.path, '\0');
	f->index = path.p;
	return 0;
}

/* Choose whether the model reads all records.  One that cannot be used is named, and not used,
 * unless it is to read all. */
static int choose_model(struct lh_filesearch *f, const struct chosen *c,
			const struct lh_filesearch_how *how, struct lh_err *err)
{
	const bool any = !isfinite(how->within);
	double seconds = 0;

	if (!how->model || !f->records)
		return 0;
	if (!any && lh_sample_seconds(lh_chosen_sample(c), how, &seconds, err) < 0) {
		if (err->code == LH_EINTR)
			return -1;
		*err = (struct lh_err){ 0 };	/* whoever asks it next reports that */
		return 0;
	}
	f->by_model = any || seconds <= how->within;
	return 0;
}

/* Read the records, choose, and make the index. */
static int make(struct lh_filesearch *f, struct kept *k, const char *file, int fd[2],
		const struct lh_filesearch_how *how, struct lh_err *err)
{
	struct chosen *c = NULL;
	int rc;

	fd[0] = lh_store_spool(err);
	fd[1] = fd[0] < 0 ? -1 : lh_store_spool(err);
	rc = fd[1] < 0 ? -1 : lh_source_read(file, how, fd[0], f, err);
	if (!rc)
		rc = (c = lh_chosen_new(fd[0], file, how, f, err)) ? 0 : -1;
	if (!rc)
		rc = lh_chosen_write(c, fd[0], fd[1], f, err);
	if (!rc)
		rc = choose_model(f, c, how, err);
	if (!rc)
		rc = place(f, k, file, fd[1], how, err);
	if (!rc)
		rc = build(f, c, fd[1], k, how, err);
	if (rc < 0 && f->by_model && isfinite(how->within) && err->code == LH_EIO) {
		f->by_model = false;	/* lh-index has said why */
		rc = build(f, c, fd[1], k, how, err);
	}
	if (c)
		lh_chosen_free(c);
	return rc < 0 ? -1 : 0;
}

int lh_filesearch_open(struct lh_filesearch *f, const char *file,
		       const struct lh_filesearch_how *how, struct lh_err *err)
{
	const bool was = lh_signal_deferred();
	int fd[2] = { -1, -1 }, rc = 0;
	struct kept k;

	*f = (struct lh_filesearch){ .dir = { NULL, -1 } };
	if (is_state(file))
		return lh_err_set(err, LH_EUSAGE, "%s is a root or a state, whose data belong in "
				  "no cache: lh-search %s/index searches its indexes", file, file);
	lh_signal_defer(true);
	if (!lh_kept_find(&k, file, how, f))
		rc = make(f, &k, file, fd, how, err);
	lh_signal_defer(was);
	if (fd[0] >= 0)
		close(fd[0]);
	if (fd[1] >= 0)
		close(fd[1]);
	lh_kept_free(&k);
	if (rc < 0)
		return lh_err_prefix(err, "%s", file);
	if (f->records > LH_FILESEARCH_MANY)
		lh_buf_printf(&f->warning, "%s%llu records: lh-index build makes an index that "
			      "answers sooner", f->warning.len ? "; " : "",
			      (unsigned long long)f->records);
	lh_buf_putc(&f->said, '\0');
	if (f->warning.len)
		lh_buf_putc(&f->warning, '\0');
	return 0;
}

void lh_filesearch_close(struct lh_filesearch *f)
{
	lh_tmpdir_remove(&f->dir, &(struct lh_err){ 0 });
	lh_buf_free(&f->said);
	lh_buf_free(&f->warning);
	free(f->index);
}
