/*
 * aid_compiled - wrong compiled models, whose checksums are right.
 *
 *     aid_compiled set FROM TO FIELD VALUE   FROM with another number in the header, or with
 *                                            PART:INDEX in a table, of 1, 4 or 8 bytes
 *     aid_compiled bytes FILE                use the file with each byte of its header and tables
 *                                            changed; prints how many were refused
 */
#include <math.h>
#include <sys/mman.h>

#include "check.h"
#include "compiled_use.h"

static struct lh_err err;
static unsigned char *bytes;
static size_t n;

#define FIELD(name) { #name, offsetof(struct lh_compiled_header, name), \
		      sizeof ((struct lh_compiled_header *)0)->name }
static const struct {
	const char *name;
	size_t at, bytes;
} fields[] = {
	FIELD(magic), FIELD(version), FIELD(byte_order), FIELD(file_bytes), FIELD(source.name),
	FIELD(encoder.architecture), FIELD(encoder.pooling), FIELD(encoder.layers),
	FIELD(encoder.width), FIELD(encoder.context), FIELD(encoder.heads),
	FIELD(encoder.feed_forward), FIELD(encoder.experts), FIELD(encoder.experts_used),
	FIELD(encoder.labels), FIELD(encoder.kv_heads), FIELD(encoder.head),
	FIELD(encoder.rotated),
	FIELD(encoder.window), FIELD(encoder.dense), FIELD(encoder.has),
	FIELD(encoder.local_base), FIELD(encoder.moe_every), FIELD(encoder.epsilon),
	FIELD(encoder.base), FIELD(encoder.row_type), FIELD(encoder.position_type),
	FIELD(encoder.rows),
	FIELD(tokenizer.first), FIELD(tokenizer.last), FIELD(tokenizer.unknown),
	FIELD(tokenizer.longest), FIELD(tokenizer.unknown_score),
	FIELD(part[0].at), FIELD(part[3].at), FIELD(part[13].at), FIELD(part[0].bytes),
	FIELD(part[1].bytes), FIELD(part[3].bytes), FIELD(part[4].bytes), FIELD(part[10].bytes),
	FIELD(part[11].bytes), FIELD(part[13].bytes), FIELD(tokenizer.kind), FIELD(tokenizer.pre),
};

/* Set *at to the place of a field and return its bytes. */
static size_t place_of(const char *field, size_t *at)
{
	static const size_t unit[LH_PARTS] = { 4, 8, 1, 4, 4, 4, 4, 4, 4, 1, 4, 1, 1, 1 };
	struct lh_compiled_header h;
	char *end;
	unsigned long part = strtoul(field, &end, 10);

	memcpy(&h, bytes, sizeof h);
	if (*end == ':') {
		check_why(part < LH_PARTS, field);
		*at = h.part[part].at + strtoul(end + 1, NULL, 10) * unit[part];
		return unit[part];
	}
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (!strcmp(fields[i].name, field)) {
			*at = fields[i].at;
			return fields[i].bytes;
		}
	check_why(false, field);
	return 0;
}

static void set(const char *field, const char *value)
{
	double real = strtod(value, NULL);
	uint64_t whole = strtoull(value, NULL, 0);
	size_t at, size = place_of(field, &at);

	if (strchr(value, '.') || !isfinite(real))
		memcpy(bytes + at, &real, size);
	else if (size > 8)		/* a text */
		memset(bytes + at, (int)whole, size);
	else
		memcpy(bytes + at, &whole, size);
	compiled_repair(bytes, n);
}

/* Use the file with one byte changed; what was written is taken back. */
static int use_changed(int fd, const char *path, size_t at, unsigned char by)
{
	unsigned char header[sizeof(struct lh_compiled_header)];
	int rc;

	memcpy(header, bytes, sizeof header);
	bytes[at] ^= by;
	compiled_repair(bytes, n);
	check(pwrite(fd, bytes, sizeof header, 0) == sizeof header);
	check(pwrite(fd, bytes + at, 1, (off_t)at) == 1);
	rc = compiled_use(path, &err);
	bytes[at] ^= by;
	memcpy(bytes, header, sizeof header);
	check(pwrite(fd, bytes, sizeof header, 0) == sizeof header);
	check(pwrite(fd, bytes + at, 1, (off_t)at) == 1);
	return rc;
}

static void change_each(void)
{
	static const unsigned char by[] = { 0x01, 0x80, 0xff, 0x7f };
	int fd = memfd_create("changed", 0);
	size_t refused = 0, used = 0, end;
	struct lh_compiled_header h;
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	check(fd >= 0 && pwrite(fd, bytes, n, 0) == (ssize_t)n);
	memcpy(&h, bytes, sizeof h);
	for (size_t part = 0; part <= LH_TABLES; part++) {
		size_t i = part ? h.part[part - 1].at : 0;

		end = part ? i + h.part[part - 1].bytes : sizeof h;
		for (; i < end; i++)
			use_changed(fd, path, i, by[i % sizeof by]) < 0 ? refused++ : used++;
	}
	close(fd);
	printf("%zu refused, %zu used\n", refused, used);
}

int main(int argc, char **argv)
{
	check_why(argc > 2, "aid_compiled set FROM TO FIELD VALUE | bytes FILE");
	bytes = check_read(argv[2], &n);
	check(compiled_use(argv[2], &err) == 0);
	if (argc == 6 && !strcmp(argv[1], "set")) {
		set(argv[4], argv[5]);
		check_write(argv[3], bytes, n);
	} else {
		change_each();
	}
	free(bytes);
	return 0;
}
