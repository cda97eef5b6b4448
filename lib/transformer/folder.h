/*
 * folder - a model in the form of Hugging Face: a folder that is read as the GGUF file which it
 * would become.
 *
 *     struct lh_folder f = { .path = "all-MiniLM-L6-v2" };
 *     if (lh_folder_read(&f, err) < 0) ...
 *             f.head          the header of a GGUF file: its keys and its tensors
 *             f.tensor[i]     where the data of tensor i are in the mapped weights
 *     lh_folder_free(&f);
 *
 * Files: config.json (architectures BertModel and XLMRobertaModel); model.safetensors, of the
 *        types F32, F16 and BF16; tokenizer.json, or vocab.txt; and if they are there
 *        modules.json, 1_Pooling/config.json, sentence_bert_config.json,
 *        config_sentence_transformers.json, tokenizer_config.json and README.md (the licence).
 * Keys and names of tensors are those that llama.cpp's converter writes.  In addition:
 *
 *     lakehouse.max_length           tokens that a text may have, if the positions are more
 *     lakehouse.prompt.query         the text before queries; before records: .document
 *     lakehouse.gelu_erf             GELU as the model was trained with (llama.cpp: by tanh)
 *     lakehouse.words.lower_case     WordPiece as Hugging Face has it (hf_words.c); with
 *     lakehouse.words.strip_accents  these keys a vocabulary is not llama.cpp's
 *     lakehouse.words.chinese
 *
 * With .converts the header is that of the file which llama.cpp's converter writes: without these
 * additional keys, with matrices of the type .type, and norms, biases and positions in F32.
 *
 * Checked: whatever is in the files, by the readers of JSON, of safetensors and of GGUF.
 * Owner:   lh_folder_free frees all, also after a failure.
 * Errors:  LH_ECORRUPT, LH_EIO, with the file that is wrong or missing.
 */
#ifndef LH_FOLDER_H
#define LH_FOLDER_H

#include "base/buf.h"
#include "file/file.h"
#include "safetensors.h"

struct lh_folder_tensor {
	const unsigned char *data;
	uint32_t from, to;		/* the types that it has, and has in head */
	uint64_t rows, width;		/* width: values of a row */
};

struct lh_folder {
	const char *path;
	bool converts;
	uint32_t type;			/* with converts: LH_GGUF_F32, LH_GGUF_F16, LH_GGUF_Q8_0 */
	struct lh_safetensors weights;
	struct lh_buf head;
	struct lh_buf ours;		/* with converts: the keys that are left out */
	struct lh_folder_tensor *tensor;	/* each in head */
	size_t tensors, cap;
};

int lh_folder_read(struct lh_folder *f, struct lh_err *err);
void lh_folder_free(struct lh_folder *f);

/* The status of a model's file; of a folder the sum of the sizes of its files and the newest of
 * their times.  Returns -1 with errno. */
struct stat;
int lh_folder_stat(const char *path, struct stat *st);

#endif
