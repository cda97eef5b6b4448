/*
 * banned - calls that are compile errors in lib/ and tools/: they do not
 * know how large their target is, hide that a number is none, keep state that
 * threads share, or start a shell.  Included before every file by the Makefile;
 * not installed.
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
