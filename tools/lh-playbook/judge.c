/* judge.c - the gate of a judge: an answer that it rates too low is not recorded.  See
 * playbook.h. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "index/index_tools.h"
#include "json/bind.h"
#include "json/write.h"
#include "playbook.h"

#define SECONDS 120		/* for an answer of the judge */
#define REPLY_MOST (1u << 20)
#define SHOWN 4000		/* bytes of an answer that the judge sees */

struct rating {
	double rating;
	struct lh_value error;
};
static const struct lh_bind rating_members[] = {
	{ LH_BIND_F64("rating|grade", struct rating, rating, -1e9, 1e9), .lax = true },
	{ LH_BIND_OBJECT("error", struct rating, error) },
	LH_BIND_END
};

/* A text with a blank, or that begins as a path, is a command; another one names a model. */
static bool is_command(const char *judge)
{
	return strchr(judge, ' ') || *judge == '/' || *judge == '.';
}

static int start(struct judge *j, const char *judge, struct lh_err *err)
{
	char *argv[] = { (char *)"lh-judge", (char *)"ask", (char *)"--model", (char *)judge,
			 (char *)"-q", (char *)"-j1", (char *)"--on-error", (char *)"emit", NULL };

	if (j->started)
		return 0;
	if (is_command(judge)) {
		signal(SIGPIPE, SIG_IGN);
		j->started = lh_shell_coproc_start(&j->child, judge, REPLY_MOST, err) == 0;
	} else {
		j->started = lh_coproc_start(&j->child, argv, LH_KEYS_CHAT, err) == 0;
	}
	return j->started ? 0 : -1;
}

void judge_stop(struct judge *j)
{
	struct lh_err unused;

	if (j->started)
		lh_coproc_stop(&j->child, &unused);
	j->started = false;
	lh_buf_free(&j->line);
	lh_record_free(&j->scan);
}

/* Write the metadata of the answer as the text that is judged, if there is a folder of indexes. */
static int write_answer(struct lh_writer *w, const struct settings *s, struct answers *a,
			const struct lh_playbook_entry *e, struct lh_err *err)
{
	struct lh_index *ix;
	struct lh_row row;
	int64_t at;

	if (!s->indexes)
		return 0;
	ix = answers_index(a, s, e, err);
	if (!ix)
		return -1;
	at = lh_index_find(ix, e->answer_id.p, e->answer_id.n, err);
	if (at == -1)
		return lh_err_data(err, 404, "corpus \"%.*s\" has no record \"%.*s\" to judge",
				   (int)e->answer_corpus.n, e->answer_corpus.p,
				   (int)(e->answer_id.n < 200 ? e->answer_id.n : 200),
				   e->answer_id.p);
	if (at < 0 || lh_index_row(ix, (uint64_t)at, &row, err) < 0)
		return -1;
	if (lh_utf8_valid(row.meta.p, row.meta.n))
		lh_write_str(w, "text", lh_utf8_head(row.meta, SHOWN));
	return 0;
}

static int ask(struct judge *j, const struct settings *s, struct answers *a,
	       const struct lh_playbook_entry *e, struct lh_str *reply, struct lh_err *err)
{
	struct lh_writer w;

	lh_buf_reset(&j->line);
	w = lh_write_to(&j->line);
	lh_write_object(&w, NULL);
	lh_write_str(&w, "query_id", e->query_text);
	lh_write_str(&w, "id", e->answer_id);
	lh_write_str(&w, "corpus", e->answer_corpus);
	lh_write_str(&w, "query_text", e->query_text);
	if (write_answer(&w, s, a, e, err) < 0)
		return -1;
	lh_write_end(&w);
	if (start(j, s->judge, err) == 0 &&
	    lh_coproc_ask(&j->child, j->line.p, j->line.len, SECONDS, reply, err) == 0)
		return 0;
	judge_stop(j);		/* the next entry starts it again */
	err->code = LH_EDATA;
	err->status = 502;
	return lh_err_prefix(err, "the judge");
}

int judge_rate(struct judge *j, const struct settings *s, struct answers *a,
	       const struct lh_playbook_entry *e, double *rating, struct lh_err *err)
{
	struct rating is = { .rating = NAN };
	struct lh_value v;
	struct lh_str reply;

	if (ask(j, s, a, e, &reply, err) < 0)
		return -1;
	lh_buf_reset(&j->line);
	lh_buf_add(&j->line, reply.p, reply.n);
	if (lh_json_parse(&j->scan, j->line.p, j->line.len, &v, err) < 0 ||
	    lh_bind_value(rating_members, &v, &is, NULL, err) < 0 || isnan(is.rating))
		return is.error.p ? lh_coproc_refusal(&is.error, err)
				  : lh_err_data(err, 502, "the judge gave no rating");
	*rating = is.rating;
	return 0;
}
