/* stderr_tail.c - the end of a child's stderr.  See coproc.h. */
#include "coproc.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void lh_stderr_tail_end(struct lh_stderr_tail *w)
{
	if (w->line && w->open)
		w->line(w->owner, w->text + w->n - w->open, w->open);
	w->open = 0;
}

ssize_t lh_stderr_tail_read(struct lh_stderr_tail *w, int fd)
{
	char text[sizeof w->text];
	ssize_t n = read(fd, text, sizeof text);
	size_t stay;

	if (n <= 0)
		return n;
	if (w->open + (size_t)n > sizeof text)
		lh_stderr_tail_end(w);	/* a piece: there is no room for the whole line */
	stay = sizeof text - (size_t)n < w->n ? sizeof text - (size_t)n : w->n;
	memmove(w->text, w->text + w->n - stay, stay);
	memcpy(w->text + stay, text, (size_t)n);
	w->n = stay + (size_t)n;
	if (w->line) {
		const char *p, *lf;

		w->open += (size_t)n;
		/* Pass on the lines that are complete. */
		p = w->text + w->n - w->open;
		while (w->open && (lf = memchr(p, '\n', w->open)) != NULL) {
			w->line(w->owner, p, (size_t)(lf - p));
			w->open -= (size_t)(lf + 1 - p);
			p = lf + 1;
		}
	}
	return n;
}

void lh_stderr_tail_drain(struct lh_stderr_tail *w, int fd)
{
	int left = 0, takes;

	if (fd < 0 || ioctl(fd, FIONREAD, &left) < 0)
		return;
	for (takes = left / (int)sizeof w->text + 1;
	     takes && ioctl(fd, FIONREAD, &left) == 0 && left > 0; takes--)
		if (lh_stderr_tail_read(w, fd) <= 0)
			return;
}

void lh_stderr_tail_last_line(const struct lh_stderr_tail *w, const char *name, char *to,
			      size_t size)
{
	size_t n = w->n, len = strlen(name);
	const char *p = w->text, *lf;

	while (n && p[n - 1] == '\n')
		n--;
	lf = n ? memrchr(p, '\n', n) : NULL;
	if (lf) {
		n -= (size_t)(lf + 1 - p);
		p = lf + 1;
	}
	if (n > len + 1 && memcmp(p, name, len) == 0 && memcmp(p + len, ": ", 2) == 0) {
		p += len + 2;
		n -= len + 2;
	}
	snprintf(to, size, "%.*s", (int)n, p);
}
