/*
 * shell_coproc - the other kind of co-process: what somebody typed.
 * coproc.h says how it differs.
 *
 * Private to liblh.
 */
#ifndef LH_SHELL_COPROC_H
#define LH_SHELL_COPROC_H

#include "coproc.h"

/* lh_coproc_ask of a command. */
int lh_shell_coproc_ask(struct lh_coproc *c, const char *line, size_t n, double seconds, struct lh_str *reply, struct lh_err *err);

/* Kill what runs of it, and collect it: c->status. */
void lh_shell_coproc_end(struct lh_coproc *c);

#endif
