/*
 * aid_foreign - a program for the test suites of other projects; see
 * tests/foreign/README.md.
 *
 *     aid_foreign json <FILE     exit 0 if FILE is a JSON value, else 1 and the reason
 *     aid_foreign jcs <FILE      its canonical form by RFC 8785
 *     aid_foreign hmac           lines "KEY MESSAGE" in hex ("-": empty) on stdin,
 *                                a line with the HMAC-SHA256 in hex for each
 */

#include "check.h"
#include "json/canon.h"
#include "crypto/digest.h"

static struct lh_buf text, out;
static struct lh_err err;

static void read_all(void)
{
	char block[65536];
	size_t n;

	while ((n = fread(block, 1, sizeof block, stdin)))
		lh_buf_add(&text, block, n);
}

static int fails(void)
{
	fprintf(stderr, "%s\n", err.msg);
	return 1;
}

static int parse(struct lh_value *v)
{
	static struct lh_record rec;

	lh_record_init(&rec);
	read_all();
	return lh_json_parse(&rec, text.p, text.len, v, &err);
}

static int jcs(void)
{
	struct lh_value v;

	if (parse(&v) < 0 || lh_canon_jcs(&out, &v, &err) < 0)
		return fails();
	fwrite(out.p, 1, out.len, stdout);
	return 0;
}

/* Convert hex to bytes; return their number. */
static size_t unhex(const char *hex, unsigned char *to)
{
	size_t n = 0;
	unsigned byte;

	for (; *hex && *hex != '-'; hex += 2) {
		check(sscanf(hex, "%2x", &byte) == 1);
		to[n++] = (unsigned char)byte;
	}
	return n;
}

static int hmac(void)
{
	static char key[1 << 16], msg[1 << 16];
	static unsigned char k[1 << 15], m[1 << 15];
	unsigned char mac[32];
	char hex[65] = "";

	while (scanf("%65535s %65535s", key, msg) == 2) {
		size_t kn = unhex(key, k), mn = unhex(msg, m);
		struct lh_hmac *h = lh_hmac_new(k, kn);

		if (!h)
			return fails();
		/* in two pieces, as for a row of a chain */
		lh_hmac(h, m, mn / 3, m + mn / 3, mn - mn / 3, mac);
		lh_hmac_free(h);
		lh_hex(mac, 32, hex);
		puts(hex);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct lh_value v;

	check(argc == 2);
	if (!strcmp(argv[1], "json"))
		return parse(&v) < 0 ? fails() : 0;
	if (!strcmp(argv[1], "jcs"))
		return jcs();
	check(!strcmp(argv[1], "hmac"));
	return hmac();
}
