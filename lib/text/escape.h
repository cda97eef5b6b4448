/*
 * escape - escape text from outside for people.
 *
 * Characters that could move, hide or reverse the text next to them (controls, and
 * invisible characters: direction marks, zero widths, fillers, tags; escape.c has the rule)
 * become \xNN, byte by byte; so do bytes that are not UTF-8.
 *
 * Appends to the buffer, which the caller checks.
 */
#ifndef LH_ESCAPE_H
#define LH_ESCAPE_H

#include "base/buf.h"

/* Append a JSON string with its quotes; a byte that is not UTF-8 becomes U+FFFD. */
void lh_escape_json(struct lh_buf *out, const char *text);

/* Return the length of the character at p, which has at most n bytes; 0 if its
 * first byte is to be escaped. */
size_t lh_escape_char_len(const char *p, size_t n);

/* Append a field of a table whose columns are two spaces apart: blanks that could
 * be taken for a gap are escaped, too. */
void lh_escape_column(struct lh_buf *out, const char *p, size_t n);

/* Append a text as a part of one line: a line feed and a tab are \n and \t. */
void lh_escape_line(struct lh_buf *out, const char *p, size_t n);

/* Append a part of a line of Markdown, in a table or not. */
void lh_escape_markdown(struct lh_buf *out, const char *p, size_t n);

/* Append a text whose %s and %.*s are escaped by one of these functions, or by one of those
 * for HTML below; it has no other conversions but %u and %llu. */
typedef void lh_escape_fn(struct lh_buf *out, const char *p, size_t n);
void lh_escape_printf(struct lh_buf *out, lh_escape_fn *escape, const char *fmt, ...)
	LH_PRINTF(3, 4);

/*
 * html - self-contained HTML pages: one file, no script, nothing loaded.
 *
 *     lh_html_open(&b, "Full audit", ".card{...}");
 *     lh_buf_puts(&b, "<h1>...</h1>");
 *     lh_html_data(&b, name, n);
 *     lh_html_close(&b);
 *
 * The page has a content security policy that forbids everything but its own style,
 * and colours for light and dark as variables, so that the style of a page names no
 * colour: --bg --fg --dim --line --panel, and --good --bad --warn with their
 * backgrounds --good-bg --bad-bg --warn-bg.  A verdict is an element of the class
 * "verdict" and "good", "bad" or "warn".
 */

/* How a page begins, and no page of other programs. */
#define LH_HTML_BEGIN \
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n" \
	"<meta http-equiv=\"Content-Security-Policy\" " \
	"content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"

void lh_html_open(struct lh_buf *b, const char *title, const char *style);
void lh_html_close(struct lh_buf *b);

/* Append text, in an element or the quotes of an attribute; characters that could
 * end either or hide are escaped. */
void lh_html_text(struct lh_buf *b, const char *p, size_t n);

/* The same for text from outside, isolated so that its direction of writing ends
 * with it.  Not for attributes, and not within SVG. */
void lh_html_data(struct lh_buf *b, const char *p, size_t n);

#endif
