/* fuzz_s3_xml - whatever a server of S3 sends: reading it is an error or gives a document
 * within its limits, and a document that is read twice is the same. */
#include "fuzz.h"

#include "../../lib/store/s3_xml.h"

/* Each key and ETag lies in the text, and ends there with NUL. */
static void check(const struct s3_document *d)
{
	size_t i;

	never(d->truncated && !d->token[0]);
	for (i = 0; i < d->n; i++) {
		const struct s3_entry *e = &d->v[i];

		never(e->key + e->n_key >= d->text.len || d->text.p[e->key + e->n_key]);
		never(e->etag >= d->text.len ||
		      !memchr(d->text.p + e->etag, '\0', d->text.len - e->etag));
		never(e->size > 999999999999999999);
	}
}

static uint64_t sum(const struct s3_document *d)
{
	uint64_t s = d->n + d->truncated;
	size_t i;

	for (i = 0; i < d->text.len; i++)
		s = s * 31 + (unsigned char)d->text.p[i];
	for (i = 0; d->token[i]; i++)
		s = s * 31 + (unsigned char)d->token[i];
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char other[] = "<Error><Code>SlowDown</Code></Error>";
	struct s3_document d = { .truncated = false };
	struct lh_err err;
	char *copy = malloc(n ? n : 1);
	uint64_t first;

	must(copy);
	if (n)
		memcpy(copy, data, n);
	if (lh_s3_document_read(&d, copy, n, &err) == 0) {
		check(&d);
		first = sum(&d);
		/* what was read before leaves nothing */
		never(lh_s3_document_read(&d, other, sizeof other - 1, &err) < 0 || d.n ||
		      strcmp(d.code, "SlowDown") != 0);
		never(lh_s3_document_read(&d, copy, n, &err) < 0 || sum(&d) != first);
	} else if (err.code != LH_ENET && err.code != LH_ENOMEM) {
		abort();
	}
	lh_s3_document_free(&d);
	free(copy);
	return 0;
}
