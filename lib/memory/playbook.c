/* playbook.c - read entries of a playbook, and make their ids.  See playbook.h. */
#include "crypto/digest.h"
#include "memory/playbook.h"
#include "index/index_tools.h"
#include "json/bind.h"

void lh_playbook_id(const struct lh_playbook_entry *e, char out[LH_PLAYBOOK_ID_LEN])
{
	unsigned char sum[32];
	struct lh_sha256 s;

	lh_sha256_start(&s);
	lh_sha256_more(&s, e->query_text.p, e->query_text.n);
	lh_sha256_more(&s, "|", 1);
	lh_sha256_more(&s, e->answer_id.p, e->answer_id.n);
	lh_sha256_more(&s, "|", 1);
	lh_sha256_more(&s, e->answer_corpus.p, e->answer_corpus.n);
	lh_sha256_end(&s, sum);
	memcpy(out, "pb-", 3);
	lh_hex(sum, 8, out + 3);
}

#define KEY(f) { LH_BIND_STRING(#f, struct lh_playbook_entry, f), .required = true, .filled = true }
#define ANSWER_ID { LH_BIND_STRING("answer_id", struct lh_playbook_entry, answer_id), \
		    .required = true, .filled = true, .longest = LH_ID_MAX }

static const struct lh_bind key_members[] = {
	KEY(query_text),
	ANSWER_ID,
	KEY(answer_corpus),
	LH_BIND_END
};

static const struct lh_bind members[] = {
	KEY(query_text),
	ANSWER_ID,
	KEY(answer_corpus),
	{ LH_BIND_F64("score", struct lh_playbook_entry, score, 0, 1), .above = true,
	  .required = true },
	{ LH_BIND_STRINGS("tags", struct lh_playbook_entry, tag, n_tags) },
	{ LH_BIND_STRING("role", struct lh_playbook_entry, role) },
	LH_BIND_END
};

int lh_playbook_read_key(const struct lh_record *rec, struct lh_buf *scratch,
			 struct lh_playbook_entry *e, struct lh_err *err)
{
	*e = (struct lh_playbook_entry){ .score = 0 };
	return lh_bind(key_members, rec, e, scratch, err);
}

int lh_playbook_read(const struct lh_record *rec, struct lh_buf *scratch,
		     struct lh_playbook_entry *e, struct lh_err *err)
{
	*e = (struct lh_playbook_entry){ .score = 0 };
	return lh_bind(members, rec, e, scratch, err);
}

int lh_playbook_read_row(const struct lh_row *row, struct lh_record *rec, struct lh_buf *line,
			 struct lh_buf *scratch, struct lh_playbook_entry *e, struct lh_err *err)
{
	lh_buf_reset(line);
	/* a copy, since the scanner reads past the end */
	lh_buf_add(line, row->meta.p, row->meta.n);
	if (!row->meta.n)
		lh_buf_puts(line, "{}");
	if (memchr(line->p, '\n', line->len))
		return lh_err_set(err, LH_EDATA, "it holds a line break");
	return lh_record_parse(rec, line->p, line->len, err) < 0 ? -1 :
		       lh_playbook_read(rec, scratch, e, err);
}

static int check_first(const struct lh_index *ix, const char *path, struct lh_err *err)
{
	struct lh_playbook_entry e;
	LH_SCOPED(lh_buf_free) struct lh_buf line = { 0 }, scratch = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_row row;
	uint64_t i, at, n = lh_index_rows(ix);
	int rc = 0;

	for (i = 0; i < n && rc == 0; i++)
		rc = lh_index_nth_row(ix, i, &at, &row, err);
	if (rc <= 0)
		return rc;
	rc = lh_playbook_read_row(&row, &rec, &line, &scratch, &e, err);
	if (rc < 0 && err->code == LH_EDATA) {
		err->code = LH_ECORRUPT;
		lh_err_prefix(err, "%s is not a playbook: row %llu", path,
			      (unsigned long long)i - 1);
	}
	return rc;
}

int lh_playbook_check(const char *path, struct lh_err *err)
{
	struct lh_index *ix = lh_index_open(path, err);
	int rc = ix ? check_first(ix, path, err) : -1;

	lh_index_close(ix);
	return rc;
}
