/* wordvec_grams.c - the n-grams of a word.  See wordvec_file.h. */
#include "wordvec_file.h"

#include <string.h>

#include "base/bits.h"
#include "base/xxh3.h"

static bool is_number(const struct lh_token *t)
{
	unsigned i;

	for (i = 0; i < t->len && t->s[i] >= '0' && t->s[i] <= '9'; i++)
		;
	return i == t->len;
}

unsigned lh_wordvec_grams(const struct lh_token *t, uint32_t hash[LH_GRAMS_MAX])
{
	unsigned char s[LH_TOKEN_BYTES + 2];
	unsigned at[LH_TOKEN_MAX + 3], chars = 0, n = 0, len = t->len + 2;

	if (t->solo || is_number(t))
		return 0;
	s[0] = '<';
	memcpy(s + 1, t->s, t->len);
	s[len - 1] = '>';
	for (unsigned i = 0; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			at[chars++] = i;
	at[chars] = len;
	for (unsigned g = LH_GRAM_MIN; g <= LH_GRAM_MAX; g++)
		for (unsigned i = 0; i + g <= chars; i++)
			hash[n++] = (uint32_t)lh_xxh3(s + at[i], at[i + g] - at[i]);
	return n;
}

unsigned lh_wordvec_gram_words(const struct lh_wordvec *t, uint32_t hash, const uint32_t **pair)
{
	uint32_t bucket = (uint32_t)((uint64_t)hash >> t->gram_shift);
	uint32_t lo = lh_once32(&t->gram_at[bucket]), end = lh_once32(&t->gram_at[bucket + 1]),
		 hi = end;
	unsigned n = 0;

	if (lo > end || end > t->grams)
		return 0;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (t->gram[2 * (size_t)mid] < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	*pair = t->gram + 2 * (size_t)lo;
	while (n < LH_GRAM_WORDS && lo + n < end && (*pair)[2 * n] == hash)
		n++;
	return n;
}
