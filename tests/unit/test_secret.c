/*
 * Secrets: the properties of their memory.
 */
#include "crypto/secret.h"

#include <sys/prctl.h>
#include <sys/stat.h>

#include "check.h"

/* Read the line VmFlags of the mapping that holds p. */
static bool has_flag(const void *p, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long lo = 0, hi = 0, at = (unsigned long)p, a, b;
	char line[500], word[8];
	bool has = false;

	check(f != NULL);
	snprintf(word, sizeof word, " %s ", flag);
	while (fgets(line, sizeof line, f)) {
		if (sscanf(line, "%lx-%lx ", &a, &b) == 2)
			lo = a, hi = b;
		if (at >= lo && at < hi && !strncmp(line, "VmFlags:", 8))
			has = strstr(line, word) != NULL;
	}
	fclose(f);
	return has;
}

static void stays_out_of_cores(void)
{
	struct lh_secret s;
	bool readable;

	lh_secret_alloc(&s, 5000);
	check(s.n == 5000);
	check(prctl(PR_GET_DUMPABLE) == 0);
	/* /proc of an undumpable process is root's */
	readable = access("/proc/self/smaps", R_OK) == 0;
	check(!readable || has_flag(s.p, "dd"));
	lh_secret_wipe(&s);
}

int main(void)
{
	test(stays_out_of_cores());
	return 0;
}
