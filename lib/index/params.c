/* params.c - the parameters of an index, and their JSON in its file. */
#include "index_parts.h"

#include <string.h>

static const char *const distances[] = { "cosine", "l2", "ip" };
static const char *const precisions[] = { "f32", "f16", "i8" };

static const char *const lexical_sources[] = { NULL, "field", "template" };

#define WORDS_VERSION 1	/* of the rules that split texts into words */

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
	if (p->m < 2 || p->m > LH_INDEX_M_MAX)
		return lh_err_set(err, LH_EDATA, "m %u: 2 to %d", p->m, LH_INDEX_M_MAX);
	if (p->ef_construction < 8 || p->ef_construction > 10000)
		return lh_err_set(err, LH_EDATA, "ef-construction %u: 8 to 10000",
				  p->ef_construction);
	return 0;
}

static void write_text(struct lh_buf *b, const char *key, const char *s)
{
	lh_buf_printf(b, ",\"%s\":", key);
	if (*s)
		lh_buf_json(b, s, strlen(s));
	else
		lh_buf_puts(b, "null");
}

/* The source of the vectors' texts is omitted where it equals that of the words. */
static void write_source(struct lh_buf *b, const struct lh_index_params *p)
{
	const char *same = p->lexical == LH_LEXICAL_TEMPLATE ? p->text_template : p->field;

	if (p->lexical && strcmp(same, p->lexical_of) == 0)
		return;
	if (*p->field)
		write_text(b, "field", p->field);
	if (*p->text_template)
		write_text(b, "template", p->text_template);
}

void lh_index_params_write(struct lh_buf *b, const struct lh_index_params *p)
{
	lh_buf_printf(b, "{\"dimension\":%u,\"distance\":\"%s\",\"precision\":\"%s\"", p->dimension,
		      lh_distance_name(p->distance), lh_precision_name(p->precision));
	if (p->rescore)
		lh_buf_puts(b, ",\"rescore\":true");
	lh_buf_printf(b, ",\"m\":%u,\"ef_construction\":%u,\"exact_below\":%u,\"seed\":%llu", p->m,
		      p->ef_construction, p->exact_below, (unsigned long long)p->seed);
	write_text(b, "engine", p->engine);
	write_text(b, "model", p->model);
	write_text(b, "url", p->url);
	write_text(b, "created_at", p->created_at);
	write_source(b, p);
	if (p->lexical) {
		lh_buf_printf(b, ",\"lexical\":{\"words\":%d", WORDS_VERSION);
		write_text(b, lexical_sources[p->lexical], p->lexical_of);
		lh_buf_putc(b, '}');
	}
	lh_buf_putc(b, '}');
}

static int get_uint(const struct lh_value *v, const char *key, uint64_t max, uint64_t *out,
		    struct lh_err *err)
{
	struct lh_value n;
	uint64_t value = 0;
	size_t i;

	if (!lh_value_get(v, key, &n) || n.type != LH_NUMBER)
		return lh_err_set(err, LH_ECORRUPT, "parameters: no number \"%s\"", key);
	for (i = 0; i < n.n; i++)
		if (n.p[i] < '0' || n.p[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(n.p[i] - '0'), &value))
			break;
	if (i < n.n || value > max)
		return lh_err_set(err, LH_ECORRUPT, "parameters: \"%s\" is out of range", key);
	*out = value;
	return 0;
}

static int get_u32(const struct lh_value *v, const char *key, uint32_t *out, struct lh_err *err)
{
	uint64_t value;

	if (get_uint(v, key, UINT32_MAX, &value, err) < 0)
		return -1;
	*out = (uint32_t)value;
	return 0;
}

static int get_choice(const struct lh_value *v, const char *key, const char *const *names, int n,
		      int *out, struct lh_err *err)
{
	struct lh_value s;
	int i;

	if (!lh_value_get(v, key, &s) || s.type != LH_STRING)
		return lh_err_set(err, LH_ECORRUPT, "parameters: no string \"%s\"", key);
	for (i = 0; i < n; i++)
		if (lh_value_is(&s, names[i], strlen(names[i]))) {
			*out = i;
			return 0;
		}
	return lh_err_set(err, LH_ECORRUPT, "parameters: %s %.*s is not known", key,
			  (int)(s.n > 60 ? 60 : s.n), s.p);
}

/* Read true or false; absent is false. */
static int get_flag(const struct lh_value *v, const char *key, bool *out, struct lh_err *err)
{
	struct lh_value b;

	if (!lh_value_get(v, key, &b))
		return 0;
	if (b.type != LH_TRUE && b.type != LH_FALSE)
		return lh_err_set(err, LH_ECORRUPT, "parameters: \"%s\" is neither true nor false",
				  key);
	*out = b.type == LH_TRUE;
	return 0;
}

/* Read a string without NUL, shorter than max; absent or null is "". */
static int get_text(const struct lh_value *v, const char *key, char *out, size_t max,
		    struct lh_err *err)
{
	struct lh_value s;
	struct lh_str text;
	struct lh_buf scratch;
	int rc = -1;

	*out = '\0';
	if (!lh_value_get(v, key, &s) || s.type == LH_NULL)
		return 0;
	lh_buf_init(&scratch, LH_INDEX_PARAMS_MAX);
	if (s.type != LH_STRING)
		lh_err_set(err, LH_ECORRUPT, "parameters: \"%s\" is no string", key);
	else if (lh_value_str(&s, &scratch, &text, err) < 0)
		rc = -1;
	else if (text.n >= max || memchr(text.p, 0, text.n))
		lh_err_set(err, LH_ECORRUPT, "parameters: \"%s\" is too long", key);
	else {
		memcpy(out, text.p, text.n);
		out[text.n] = '\0';
		rc = 0;
	}
	lh_buf_free(&scratch);
	return rc;
}

/* Read the source of words; absent or null: none. */
static int get_lexical(const struct lh_value *v, struct lh_index_params *p, struct lh_err *err)
{
	struct lh_value how, unused;
	uint64_t version;

	if (!lh_value_get(v, "lexical", &how) || how.type == LH_NULL)
		return 0;
	if (how.type != LH_OBJECT)
		return lh_err_set(err, LH_ECORRUPT, "parameters: \"lexical\" is no object");
	if (get_uint(&how, "words", UINT32_MAX, &version, err) < 0)
		return -1;
	if (version != WORDS_VERSION)
		return lh_err_set(
			err, LH_ECORRUPT,
			"parameters: words of version %llu; this program makes version %d",
			(unsigned long long)version, WORDS_VERSION);
	p->lexical = lh_value_get(&how, "template", &unused) ? LH_LEXICAL_TEMPLATE :
							       LH_LEXICAL_FIELD;
	if (get_text(&how, lexical_sources[p->lexical], p->lexical_of, sizeof p->lexical_of, err) <
	    0)
		return -1;
	if (!*p->lexical_of)
		return lh_err_set(err, LH_ECORRUPT,
				  "parameters: \"lexical\" names no field or template");
	return 0;
}

static int get_source(const struct lh_value *v, struct lh_index_params *p, struct lh_err *err)
{
	if (get_text(v, "field", p->field, sizeof p->field, err) < 0 ||
	    get_text(v, "template", p->text_template, sizeof p->text_template, err) < 0)
		return -1;
	if (*p->field && *p->text_template)
		return lh_err_set(err, LH_ECORRUPT,
				  "parameters: \"field\" and \"template\" exclude each other");
	if (p->lexical && !*p->field && !*p->text_template)
		memcpy(p->lexical == LH_LEXICAL_TEMPLATE ? p->text_template : p->field,
		       p->lexical_of, sizeof p->lexical_of);
	return 0;
}

static int get_all(const struct lh_value *v, struct lh_index_params *p, struct lh_err *err)
{
	if (v->type != LH_OBJECT)
		return lh_err_set(err, LH_ECORRUPT, "parameters: not a JSON object");
	if (get_u32(v, "dimension", &p->dimension, err) < 0 || get_u32(v, "m", &p->m, err) < 0 ||
	    get_u32(v, "ef_construction", &p->ef_construction, err) < 0 ||
	    get_u32(v, "exact_below", &p->exact_below, err) < 0 ||
	    get_uint(v, "seed", UINT64_MAX, &p->seed, err) < 0 ||
	    get_choice(v, "distance", distances, 3, &p->distance, err) < 0 ||
	    get_choice(v, "precision", precisions, 3, &p->precision, err) < 0 ||
	    get_flag(v, "rescore", &p->rescore, err) < 0 ||
	    get_text(v, "engine", p->engine, sizeof p->engine, err) < 0 ||
	    get_text(v, "model", p->model, sizeof p->model, err) < 0 ||
	    get_text(v, "url", p->url, sizeof p->url, err) < 0 ||
	    get_text(v, "created_at", p->created_at, sizeof p->created_at, err) < 0 ||
	    get_lexical(v, p, err) < 0 || get_source(v, p, err) < 0)
		return -1;
	if (p->dimension < 1 || lh_index_check_params(p, err) < 0) {
		if (p->dimension < 1)
			lh_err_set(err, LH_ECORRUPT, "dimension 0");
		lh_err_prefix(err, "parameters");
		err->code = LH_ECORRUPT;
		return -1;
	}
	return 0;
}

int lh_index_params_read(const char *text, size_t n, struct lh_index_params *p, struct lh_err *err)
{
	struct lh_record scan;
	struct lh_value v;
	struct lh_buf copy;
	int rc = -1;

	lh_buf_init(&copy, LH_INDEX_PARAMS_MAX);
	lh_record_init(&scan);
	lh_buf_add(&copy, text, n);	/* a copy, since the scanner reads past the end */
	if (lh_buf_check(&copy, err) == 0) {
		rc = lh_json_parse(&scan, copy.p, n, &v, err);
		if (rc < 0 && err->code == LH_EDATA) {
			lh_err_prefix(err, "parameters");
			err->code = LH_ECORRUPT;
		} else if (rc == 0) {
			rc = get_all(&v, p, err);
		}
	}
	lh_record_free(&scan);
	lh_buf_free(&copy);
	return rc;
}
