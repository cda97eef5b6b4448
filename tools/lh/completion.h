/* completion.h - the tables of the tools, in the words of each shell. */
#ifndef COMPLETION_H
#define COMPLETION_H

#include "described.h"

/* Append the tables that a script of share/completion has in the place of @TABLES@. */
void bash_tables(const struct described *all, size_t n, struct lh_buf *out);
void zsh_tables(const struct described *all, size_t n, struct lh_buf *out);
void fish_tables(const struct described *all, size_t n, struct lh_buf *out);

/* Append the names for "lh NAME", as the list @TOOLS@ has them. */
void bash_tools(const struct described *all, size_t n, struct lh_buf *out);
void zsh_tools(const struct described *all, size_t n, struct lh_buf *out);

/* The pages that are not of a tool, as "lh help" takes their names. */
#define N_PAGES 9
extern const struct page {
	const char *name, *about;
} pages[N_PAGES];

/* Append them, as the place @PAGES@ has them. */
void bash_pages(const struct described *all, size_t n, struct lh_buf *out);
void zsh_pages(const struct described *all, size_t n, struct lh_buf *out);

/* Append a text within '...', with each quote written as told. */
void put_quoted(struct lh_buf *out, struct lh_str s, const char *quote);

static inline void put(struct lh_buf *out, struct lh_str s)
{
	lh_buf_add(out, s.p, s.n);
}

/* Append the names of the commands of an option, separated by commas: . for the one without
 * a name, - for none. */
void put_commands_of(struct lh_buf *out, const struct option *o);

/* Append the texts, with one between each two. */
void put_joined(struct lh_buf *out, const struct lh_str *s, size_t n, const char *between);

static inline bool is(struct lh_str s, const char *text)
{
	return lh_str_is(s, text, strlen(text));
}

/* The name without "lh-", for "lh NAME". */
static inline struct lh_str short_name(const struct described *d)
{
	return d->tool.n > 3 ? (struct lh_str){ d->tool.p + 3, d->tool.n - 3 } : d->tool;
}

/* The operands of a tool without commands are those of a command without a name. */
struct command nameless(const struct described *d);

#endif
