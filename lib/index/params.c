/* params.c - the parameters of an index, and their JSON in its file. */
#include "index_parts.h"

#include <string.h>

#include "json/bind.h"
#include "json/write.h"

static const char *const distances[] = { "cosine", "l2", "ip", NULL };
static const char *const precisions[] = { "f32", "f16", "i8", NULL };

static const char *const lexical_sources[] = { NULL, "field", "template" };

#define WORDS_VERSION 1	/* of the rules that split texts into words */
#define WORDS_AND_WEIGHTS 2	/* the same rules, with weighted terms, now left out */

void lh_index_params_default(struct lh_index_params *p)
{
	*p = (struct lh_index_params){
		.m = 16, .ef_construction = 200, .exact_below = 1000, .seed = 1,
	};
}

struct lh_str lh_index_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t n = strlen(name);

	if (n > 4 && memcmp(name + n - 4, ".lhv", 4) == 0)
		n -= 4;
	return (struct lh_str){ name, n };
}

const char *lh_distance_name(int distance)
{
	return distance >= LH_COSINE && distance <= LH_IP ? distances[distance] : "unknown";
}

const char *lh_precision_name(int precision)
{
	return precision >= LH_F32 && precision <= LH_I8 ? precisions[precision] : "unknown";
}

const char *lh_lexical_source_name(int source)
{
	return source >= LH_LEXICAL_FIELD && source <= LH_LEXICAL_TEMPLATE ?
		       lexical_sources[source] :
		       NULL;
}

void lh_index_get_shape(const struct lh_index_params *p, bool graph, struct lh_index_shape *out)
{
	size_t code = lh_index_code_bytes(p), links = 2 * (size_t)p->m, list = 4 * links, codes;

	*out = (struct lh_index_shape){ .values = 0 };
	out->stride = out->codes_at = lh_index_round(code, 64);
	if (!graph)
		return;
	out->values = p->code_values;
	if (!out->values) {
		out->ids_at = lh_index_round(code, 4);
		out->codes_at = out->ids_at + list;
		out->stride = lh_index_round(out->codes_at, 64);
		return;
	}
	codes = links / LH_QG_LANES * lh_qg_code_bytes(out->values);
	out->unit_at = lh_index_round(code, 4);
	out->add_at = out->unit_at + 4;
	out->rescale_at = out->add_at + list / 2;
	out->ids_at = out->rescale_at + list / 2;
	out->codes_at = out->ids_at + list;
	out->stride = lh_index_round(out->codes_at + codes, 64);
}

int lh_index_check_params(const struct lh_index_params *p, struct lh_err *err)
{
	if (p->dimension > LH_DIM_MAX)
		return lh_err_set(err, LH_EDATA, "dimension %u: at most %d", p->dimension,
				  LH_DIM_MAX);
	if (p->distance < LH_COSINE || p->distance > LH_IP)
		return lh_err_set(err, LH_EDATA, "unknown distance");
	if (p->precision < LH_F32 || p->precision > LH_I8)
		return lh_err_set(err, LH_EDATA, "unknown precision");
	if (p->rescore && p->precision == LH_F32)
		return lh_err_set(err, LH_EDATA, "rescore goes with precision f16 or i8");
	if (p->lexical && !*p->lexical_of)
		return lh_err_set(err, LH_EDATA,
				  "no field or template makes the text to search by words");
	if (p->m != lh_index_nearest_m(p->m))
		return lh_err_set(err, LH_EDATA, "m %u: 16 or %d", p->m, LH_INDEX_M_MAX);
	if (p->ef_construction < 8 || p->ef_construction > 10000)
		return lh_err_set(err, LH_EDATA, "ef-construction %u: 8 to 10000",
				  p->ef_construction);
	if (p->ef_search > LH_INDEX_EF_MAX)
		return lh_err_set(err, LH_EDATA, "ef_search %u: at most %d", p->ef_search,
				  LH_INDEX_EF_MAX);
	return 0;
}

static void write_text(struct lh_writer *w, const char *key, const char *s)
{
	if (*s)
		lh_write_text(w, key, s);
	else
		lh_write_null(w, key);
}

void lh_index_params_write(struct lh_buf *b, const struct lh_index_params *p)
{
	struct lh_writer w = lh_write_to(b);
	const char *same;

	lh_write_object(&w, NULL);
	lh_write_u64(&w, "dimension", p->dimension);
	lh_write_text(&w, "distance", lh_distance_name(p->distance));
	lh_write_text(&w, "precision", lh_precision_name(p->precision));
	if (p->rescore)
		lh_write_bool(&w, "rescore", true);
	lh_write_text(&w, "layout", LH_INDEX_LAYOUT);
	lh_write_u64(&w, "m", p->m);
	lh_write_u64(&w, "ef_construction", p->ef_construction);
	if (p->ef_search)
		lh_write_u64(&w, "ef_search", p->ef_search);
	if (p->code_values)
		lh_write_u64(&w, "code_values", p->code_values);
	if (p->longest > 0)
		lh_write_f64(&w, "longest", p->longest);
	if (p->outside)
		lh_write_u64(&w, "outside", p->outside);
	lh_write_u64(&w, "exact_below", p->exact_below);
	if (p->repaired)
		lh_write_u64(&w, "repaired", p->repaired);
	lh_write_u64(&w, "seed", p->seed);
	write_text(&w, "engine", p->engine);
	write_text(&w, "model", p->model);
	write_text(&w, "url", p->url);
	write_text(&w, "created_at", p->created_at);
	if (p->persons)
		lh_write_bool(&w, "persons", true);
	if (*p->prefix)
		lh_write_text(&w, "prefix", p->prefix);
	if (*p->query_prefix)
		lh_write_text(&w, "query_prefix", p->query_prefix);
	/* The source of the vectors' texts is omitted where it equals that of the words. */
	same = p->lexical == LH_LEXICAL_TEMPLATE ? p->text_template : p->field;
	if (!p->lexical || strcmp(same, p->lexical_of) != 0) {
		if (*p->field)
			lh_write_text(&w, "field", p->field);
		if (*p->text_template)
			lh_write_text(&w, "template", p->text_template);
	}
	if (p->lexical) {
		lh_write_object(&w, "lexical");
		lh_write_u64(&w, "words", WORDS_VERSION);
		lh_write_text(&w, lexical_sources[p->lexical], p->lexical_of);
		lh_write_end(&w);
	}
	lh_write_end(&w);
}

/* The members of the JSON; n = 0: an absent or empty string. */
struct text {
	uint64_t dimension, m, ef_construction, ef_search, code_values, exact_below;
	uint64_t repaired, outside;
	struct lh_str seed;
	double longest;
	int distance, precision;
	bool rescore, persons;
	struct lh_str engine, model, url, created_at, prefix, query_prefix, field, template;
	struct lh_value lexical;
};
struct lexical {
	uint64_t words;
	struct lh_str field, template;
};

#define NUMBER(s, name) LH_BIND_U64(#name, struct s, name, 0, UINT32_MAX)
#define TEXT(s, name, f) \
	{ LH_BIND_STRING(#name, struct s, name), .no_nul = true, \
	  .longest = sizeof(((struct lh_index_params *)0)->f) - 1 }

static const struct lh_bind members[] = {
	{ NUMBER(text, dimension), .required = true },
	{ NUMBER(text, m), .required = true },
	{ NUMBER(text, ef_construction), .required = true },
	{ NUMBER(text, ef_search) },
	{ NUMBER(text, code_values) },
	{ LH_BIND_F64("longest", struct text, longest, 0, 1e300) },
	{ NUMBER(text, outside) },
	{ NUMBER(text, exact_below), .required = true },
	{ NUMBER(text, repaired) },
	{ LH_BIND_NUMBER("seed", struct text, seed), .required = true },
	{ LH_BIND_INDEX("distance", struct text, distance, distances), .required = true },
	{ LH_BIND_INDEX("precision", struct text, precision, precisions), .required = true },
	{ LH_BIND_BOOL("rescore", struct text, rescore), .not_null = true },
	{ LH_BIND_BOOL("persons", struct text, persons), .not_null = true },
	TEXT(text, engine, engine),
	TEXT(text, model, model),
	TEXT(text, url, url),
	TEXT(text, created_at, created_at),
	TEXT(text, prefix, prefix),
	TEXT(text, query_prefix, query_prefix),
	{ LH_BIND_OBJECT("lexical", struct text, lexical) },
	TEXT(text, field, field),
	TEXT(text, template, text_template),
	LH_BIND_END
};
static const struct lh_bind lexical_members[] = {
	{ NUMBER(lexical, words), .required = true },
	TEXT(lexical, field, lexical_of),
	{ LH_BIND_STRING("template", struct lexical, template), .no_nul = true, .not_null = true,
	  .longest = sizeof(((struct lh_index_params *)0)->lexical_of) - 1 },
	LH_BIND_END
};

/* Read digits alone, since a seed may be more than an int64_t: no sign, point or exponent. */
static int get_seed(struct lh_str n, uint64_t *out, struct lh_err *err)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < n.n; i++)
		if (n.p[i] < '0' || n.p[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(n.p[i] - '0'), &value))
			return lh_err_set(err, LH_ECORRUPT,
					  "\"seed\" must be a whole number below 2^64");
	*out = value;
	return 0;
}

/* Copy a string that is known to fit. */
static void put_text(char *to, struct lh_str s)
{
	if (s.n)
		memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

/* Read the source of words; absent: none. */
static int get_lexical(const struct lh_value *v, struct lh_index_params *p, struct lh_buf *scratch,
		       struct lh_err *err)
{
	struct lexical how = { .words = 0 };

	if (!v->p)
		return 0;
	if (lh_bind_part(lexical_members, "lexical", v, &how, scratch, err) < 0)
		return -1;
	if (how.words != WORDS_VERSION && how.words != WORDS_AND_WEIGHTS)
		return lh_err_set(err, LH_ECORRUPT,
				  "words of version %llu; this program makes version %d",
				  (unsigned long long)how.words, WORDS_VERSION);
	p->lexical = how.template.p ? LH_LEXICAL_TEMPLATE : LH_LEXICAL_FIELD;
	put_text(p->lexical_of, how.template.p ? how.template : how.field);
	return *p->lexical_of ? 0
			      : lh_err_set(err, LH_ECORRUPT,
					   "missing lexical.field or lexical.template (string)");
}

static int get_source(const struct text *t, struct lh_index_params *p, struct lh_err *err)
{
	put_text(p->field, t->field);
	put_text(p->text_template, t->template);
	if (*p->field && *p->text_template)
		return lh_err_set(err, LH_ECORRUPT,
				  "\"field\" and \"template\" exclude each other");
	return 0;
}

static int get_all(const struct lh_value *v, bool old, struct lh_index_params *p,
		   struct lh_buf *scratch, struct lh_err *err)
{
	struct text t = { .dimension = 0 };

	if (lh_bind_value(members, v, &t, scratch, err) < 0 || get_seed(t.seed, &p->seed, err) < 0)
		return -1;
	p->dimension = (uint32_t)t.dimension;
	p->m = (uint32_t)t.m;
	p->ef_construction = (uint32_t)t.ef_construction;
	p->ef_search = (uint32_t)t.ef_search;
	p->code_values = (uint32_t)t.code_values;
	p->outside = (uint32_t)t.outside;
	p->exact_below = (uint32_t)t.exact_below;
	p->repaired = (uint32_t)t.repaired;
	p->distance = t.distance;
	p->precision = t.precision;
	p->longest = t.longest;
	p->rescore = t.rescore;
	p->persons = t.persons;
	put_text(p->engine, t.engine);
	put_text(p->model, t.model);
	put_text(p->url, t.url);
	put_text(p->created_at, t.created_at);
	put_text(p->prefix, t.prefix);
	put_text(p->query_prefix, t.query_prefix);
	if (get_source(&t, p, err) < 0 || get_lexical(&t.lexical, p, scratch, err) < 0)
		return -1;
	if (p->lexical && !*p->field && !*p->text_template)
		memcpy(p->lexical == LH_LEXICAL_TEMPLATE ? p->text_template : p->field,
		       p->lexical_of, sizeof p->lexical_of);
	if (p->dimension < 1)
		return lh_err_set(err, LH_ECORRUPT, "dimension 0");
	if (p->code_values % 16 || p->code_values > lh_qg_dimension(lh_index_lifted(p)))
		return lh_err_set(err, LH_ECORRUPT, "code_values %u: a multiple of 16, at most %u",
				  p->code_values, lh_qg_dimension(lh_index_lifted(p)));
	if (old)
		p->m = lh_index_nearest_m(p->m);
	return lh_index_check_params(p, err);
}

int lh_index_params_read(const char *text, size_t n, bool old, struct lh_index_params *p,
			 struct lh_err *err)
{
	LH_SCOPED(lh_record_free) struct lh_record scan = { 0 };
	struct lh_value v;
	LH_SCOPED(lh_buf_free) struct lh_buf copy = { 0 }, scratch = { 0 };
	int rc;

	lh_buf_init(&copy, LH_INDEX_PARAMS_MAX);
	lh_buf_init(&scratch, LH_INDEX_PARAMS_MAX);
	lh_buf_add(&copy, text, n);	/* a copy, since the scanner reads past the end */
	rc = lh_buf_check(&copy, err);
	if (rc == 0) {
		rc = lh_json_parse(&scan, copy.p, n, &v, err);
		if (rc == 0)
			rc = get_all(&v, old, p, &scratch, err);
		if (rc < 0 && (err->code == LH_EDATA || err->code == LH_ECORRUPT)) {
			lh_err_prefix(err, "parameters");
			err->code = LH_ECORRUPT;
			err->status = 0;
		}
	}
	return rc;
}
