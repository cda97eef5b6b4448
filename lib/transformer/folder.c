/* folder.c - the header of the GGUF file that a folder would become.  See folder.h. */
#include "folder.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "folder_parts.h"
#include "gguf.h"

#define NAME_MAX_BYTES 96
#define CARD_MAX (1u << 20)

static const char *const files[] = {
	"config.json", "model.safetensors", "tokenizer.json", "vocab.txt",
	"tokenizer_config.json", "modules.json", "1_Pooling/config.json",
	"sentence_bert_config.json", "config_sentence_transformers.json", NULL
};

/* ---- writing a header ---- */

void lh_folder_put_u32(struct lh_buf *b, uint32_t v)
{
	v = htole32(v);
	lh_buf_add(b, &v, sizeof v);
}

void lh_folder_put_u64(struct lh_buf *b, uint64_t v)
{
	v = htole64(v);
	lh_buf_add(b, &v, sizeof v);
}

void lh_folder_put_str(struct lh_buf *b, struct lh_str s)
{
	lh_folder_put_u64(b, s.n);
	lh_buf_add(b, s.p, s.n);
}

static struct lh_buf *key(struct lh_folder_reader *r, const char *name, uint32_t type)
{
	bool ours = r->f->converts && !strncmp(name, "lakehouse.", 10);
	struct lh_buf *b = ours ? &r->f->ours : &r->f->head;

	lh_folder_put_str(b, lh_str_of(name));
	lh_folder_put_u32(b, type);
	r->keys += !ours;
	return b;
}

void lh_folder_u32(struct lh_folder_reader *r, const char *name, uint64_t v)
{
	lh_folder_put_u32(key(r, name, U32), (uint32_t)v);
}

static void key_f32(struct lh_folder_reader *r, const char *name, double v)
{
	float f = (float)v;
	uint32_t bits;

	memcpy(&bits, &f, sizeof bits);
	lh_folder_put_u32(key(r, name, F32), bits);
}

void lh_folder_bool(struct lh_folder_reader *r, const char *name, bool v)
{
	lh_buf_putc(key(r, name, BOOL), (char)v);
}

void lh_folder_str(struct lh_folder_reader *r, const char *name, struct lh_str v)
{
	lh_folder_put_str(key(r, name, STRING), v);
}

struct lh_buf *lh_folder_array(struct lh_folder_reader *r, const char *name, uint32_t type,
			       uint64_t n)
{
	struct lh_buf *b = key(r, name, ARRAY);

	lh_folder_put_u32(b, type);
	lh_folder_put_u64(b, n);
	return b;
}

/* ---- reading the files ---- */

int lh_folder_wrong(const struct lh_folder_reader *r, const char *what)
{
	return lh_err_set(r->err, LH_ECORRUPT, "%s/%s: %s", r->f->path, r->file, what);
}

static char *path_of(const struct lh_folder_reader *r, const char *name)
{
	struct lh_buf b = { 0 };

	lh_buf_printf(&b, "%s/%s", r->f->path, name);
	lh_buf_putc(&b, '\0');
	return b.p;
}

/* Read a file of the folder into r->text: 1, 0 if there is none, or -1. */
int lh_folder_text(struct lh_folder_reader *r, const char *name, size_t most)
{
	LH_SCOPED(lh_free_local) char *path = path_of(r, name);

	snprintf(r->file, sizeof r->file, "%s", name);
	lh_buf_free(&r->text);
	lh_buf_init(&r->text, most);
	return lh_file_read(path, &r->text, r->err);
}

/* The same of a file of JSON, whose value is then in r->v. */
int lh_folder_json(struct lh_folder_reader *r, const char *name)
{
	int rc = lh_folder_text(r, name, LH_FOLDER_JSON_MAX);

	if (rc <= 0)
		return rc;
	if (lh_json_parse(&r->json, r->text.p, r->text.len, &r->v, r->err) < 0) {
		r->err->code = LH_ECORRUPT;
		return lh_err_prefix(r->err, "%s/%s", r->f->path, name);
	}
	return r->v.type == LH_OBJECT || r->v.type == LH_ARRAY ? 1
		: lh_folder_wrong(r, "not an object");
}

static int need_json(struct lh_folder_reader *r, const char *name)
{
	int rc = lh_folder_json(r, name);

	return rc ? rc : lh_err_set(r->err, LH_EIO, "%s: a folder without %s", r->f->path, name);
}

/* Find a member that is of a type, and not null. */
bool lh_folder_member(const struct lh_value *of, const char *name, enum lh_type type,
		   struct lh_value *to)
{
	return of->type == LH_OBJECT && lh_value_get(of, name, to) && to->type == type;
}

bool lh_folder_true(const struct lh_value *of, const char *name, bool otherwise)
{
	struct lh_value v;

	if (of->type != LH_OBJECT || !lh_value_get(of, name, &v))
		return otherwise;
	return v.type == LH_TRUE || (otherwise && v.type != LH_FALSE);
}

/* Read a whole number from least to most; otherwise (-1: there has to be one) if it is absent. */
static int number(struct lh_folder_reader *r, const char *name, uint64_t least, uint64_t most,
		  int64_t otherwise, uint64_t *to)
{
	struct lh_value v;
	int64_t n = otherwise;

	if (lh_folder_member(&r->v, name, LH_NUMBER, &v) && !lh_value_i64(&v, &n))
		n = -1;
	*to = (uint64_t)n;
	if (n >= 0 && *to >= least && *to <= most)
		return 0;
	return lh_err_set(r->err, LH_ECORRUPT, "%s/%s: \"%s\" is not a whole number from %llu to "
			  "%llu", r->f->path, r->file, name, (unsigned long long)least,
			  (unsigned long long)most);
}

/* Check that a member, if it is there, is a text. */
int lh_folder_check(struct lh_folder_reader *r, const char *name, const char *text)
{
	struct lh_value v;

	if (!lh_folder_member(&r->v, name, LH_STRING, &v) || lh_value_is(&v, text, strlen(text)))
		return 0;
	return lh_err_set(r->err, LH_ECORRUPT, "%s/%s: \"%s\" is %.*s, and only \"%s\" is read "
			  "here", r->f->path, r->file, name, v.n < 80 ? (int)v.n : 80, v.p, text);
}

/* ---- what the files say ---- */

static int architecture(struct lh_folder_reader *r, struct lh_folder_sizes *s)
{
	struct lh_value v = { .p = "none", .n = 4 };
	struct lh_iter it;

	if (lh_folder_member(&r->v, "architectures", LH_ARRAY, &v))
		for (lh_iter_init(&it, &v); lh_iter_next(&it); v = it.val) {
			s->roberta = lh_value_is(&it.val, "XLMRobertaModel", 15);
			if (it.val.type == LH_STRING &&
			    (s->roberta || lh_value_is(&it.val, "BertModel", 9)))
				return 0;
		}
	return lh_err_set(r->err, LH_ECORRUPT, "%s: architecture %.*s: of folders BertModel and "
			  "XLMRobertaModel are read; convert it with llama.cpp, whose file is",
			  r->f->path, v.n < 80 ? (int)v.n : 80, v.p);
}

static int config(struct lh_folder_reader *r, struct lh_folder_sizes *s)
{
	const uint64_t most = 1 << 20;
	struct lh_value v;

	if (need_json(r, "config.json") < 0 || architecture(r, s) < 0)
		return -1;
	s->epsilon = lh_folder_member(&r->v, "layer_norm_eps", LH_NUMBER, &v)
		? lh_value_f64(&v) : 1e-12;
	if (number(r, "hidden_size", 1, most, -1, &s->width) < 0 ||
	    number(r, "num_hidden_layers", 1, 1024, -1, &s->layers) < 0 ||
	    number(r, "num_attention_heads", 1, most, -1, &s->heads) < 0 ||
	    number(r, "intermediate_size", 1, most, -1, &s->feed_forward) < 0 ||
	    number(r, "max_position_embeddings", 1, most, -1, &s->positions) < 0 ||
	    number(r, "vocab_size", 1, LH_FOLDER_TOKENS_MAX, -1, &s->vocabulary) < 0 ||
	    number(r, "type_vocab_size", 0, most, 1, &s->types) < 0 ||
	    number(r, "pad_token_id", 0, most, s->roberta, &s->pad) < 0)
		return -1;
	if (lh_folder_check(r, "hidden_act", "gelu") < 0 ||
	    lh_folder_check(r, "position_embedding_type", "absolute") < 0)
		return -1;
	if (s->roberta && s->positions <= s->pad + 1)
		return lh_folder_wrong(r, "too few positions for its pad_token_id");
	if (s->roberta)
		s->positions -= s->pad + 1;
	return 0;
}

/* Set the kind of pooling, as in the keys. */
static int pooling(struct lh_folder_reader *r, uint64_t *to)
{
	static const struct {
		const char *name;
		uint64_t kind;		/* 0: is not read here */
	} modes[] = {
		{ "pooling_mode_mean_tokens", 1 }, { "pooling_mode_cls_token", 2 },
		{ "pooling_mode_lasttoken", 3 }, { "pooling_mode_max_tokens", 0 },
		{ "pooling_mode_mean_sqrt_len_tokens", 0 },
		{ "pooling_mode_weightedmean_tokens", 0 },
	};
	int rc = lh_folder_json(r, "1_Pooling/config.json"), found = 0;

	*to = 1;
	for (size_t i = 0; rc > 0 && i < sizeof modes / sizeof *modes; i++) {
		if (!lh_folder_true(&r->v, modes[i].name, false))
			continue;
		*to = modes[i].kind;
		if (found++ || !*to)
			return lh_err_set(r->err, LH_ECORRUPT, "%s/%s: %s%s is not read here",
					  r->f->path, r->file, modes[i].name,
					  found > 1 ? " with another one" : "");
	}
	if (rc > 0 && !found)
		return lh_folder_wrong(r, "no kind of pooling is true");
	return rc < 0 ? -1 : 0;
}

/* Refuse what would follow pooling, other than unit length. */
static int modules(struct lh_folder_reader *r)
{
	static const char *const known[] = { "Transformer", "Pooling", "Normalize" };
	int rc = lh_folder_json(r, "modules.json");
	struct lh_value type;
	struct lh_iter it;
	size_t i;

	if (rc <= 0)
		return rc;
	if (r->v.type != LH_ARRAY)
		return lh_folder_wrong(r, "not an array");
	for (lh_iter_init(&it, &r->v); lh_iter_next(&it); ) {
		if (!lh_folder_member(&it.val, "type", LH_STRING, &type))
			return lh_folder_wrong(r, "a module without a type");
		for (i = 0; i < 3; i++) {
			size_t n = strlen(known[i]) + 2;	/* "." before, a quote after */

			if (type.n > n && type.p[type.n - n] == '.' &&
			    !memcmp(type.p + type.n - n + 1, known[i], n - 2))
				break;
		}
		if (i == 3)
			return lh_err_set(r->err, LH_ECORRUPT, "%s/%s: module %.*s is not read "
					  "here", r->f->path, r->file,
					  type.n < 90 ? (int)type.n : 90, type.p);
	}
	return 0;
}

static int sentence(struct lh_folder_reader *r)
{
	int rc = lh_folder_json(r, "sentence_bert_config.json");
	struct lh_value v;

	if (rc <= 0)
		return rc;
	r->lower = lh_folder_true(&r->v, "do_lower_case", false);
	return lh_folder_member(&r->v, "max_seq_length", LH_NUMBER, &v)
		? number(r, "max_seq_length", 1, 1 << 20, -1, &r->max_length) : 0;
}

static int prompts(struct lh_folder_reader *r)
{
	static const char *const names[][2] = {		/* the first that is there counts */
		{ "query", "lakehouse.prompt.query" },
		{ "document", "lakehouse.prompt.document" },
		{ "passage", "lakehouse.prompt.document" },
	};
	int rc = lh_folder_json(r, "config_sentence_transformers.json");
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	bool document = false;
	struct lh_value all, v;
	struct lh_str s;

	if (rc <= 0 || !lh_folder_member(&r->v, "prompts", LH_OBJECT, &all))
		return rc < 0 ? -1 : 0;
	for (size_t i = 0; i < 3; i++) {
		if (!lh_folder_member(&all, names[i][0], LH_STRING, &v) || (i == 2 && document))
			continue;
		lh_buf_reset(&scratch);
		lh_value_str(&v, &scratch, &s);
		document |= i == 1 && s.n;
		if (s.n)
			lh_folder_str(r, names[i][1], s);
	}
	return 0;
}

/* The licence, as the front matter of the card names it. */
static int licence(struct lh_folder_reader *r)
{
	int rc = lh_folder_text(r, "README.md", CARD_MAX);
	const char *line, *end;

	if (rc <= 0)
		return 0;		/* a card that is too long, or cannot be read, says none */
	lh_buf_putc(&r->text, '\0');
	if (strncmp(r->text.p, "---\n", 4) != 0)
		return 0;
	end = strstr(r->text.p + 3, "\n---");
	line = strstr(r->text.p, "\nlicense: ");
	if (line && end && line < end) {
		line += strlen("\nlicense: ");
		if (lh_utf8_valid(line, strcspn(line, "\r\n")))
			lh_folder_str(r, "general.license",
				(struct lh_str){ line, strcspn(line, "\r\n") });
	}
	return 0;
}

/* ---- tensors ---- */

/* Write the name in GGUF of a tensor: false if it has no place there. */
static bool name_of(struct lh_str name, char to[NAME_MAX_BYTES])
{
	struct place {
		const char *theirs, *ours;
	};
	static const struct place outside[] = {
		{ "embeddings.word_embeddings", "token_embd" },
		{ "embeddings.position_embeddings", "position_embd" },
		{ "embeddings.token_type_embeddings", "token_types" },
		{ "embeddings.LayerNorm", "token_embd_norm" }, { NULL, NULL }
	}, inside[] = {
		{ "attention.self.query", "attn_q" }, { "attention.self.key", "attn_k" },
		{ "attention.self.value", "attn_v" }, { "attention.output.dense", "attn_output" },
		{ "attention.output.LayerNorm", "attn_output_norm" },
		{ "intermediate.dense", "ffn_up" }, { "output.dense", "ffn_down" },
		{ "output.LayerNorm", "layer_output_norm" }, { NULL, NULL }
	};
	const struct place *table = outside;
	static const char *const prefixes[] = { "bert.", "roberta.", "" };
	char text[NAME_MAX_BYTES], *p = text, *dot, *end, layer[24] = "";
	const char *tail;

	if (name.n >= sizeof text)
		return false;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	for (size_t i = 0; p == text && *prefixes[i]; i++)
		if (!strncmp(p, prefixes[i], strlen(prefixes[i])))
			p += strlen(prefixes[i]);
	if (!strncmp(p, "encoder.layer.", 14)) {
		unsigned long n = strtoul(p + 14, &end, 10);

		if (end == p + 14 || *end != '.' || n > 1024)
			return false;
		snprintf(layer, sizeof layer, "blk.%lu.", n);
		p = end + 1;
		table = inside;
	}
	dot = strrchr(p, '.');
	if (!dot)
		return false;
	*dot++ = '\0';
	tail = !strcmp(dot, "gamma") ? "weight" : !strcmp(dot, "beta") ? "bias" : dot;
	for (; table->theirs; table++)
		if (!strcmp(p, table->theirs)) {
			snprintf(to, NAME_MAX_BYTES, "%s%s.%s", layer, table->ours, tail);
			return true;
		}
	return false;
}

static int type_of(const struct lh_folder_reader *r, const struct lh_safetensor *t, uint32_t *type)
{
	*type = lh_str_is(t->dtype, "F32", 3) ? LH_GGUF_F32 : lh_str_is(t->dtype, "F16", 3)
		? LH_GGUF_F16 : LH_GGUF_BF16;
	if (*type != LH_GGUF_BF16 || lh_str_is(t->dtype, "BF16", 4))
		return 0;
	return lh_err_set(r->err, LH_ECORRUPT, "%s/model.safetensors: tensor \"%.*s\" is of type "
			  "%.*s, not F32, F16 or BF16", r->f->path, (int)t->name.n, t->name.p,
			  (int)t->dtype.n, t->dtype.p);
}

/* Return the type that a tensor has in the header.  llama.cpp's converter leaves in F32 what it
 * adds to or multiplies by each position, and takes F16 for rows that are no whole blocks. */
static uint32_t type_in(const struct lh_folder *f, const char *name, unsigned dims, uint64_t width,
			uint32_t from)
{
	const char *norm = strstr(name, "_norm.weight"), *weight = strstr(name, ".weight");

	if (!f->converts)
		return from;
	if (dims < 2 || norm || !weight || !strcmp(name, "position_embd.weight") ||
	    !strcmp(name, "token_types.weight"))
		return LH_GGUF_F32;
	return width % lh_gguf_layout(f->type)->values ? LH_GGUF_F16 : f->type;
}

/* Note where the data of a tensor are.  XLMRobertaModel's first positions belong to no token of a
 * text. */
static struct lh_folder_tensor *add_tensor(struct lh_folder *f, const struct lh_folder_sizes *s,
					   const struct lh_safetensor *t, const char *name)
{
	uint64_t width = t->dims ? t->dim[t->dims - 1] : 1, skip = 0;
	struct lh_folder_tensor *to;

	if (s->roberta && !strcmp(name, "position_embd.weight") && t->dims == 2 &&
	    t->dim[0] > s->pad + 1)
		skip = s->pad + 1;
	lh_grow(&f->tensor, &f->cap, f->tensors + 1, sizeof *f->tensor);
	to = &f->tensor[f->tensors++];
	*to = (struct lh_folder_tensor){ .data = t->data, .width = width };
	if (t->bytes) {
		uint64_t rows = 1;

		for (unsigned i = 0; i + 1 < t->dims; i++)
			rows *= t->dim[i];
		to->rows = rows - skip;
		to->data += skip * (t->bytes / rows);
	}
	return to;
}

/* Write what a tensor is. */
static int put_tensor(struct lh_folder_reader *r, const struct lh_folder_sizes *s,
		      const struct lh_safetensor *t, uint64_t *at)
{
	const struct lh_gguf_layout *layout;
	struct lh_folder *f = r->f;
	struct lh_folder_tensor *to;
	char name[NAME_MAX_BYTES];
	uint32_t type;

	if (!name_of(t->name, name))
		return 0;
	if (type_of(r, t, &type) < 0)
		return -1;
	to = add_tensor(f, s, t, name);
	to->from = type;
	to->to = type_in(f, name, t->dims, to->width, type);
	layout = lh_gguf_layout(to->to);
	lh_folder_put_str(&f->head, lh_str_of(name));
	lh_folder_put_u32(&f->head, t->dims);
	for (unsigned i = t->dims; i-- > 0; )
		lh_folder_put_u64(&f->head, i || t->dims != 2 ? t->dim[i] : to->rows);
	lh_folder_put_u32(&f->head, to->to);
	lh_folder_put_u64(&f->head, *at);
	*at += (to->rows * to->width / layout->values * layout->bytes + 31) / 32 * 32;
	return 0;
}

/* ---- the folder ---- */

static void put_sizes(struct lh_folder_reader *r, const struct lh_folder_sizes *s)
{
	lh_folder_u32(r, "bert.block_count", s->layers);
	lh_folder_u32(r, "bert.context_length", s->positions);
	lh_folder_u32(r, "bert.embedding_length", s->width);
	lh_folder_u32(r, "bert.feed_forward_length", s->feed_forward);
	lh_folder_u32(r, "bert.attention.head_count", s->heads);
	key_f32(r, "bert.attention.layer_norm_epsilon", s->epsilon);
	lh_folder_u32(r, "general.file_type", r->f->type == LH_GGUF_Q8_0 ? 7 : r->f->type);
	if (r->f->converts)
		lh_folder_u32(r, "general.quantization_version", 2);
	lh_folder_bool(r, "bert.attention.causal", false);
}

static int read_keys(struct lh_folder_reader *r, struct lh_folder_sizes *s)
{
	const char *slash = strrchr(r->f->path, '/'), *name = slash ? slash + 1 : r->f->path;
	uint64_t pool;

	if (config(r, s) < 0)
		return -1;
	lh_folder_str(r, "general.architecture", lh_str_of("bert"));
	lh_folder_str(r, "general.type", lh_str_of("model"));
	if (lh_utf8_valid(name, strlen(name)))
		lh_folder_str(r, "general.name", lh_str_of(name));
	if (licence(r) < 0 || pooling(r, &pool) < 0 || modules(r) < 0 || sentence(r) < 0)
		return -1;
	put_sizes(r, s);
	lh_folder_bool(r, LH_GELU_ERF, true);
	lh_folder_u32(r, "bert.pooling_type", pool);
	if (r->max_length && r->max_length < s->positions)
		lh_folder_u32(r, "lakehouse.max_length", r->max_length);
	return prompts(r) < 0 || lh_folder_vocabulary(r, s) < 0 ? -1 : 0;
}

static int read_tensors(struct lh_folder_reader *r, const struct lh_folder_sizes *s)
{
	struct lh_folder *f = r->f;
	LH_SCOPED(lh_free_local) char *path = path_of(r, "model.safetensors");
	uint64_t at = 0;
	struct stat st;

	if (stat(path, &st) < 0 && errno == ENOENT)
		return lh_err_set(r->err, LH_EIO, "%s: a folder without model.safetensors, which "
				  "alone is read (not several files, ONNX, or pickles)", f->path);
	if (lh_safetensors_open(&f->weights, path, r->err) < 0)
		return -1;
	for (size_t i = 0; i < f->weights.n; i++)
		if (put_tensor(r, s, &f->weights.tensor[i], &at) < 0)
			return -1;
	return 0;
}

/* Set the counts at the beginning, which are known at the end. */
static void put_counts(const struct lh_folder_reader *r)
{
	uint64_t tensors = htole64(r->f->tensors), keys = htole64(r->keys);

	memcpy(r->f->head.p + 8, &tensors, sizeof tensors);
	memcpy(r->f->head.p + 16, &keys, sizeof keys);
}

int lh_folder_read(struct lh_folder *f, struct lh_err *err)
{
	struct lh_folder_reader r = { .f = f, .err = err };
	struct lh_folder_sizes s = { 0 };
	int rc;

	lh_buf_puts(&f->head, "GGUF");
	lh_folder_put_u32(&f->head, 3);
	lh_folder_put_u64(&f->head, 0);
	lh_folder_put_u64(&f->head, 0);
	rc = read_keys(&r, &s) < 0 ? -1 : read_tensors(&r, &s);
	put_counts(&r);
	lh_buf_free(&r.text);
	lh_record_free(&r.json);
	return rc;
}

void lh_folder_free(struct lh_folder *f)
{
	lh_safetensors_close(&f->weights);
	lh_buf_free(&f->head);
	lh_buf_free(&f->ours);
	free(f->tensor);
}

static bool is_newer(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

int lh_folder_stat(const char *path, struct stat *st)
{
	struct lh_folder_reader r = { .f = &(struct lh_folder){ .path = path } };
	struct stat of;

	if (stat(path, st) < 0)
		return -1;
	if (!S_ISDIR(st->st_mode))
		return 0;
	st->st_size = 0;
	st->st_mtim = (struct timespec){ 0 };
	for (size_t i = 0; files[i]; i++) {
		LH_SCOPED(lh_free_local) char *file = path_of(&r, files[i]);

		if (stat(file, &of) < 0)
			continue;
		st->st_size += of.st_size;
		if (is_newer(&of.st_mtim, &st->st_mtim))
			st->st_mtim = of.st_mtim;
	}
	return 0;
}
