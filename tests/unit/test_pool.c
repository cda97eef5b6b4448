/* lib/serve's pool of filters, with shells as filters: order, depth, late answers, retries,
 * filters that break the rules, pauses between starts. */
#include <sys/wait.h>

#include "check.h"
#include "serve/pool.h"
#include "base/time.h"

#define ASKS 64
#define HANG 600	/* seconds: far more than a busy machine needs */

struct question {
	struct lh_ask ask;
	int n;
	int how;		/* enum lh_asked; -1: not answered yet */
	char answer[200];
	int again;		/* ask so often again when it is answered */
	struct lh_pool *pool;
};

static struct lh_loop loop;
static struct lh_err err;
static struct question asked[ASKS];
static int order[ASKS + 10], answers;
static char said[4000];

static void on_answer(struct lh_ask *a, enum lh_asked how, const struct lh_record *rec)
{
	struct question *q = (struct question *)(void *)a;

	check((how == LH_ASKED_ANSWERED) == (rec != NULL));
	snprintf(q->answer, sizeof q->answer, "%.*s", rec ? (int)rec->len : 0,
		 rec ? rec->line : "");
	order[answers++] = q->n;
	q->how = (int)how;
	if (q->again-- > 0) {
		q->how = -1;
		check(lh_pool_ask(q->pool, a) == 0);
	}
}

static void on_end(void *owner, const char *text)
{
	size_t n = strlen(said);

	(void)owner;
	snprintf(said + n, sizeof said - n, "%s\n", text);
}

static struct lh_pool *pool_of(const char *script, unsigned processes, unsigned depth,
			       unsigned queue)
{
	char *argv[] = { (char *)"bash", (char *)"-c", (char *)script, NULL };
	struct lh_pool *p = lh_pool_new(&(struct lh_pool_how){
		.argv = argv, .processes = processes, .depth = depth, .queue = queue,
		.loop = &loop, .ended = on_end }, &err);

	check_why(p, err.msg);
	memset(asked, 0, sizeof asked);
	answers = 0;
	*said = '\0';
	return p;
}

static int ask(struct lh_pool *p, int n, const char *line, double timeout, bool read)
{
	struct question *q = &asked[n];

	q->n = n;
	q->how = -1;
	q->pool = p;
	q->ask.timeout = timeout;
	q->ask.read = read;
	q->ask.answered = on_answer;
	lh_buf_reset(&q->ask.line);
	lh_buf_printf(&q->ask.line, line, n);
	lh_buf_putc(&q->ask.line, '\n');
	return lh_pool_ask(p, &q->ask);
}

static void turn(struct lh_pool *p)
{
	check(lh_loop_wait(&loop, 10, &err) == 0);
	lh_pool_tick(p);
}

/* Wait until so many have been answered, in whatever way. */
static void wait_for(struct lh_pool *p, int n)
{
	const double until = lh_time_monotonic() + HANG;

	while (answers < n) {
		check(lh_time_monotonic() < until);
		turn(p);
	}
}

static void wait_said(struct lh_pool *p, const char *text)
{
	const double until = lh_time_monotonic() + HANG;

	while (!strstr(said, text)) {
		check_why(lh_time_monotonic() < until, said);
		turn(p);
	}
}

static void done(struct lh_pool *p)
{
	size_t i;

	lh_pool_free(p);
	for (i = 0; i < ASKS; i++)
		lh_buf_free(&asked[i].ask.line);
}

static void is(int n, enum lh_asked how, const char *answer)
{
	check_why(asked[n].how == (int)how, said);
	check_why(!strcmp(asked[n].answer, answer), asked[n].answer);
}

static void answers_come_in_the_order_of_the_lines(void)
{
	struct lh_pool *p = pool_of("exec cat", 1, 8, 0);
	char want[40];
	int i;

	for (i = 0; i < ASKS; i++)
		check(ask(p, i, "{\"n\":%d}", HANG, false) == 0);
	wait_for(p, ASKS);
	for (i = 0; i < ASKS; i++) {
		snprintf(want, sizeof want, "{\"n\":%d}", i);
		is(i, LH_ASKED_ANSWERED, want);
		check(order[i] == i);
	}
	check_why(!*said, said);
	done(p);
}

static void an_answer_may_ask_again(void)
{
	struct lh_pool *p = pool_of("exec cat", 2, 1, 0);

	check(ask(p, 0, "{\"n\":%d}", HANG, false) == 0);
	asked[0].again = 5;
	wait_for(p, 6);
	is(0, LH_ASKED_ANSWERED, "{\"n\":0}");
	done(p);
}

static void at_most_depth_lines_are_in_a_process(void)
{
	struct lh_pool *p = pool_of("while read -r line; do echo \"$line\" >>pool.lines; "
				    "until [ -e pool.go ]; do sleep 0.01; done; "
				    "echo \"$line\"; done", 1, 3, 4);
	struct lh_pool_state st;
	int i;

	unlink("pool.go");
	for (i = 0; i < 7; i++)
		check(ask(p, i, "{\"n\":%d}", HANG, false) == 0);
	check(ask(p, 7, "{\"n\":%d}", HANG, false) == -1);
	for (i = 0; i < 20; i++)
		turn(p);
	lh_pool_state(p, &st);
	check(st.processes == 1 && st.running == 1 && st.asked == 3 && st.waiting == 4);
	check(lh_pool_resident(p) > 0 && !answers);
	fclose(fopen("pool.go", "w"));
	wait_for(p, 7);
	for (i = 0; i < 7; i++)
		check(order[i] == i && asked[i].how == LH_ASKED_ANSWERED);
	unlink("pool.go");
	unlink("pool.lines");
	done(p);
}

/* The second is late and the third is not: what the filter says of the second is discarded. */
static void late_answers_are_discarded_by_counting(void)
{
	struct lh_pool *p = pool_of("while read -r line; do until [ -e pool.go ]; do sleep 0.01; "
				    "done; echo \"$line\"; done", 1, 8, 0);

	check(ask(p, 0, "{\"n\":%d}", HANG, false) == 0);
	check(ask(p, 1, "{\"n\":%d}", 0.15, false) == 0);
	check(ask(p, 2, "{\"n\":%d}", HANG, false) == 0);
	wait_for(p, 1);
	is(1, LH_ASKED_LATE, "");
	fclose(fopen("pool.go", "w"));
	wait_for(p, 3);
	is(0, LH_ASKED_ANSWERED, "{\"n\":0}");
	is(2, LH_ASKED_ANSWERED, "{\"n\":2}");
	check_why(!*said, said);
	unlink("pool.go");
	done(p);
}

static void a_process_that_is_stuck_is_replaced(void)
{
	struct lh_pool *p = pool_of("while read -r line; do "
				    "case $line in *stuck*) sleep 100; esac; "
				    "echo \"$line\"; done", 1, 8, 0);

	check(ask(p, 0, "{\"n\":%d,\"s\":\"stuck\"}", 0.3, true) == 0);
	check(ask(p, 1, "{\"n\":%d}", HANG, false) == 0);
	check(ask(p, 2, "{\"n\":%d}", HANG, true) == 0);
	wait_for(p, 3);
	is(0, LH_ASKED_LATE, "");
	is(1, LH_ASKED_GONE, "");
	is(2, LH_ASKED_ANSWERED, "{\"n\":2}");
	check_why(strstr(said, "did not answer in time"), said);
	done(p);
}

static void what_broke_a_filter_is_not_tried_again_but_reads_behind_it_are(void)
{
	struct lh_pool *p = pool_of("while read -r line; do case $line in *die*) exit 7; esac; "
				    "echo \"$line\"; done", 1, 8, 0);

	check(ask(p, 0, "{\"n\":%d}", HANG, false) == 0);
	check(ask(p, 1, "{\"n\":%d,\"s\":\"die\"}", HANG, true) == 0);
	check(ask(p, 2, "{\"n\":%d}", HANG, true) == 0);
	check(ask(p, 3, "{\"n\":%d}", HANG, false) == 0);
	wait_for(p, 4);
	is(0, LH_ASKED_ANSWERED, "{\"n\":0}");
	is(1, LH_ASKED_GONE, "");
	is(2, LH_ASKED_ANSWERED, "{\"n\":2}");
	is(3, LH_ASKED_GONE, "");
	wait_said(p, "bash[0] ended with status 7");
	done(p);
}

/* script answers the first line wrongly; the others get an error or a right answer. */
static void breaks(const char *script, unsigned depth, const char *why)
{
	struct lh_pool *p = pool_of(script, 1, depth, 0);
	int i;

	for (i = 0; i < 4; i++)
		check(ask(p, i, "{\"n\":%d}", HANG, false) == 0);
	wait_for(p, 4);
	for (i = 0; i < 4; i++) {
		char want[40];

		snprintf(want, sizeof want, "{\"n\":%d}", i);
		check_why(asked[i].how != LH_ASKED_ANSWERED || !strcmp(asked[i].answer, want),
			  asked[i].answer);
	}
	wait_said(p, why);
	done(p);
}

static void nobody_gets_the_answer_of_another(void)
{
	static const char many[] = "answered more lines than it was asked";
	static const char text[] = "answered with what is not a JSON object";

	/* env: printf of the shell writes line by line, and the second may come too late */
	breaks("read -r l; env printf '%s\\n%s\\n%s\\n%s\\n%s\\n' \"$l\" 1 2 3 4; cat", 8, many);
	breaks("read -r l; env printf '%s\\n%s\\n' \"$l\" \"$l\"; cat", 1, many);
	breaks("read -r l; echo '[1]'; cat", 8, text);
	breaks("read -r l; echo; cat", 8, text);
	breaks("read -r l; echo 'no JSON'; cat", 1, text);
	breaks("read -r l; printf '{\"a\":\"\\xff\"}\\n'; cat", 1, text);
}

static void a_filter_that_speaks_unasked_is_replaced(void)
{
	struct lh_pool *p = pool_of("echo '{\"ready\":true}'; exec cat", 1, 8, 0);

	wait_said(p, "answered more lines than it was asked");
	done(p);
}

static void starts_are_farther_and_farther_apart(void)
{
	struct lh_pool *p = pool_of("exit 3", 1, 8, 0);
	const double begun = lh_time_monotonic();
	struct lh_pool_state st;
	int refused = 0, i;

	do {
		check(lh_time_monotonic() - begun < HANG);
		turn(p);
		lh_pool_state(p, &st);
	} while (st.restarts < 5 || st.running);
	/* after pauses of 0.1, 0.2, 0.4, 0.8 and 1.6 seconds; the next one is of 3.2 */
	check(lh_time_monotonic() - begun > 3);
	for (i = 0; i < 10; i++)
		refused += ask(p, i, "{\"n\":%d}", HANG, false) < 0;
	check(refused == 10);
	done(p);
}

static void what_ended_after_answers_is_back_soon(void)
{
	struct lh_pool *p = pool_of("read -r l; echo \"$l\"; exit 3", 1, 1, 0);
	int answered = 0, i;

	for (i = 0; i < 20; i++)
		check(ask(p, i, "{\"n\":%d}", HANG, false) == 0);
	wait_for(p, 20);
	for (i = 0; i < 20; i++) {
		/* a line that was written to the process before it ended is gone */
		check(order[i] == i && (asked[i].how == LH_ASKED_ANSWERED ||
					asked[i].how == LH_ASKED_GONE));
		answered += asked[i].how == LH_ASKED_ANSWERED;
	}
	check(answered >= 10);
	done(p);
}

static void what_a_process_answered_before_it_ended_is_read_however_late(void)
{
	struct lh_pool *p = pool_of("read -r line; echo \"$line\"", 1, 8, 0);
	siginfo_t ended;

	check(ask(p, 0, "{\"n\":%d}", HANG, false) == 0);
	lh_pool_tick(p);
	check(waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT) == 0);
	usleep(300000);			/* so long without an answer: is it still there? */
	lh_pool_tick(p);
	wait_for(p, 1);
	is(0, LH_ASKED_ANSWERED, "{\"n\":0}");
	done(p);
}

static void what_waits_too_long_is_refused(void)
{
	struct lh_pool *p = pool_of("while read -r l; do until [ -e pool.go ]; do sleep 0.01; "
				    "done; echo \"$l\"; done", 1, 1, 0);

	check(ask(p, 0, "{\"n\":%d}", HANG, false) == 0);
	check(ask(p, 1, "{\"n\":%d}", HANG, false) == 0);
	check(ask(p, 2, "{\"n\":%d}", 0.2, false) == 0);
	wait_for(p, 1);
	is(2, LH_ASKED_REFUSED, "");
	fclose(fopen("pool.go", "w"));
	wait_for(p, 3);
	is(1, LH_ASKED_ANSWERED, "{\"n\":1}");
	unlink("pool.go");
	done(p);
}

static void a_retired_pool_answers_and_ends(void)
{
	struct lh_pool *p = pool_of("exec cat", 3, 2, 0);
	const double until = lh_time_monotonic() + HANG;
	int i;

	for (i = 0; i < 20; i++)
		check(ask(p, i, "{\"n\":%d}", HANG, false) == 0);
	lh_pool_retire(p);
	check(ask(p, 20, "{\"n\":%d}", HANG, false) == -1);
	while (!lh_pool_over(p)) {
		check(lh_time_monotonic() < until);
		turn(p);
	}
	check(answers == 20);
	for (i = 0; i < 20; i++)
		check(asked[i].how == LH_ASKED_ANSWERED);
	check_why(!*said, said);
	done(p);
}

static void a_killed_pool_fails_what_it_has(void)
{
	struct lh_pool *p = pool_of("while read -r l; do sleep 100; done", 1, 2, 0);
	int i;

	for (i = 0; i < 6; i++)
		check(ask(p, i, "{\"n\":%d}", HANG, true) == 0);
	for (i = 0; i < 5; i++)
		turn(p);
	lh_pool_kill(p);
	check(answers == 6);
	for (i = 0; i < 6; i++)
		check(asked[i].how == (i < 2 ? LH_ASKED_GONE : LH_ASKED_REFUSED));
	check(ask(p, 6, "{\"n\":%d}", HANG, true) == -1);
	done(p);
}

/* Lines far larger than a socket takes, both ways, of several askers. */
static void large_lines_go_through(void)
{
	struct lh_pool *p = pool_of("exec cat", 2, 4, 0);
	static char text[3000000];
	int i;

	for (i = 0; i < 16; i++) {
		check(ask(p, i, "{\"n\":%d", HANG, false) == 0);
		asked[i].ask.line.len--;
		lh_buf_puts(&asked[i].ask.line, ",\"x\":\"");
		memset(text, 'a' + i, sizeof text - 1);
		lh_buf_add(&asked[i].ask.line, text, sizeof text - 1 - (size_t)i * 1000);
		lh_buf_puts(&asked[i].ask.line, "\"}\n");
	}
	wait_for(p, 16);
	for (i = 0; i < 16; i++) {
		check(asked[i].how == LH_ASKED_ANSWERED);
		check(asked[i].answer[100] == 'a' + i);
	}
	done(p);
}

int main(void)
{
	check_folder();
	check(lh_loop_open(&loop, &err) == 0);
	test(answers_come_in_the_order_of_the_lines());
	test(an_answer_may_ask_again());
	test(at_most_depth_lines_are_in_a_process());
	test(late_answers_are_discarded_by_counting());
	test(a_process_that_is_stuck_is_replaced());
	test(what_broke_a_filter_is_not_tried_again_but_reads_behind_it_are());
	test(nobody_gets_the_answer_of_another());
	test(a_filter_that_speaks_unasked_is_replaced());
	test(starts_are_farther_and_farther_apart());
	test(what_ended_after_answers_is_back_soon());
	test(what_a_process_answered_before_it_ended_is_read_however_late());
	test(what_waits_too_long_is_refused());
	test(a_retired_pool_answers_and_ends());
	test(a_killed_pool_fails_what_it_has());
	test(large_lines_go_through());
	lh_loop_close(&loop);
	return 0;
}
