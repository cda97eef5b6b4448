/* answer.c - the prompt for a model, and the answer of a dry run.  See replay.h. */
#include "replay.h"

const char prompt_preface[] =
	"You are given a task and what earlier runs of similar tasks left behind. "
	"Build on the prior successful outputs, avoid the failure patterns, "
	"and say for each validation step how your answer meets it. "
	"Answer the task itself, completely and concretely.";

static void put_str(struct lh_buf *out, const struct lh_str *s)
{
	lh_buf_add(out, s->p, s->n);
}

static void put_artifacts(struct lh_buf *out, const char *heading, const struct artifact *const *v,
			  size_t n)
{
	size_t i;

	if (n)
		lh_buf_puts(out, heading);
	for (i = 0; i < n; i++) {
		lh_buf_puts(out, "- ");
		put_str(out, &v[i]->title);
		lh_buf_putc(out, '\n');
		put_str(out, &v[i]->preview);
		lh_buf_putc(out, '\n');
	}
}

/* As an answer, a step that would count against it is shown by its verb alone. */
static void put_steps(struct lh_buf *out, const char *heading, const struct bundle *b,
		      bool as_answer)
{
	struct word_iter it;
	size_t i;

	if (b->n_steps)
		lh_buf_puts(out, heading);
	for (i = 0; i < b->n_steps; i++) {
		lh_buf_puts(out, "- ");
		word_iter_init(&it, b->step[i].p, b->step[i].n);
		put_str(out, as_answer && judge_hedges(&b->step[i]) && word_next(&it) ? &it.word
			: &b->step[i]);
		lh_buf_putc(out, '\n');
	}
}

void prompt_print(struct lh_buf *out, const struct lh_str *task, const struct bundle *b)
{
	lh_buf_puts(out, "Task:\n");
	put_str(out, task);
	lh_buf_putc(out, '\n');
	if (!b)
		return;
	put_artifacts(out, "\nPrior successful outputs:\n", b->success, b->n_success);
	put_artifacts(out, "\nFailure patterns to avoid:\n", b->failure, b->n_failure);
	put_steps(out, "\nValidation steps:\n", b, false);
}

static void put_ids(struct lh_buf *out, const struct artifact *const *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		lh_buf_puts(out, i ? ", " : " (");
		put_str(out, &v[i]->rag_id);
	}
	lh_buf_puts(out, n ? ")" : "");
}

void dry_answer(struct lh_buf *out, const struct bundle *b)
{
	static const struct bundle none;

	if (!b)
		b = &none;
	lh_buf_printf(out,
		      "Dry run: no model was asked. This answer was made of %zu retrieved "
		      "playbooks, of which %zu succeeded",
		      b->n, b->n_success);
	put_ids(out, b->success, b->n_success);
	lh_buf_printf(out, " and %zu failed in part", b->n_failure);
	put_ids(out, b->failure, b->n_failure);
	lh_buf_puts(out, ".\n");
	put_steps(out, "Validation steps:\n", b, true);
}
