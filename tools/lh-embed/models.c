/* models.c - the models of a run.  See models.h. */
#include "models.h"

#include <stdlib.h>
#include <string.h>

#include <lh/buf.h>
#include "base/mem.h"

/* Return a text that is the same for runs whose models of the same name make the same
 * vectors. */
static char *what_makes(const struct embed *e)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

	lh_buf_puts(&b, e->engine->name);
	if (e->fast)
		lh_buf_puts(&b, "-fast");
	if (e->truncate && e->engine == &engine_ollama)	/* which does not say what it cut */
		lh_buf_puts(&b, "-truncate");
	if (e->narrow)
		lh_buf_printf(&b, "-%llu", (unsigned long long)e->narrow);
	if (e->prefix)
		lh_buf_printf(&b, ":%zu:%s", strlen(e->prefix), e->prefix);
	return lh_strndup(b.p, b.len);
}

void models_init(struct models *ms, const struct embed *e)
{
	ms->first = NULL;
	pthread_mutex_init(&ms->lock, NULL);
	ms->by = what_makes(e);
}

static void model_free(struct model *m)
{
	free(m->name);
	free(m->space);
	free(m);
}

void models_free(struct models *ms)
{
	struct model *m;

	while ((m = ms->first)) {
		ms->first = m->next;
		model_free(m);
	}
	pthread_mutex_destroy(&ms->lock);
	free(ms->by);
}

/* Both are unambiguous: no engine's name contains a space, and a prefix has its length. */
static char *space_of(const char *by, const char *name, size_t n)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

	lh_buf_puts(&b, by);
	lh_buf_putc(&b, ' ');
	lh_buf_add(&b, name, n);
	return lh_strndup(b.p, b.len);
}

static struct model *model_new(const char *by, const char *name, size_t n)
{
	struct model *m = lh_calloc(1, sizeof *m);

	m->name = lh_strndup(name, n);
	m->space = space_of(by, name, n);
	return m;
}

struct model *models_find(struct models *ms, const char *name, size_t n)
{
	struct model *m;

	pthread_mutex_lock(&ms->lock);
	for (m = ms->first; m; m = m->next)
		if (strlen(m->name) == n && !memcmp(m->name, name, n))
			break;
	if (!m) {
		m = model_new(ms->by, name, n);
		m->next = ms->first;
		ms->first = m;
	}
	pthread_mutex_unlock(&ms->lock);
	return m;
}
