/* session.c - rows of the session log, written and minted.  See lh/session.h. */
#include <lh/session.h>

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static void put_str(struct lh_buf *out, const char *name, const struct lh_str *s)
{
	lh_buf_puts(out, name);
	lh_buf_json(out, s->n ? s->p : "", s->n);
}

static void put_u64(struct lh_buf *out, const char *name, uint64_t v)
{
	lh_buf_puts(out, name);
	lh_buf_u64(out, v);
}

/* Names of verdicts need no escapes. */
static void put_name(struct lh_buf *out, const char *name, const char *verdict)
{
	lh_buf_puts(out, name);
	lh_buf_putc(out, '"');
	lh_buf_puts(out, verdict);
	lh_buf_putc(out, '"');
}

/* Checked JSON without the white space outside its strings. */
static void put_compact(struct lh_buf *out, const struct lh_str *json)
{
	const char *p = json->p, *end = p + json->n, *from = p;
	bool quoted = false;

	for (; p < end; p++) {
		if (*p == '"') {
			quoted = !quoted;
		} else if (quoted) {
			p += *p == '\\';
		} else if (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r') {
			lh_buf_add(out, from, (size_t)(p - from));
			from = p + 1;
		}
	}
	lh_buf_add(out, from, (size_t)(end - from));
}

static void put_attempt(struct lh_buf *out, const struct lh_session_attempt *a)
{
	put_u64(out, "{\"iteration\":", a->iteration);
	put_name(out, ",\"verdict_kind\":", a->verdict_kind);
	if (a->error.n)
		put_str(out, ",\"error\":", &a->error);
	if (a->span_id.n)
		put_str(out, ",\"span_id\":", &a->span_id);
	lh_buf_putc(out, '}');
}

void lh_session_print(struct lh_buf *out, const struct lh_session_row *row)
{
	size_t i;

	put_str(out, "{\"schema\":\"session.iterate.v1\",\"session_id\":", &row->session_id);
	put_str(out, ",\"timestamp\":", &row->timestamp);
	put_str(out, ",\"daemon\":", &row->daemon);
	put_str(out, ",\"kind\":", &row->kind);
	put_str(out, ",\"model\":", &row->model);
	put_str(out, ",\"provider\":", &row->provider);
	put_str(out, ",\"prompt\":", &row->prompt);
	put_u64(out, ",\"iterations\":", row->iterations);
	put_u64(out, ",\"max_iterations\":", row->max_iterations);
	put_name(out, ",\"final_verdict\":", row->final_verdict);
	lh_buf_puts(out, ",\"attempts\":[");
	for (i = 0; i < row->n_attempts; i++) {
		if (i)
			lh_buf_putc(out, ',');
		put_attempt(out, &row->attempt[i]);
	}
	lh_buf_putc(out, ']');
	if (row->artifact.n) {
		lh_buf_puts(out, ",\"artifact\":");
		put_compact(out, &row->artifact);
	}
	lh_buf_puts(out, ",\"grounded_in_roster\":");
	lh_buf_puts(out, row->grounded < 0 ? "null" : row->grounded ? "true" : "false");
	put_u64(out, ",\"duration_ms\":", row->duration_ms);
	lh_buf_putc(out, '}');
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

	/* A clock that is coarse, or is set back, must not give an id twice. */
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
