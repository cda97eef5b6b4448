/* Searches by words, in every state of an index. */
#include "index/index_tools.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "file/file.h"
#include "index/index_parts.h"

#define PATH "words.lhv"

static struct lh_err err;

static void params(struct lh_index_params *p, int lexical, const char *of)
{
	lh_index_params_default(p);
	p->dimension = 2;
	p->lexical = lexical;
	snprintf(p->lexical_of, sizeof p->lexical_of, "%s", of);
}

struct record {
	const char *id, *meta;
};

static void build(const struct lh_index_params *p, const struct record *r, size_t n)
{
	struct lh_index_writer *w = lh_index_writer_new(PATH, p, 10, &err);
	size_t i;

	check_why(w, err.msg);
	for (i = 0; i < n; i++)
		check_why(lh_index_put(w, r[i].id, strlen(r[i].id), (float[]){ 1, (float)i }, 2,
				       r[i].meta, strlen(r[i].meta), &err) == 0,
			  err.msg);
	check_why(lh_index_commit(w, 1, &err) == 0, err.msg);
	lh_index_writer_free(w);
}

static void on_damage(void *ctx, const char *section, const char *text)
{
	fprintf(stderr, "%s: %s\n", section, text);
	++*(int *)ctx;
}

static void is_sound(void)
{
	int damage = 0;

	check(lh_index_verify(PATH, on_damage, &damage, &err) == 0);
	check(damage == 0);
}

static int not_b(void *ctx, uint64_t row, const struct lh_row *r, struct lh_err *e)
{
	(void)ctx;
	(void)row;
	(void)e;
	return r->id.p[0] != 'b';
}

/* Check the ids found, one letter each, best first. */
static void answers(const char *text, bool filtered, const char *want)
{
	struct lh_index *ix = lh_index_open(PATH, &err);
	struct lh_index_words *w = ix ? lh_index_words_new(ix, &err) : NULL;
	struct lh_filter_cache *verdicts = ix ? lh_filter_cache_new(ix, &err) : NULL;
	struct lh_query q = { .k = 10, .allow = filtered ? not_b : NULL, .filter_cache = verdicts };
	struct lh_index_words_hit hit[10];
	struct lh_row row;
	char is[11] = "";
	long i, n;

	check_why(w && verdicts, err.msg);
	n = lh_index_words_search(w, &q, (struct lh_str){ text, strlen(text) }, hit, &err);
	check_why(n >= 0, err.msg);
	for (i = 0; i < n; i++) {
		check(isfinite(hit[i].score) && hit[i].score > 0);
		check(i == 0 || hit[i - 1].score >= hit[i].score);
		check(lh_index_row(ix, hit[i].row, &row, &err) == 1);
		is[i] = row.id.p[0];
	}
	check_why(!strcmp(is, want), is);
	check(q.dropped == filtered);
	lh_filter_cache_free(verdicts);
	lh_index_words_free(w);
	lh_index_close(ix);
}

static const struct record few[] = {
	{ "a", "{\"text\":\"apple pie\",\"other\":\"zebra\"}" },
	{ "b", "{\"text\":\"bread and apple\"}" },
	{ "c", "{\"title\":\"Cherries\",\"deep\":[{\"x\":[\"pies\",7]}]}" },
	{ "d", "" },
};

static void the_text_is_the_field_or_every_string(void)
{
	struct lh_index_params p;

	params(&p, LH_LEXICAL_FIELD, "text");
	build(&p, few, 4);
	is_sound();
	answers("apples", false, "ab");
	answers("pie", false, "ac");
	answers("cherry", false, "c");
	answers("zebra", false, "");
	answers("text", false, "");
	answers("bread", true, "");
	answers("", false, "");
}

static void the_text_is_what_the_template_makes_of_the_metadata(void)
{
	struct lh_index_params p;

	params(&p, LH_LEXICAL_TEMPLATE, "{other} meets {title}");
	build(&p, few, 4);
	is_sound();
	answers("zebras", false, "a");
	answers("cherry", false, "c");
	answers("apple", false, "");
	answers("meeting", false, "bac");	/* the shortest first */
}

static void change(const char *id, const char *meta)
{
	struct lh_index_change *c = lh_index_change_open(PATH, 10, &err);
	bool due;

	check_why(c, err.msg);
	if (meta)
		check(lh_index_change_put(c, id, strlen(id), (float[]){ 2, 1 }, 2, meta,
					  strlen(meta), &err) == 0);
	else
		check(lh_index_change_delete(c, id, strlen(id), &err) == 0);
	check_why(lh_index_change_commit(c, &due, &err) == 0, err.msg);
	lh_index_change_close(c);
}

static void pending_rows_are_found_and_hidden_ones_are_not(void)
{
	struct lh_index_params p;
	int round;

	params(&p, LH_LEXICAL_FIELD, "text");
	build(&p, few, 4);
	change("e", "{\"text\":\"elder apple apple\"}");
	change("b", "{\"text\":\"bacon\"}");
	change("f", "{\"text\":\"fig\"}");
	change("f", "{\"text\":\"fennel\"}");
	change("a", NULL);
	for (round = 0; round < 2; round++) {
		answers("apple", false, "e");
		answers("bacon", false, "b");
		answers("bread", false, "");
		answers("fig", false, "");
		answers("fennel", false, "f");
		answers("pie", false, "c");
		check_why(lh_index_compact(PATH, 1, 10, &err) == 0, err.msg);
		is_sound();
	}
}

/* An index that grew and was compacted has the bytes of one built at once. */
static void compaction_gives_the_bytes_of_a_build(void)
{
	static struct record all[2000];
	static char id[2000][8], meta[2000][80];
	struct lh_index_params p;
	struct lh_mapped file[2];
	size_t i;
	int round;

	for (i = 0; i < 2000; i++) {
		snprintf(id[i], sizeof id[i], "%zu", i);
		snprintf(meta[i], sizeof meta[i], "{\"text\":\"w%zu x%zu all\"}", i % 37, i % 501);
		all[i] = (struct record){ id[i], meta[i] };
	}
	params(&p, LH_LEXICAL_FIELD, "text");
	p.exact_below = 5000;	/* a graph that grew would differ */
	for (round = 0; round < 2; round++) {
		struct lh_index_change *c;
		bool due;

		build(&p, all, round ? 2000 : 1500);
		c = lh_index_change_open(PATH, 10, &err);
		for (i = 1500; i < 2000 && !round; i++)
			check(lh_index_change_put(c, id[i], strlen(id[i]), (float[]){ 1, (float)i },
						  2, meta[i], strlen(meta[i]), &err) == 0);
		check_why(lh_index_change_commit(c, &due, &err) == 0, err.msg);
		lh_index_change_close(c);
		check_why(lh_index_compact(PATH, 1, 10, &err) == 0, err.msg);
		is_sound();
		check(lh_mapped_open(&file[round], PATH, &err) == 0);
	}
	check(file[0].n == file[1].n && !memcmp(file[0].p, file[1].p, file[0].n));
	lh_mapped_close(&file[0]);
	lh_mapped_close(&file[1]);
}

/* Rows of a graph are stored in another order than that of the puts, which does not
 * show. */
static void equal_scores_are_ordered_by_id_in_any_order_of_rows(void)
{
	static const struct record put[] = {
		{ "g", "{\"text\":\"same\"}" },	     { "b", "{\"text\":\"same\"}" },
		{ "f", "{\"text\":\"same\"}" },	     { "a", "{\"text\":\"same\"}" },
		{ "e", "{\"text\":\"same same\"}" }, { "c", "{\"text\":\"same\"}" },
	};
	struct lh_index_params p;
	struct lh_index *ix;
	struct lh_row row;
	bool moved = false;
	uint64_t i, at;

	params(&p, LH_LEXICAL_FIELD, "text");
	p.precision = LH_I8;
	p.exact_below = 1;
	build(&p, put, 6);
	ix = lh_index_open(PATH, &err);
	for (i = 0; i < 6; i++) {
		check(lh_index_nth_row(ix, i, &at, &row, &err) == 1);
		moved |= at != i;
	}
	check(moved);
	lh_index_close(ix);
	answers("same", false, "eabcfg");
	change("d", "{\"text\":\"same\"}");
	answers("same", false, "eabcdfg");
}

static void an_index_without_words_says_how_to_get_them(void)
{
	struct lh_index_params p;
	struct lh_index *ix;

	params(&p, LH_LEXICAL_NONE, "");
	build(&p, few, 4);
	ix = lh_index_open(PATH, &err);
	check(!lh_index_words_new(ix, &err));
	check(err.code == LH_EUSAGE && strstr(err.msg, "--lexical"));
	lh_index_close(ix);
}

static void ef_search_is_read_and_checked(void)
{
	struct { const char *text; long ef; } c[] = {
		{ "", 0 },
		{ ",\"ef_search\":0", 0 },
		{ ",\"ef_search\":1", 1 },
		{ ",\"ef_search\":1000000", 1000000 },
		{ ",\"ef_search\":1000001", -1 },
		{ ",\"ef_search\":4294967360", -1 },
		{ ",\"ef_search\":-1", -1 },
		{ ",\"ef_search\":1.0", -1 },
		{ ",\"ef_search\":\"64\"", -1 },
	};
	struct lh_index_params p;
	struct lh_buf b = { 0 };
	size_t i;
	int rc;

	for (i = 0; i < sizeof c / sizeof *c; i++) {
		lh_buf_reset(&b);
		lh_buf_printf(&b,
			      "{\"dimension\":2,\"distance\":\"l2\",\"precision\":\"f32\",\"m\":16"
			      ",\"ef_construction\":200,\"exact_below\":1000,\"seed\":1%s}",
			      c[i].text);
		lh_index_params_default(&p);
		rc = lh_index_params_read(b.p, b.len, &p, &err);
		check((rc == 0) == (c[i].ef >= 0) && (rc == 0 || err.code == LH_ECORRUPT));
		check(rc < 0 || p.ef_search == (uint32_t)c[i].ef);
	}
	lh_buf_free(&b);
}

static void what_texts_are_made_by_is_kept(void)
{
	struct { const char *text, *field, *template; } c[] = {
		{ "", "", "" },
		{ ",\"lexical\":{\"words\":1,\"field\":\"note\"}", "note", "" },
		{ ",\"lexical\":{\"words\":1,\"template\":\"{a}\"}", "", "{a}" },
		{ ",\"field\":\"x\",\"lexical\":null", "x", "" },
		{ ",\"field\":null,\"template\":\"{b}\"", "", "{b}" },
		{ ",\"field\":\"x\",\"template\":\"{b}\"", NULL, NULL },
		{ ",\"field\":7", NULL, NULL },
	};
	struct lh_index_params p;
	struct lh_buf b = { 0 }, again = { 0 };
	size_t i;
	int rc;

	for (i = 0; i < sizeof c / sizeof *c; i++) {
		lh_buf_reset(&b);
		lh_buf_printf(&b,
			      "{\"dimension\":2,\"distance\":\"l2\",\"precision\":\"f32\",\"m\":16"
			      ",\"ef_construction\":200,\"exact_below\":1000,\"seed\":1%s}",
			      c[i].text);
		lh_index_params_default(&p);
		rc = lh_index_params_read(b.p, b.len, &p, &err);
		check((rc == 0) == (c[i].field != NULL) && (rc == 0 || err.code == LH_ECORRUPT));
		check(rc < 0 || (strcmp(p.field, c[i].field) == 0 &&
				 strcmp(p.text_template, c[i].template) == 0));
		if (rc < 0)
			continue;
		lh_buf_reset(&again);
		lh_index_params_write(&again, &p);
		lh_index_params_default(&p);
		check(lh_buf_check(&again, &err) == 0 &&
		      lh_index_params_read(again.p, again.len, &p, &err) == 0);
		check(strcmp(p.field, c[i].field) == 0 &&
		      strcmp(p.text_template, c[i].template) == 0);
	}
	lh_buf_free(&b);
	lh_buf_free(&again);
}

int main(void)
{
	char dir[] = "/tmp/test_index_lexical.XXXXXX";

	check(mkdtemp(dir) && chdir(dir) == 0);
	test(the_text_is_the_field_or_every_string());
	test(the_text_is_what_the_template_makes_of_the_metadata());
	test(pending_rows_are_found_and_hidden_ones_are_not());
	test(compaction_gives_the_bytes_of_a_build());
	test(equal_scores_are_ordered_by_id_in_any_order_of_rows());
	test(an_index_without_words_says_how_to_get_them());
	test(ef_search_is_read_and_checked());
	test(what_texts_are_made_by_is_kept());
	unlink(PATH);
	unlink(PATH "-lock");
	unlink(PATH "-log");
	check(chdir("/") == 0 && rmdir(dir) == 0);
	return 0;
}
