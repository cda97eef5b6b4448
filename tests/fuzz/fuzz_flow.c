/*
 * fuzz_flow - any bytes as YAML and as the JSON of a flow, with an input after the first NUL.
 *
 * YAML that is read becomes JSON that is read, unless a key is there twice or it is nested too
 * deeply, and every line in it is one of the file or the one after.  A flow that is accepted has each node once
 * in its order, after all that it depends on; the request of a node is one line, an object.
 */
#include <stdlib.h>

#include "../../tools/lh-workflow/request.c"
#include "../../tools/lh-workflow/workflow.c"
#include "../../tools/lh-workflow/yaml.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct lh_err err;
static struct lh_buf text, input, line;
static struct lh_record rec, rec_input, made;

static void must(bool ok)
{
	if (!ok)
		abort();
}

static bool knows(const void *owner, struct lh_str mode)
{
	(void)owner;
	return mode.n != 3;
}

static void check_order(const struct lh_workflow *w)
{
	size_t *place = calloc(w->n, sizeof *place), i, k;

	for (i = 0; i < w->n; i++) {
		must(w->order[i] < w->n && !place[w->order[i]]);
		place[w->order[i]] = i + 1;
	}
	for (i = 0; i < w->n; i++)
		for (k = w->before.at[i]; k < w->before.at[i + 1]; k++)
			must(place[w->before.to[k]] < place[i]);
	must(w->before.at[w->n] == w->after.at[w->n]);
	free(place);
}

/* Fill in the input, and as the output of every node the input again. */
static void check_requests(const struct lh_workflow *w, const struct lh_value *value)
{
	struct lh_value *output = calloc(w->n, sizeof *output);
	const struct lh_workflow_values values = { *value, output };
	size_t i;

	for (i = 0; i < w->n; i++)
		output[i] = *value;
	for (i = 0; i < w->n && i < 100; i++) {
		lh_buf_reset(&line);
		if (lh_workflow_request(w, i, &values, &line, &err) < 0) {
			must(err.code == LH_EDATA);
			continue;
		}
		must(line.len <= line.max && !memchr(line.p, '\n', line.len));
		must(lh_record_parse(&made, line.p, line.len, &err) == 0);
	}
	free(output);
}

static void check_flow(const struct lh_buf *json)
{
	struct lh_workflow w = { .n = 0 };
	struct lh_value v, value = { "{}", 2, LH_OBJECT, false };

	if (!json->len || lh_json_parse(&rec, json->p, json->len, &v, &err) < 0)
		return;
	if (input.len && lh_record_parse(&rec_input, input.p, input.len, &err) == 0)
		value = (struct lh_value){ rec_input.line, rec_input.len, LH_OBJECT, false };
	if (memchr(value.p, '\n', value.n))
		value = (struct lh_value){ "{}", 2, LH_OBJECT, false };
	if (lh_workflow_read(&w, &v, json->p, &(struct lh_workflow_modes){ .knows = knows },
			     &err) == 0) {
		check_order(&w);
		check_requests(&w, &value);
	} else {
		must(err.code == LH_EDATA && err.column <= json->len + 1);
	}
	lh_workflow_free(&w);
}

static void check_yaml(void)
{
	struct lh_yaml y = { .n = 0 };
	size_t lines = 1, i;
	struct lh_value v;

	for (i = 0; i < text.len; i++)	/* a bare CR ends a line, too, as do U+0085 and U+2028 */
		lines += text.p[i] == '\n' || text.p[i] == '\r' || (unsigned char)text.p[i] > 0x7f;
	if (lh_yaml_read(&y, text.p ? text.p : "", text.len, &err) < 0) {
		must(err.code == LH_EDATA && y.line && y.line <= lines + 1);
	} else {
		must(y.json.len && y.json.len <= LH_YAML_MAX);
		must(!memchr(y.json.p, '\n', y.json.len));
		must(lh_utf8_valid(y.json.p, y.json.len));
		if (lh_json_parse(&rec, y.json.p, y.json.len, &v, &err) < 0)
			must(strstr(err.msg, "duplicate") || strstr(err.msg, "members"));
		for (i = 0; i < y.json.len; i += 7)
			must(lh_yaml_line(&y, i) <= lines + 1);	/* nothing, at the end */
		check_flow(&y.json);
	}
	lh_yaml_free(&y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *nul = n ? memchr(data, '\0', n) : NULL;
	const size_t flow = nul ? (size_t)(nul - data) : n;

	if (!line.max) {
		lh_buf_init(&line, 1 << 20);
		lh_record_init(&rec);
		lh_record_init(&rec_input);
		lh_record_init(&made);
	}
	lh_buf_reset(&text);
	lh_buf_reset(&input);
	lh_buf_add(&text, data, flow);
	if (nul)
		lh_buf_add(&input, nul + 1, n - flow - 1);
	check_yaml();
	check_flow(&text);
	return 0;
}
