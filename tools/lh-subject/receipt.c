/* receipt.c - the list of what an erasure changes, the receipt and their files.  See erase.h. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/digest.h"

#include "audit/erasures.h"
#include "base/mem.h"
#include "erase.h"
#include "store/store.h"
#include "tlog/log.h"

#define LIST_MAX ((size_t)1 << 30)

/* ---- paths ---- */

static char *path_of(struct erasure *e, const char *name, const char *ending)
{
	return lh_format("%s/" LH_ERASURES_FOLDER "/%s%s", e->s->subjects, name, ending);
}

/* Set the paths by the key whose list or receipt there is, else by the first: 1 if there is. */
static int find_paths(struct erasure *e)
{
	unsigned char sum[32];
	size_t i;

	for (i = 0; i <= e->keys.n && e->keys.n; i++) {
		e->key = e->keys.key[i % e->keys.n];
		lh_hmac(e->key, e->who->id.p, e->who->id.n, NULL, 0, sum);
		lh_hex(sum, sizeof sum, e->hash);
		free(e->list);
		free(e->receipt);
		e->list = path_of(e, e->hash, ".plan");
		e->receipt = path_of(e, e->hash, ".json");
		if (access(e->list, F_OK) == 0 || access(e->receipt, F_OK) == 0)
			return 1;
	}
	return 0;
}

/* ---- the list ---- */

static const struct lh_bind cut_members[] = {
	{ LH_BIND_U64("at", struct lh_cut, at, 0, INT64_MAX), .required = true },
	{ LH_BIND_U64("n", struct lh_cut, n, 0, INT64_MAX), .required = true },
	{ LH_BIND_U64("is", struct lh_cut, is, 0, INT64_MAX), .required = true },
	LH_BIND_END
};
#define STRING(name, f) { LH_BIND_STRING(name, struct line, f) }
static const struct lh_bind line_members[] = {
	{ LH_BIND_ID("candidate_id", struct line, id) }, STRING("receipt", receipt),
	STRING("started_at", started), STRING("reason", reason),
	{ LH_BIND_STRINGS("also", struct line, also, n_also) },
	{ LH_BIND_BOOL("text_too", struct line, text_too) },
	{ LH_BIND_BOOL("with_log", struct line, with_log) },
	STRING("path", name), STRING("kind", kind), STRING("action", action),
	STRING("sha256", sha256),
	{ LH_BIND_U64("rows", struct line, rows, 0, INT64_MAX) },
	{ LH_BIND_U64("bytes", struct line, bytes, 0, INT64_MAX) },
	{ LH_BIND_TABLES("cut", struct line, cut, n_cuts, cut_members) },
	LH_BIND_END
};

static void line_free(struct line *l)
{
	free(l->path);
	lh_buf_free(&l->file);
	lh_buf_free(&l->text);
}

static bool is_noted(const struct erasure *e, const char *path)
{
	size_t i = 0;

	while (i < e->n_lines && !(e->line[i].path && !strcmp(e->line[i].path, path)))
		i++;
	return i < e->n_lines;
}

/* Take a line of a place: earlier ones have the rows that were cut out in earlier rounds. */
static void take_place(struct erasure *e, struct line *l)
{
	size_t i;

	l->is = place_kind_named(l->kind);
	l->path = lh_strndup(l->name.p, l->name.n);
	for (i = 0; i < e->n_lines; i++)
		if (e->line[i].path && !strcmp(e->line[i].path, l->path)) {
			e->line[i].n_cuts = 0;
			l->again = true;
		}
}

/* Take what was asked: 1; 0 if that was about another person. */
static int take_head(struct erasure *e, const struct line *h)
{
	struct person *who = e->who;
	size_t i, k;

	if (!lh_str_is(h->id, who->id.p, who->id.n))
		return 0;
	snprintf(e->id, sizeof e->id, "%.*s", (int)h->receipt.n, h->receipt.p);
	snprintf(e->started, sizeof e->started, "%.*s", (int)h->started.n, h->started.p);
	e->reason = h->reason;
	e->s->want.text_too |= h->text_too;
	e->s->want.with_log |= h->with_log;
	for (i = 0; i < h->n_also; i++) {
		for (k = 0; k < who->n_also && !lh_str_is(h->also[i], who->also[k].p,
							  who->also[k].n); k++)
			;
		if (k == who->n_also)
			person_add(who, h->also[i]);
	}
	return 1;
}

/* Take a line, which is copied: 1; 0 if it begins the list of another person; -1. */
static int take_line(struct erasure *e, struct lh_str s)
{
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct line l = { .rows = 0 };
	int rc = 1;

	lh_buf_add(&l.file, s.p, s.n);
	lh_buf_room(&l.file, LH_PAD);
	if (lh_record_parse(&rec, l.file.p, l.file.len, e->err) < 0 ||
	    lh_bind(line_members, &rec, &l, &l.text, e->err) < 0)
		rc = -1;
	else if (l.name.p && l.kind.p && l.action.p && l.sha256.p)
		take_place(e, &l);
	else if (l.id.p && l.receipt.p && l.started.p)
		rc = take_head(e, &l);
	else
		rc = lh_err_set(e->err, LH_ECORRUPT, "is neither of an erasure nor of a place");
	if (rc <= 0) {
		line_free(&l);
		return rc;
	}
	lh_grow(&e->line, &e->cap_lines, e->n_lines + 1, sizeof l);
	e->line[e->n_lines++] = l;
	return 1;
}

/* Read a list if it is the person's: 1, 0, -1.  A line that a kill has cut is the last. */
static int read_list(struct erasure *e, const char *path)
{
	LH_SCOPED(lh_buf_free) struct lh_buf file;
	struct lh_str rest, line;
	int rc;

	lh_buf_init(&file, LIST_MAX);
	rc = lh_file_read(path, &file, e->err);
	if (rc <= 0)
		return rc;
	rest = (struct lh_str){ file.p, file.len };
	rc = lh_next_line(&rest, &line) ? take_line(e, line) : 0;
	while (rc > 0 && lh_next_line(&rest, &line))
		if (take_line(e, line) < 0 && (e->err->code != LH_EDATA || rest.n))
			rc = -1;
	return rc < 0 ? lh_err_prefix(e->err, "%s", path) : rc;
}

int erasure_check(struct erasure *e)
{
	size_t i;
	int rc = 0;

	for (i = 0; !e->resumed && !rc && i < e->s->places.n; i++) {
		const struct place *p = &e->s->places.v[i];

		rc = place_is_list(p) ? read_list(e, p->path) : 0;
		if (rc > 0)
			rc = lh_err_set(e->err, LH_EUSAGE, "%s: the erasure was begun with another "
					"key: add it with --key-file", p->path);
	}
	for (i = 0; !rc && i < e->n_lines; i++) {
		const char *path = e->line[i].path;

		if (path && !place_named(e->s, path) && access(path, F_OK) == 0)
			rc = lh_err_set(e->err, LH_EUSAGE, "%s: was a place when the erasure was "
					"begun, and must be named again", path);
	}
	return rc;
}

int erasure_note(struct erasure *e, const struct target *t, const struct cuts *cuts)
{
	const struct place *p = place_of(e, t);
	LH_SCOPED(lh_buf_free) struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	struct state now;
	size_t i;

	if (p->kind == PLACE_SPOOL || (!cuts && is_noted(e, p->path)))
		return 0;	/* another run would not meet it, or it is there */
	if (state_of_place(e, p->path, p->kind, &now) < 0)
		return -1;
	lh_write_object(&w, NULL);
	lh_write_bytes(&w, "path", p->path);
	lh_write_text(&w, "kind", place_is[p->kind].name);
	lh_write_text(&w, "action", t->action);
	lh_write_u64(&w, "rows", now.rows);
	lh_write_u64(&w, "bytes", now.bytes);
	lh_write_text(&w, "sha256", now.sha256);
	lh_write_array(&w, "cut");
	for (i = 0; cuts && i < cuts->n; i++) {
		lh_write_object(&w, NULL);
		lh_write_u64(&w, "at", cuts->v[i].at);
		lh_write_u64(&w, "n", cuts->v[i].n);
		lh_write_u64(&w, "is", cuts->v[i].is);
		lh_write_end(&w);
	}
	lh_write_end(&w);
	lh_write_end(&w);
	if (!e->log.path &&
	    lh_applog_open(&e->log, e->list, 0600, e->tool->lock_timeout, e->err) < 0)
		return -1;
	if (lh_applog_append(&e->log, line.p, line.len, LH_SYNC_EACH, e->err) < 0)
		return -1;
	return take_line(e, (struct lh_str){ line.p, line.len }) < 0 ? -1 : 0;
}

int erasure_begin(struct erasure *e)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(&text);
	char seed[sizeof e->hash + 32], now[32], id[17];
	unsigned char sum[32];
	size_t i;

	lh_tool_time(e->tool, now);
	snprintf(seed, sizeof seed, "%s%s", e->hash, now);
	lh_sha256(seed, strlen(seed), sum);
	lh_hex(sum, 8, id);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "schema", "subject_erasure_plan.v1");
	lh_write_key(&w, "receipt");
	lh_buf_printf(&text, "\"er-%.16s\"", id);
	lh_write_str(&w, "candidate_id", e->who->id);
	lh_write_array(&w, "also");
	for (i = 0; i < e->who->n_also; i++)
		lh_write_str(&w, NULL, e->who->also[i]);
	lh_write_end(&w);
	lh_write_text(&w, "reason", e->s->reason);
	lh_write_text(&w, "started_at", now);
	lh_write_bool(&w, "text_too", e->s->want.text_too);
	lh_write_bool(&w, "with_log", e->s->want.with_log);
	lh_write_end(&w);
	if (take_line(e, (struct lh_str){ text.p, text.len }) < 0)
		return -1;
	lh_buf_putc(&text, '\n');
	return lh_atomic_put(e->list, 0600, &text, e->err);
}

/* ---- receipts of roots ---- */

int erasure_settle(struct erasure *e)
{
	size_t i, h, k, n, cap = 0;
	LH_SCOPED(lh_free_local) struct lh_cut *cut = NULL;

	for (h = 0; h < e->n_held; h++) {
		for (i = n = 0; i < e->n_lines; i++) {
			const struct line *l = &e->line[i];
			const struct place *p = l->n_cuts ? place_named(e->s, l->path) : NULL;

			if (!p || !p->root || strcmp(p->root, e->held[h].path))
				continue;
			lh_grow(&cut, &cap, n + l->n_cuts, sizeof *cut);
			for (k = 0; k < l->n_cuts; k++, n++) {
				cut[n] = l->cut[k];
				cut[n].path = p->path + p->rel;
			}
		}
		if (n && lh_receipts_cut(e->held[h].root, e->id, cut, n, e->err) < 0)
			return -1;
	}
	for (i = 0; i < e->n_lines; i++)
		e->line[i].n_cuts = 0;
	return 0;
}

/* ---- the receipt that is there ---- */

static const struct lh_bind searched_members[] = {
	{ LH_BIND_U64("names", struct searched, n[LH_TEXT_NAME], 0, INT64_MAX), .required = true },
	{ LH_BIND_U64("emails", struct searched, n[LH_TEXT_EMAIL], 0, INT64_MAX),
	  .required = true },
	{ LH_BIND_U64("telephones", struct searched, n[LH_TEXT_TELEPHONE], 0, INT64_MAX),
	  .required = true },
	{ LH_BIND_STRINGS("hashes", struct searched, hash, n_hashes), .required = true },
	LH_BIND_END
};
static const struct lh_bind left_members[] = {
	{ LH_BIND_U64("look", struct remains, look, 0, INT64_MAX) },
	{ LH_BIND_U64("by_hand", struct remains, by_hand, 0, INT64_MAX) },
	LH_BIND_END
};
static const struct lh_bind receipt_members[] = {
	{ LH_BIND_STRING("receipt", struct receipt, id), .required = true },
	{ LH_BIND_TABLE("searched", struct receipt, searched, searched_members),
	  .given = LH_BIND_FIELD(struct receipt, says) },
	{ LH_BIND_TABLE("left", struct receipt, left, left_members) },
	{ LH_BIND_U64("opaque", struct receipt, left.opaque, 0, INT64_MAX) },
	LH_BIND_END
};

/* Read it into e->before, whose id is else empty, and count the texts of the person that it has:
 * 0, -1. */
static int read_receipt(struct erasure *e)
{
	struct receipt *r = &e->before;
	char hex[2 * LH_HASH_SIZE];
	size_t i, k;
	int rc;

	lh_buf_init(&r->file, LIST_MAX);
	rc = lh_file_read(e->receipt, &r->file, e->err);
	if (rc <= 0)
		return rc;
	if (lh_record_parse(&r->rec, r->file.p, r->file.len, e->err) < 0 ||
	    lh_bind(receipt_members, &r->rec, r, &r->text, e->err) < 0)
		return lh_err_prefix(e->err, "%s", e->receipt);
	for (i = 1; r->says && i <= e->who->n_also; i++)
		for (k = person_hash(e->who, i, e->key, hex) ? 0 : r->searched.n_hashes;
		     k < r->searched.n_hashes; k++)
			r->n_same += lh_str_is(r->searched.hash[k], hex, sizeof hex);
	return 0;
}

/* Write what a receipt says, and a sentence of it. */
static void write_compared(const struct receipt *r, struct lh_writer *w, struct lh_buf *sentence)
{
	const uint64_t *were = r->searched.n;
	const bool same = r->n_same == were[0] + were[1] + were[2];

	lh_write_object(w, "erasure");
	lh_write_str(w, "receipt", r->id);
	write_kinds(w, were);
	if (r->says)
		lh_write_bool(w, "same", same);
	lh_write_end(w);
	lh_buf_printf(sentence, "; the erasure %.*s ", (int)r->id.n, r->id.p);
	if (!r->says || !r->searched.n_hashes) {
		lh_buf_puts(sentence, r->says ? "searched for the id alone"
					      : "does not say what it searched for");
		return;
	}
	lh_buf_puts(sentence, same ? "searched for the same " : "searched for ");
	put_kinds(sentence, were);
	if (!same)
		lh_buf_puts(sentence, ", not all of which are among these");
}

int erasure_compare(struct lh_tool *tool, struct settings *s, struct person *who,
		    struct lh_writer *w, struct lh_buf *sentence)
{
	struct erasure e = ERASURE(tool, s, who);
	int rc;

	if (!s->key_file.n || !s->subjects)
		return 0;
	rc = read_keys(tool, s, &e.keys) < 0 || (find_paths(&e) && read_receipt(&e) < 0) ? -1 : 0;
	if (!rc && e.before.id.p)
		write_compared(&e.before, w, sentence);
	erasure_close(&e);
	return rc;
}

void erasure_left_before(const struct erasure *e, struct remains *left)
{
	const struct receipt *r = &e->before;
	const uint64_t was[] = { r->left.look, r->left.by_hand, r->left.opaque };
	uint64_t *const now[] = { &left->look, &left->by_hand, &left->opaque };
	size_t i;

	for (i = 0; i < 3 && !(r->says && r->n_same >= r->searched.n_hashes); i++)
		*now[i] = *now[i] > was[i] ? *now[i] : was[i];
}

/* ---- the receipt that is written ---- */

/* Return the bytes of a path before its last name. */
static size_t without_name(const char *path, size_t n)
{
	while (n && path[n - 1] == '/')
		n--;
	while (n && path[n - 1] != '/')
		n--;
	return n;
}

/* Write the path of a place without its end that is made of an id, or has the person. */
static void write_path(struct erasure *e, struct lh_writer *w, enum place_kind k, const char *path)
{
	const struct snapshot *in = e->s->snapshot;
	const bool own = k == PLACE_MANIFEST || k == PLACE_CHAIN || k == PLACE_SECRET ||
			 place_is_named_after(e->s, path, e->who->id);
	LH_SCOPED(lh_free_local) char *cut = NULL;
	struct match m = { .others = 0 };
	size_t n = strlen(path);

	n = own ? without_name(path, n) : n;
	while (person_match_bytes(e->who, path, n, &m))
		n = without_name(path, n);
	lh_buf_free(&m.members);
	cut = lh_strndup(path, n);
	if (in && n < in->rel)		/* its own name has the person */
		lh_write_bytes(w, "path", in->dest);
	else
		place_write_path(w, e->s, cut);
}

/* The places first, by path, and of those of one path what it was at first. */
static int by_path(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	const int c = x->path && y->path ? strcmp(x->path, y->path) : !x->path - !y->path;

	return c ? c : x->again - y->again;
}

static int write_places(struct erasure *e, struct lh_writer *w, uint64_t *rows)
{
	struct state now;
	size_t i;

	qsort(e->line, e->n_lines, sizeof *e->line, by_path);
	lh_write_array(w, "places");
	for (i = 0; i < e->n_lines; i++) {
		const struct line *was = &e->line[i];

		if (!was->path || was->again)
			continue;
		if (state_of_place(e, was->path, was->is, &now) < 0)
			return -1;
		*rows += was->rows > now.rows ? was->rows - now.rows : 0;
		lh_write_object(w, NULL);
		lh_write_text(w, "kind", place_is[was->is].name);
		write_path(e, w, was->is, was->path);
		lh_write_str(w, "action", was->action);
		lh_write_u64(w, "rows_before", was->rows);
		lh_write_u64(w, "rows_after", now.rows);
		if (was->sha256.n)
			lh_write_str(w, "sha256_before", was->sha256);
		else
			lh_write_null(w, "sha256_before");
		lh_write_text(w, "sha256_after", *now.sha256 ? now.sha256 : NULL);
		lh_write_end(w);
	}
	lh_write_end(w);
	return 0;
}

void erasure_write_by_hand(struct erasure *e, struct lh_writer *w, const struct place *p,
			   const char *why)
{
	lh_write_object(w, NULL);
	lh_write_text(w, "kind", place_is[p->kind].name);
	write_path(e, w, p->kind, p->path);
	lh_write_text(w, "why", why);
	lh_write_end(w);
}

static void write_by_hand(struct erasure *e, struct lh_writer *w)
{
	const struct lh_buf *snapshots = &e->snapshots_by_hand;
	size_t i;

	lh_write_array(w, "by_hand");
	for (i = 0; i < e->n_targets; i++)
		if (is_by_hand(&e->target[i]))
			erasure_write_by_hand(e, w, place_of(e, &e->target[i]), e->target[i].why);
	if (snapshots->len)
		lh_write_raw(w, NULL, (struct lh_str){ snapshots->p, snapshots->len });
	lh_write_end(w);
}

/* Write what a bucket may keep of an object, or of a store of snapshots: where it is, and why. */
static void write_versions(struct erasure *e, struct lh_writer *w, const char *path)
{
	lh_write_object(w, NULL);
	write_path(e, w, PLACE_OBJECT, path);
	lh_write_null(w, "version");
	lh_write_text(w, "why", "the bucket may keep older versions, which stay");
	lh_write_end(w);
}

size_t erasure_versions(struct erasure *e, struct lh_writer *w)
{
	const struct lh_list *s = &e->s->snapshots;
	size_t i, n = 0;

	for (i = 0; i < e->n_lines; i++) {
		const struct line *l = &e->line[i];

		if (l->path && !l->again && l->is == PLACE_OBJECT && lh_store_is_s3(l->path) &&
		    ++n && w)
			write_versions(e, w, l->path);
	}
	for (i = 0; e->in_snapshots && i < s->n; i++)
		if (lh_store_is_s3(s->v[i]) && ++n && w)
			write_versions(e, w, s->v[i]);
	return n;
}

static int write_receipt(struct erasure *e, const struct remains *left, struct lh_buf *out)
{
	struct lh_str earlier = { e->before.file.p, e->before.file.len };
	struct lh_writer w = lh_write_to(out);
	uint64_t rows = 0;
	char now[32];
	size_t i;

	lh_tool_time(e->tool, now);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "schema", "subject_erasure.v1");
	lh_write_text(&w, "receipt", e->id);
	lh_write_text(&w, "candidate_hash", e->hash);
	lh_write_str(&w, "reason", e->reason);
	lh_write_text(&w, "started_at", e->started);
	lh_write_text(&w, "finished_at", now);
	if (write_places(e, &w, &rows) < 0)
		return -1;
	write_by_hand(e, &w);
	lh_write_u64(&w, "rows", rows);
	lh_write_object(&w, "left");
	lh_write_u64(&w, "look", left->look);
	lh_write_u64(&w, "by_hand", left->by_hand);
	lh_write_u64(&w, "kept", left->kept);
	lh_write_end(&w);
	lh_write_u64(&w, "opaque", left->opaque);
	write_searched(&w, e->who, e->key);
	lh_write_array(&w, "old_versions");
	erasure_versions(e, &w);
	lh_write_end(&w);
	lh_write_array(&w, "elsewhere");
	for (i = 0; i < e->s->elsewhere.n; i++)
		lh_write_text(&w, NULL, e->s->elsewhere.v[i]);
	lh_write_end(&w);
	if (e->s->snapshots.n) {
		lh_write_array(&w, "snapshots");
		lh_buf_add(out, e->snapshots.p, e->snapshots.len);
		lh_write_end(&w);
	}
	while (earlier.n && earlier.p[earlier.n - 1] == '\n')
		earlier.n--;
	if (earlier.n)
		lh_write_raw(&w, "earlier", earlier);
	lh_write_end(&w);
	lh_buf_putc(out, '\n');
	return lh_atomic_put(e->receipt, 0600, out, e->err);
}

/* Append the hash of the receipt to the transparency log. */
static int commit_receipt(struct erasure *e, const struct lh_buf *text)
{
	LH_SCOPED(lh_tlog_keyed_close) struct lh_tlog_keyed tree = { .log = NULL };
	char entry[LH_RECEIPT_ENTRY];
	unsigned char sum[32];
	uint64_t index;

	lh_sha256(text->p, text->len, sum);
	lh_receipt_entry(sum, entry);
	if (lh_tlog_keyed_open(&tree, e->s->tlog, e->s->tlog_key.v, e->s->tlog_key.n,
			       e->tool->lock_timeout, e->err) < 0)
		return -1;
	return lh_tlog_append_once(tree.log, &(struct lh_str){ entry, sizeof entry }, 1, &index,
				   e->err);
}

int erasure_finish(struct erasure *e, const struct remains *left)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	if (lh_str_is(e->before.id, e->id, strlen(e->id)))	/* written before a kill */
		lh_buf_add(&text, e->before.file.p, e->before.file.len);
	else if (write_receipt(e, left, &text) < 0)
		return -1;
	if ((e->s->tlog && commit_receipt(e, &text) < 0) ||
	    (e->s->receipt && lh_atomic_put(e->s->receipt, 0600, &text, e->err) < 0))
		return -1;
	return remove_file(e->list, e->err);
}

/* ---- all ---- */

int erasure_lock(struct erasure *e)
{
	LH_SCOPED(lh_free_local) char *folder = path_of(e, "", "");
	LH_SCOPED(lh_free_local) char *lock = path_of(e, ".lock", "");

	if (lh_subject_make_dir(e->s->subjects, e->err) < 0 ||
	    lh_own_mkdir(folder, 0700, e->err) < 0)
		return -1;
	return lh_lock_take(&e->lock, lock, folder, e->tool->lock_timeout, e->err);
}

int erasure_open(struct erasure *e)
{
	int rc;

	find_paths(e);
	rc = read_list(e, e->list);
	e->resumed = rc > 0;
	return rc < 0 || person_prepare(e->who, e->s, e->err) < 0 ? -1 : read_receipt(e);
}

void erasure_close(struct erasure *e)
{
	while (e->n_held)
		lh_root_close(e->held[--e->n_held].root);
	while (e->n_lines)
		line_free(&e->line[--e->n_lines]);
	free(e->held);
	free(e->line);
	free(e->list);
	free(e->receipt);
	free(e->target);
	hits_free(&e->hits);
	lh_buf_free(&e->before.file);
	lh_buf_free(&e->before.text);
	lh_record_free(&e->before.rec);
	lh_buf_free(&e->snapshots);
	lh_buf_free(&e->snapshots_by_hand);
	lh_applog_close(&e->log, &(struct lh_err){ 0 });
	lh_lock_drop(&e->lock);
	lh_chain_keys_free(&e->keys);
}
