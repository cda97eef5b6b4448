/* acceptance_none.c - until the invariants are there.  Their definitions win over these. */
#include "acceptance.h"

__attribute__((weak)) const struct acceptance_source acceptance_fixture[] = { { LH_STEM_NONE, NULL } };

__attribute__((weak)) int acceptance_check(struct acceptance *a, struct lh_err *err)
{
	(void)a;
	return lh_err_set(err, LH_EUSAGE, "acceptance is not built yet");
}
