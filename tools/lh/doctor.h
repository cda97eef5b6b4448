/*
 * doctor - what lh doctor checks.  Each group of checks adds its findings; nothing is
 * written to any file, and no finding has a key in it.
 */
#ifndef LH_DOCTOR_H
#define LH_DOCTOR_H

#include "tool/tool.h"

enum doctor_state { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_PROBLEM, DOCTOR_ABSENT };

/* A check, of which thing, and what is so. */
struct finding {
	enum doctor_state state;
	const char *check;
	char *subject, *detail;
};

/* What was found; rc is -1 after a failure. */
struct doctor {
	struct finding *v;
	size_t n, cap;
	int rc;
	bool deep;		/* check every byte of indexes */
	struct lh_err *err;
};

/* Add a finding: what kind of check, of which thing, and what is so.  A failure for lack of
 * memory is reported at the end. */
void doctor_add(struct doctor *d, enum doctor_state state, const char *check, const char *subject,
		const char *detail, ...) LH_PRINTF(5, 6);

/* The tools next to this one and their versions, the libraries, the processor's instructions. */
void doctor_install(struct doctor *d);

/* The models of Ollama's folder, the services that the environment or urls name. */
void doctor_models(struct doctor *d);
void doctor_services(struct doctor *d, const struct lh_list *urls);

/* The files of keys that the environment names, the caches, and temporary folders. */
void doctor_user(struct doctor *d);

/* Keys, audit logs, indexes, locks and leftovers in a folder and below it. */
void doctor_folder(struct doctor *d, const char *folder);

/* Add a finding if path, a file with keys, may be read by others or is another user's.
 * Returns whether it may be relied on. */
bool doctor_key_file(struct doctor *d, const char *path);

/* Write how long ago the time was, "5 min", "3 h", "2 days". */
#define DOCTOR_AGE 32
void doctor_age(time_t since, char to[DOCTOR_AGE]);

/* Append the size and number of files below a folder: "3 files, 1.2 MB". */
void doctor_size(const char *folder, char *to, size_t n);

#endif
