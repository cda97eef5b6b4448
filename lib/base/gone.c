/* gone.c - what to do in place of what is gone.  See gone.h. */
#include "gone.h"

#include <stdio.h>
#include <string.h>

/* tests/frame/gone.bats tries each row, which is a line of this form or of two. */
static const struct gone {
	const char *tool;		/* "": any */
	const char *what, *advice;
} table[] = {
	{ "", "file plan of shards",
	  "name the indexes of its shards, or join answers by lh-merge" },
	{ "", "file vector index of an earlier format", "`lh-index upgrade FILE` makes it qg" },
	{ "", "layout hnsw", "`lh-index upgrade FILE` makes it qg" },
	{ "lh-index", "shard", "build an index of each part, and join answers by lh-merge" },
	{ "lh-search", "--nearest",
	  "it was for plans of shards; every index that is named is searched" },
	{ "", "--engine=static",
	  "embed by --engine gguf or hash; `lh-index upgrade --engine hash INDEX` does it anew" },
	{ "lh-index", "--from=pgcopy", "psql's \\copy writes JSON Lines: lakehouse-recipes(7)" },
	{ "lh-index", "--to=pgcopy", "psql's \\copy reads JSON Lines: lakehouse-recipes(7)" },
	{ "lh-index", "--from=fvecs", "np.save of the reshaped array makes a file for --from npy" },
	{ "lh-index", "--to=fvecs", "--to npy writes the same vectors" },
	{ "lh-index", "--estimate", "the size of an index of `head -n 10000` grows with its rows" },
	{ "lh-index", "--id-type", "it was for pgcopy; ids of JSON Lines are texts or numbers" },
	{ "lh-index", "--half", "it was for pgcopy; pgvector casts a vector to halfvec" },
	{ "lh-index", "--weights", "--lexical finds texts by their words" },
	{ "lh-search", "--idf", "--hybrid ranks by the words of the text" },
	{ "lh-embed", "--benchmark", "time(1) measures it on your own texts: lh-models(7)" },
	{ "lh-embed", "--precision", "it was for tables of word vectors, which are gone" },
	{ "lh-query", "--spill",
	  "SQLite keeps what it sorts in files of TMPDIR, of requests in --memory" },
	{ "lh-query", "--engine", "SQLite answers; lh-ingest makes JSON Lines of Parquet" },
	{ "lh-distill", "merge", "lh-distill run does a whole root" },
	{ "lh-embed", "--shard", "`split -n r/1/8 FILE | lh-embed` takes a part" },
	{ "lh-index", "--shard", "`split -n r/1/8 FILE | lh-index build INDEX` takes a part" },
	{ "lh-subject-audit", "--shard", "logs that are named are a part: verify LOG..." },
	{ "lh-distill", "--shard", "lh-distill run does a whole root" },
	{ "lh-materialize", "--shard", "it takes all rows" },
	{ "lh-audit-full", "merge", "lh-audit-full audits the whole root" },
	{ "lh-audit-full", "--shard", "lh-audit-full audits the whole root" },
	{ "lh-audit-full", "--part", "lh-audit-full audits the whole root" },
	{ "lh-distill", "trace", "lh-trace --requests answers the same requests" },
	{ "lh-trace", "--no-index", "lh-trace has no index" },
	{ "lh-trace", "--reindex", "lh-trace has no index" },
	{ "lh-audit-full", "--bundle", "lh-audit-full(1) packs an audit with tar and sha256sum" },
	{ "lh-audit-full", "bundle", "tar reads it; lh-audit-full(1) checks one with sha256sum" },
	{ "lh-audit-full", "--tlog", "lh-tlog append commits the SHA-256 of an archive" },
	{ "lh-audit-full", "--key-file-tlog", "lh-tlog append commits the SHA-256 of an archive" },
	{ "lh", "--deep", "lh-index verify reads all of an index" },
	{ "lh", "--service", "doctor connects to no service" },
	{ "lh-tlog", "witness", "another program is one, which lh-tlog cosign asks" },
	{ "lh-tlog", "--state", "it was for being a witness" },
	{ "lh-lift", "--paraphrase-model", "--paraphrase searches in the other styles" },
	{ "lh-lift", "--rejudge", "lh-judge ask has a model grade results that are stored" },
	{ "lh-show", "--html", "lh-trace, lh-audit-full and lh-subject-audit report write pages" },
	{ "lh-show", "--json", "jq . writes JSON over several lines" },
	{ "lh-show", "--lines", "--card shows all of a text" },
	{ "lh-show", "--no-pager", "PAGER=cat lh-show writes to the terminal itself" },
	{ "lh-show", "--force", "lh-show writes no file" },
	{ "lh-show", "--kind", "--columns names columns, and --card has all members" },
	{ "lh-subject", "--markers", "--also and --from-roster say what is searched for" },
	{ "lh-review", "", "share/examples/lh-review is a script that does the same" },
	{ "lh-workflow", "",
	  "steps that need each other are rules of make(1), or a script of filters" },
	{ NULL, NULL, NULL },
};

static void put(const struct gone *g, char line[LH_GONE_ROOM])
{
	static const char file[] = "file ";
	const size_t skip = sizeof file - 1;

	if (!*g->what)
		snprintf(line, LH_GONE_ROOM, "%s is no more: %s", g->tool, g->advice);
	else if (strncmp(g->what, file, skip) == 0)
		snprintf(line, LH_GONE_ROOM, "this is a %s, which is no more: %s", g->what + skip,
			 g->advice);
	else
		snprintf(line, LH_GONE_ROOM, "%s is no more: %s", g->what, g->advice);
}

bool lh_gone(const char *tool, const char *what, size_t n, char line[LH_GONE_ROOM])
{
	const struct gone *g;

	for (g = table; g->tool; g++) {
		if ((*g->tool && strcmp(g->tool, tool) != 0) || strlen(g->what) != n ||
		    memcmp(g->what, what, n) != 0)
			continue;
		put(g, line);
		return true;
	}
	return false;
}
