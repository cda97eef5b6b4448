/* subject.c - the file names of a subject.  See lh/subject.h. */
#include <lh/subject.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <lh/digest.h>
#include "file/file.h"
#include "base/mem.h"

#define HASH_HEX 12

static bool is_name_byte(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

static bool is_name(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n && is_name_byte((unsigned char)p[i]); i++)
		;
	return i == n;
}

int lh_subject_name(char name[LH_SUBJECT_MAX + 1], const char *p, size_t n, struct lh_err *err)
{
	unsigned char sum[32];
	size_t i;

	if (!n)
		return lh_err_set(err, LH_EDATA, "candidate_id is empty");
	if (n > LH_SUBJECT_ID_MAX)
		return lh_err_set(err, LH_EDATA, "candidate_id is too long: over %d bytes",
				  LH_SUBJECT_ID_MAX);
	for (i = 0; i < n; i++)
		name[i] = is_name_byte((unsigned char)p[i]) ? p[i] : '_';
	name[n] = '\0';
	if (*name == '.')
		return lh_err_set(err, LH_EDATA, "candidate_id \"%s\" begins with a dot", name);
	if (is_name(p, n))
		return 0;
	lh_sha256(p, n, sum);
	name[n] = '~';
	lh_hex(sum, HASH_HEX / 2, name + n + 1);
	name[n + 1 + HASH_HEX] = '\0';
	return 0;
}

bool lh_subject_plain_name(char name[LH_SUBJECT_MAX + 1], const char *p, size_t n)
{
	size_t i, len = 0;

	for (i = 0; i < n && len <= LH_SUBJECT_ID_MAX; i++)
		/* else a continuation byte of a code point */
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			name[len++] = is_name_byte((unsigned char)p[i]) ? p[i] : '_';
	name[len] = '\0';
	return len && len <= LH_SUBJECT_ID_MAX && *name != '.' && !is_name(p, n);
}

bool lh_subject_named(const char *name, const char *p, size_t n)
{
	char own[LH_SUBJECT_MAX + 1];
	struct lh_err none;

	if (lh_subject_plain_name(own, p, n) && strcmp(own, name) == 0)
		return true;
	return lh_subject_name(own, p, n, &none) == 0 && strcmp(own, name) == 0;
}

bool lh_subject_of_path(char name[LH_SUBJECT_MAX + 1], const char *path, const char *suffix)
{
	const char *slash = strrchr(path, '/'), *from = slash ? slash + 1 : path;
	size_t n = strlen(from), m = strlen(suffix);

	if (n <= m || n - m > LH_SUBJECT_MAX || strcmp(from + n - m, suffix) != 0)
		return false;
	memcpy(name, from, n - m);
	name[n - m] = '\0';
	return true;
}

char *lh_subject_path(const char *dir, const char *name, const char *suffix)
{
	struct lh_buf b = { 0 };

	lh_buf_puts(&b, dir);
	if (b.len && b.p[b.len - 1] != '/')
		lh_buf_putc(&b, '/');
	lh_buf_puts(&b, name);
	lh_buf_add(&b, suffix, strlen(suffix) + 1);
	return b.p;
}

int lh_subject_make_dir(const char *dir, struct lh_err *err)
{
	struct stat st;

	if (lh_own_mkdirs(dir, 0700, err) < 0)
		return -1;
	return stat(dir, &st) == 0 && !S_ISDIR(st.st_mode)
		? lh_err_set(err, LH_EIO, "%s: not a folder", dir) : 0;
}

static void add_name(struct lh_subject_list *l, const char *file, const char *suffix)
{
	char name[LH_SUBJECT_MAX + 1];

	if (*file == '.' || !lh_subject_of_path(name, file, suffix))
		return;
	lh_grow(&l->name, &l->cap, l->n + 1, sizeof *l->name);
	l->name[l->n] = lh_strndup(name, strlen(name));
	l->n++;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int lh_subject_list(struct lh_subject_list *l, const char *dir, const char *suffix,
		    struct lh_err *err)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int rc = 0;

	*l = (struct lh_subject_list){ NULL, 0, 0 };
	if (!d)
		return lh_err_sys(err, "%s", dir);
	while (!rc && (errno = 0, e = readdir(d)))
		add_name(l, e->d_name, suffix);
	if (!rc && errno)
		rc = lh_err_sys(err, "%s: cannot read", dir);
	closedir(d);
	if (rc < 0)
		lh_subject_list_free(l);
	else if (l->n)
		qsort(l->name, l->n, sizeof *l->name, by_bytes);
	return rc;
}

void lh_subject_list_free(struct lh_subject_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->name[i]);
	free(l->name);
	*l = (struct lh_subject_list){ NULL, 0, 0 };
}
