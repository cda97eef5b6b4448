/*
 * bind_meant.c - names by which other programs call members of requests.
 *
 * Whoever comes from another program writes its names.  Where other members are allowed, such a
 * name would be ignored without a word, and a search would be answered unfiltered.
 */
#include "bind_meant.h"

#include <ctype.h>
#include <string.h>

#include "base/suggest.h"

#define LONGEST 40	/* bytes of a name that is looked up */
#define LEAST 6		/* letters of a name that may be misspelt by one of them, ... */
#define LEAST_TWO 9	/* ... and by two */

/* Names without - and _, in lower case.  Those that records have for other things ("count", "n",
 * "ids", "text", "score") are in no row. */
static const struct foreign {
	const char *ours, *theirs, *why;
} foreign[] = {
	{ "metadata_filter", "filter|filters|filterby|filterquery|fq|wherefilter|metadatafilters|"
			     "queryfilter|prefilter|postfilter|wheredocument", NULL },
	{ "k|top_n|limit", "limit|topk|topn|numresults|nresults|maxresults|resultlimit|"
			   "numberofresults|pagesize|perpage", NULL },
	{ "min_score", "scorethreshold|minscore|minsimilarity|similaritythreshold|scorecutoff",
	  NULL },
	{ "max_distance", "distancethreshold|maxdistance|distancecutoff|radius", NULL },
	{ "corpora", "collection|collections|collectionname|collectionnames|indexname|namespace",
	  NULL },
	{ "exclude_ids", "excludeid|excludeids|excludedids", NULL },
	{ "query_vector", "queryembedding|queryembeddings|queryvector|queryvectors", NULL },
	{ "query_text", "querytexts|querytext", NULL },
	{ "metadata_filter", "withpayload|includemetadata|withvector|withvectors|includevalues|"
			     "includevectors|outputfields|returnmetadata",
	  "each result has its metadata; --no-metadata leaves them out" },
};

/* Return whether "a|b|c" has the name. */
static bool names_have(const char *names, const char *name, size_t n)
{
	size_t length;

	for (;; names += length + 1) {
		length = strcspn(names, "|");
		if (length == n && !memcmp(names, name, n))
			return true;
		if (!names[length])
			return false;
	}
}

const char *lh_bind_foreign(const struct lh_value *key, const char **why)
{
	char plain[LONGEST];
	size_t i, n = 0;

	*why = NULL;
	if (key->n - 2 > sizeof plain)
		return NULL;
	for (i = 1; i + 1 < key->n; i++)
		if (key->p[i] != '_' && key->p[i] != '-')
			plain[n++] = (char)tolower((unsigned char)key->p[i]);
	for (i = 0; i < sizeof foreign / sizeof *foreign; i++)
		if (names_have(foreign[i].theirs, plain, n)) {
			*why = foreign[i].why;
			return foreign[i].ours;
		}
	return NULL;
}

const struct lh_bind *lh_bind_line_named(const struct lh_bind *table, const char *names)
{
	for (; table->name; table++)
		if (names_have(names, table->name, strcspn(table->name, "|")))
			return table;
	return NULL;
}

/* Return whether a key is one of a table's names but for a letter or two. */
static bool is_misspelt(const struct lh_bind *table, const struct lh_value *key)
{
	const size_t given = key->n - 2;
	const unsigned most = given < LEAST ? 0 : given < LEAST_TWO ? 1 : 2;
	struct lh_suggest near = lh_suggest_for(key->p + 1, given);
	const char *name;
	size_t n;

	for (; most && table->name; table++)
		for (name = table->name;; name += n + 1) {
			n = strcspn(name, "|");
			if (n >= LEAST && n + most >= given && given + most >= n)
				lh_suggest_offer(&near, name, n);
			if (!name[n])
				break;
		}
	return near.n_best && near.best[0].distance <= most;
}

bool lh_bind_is_meant(const struct lh_bind *table, const struct lh_value *key,
		      enum lh_bind_watch watch)
{
	const char *why, *ours;

	if (watch == LH_BIND_ANY_OTHER)
		return false;
	ours = lh_bind_foreign(key, &why);
	if (ours && lh_bind_line_named(table, ours))
		return watch != LH_BIND_NO_FILTER || (!why && !strcmp(ours, "metadata_filter"));
	return watch != LH_BIND_NO_FILTER && is_misspelt(table, key);
}
