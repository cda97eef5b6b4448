/* session.c - write rows of the session log, and mint session ids.  See session.h. */
#include "memory/session.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "json/write.h"

void lh_session_print(struct lh_buf *out, const struct lh_session_row *row)
{
	struct lh_writer w = lh_write_to(out);
	size_t i;

	lh_write_object(&w, NULL);
	lh_write_text(&w, "schema", "session.iterate.v1");
	lh_write_str(&w, "session_id", row->session_id);
	lh_write_str(&w, "timestamp", row->timestamp);
	lh_write_str(&w, "daemon", row->daemon);
	lh_write_str(&w, "kind", row->kind);
	lh_write_str(&w, "model", row->model);
	lh_write_str(&w, "provider", row->provider);
	lh_write_str(&w, "prompt", row->prompt);
	lh_write_u64(&w, "iterations", row->iterations);
	lh_write_u64(&w, "max_iterations", row->max_iterations);
	lh_write_text(&w, "final_verdict", row->final_verdict);
	lh_write_array(&w, "attempts");
	for (i = 0; i < row->n_attempts; i++) {
		const struct lh_session_attempt *a = &row->attempt[i];

		lh_write_object(&w, NULL);
		lh_write_u64(&w, "iteration", a->iteration);
		lh_write_text(&w, "verdict_kind", a->verdict_kind);
		if (a->error.n)
			lh_write_str(&w, "error", a->error);
		if (a->span_id.n)
			lh_write_str(&w, "span_id", a->span_id);
		lh_write_end(&w);
	}
	lh_write_end(&w);
	if (row->artifact.n) {
		lh_write_key(&w, "artifact");
		lh_json_compact(out, row->artifact.p, row->artifact.n);
	}
	if (row->grounded < 0)
		lh_write_null(&w, "grounded_in_roster");
	else
		lh_write_bool(&w, "grounded_in_roster", row->grounded);
	lh_write_u64(&w, "duration_ms", row->duration_ms);
	lh_write_end(&w);
}

struct lh_str lh_session_prompt(const char *p, size_t n)
{
	size_t i, points = 0;

	for (i = 0; i < n; i++)
		if (((unsigned char)p[i] & 0xc0) != 0x80 && points++ == LH_SESSION_PROMPT)
			break;
	return (struct lh_str){ p, i };
}

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void put_id(char out[LH_SESSION_ID], uint64_t ns, uint64_t second)
{
	snprintf(out, LH_SESSION_ID, "%016llx-%08lx", (unsigned long long)ns,
		 (unsigned long)(second & 0xffffffffu));
}

void lh_session_mint(char out[LH_SESSION_ID])
{
	static _Atomic uint64_t last;
	uint64_t before = atomic_load(&last), ns;

	/* A clock that is coarse, or set back, must not give an id twice. */
	do {
		ns = clock_ns();
		if (ns <= before)
			ns = before + 1;
	} while (!atomic_compare_exchange_weak(&last, &before, ns));
	put_id(out, ns, clock_ns());
}

void lh_session_mint_at(char out[LH_SESSION_ID], int64_t ms, uint64_t number)
{
	put_id(out, (uint64_t)ms * 1000000u, number);
}
