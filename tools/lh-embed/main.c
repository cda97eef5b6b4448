/* lh-embed: embed texts as vectors.  See lh-embed(1). */
#include "embed.h"

#include <stdlib.h>

#include "embed/embedder.h"
#include "base/time.h"
#include "model/http.h"
#include "file/file.h"

static const struct lh_made made_compiled = { "a compiled model", { LH_LHM_MAGIC }, NULL };

static const struct lh_option options[] = {
	{ 0, "engine", LH_ENGINES, "of the vectors (default hash)",
	  LH_CHOICE(struct embed, engine_index, .env = "LH_EMBED_ENGINE") },
	{ 0, "model", "MODEL", "model (default: the engine's; see lh-embed(1))",
	  LH_TEXT(struct embed, model) },
	{ 0, "url", "URL", "service (default: see lh-embed(1))", LH_TEXT(struct embed, url) },
	{ 0, "key-file", "FILE", "key of engine openai (or LH_OPENAI_API_KEY)",
	  LH_TEXT(struct embed, key_file) },
	{ 0, "dimension", "N", "length of hash vectors (default 768); cut vectors (gguf)",
	  LH_UINT(struct embed, dimension, 1, 1048576) },
	{ 0, "raw", NULL, "write vectors with their length from the engine",
	  LH_FLAG(struct embed, raw) },
	{ 0, "field", "NAME", "field with the text (default text)", LH_TEXT(struct embed, field) },
	{ 0, "template", "TEXT", "make the text from fields: '{role} in {city}'",
	  LH_TEXT(struct embed, template_text) },
	{ 0, "id-field", "NAME", "also write the id, from this field",
	  LH_TEXT(struct embed, id_field) },
	{ 0, "encoding", "array|base64", "how vectors are written (default array)",
	  LH_CHOICE(struct embed, encoding) },
	{ 0, "wire", "go|rust", "only requests, answered as go or rust does",
	  LH_CHOICE(struct embed, wire) },
	{ 0, "indexes", "DIR", "engine and model of the indexes in DIR, if they have one",
	  LH_TEXT(struct embed, indexes) },
	{ 0, "prefix", "TEXT", "put TEXT before each text (gguf)", LH_TEXT(struct embed, prefix) },
	{ 0, "truncate", NULL, "cut texts that are too long (gguf, ollama)",
	  LH_FLAG(struct embed, truncate) },
	{ 0, "context", "N", "most tokens of a text (gguf; default: the model's)",
	  LH_UINT(struct embed, context, 1, 1048576) },
	{ 0, "fast", NULL, "compute in 8 or 16 bits (gguf)", LH_FLAG(struct embed, fast) },
	{ 0, "tokens", NULL, "write tokens, not vectors (gguf)", LH_FLAG(struct embed, tokens) },
	{ 0, "info", NULL, "describe the model (gguf)", LH_FLAG(struct embed, info) },
	{ 0, "batch", "N", "texts in one call (default 64; gguf: 32 per thread)",
	  LH_UINT(struct embed, batch, 1, BATCH_MAX) },
	{ 'j', "jobs", "N", "threads, or calls at the same time (default: cores)",
	  LH_TOOL_FIELD(UINT, jobs, .min = 1, .max = JOBS_MAX) },
	{ 0, "cache-size", "N", "vectors to keep in memory (default 10000)",
	  LH_UINT(struct embed, cache_size, 0, 100000000) },
	{ 0, "cache", "FILE", "keep vectors in FILE, across runs",
	  LH_TEXT(struct embed, cache, .env = "LH_EMBED_CACHE") },
	{ 0, "cache-max", "SIZE", "greatest size of FILE (default 1G)",
	  LH_SIZE(struct embed, cache_max, 1048576, 1099511627776.0, .seldom = true) },
	{ 0, "timeout", "S", "seconds for one call to a service (default 60)",
	  LH_REAL(struct embed, timeout, 0.001, 86400) },
	{ 0, "retries", "N", "tries after a failed call (default 2)",
	  LH_UINT(struct embed, retries, 0, 100) },
	LH_TRACE_OPTION(struct embed, trace_id),
	{ 0, "compile", "MODEL", "compile a model (gguf)",
	  LH_TEXT(struct embed, compile) },
	{ 'o', "output", "FILE", "file that --compile writes",
	  LH_TEXT(struct embed, output, .makes = &made_compiled) },
	{ 0, "convert", "DIR", "write a folder of Hugging Face as a GGUF file",
	  LH_TEXT(struct embed, convert) },
	{ 0, "type", "f16|q8_0|f32", "of the matrices that --convert writes (default f16)",
	  LH_CHOICE(struct embed, type, .seldom = true) },
	LH_FORCE_OPTION(0),
	LH_ONCE_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static const char *default_url(const struct engine *engine)
{
	const char *url = engine->url_env ? getenv(engine->url_env) : NULL;

	return url && *url ? url : engine->url;
}

/* Check the options that are for engine gguf. */
static int check_gguf(const struct embed *e)
{
	const struct {
		bool given;
		const char *name;
	} of[] = {
		{ e->prefix != NULL, "prefix" }, { e->fast, "fast" },
		{ e->tokens, "tokens" }, { e->info, "info" }, { e->context > 0, "context" },
	};
	size_t i;

	for (i = 0; e->engine != &engine_gguf && i < sizeof of / sizeof *of; i++)
		if (of[i].given)
			return lh_tool_usage(e->tool, "--%s is for engine gguf", of[i].name);
	if (e->truncate && e->engine != &engine_gguf && e->engine != &engine_ollama)
		return lh_tool_usage(e->tool, "--truncate is for engines gguf and ollama");
	if (e->tokens && e->info)
		return lh_tool_usage(e->tool, "--tokens and --info exclude each other");
	if (e->info && e->tool->n_operands)
		return lh_tool_unexpected(e->tool, 0, "--info reads the model alone");
	if ((e->tokens || e->info) && e->wire >= 0)
		return lh_tool_usage(e->tool, "--wire and --%s exclude each other",
				     e->tokens ? "tokens" : "info");
	if (e->prefix && !lh_utf8_valid(e->prefix, strlen(e->prefix)))
		return lh_tool_usage(e->tool, "--prefix is not UTF-8");
	return 0;
}

/* Complete the settings that depend on the engine, and check them together. */
static int settle_options(struct embed *e)
{
	if (e->output)
		return lh_tool_usage(e->tool, "--output goes with --compile");
	e->engine = engines[e->engine_index];
	if (lh_trace_check(e->trace_id, &e->tool->err) < 0 || check_gguf(e) < 0)
		return -1;
	if (e->field && e->template_text)
		return lh_tool_usage(e->tool, "--field and --template exclude each other");
	if (e->id_field && !*e->id_field)
		return lh_tool_usage(e->tool, "--id-field: nothing is named");
	if (e->id_field && (e->wire >= 0 || e->tokens))
		return lh_tool_usage(e->tool, "--id-field and --%s exclude each other",
				     e->tokens ? "tokens" : "wire");
	e->text->text = e->field ? e->field : "text";
	if (e->field)
		lh_records_want(e->tool, "--field", e->text);
	if (!e->model)
		e->model = e->engine->model;
	if (!e->url)
		e->url = default_url(e->engine);
	if (e->key_file && e->engine != &engine_openai)
		return lh_tool_usage(e->tool, "--key-file is for engine openai");
	if (e->template_text) {
		e->template = lh_template_new(e->template_text, &e->tool->err);
		if (!e->template)
			return lh_err_prefix(&e->tool->err, "--template");
		lh_records_want_template(e->tool, e->template);
	}
	if (e->indexes && e->wire < 0)
		return lh_tool_usage(e->tool, "--indexes goes with --wire");
	if (e->engine->check(e) < 0)
		return -1;
	if (!e->batch)
		e->batch = 64;
	return 0;
}

static int run(struct lh_tool *tool, void *settings)
{
	const double start = lh_time_monotonic();
	struct lh_path text = { .text = NULL };
	struct embed *e = settings;
	unsigned long long texts, misses, hits;
	double took;
	int rc;

	e->tool = tool;
	e->text = &text;
	if (e->compile && e->engine_index != LH_ENGINE_GGUF)
		return lh_tool_usage(tool, "--compile is for engine gguf");
	if (e->compile)
		return compile_model_run(e);
	if (e->type >= 0 && !e->convert)
		return lh_tool_usage(tool, "--type goes with --convert");
	if (e->convert)
		return convert_run(e);
	if (settle_options(e) < 0)
		return -1;
	if (e->info || e->tokens)
		rc = inspect_run(e);
	else if (e->each)
		rc = each_run(e);
	else
		rc = e->engine->one || e->indexes ? local_run(e) : remote_run(e);
	took = lh_time_monotonic() - start;
	texts = atomic_load(&e->texts);
	misses = atomic_load(&e->misses);
	hits = texts > misses ? texts - misses : 0;
	lh_tool_verbose(tool, "%s, %s, %s, hit rate %.1f %%, %.0f texts/s",
			LH_N(texts, "text"), LH_N(hits, "hit"), LH_N(misses, "miss|misses"),
			texts ? 100.0 * (double)hits / (double)texts : 0.0,
			took > 0 ? (double)texts / took : 0.0);
	if (atomic_load(&e->cut))
		lh_tool_warn(tool, "%llu of %s cut to the model's context",
			     (unsigned long long)atomic_load(&e->cut), LH_N(texts, "text"));
	return rc;
}

static int close_embed(struct lh_tool *tool, void *settings, int rc)
{
	struct embed *e = settings;

	(void)tool;
	lh_template_free(e->template);
	lh_secret_wipe(&e->key);
	gguf_free(e->gguf);
	return rc;
}

#define ERRORS \
	{ LH_BIND_ONLY("errors", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY), \
	  .about = "with partial: the texts that failed" }
#define VECTORS(name, always) \
	{ LH_BIND_ONLY(name, LH_BIND_TO_VALUE), .required = (always), \
	  .types = LH_BIND_IS(LH_ARRAY), \
	  .each = LH_BIND_IS(LH_ARRAY) | LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NULL), \
	  .about = "of each text, in order; with partial null for one that failed" }
static const struct lh_bind text_in[] = {
	{ LH_BIND_ONLY("text", LH_BIND_TO_STRING),
	  .about = "the text; with --field and --template others" },
	{ LH_BIND_ONLY("texts", LH_BIND_TO_VALUE), .types = LH_BIND_ANY,
	  .about = "in place of it: several texts, which are answered with vectors" },
	LH_BIND_END
};
static const struct lh_bind record_out[] = {
	{ LH_BIND_ONLY("vector", LH_BIND_TO_VALUE),
	  .types = LH_BIND_IS(LH_ARRAY) | LH_BIND_IS(LH_STRING),
	  .about = "numbers, or base64 of 32-bit floats" },
	VECTORS("vectors", false), LH_OP_COUNT("dimension"), LH_OP_TEXT("model"), LH_BIND_END
};
static const struct lh_bind go_out[] = {
	VECTORS("vectors", true), LH_OP_COUNT("dimension"), LH_OP_TEXT("model"), ERRORS, LH_BIND_END
};
static const struct lh_bind rust_out[] = {
	VECTORS("embeddings", true), LH_OP_COUNT("dimensions"), LH_OP_TEXT("model"), ERRORS,
	LH_BIND_END
};
static const struct lh_bind stats_out[] = {
	LH_OP_COUNT("hits"),
	LH_OP_COUNT("misses"),
	{ LH_BIND_ONLY("hit_rate", LH_BIND_TO_F64), .required = true, .max = 1 },
	LH_OP_COUNT("size"),
	LH_OP_COUNT("capacity"),
	LH_BIND_END
};

static const struct lh_bind embedding_out[] = {
	LH_OP_COUNT("index"),
	{ LH_BIND_ONLY("embedding", LH_BIND_TO_VALUE), .required = true,
	  .types = LH_BIND_IS(LH_ARRAY) | LH_BIND_IS(LH_STRING) },
	LH_BIND_END
};
static const struct lh_bind openai_out[] = {
	LH_OP_TEXT("object"),
	{ LH_BIND_ONLY("data", LH_BIND_TO_TABLES), .required = true, .table = embedding_out },
	LH_OP_TEXT("model"), LH_OP_OBJECT("usage"), LH_BIND_END
};
static const struct lh_bind ollama_out[] = {
	VECTORS("embeddings", true), LH_OP_TEXT("model"), LH_OP_COUNT("prompt_eval_count"),
	LH_BIND_END
};
static const struct lh_bind models_out[] = {
	{ LH_BIND_ONLY("data", LH_BIND_TO_VALUE), .required = true,
	  .types = LH_BIND_IS(LH_ARRAY) },
	LH_BIND_END
};
static const struct lh_bind tags_out[] = {
	{ LH_BIND_ONLY("models", LH_BIND_TO_VALUE), .required = true,
	  .types = LH_BIND_IS(LH_ARRAY) },
	LH_BIND_END
};

#define STATS \
	{ "stats", .about = "how often the cache had a vector", .in = op_members, .out = stats_out }
#define DIALECTS \
	{ "embeddings", .about = "vectors, as OpenAI's service", .in = openai_in, \
	  .out = openai_out }, \
	{ "embed", .about = "vectors, as Ollama's service", .in = ollama_in, \
	  .out = ollama_out }, \
	{ "models", .about = "the models, as OpenAI's service", .in = op_members, \
	  .out = models_out }, \
	{ "tags", .about = "the models, as Ollama's service", .in = op_members, .out = tags_out }

static const struct lh_op ops[] = {
	{ "", .in = text_in, .out = record_out, .command = run },
	{ "", .in = wire_members, .out = go_out, .command = run }, STATS, DIALECTS,
	{ "", .in = wire_members, .out = rust_out, .command = run }, STATS,
	{ "", .about = "the model, its tokens, or a copy in another form", .command = run },
	LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	const struct embed *e = settings;

	if (e->info || e->tokens || e->compile || e->convert)
		return &ops[sizeof ops / sizeof *ops - 2];
	return &ops[e->wire < 0 ? 0 : e->wire == WIRE_RUST ? 7 : 1];
}

int main(int argc, char **argv)
{
	struct embed e = { .wire = -1,
			   .type = -1,
			   .cache_size = 10000,
			   .cache_max = UINT64_C(1) << 30,
			   .retries = 2,
			   .timeout = 60 };
	static const struct lh_tool_spec spec = {
		.name = "lh-embed",
		.synopsis = "[OPTION]... [FILE]...",
		.summary = "add the vector of its text to each record",
		.example = "lh-embed --template '{title} by {maker}' --encoding base64 \\\n"
			   "      products.jsonl > out.jsonl",
		.options = options,
		.close = close_embed,
		.ops = ops,
		.mode = mode,
	};

	return lh_op_main(&spec, argc, argv, &e);
}
