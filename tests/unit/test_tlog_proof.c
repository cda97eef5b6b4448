/* The text of a tlog-proof: what is one, and what is not. */
#include "check.h"
#include "tlog/policy.h"

#define FIRST "c2sp.org/tlog-proof@v1\n"
#define HASH "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
#define NOTE "example.com/log\n1\n" HASH "\n\xe2\x80\x94 example.com/log Az3grlgtzPICa5OS8npV\n"

static int parse(const char *text, struct lh_entry_proof *p)
{
	struct lh_err err;
	int rc = lh_entry_proof_parse(p, lh_str_of(text), &err);

	check_why(rc == 0 || err.code == LH_EDATA, text);
	return rc;
}

/* What is printed of a parsed text is the text. */
static void round_trip(void)
{
	static const char *const good[] = {
		FIRST "index 0\n\n" NOTE,
		FIRST "index 73894\n" HASH HASH "\n" NOTE,
		FIRST "extra YWdl\nindex 7\n" HASH "\n" NOTE,
		FIRST "index 281474976710656\n\n" NOTE,
	};
	size_t i;

	for (i = 0; i < sizeof good / sizeof *good; i++) {
		LH_SCOPED(lh_entry_proof_free) struct lh_entry_proof p;
		LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

		check_why(parse(good[i], &p) == 0, good[i]);
		lh_entry_proof_print(&p, &b);
		check_why(b.len == strlen(good[i]) && !memcmp(b.p, good[i], b.len), good[i]);
		check(p.at.size == 1);
	}
}

static void refused(void)
{
	static const char *const bad[] = {
		"", "\n", FIRST, FIRST "index 0\n", FIRST "index 0\n\n", FIRST "\n" NOTE,
		"c2sp.org/tlog-proof@v2\nindex 0\n\n" NOTE,
		"c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\n" NOTE,
		FIRST "index 00\n\n" NOTE, FIRST "index -1\n\n" NOTE, FIRST "index 1 \n\n" NOTE,
		FIRST "index \n\n" NOTE, FIRST "Index 0\n\n" NOTE, FIRST "index  0\n\n" NOTE,
		FIRST "index 281474976710657\n\n" NOTE,
		FIRST "index 18446744073709551616\n\n" NOTE,
		FIRST "index 0\nextra YWdl\n\n" NOTE, FIRST "extra YWd\nindex 0\n\n" NOTE,
		FIRST "extra \nindex 0\n\n" NOTE, FIRST "extra YWdl\n\n" NOTE,
		FIRST "extra YQ==\nextra YQ==\nindex 0\n\n" NOTE,
		FIRST "index 0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n\n" NOTE,
		FIRST "index 0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n\n" NOTE,
		FIRST "index 0\nYWdl\n\n" NOTE, FIRST "index 0\n " HASH "\n" NOTE,
		FIRST "index 0\n" HASH NOTE, FIRST "index 0\n\n\n" NOTE,
		FIRST "index 0\n\nexample.com/log\n1\n" HASH,
	};
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	struct lh_entry_proof p;
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		check_why(parse(bad[i], &p) < 0, bad[i]);
		lh_entry_proof_free(&p);
	}
	/* more hashes than any tree needs */
	lh_buf_puts(&b, FIRST "index 0\n");
	for (i = 0; i <= LH_TLOG_PROOF_MAX; i++)
		lh_buf_puts(&b, HASH);
	lh_buf_add(&b, "\n" NOTE, sizeof "\n" NOTE);
	check(parse(b.p, &p) < 0);
	lh_entry_proof_free(&p);
}

/* No beginning of a proof is one, but for whole signature lines. */
static void cut(void)
{
	static const char text[] = FIRST "extra YWdl\nindex 7\n" HASH "\n" NOTE;
	struct lh_entry_proof p;
	struct lh_err err;
	size_t n;

	for (n = 0; n < sizeof text - 1; n++) {
		char *copy = malloc(n + 1);

		check(copy);
		memcpy(copy, text, n);
		check(lh_entry_proof_parse(&p, (struct lh_str){ copy, n }, &err) < 0);
		lh_entry_proof_free(&p);
		free(copy);
	}
}

int main(void)
{
	test(round_trip());
	test(refused());
	test(cut());
	return 0;
}
