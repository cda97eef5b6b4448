/* doctor_add.c - the findings of lh doctor.  See doctor.h. */
#include "doctor.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

void doctor_add(struct doctor *d, enum doctor_state state, const char *check, const char *subject,
		const char *detail, ...)
{
	struct finding f = { .state = state, .check = check };
	va_list ap;
	char text[2048];

	va_start(ap, detail);
	vsnprintf(text, sizeof text, detail, ap);
	va_end(ap);
	if (d->rc < 0 || lh_grow(&d->v, &d->cap, d->n + 1, sizeof *d->v, d->err) < 0) {
		d->rc = -1;
		return;
	}
	f.subject = lh_strndup(subject, strlen(subject), d->err);
	f.detail = lh_strndup(text, strlen(text), d->err);
	d->v[d->n++] = f;
	if (!f.subject || !f.detail)
		d->rc = -1;
}
