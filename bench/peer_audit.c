/*
 * peer_audit - the peers of the subject audit.
 *
 *     peer_audit rows N             print N records for append
 *     peer_audit bare LOG           SHA-256 of each line of the mapped file
 *     peer_audit verify LOG KEY     verify the chain, with jansson and HMAC()
 */
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "file/file.h"

static void rows(long n)
{
	long i;

	for (i = 0; i < n; i++)
		printf("{\"candidate_id\":\"W-1\",\"ts\":\"2026-05-03T%02ld:%02ld:%02ld.%09ldZ\","
		       "\"accessor\":{\"kind\":\"gateway_lookup\",\"daemon\":\"gateway\","
		       "\"purpose\":\"tool_lookup\",\"trace_id\":\"t-%ld\"},"
		       "\"fields_accessed\":[\"name\",\"phone\"],"
		       "\"result\":\"success\"}\n",
		       i / 3600 % 24, i / 60 % 60, i % 60, i * 7919 % 1000000000, i);
}

static int bare(const char *path)
{
	unsigned char sum[32], all = 0;
	struct lh_mapped m;
	struct lh_err err;
	const char *p, *lf;

	if (lh_mapped_open(&m, path, &err) < 0)
		return 1;
	for (p = m.p; p < m.p + m.n; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(m.p + m.n - p));
		lh_sha256(p, (size_t)(lf - p), sum);
		all ^= sum[0];
	}
	printf("%u\n", all);
	lh_mapped_close(&m);
	return 0;
}

static void take(const char *prev, json_t *row, const void *key, size_t n, char hex[65])
{
	char *canon = json_dumps(row, JSON_SORT_KEYS | JSON_COMPACT), *text = NULL;
	unsigned char mac[32];
	size_t len = strlen(prev) + strlen(canon);

	text = malloc(len + 1);
	memcpy(text, prev, strlen(prev));
	memcpy(text + strlen(prev), canon, strlen(canon) + 1);
	HMAC(EVP_sha256(), key, (int)n, (unsigned char *)text, len, mac, NULL);
	lh_hex(mac, 32, hex);
	hex[64] = '\0';
	free(text);
	free(canon);
}

static int verify(FILE *f, const char *key_file)
{
	char key[4096], prev[65] = "GENESIS", *line = NULL;
	FILE *k = fopen(key_file, "r");
	size_t cap = 0, n = k ? fread(key, 1, sizeof key, k) : 0;
	ssize_t got;
	json_error_t err;
	long i;

	for (i = 0; (got = getline(&line, &cap, f)) > 0; i++) {
		json_t *row = json_loadb(line, (size_t)got, JSON_REJECT_DUPLICATES, &err);
		char *want = strdup(json_string_value(json_object_get(row, "row_hmac")));
		int good = strcmp(prev,
				  json_string_value(json_object_get(row, "prev_chain_hash"))) == 0;

		json_object_del(row, "row_hmac");
		take(prev, row, key, n, prev);
		good = good && strcmp(prev, want) == 0;
		free(want);
		json_decref(row);
		if (!good) {
			fprintf(stderr, "row %ld\n", i);
			return 1;
		}
	}
	if (k)
		fclose(k);
	free(line);
	return 0;
}

int main(int argc, char **argv)
{
	FILE *f;

	if (argc > 2 && !strcmp(argv[1], "rows"))
		rows(atol(argv[2]));
	else if (argc > 2 && !strcmp(argv[1], "bare"))
		return bare(argv[2]);
	else if (argc > 3 && (f = fopen(argv[2], "r")))
		return verify(f, argv[3]);
	return 0;
}
