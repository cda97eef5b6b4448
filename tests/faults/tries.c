/* tries.c - preloaded into every filter of lh-serve: before its first instruction it tries what it
 * has no need of, and appends a line with the errno of each try (0: it was let) to TMPDIR/tried.
 *
 *     TRY_FILE    a file outside, which is read, and whose folder gets another
 *     TRY_PORT    a port on loopback that listens
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int starts(const char *path)
{
	int failed[2], why = 0;
	pid_t pid;

	if (pipe2(failed, O_CLOEXEC) < 0)
		return errno;
	pid = fork();
	if (!pid) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execve(path, (char *[]){ "true", NULL }, (char *[]){ NULL });
		why = errno;
		_exit(write(failed[1], &why, sizeof why) != sizeof why);
	}
	close(failed[1]);
	if (read(failed[0], &why, sizeof why) < 0)
		why = errno;
	close(failed[0]);
	waitpid(pid, NULL, 0);
	return why;
}

/* Start a program that was made: no folder has it. */
static int starts_made(const char *self)
{
	char text[4096], path[64];
	int from = open(self, O_RDONLY | O_CLOEXEC), to = memfd_create("made", MFD_CLOEXEC);
	ssize_t n;

	if (from < 0 || to < 0)
		return errno;
	while ((n = read(from, text, sizeof text)) > 0)
		if (write(to, text, (size_t)n) != n)
			return errno;
	snprintf(path, sizeof path, "/proc/self/fd/%d", to);
	return starts(path);
}

static int connects(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), why;

	if (fd < 0)
		return errno;
	why = connect(fd, (struct sockaddr *)&to, sizeof to) < 0 ? errno : 0;
	close(fd);
	return why;
}

/* Make a link in a folder that may be written. */
static int links(const char *file, const char *folder)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/link.%d", folder, (int)getpid());
	return symlink(file, path) < 0 ? errno : 0;
}

static int calls(long n)
{
	return syscall(n, 1, 0, 0, 0, 0, 0) < 0 ? errno : 0;
}

__attribute__((constructor)) static void try_all(void)
{
	const char *file = getenv("TRY_FILE"), *port = getenv("TRY_PORT"), *tmp = getenv("TMPDIR");
	const char *name = program_invocation_short_name;
	char self[4096] = "", beside[4096], line[512];
	int fd, n;

	if (!file || !port || strncmp(name, "lh-", 3) != 0 || !strcmp(name, "lh-serve"))
		return;
	if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
		return;
	snprintf(beside, sizeof beside, "%s.made", file);
	n = snprintf(line, sizeof line, "%s read %d write %d make %d start %d made %d connect %d "
		     "signal %d io_uring %d link %d\n", name, opens(file, O_RDONLY),
		     opens(file, O_WRONLY | O_APPEND), opens(beside, O_WRONLY | O_CREAT),
		     starts("/bin/true"), starts_made(self), connects(atoi(port)),
		     kill(getppid(), 0) < 0 ? errno : 0, calls(SYS_io_uring_setup),
		     links(file, tmp ? tmp : "/tmp"));
	snprintf(beside, sizeof beside, "%s/tried", tmp ? tmp : "/tmp");
	fd = open(beside, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd >= 0 && write(fd, line, (size_t)n) == n)
		close(fd);
}
