/*
 * cosign.c - lh-tlog cosign: ask the witnesses of a policy to cosign the checkpoint of a log.
 *
 * Each witness is asked by a thread of its own, so that one that is slow holds up no other.  It
 * is asked at most TRIES times, each with the size that it gave in its last answer, and what it
 * answers is limited in time and bytes: it has cosigned or is missing.
 */
#include "tlog.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "model/http.h"
#include "tlog/policy.h"

#define TRIES 3
#define ANSWER_MAX ((size_t)64 << 10)	/* bytes; a line of a cosignature is about 150 */

struct cosign {
	const struct settings *s;
	struct lh_tlog *log;
	const struct lh_tlog_head *head;
	struct lh_note note;		/* of head */
	struct lh_cosigned judged;
	struct lh_buf kept_text;	/* of the newest checkpoint that is kept, */
	struct lh_note kept;		/* which is parsed */
	uint64_t kept_size;
	pthread_mutex_t mutex;		/* of the log */
};

/* What is asked of a witness, by a thread. */
struct ask {
	struct cosign *c;
	const struct lh_policy_party *witness;
	uint64_t old;
	struct lh_buf line;		/* of its cosignature, at last */
	struct lh_err err;		/* why there is none */
	bool failed, threaded;
	pthread_t thread;
};

/* ---- a witness ---- */

static int make_request(const struct ask *a, struct lh_buf *body, struct lh_err *err)
{
	const struct lh_tlog_nodes nodes = lh_tlog_nodes(a->c->log);
	const struct lh_str note = a->c->head->note;
	struct lh_tlog_proof proof;
	int rc;

	pthread_mutex_lock(&a->c->mutex);
	rc = lh_tlog_prove_growth(&nodes, a->old, a->c->head->size, &proof, err);
	pthread_mutex_unlock(&a->c->mutex);
	lh_buf_reset(body);
	if (rc < 0)
		return -1;
	lh_buf_printf(body, "old %llu\n", (unsigned long long)a->old);
	lh_tlog_proof_print(&proof, body);
	lh_buf_putc(body, '\n');
	lh_buf_add(body, note.p, note.n);
	return 0;
}

/* Find a line of a note that is a good cosignature by the key of the witness; NULL: none. */
static const struct lh_note_line *find_line(const struct lh_note *note, const struct lh_vkey *key,
					    struct lh_err *err)
{
	uint64_t time;
	size_t i;

	lh_err_set(err, LH_ENET, "there is no cosignature by the key of the policy");
	for (i = 0; i < note->n; i++)
		switch (lh_note_check(note, i, key, &time)) {
		case LH_SIGNATURE_GOOD:
			if (time)
				return &note->lines[i];
			/* fall through */
		case LH_SIGNATURE_BAD:
			lh_err_set(err, LH_ENET, "the cosignature is wrong");
			return NULL;
		case LH_SIGNATURE_UNKNOWN:
			break;
		}
	return NULL;
}

static int take_line(struct ask *a, const struct lh_http_reply *reply, struct lh_err *err)
{
	LH_SCOPED(lh_note_free) struct lh_note note = { .n = 0 };
	const struct lh_note_line *line;

	if (lh_note_parse_lines(&note, a->c->note.body, (struct lh_str){ reply->body, reply->len },
				err) < 0)
		return -1;
	line = find_line(&note, &a->witness->key, err);
	if (!line)
		return -1;
	lh_buf_add(&a->line, line->line.p, line->line.n);
	return 0;
}

/* Read the size that a witness has cosigned, from an answer with status 409. */
static bool read_size(const struct lh_http_reply *reply, uint64_t *size)
{
	return reply->len && reply->body[reply->len - 1] == '\n' &&
	       lh_tlog_size_read((struct lh_str){ reply->body, reply->len - 1 }, LH_TLOG_SIZE_MAX,
				 size);
}

static int ask_by(struct ask *a, struct lh_http *h, const char *url, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf body = { 0 };
	struct lh_http_reply reply = { .status = 0 };
	struct lh_err why;
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		if (make_request(a, &body, err) < 0 ||
		    lh_http_call(h, &(struct lh_http_call){ .url = url, .body = body.p,
							    .n = body.len }, &reply, err) < 0)
			return -1;
		if (reply.status == 200 && take_line(a, &reply, &why) == 0)
			return 0;
		if (reply.status == 200)
			return lh_http_refuse(err, url, &reply, why.msg);
		if (reply.status != 409 || !read_size(&reply, &a->old))
			break;
		if (a->old > a->c->head->size)
			return lh_http_refuse(err, url, &reply, "it has cosigned a larger tree: "
					      "was the log brought back by a backup?");
	}
	return lh_http_refuse(err, url, &reply, NULL);
}

static int ask(struct ask *a, struct lh_err *err)
{
	const struct settings *s = a->c->s;
	LH_SCOPED(lh_buf_free) struct lh_buf url = { 0 };
	size_t n = strlen(a->witness->url);
	struct lh_http *h;
	int rc;

	if (lh_http_check_url(a->witness->url, err) < 0)
		return -1;
	while (n && a->witness->url[n - 1] == '/')
		n--;
	lh_buf_add(&url, a->witness->url, n);
	lh_buf_puts(&url, "/add-checkpoint");
	lh_buf_putc(&url, '\0');
	h = lh_http_new(&(struct lh_http_opts){
		.timeout = s->timeout, .retries = (unsigned)s->retries, .max_body = ANSWER_MAX,
		.text = true, .stopping = lh_stopping }, err);
	rc = h ? ask_by(a, h, url.p, err) : -1;
	lh_http_free(h);
	return rc;
}

static void *run(void *arg)
{
	struct ask *a = arg;

	a->failed = ask(a, &a->err) < 0;
	return NULL;
}

/* ---- all witnesses ---- */

/* Read the newest checkpoint that is kept, which shows what witnesses have cosigned last. */
static int read_kept(struct cosign *c, struct lh_err *err)
{
	uint8_t root[LH_TLOG_HASH];
	int rc;

	lh_tlog_newest_kept(c->log, &c->kept_size);
	if (c->kept_size > c->head->size)
		return 0;
	rc = lh_tlog_kept(c->log, c->kept_size, &c->kept_text, root, err);
	return rc <= 0 ? rc : lh_note_parse(&c->kept, (struct lh_str){ c->kept_text.p,
							    c->kept_text.len }, err);
}

/* Ask all witnesses that have not cosigned yet; the n asks are the caller's to free. */
static void ask_all(struct cosign *c, const struct lh_policy *policy, struct ask *asks, size_t *n)
{
	const struct lh_policy_party *party;
	struct lh_err err;
	struct ask *a;
	size_t i;

	for (i = 0; i < policy->n_parties; i++) {
		party = &policy->parties[i];
		if (!lh_policy_is_witness(party) || c->judged.cosigned[i] || !party->url ||
		    party->key.kind != LH_KEY_COSIGNER)
			continue;
		a = &asks[(*n)++];
		*a = (struct ask){ .c = c, .witness = party };
		if (c->kept.n && find_line(&c->kept, &party->key, &err))
			a->old = c->kept_size;
		a->threaded = pthread_create(&a->thread, NULL, run, a) == 0;
		if (!a->threaded)
			run(a);
	}
	for (i = 0; i < *n; i++)
		if (asks[i].threaded)
			pthread_join(asks[i].thread, NULL);
}

/* Append the cosignatures to the note, and report which are missing. */
static int collect(struct lh_tool *tool, const struct ask *asks, size_t n, struct lh_buf *text)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (asks[i].failed && lh_stopping()) {
			tool->err = asks[i].err;
			return -1;
		}
		if (asks[i].failed)
			lh_tool_warn(tool, "%s: %s", asks[i].witness->name, asks[i].err.msg);
		lh_buf_add(text, asks[i].line.p, asks[i].line.len);
	}
	return 0;
}

/* Replace the checkpoint by one with a quorum, or report that it has none. */
static int conclude(struct lh_tool *tool, struct cosign *c, const struct lh_policy *policy,
		    struct lh_str text)
{
	LH_SCOPED(lh_note_free) struct lh_note note = { .n = 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf names = { 0 };
	const unsigned long long size = c->head->size;
	struct lh_cosigned judged;
	int rc;

	if (lh_note_parse(&note, text, &tool->err) < 0 ||
	    lh_policy_judge(policy, &note, &judged, &tool->err) < 0)
		return -1;
	if (!judged.quorum) {
		lh_policy_missing(policy, &judged, &names);
		lh_tool_warn(tool,
			     "too few witnesses cosigned the checkpoint of %s; missing: %.*s",
			     LH_N(size, "entry|entries"), (int)names.len, names.p);
		lh_tool_verdict_bad(tool);
		return 0;
	}
	rc = lh_tlog_replace(c->log, text, tool->lock_timeout, &tool->err);
	if (rc == 0)
		lh_tool_message(tool, "the log has grown: the checkpoint of %llu entries that was "
				"cosigned is in checkpoints", size);
	return rc < 0 ? -1 : 0;
}

static int cosign(struct lh_tool *tool, struct cosign *c, const struct lh_policy *policy)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct ask *asks = lh_calloc(LH_POLICY_WITNESSES, sizeof *asks);
	size_t n = 0, i;
	int rc = read_kept(c, &tool->err);

	if (!rc)
		rc = lh_note_parse(&c->note, c->head->note, &tool->err);
	if (!rc && lh_policy_judge(policy, &c->note, &c->judged, &tool->err) < 0)
		rc = lh_err_prefix(&tool->err, "%s/checkpoint", tool->operands[0]);
	if (!rc) {
		ask_all(c, policy, asks, &n);
		lh_buf_add(&text, c->head->note.p, c->head->note.n);
		rc = collect(tool, asks, n, &text);
	}
	for (i = 0; i < n; i++)
		lh_buf_free(&asks[i].line);
	free(asks);
	return rc ? rc : conclude(tool, c, policy, (struct lh_str){ text.p, text.len });
}

int tlog_cosign(struct lh_tool *tool, void *settings)
{
	LH_SCOPED(lh_policy_free_local) struct lh_policy *policy = NULL;
	struct cosign c = { .s = settings, .mutex = PTHREAD_MUTEX_INITIALIZER };
	int rc = -1;

	if (!c.s->policy)
		return lh_tool_usage(tool, "no policy: name its file by --policy");
	if (lh_policy_read(&policy, c.s->policy, &tool->err) < 0)
		return -1;
	c.log = lh_tlog_open(tool->operands[0], &tool->err);
	if (c.log) {
		c.head = lh_tlog_head(c.log);
		rc = cosign(tool, &c, policy);
	}
	lh_note_free(&c.note);
	lh_note_free(&c.kept);
	lh_buf_free(&c.kept_text);
	lh_tlog_close(c.log);
	return rc;
}
