/* Notes, keys, cosignatures, checkpoints and policies: known answers, and what is refused. */
#include <sys/stat.h>

#include "check.h"
#include "tlog/policy.h"

#define FOO "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define FOO_BODY "This is an example message.\n"
#define FOO_LINE LH_EM_DASH " example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlT" \
	"gK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"

/* Of the seeds 00..1f, 01..20 and 02..21, by Python's cryptography. */
#define LOG "example.com/log+d455c521+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
#define SEED "ABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define LOG_KEY "PRIVATE+KEY+example.com/log+d455c521+AQ" SEED "\n"
#define W1 "witness.example/w1+468d99bb+BHm1Vi6P5lT5QHixEuipi6eQH4U65pW+1+DjkQutBJZk"
#define W1_KEY "PRIVATE+KEY+witness.example/w1+468d99bb+" \
	"BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g\n"
#define W2 "witness.example/w2+de159b94+BEPNwCPSLV+eEH0aBpNFfTXR0Q630hxyEZL1b13kBmXT"
#define EMPTY "example.com/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
#define LOG_LINE LH_EM_DASH " example.com/log " \
	"1FXFIXIShRBLxRBEZXqVdy1Nkx+1zbp9Y0+6j7NZG/kHjr9NfsYnV9" \
	"EfS77h9cSpgRjjZDwPKs8Cs27wuiMjKxk9QgE=\n"
#define W1_LINE LH_EM_DASH " witness.example/w1 " \
	"Ro2ZuwAAAABkGFDLZOhvQw8Gef08TgT5Zfl8IR82sJtVEuQE7q" \
	"J0bhmlkMK9kZclyURcGk9qdEtwb7vIcTlM9K8MlVlPMHgwab5NBw==\n"
#define W1_TIME 1679315147

static struct lh_err err;
static struct lh_note note;

static bool parses(struct lh_str text)
{
	lh_note_free(&note);
	err.msg[0] = 0;
	return lh_note_parse(&note, text, &err) == 0;
}

static struct lh_vkey vkey(const char *text)
{
	struct lh_buf out = { 0 };
	struct lh_vkey k;

	check_why(lh_vkey_parse(&k, lh_str_of(text), &err) == 0, err.msg);
	check(lh_vkey_print(&k, &out, &err) == 0 && out.len == strlen(text));
	check(!memcmp(out.p, text, out.len));
	lh_buf_free(&out);
	return k;
}

static enum lh_signature checks(const char *text, const char *key, uint64_t *time)
{
	struct lh_vkey k = vkey(key);
	enum lh_signature rc;

	check_why(parses(lh_str_of(text)), err.msg);
	rc = lh_note_check(&note, note.n - 1, &k, time);
	lh_vkey_free(&k);
	return rc;
}

static void known_answers(void)
{
	uint64_t time = 7;

	check(checks(FOO_BODY "\n" FOO_LINE, FOO, &time) == LH_SIGNATURE_GOOD && !time);
	check(note.body.n == strlen(FOO_BODY) && note.n == 1);
	check(lh_str_is(note.lines[0].line, FOO_LINE, strlen(FOO_LINE)));
	check(checks("this is an example message.\n\n" FOO_LINE, FOO, &time) == LH_SIGNATURE_BAD);
	check(checks(FOO_BODY "\n" FOO_LINE, LOG, &time) == LH_SIGNATURE_UNKNOWN);
	check(checks(EMPTY "\n" LOG_LINE, LOG, &time) == LH_SIGNATURE_GOOD && !time);
	check(checks(EMPTY "\n" LOG_LINE W1_LINE, W1, &time) == LH_SIGNATURE_GOOD);
	check(time == W1_TIME);
	check(checks("x\n" EMPTY "\n" W1_LINE, W1, &time) == LH_SIGNATURE_BAD && !time);
	check(checks(FOO_BODY "\n\n" FOO_LINE, FOO, &time) == LH_SIGNATURE_BAD);
	/* of the right name and id, but of one byte */
	check(checks(EMPTY "\n" LH_EM_DASH " witness.example/w1 Ro2ZuwA=\n", W1, &time) ==
	      LH_SIGNATURE_BAD);
}

static void bad_notes(void)
{
	static const char *const bad[] = {
		"", "\n", "\n\n", "a\n", "a\n\n", "a\n\nb\n", FOO_LINE, "\n" FOO_LINE,
		FOO_BODY FOO_LINE, FOO_BODY "\n" FOO_LINE "\n", FOO_BODY "\n" FOO_LINE "x",
		"a\n\n" LH_EM_DASH " n\n", "a\n\n" LH_EM_DASH "  AAAAAAA=\n",
		"a\n\n" LH_EM_DASH " n AAAAAA==\n", "a\n\n" LH_EM_DASH " n AAAAAAB=\n",
		"a\n\n" LH_EM_DASH " n AAAAAAA\n", "a\n\n" LH_EM_DASH " n AAAAAAA= \n",
		"a\n\n" LH_EM_DASH " n+m AAAAAAA=\n", "a\n\n" LH_EM_DASH " n\xc2\xa0m AAAAAAA=\n",
		"a\n\n" LH_EM_DASH " n AAAAAAA=", "a\n\n- n AAAAAAA=\n", "a\r\n\n" FOO_LINE,
		"a\tb\n\n" FOO_LINE, "\xff\n\n" FOO_LINE, "a\xc0\xaf\n\n" FOO_LINE,
	};
	size_t i;

	check(parses(lh_str_of("a\n\n" LH_EM_DASH " n AAAAAAA=\n")));
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		check_why(!parses(lh_str_of(bad[i])) && err.code == LH_EDATA && !note.n, bad[i]);
	check(!parses((struct lh_str){ "a\0b\n\n" FOO_LINE, 5 + strlen(FOO_LINE) }));
}

/* A note of so many lines, of a body of so many bytes. */
static bool long_note(size_t lines, size_t n)
{
	struct lh_buf b = { 0 };
	bool good;

	while (b.len < n)
		lh_buf_putc(&b, 'x');
	lh_buf_puts(&b, "\n\n");
	while (lines--)
		lh_buf_puts(&b, LH_EM_DASH " n AAAAAAA=\n");
	good = parses((struct lh_str){ b.p, b.len });
	lh_note_free(&note);
	lh_buf_free(&b);
	return good;
}

static void limits(void)
{
	size_t line = strlen(LH_EM_DASH " n AAAAAAA=\n");

	check(long_note(64, 1) && !long_note(65, 1) && err.code == LH_EDATA);
	check(long_note(1, LH_NOTE_MAX - line - 2) && !long_note(1, LH_NOTE_MAX - line - 1));
	check(err.status == 413);
}

static void bad_vkeys(void)
{
	static const char *const bad[] = {
		"", "a", "+", "a+b+c", "example.com/foo",
		"example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2kAAAA",
		"example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"example.com/foo+530d903a+", "example.com/foo+530d903a+AQ==",
		"example.com foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		FOO "\n", " " FOO,
	};
	struct lh_vkey k;
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		check_why(lh_vkey_parse(&k, lh_str_of(bad[i]), &err) < 0 && !k.name, bad[i]);
}

#define PATH "key"

static void put(const char *text, mode_t mode)
{
	check_put(PATH, text);
	check(chmod(PATH, mode) == 0);
}

/* Sign as those who made the lines above did. */
static void signs(const char *key, const char *public_key, const char *line)
{
	struct lh_signer *s;
	struct lh_secret text;
	struct lh_buf out = { 0 };

	put(key, 0600);
	check_why(lh_signer_read(&s, PATH, &err) == 0, err.msg);
	check(lh_signer_sign(s, lh_str_of(EMPTY), W1_TIME, &out, &err) == 0);
	check(lh_str_is((struct lh_str){ out.p, out.len }, line, strlen(line)));
	check(lh_signer_sign(s, lh_str_of("no LF"), 1, &out, &err) < 0);
	lh_buf_reset(&out);
	check(lh_vkey_print(lh_signer_vkey(s), &out, &err) == 0);
	check(lh_str_is((struct lh_str){ out.p, out.len }, public_key, strlen(public_key)));
	lh_signer_text(s, &text);
	check(text.n == strlen(key));
	check(!memcmp(text.p, key, text.n));
	lh_secret_wipe(&text);
	lh_buf_free(&out);
	lh_signer_free(s);
}

static void no_signer(const char *key, mode_t mode)
{
	struct lh_signer *s;

	put(key, mode);
	check(lh_signer_read(&s, PATH, &err) < 0 && !s && err.code == LH_EIO);
	check(!strncmp(err.msg, PATH, strlen(PATH)));
}

static void bad_signers(void)
{
	no_signer(LOG_KEY, 0640);
	no_signer("", 0600);
	no_signer(LOG, 0600);
	no_signer(LOG_KEY "\n", 0600);
	no_signer("PRIVATE+KEY+example.com/log+d455c522+AQ" SEED, 0600);
	no_signer("PRIVATE+KEY+example.com/log+d455c521+Bg" SEED, 0600);
	no_signer("PRIVATE+KEY+example.com/log+d455c521+"
		  "AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4=", 0600);
}

static void new_key(enum lh_vkey_kind kind)
{
	struct lh_signer *s, *again;
	struct lh_secret text;
	struct lh_buf b = { 0 };
	uint64_t time;

	check(lh_signer_make(&s, lh_str_of("a b"), kind, &err) < 0 && err.code == LH_EUSAGE);
	check(lh_signer_make(&s, lh_str_of("a.example/b"), kind, &err) == 0);
	lh_signer_text(s, &text);
	put((const char *)text.p, 0600);
	check_why(lh_signer_read(&again, PATH, &err) == 0, err.msg);
	lh_buf_puts(&b, "body\n\n");
	check(lh_signer_sign(again, (struct lh_str){ b.p, 5 }, 99, &b, &err) == 0);
	check(parses((struct lh_str){ b.p, b.len }));
	check(lh_note_check(&note, 0, lh_signer_vkey(s), &time) == LH_SIGNATURE_GOOD);
	check(time == (kind == LH_KEY_COSIGNER ? 99 : 0));
	lh_note_free(&note);
	lh_secret_wipe(&text);
	lh_buf_free(&b);
	lh_signer_free(s);
	lh_signer_free(again);
}

static void checkpoints(void)
{
#define ROOT "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	static const char *const bad[] = {
		"", "\n", "a\n", "a\n1\n", "a\n1\n" ROOT, "\n1\n" ROOT "\n", "a\n01\n" ROOT "\n",
		"a\n+1\n" ROOT "\n", "a\n\n" ROOT "\n", "a\n281474976710657\n" ROOT "\n",
		"a\n18446744073709551617\n" ROOT "\n", "a\n1\nAAAA\n", "a\n1\n" ROOT "\n\n",
		"a\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n", "a\n1\n" ROOT " \n",
	};
	static const char text[] = "a b\n281474976710656\n" ROOT "\nx\ny\n";
	struct lh_checkpoint c;
	struct lh_buf out = { 0 };
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		check_why(lh_checkpoint_parse(&c, lh_str_of(bad[i]), &err) < 0, bad[i]);
	check(lh_checkpoint_parse(&c, lh_str_of(text), &err) == 0);
	check(c.size == LH_TLOG_MAX && c.root[0] == 0xe3 && c.root[31] == 0x55);
	check(lh_str_is(c.extensions, "x\ny\n", 4) && lh_str_is(c.origin, "a b", 3));
	check(lh_checkpoint_print(&c, &out, &err) == 0);
	check(lh_str_is((struct lh_str){ out.p, out.len }, text, strlen(text)));
	c.origin = lh_str_of("a\nb");
	check(lh_checkpoint_print(&c, &out, &err) < 0);
	c.origin = lh_str_of("");
	check(lh_checkpoint_print(&c, &out, &err) < 0);
	lh_buf_free(&out);
}

static struct lh_policy *policy(const char *text)
{
	struct lh_policy *p;

	err.msg[0] = 0;
	if (lh_policy_parse(&p, "p", lh_str_of(text), &err) < 0)
		check(!p && err.code == LH_EUSAGE);
	return p;
}

#define WITNESSES "log " LOG "\nwitness one " W1 " https://one.example\n \twitness\ttwo  " W2 " \n"

static void bad_policies(void)
{
	static const char *const bad[] = {
		"", "log " LOG "\n", "quorum none\nquorum none\n", "quorum\n", "quorum a b\n",
		"quorum a\n", "quorum all\n", "log\nquorum none\n", "log x\nquorum none\n",
		"log " LOG " a b\nquorum none\n", "log " LOG "\nlog " LOG "\nquorum none\n",
		"log " W1 "\nquorum none\n", "witness a " LOG "\nquorum none\n",
		"witness a " W1 "\nwitness b " W1 "\nquorum none\n",
		"witness a " W1 "\nwitness a " W2 "\nquorum none\n",
		"witness none " W1 "\nquorum none\n", "witness a\nquorum none\n",
		"quorum one\n" WITNESSES, WITNESSES "group g all\nquorum none\n",
		WITNESSES "group g 0 one\nquorum none\n",
		WITNESSES "group g 2 one\nquorum none\n",
		WITNESSES "group g 01 one\nquorum none\n",
		WITNESSES "group g some one\nquorum g\n",
		WITNESSES "group g any three\nquorum none\n",
		WITNESSES "group g any g\nquorum none\n",
		WITNESSES "group g any none\nquorum none\n",
		WITNESSES "group g any one one\nquorum none\n",
		WITNESSES "group g any one\ngroup h any one\nquorum none\n",
		WITNESSES "group one any two\nquorum none\n", "hello\nquorum none\n",
		"quorum none\r\n", "# a\vb\nquorum none\n", "# \x7f\nquorum none\n",
		"Quorum none\n",
	};
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		check_why(!policy(bad[i]) && !strncmp(err.msg, "p:", 2), bad[i]);
	check(!policy("quorum none\n\n# x\nlog\n") && !strncmp(err.msg, "p:4: ", 5));
}

/* A policy of that many logs, witnesses and groups of one each. */
static bool many(unsigned logs, unsigned witnesses, unsigned groups)
{
	struct lh_buf b = { 0 };
	struct lh_signer *s;
	struct lh_policy *p;
	char name[40];
	unsigned i;

	for (i = 0; i < logs + witnesses; i++) {
		snprintf(name, sizeof name, "n%u.example", i);
		check(lh_signer_make(&s, lh_str_of(name),
				     i < logs ? LH_KEY_ED25519 : LH_KEY_COSIGNER, &err) == 0);
		lh_buf_printf(&b, i < logs ? "log " : "witness w%u ", i - logs);
		check(lh_vkey_print(lh_signer_vkey(s), &b, &err) == 0);
		lh_buf_putc(&b, '\n');
		lh_signer_free(s);
	}
	for (i = 0; i < groups; i++)
		lh_buf_printf(&b, "group g%u any %s%u\n", i, i ? "g" : "w", i ? i - 1 : 0);
	lh_buf_puts(&b, "quorum none");
	lh_buf_putc(&b, 0);
	p = policy(b.p);
	lh_buf_free(&b);
	lh_policy_free(p);
	return p != NULL;
}

/* Repeat a line until the policy has n bytes. */
static bool filled(const char *line, size_t n)
{
	struct lh_buf b = { 0 };
	struct lh_policy *p;

	while (b.len + strlen(line) + strlen("quorum none\n") <= n)
		lh_buf_puts(&b, line);
	lh_buf_puts(&b, "quorum none\n");
	lh_buf_putc(&b, 0);
	p = policy(b.p);
	lh_buf_free(&b);
	lh_policy_free(p);
	return p != NULL;
}

static void policy_limits(void)
{
	check_why(many(100, 64, 64), err.msg);
	check(!many(1, 65, 0) && !many(1, 1, 65));
	check_why(filled("\n", LH_POLICY_BYTES), err.msg);
	check(!filled("#\n", 2 * LH_POLICY_BYTES));
	check(!filled("log a b ", 4000));
}

int main(void)
{
	check_folder();
	test(known_answers());
	test(bad_notes());
	test(limits());
	test(bad_vkeys());
	test(signs(LOG_KEY, LOG, LOG_LINE));
	test(signs(W1_KEY, W1, W1_LINE));
	test(bad_signers());
	test(new_key(LH_KEY_ED25519));
	test(new_key(LH_KEY_COSIGNER));
	test(checkpoints());
	test(bad_policies());
	test(policy_limits());
	lh_note_free(&note);
	return 0;
}
