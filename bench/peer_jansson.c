/*
 * peer_jansson - the work of passthrough as a loop over jansson.
 *
 *     peer_jansson pass [FIELD] <workers.jsonl      parse, find, add, dump
 *     peer_jansson parse <workers.jsonl             parse only
 *     peer_jansson vectors [FIELD] <vectors.jsonl   parse, read an array of numbers
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct peer {
	const char *mode, *field;
	float v[65536];
	double sum;
};

static void pass(struct peer *s, json_t *rec)
{
	const char *text = json_string_value(json_object_get(rec, s->field));

	json_object_set_new(rec, "seen", json_integer(text ? (json_int_t)strlen(text) : 0));
	json_dumpf(rec, stdout, JSON_COMPACT);
	putchar('\n');
}

static void vectors(struct peer *s, json_t *rec)
{
	json_t *a = json_object_get(rec, s->field), *x;
	size_t i;

	json_array_foreach(a, i, x)
		s->v[i % 65536] = (float)json_number_value(x);
	s->sum += (double)s->v[0];
}

int main(int argc, char **argv)
{
	static struct peer s;
	json_error_t err;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	s.mode = argc > 1 ? argv[1] : "pass";
	s.field = argc > 2 ? argv[2] : !strcmp(s.mode, "vectors") ? "vector" : "role";
	while ((n = getline(&line, &cap, stdin)) > 0) {
		json_t *rec = json_loadb(line, (size_t)n, JSON_REJECT_DUPLICATES, &err);

		if (!rec) {
			fprintf(stderr, "peer_jansson: %s\n", err.text);
			return 1;
		}
		if (!strcmp(s.mode, "pass"))
			pass(&s, rec);
		else if (!strcmp(s.mode, "vectors"))
			vectors(&s, rec);
		json_decref(rec);
	}
	if (s.sum != 0)
		printf("%g\n", s.sum);
	free(line);
	return 0;
}
