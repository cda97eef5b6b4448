/* token_list.c - a list of tokens.  See tokenizer.h and tokenizer_parts.h. */
#include <stdlib.h>

#include "tokenizer_parts.h"
#include "base/mem.h"

void lh_tokens_push(struct lh_token_list *to, uint32_t id)
{
	lh_grow(&to->id, &to->cap, to->n + 1, sizeof *to->id);
	to->id[to->n++] = id;
}

void lh_token_list_free(struct lh_token_list *t)
{
	free(t->id);
	*t = (struct lh_token_list){ 0 };
}
