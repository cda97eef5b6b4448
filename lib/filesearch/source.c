/* source.c - files of any kind as lines of records.  See filesearch_parts.h. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "archive/archive.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "base/signal.h"
#include "filesearch_parts.h"
#include "json/write.h"
#include "proc/run.h"
#include "store/store.h"

#define PIECE 65536
#define TEXT_MAX ((size_t)4 << 20)	/* bytes of a text in a folder */
#define TEXTS_MAX 1000000		/* texts in a folder */
#define TEXT_MOST ((size_t)256 << 20)	/* of one that is divided */
#define DEPTH_MAX 64			/* folders in folders */

/* ---- texts ---- */

struct texts {
	int fd;				/* -1: look only whether there is one */
	size_t root;			/* bytes of the folder's path, with the slash after it */
	struct lh_buf out, text;
	uint64_t n, skipped;
	struct lh_err *err;
};

/* Append a record, and write records when there are enough or all. */
static void put_text(struct texts *t, uint64_t line, const char *id, struct lh_str text)
{
	struct lh_writer w = lh_write_to(&t->out);

	lh_write_object(&w, NULL);
	lh_write_u64(&w, LINE_MEMBER, line);
	if (id)
		lh_write_text(&w, "id", id);
	lh_write_str(&w, "text", text);
	lh_write_end(&w);
	lh_buf_putc(&t->out, '\n');
}

static int write_texts(struct texts *t, size_t at_least)
{
	int rc = 0;

	if (t->out.len >= at_least) {
		rc = lh_write_all(t->fd, t->out.p, t->out.len, t->err);
		lh_buf_reset(&t->out);
	}
	if (!rc && lh_stopping())
		rc = lh_err_set(t->err, LH_EINTR, "interrupted");
	return rc;
}

static bool is_text(struct lh_str s)
{
	return s.n && !memchr(s.p, '\0', s.n) && lh_utf8_valid(s.p, s.n);
}

static bool is_html(const char *file)
{
	return lh_archive_named(file, ".html") || lh_archive_named(file, ".htm");
}

static void strip_tags(struct lh_buf *b);
static int walk(struct texts *t, const char *folder, unsigned depth);

/* Take a file or folder below the folder. */
static int walk_entry(struct texts *t, const char *path, unsigned depth)
{
	struct lh_err unused;
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
		return walk(t, path, depth + 1);
	if (!S_ISREG(st.st_mode) || t->n >= TEXTS_MAX)
		return 0;
	lh_buf_free(&t->text);
	lh_buf_init(&t->text, TEXT_MAX);
	if (lh_file_read(path, &t->text, &unused) <= 0 ||
	    !is_text((struct lh_str){ t->text.p, t->text.len }) ||
	    !lh_utf8_valid(path, strlen(path))) {
		t->skipped++;
		return 0;
	}
	t->n++;
	if (t->fd < 0)
		return 1;
	if (is_html(path))
		strip_tags(&t->text);
	put_text(t, t->n, path + t->root, (struct lh_str){ t->text.p, t->text.len });
	return write_texts(t, PIECE);
}

/* Take what is in a folder, by name; 1 if that is enough. */
static int walk(struct texts *t, const char *folder, unsigned depth)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };
	struct dirent **e = NULL;
	int n = scandir(folder, &e, NULL, alphasort), i, rc = 0;

	for (i = 0; i < n; i++) {
		if (!rc && e[i]->d_name[0] != '.') {
			lh_buf_reset(&path);
			lh_buf_printf(&path, "%s/%s%c", folder, e[i]->d_name, '\0');
			rc = walk_entry(t, path.p, depth);
		}
		free(e[i]);
	}
	free(e);
	return n < 0 && !depth ? lh_err_sys(t->err, "%s", folder) : rc;
}

static int read_folder(struct texts *t, const char *folder)
{
	size_t n = strlen(folder);
	LH_SCOPED(lh_free_local) char *path = NULL;
	int rc;

	while (n > 1 && folder[n - 1] == '/')
		n--;
	path = lh_strndup(folder, n);
	t->root = n + 1;
	rc = walk(t, path, 0);
	lh_buf_free(&t->text);
	return rc;
}

bool lh_source_has_text(const char *folder)
{
	struct lh_err unused;
	struct texts t = { .fd = -1, .err = &unused };

	return read_folder(&t, folder) == 1;
}

/* Return where a tag ends that begins at i. */
static size_t tag_end(const struct lh_buf *b, size_t i)
{
	while (i < b->len && b->p[i] != '>')
		i++;
	return i < b->len ? i + 1 : i;
}

static bool is_tag(const struct lh_buf *b, size_t i, const char *name)
{
	const size_t n = strlen(name);

	return b->len - i > n && !strncasecmp(b->p + i, name, n);
}

/* Remove the tags of HTML, and what is in scripts and styles, but no line end; a run of blanks
 * becomes one. */
static void strip_tags(struct lh_buf *b)
{
	const char *ends = NULL;	/* what ends a part that is not shown */
	size_t i, j, to = 0;

	for (i = 0; i < b->len; i = j) {
		bool tag = b->p[i] == '<' && (!ends || is_tag(b, i, ends));

		j = tag ? tag_end(b, i) : i + 1;
		if (tag)
			ends = ends ? NULL : is_tag(b, i, "<script") ? "</script" :
			       is_tag(b, i, "<style") ? "</style" : NULL;
		for (; i < j; i++) {
			char c = b->p[i] == '\n' || !(tag || ends || lh_is_blank(b->p[i])) ?
				 b->p[i] : ' ';

			if (c != ' ' || !to || (b->p[to - 1] != ' ' && b->p[to - 1] != '\n'))
				b->p[to++] = c;
		}
	}
	b->len = to;
}

/* Take a line that is not blank. */
static void put_line(struct texts *t, uint64_t number, struct lh_str line)
{
	line.n -= line.n && line.p[line.n - 1] == '\r';
	if (is_text(line))
		put_text(t, number, NULL, line);
	else
		t->skipped += line.n > 0;
}

/* Take the passages of a text, each as a record with the line on which it begins; 1: it is not
 * UTF-8, and its lines were taken. */
static int read_passages(struct texts *t, struct lh_byte_source *s, bool html)
{
	struct passages passages = { NULL };
	struct lh_str rest, line;
	uint64_t number = 0;
	ssize_t got = 1;
	size_t i;
	int rc = 0;

	lh_buf_reset(&t->text);
	while (got > 0 && t->text.len <= TEXT_MOST) {
		got = lh_byte_source_read(s, lh_buf_room(&t->text, PIECE), PIECE, t->err);
		lh_buf_took(&t->text, got > 0 ? (size_t)got : 0);
	}
	if (got < 0)
		rc = -1;
	else if (got > 0)
		rc = lh_err_set(t->err, LH_EIO, "a text of more than %d MiB: --lines takes each of "
				"its lines as a record", (int)(TEXT_MOST >> 20));
	rest = (struct lh_str){ t->text.p, t->text.len };
	if (!rc && rest.n && !is_text(rest)) {
		while (lh_next_line(&rest, &line))
			put_line(t, ++number, line);
		return 1;
	}
	if (!rc && html)
		strip_tags(&t->text);
	if (!rc)
		lh_passages((struct lh_str){ t->text.p, t->text.len }, &passages);
	for (i = 0; !rc && i < passages.n; i++) {
		if (lh_trim(passages.v[i].text.p, passages.v[i].text.n).n)
			put_text(t, passages.v[i].line, NULL, passages.v[i].text);
		rc = write_texts(t, PIECE);
	}
	free(passages.v);
	return rc;
}

/* Take each line that is not blank. */
static int read_lines(struct texts *t, struct lh_byte_source *s)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	struct lh_str rest, line;
	uint64_t number = 0;
	ssize_t got = 1;
	int rc = 0;

	while (!rc && got > 0) {
		got = lh_byte_source_read(s, lh_buf_room(&b, PIECE), PIECE, t->err);
		if (got < 0)
			rc = -1;
		lh_buf_took(&b, got > 0 ? (size_t)got : 0);
		rest = (struct lh_str){ b.p, b.len };
		while (!rc && (got <= 0 || b.len > TEXT_MAX || memchr(rest.p, '\n', rest.n)) &&
		       lh_next_line(&rest, &line)) {
			put_line(t, ++number, line);
		}
		rc = rc < 0 ? rc : write_texts(t, PIECE);
		memmove(b.p, rest.p, rest.n);
		b.len = rest.n;
	}
	return rc;
}

/* ---- JSON that is not lines ---- */

struct divide {			/* JSON text, of which each element becomes a line */
	unsigned depth, base;	/* base: of the elements: 1 in an array */
	bool string, escape, any, ended;
	struct lh_buf out;
};

/* Take a character; false for one after the end of the array. */
static bool divide_char(struct divide *d, char c)
{
	bool blank = strchr(" \t\r\n", c) && c;

	if (d->ended)
		return blank;
	if (d->string) {
		d->string = d->escape || c != '"';
		d->escape = !d->escape && c == '\\';
	} else if (c == '[' || c == '{') {
		if (d->depth++ < d->base)
			return true;
	} else if (c == ']' || c == '}') {
		d->depth -= d->depth > 0;
		d->ended = d->depth < d->base;
	} else {
		d->string = c == '"';
	}
	if (d->ended || (d->depth == d->base && !d->string && c == ',')) {
		lh_buf_puts(&d->out, "\n");
		return true;
	}
	if (d->string || !blank)
		lh_buf_putc(&d->out, c);
	else if (d->depth > d->base)
		lh_buf_putc(&d->out, ' ');
	if (!d->base && !d->depth && c == '}')
		lh_buf_putc(&d->out, '\n');
	return true;
}

/* Write the elements of an array, or objects that have several lines, as lines. */
static int divide_all(struct lh_byte_source *s, bool array, int to, struct lh_err *err)
{
	struct divide d = { .base = array };
	char piece[PIECE];
	ssize_t got, i;
	int rc = 0;

	while (!rc && (got = lh_byte_source_read(s, piece, sizeof piece, err)) != 0) {
		for (i = d.any ? 0 : (ssize_t)lh_mark_len(piece, got > 0 ? (size_t)got : 0);
		     !rc && i < got; i++)
			if (!divide_char(&d, piece[i]))
				rc = lh_err_set(err, LH_EIO, "there is text after the array");
		d.any = true;
		rc = got < 0 ? -1 : rc;
		if (!rc)
			rc = lh_write_all(to, d.out.p, d.out.len, err);
		lh_buf_reset(&d.out);
		if (!rc && lh_stopping())
			rc = lh_err_set(err, LH_EINTR, "interrupted");
	}
	if (!rc && array && !d.ended)
		rc = lh_err_set(err, LH_EIO, "the array does not end");
	lh_buf_free(&d.out);
	return rc;
}

/* ---- files ---- */

/* Let lh-ingest write the records of a file, or of its stdin, to fd. */
static int ingest(const char *file, bool lines, int in, int to,
		  const struct lh_filesearch_how *how, struct lh_filesearch *f, struct lh_err *err)
{
	char *argv[] = { (char *)"lh-ingest", (char *)"--line", (char *)LINE_MEMBER,
			 (char *)(how->progress ? "--progress=auto" : "--progress=never"),
			 (char *)(lines ? "--jsonl" : how->quiet ? "-q" : "--on-error=skip"),
			 (char *)"--", (char *)file, NULL };
	LH_SCOPED(lh_child_free) struct lh_child_out out = { .status = 0 };

	if (lh_child_run(&(struct lh_child_how){ .argv = argv, .in = in, .to = to }, NULL, 0, &out,
			 err) < 0)
		return -1;
	f->rejected |= out.status == 1;
	return out.status > 1 ? lh_err_set(err, LH_EIO, "it has no records that can be read") : 0;
}

/* Copy what can be read once to a file. */
static int spool(int from, struct lh_err *err)
{
	char piece[PIECE];
	ssize_t got = 0;
	int to = lh_store_spool(err);

	while (to >= 0 && (got = lh_read_some(from, piece, sizeof piece, err)) > 0)
		if (lh_write_all(to, piece, (size_t)got, err) < 0 || lh_stopping())
			break;
	if (to >= 0 && got) {
		close(to);
		return lh_stopping() ? lh_err_set(err, LH_EINTR, "interrupted") : -1;
	}
	return to;
}

enum form { TABLE, ARRAY, OBJECTS, TEXT };

/* Return what a file is by its first bytes, for what lh-ingest does not read. */
static enum form form_of(const char *file, struct lh_str head)
{
	static const char *const texts[] = { ".txt", ".text", ".md", ".log", ".rst", ".html",
					     ".htm", ".mbox", NULL };
	size_t i = lh_mark_len(head.p, head.n);

	while (i < head.n && strchr(" \t\r\n", head.p[i]) && head.p[i])
		i++;
	if (i < head.n && head.p[i] == '[')
		return ARRAY;
	if (i < head.n && head.p[i] == '{') {
		for (i++; i < head.n && strchr(" \t\r", head.p[i]) && head.p[i]; i++)
			;
		return i < head.n && head.p[i] == '\n' ? OBJECTS : TABLE;
	}
	for (i = 0; texts[i]; i++)
		if (lh_archive_named(file, texts[i]))
			return TEXT;
	/* a pipe has no name: words without a delimiter are a text, one word heads a column */
	for (i = 0; i < head.n && !strchr("\n,;|\t", head.p[i]); i++)
		;
	return !strcmp(file, "-") && memchr(head.p, ' ', i) && (i == head.n || head.p[i] == '\n') ?
		       TEXT : TABLE;
}

static void count_skipped(struct texts *t, const char *what, struct lh_filesearch *f)
{
	if (t->skipped)
		lh_buf_printf(&f->warning, "%s skipped: not a text in UTF-8",
			      LH_N(t->skipped, what));
	lh_buf_free(&t->out);
	lh_buf_free(&t->text);
}

/* Write the records of a file open as in, or of its path where that is possible. */
static int read_file(const char *file, int in, bool once, int to,
		     const struct lh_filesearch_how *how, struct lh_filesearch *f,
		     struct lh_err *err)
{
	struct texts t = { .fd = to, .err = err };
	struct lh_byte_source s = { .file = NULL };
	struct lh_str head = { "", 0 };
	enum form form = TABLE;
	int rc, lines = -1;
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", in);
	rc = lh_byte_source_open(&s, path, err);
	s.file = file;
	if (!rc)
		rc = lh_byte_source_next(&s, err);
	if (rc > 0)
		rc = lh_byte_source_peek(&s, &head, err);
	if (!rc)
		form = form_of(file, head);
	if (!rc && form == TEXT && !how->lines && strcmp(file, "-") &&
	    !lh_archive_named(file, ".log")) {
		f->texts = true;
		do {
			rc = read_passages(&t, &s, is_html(file));
			f->texts &= rc != 1;
			rc = rc < 0 || write_texts(&t, 1) < 0 ? -1 : lh_byte_source_next(&s, err);
		} while (rc > 0);
		count_skipped(&t, "line", f);
	} else if (!rc && form == TEXT) {
		do
			rc = read_lines(&t, &s) < 0 || write_texts(&t, 1) < 0 ? -1 :
				     lh_byte_source_next(&s, err);
		while (rc > 0);
		count_skipped(&t, "line", f);
	} else if (!rc && form != TABLE) {
		lines = lh_store_spool(err);
		rc = lines < 0 ? -1 : divide_all(&s, form == ARRAY, lines, err);
	}
	lh_byte_source_close(&s);
	if (!rc && form != TEXT)
		rc = ingest(once || lines >= 0 ? "-" : file, lines >= 0, lines >= 0 ? lines : in,
			    to, how, f, err);
	if (lines >= 0)
		close(lines);
	return rc;
}

int lh_source_read(const char *file, const struct lh_filesearch_how *how, int fd,
		   struct lh_filesearch *f, struct lh_err *err)
{
	struct texts t = { .fd = fd, .err = err };
	bool from_stdin = strcmp(file, "-") == 0, once;
	int in = from_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC), spooled = -1, rc;
	struct stat st;

	if (in < 0 || fstat(in, &st) < 0)
		return lh_err_sys(err, "cannot open");
	if (S_ISDIR(st.st_mode)) {
		f->texts = f->folder = true;
		rc = read_folder(&t, file) < 0 || write_texts(&t, 1) < 0 ? -1 : 0;
		count_skipped(&t, "file", f);
	} else {
		once = from_stdin || !S_ISREG(st.st_mode);
		spooled = once ? spool(in, err) : -1;
		rc = once && spooled < 0 ? -1 : fstat(once ? spooled : in, &st);
		if (!rc && st.st_size)
			rc = read_file(file, once ? spooled : in, once, fd, how, f, err);
	}
	if (spooled >= 0)
		close(spooled);
	if (!from_stdin)
		close(in);
	return rc;
}
