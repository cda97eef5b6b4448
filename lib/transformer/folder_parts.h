/*
 * folder_parts - what the two files that read a folder have in common: folder.c, and
 * folder_words.c for its vocabulary.
 */
#ifndef LH_FOLDER_PARTS_H
#define LH_FOLDER_PARTS_H

#include "folder.h"
#include "json/json.h"

#define LH_FOLDER_JSON_MAX (256u << 20)	/* bytes of a file */
#define LH_FOLDER_TOKENS_MAX (1u << 24)

enum { U32 = 4, I32 = 5, F32 = 6, BOOL = 7, STRING = 8, ARRAY = 9 };	/* types of keys */

struct lh_folder_reader {
	struct lh_folder *f;
	struct lh_err *err;
	struct lh_buf text;		/* of the file that is read */
	struct lh_record json;
	struct lh_value v;		/* the file, an object or an array */
	char file[64];			/* its name */
	uint64_t keys;
	uint64_t max_length;		/* 0: none is said */
	bool lower;			/* sentence_bert_config.json asks for lower case */
};

struct lh_folder_sizes {
	uint64_t width, layers, heads, feed_forward, positions, types, pad, vocabulary;
	double epsilon;
	bool roberta;
};

/* Append a number, or the length of a text and its bytes. */
void lh_folder_put_u32(struct lh_buf *b, uint32_t v);
void lh_folder_put_u64(struct lh_buf *b, uint64_t v);
void lh_folder_put_str(struct lh_buf *b, struct lh_str s);

/* Append a key, the elements of an array excepted: they follow. */
void lh_folder_u32(struct lh_folder_reader *r, const char *name, uint64_t v);
void lh_folder_bool(struct lh_folder_reader *r, const char *name, bool v);
void lh_folder_str(struct lh_folder_reader *r, const char *name, struct lh_str v);
struct lh_buf *lh_folder_array(struct lh_folder_reader *r, const char *name, uint32_t type,
			       uint64_t n);

/* Report what is wrong in the file that is read; returns -1. */
int lh_folder_wrong(const struct lh_folder_reader *r, const char *what);

/* Read a file of the folder into r->text: 1, 0 if there is none, or -1; of JSON its value is
 * then in r->v. */
int lh_folder_text(struct lh_folder_reader *r, const char *name, size_t most);
int lh_folder_json(struct lh_folder_reader *r, const char *name);

/* Find a member that is of a type; whether it is true, and otherwise if it is not there. */
bool lh_folder_member(const struct lh_value *of, const char *name, enum lh_type type,
		   struct lh_value *to);
bool lh_folder_true(const struct lh_value *of, const char *name, bool otherwise);

/* Check that a member, if it is there, is a text. */
int lh_folder_check(struct lh_folder_reader *r, const char *name, const char *text);

/* Append the keys of the vocabulary. */
int lh_folder_vocabulary(struct lh_folder_reader *r, const struct lh_folder_sizes *s);

#endif
