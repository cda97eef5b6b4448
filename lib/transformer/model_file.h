/*
 * model_file - the file of a model: found by path or by the name that Ollama gave it, and opened.
 */
#ifndef LH_MODEL_FILE_H
#define LH_MODEL_FILE_H

#include <stdint.h>

#include "base/str.h"
#include "encoder.h"
#include "file/held.h"

/* ---- finding ---- */

/*
 *     struct lh_model m;
 *     char id[LH_MODEL_ID];
 *     if (lh_model_find(&m, "nomic-embed-text", err) < 0) ...
 *     g = lh_gguf_open(m.path, err);
 *     lh_model_identify(m.name, sum, id, err);            "nomic-embed-text:latest@8d3f..."
 *     lh_model_free(&m);
 *
 * An operand with "/", or one that ends in ".gguf" or ".lhm", is a file, or a folder in the form of
 * Hugging Face (folder.h).  Any other is a name,
 * NAME[:TAG] with the tag "latest" by default; one with a user before it, or a host and a
 * user, is written with "ollama:" before it: "ollama:hf.co/user/model:Q8_0".  Names are looked
 * up in the folder $OLLAMA_MODELS, or ~/.ollama/models:
 *
 *     manifests/HOST/USER/NAME/TAG    JSON: the digest sha256:HEX of the layer whose mediaType
 *                                     ends in "image.model"; HOST is registry.ollama.ai and
 *                                     USER is library by default
 *     blobs/sha256-HEX                the file
 *
 * No name and no digest leads out of the folder: the parts of a name are of letters, digits,
 * ".", "_" and "-" (and ":" in a host) and do not begin with ".", a digest has 64 digits.
 *
 * The identity of a model is its name (that of the file without ".gguf", or NAME:TAG), "@" and
 * 16 hex digits: XXH3-64 of the file's bytes.  It detects another file, not one that a user
 * forged to have the same checksum.  Two identities with the same checksum are one model.
 *
 * Owner:   strings belong to the struct; free it also after a failure.
 * Errors:  LH_EIO: there is none, or it cannot be read; LH_EUSAGE: an operand that is not a name;
 *          LH_ECORRUPT: a manifest that is wrong.  Each message names the operand or the file.
 * Threads: one thread per struct.
 */

#define LH_MODEL_ID 256		/* bytes of an identity, with its NUL */

struct lh_model {
	char *path;		/* the file */
	char *manifest;		/* the file that leads to it, or the weights of a folder; NULL:
				 * none */
	char *operand;		/* how an index names it: an absolute path, or NAME:TAG */
	char *name;
	struct lh_stamp of_path, of_manifest;
};

/* Return the path of a model of that name, NAME.gguf or a folder NAME, to be freed; NULL if none of
 * these has it: the folder LH_MODELS; lakehouse/models in XDG_DATA_HOME, ~/.local/share,
 * /usr/local/share and /usr/share.  lh_model_find looks there before Ollama's folder. */
char *lh_model_installed(const char *name);

int lh_model_find(struct lh_model *m, const char *operand, struct lh_err *err);
void lh_model_free(struct lh_model *m);
/* Return whether the operand leads to another file since, or the file has changed. */
bool lh_model_stale(const struct lh_model *m);

/* Write the identity of a model of a name, whose file has that checksum (lh_xxh3). */
int lh_model_identify(const char *name, uint64_t sum, char id[LH_MODEL_ID], struct lh_err *err);
/* Return where the compiled form of a model is kept, to be freed: place 0 is next to its file
 * (NULL for one of Ollama's, in whose folder nothing is put), place 1 the user's cache folder
 * ($XDG_CACHE_HOME or ~/.cache)/lakehouse-tools (NULL if there is none); NULL with *err only
 * without memory or if the model is gone. */
char *lh_model_compiled(const struct lh_model *m, bool fast, unsigned place, struct lh_err *err);

/* Return whether two identities are of the same file. */
bool lh_model_same(struct lh_str a, struct lh_str b);

/* ---- converting ---- */

/* The types that a file can be converted to, in the order of the names "f16|q8_0|f32". */
enum lh_model_type { LH_MODEL_F16, LH_MODEL_Q8_0, LH_MODEL_F32 };

/* Write the file that llama.cpp's converter makes of a folder: its keys, names and types.  The
 * folder was opened before, and is a model.  A file that is there is replaced if `replaces`.
 * LH_EUSAGE: there is one; LH_ECORRUPT: a weight is too large for the type. */
int lh_model_convert(const char *folder, const char *path, enum lh_model_type type, bool replaces,
		     struct lh_err *err);

/* ---- opening ---- */

/*
 *     struct lh_loaded l = { .file = NULL };
 *     struct lh_err unused;
 *     if (lh_loaded_open(&l, "nomic-embed-text", &how, &unused, err) < 0) ...
 *     lh_tokenizer_run(l.tokenizer, ...), lh_encoder_work_new(l.encoder)
 *     lh_loaded_close(&l);
 *
 * Operands are those of model_file.h; one that ends in ".lhm" is used as it is, without its model.
 *
 * Owner:   lh_loaded_close frees everything, also after a failure.
 * Errors:  those of model_file.h, gguf.h, tokenizer.h and encoder.h.
 */

struct lh_loaded {			/* zeroed before it is opened */
	struct lh_model found;
	struct lh_gguf *file;		/* NULL: its compiled form is used */
	struct lh_compiled *compiled;	/* NULL: the file is used */
	struct lh_compiled_source source;	/* its name is set, too */
	struct lh_tokenizer *tokenizer;
	struct lh_encoder *encoder;
};

/* Open a model.  *unused says why a compiled form that is there is not used; its code is LH_OK if
 * there is none. */
int lh_loaded_open(struct lh_loaded *l, const char *operand, const struct lh_encoder_how *how,
		   struct lh_err *unused, struct lh_err *err);
/* Open a model to be compiled, from its own file: for pairs if it is a cross-encoder. */
int lh_loaded_source(struct lh_loaded *l, const char *operand, const struct lh_encoder_how *how,
		     struct lh_err *err);
void lh_loaded_close(struct lh_loaded *l);

#endif
