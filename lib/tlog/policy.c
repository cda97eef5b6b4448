/* policy.c - trusted logs and witnesses, and proofs that are held against them.  See policy.h. */
#include "policy.h"

#include "base/num.h"
#include "base/mem.h"
#include "file/file.h"
#include "note_parts.h"

/* ---- policies ---- */

#define WORDS (3 + LH_POLICY_PARTIES)	/* of a line: "group", its name, its number, its members */

/* The words of a line. */
struct line {
	struct lh_str word[WORDS];
	size_t n;
};

/* Divide a line at blanks and tabs; false if it has too many words. */
static bool divide(struct line *l, struct lh_str text)
{
	const char *p = text.p, *end = p + text.n, *from;

	for (l->n = 0; p < end; ) {
		for (; p < end && (*p == ' ' || *p == '\t'); p++)
			;
		if (p == end)
			break;
		for (from = p; p < end && *p != ' ' && *p != '\t'; p++)
			;
		if (l->n == WORDS)
			return false;
		l->word[l->n++] = (struct lh_str){ from, (size_t)(p - from) };
	}
	return true;
}

static bool is_word(struct lh_str s, const char *word)
{
	return lh_str_is(s, word, strlen(word));
}

static char *copy(struct lh_str s)
{
	return lh_strndup(s.p, s.n);
}

/* Return the number of a party, or -1. */
static int find_party(const struct lh_policy *p, struct lh_str name)
{
	size_t i;

	for (i = 0; i < p->n_parties; i++)
		if (is_word(name, p->parties[i].name))
			return (int)i;
	return -1;
}

/* Return whether two keys have one id, or are one key. */
static bool same_key(const struct lh_vkey *a, const struct lh_vkey *b)
{
	if (!a->name || !b->name)
		return false;
	return !memcmp(a->key, b->key, sizeof a->key) ||
	       (a->id == b->id && !strcmp(a->name, b->name));
}

/* "log VKEY [URL]" */
static int add_log(struct lh_policy *p, const struct line *l, struct lh_err *err)
{
	struct lh_policy_log *log;
	size_t i;

	if (l->n < 2 || l->n > 3)
		return lh_err_set(err, LH_EDATA, "a log is \"log VKEY [URL]\"");
	if (p->n_logs == LH_POLICY_LOGS)
		return lh_err_set(err, LH_EDATA, "more than %d logs", LH_POLICY_LOGS);
	lh_grow(&p->logs, &p->logs_cap, p->n_logs + 1, sizeof *p->logs);
	log = &p->logs[p->n_logs];
	*log = (struct lh_policy_log){ .url = NULL };
	if (lh_vkey_parse(&log->key, l->word[1], err) < 0)
		return -1;
	p->n_logs++;
	if (log->key.kind == LH_KEY_COSIGNER)
		return lh_err_set(err, LH_EDATA, "the key of a log is of type 0x01, not 0x04");
	for (i = 0; i + 1 < p->n_logs; i++)
		if (same_key(&p->logs[i].key, &log->key))
			return lh_err_set(err, LH_EDATA, "this key is that of a log already");
	log->url = l->n < 3 ? NULL : copy(l->word[2]);
	return 0;
}

/* Add a party with a name that is not taken. */
static struct lh_policy_party *add_party(struct lh_policy *p, struct lh_str name,
					 struct lh_err *err)
{
	struct lh_policy_party *party = &p->parties[p->n_parties];

	if (find_party(p, name) >= 0 || is_word(name, "none")) {
		lh_err_set(err, LH_EDATA, "the name \"%.*s\" is taken", (int)name.n, name.p);
		return NULL;
	}
	*party = (struct lh_policy_party){ .parent = -1 };
	party->name = copy(name);
	p->n_parties++;
	return party;
}

/* Return whether the policy has as many witnesses, or groups, as it can have. */
static bool is_full(const struct lh_policy *p, bool witness)
{
	size_t i, n = 0;

	for (i = 0; i < p->n_parties; i++)
		n += lh_policy_is_witness(&p->parties[i]) == witness;
	return n == LH_POLICY_WITNESSES;
}

/* "witness NAME VKEY [URL]" */
static int add_witness(struct lh_policy *p, const struct line *l, struct lh_err *err)
{
	struct lh_policy_party *party;
	struct lh_vkey key;
	size_t i;

	if (l->n < 3 || l->n > 4)
		return lh_err_set(err, LH_EDATA, "a witness is \"witness NAME VKEY [URL]\"");
	if (is_full(p, true))
		return lh_err_set(err, LH_EDATA, "more than %d witnesses", LH_POLICY_WITNESSES);
	if (lh_vkey_parse(&key, l->word[2], err) < 0)
		return -1;
	party = add_party(p, l->word[1], err);
	if (!party) {
		lh_vkey_free(&key);
		return -1;
	}
	party->key = key;
	if (key.kind == LH_KEY_ED25519)
		return lh_err_set(err, LH_EDATA, "the key of a witness is of type 0x04, not 0x01");
	for (i = 0; i + 1 < p->n_parties; i++)
		if (same_key(&p->parties[i].key, &key))
			return lh_err_set(err, LH_EDATA, "this key is that of a witness already");
	party->url = l->n < 4 ? NULL : copy(l->word[3]);
	return 0;
}

/* "group NAME all|any|K NAME..." */
static int add_group(struct lh_policy *p, const struct line *l, struct lh_err *err)
{
	struct lh_policy_party *group;
	uint64_t need = 0;
	size_t i;
	int member;

	if (l->n < 4)
		return lh_err_set(err, LH_EDATA, "a group is \"group NAME all|any|K NAME...\"");
	if (is_full(p, false))
		return lh_err_set(err, LH_EDATA, "more than %d groups", LH_POLICY_WITNESSES);
	need = is_word(l->word[2], "any") ? 1 : l->n - 3;
	if (!is_word(l->word[2], "any") && !is_word(l->word[2], "all") &&
	    (!lh_tlog_size_read(l->word[2], l->n - 3, &need) || !need))
		return lh_err_set(err, LH_EDATA, "the number of a group must be \"all\", \"any\" "
				  "or from 1 to its %zu members", l->n - 3);
	for (i = 3; i < l->n; i++) {
		member = find_party(p, l->word[i]);
		if (member < 0)
			return lh_err_set(err, LH_EDATA, "nothing above is named \"%.*s\"",
					  (int)l->word[i].n, l->word[i].p);
		if (p->parties[member].parent >= 0)
			return lh_err_set(err, LH_EDATA, "\"%s\" is a member of a group already",
					  p->parties[member].name);
		p->parties[member].parent = (int)p->n_parties;
	}
	group = add_party(p, l->word[1], err);
	if (!group)
		return -1;
	group->need = (unsigned)need;
	return 0;
}

/* "quorum NAME|none" */
static int set_quorum(struct lh_policy *p, const struct line *l, bool *has, struct lh_err *err)
{
	if (l->n != 2)
		return lh_err_set(err, LH_EDATA, "a quorum is \"quorum NAME\"");
	if (*has)
		return lh_err_set(err, LH_EDATA, "a second quorum");
	*has = true;
	if (is_word(l->word[1], "none"))
		return 0;
	p->quorum = find_party(p, l->word[1]);
	return p->quorum >= 0 ? 0 : lh_err_set(err, LH_EDATA, "nothing above is named \"%.*s\"",
					       (int)l->word[1].n, l->word[1].p);
}

static int read_line(struct lh_policy *p, struct lh_str text, bool *has_quorum, struct lh_err *err)
{
	struct line l;
	size_t i;

	for (i = 0; i < text.n; i++)
		if (((unsigned char)text.p[i] < ' ' && text.p[i] != '\t') || text.p[i] == 0x7f)
			return lh_err_set(err, LH_EDATA, "a control character");
	for (i = 0; i < text.n && (text.p[i] == ' ' || text.p[i] == '\t'); i++)
		;
	if (i == text.n || text.p[i] == '#')
		return 0;
	if (!divide(&l, text))
		return lh_err_set(err, LH_EDATA, "more than %d words", WORDS);
	if (is_word(l.word[0], "log"))
		return add_log(p, &l, err);
	if (is_word(l.word[0], "witness"))
		return add_witness(p, &l, err);
	if (is_word(l.word[0], "group"))
		return add_group(p, &l, err);
	if (is_word(l.word[0], "quorum"))
		return set_quorum(p, &l, has_quorum, err);
	return lh_err_set(err, LH_EDATA, "a line begins with \"log\", \"witness\", \"group\" or "
			  "\"quorum\"");
}

int lh_policy_parse(struct lh_policy **policy, const char *path, struct lh_str text,
		    struct lh_err *err)
{
	LH_SCOPED(lh_policy_free_local) struct lh_policy *p = lh_calloc(1, sizeof *p);
	bool has_quorum = false;
	struct lh_str line;
	size_t n = 0;

	*policy = NULL;
	p->quorum = -1;
	p->parties = lh_calloc(LH_POLICY_PARTIES, sizeof *p->parties);
	if (text.n > LH_POLICY_BYTES)
		return lh_err_set(err, LH_EUSAGE, "%s: more than %u bytes", path, LH_POLICY_BYTES);
	while (lh_next_line(&text, &line)) {
		n++;
		if (read_line(p, line, &has_quorum, err) == 0)
			continue;
		err->code = LH_EUSAGE;
		return lh_err_prefix(err, "%s:%zu", path, n);
	}
	if (!has_quorum)
		return lh_err_set(err, LH_EUSAGE, "%s: no line \"quorum NAME\"", path);
	*policy = p;
	p = NULL;
	return 0;
}

int lh_policy_read(struct lh_policy **p, const char *path, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { .max = LH_POLICY_BYTES };
	int rc = lh_file_read(path, &text, err);

	*p = NULL;
	if (rc == 0)
		return lh_err_set(err, LH_EIO, "%s: no such file", path);
	return rc < 0 ? -1 : lh_policy_parse(p, path, (struct lh_str){ text.p, text.len }, err);
}

void lh_policy_free(struct lh_policy *p)
{
	size_t i;

	if (!p)
		return;
	for (i = 0; i < p->n_logs; i++) {
		lh_vkey_free(&p->logs[i].key);
		free(p->logs[i].url);
	}
	for (i = 0; i < p->n_parties; i++) {
		lh_vkey_free(&p->parties[i].key);
		free(p->parties[i].name);
		free(p->parties[i].url);
	}
	free(p->logs);
	free(p->parties);
	free(p);
}

void lh_policy_free_local(struct lh_policy **p)
{
	lh_policy_free(*p);
}

/* Return whether a log of the policy has this origin as its name. */
static bool lh_policy_knows(const struct lh_policy *p, struct lh_str origin)
{
	size_t i;

	for (i = 0; i < p->n_logs; i++)
		if (is_word(origin, p->logs[i].key.name))
			return true;
	return false;
}

/* Check all lines of a note by a key: 1 if one is good, 0 if the key did not sign, or -1. */
static int check_key(const struct lh_note *note, const struct lh_vkey *key, uint64_t *latest,
		     struct lh_err *err)
{
	uint64_t time;
	int good = 0;
	size_t i;

	for (i = 0; i < note->n; i++)
		switch (lh_note_check(note, i, key, &time)) {
		case LH_SIGNATURE_BAD:
			return lh_err_data(err, 403, "signature line %zu, of %s, is bad", i + 1,
					   key->name);
		case LH_SIGNATURE_GOOD:
			good = 1;
			*latest = time > *latest ? time : *latest;
			break;
		case LH_SIGNATURE_UNKNOWN:
			break;
		}
	return good;
}

/* Check the signatures of the logs. */
static int check_logs(const struct lh_policy *p, const struct lh_note *note, struct lh_cosigned *j,
		      struct lh_err *err)
{
	uint64_t time = 0;
	size_t i;
	int rc;

	for (i = 0; i < p->n_logs; i++) {
		rc = check_key(note, &p->logs[i].key, &time, err);
		if (rc < 0)
			return -1;
		if (rc && j->log == p->n_logs && is_word(j->checkpoint.origin, p->logs[i].key.name))
			j->log = i;
	}
	return j->log < p->n_logs ? 0 : lh_err_data(err, 403, "no log of the policy signed this "
						    "checkpoint of %.*s",
						    (int)j->checkpoint.origin.n,
						    j->checkpoint.origin.p);
}

int lh_policy_judge(const struct lh_policy *p, const struct lh_note *note, struct lh_cosigned *j,
		    struct lh_err *err)
{
	unsigned members[LH_POLICY_PARTIES] = { 0 };
	const struct lh_policy_party *party;
	size_t i;
	int rc;

	*j = (struct lh_cosigned){ .log = p->n_logs };
	if (lh_checkpoint_parse(&j->checkpoint, note->body, err) < 0)
		return -1;
	if (!lh_policy_knows(p, j->checkpoint.origin))
		return lh_err_data(err, 404, "the policy has no log named %.*s",
				   (int)j->checkpoint.origin.n, j->checkpoint.origin.p);
	if (check_logs(p, note, j, err) < 0)
		return -1;
	/* a group comes after its members */
	for (i = 0; i < p->n_parties; i++) {
		party = &p->parties[i];
		rc = party->need ? members[i] >= party->need
				 : check_key(note, &party->key, &j->time[i], err);
		if (rc < 0)
			return -1;
		j->cosigned[i] = rc;
		if (rc && party->parent >= 0)
			members[party->parent]++;
	}
	j->quorum = p->quorum < 0 || j->cosigned[p->quorum];
	return 0;
}

void lh_policy_missing(const struct lh_policy *p, const struct lh_cosigned *j, struct lh_buf *names)
{
	bool any = false;
	size_t i;

	for (i = 0; i < p->n_parties; i++)
		if (lh_policy_is_witness(&p->parties[i]) && !j->cosigned[i]) {
			lh_buf_puts(names, any ? ", " : "");
			lh_buf_puts(names, p->parties[i].name);
			any = true;
		}
}

/* ---- print, parse and verify a tlog-proof ---- */

#define FIRST "c2sp.org/tlog-proof@v1"

static int bad_proof(struct lh_err *err, const char *why)
{
	return lh_err_set(err, LH_EDATA, "not a tlog-proof: %s", why);
}

static int read_extra(struct lh_entry_proof *p, struct lh_str text, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	char *to = lh_buf_room(&b, text.n);

	if (!to)
		return 0;
	p->extra = text;
	return lh_base64_read(text.p, text.n, to) < 0 ? bad_proof(err, "its extra data") : 0;
}

/* Take the lines of hashes before an empty one; return why they are none, or NULL. */
static const char *read_hashes(struct lh_tlog_proof *proof, struct lh_str *rest)
{
	struct lh_str line;

	for (proof->n = 0; ; proof->n++) {
		if (!lh_tlog_take_line(rest, &line))
			return "it has no checkpoint";
		if (!line.n)
			return NULL;
		if (proof->n == LH_TLOG_PROOF_MAX)
			return "it has too many hashes";
		if (!lh_tlog_hash_read(line, proof->hash[proof->n]))
			return "a line of it is not a hash";
	}
}

void lh_tlog_proof_print(const struct lh_tlog_proof *proof, struct lh_buf *out)
{
	size_t i;

	for (i = 0; i < proof->n; i++) {
		lh_buf_base64(out, proof->hash[i], LH_TLOG_HASH);
		lh_buf_putc(out, '\n');
	}
}

int lh_entry_proof_parse(struct lh_entry_proof *p, struct lh_str text, struct lh_err *err)
{
	struct lh_str line;
	const char *why;

	*p = (struct lh_entry_proof){ .index = 0 };
	if (!lh_tlog_take_line(&text, &line) || !lh_str_is(line, FIRST, sizeof FIRST - 1))
		return bad_proof(err, "it begins with another line");
	if (!lh_tlog_take_line(&text, &line))
		return bad_proof(err, "it has no index");
	if (lh_tlog_take_word(&line, "extra ")) {
		if (read_extra(p, line, err) < 0)
			return -1;
		if (!lh_tlog_take_line(&text, &line))
			return bad_proof(err, "it has no index");
	}
	if (!lh_tlog_take_word(&line, "index ") ||
	    !lh_tlog_size_read(line, LH_TLOG_SIZE_MAX, &p->index))
		return bad_proof(err, "it has no index");
	why = read_hashes(&p->path, &text);
	if (why)
		return bad_proof(err, why);
	p->text = text;
	if (lh_note_parse(&p->note, text, err) < 0)
		return -1;
	return lh_checkpoint_parse(&p->at, p->note.body, err);
}

void lh_entry_proof_free(struct lh_entry_proof *p)
{
	lh_note_free(&p->note);
}

void lh_entry_proof_print(const struct lh_entry_proof *p, struct lh_buf *out)
{
	lh_buf_puts(out, FIRST "\n");
	if (p->extra.p) {
		lh_buf_puts(out, "extra ");
		lh_buf_add(out, p->extra.p, p->extra.n);
		lh_buf_putc(out, '\n');
	}
	lh_buf_puts(out, "index ");
	lh_buf_u64(out, p->index);
	lh_buf_putc(out, '\n');
	lh_tlog_proof_print(&p->path, out);
	lh_buf_putc(out, '\n');
	lh_buf_add(out, p->text.p, p->text.n);
}

/* Report which witnesses are missing. */
static int no_quorum(const struct lh_policy *policy, const struct lh_cosigned *judged,
		     struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf names = { 0 };

	lh_policy_missing(policy, judged, &names);
	return lh_err_set(err, LH_EDATA, "too few witnesses cosigned its checkpoint; missing: %.*s",
			  (int)names.len, names.p);
}

int lh_entry_proof_verify(const struct lh_entry_proof *p, const uint8_t leaf[LH_TLOG_HASH],
			  const struct lh_policy *policy, struct lh_cosigned *judged,
			  struct lh_err *err)
{
	*judged = (struct lh_cosigned){ .quorum = false };
	if (lh_policy_judge(policy, &p->note, judged, err) < 0)
		return -1;
	if (!judged->quorum)
		return no_quorum(policy, judged, err);
	if (!lh_tlog_proves(leaf, p->index, p->at.size, &p->path, p->at.root))
		return lh_err_set(err, LH_EDATA, "its hashes do not lead from the entry to the "
				  "root of its checkpoint");
	return 0;
}
