/* erasure.c - the journal of an erasure, its receipt and their files.  See erase.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lh/digest.h>

#include "base/mem.h"
#include "erase.h"
#include "tlog/log.h"

#define FOLDER "_erasures"
#define PLAN_SCHEMA "subject_erasure_plan.v1"
#define RECEIPT_SCHEMA "subject_erasure.v1"
#define JOURNAL_MAX ((size_t)1 << 30)

/* ---- paths ---- */

static char *path_of(struct erasure *e, const char *name, const char *ending)
{
	struct lh_buf b = { 0 };

	lh_buf_printf(&b, "%s/" FOLDER "/%s%s%c", e->s->subjects, name, ending, '\0');
	return b.p;
}

/* Set hash and paths by a key: 1 if it is that of a journal or a receipt that is there, 0, -1. */
static int set_paths(struct erasure *e, const struct lh_hmac *key)
{
	unsigned char sum[32];

	e->key = key;
	lh_hmac(key, e->who.id.p, e->who.id.n, NULL, 0, sum);
	lh_hex(sum, sizeof sum, e->hash);
	free(e->journal);
	free(e->receipt);
	e->journal = path_of(e, e->hash, ".plan");
	e->receipt = path_of(e, e->hash, ".json");
	if (!e->journal || !e->receipt)
		return -1;
	return access(e->journal, F_OK) == 0 || access(e->receipt, F_OK) == 0;
}

/* ---- the journal ---- */

static const struct lh_bind plan_members[] = {
	{ LH_BIND_STRING("receipt", struct erasure_plan, receipt), .required = true },
	{ LH_BIND_STRING("started_at", struct erasure_plan, started), .required = true },
	{ LH_BIND_STRING("reason", struct erasure_plan, reason) },
	{ LH_BIND_STRINGS("also", struct erasure_plan, also, n_also), .required = true },
	{ LH_BIND_BOOL("text_too", struct erasure_plan, text_too) },
	{ LH_BIND_BOOL("with_log", struct erasure_plan, with_log) },
	LH_BIND_END
};

struct entry {
	struct lh_str path, kind, action, sha256, root, from;
	uint64_t rows, bytes;
	struct lh_value cuts;
};
static const struct lh_bind entry_members[] = {
	{ LH_BIND_STRING("path", struct entry, path), .required = true },
	{ LH_BIND_STRING("kind", struct entry, kind) },
	{ LH_BIND_STRING("action", struct entry, action) },
	{ LH_BIND_STRING("sha256", struct entry, sha256) },
	{ LH_BIND_U64("rows", struct entry, rows, 0, INT64_MAX) },
	{ LH_BIND_U64("bytes", struct entry, bytes, 0, INT64_MAX) },
	{ LH_BIND_STRING("root", struct entry, root) },
	{ LH_BIND_STRING("from", struct entry, from) },
	{ LH_BIND_ARRAY("cuts", struct entry, cuts) },
	LH_BIND_END
};

static int read_cuts(struct cuts *c, const struct lh_value *v, struct lh_err *err)
{
	struct lh_iter it, in;
	int64_t n[3];
	size_t i;

	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		for (i = 0, lh_iter_init(&in, &it.val); i < 3 && lh_iter_next(&in); i++)
			if (in.val.type != LH_NUMBER || !lh_value_i64(&in.val, &n[i]))
				break;
		if (i < 3)
			return lh_err_set(err, LH_ECORRUPT, "a cut is not three numbers");
		lh_grow(&c->cut, &c->cap, c->n + 1, sizeof *c->cut);
		c->cut[c->n++] = (struct lh_cut){ c->path, (uint64_t)n[0], (uint64_t)n[1],
						  (uint64_t)n[2] };
	}
	return 0;
}

static char *copy_str(struct lh_str s)
{
	return lh_strndup(s.p ? s.p : "", s.n);
}

static void free_cuts(struct cuts *c)
{
	free(c->root);
	free(c->path);
	free(c->cut);
}

/* Take over a copy of the cuts of a file, in place of older ones. */
static void add_cuts(struct erasure *e, struct cuts *own)
{
	size_t i;

	for (i = 0; i < e->n_cuts; i++)
		if (!strcmp(e->cuts[i].root, own->root) && !strcmp(e->cuts[i].path, own->path))
			break;
	if (i < e->n_cuts) {
		free_cuts(&e->cuts[i]);
	} else {
		lh_grow(&e->cuts, &e->cap_cuts, e->n_cuts + 1, sizeof *own);
		e->n_cuts++;
	}
	e->cuts[i] = *own;
}

static int take_cuts(struct erasure *e, const struct entry *in)
{
	struct lh_err *err = &e->tool->err;
	struct cuts own = { .root = copy_str(in->root), .path = copy_str(in->path) };

	snprintf(own.from, sizeof own.from, "%.*s", (int)in->from.n, in->from.p);
	if (read_cuts(&own, &in->cuts, err) < 0) {
		free_cuts(&own);
		return -1;
	}
	add_cuts(e, &own);
	return 0;
}

static void add_was(struct erasure *e, const struct entry *in)
{
	struct was *w;

	lh_grow(&e->was, &e->cap_was, e->n_was + 1, sizeof *w);
	w = &e->was[e->n_was++];
	*w = (struct was){ .path = copy_str(in->path), .action = copy_str(in->action),
			   .kind = place_kind_named(in->kind), .rows = in->rows,
			   .bytes = in->bytes };
	snprintf(w->sha256, sizeof w->sha256, "%.*s", (int)in->sha256.n, in->sha256.p);
}

static int take_plan(struct erasure *e, struct lh_str line)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct erasure_plan p = { .n_also = 0 };
	struct lh_err *err = &e->tool->err;
	size_t i;

	if (lh_record_parse(&rec, line.p, line.n, err) < 0 ||
	    lh_bind(plan_members, &rec, &p, &text, err) < 0)
		return -1;
	snprintf(e->id, sizeof e->id, "%.*s", (int)p.receipt.n, p.receipt.p);
	snprintf(e->started, sizeof e->started, "%.*s", (int)p.started.n, p.started.p);
	e->reason = p.reason.p ? copy_str(p.reason) : NULL;
	e->s->text_too |= p.text_too;
	e->s->with_log |= p.with_log;
	for (i = 0; i < p.n_also; i++)
		erase_add_also(e, p.also[i]);
	e->resumed = true;
	return 0;
}

/* Take a line of the journal after the first, with LH_PAD readable bytes after it. */
static int take_line(struct erasure *e, struct lh_str line)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct entry in = { .path = { NULL, 0 } };

	if (lh_record_parse(&rec, line.p, line.n, &e->tool->err) < 0 ||
	    lh_bind(entry_members, &rec, &in, &text, &e->tool->err) < 0)
		return -1;
	if (in.from.p)
		return take_cuts(e, &in);
	add_was(e, &in);
	return 0;
}

/* Read the journal; a line that a kill has cut is the last. */
static int read_journal(struct erasure *e)
{
	struct lh_err *err = &e->tool->err;
	LH_SCOPED(lh_buf_free) struct lh_buf file = { 0 };
	struct lh_str rest, line;
	int rc;

	lh_buf_init(&file, JOURNAL_MAX);
	rc = lh_file_read(e->journal, &file, err);
	if (rc <= 0)
		return rc;
	if (!lh_buf_room(&file, LH_PAD))
		return lh_buf_check(&file, err);
	rest = (struct lh_str){ file.p, file.len };
	for (rc = 0; !rc && lh_next_line(&rest, &line); ) {
		rc = e->resumed ? take_line(e, line) : take_plan(e, line);
		if (rc && err->code == LH_EDATA && !rest.n && e->resumed)
			rc = 0;
	}
	return rc ? lh_err_prefix(err, "%s", e->journal) : 0;
}

/* Return whether a file is a journal of the person: 1, 0, -1. */
static int has_person(struct erasure *e, const char *path)
{
	LH_SCOPED(lh_buf_free) struct lh_buf file = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_err *err = &e->tool->err;
	const struct lh_value *id;
	struct lh_str rest, line;
	int rc;

	lh_buf_init(&file, JOURNAL_MAX);
	rc = lh_file_read(path, &file, err);
	if (rc <= 0 || !lh_buf_room(&file, LH_PAD))
		return rc < 0 ? -1 : lh_buf_check(&file, err);
	rest = (struct lh_str){ file.p, file.len };
	if (!lh_next_line(&rest, &line))
		return 0;
	if (lh_record_parse(&rec, line.p, line.n, err) < 0)
		return lh_err_prefix(err, "%s", path);
	id = lh_record_get(&rec, "candidate_id");
	return id && lh_value_is(id, e->who.id.p, e->who.id.n);
}

int erasure_check_keys(struct erasure *e)
{
	size_t i;
	int rc = 0;

	for (i = 0; !e->resumed && !rc && i < e->s->places.n; i++) {
		const struct place *p = &e->s->places.v[i];

		rc = place_is_journal(p) ? has_person(e, p->path) : 0;
		if (rc > 0)
			rc = lh_err_set(&e->tool->err, LH_EUSAGE, "%s: the erasure was begun with "
					"another key: add it with --key-file", p->path);
	}
	return rc;
}

int erasure_check_places(struct erasure *e)
{
	size_t i;

	for (i = 0; i < e->n_was; i++)
		if (!place_named(e, e->was[i].path) && access(e->was[i].path, F_OK) == 0)
			return lh_err_set(&e->tool->err, LH_EUSAGE, "%s: was a place when the "
					  "erasure was begun, and must be named again",
					  e->was[i].path);
	return 0;
}

/* Append the line of a target to out, unless the journal has its place, or it is a temporary file,
 * which another run would not meet: 1, 0, -1. */
static int note(struct erasure *e, const struct target *t, struct lh_buf *out)
{
	const struct place *p = place_of(e, t);
	const size_t from = out->len;
	struct lh_writer w = lh_write_to(out);
	struct was now;
	size_t i;

	for (i = 0; i < e->n_was; i++)
		if (!strcmp(e->was[i].path, p->path))
			break;
	if (i < e->n_was || p->kind == PLACE_SPOOL)
		return 0;
	if (state_of_place(e, p->path, p->kind, &now) < 0)
		return -1;
	lh_write_object(&w, NULL);
	lh_write_bytes(&w, "path", p->path);
	lh_write_text(&w, "kind", place_kind_name(p->kind));
	lh_write_text(&w, "action", t->action);
	lh_write_u64(&w, "rows", now.rows);
	lh_write_u64(&w, "bytes", now.bytes);
	lh_write_text(&w, "sha256", now.sha256);
	lh_write_end(&w);
	lh_buf_room(out, LH_PAD);
	return take_line(e, (struct lh_str){ out->p + from, out->len - from }) < 0 ? -1 : 1;
}

static int append(struct erasure *e, const struct lh_buf *line)
{
	struct lh_err *err = &e->tool->err;

	if (!e->log.path && lh_applog_open(&e->log, e->journal, 0600, e->tool->lock_timeout,
					   err) < 0)
		return -1;
	return lh_applog_append(&e->log, line->p, line->len, LH_SYNC_EACH, err);
}

int erasure_note(struct erasure *e, const struct target *t)
{
	LH_SCOPED(lh_buf_free) struct lh_buf line = { 0 };
	int rc = note(e, t, &line);

	return rc <= 0 ? rc : append(e, &line);
}

int erasure_note_cuts(struct erasure *e, const struct cuts *c)
{
	LH_SCOPED(lh_buf_free) struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	size_t i;

	lh_write_object(&w, NULL);
	lh_write_bytes(&w, "root", c->root);
	lh_write_bytes(&w, "path", c->path);
	lh_write_text(&w, "from", c->from);
	lh_write_array(&w, "cuts");
	for (i = 0; i < c->n; i++) {
		lh_write_array(&w, NULL);
		lh_write_u64(&w, NULL, c->cut[i].was);
		lh_write_u64(&w, NULL, c->cut[i].is);
		lh_write_u64(&w, NULL, c->cut[i].rows);
		lh_write_end(&w);
	}
	lh_write_end(&w);
	lh_write_end(&w);
	if (append(e, &line) < 0)
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
	if (e->s->reason)
		e->reason = lh_strndup(e->s->reason, strlen(e->s->reason));
	lh_write_object(&w, NULL);
	lh_write_text(&w, "schema", PLAN_SCHEMA);
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
	for (i = 0; i < e->n_targets; i++) {
		int rc = e->target[i].fn ? note(e, &e->target[i], &text) : 0;

		if (rc < 0)
			return -1;
		if (rc)
			lh_buf_putc(&text, '\n');
	}
	return lh_atomic_put(e->journal, 0600, &text, &e->tool->err);
}

/* ---- receipts of roots ---- */

/* Make those of a root true: the files of it that were replaced are given in e->cuts. */
static int settle_root(struct erasure *e, const char *path)
{
	struct lh_root *root = erase_hold_root(e, path);
	LH_SCOPED(lh_free_local) struct lh_cut *cut = NULL;
	size_t i, k, n = 0, cap = 0;

	if (!root)
		return -1;
	for (i = 0; i < e->n_cuts; i++) {
		struct cuts *c = &e->cuts[i];
		LH_SCOPED(lh_free_local) char *file = NULL;
		struct was now = { .path = NULL };
		int fd, rc;

		if (strcmp(c->root, path))
			continue;
		file = lh_root_join(root, c->path);
		fd = lh_open_regular(file, O_RDONLY, 0, &e->tool->err);
		if (fd < 0)
			return -1;
		rc = erase_hash_file(fd, &now, &e->tool->err);
		close(fd);
		if (rc < 0)
			return -1;
		if (!strcmp(now.sha256, c->from))
			continue;	/* it was not replaced */
		lh_grow(&cut, &cap, n + c->n, sizeof *cut);
		for (k = 0; k < c->n; k++)
			cut[n++] = c->cut[k];
	}
	return lh_receipts_cut(root, e->id, cut, n, &e->tool->err);
}

int erasure_settle(struct erasure *e)
{
	size_t i, k;

	for (i = 0; i < e->n_cuts; i++) {
		for (k = 0; k < i && strcmp(e->cuts[k].root, e->cuts[i].root); k++)
			;
		if (k == i && settle_root(e, e->cuts[i].root) < 0)
			return -1;
	}
	while (e->n_cuts)
		free_cuts(&e->cuts[--e->n_cuts]);
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

	lh_buf_init(&r->file, JOURNAL_MAX);
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
	lh_write_text(w, "kind", place_kind_name(k));
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
	size_t i;
	int rc = 0;

	if (!s->key_file.n || !s->subjects)
		return 0;
	e.who.id = who->id;
	rc = lh_chain_keys_read(&e.keys, (const char *const *)s->key_file.v, s->key_file.n,
				s->insecure_key, &tool->err);
	for (i = 0; !rc && i < e.keys.n; i++)
		rc = set_paths(&e, e.keys.key[i]);
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

static int write_places(struct erasure *e, struct lh_writer *w, uint64_t *rows)
{
	struct was now;
	size_t i;

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
	lh_buf_init(&earlier, JOURNAL_MAX);
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
		lh_buf_init(&text, JOURNAL_MAX);
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
	if (unlink(e->journal) < 0)
		return lh_err_sys(err, "%s: cannot remove", e->journal);
	return lh_sync_folder(e->journal, err);
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
	int rc = 0;

	e->who.id = who->id;
	for (i = 0; i < who->n_also; i++)
		erase_add_also(e, who->also[i]);
	for (i = 0; !rc && i < e->keys.n; i++)
		rc = set_paths(e, e->keys.key[i]);
	if (!rc)
		rc = set_paths(e, e->keys.key[0]);
	if (rc < 0 || read_journal(e) < 0)
		return -1;
	return person_prepare(&e->who, e->s, &e->tool->err);
}

void erasure_close(struct erasure *e)
{
	while (e->n_was) {
		free(e->was[--e->n_was].path);
		free(e->was[e->n_was].action);
	}
	while (e->n_cuts)
		free_cuts(&e->cuts[--e->n_cuts]);
	free(e->was);
	free(e->cuts);
	free(e->journal);
	free(e->receipt);
	free(e->reason);
	lh_buf_free(&e->by_hand);
	lh_buf_free(&e->old_versions);
	lh_applog_close(&e->log, &(struct lh_err){ 0 });
	lh_lock_drop(&e->lock);
	lh_chain_keys_free(&e->keys);
	for (size_t i = 0; i < e->who.n_also; i++)
		free((char *)e->who.also[i].p);
	person_free(&e->who);
}
