/* html.c - self-contained HTML pages.  See escape.h. */

#include "text/escape.h"

static const char frame[] =
	":root{color-scheme:light dark;"
	"--bg:#fff;--fg:#1d2125;--dim:#59636e;--line:#d8dee4;--panel:#f6f8fa;"
	"--good:#1a7f37;--good-bg:#eaf6ec;--bad:#b42318;--bad-bg:#fdeeed;"
	"--warn:#8a5700;--warn-bg:#fff6e0;--mark:#0b5cad}\n"
	"@media(prefers-color-scheme:dark){:root{"
	"--bg:#14171a;--fg:#e4e7ea;--dim:#9aa5b1;--line:#343b42;--panel:#1d2227;"
	"--good:#5fd17c;--good-bg:#15291b;--bad:#ff8a80;--bad-bg:#331a19;"
	"--warn:#e9b454;--warn-bg:#2f2612;--mark:#76b5ff}}\n"
	"*{box-sizing:border-box}\n"
	"body{font:16px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);"
	"max-width:64rem;margin:2rem auto;padding:0 1rem}\n"
	"h1{font-size:1.6rem;line-height:1.25;margin:0}h2{font-size:1.2rem;margin:2.2rem 0 .6rem}\n"
	".note{color:var(--dim);margin:.2rem 0}\n"
	".verdict{border-left:.4rem solid;border-radius:.25rem;padding:.8rem 1rem;"
	"margin:1.5rem 0}\n"
	".good{border-color:var(--good);background:var(--good-bg)}"
	".bad{border-color:var(--bad);background:var(--bad-bg)}"
	".warn{border-color:var(--warn);background:var(--warn-bg)}\n"
	"table{border-collapse:collapse;width:100%}\n"
	"th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;"
	"border-bottom:1px solid var(--line);overflow-wrap:anywhere}\n"
	"th{background:var(--panel)}\n"
	"dt{font-weight:600}dd{margin:0 0 .5rem}\n"
	"code{font-size:.85rem;overflow-wrap:anywhere}\n"
	"@media print{body{margin:0;max-width:none}tr,.card{break-inside:avoid}}\n";

void lh_html_open(struct lh_buf *b, const char *title, const char *style)
{
	lh_buf_puts(b, LH_HTML_BEGIN
		       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		       "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
	lh_html_text(b, title, strlen(title));
	lh_buf_puts(b, "</title>\n<style>\n");
	lh_buf_puts(b, frame);
	lh_buf_puts(b, style);
	lh_buf_puts(b, "</style>\n</head>\n<body>\n");
}

void lh_html_close(struct lh_buf *b)
{
	lh_buf_puts(b, "</body>\n</html>\n");
}

void lh_html_text(struct lh_buf *b, const char *p, size_t n)
{
	size_t i, len;

	for (i = 0; i < n; i += len ? len : 1) {
		len = lh_escape_char_len(p + i, n - i);
		if (p[i] == '<')
			lh_buf_puts(b, "&lt;");
		else if (p[i] == '>')
			lh_buf_puts(b, "&gt;");
		else if (p[i] == '&')
			lh_buf_puts(b, "&amp;");
		else if (p[i] == '"')
			lh_buf_puts(b, "&quot;");
		else if (!len)
			lh_buf_printf(b, "\\x%02x", (unsigned char)p[i]);
		else
			lh_buf_add(b, p + i, len);
	}
}

void lh_html_data(struct lh_buf *b, const char *p, size_t n)
{
	lh_buf_puts(b, "<bdi>");
	lh_html_text(b, p, n);
	lh_buf_puts(b, "</bdi>");
}
