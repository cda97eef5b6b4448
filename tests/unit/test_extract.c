/* lh_extract agrees with a plain, quadratic implementation of its rules. */
#include <jansson.h>
#include <string.h>

#include "check.h"
#include <lh/extract.h>

static struct lh_extract *x;
static struct lh_err err;
static uint64_t state = 20260503;

static unsigned draw(unsigned n)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(state >> 33) % n;
}

/* ---- the rules, implemented literally ---- */

static json_t *object(const char *p, size_t n)
{
	json_t *j = json_loadb(p, n, JSON_ALLOW_NUL, NULL);

	if (json_is_object(j))
		return j;
	json_decref(j);
	return NULL;
}

static const char *ticks(const char *p, const char *end)
{
	return memmem(p, (size_t)(end - p), "```", 3);
}

static json_t *plain_fences(const char *p, const char *end)
{
	const char *from, *close, *to;
	json_t *j = NULL;

	for (p = ticks(p, end); p && !j; p = ticks(close + 3, end)) {
		from = p + 3;
		while (from < end && *from &&
		       strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-",
			      *from))
			from++;
		close = ticks(from, end);
		if (!close)
			break;
		for (to = close; to > from && strchr(" \t\r\n", to[-1]) && to[-1]; )
			to--;
		while (from < to && strchr(" \t\r\n", *from) && *from)
			from++;
		j = object(from, (size_t)(to - from));
	}
	return j;
}

static const char *balance(const char *p, const char *end)
{
	bool string = false;
	int depth = 0;

	for (; p < end; p++) {
		if (string && *p == '\\')
			p++;
		else if (*p == '"')
			string = !string;
		else if (!string && *p == '{')
			depth++;
		else if (!string && *p == '}' && --depth == 0)
			return p + 1;
	}
	return NULL;
}

static json_t *plain(const char *p, size_t n)
{
	const char *end = p + n, *to;
	json_t *j = plain_fences(p, end);

	for (; !j && p < end; p++)
		if (*p == '{' && (to = balance(p, end)))
			j = object(p, (size_t)(to - p));
	return j;
}

/* ---- compared ---- */

static void compare(const char *text, size_t n)
{
	char *p = malloc(n + LH_PAD), *want;
	json_t *j = plain(text, n), *k;
	struct lh_buf out = { 0 };
	struct lh_value v;
	int rc;

	memcpy(p, text, n);
	memset(p + n, "{}\"` 1"[draw(6)], LH_PAD);
	rc = lh_extract(x, p, n, &v, &err);
	if (rc != (j != NULL)) {
		fprintf(stderr, "%.*s\n", (int)n, text);
		check(rc == (j != NULL));
	}
	if (!rc) {
		free(p);
		return;
	}
	check(lh_extract_wire(&out, &v, &err) == 0);
	want = json_dumps(j, JSON_SORT_KEYS | JSON_COMPACT);
	lh_buf_putc(&out, '\0');
	check_why(strcmp(out.p, want) == 0, text);
	lh_buf_reset(&out);
	lh_extract_put(&out, &v);
	check(!memchr(out.p, '\n', out.len));
	k = json_loadb(out.p, out.len, JSON_REJECT_DUPLICATES, NULL);
	check_why(json_equal(j, k), text);
	json_decref(j);
	json_decref(k);
	free(want);
	free(p);
	lh_buf_free(&out);
}

/* Every text up to a length. */
static void all_short(void)
{
	static const char signs[] = "{}[\"\\:,1";
	char text[8];
	size_t n, i, word, words = 1;

	for (n = 0; n <= 6; n++, words *= 8) {
		for (word = 0; word < words; word++) {
			for (i = 0; i < n; i++)
				text[i] = signs[word >> 3 * i & 7];
			compare(text, n);
		}
	}
}

/* Pieces that nearly fit together, so that there are many matches and near matches. */
static void many_random(int rounds)
{
	static const char *const piece[] = {
		"{", "}", "{", "}", "[", "]", "\"", ":", ",", "\\", " ", "\n", "`", "a", "1", "```",
		"```json\n", "\"a\":", "\"b\":",
		"{\"a\":1}", "{}", "\"{\"", "\"}\"", "\\\"", "\"\\\\\"", "{\"a\":", "{\"", "\":",
		"{\"a\":[", "]}", "\"a{\":", ",\"a\":", "1}", "\"\\{\"",
	};
	char text[256];
	size_t n, len;
	int i;

	for (i = 0; i < rounds; i++) {
		for (n = 0; n < 16 + draw(100); n += len) {
			const char *s = piece[draw(draw(2) ? 15 : sizeof piece / sizeof *piece)];

			len = strlen(s);
			memcpy(text + n, s, len);
		}
		compare(text, n);
	}
}

int main(void)
{
	x = lh_extract_new(&err);
	check(x != NULL);
	test(all_short());
	test(many_random(300000));
	lh_extract_free(x);
	return 0;
}
