/* compile.c - lh-embed --compile: compile a table of word vectors. */
#include "embed.h"

#include <fcntl.h>
#include <unistd.h>

#include "vector/quantize.h"
#include "file/file.h"
#include "embed/wordvec.h"

static int check(const struct embed *e)
{
	if (!e->output)
		return lh_tool_usage(e->tool, "--compile: say by -o where to");
	if (strcmp(e->output, "-") == 0)
		return lh_tool_usage(e->tool,
				     "-o -: a compiled table is a file, not a stream (./- if that "
				     "is its name)");
	if (e->model || e->url || e->field || e->template_text || e->id_field ||
	    e->dimension || e->raw)
		return lh_tool_usage(e->tool,
				     "--compile embeds no text: only --output and --precision go "
				     "with it");
	if (e->tool->n_operands)
		return lh_tool_unexpected(e->tool, 0, "--compile reads its TABLE alone");
	return 0;
}

static void on_words(void *tool, uint64_t words)
{
	lh_tool_progress(tool, words);
}

int compile_run(struct embed *e)
{
	struct lh_err *err = &e->tool->err;
	struct lh_atomic out = { .fd = -1 };
	struct lh_wordvec_made made;
	struct lh_wordvec_job job = { .from_name = e->compile,
				      .to_name = e->output,
				      .precision = e->precision < 0 ? LH_F16 : e->precision,
				      .progress = on_words, .ctx = e->tool };
	int rc;

	if (check(e) < 0)
		return -1;
	job.from = strcmp(e->compile, "-") ? open(e->compile, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (job.from < 0)
		return lh_err_sys(err, "%s", e->compile);
	rc = lh_atomic_open(&out, e->output, 0666, err);
	job.to = out.fd;
	if (!rc)
		rc = lh_wordvec_compile(&job, &made, err);
	if (!rc)
		rc = lh_atomic_commit(&out, err);
	lh_atomic_close(&out);
	if (job.from != STDIN_FILENO)
		close(job.from);
	if (!rc) {
		lh_tool_verbose(e->tool, "%s: %u words of dimension %u", e->output, made.words,
				made.dimension);
		if (made.not_one + made.twice + made.not_utf8)
			lh_tool_message(e->tool,
					"left out: %llu that are not one word to a text, %llu that "
					"were there already, %llu that are not UTF-8",
					(unsigned long long)made.not_one,
					(unsigned long long)made.twice,
					(unsigned long long)made.not_utf8);
	}
	return rc;
}
