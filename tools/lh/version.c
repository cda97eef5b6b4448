/* version.c - print the version, and with --json what it was made of and runs with.  See lh.h. */
#include "lh.h"

#include <openssl/opensslv.h>

#include "base/cpu.h"
#include "json/write.h"
#include "libraries.h"
#include "transformer/encoder.h"
#include <lh/distance.h>

static void put_library(struct lh_writer *w, const char *name, const char *compiled,
			const char *loaded)
{
	lh_write_object(w, NULL);
	lh_write_text(w, "name", name);
	lh_write_text(w, "compiled", compiled);
	lh_write_text(w, "loaded", loaded);
	lh_write_end(w);
}

int version_command(struct lh_tool *t, void *settings)
{
	static const char *const distances[] = {
		[LH_PORTABLE] = "portable", [LH_AVX2] = "avx2", [LH_AVX512] = "avx512",
	};
	const struct lh_kernel_names names = lh_kernel_names();
	const struct settings *s = settings;
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	char loaded[LIBRARY_VERSION];
	const struct library *l;

	if (!s->json) {
		lh_buf_puts(&line, "lakehouse-tools " LH_VERSION);
		return lh_tool_out_line(t, &line);
	}
	lh_write_object(&w, NULL);
	lh_write_text(&w, "version", LH_VERSION);
	lh_write_text(&w, "compiler", __VERSION__);
	lh_write_text(&w, "flags", LH_FLAGS);
	/* Write the instructions that this processor makes the tools use. */
	lh_write_object(&w, "kernels");
	lh_write_text(&w, "text", lh_cpu() == LH_CPU_AVX2 ? "avx2" : "portable");
	lh_write_text(&w, "distances", distances[lh_vec_isa()]);
	lh_write_text(&w, "models", names.models);
	lh_write_text(&w, "products", names.exact);
	lh_write_text(&w, "fast_products", names.fast);
	lh_write_end(&w);
	/* Write each library with the version of its headers and that which is loaded: null
	 * where one is not known, or the library not there. */
	lh_write_array(&w, "libraries");
	for (l = libraries; l->name; l++) {
		library_loaded(l->file, l->function, loaded);
		put_library(&w, l->name, l->compiled, *loaded ? loaded : NULL);
	}
	put_library(&w, "libcrypto", OPENSSL_VERSION_STR, OPENSSL_VERSION_STR);
	library_loaded(library_duckdb(), "duckdb_library_version", loaded);
	put_library(&w, "duckdb", NULL, *loaded ? loaded : NULL);
	lh_write_end(&w);
	lh_write_end(&w);
	return lh_tool_out_line(t, &line);
}
