/* token_list.c - a list of tokens.  See tokenizer.h and tokenizer_parts.h. */
#include <stdlib.h>

#include "tokenizer_parts.h"
#include "base/mem.h"

int lh_tokens_push(struct lh_token_list *to, uint32_t id, struct lh_err *err)
{
	if (to->n == to->cap && lh_grow(&to->id, &to->cap, to->n + 1, sizeof *to->id, err) < 0)
		return -1;
	to->id[to->n++] = id;
	return 0;
}

void lh_token_list_free(struct lh_token_list *t)
{
	free(t->id);
	*t = (struct lh_token_list){ 0 };
}
