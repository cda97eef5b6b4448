/* store.c - open the stores that operands name, and print what was done.  See store.h. */
#include "crypto/digest.h"
#include "json/write.h"
#include "store.h"

struct lh_store *store_operand(struct lh_tool *tool, const struct settings *s, size_t i)
{
	struct lh_store_opts opts = s->opts;

	opts.retries = (unsigned)s->retries;
	return lh_store_open(tool->operands[i], &opts, &tool->err);
}

int store_open(struct settings *s)
{
	lh_store_close(s->store);
	s->store = store_operand(s->tool, s, 0);
	return s->store ? 0 : -1;
}

void transfer_write(struct lh_buf *out, const char *key, const struct lh_transfer *done)
{
	struct lh_writer w = lh_write_to(out);
	char hex[LH_SHA256_HEX];

	lh_hex(done->sha256, sizeof done->sha256, hex);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "key", key);
	lh_write_u64(&w, "size", done->size);
	lh_write_str(&w, "sha256", (struct lh_str){ hex, sizeof hex });
	lh_write_text(&w, "etag", done->etag);
	lh_write_end(&w);
}

int store_print_done(struct lh_tool *tool, const char *what, const char *key)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	lh_write_object(&w, NULL);
	lh_write_text(&w, "key", key);
	lh_write_bool(&w, what, true);
	lh_write_end(&w);
	return lh_tool_out_line(tool, &line);
}
