/* model_file.c - find the file of a model, and open it.  See model_file.h. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "base/xxh3.h"
#include "file/file.h"
#include "folder.h"
#include "json/bind.h"
#include "model_file.h"

/* ---- finding ---- */

#define HOST "registry.ollama.ai"
#define USER "library"
#define TAG "latest"
#define SCHEME "ollama:"	/* of names that would be taken for paths */
#define PARTS 3			/* host, user, name */
#define PART_MAX 128		/* bytes */
#define MANIFEST_MAX (1 << 20)
#define DIGEST "sha256:"
#define DIGITS 64		/* of a digest */
#define SUM 16			/* hex digits of a checksum */

/* ---- files ---- */

static bool ends_in(const char *s, size_t n, const char *end)
{
	size_t k = strlen(end);

	return n >= k && memcmp(s + n - k, end, k) == 0;
}

static bool is_file(const char *operand)
{
	return strncmp(operand, SCHEME, strlen(SCHEME)) != 0 &&
		(strchr(operand, '/') || ends_in(operand, strlen(operand), ".gguf") ||
		 ends_in(operand, strlen(operand), ".lhm"));
}

static char *name_of_file(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t n = strlen(name);

	if (n > strlen(".gguf") && ends_in(name, n, ".gguf"))
		n -= strlen(".gguf");
	return lh_strndup(name, n);
}

static char *joined(const char *folder, const char *rest)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	char *path = NULL;

	lh_buf_printf(&b, "%s/%s", folder, rest);
	path = lh_strndup(b.p, b.len);
	return path;
}

static int find_file(struct lh_model *m, const char *operand, struct lh_err *err)
{
	struct stat st;

	m->operand = realpath(operand, NULL);
	if (!m->operand)
		return lh_err_sys(err, "%s", operand);
	if (!lh_utf8_valid(m->operand, strlen(m->operand)))
		return lh_err_set(err, LH_EUSAGE,
				  "%s: its path is not UTF-8, so that no index could name it",
				  operand);
	if (stat(m->operand, &st) == 0 && S_ISDIR(st.st_mode)) {
		m->manifest = joined(m->operand, "model.safetensors");
		lh_stamp_take(&m->of_manifest, m->manifest);
		operand = m->operand;		/* without a slash at its end */
	}
	m->path = lh_strndup(operand, strlen(operand));
	m->name = name_of_file(operand);
	return 0;
}

/* ---- names ---- */

struct name {
	struct lh_str part[PARTS], tag;		/* host, user, name */
};

static bool is_part(struct lh_str s, bool host)
{
	size_t i;

	if (!s.n || s.n > PART_MAX || *s.p == '.')
		return false;
	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i], letter = c | 0x20;

		if (!(letter >= 'a' && letter <= 'z') && !(c >= '0' && c <= '9') && c != '.' &&
		    c != '_' && c != '-' && !(host && c == ':'))
			return false;
	}
	return true;
}

/* Divide [[HOST/]USER/]NAME[:TAG]. */
static bool read_name(const char *text, struct name *to)
{
	const char *slash = strrchr(text, '/'), *colon = strchr(slash ? slash : text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text), from, i = PARTS;
	bool more = true;

	*to = (struct name){ { { HOST, strlen(HOST) }, { USER, strlen(USER) } },
			     { TAG, strlen(TAG) } };
	if (colon)
		to->tag = (struct lh_str){ colon + 1, strlen(colon + 1) };
	while (more && i-- > 0) {
		for (from = n; from > 0 && text[from - 1] != '/'; from--)
			;
		to->part[i] = (struct lh_str){ text + from, n - from };
		more = from > 0;
		n = more ? from - 1 : 0;
	}
	return !more && is_part(to->part[0], true) && is_part(to->part[1], false) &&
		is_part(to->part[2], false) && is_part(to->tag, false);
}

static char *store_folder(struct lh_err *err)
{
	const char *models = getenv("OLLAMA_MODELS"), *home = getenv("HOME");

	if (models && *models)
		return lh_strndup(models, strlen(models));
	if (home && *home)
		return joined(home, ".ollama/models");
	lh_err_set(err, LH_EIO, "neither OLLAMA_MODELS nor HOME says where models are kept");
	return NULL;
}

struct layer {
	struct lh_str type, digest;
};
static const struct lh_bind layer_members[] = {
	{ LH_BIND_STRING("mediaType", struct layer, type), .required = true },
	{ LH_BIND_STRING("digest", struct layer, digest), .required = true },
	LH_BIND_END
};
struct manifest {
	struct layer *layer;
	size_t n;
};
static const struct lh_bind manifest_members[] = {
	{ LH_BIND_TABLES("layers", struct manifest, layer, n, layer_members), .required = true },
	LH_BIND_END
};

static bool is_digest(struct lh_str s)
{
	size_t i, k = strlen(DIGEST);

	if (s.n != k + DIGITS || memcmp(s.p, DIGEST, k) != 0)
		return false;
	for (i = k; i < s.n; i++)
		if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(s.p[i] >= 'a' && s.p[i] <= 'f'))
			return false;
	return true;
}

/* Copy the digits of the model's layer. */
static int read_layers(const struct lh_value *v, char digits[DIGITS + 1], struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct manifest is = { .n = 0 };
	int rc = lh_bind_value(manifest_members, v, &is, &text, err);
	size_t i = 0;

	while (!rc && i < is.n && !ends_in(is.layer[i].type.p, is.layer[i].type.n, "image.model"))
		i++;
	if (!rc && i == is.n)
		rc = lh_err_set(err, LH_ECORRUPT, "no layer of it is a model");
	if (!rc && !is_digest(is.layer[i].digest))
		rc = lh_err_set(err, LH_ECORRUPT,
				"the digest of its model is not sha256: and %d hex digits", DIGITS);
	if (!rc)
		snprintf(digits, DIGITS + 1, "%.*s", DIGITS, is.layer[i].digest.p + strlen(DIGEST));
	return rc;
}

/* Read the manifest: 1, 0 if there is none, -1. */
static int read_manifest(const char *path, char digits[DIGITS + 1], struct lh_err *err)
{
	LH_SCOPED(lh_record_free) struct lh_record scan = { 0 };
	struct lh_value v;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc;

	lh_buf_init(&text, MANIFEST_MAX);
	rc = lh_file_read(path, &text, err);
	if (rc > 0 && (lh_json_parse(&scan, text.p, text.len, &v, err) < 0 ||
		       read_layers(&v, digits, err) < 0)) {
		err->code = err->code == LH_EDATA ? LH_ECORRUPT : err->code;
		rc = lh_err_prefix(err, "%s", path);
	}
	return rc;
}

static bool is(struct lh_str s, const char *text)
{
	return s.n == strlen(text) && !memcmp(s.p, text, s.n);
}

/* Set the name, and the operand that leads to it again: without the parts that need not be
 * told. */
static void set_names(struct lh_model *m, const struct name *of)
{
	const struct lh_str *part = of->part;
	size_t first = !is(part[0], HOST) ? 0 : !is(part[1], USER) ? 1 : 2;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

	for (; first < PARTS; first++)
		lh_buf_printf(&b, "%.*s%s", (int)part[first].n, part[first].p,
			      first + 1 < PARTS ? "/" : ":");
	lh_buf_add(&b, of->tag.p, of->tag.n);
	m->name = lh_strndup(b.p, b.len);
	lh_buf_reset(&b);
	lh_buf_printf(&b, "%s%s", strchr(m->name, '/') ? SCHEME : "", m->name);
	m->operand = lh_strndup(b.p, b.len);
}

static int find_blob(struct lh_model *m, const char *folder, const struct name *is,
		     struct lh_err *err)
{
	char rest[PARTS * PART_MAX + PART_MAX + 32], digits[DIGITS + 1];
	const struct lh_str *p = is->part;
	int rc;

	snprintf(rest, sizeof rest, "manifests/%.*s/%.*s/%.*s/%.*s", (int)p[0].n, p[0].p,
		 (int)p[1].n, p[1].p, (int)p[2].n, p[2].p, (int)is->tag.n, is->tag.p);
	m->manifest = joined(folder, rest);
	lh_stamp_take(&m->of_manifest, m->manifest);
	rc = read_manifest(m->manifest, digits, err);
	if (rc < 0)
		return -1;
	if (!rc)
		return lh_err_set(err, LH_EIO, "no model %s in %s (ollama pull fetches one; a "
				  "file is named with a / or by .gguf)", m->name, folder);
	snprintf(rest, sizeof rest, "blobs/sha256-%s", digits);
	m->path = joined(folder, rest);
	return 0;
}

static int find_name(struct lh_model *m, const char *operand, struct lh_err *err)
{
	size_t scheme = strncmp(operand, SCHEME, strlen(SCHEME)) ? 0 : strlen(SCHEME);
	struct name is;
	LH_SCOPED(lh_free_local) char *folder = NULL;

	if (!read_name(operand + scheme, &is))
		return lh_err_set(err, LH_EUSAGE, "\"%.200s\" is not the name of a model", operand);
	set_names(m, &is);
	folder = store_folder(err);
	if (!folder)
		return -1;
	return find_blob(m, folder, &is, err);
}

/* Append the path of a name in a folder; whether something is there. */
static bool is_in(struct lh_buf *b, const char *name, const char *end)
{
	lh_buf_printf(b, "/%s%s", name, end);
	lh_buf_putc(b, '\0');
	return access(b->p, F_OK) == 0;
}

char *lh_model_installed(const char *name)
{
	const char *places[] = { getenv("LH_MODELS"), getenv("XDG_DATA_HOME"), getenv("HOME"),
				 "/usr/local/share", "/usr/share" };
	static const char *const below[] = { "", "/lakehouse/models",
		"/.local/share/lakehouse/models", "/lakehouse/models", "/lakehouse/models" };
	struct lh_buf b = { 0 };

	if (!is_part(lh_str_of(name), false))
		return NULL;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		for (unsigned folder = 0; places[i] && *places[i] && folder < 2; folder++) {
			lh_buf_reset(&b);
			lh_buf_printf(&b, "%s%s", places[i], below[i]);
			if (is_in(&b, name, folder ? "" : ".gguf"))
				return b.p;
		}
	lh_buf_free(&b);
	return NULL;
}

int lh_model_find(struct lh_model *m, const char *operand, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *installed = NULL;
	int rc;

	*m = (struct lh_model){ .path = NULL };
	if (!is_file(operand))
		installed = lh_model_installed(operand);
	rc = is_file(operand) || installed
		? find_file(m, installed ? installed : operand, err) : find_name(m, operand, err);
	if (!rc)
		lh_stamp_take(&m->of_path, m->path);
	return rc;
}

bool lh_model_stale(const struct lh_model *m)
{
	return !lh_stamp_fits(&m->of_path, m->path) ||
		(m->manifest && !lh_stamp_fits(&m->of_manifest, m->manifest));
}

void lh_model_free(struct lh_model *m)
{
	free(m->path);
	free(m->manifest);
	free(m->operand);
	free(m->name);
	*m = (struct lh_model){ .path = NULL };
}

/* ---- compiled models ---- */

#define BLOB "sha256-"
#define NAME_PART 200		/* bytes of a file's name in that of its compiled form */

/* The name has the path's checksum: two models of the same name are two files. */
static char *in_cache(const char *path, const char *name, const char *end)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

	if (!lh_user_cache(&b, LH_CACHE_MODELS))
		return NULL;
	lh_buf_printf(&b, "/%.*s-%0*llx%s", NAME_PART, name, SUM,
		      (unsigned long long)lh_xxh3(path, strlen(path)), end);
	return lh_strndup(b.p, b.len);
}

char *lh_model_compiled(const struct lh_model *m, bool fast, unsigned place, struct lh_err *err)
{
	const char *end = fast ? ".fast.lhm" : ".lhm", *name;
	char *path = realpath(m->path, NULL), *to = NULL;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

	if (!path) {
		lh_err_sys(err, "%s", m->path);
		return NULL;
	}
	name = strrchr(path, '/') + 1;
	lh_buf_printf(&b, "%s%s", path, end);
	if (place)
		to = in_cache(path, name, end);
	else if (strncmp(name, BLOB, strlen(BLOB)))
		to = lh_strndup(b.p, b.len);
	free(path);
	return to;
}

/* ---- identities ---- */

int lh_model_identify(const char *name, uint64_t sum, char id[LH_MODEL_ID], struct lh_err *err)
{
	if ((size_t)snprintf(id, LH_MODEL_ID, "%s@%0*llx", name, SUM, (unsigned long long)sum) <
	    LH_MODEL_ID)
		return 0;
	return lh_err_set(err, LH_EUSAGE, "%s: a name of more than %d bytes", name,
			  LH_MODEL_ID - SUM - 2);
}

bool lh_model_same(struct lh_str a, struct lh_str b)
{
	const size_t tail = SUM + 1;

	if (a.n == b.n && !memcmp(a.p, b.p, a.n))
		return true;
	return a.n > tail && b.n > tail && a.p[a.n - tail] == '@' &&
		!memcmp(a.p + a.n - tail, b.p + b.n - tail, tail);
}

/* ---- opening ---- */

static void close_parts(struct lh_loaded *l)
{
	lh_encoder_free(l->encoder);
	lh_tokenizer_free(l->tokenizer);
	lh_gguf_close(l->file);
	lh_compiled_close(l->compiled);
	l->encoder = NULL;
	l->tokenizer = NULL;
	l->file = NULL;
	l->compiled = NULL;
}

void lh_loaded_close(struct lh_loaded *l)
{
	close_parts(l);
	lh_model_free(&l->found);
}

/* Set what the model was when its file was read. */
static void set_source(struct lh_loaded *l, const struct stat *st)
{
	struct lh_compiled_source *s = &l->source;
	const struct lh_gguf_tensor *t;

	s->bytes = (uint64_t)st->st_size;
	s->xxh3 = lh_gguf_sum(l->file);
	s->seconds = st->st_mtim.tv_sec;
	s->nanoseconds = st->st_mtim.tv_nsec;
	for (size_t i = 0; i < lh_gguf_tensors(l->file); i++) {
		t = lh_gguf_tensor_at(l->file, i);
		if (t->type < LH_COMPILED_TYPES)
			s->of_type[t->type] += t->bytes;
	}
}

/* Open the model's own file; as_it_is: for pairs if it is a cross-encoder. */
static int open_source(struct lh_loaded *l, struct lh_encoder_how how, bool as_it_is,
		       struct lh_err *err)
{
	struct stat st;

	if (lh_folder_stat(l->found.path, &st) < 0)
		return lh_err_sys(err, "%s", l->found.path);
	l->file = lh_gguf_open(l->found.path, err);
	if (!l->file)
		return -1;
	set_source(l, &st);
	how.pairs |= as_it_is && lh_gguf_tensor(l->file, LH_CROSS_ENCODER);
	l->tokenizer = lh_tokenizer_new(l->file, err);
	if (l->tokenizer)
		l->encoder = lh_encoder_new(l->file, &how, err);
	return l->encoder ? 0 : -1;
}

/* Open a compiled model; model: of that file, or NULL if it is used as it is. */
static int open_compiled(struct lh_loaded *l, const struct lh_encoder_how *how, const char *path,
			 const struct stat *model, struct lh_err *err)
{
	l->compiled = lh_compiled_open(path, err);
	if (!l->compiled ||
	    (model && (lh_compiled_trusted(l->compiled, model, err) < 0 ||
		       lh_compiled_fits(l->compiled, l->found.path, model, err) < 0)))
		return -1;
	l->tokenizer = lh_tokenizer_mapped(l->compiled, err);
	if (l->tokenizer)
		l->encoder = lh_encoder_mapped(l->compiled, how, err);
	if (!l->encoder)
		return -1;
	l->source = lh_compiled_header(l->compiled)->source;
	return 0;
}

/* Try one of the places in which a compiled model may be: 1, 0 with the reason in *why if there
 * is one that is not used, or -1 without memory. */
static int try_place(struct lh_loaded *l, const struct lh_encoder_how *how, unsigned place,
		     struct lh_err *why)
{
	struct lh_err err = { .code = LH_OK };
	LH_SCOPED(lh_free_local) char *path = lh_model_compiled(&l->found, how->fast, place, &err);
	struct stat model, st;
	bool there = path && lstat(path, &st) == 0 &&
		     lh_folder_stat(l->found.path, &model) == 0;
	int used = there && open_compiled(l, how, path, &model, &err) == 0;

	if (used)
		return 1;
	close_parts(l);
	if (there || err.code == LH_ENOMEM)
		*why = err;
	return err.code == LH_ENOMEM ? -1 : 0;
}

static int open_either(struct lh_loaded *l, const struct lh_encoder_how *how,
		       struct lh_err *unused, struct lh_err *err)
{
	int used = 0;

	for (unsigned place = 0; !used && place < 2; place++)
		used = try_place(l, how, place, unused);
	if (!used)
		return open_source(l, *how, false, err);
	if (used < 0)
		*err = *unused;
	unused->code = LH_OK;
	return used < 0 ? -1 : 0;
}

static bool is_compiled(const char *operand)
{
	size_t n = strlen(operand);

	return n > 4 && !strcmp(operand + n - 4, ".lhm");
}

/* A model is called as it was found, a compiled one as its model was. */
static void set_name(struct lh_loaded *l)
{
	snprintf(l->source.name, sizeof l->source.name, "%s", l->found.name);
}

int lh_loaded_open(struct lh_loaded *l, const char *operand, const struct lh_encoder_how *how,
		   struct lh_err *unused, struct lh_err *err)
{
	int rc = lh_model_find(&l->found, operand, err);

	unused->code = LH_OK;
	if (!rc && is_compiled(l->found.path))
		return open_compiled(l, how, l->found.path, NULL, err);
	if (!rc)
		rc = open_either(l, how, unused, err);
	if (!rc)
		set_name(l);
	return rc;
}

int lh_loaded_source(struct lh_loaded *l, const char *operand, const struct lh_encoder_how *how,
		     struct lh_err *err)
{
	if (lh_model_find(&l->found, operand, err) < 0 || open_source(l, *how, true, err) < 0)
		return -1;
	set_name(l);
	return 0;
}
