/*
 * banned - calls that are compile errors in lib/ and tools/: they do not know the
 * size of their target, do not report that a text is not a number, keep state that
 * threads share, or start a shell.  The Makefile includes this header before every
 * file.
 */
#ifndef LH_BANNED_H
#define LH_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#pragma GCC poison strcpy strcat strncpy strncat stpcpy sprintf vsprintf gets
#pragma GCC poison atoi atol atoll atof strtok
#pragma GCC poison asctime ctime gmtime localtime rand srand
#pragma GCC poison tmpnam tempnam mktemp system popen

#endif
