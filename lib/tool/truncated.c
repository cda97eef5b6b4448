/*
 * truncated.c - end with one line and status 2, not by SIGBUS, when a mapped file has become
 * shorter than it was, or its disk fails.
 *
 * The handler finds the name of the file in /proc/self/maps, and calls nothing but what a signal
 * handler may.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/signal.h"
#include "frame.h"

static const char *tool;
static char line[PATH_MAX + 128];	/* of the maps: "FROM-TO r--s OFFSET DEVICE INODE   PATH" */

/* Read a hexadecimal number, and go past it and what ends it. */
static uintptr_t number(const char **p)
{
	uintptr_t n = 0;

	for (; **p && **p != '-' && **p != ' '; (*p)++)
		n = n * 16 + (uintptr_t)(**p <= '9' ? **p - '0' : **p - 'a' + 10);
	*p += **p != '\0';
	return n;
}

/* Return the path of the line's mapping if that has the address and is of a file, or NULL. */
static const char *path_in_line(uintptr_t address)
{
	const char *p = line;
	uintptr_t from = number(&p), to = number(&p);

	return address >= from && address < to ? strchr(line, '/') : NULL;
}

static const char *path_at(uintptr_t address)
{
	static char block[4096];
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	const char *path = NULL;
	size_t n = 0;
	ssize_t got;

	while (!path && fd >= 0 && (got = read(fd, block, sizeof block)) > 0)
		for (ssize_t i = 0; i < got && !path; i++) {
			if (block[i] != '\n') {
				line[n] = block[i];
				n += n < sizeof line - 1;
				continue;
			}
			line[n] = '\0';
			path = path_in_line(address);
			n = 0;
		}
	return path;
}

static void on_bus(int sig, siginfo_t *info, void *context)
{
	static const char text[] = ": truncated while it was read, or its disk has failed\n";
	static atomic_flag once = ATOMIC_FLAG_INIT;
	static char message[sizeof line + 512];
	const char *path;
	size_t n;

	(void)context;
	if (atomic_flag_test_and_set(&once))
		for (;;)
			pause();	/* another thread ends the process */
	path = info->si_code == BUS_ADRERR ? path_at((uintptr_t)info->si_addr) : NULL;
	if (!path)
		lh_signal_die(sig);
	/* Write "tool: PATH: text" with one write(2), the control bytes of the path as "?". */
	n = strnlen(tool, 64);
	memcpy(message, tool, n);
	message[n++] = ':';
	message[n++] = ' ';
	for (; *path; path++)
		message[n++] = (unsigned char)*path < ' ' || *path == 0x7f ? '?' : *path;
	memcpy(message + n, text, sizeof text);
	if (write(STDERR_FILENO, message, n + sizeof text - 1) < 0) {
		/* stderr cannot be written */
	}
	lh_signal_unlink();
	_exit(2);
}

void lh_truncated_install(const char *name)
{
	struct sigaction sa = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO };

	tool = name;
	sigfillset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, NULL);
}
