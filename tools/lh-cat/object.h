/* object - an object in S3 as a stream, by lh-store as a child. */
#ifndef OBJECT_H
#define OBJECT_H

#include <stdbool.h>
#include <sys/types.h>

#include <lh/err.h>

struct object {
	pid_t pid;
	int stderr_fd;
};

/* Return whether the operand is "s3://..." . */
bool object_named(const char *operand);

/* Start to read the object: a descriptor of its bytes, or -1. */
int object_open(struct object *o, const char *operand, struct lh_err *err);

/* Wait for the child, whose descriptor was read to its end or closed: -1 if it failed. */
int object_close(struct object *o, struct lh_err *err);

#endif
