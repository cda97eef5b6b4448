/* playbook_id.c - the id of an entry, in a file of its own because it needs a digest.
 * See lh/playbook.h. */
#include <lh/playbook.h>

#include <lh/digest.h>

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
