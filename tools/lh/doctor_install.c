/* doctor_install.c - lh doctor: the tools, libraries and instructions.  See doctor.h. */
#include <openssl/opensslv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "doctor.h"
#include "libraries.h"
#include "list.h"
#include "proc/run.h"
#include "transformer/encoder.h"
#include <lh/distance.h>

#define SECONDS 60	/* for a tool to print its version */

/* ---- tools ---- */

/* Read what "NAME --version" says after the name.  0, or -1 with *err. */
static int read_version(const char *name, char *to, size_t n, struct lh_err *err)
{
	char *argv[] = { (char *)name, "--version", NULL };
	struct lh_child_how how = { .argv = argv, .seconds = SECONDS, .max = 4096 };
	LH_SCOPED(lh_child_free) struct lh_child_out out;
	int rc = lh_child_run(&how, NULL, 0, &out, err);
	size_t at = strlen(name);

	if (!rc && out.timed_out)
		rc = lh_err_set(err, LH_EIO, "--version does not end");
	else if (!rc && out.status)
		rc = lh_err_set(err, LH_EIO, "%s", *out.last_line ? out.last_line
								  : "--version fails");
	else if (!rc && (out.out.len <= at || memcmp(out.out.p, name, at) || out.out.p[at] != ' '))
		rc = lh_err_set(err, LH_EIO, "--version does not print a version");
	if (!rc)
		snprintf(to, n, "%.*s", (int)strcspn(out.out.p + at + 1, "\n"),
			 out.out.p + at + 1);
	return rc;
}

/* Check a tool; return whether it is as it should be. */
static bool check_tool(struct doctor *d, const char *name)
{
	char version[64];
	struct lh_err err;

	if (read_version(name, version, sizeof version, &err) < 0)
		doctor_add(d, DOCTOR_PROBLEM, "tool", name, "%s", err.msg);
	else if (strcmp(version, LH_VERSION) != 0)
		doctor_add(d, DOCTOR_PROBLEM, "tool", name, "is version %s, and lh is %s", version,
			   LH_VERSION);
	else
		return true;
	return false;
}

/* ---- libraries ---- */

static void add_version(struct doctor *d, const char *name, const char *version)
{
	doctor_add(d, DOCTOR_OK, "library", name, "%s", *version ? version : "of unknown version");
}

/* ---- instructions ---- */

static void kernels(struct doctor *d)
{
	static const char *const distances[] = {
		[LH_PORTABLE] = "portable", [LH_AVX2] = "avx2", [LH_AVX512] = "avx512",
	};
	const char *forced = getenv("LH_KERNEL"), *text = lh_cpu() == LH_CPU_AVX2 ? "avx2"
										  : "portable";
	struct lh_kernel_names names = lh_kernel_names();

	doctor_add(d, DOCTOR_OK, "kernel", "cores", "%u", lh_cpu_cores(256));
	doctor_add(d, DOCTOR_OK, "kernel", "text", "%s", text);
	doctor_add(d, DOCTOR_OK, "kernel", "distances", "%s", distances[lh_vec_isa()]);
	doctor_add(d, DOCTOR_OK, "kernel", "models", "%s, products by %s, with --fast by %s",
		   names.models, names.exact, names.fast);
	if (forced && *forced)
		doctor_add(d, DOCTOR_WARNING, "kernel", "LH_KERNEL",
			   "is \"%s\", which is for tests, and slower", forced);
}

void doctor_install(struct doctor *d)
{
	unsigned good = 0;
	const char *name, *file;
	size_t i;
	char version[LIBRARY_VERSION];
	const struct library *l;

	for (i = 0; (name = list_name(i)); i++)
		good += check_tool(d, name);
	doctor_add(d, DOCTOR_OK, "tools", "lh", "%u of %zu of version %s", good, i, LH_VERSION);
	for (l = libraries; l->name; l++) {
		if (library_loaded(l->file, l->function, version) == 0)
			add_version(d, l->name, version);
		else
			doctor_add(d, DOCTOR_PROBLEM, "library", l->name,
				   "%s is not installed, which is needed for %s", l->file,
				   l->without);
	}
	doctor_add(d, DOCTOR_OK, "library", "libcrypto", "%s, part of each tool",
		   OPENSSL_VERSION_STR);
	file = library_duckdb();
	if (library_loaded(file, "duckdb_library_version", version) == 0)
		add_version(d, "duckdb", version);
	else if (strcmp(file, "libduckdb.so") != 0)
		doctor_add(d, DOCTOR_PROBLEM, "library", "duckdb", "cannot open %s, which "
			   "LH_DUCKDB names", file);
	else
		doctor_add(d, DOCTOR_ABSENT, "library", "duckdb",
			   "not installed; lh-query reads Parquet with it");
	kernels(d);
}
