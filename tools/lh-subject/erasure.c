/* erasure.c - the list of what an erasure changes, the receipt and their files.  See erase.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lh/digest.h>

#include "base/mem.h"
#include "erase.h"
#include "tlog/log.h"

#define FOLDER "_erasures"
#define LIST_SCHEMA "subject_erasure_plan.v1"
#define RECEIPT_SCHEMA "subject_erasure.v1"
#define LIST_MAX ((size_t)1 << 30)

/* ---- paths ---- */

static char *path_of(struct erasure *e, const char *name, const char *ending)
{
	struct lh_buf b = { 0 };

	lh_buf_printf(&b, "%s/" FOLDER "/%s%s%c", e->s->subjects, name, ending, '\0');
	return b.p;
}

/* Set paths by a key: 1 if it is that of a list or a receipt that is there, else 0. */
static int set_paths(struct erasure *e, const struct lh_hmac *key)
{
	unsigned char sum[32];

	e->key = key;
	lh_hmac(key, e->who.id.p, e->who.id.n, NULL, 0, sum);
	lh_hex(sum, sizeof sum, e->hash);
	free(e->list);
	free(e->receipt);
	e->list = path_of(e, e->hash, ".plan");
	e->receipt = path_of(e, e->hash, ".json");
	return access(e->list, F_OK) == 0 || access(e->receipt, F_OK) == 0;
}

/* Set the paths by the key whose list or receipt there is, else by the first: 1 if there is. */
static int find_paths(struct erasure *e)
{
	size_t i;

	for (i = 0; i < e->keys.n; i++)
		if (set_paths(e, e->keys.key[i]))
			return 1;
	return e->keys.n ? set_paths(e, e->keys.key[0]) : 0;
}

/* ---- the list ---- */

/* The first line. */
struct head {
	struct lh_str id, receipt, started, reason;
	const struct lh_str *also;
	size_t n_also;
	bool text_too, with_log;
};
static const struct lh_bind head_members[] = {
	{ LH_BIND_ID("candidate_id", struct head, id), .required = true },
	{ LH_BIND_STRING("receipt", struct head, receipt), .required = true },
	{ LH_BIND_STRING("started_at", struct head, started), .required = true },
	{ LH_BIND_STRING("reason", struct head, reason) },
	{ LH_BIND_STRINGS("also", struct head, also, n_also), .required = true },
	{ LH_BIND_BOOL("text_too", struct head, text_too) },
	{ LH_BIND_BOOL("with_log", struct head, with_log) },
	LH_BIND_END
};

/* One of a place. */
struct entry {
	struct lh_str path, kind, action, sha256;
	uint64_t rows, bytes;
	struct lh_value cuts;
};
static const struct lh_bind entry_members[] = {
	{ LH_BIND_STRING("path", struct entry, path), .required = true },
	{ LH_BIND_STRING("kind", struct entry, kind), .required = true },
	{ LH_BIND_STRING("action", struct entry, action), .required = true },
	{ LH_BIND_STRING("sha256", struct entry, sha256), .required = true },
	{ LH_BIND_U64("rows", struct entry, rows, 0, INT64_MAX) },
	{ LH_BIND_U64("bytes", struct entry, bytes, 0, INT64_MAX) },
	{ LH_BIND_ARRAY("cuts", struct entry, cuts) },
	LH_BIND_END
};

static char *copy_str(struct lh_str s)
{
	return lh_strndup(s.p ? s.p : "", s.n);
}

/* Add a copy of a text that names the person, unless it is there. */
static void add_also(struct erasure *e, struct lh_str text)
{
	size_t i, cap = e->who.n_also;

	for (i = 0; i < e->who.n_also; i++)
		if (lh_str_is(text, e->who.also[i].p, e->who.also[i].n))
			return;
	lh_grow(&e->who.also, &cap, i + 1, sizeof text);
	e->who.also[e->who.n_also++] = (struct lh_str){ copy_str(text), text.n };
}

static int read_cuts(struct cuts *c, const struct lh_value *v, struct lh_err *err)
{
	struct lh_iter it, in;
	int64_t n[3];
	size_t i;

	c->n = 0;
	for (lh_iter_init(&it, v); v->p && lh_iter_next(&it); ) {
		for (i = 0, lh_iter_init(&in, &it.val); i < 3 && lh_iter_next(&in); i++)
			if (in.val.type != LH_NUMBER || !lh_value_i64(&in.val, &n[i]))
				break;
		if (i < 3)
			return lh_err_set(err, LH_ECORRUPT, "a cut is not three numbers");
		lh_grow(&c->v, &c->cap, c->n + 1, sizeof *c->v);
		c->v[c->n++] = (struct lh_cut){ NULL, (uint64_t)n[0], (uint64_t)n[1],
						(uint64_t)n[2] };
	}
	return 0;
}

static struct was *was_of(struct erasure *e, const char *path, size_t n)
{
	size_t i;

	for (i = 0; i < e->n_was; i++)
		if (strlen(e->was[i].path) == n && !memcmp(e->was[i].path, path, n))
			return &e->was[i];
	return NULL;
}

/* Take a line of the list with LH_PAD readable bytes after it: the first one, or of a place, of
 * which an earlier line says what it was. */
static int take_line(struct erasure *e, struct lh_str line)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_err *err = &e->tool->err;
	struct entry in = { .rows = 0 };
	struct was *w;

	if (lh_record_parse(&rec, line.p, line.n, err) < 0 ||
	    lh_bind(entry_members, &rec, &in, &text, err) < 0)
		return -1;
	w = was_of(e, in.path.p, in.path.n);
	if (!w) {
		lh_grow(&e->was, &e->cap_was, e->n_was + 1, sizeof *w);
		w = &e->was[e->n_was++];
		*w = (struct was){ .path = copy_str(in.path), .action = copy_str(in.action),
				   .kind = place_kind_named(in.kind), .rows = in.rows,
				   .bytes = in.bytes };
		snprintf(w->sha256, sizeof w->sha256, "%.*s", (int)in.sha256.n, in.sha256.p);
	}
	snprintf(w->from, sizeof w->from, "%.*s", (int)in.sha256.n, in.sha256.p);
	return read_cuts(&w->cuts, &in.cuts, err);
}

/* Take the first line: 1; 0 if it is of another person; -1. */
static int take_head(struct erasure *e, struct lh_str line)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct head h = { .n_also = 0 };
	size_t i;

	if (lh_record_parse(&rec, line.p, line.n, &e->tool->err) < 0 ||
	    lh_bind(head_members, &rec, &h, &text, &e->tool->err) < 0)
		return -1;
	if (!lh_str_is(h.id, e->who.id.p, e->who.id.n))
		return 0;
	snprintf(e->id, sizeof e->id, "%.*s", (int)h.receipt.n, h.receipt.p);
	snprintf(e->started, sizeof e->started, "%.*s", (int)h.started.n, h.started.p);
	free(e->reason);
	e->reason = h.reason.p ? copy_str(h.reason) : NULL;
	e->s->text_too |= h.text_too;
	e->s->with_log |= h.with_log;
	for (i = 0; i < h.n_also; i++)
		add_also(e, h.also[i]);
	return 1;
}

/* Read a list if it is the person's: 1, 0, -1.  A line that a kill has cut is the last. */
static int read_list(struct erasure *e, const char *path)
{
	struct lh_err *err = &e->tool->err;
	LH_SCOPED(lh_buf_free) struct lh_buf file = { 0 };
	struct lh_str rest, line;
	int rc;

	lh_buf_init(&file, LIST_MAX);
	rc = lh_file_read(path, &file, err);
	if (rc <= 0)
		return rc;
	if (!lh_buf_room(&file, LH_PAD))
		return lh_buf_check(&file, err);
	rest = (struct lh_str){ file.p, file.len };
	rc = lh_next_line(&rest, &line) ? take_head(e, line) : 0;
	while (rc > 0 && lh_next_line(&rest, &line))
		if (take_line(e, line) < 0 && (err->code != LH_EDATA || rest.n))
			rc = -1;
	return rc < 0 ? lh_err_prefix(err, "%s", path) : rc;
}

int erasure_check(struct erasure *e)
{
	size_t i;
	int rc = 0;

	for (i = 0; !e->resumed && !rc && i < e->s->places.n; i++) {
		const struct place *p = &e->s->places.v[i];

		rc = place_is_list(p) ? read_list(e, p->path) : 0;
		if (rc > 0)
			rc = lh_err_set(&e->tool->err, LH_EUSAGE, "%s: the erasure was begun with "
					"another key: add it with --key-file", p->path);
	}
	for (i = 0; !rc && i < e->n_was; i++)
		if (!place_named(e->s, e->was[i].path) && access(e->was[i].path, F_OK) == 0)
			rc = lh_err_set(&e->tool->err, LH_EUSAGE, "%s: was a place when the "
					"erasure was begun, and must be named again",
					e->was[i].path);
	return rc;
}

int erasure_note(struct erasure *e, const struct target *t, const struct cuts *cuts)
{
	const struct place *p = place_of(e, t);
	LH_SCOPED(lh_buf_free) struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	struct lh_err *err = &e->tool->err;
	struct was now;
	size_t i;

	if (p->kind == PLACE_SPOOL || (!cuts && was_of(e, p->path, strlen(p->path))))
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
	lh_write_array(&w, "cuts");
	for (i = 0; cuts && i < cuts->n; i++) {
		lh_write_array(&w, NULL);
		lh_write_u64(&w, NULL, cuts->v[i].was);
		lh_write_u64(&w, NULL, cuts->v[i].is);
		lh_write_u64(&w, NULL, cuts->v[i].rows);
		lh_write_end(&w);
	}
	lh_write_end(&w);
	lh_write_end(&w);
	if (!e->log.path && lh_applog_open(&e->log, e->list, 0600, e->tool->lock_timeout, err) < 0)
		return -1;
	if (lh_applog_append(&e->log, line.p, line.len, LH_SYNC_EACH, err) < 0)
		return -1;
	lh_buf_room(&line, LH_PAD);
	return take_line(e, (struct lh_str){ line.p, line.len });
}

int erasure_begin(struct erasure *e)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(&text);
	char seed[sizeof e->hash + sizeof e->started];
	unsigned char sum[32];
	size_t i;

	lh_tool_time(e->tool, e->started);
	snprintf(seed, sizeof seed, "%s%s", e->hash, e->started);
	lh_sha256(seed, strlen(seed), sum);
	memcpy(e->id, "er-", 3);
	lh_hex(sum, 8, e->id + 3);
	e->reason = lh_strndup(e->s->reason, strlen(e->s->reason));
	lh_write_object(&w, NULL);
	lh_write_text(&w, "schema", LIST_SCHEMA);
	lh_write_text(&w, "receipt", e->id);
	lh_write_str(&w, "candidate_id", e->who.id);
	lh_write_array(&w, "also");
	for (i = 0; i < e->who.n_also; i++)
		lh_write_str(&w, NULL, e->who.also[i]);
	lh_write_end(&w);
	lh_write_text(&w, "reason", e->reason);
	lh_write_text(&w, "started_at", e->started);
	lh_write_bool(&w, "text_too", e->s->text_too);
	lh_write_bool(&w, "with_log", e->s->with_log);
	lh_write_end(&w);
	lh_buf_putc(&text, '\n');
	return lh_atomic_put(e->list, 0600, &text, &e->tool->err);
}

/* ---- receipts of roots ---- */

/* Make those of a root true, by the files of it that were replaced. */
static int settle_root(struct erasure *e, const char *path)
{
	struct lh_root *root = erase_hold_root(e, path);
	LH_SCOPED(lh_free_local) struct lh_cut *cut = NULL;
	size_t i, k, n = 0, cap = 0;
	struct was now;

	if (!root)
		return -1;
	for (i = 0; i < e->n_was; i++) {
		const struct was *w = &e->was[i];
		const struct place *p = w->cuts.n ? place_named(e->s, w->path) : NULL;

		if (!p || !p->root || strcmp(p->root, path))
			continue;
		if (state_of_place(e, w->path, w->kind, &now) < 0)
			return -1;
		if (!strcmp(now.sha256, w->from))
			continue;	/* it was not replaced */
		lh_grow(&cut, &cap, n + w->cuts.n, sizeof *cut);
		for (k = 0; k < w->cuts.n; k++, n++) {
			cut[n] = w->cuts.v[k];
			cut[n].path = p->path + p->rel;
		}
	}
	return n ? lh_receipts_cut(root, e->id, cut, n, &e->tool->err) : 0;
}

int erasure_settle(struct erasure *e)
{
	size_t i;

	for (i = 0; i < e->n_held; i++)
		if (settle_root(e, e->held[i].path) < 0)
			return -1;
	for (i = 0; i < e->n_was; i++)
		e->was[i].cuts.n = 0;
	return 0;
}

/* ---- the receipt ---- */

/* What a receipt says was searched for. */
struct searched {
	uint64_t n[TEXT_KINDS];
	const struct lh_str *hash;	/* of each text, in hex */
	size_t n_hashes;
};
struct receipt {
	struct lh_str id;
	struct searched searched;
	struct remains left;
	bool says;			/* what was searched for, as those of old do not */
	struct lh_buf file, text;
	struct lh_record rec;
};
#define COUNT(name, kind) \
	{ LH_BIND_U64(name, struct searched, n[kind], 0, INT64_MAX), .required = true }
static const struct lh_bind searched_members[] = {
	COUNT("names", TEXT_NAME), COUNT("emails", TEXT_EMAIL), COUNT("telephones", TEXT_TELEPHONE),
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

static void receipt_free(struct receipt *r)
{
	lh_buf_free(&r->file);
	lh_buf_free(&r->text);
	lh_record_free(&r->rec);
}

/* Read the receipt into *r, which is zero: 1, 0 if there is none, -1. */
static int read_receipt(struct erasure *e, struct receipt *r)
{
	struct lh_err *err = &e->tool->err;
	int rc;

	lh_buf_init(&r->file, LIST_MAX);
	rc = lh_file_read(e->receipt, &r->file, err);
	if (rc <= 0)
		return rc;
	if (lh_record_parse(&r->rec, r->file.p, r->file.len, err) < 0 ||
	    lh_bind(receipt_members, &r->rec, r, &r->text, err) < 0)
		return lh_err_prefix(err, "%s", e->receipt);
	return 1;
}

int erasure_receipt_id(struct erasure *e, struct lh_buf *id)
{
	LH_SCOPED(receipt_free) struct receipt r = { .says = false };
	int rc = read_receipt(e, &r);

	if (rc <= 0)
		return rc;
	lh_buf_printf(id, "%.*s%c", (int)r.id.n, r.id.p, '\0');
	return 1;
}

/* Return the bytes of a path before its last name. */
static size_t without_name(const char *path, size_t n)
{
	while (n && path[n - 1] == '/')
		n--;
	while (n && path[n - 1] != '/')
		n--;
	return n;
}

void erasure_write_path(struct erasure *e, struct lh_writer *w, enum place_kind k, const char *path)
{
	const bool own = k == PLACE_MANIFEST || k == PLACE_CHAIN || k == PLACE_SECRET ||
			 place_is_named_after(e->s, path, e->who.id);
	LH_SCOPED(lh_free_local) char *cut = NULL;
	struct match m = { .others = 0 };
	size_t n = strlen(path);

	n = own ? without_name(path, n) : n;
	while (person_match_bytes(&e->who, path, n, &m))
		n = without_name(path, n);
	lh_buf_free(&m.members);
	cut = lh_strndup(path, n);
	lh_write_bytes(w, "path", cut);
}

static void write_path(struct erasure *e, struct lh_writer *w, enum place_kind k, const char *path)
{
	lh_write_text(w, "kind", place_is[k].name);
	erasure_write_path(e, w, k, path);
}

/* Count the texts of the person that a receipt has, by their kinds. */
static int count_same(struct erasure *e, const struct person *who, const struct searched *s,
		      size_t n[TEXT_KINDS])
{
	char hex[2 * LH_HASH_SIZE];
	size_t i, k;
	int rc = 0;

	for (i = 1; rc >= 0 && i <= who->n_also; i++) {
		rc = person_hash(who, i, e->key, hex);
		for (k = 0; rc > 0 && k < s->n_hashes; k++)
			n[who->known[i].kind] += lh_str_is(s->hash[k], hex, sizeof hex);
	}
	return rc < 0 ? -1 : 0;
}

/* Write what a receipt says, and a sentence of it. */
static int write_compared(struct erasure *e, const struct person *who, const struct receipt *r,
			  struct lh_writer *w, struct lh_buf *sentence)
{
	size_t n[TEXT_KINDS] = { 0 }, were[TEXT_KINDS], i;
	bool same = true;

	if (r->says && count_same(e, who, &r->searched, n) < 0)
		return -1;
	for (i = 0; i < TEXT_KINDS; i++) {
		were[i] = r->searched.n[i];
		same &= n[i] == were[i];
	}
	lh_write_object(w, "erasure");
	lh_write_str(w, "receipt", r->id);
	lh_write_u64(w, "names", were[TEXT_NAME]);
	lh_write_u64(w, "emails", were[TEXT_EMAIL]);
	lh_write_u64(w, "telephones", were[TEXT_TELEPHONE]);
	if (r->says)
		lh_write_bool(w, "same", same);
	lh_write_end(w);
	lh_buf_printf(sentence, "; the erasure %.*s ", (int)r->id.n, r->id.p);
	if (!r->says || !r->searched.n_hashes) {
		lh_buf_puts(sentence, r->says ? "searched for the id alone"
					      : "does not say what it searched for");
		return 0;
	}
	lh_buf_puts(sentence, same ? "searched for the same " : "searched for ");
	put_kinds(sentence, were);
	if (!same)
		lh_buf_puts(sentence, ", not all of which are among these");
	return 0;
}

int erasure_compare(struct lh_tool *tool, struct settings *s, const struct person *who,
		    struct lh_writer *w, struct lh_buf *sentence)
{
	struct erasure e = { .tool = tool, .s = s, .log = { .fd = -1 }, .lock = { .fd = -1 } };
	LH_SCOPED(receipt_free) struct receipt r = { .says = false };
	int rc;

	if (!s->key_file.n || !s->subjects)
		return 0;
	e.who.id = who->id;
	rc = lh_chain_keys_read(&e.keys, (const char *const *)s->key_file.v, s->key_file.n,
				s->insecure_key, &tool->err);
	if (!rc)
		rc = find_paths(&e);
	if (rc > 0)
		rc = read_receipt(&e, &r);
	if (rc > 0)
		rc = write_compared(&e, who, &r, w, sentence);
	erasure_close(&e);
	return rc < 0 ? -1 : 0;
}

static void take_more(uint64_t *of, uint64_t than)
{
	*of = *of > than ? *of : than;
}

int erasure_left_before(struct erasure *e, struct remains *left)
{
	LH_SCOPED(receipt_free) struct receipt r = { .says = false };
	size_t n[TEXT_KINDS] = { 0 };

	if (read_receipt(e, &r) < 0 || (r.says && count_same(e, &e->who, &r.searched, n) < 0))
		return -1;
	if (r.says && n[TEXT_NAME] + n[TEXT_EMAIL] + n[TEXT_TELEPHONE] >= r.searched.n_hashes)
		return 0;
	take_more(&left->look, r.left.look);
	take_more(&left->by_hand, r.left.by_hand);
	take_more(&left->opaque, r.left.opaque);
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct was *)a)->path, ((const struct was *)b)->path);
}

static int write_places(struct erasure *e, struct lh_writer *w, uint64_t *rows)
{
	struct was now;
	size_t i;

	if (e->n_was)
		qsort(e->was, e->n_was, sizeof *e->was, by_path);
	lh_write_array(w, "places");
	for (i = 0; i < e->n_was; i++) {
		const struct was *was = &e->was[i];

		if (state_of_place(e, was->path, was->kind, &now) < 0)
			return -1;
		*rows += was->rows > now.rows ? was->rows - now.rows : 0;
		lh_write_object(w, NULL);
		write_path(e, w, was->kind, was->path);
		lh_write_text(w, "action", was->action);
		lh_write_u64(w, "rows_before", was->rows);
		lh_write_u64(w, "rows_after", now.rows);
		lh_write_text(w, "sha256_before", *was->sha256 ? was->sha256 : NULL);
		lh_write_text(w, "sha256_after", *now.sha256 ? now.sha256 : NULL);
		lh_write_end(w);
	}
	lh_write_end(w);
	return 0;
}

void erasure_list_by_hand(struct erasure *e)
{
	struct lh_writer w = lh_write_to(&e->by_hand);
	size_t i;

	lh_write_array(&w, NULL);
	for (i = 0; i < e->n_targets; i++) {
		const struct target *t = &e->target[i];

		if (!is_by_hand(t))
			continue;
		lh_write_object(&w, NULL);
		write_path(e, &w, place_of(e, t)->kind, place_of(e, t)->path);
		lh_write_text(&w, "why", t->why);
		lh_write_end(&w);
	}
	lh_write_end(&w);
}

static int write_receipt(struct erasure *e, const struct remains *left, struct lh_buf *out)
{
	LH_SCOPED(lh_buf_free) struct lh_buf earlier = { 0 };
	struct lh_writer w = lh_write_to(out);
	uint64_t rows = 0;
	char now[32];
	size_t i;
	int rc;

	lh_tool_time(e->tool, now);
	lh_buf_init(&earlier, LIST_MAX);
	rc = lh_file_read(e->receipt, &earlier, &e->tool->err);
	if (rc < 0)
		return -1;
	lh_write_object(&w, NULL);
	lh_write_text(&w, "schema", RECEIPT_SCHEMA);
	lh_write_text(&w, "receipt", e->id);
	lh_write_text(&w, "candidate_hash", e->hash);
	lh_write_text(&w, "reason", e->reason);
	lh_write_text(&w, "started_at", e->started);
	lh_write_text(&w, "finished_at", now);
	if (write_places(e, &w, &rows) < 0)
		return -1;
	lh_write_raw(&w, "by_hand", (struct lh_str){ e->by_hand.p, e->by_hand.len });
	lh_write_u64(&w, "rows", rows);
	lh_write_object(&w, "left");
	lh_write_u64(&w, "look", left->look);
	lh_write_u64(&w, "by_hand", left->by_hand);
	lh_write_u64(&w, "kept", left->kept);
	lh_write_end(&w);
	lh_write_u64(&w, "opaque", left->opaque);
	if (write_searched(&w, &e->who, e->key) < 0)
		return -1;
	lh_write_array(&w, "old_versions");
	lh_buf_add(out, e->old_versions.p, e->old_versions.len);
	lh_write_end(&w);
	lh_write_array(&w, "elsewhere");
	for (i = 0; i < e->s->elsewhere.n; i++)
		lh_write_text(&w, NULL, e->s->elsewhere.v[i]);
	lh_write_end(&w);
	if (rc > 0) {
		while (earlier.len && earlier.p[earlier.len - 1] == '\n')
			earlier.len--;
		lh_write_raw(&w, "earlier", (struct lh_str){ earlier.p, earlier.len });
	}
	lh_write_end(&w);
	lh_buf_putc(out, '\n');
	return 0;
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
			       e->tool->lock_timeout, &e->tool->err) < 0)
		return -1;
	return lh_tlog_append_once(tree.log, &(struct lh_str){ entry, sizeof entry }, 1, &index,
				   &e->tool->err);
}

int erasure_finish(struct erasure *e, const struct remains *left)
{
	struct lh_err *err = &e->tool->err;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 }, id = { 0 };
	int rc = erasure_receipt_id(e, &id);

	if (rc > 0 && !strcmp(id.p, e->id)) {	/* it was written before a kill */
		lh_buf_init(&text, LIST_MAX);
		rc = lh_file_read(e->receipt, &text, err) > 0 ? 0 : -1;
	} else if (rc >= 0) {
		rc = write_receipt(e, left, &text);
		if (!rc)
			rc = lh_atomic_put(e->receipt, 0600, &text, err);
	}
	if (!rc && e->s->tlog)
		rc = commit_receipt(e, &text);
	if (!rc && e->s->receipt)
		rc = lh_atomic_put(e->s->receipt, 0600, &text, err);
	if (rc < 0)
		return -1;
	if (unlink(e->list) < 0)
		return lh_err_sys(err, "%s: cannot remove", e->list);
	return lh_sync_folder(e->list, err);
}

/* ---- all ---- */

int erasure_lock(struct erasure *e)
{
	struct lh_err *err = &e->tool->err;
	LH_SCOPED(lh_free_local) char *folder = path_of(e, "", "");
	LH_SCOPED(lh_free_local) char *lock = folder ? path_of(e, ".lock", "") : NULL;

	if (!lock || lh_subject_make_dir(e->s->subjects, err) < 0 ||
	    lh_own_mkdir(folder, 0700, err) < 0)
		return -1;
	return lh_lock_take(&e->lock, lock, folder, e->tool->lock_timeout, err);
}

int erasure_open(struct erasure *e, const struct person *who)
{
	size_t i;
	int rc;

	for (i = 0; i < who->n_also; i++)
		add_also(e, who->also[i]);
	find_paths(e);
	rc = read_list(e, e->list);
	e->resumed = rc > 0;
	return rc < 0 ? -1 : person_prepare(&e->who, e->s, &e->tool->err);
}

void erasure_close(struct erasure *e)
{
	size_t i;

	while (e->n_held)
		lh_root_close(e->held[--e->n_held].root);
	while (e->n_was) {
		struct was *w = &e->was[--e->n_was];

		free(w->path);
		free(w->action);
		free(w->cuts.v);
	}
	free(e->held);
	free(e->was);
	free(e->list);
	free(e->receipt);
	free(e->reason);
	free(e->target);
	hits_free(&e->hits);
	lh_buf_free(&e->by_hand);
	lh_buf_free(&e->old_versions);
	lh_applog_close(&e->log, &(struct lh_err){ 0 });
	lh_lock_drop(&e->lock);
	lh_chain_keys_free(&e->keys);
	for (i = 0; i < e->who.n_also; i++)
		free((char *)e->who.also[i].p);
	person_free(&e->who);
}
