/* spawn ROUNDS COMMAND PEER - run two commands in turn (words separated by blanks, with
 * /dev/null as input and output), and print the medians of their milliseconds and of
 * PEER / COMMAND. */
#include <err.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static posix_spawn_file_actions_t nothing;

static double run(char **argv)
{
	struct timespec a, b;
	int status;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &a);
	if (posix_spawnp(&pid, argv[0], &nothing, NULL, argv, environ) ||
	    waitpid(pid, &status, 0) < 0)
		err(2, "%s", argv[0]);
	clock_gettime(CLOCK_MONOTONIC, &b);
	if (status)
		errx(2, "%s: status %d", argv[0], status);
	return (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
}

static void words(char *line, char **argv, size_t max)
{
	size_t n = 0;

	for (char *w = strtok(line, " "); w && n + 1 < max; w = strtok(NULL, " "))
		argv[n++] = w;
	argv[n] = NULL;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof *v, by_size);
	return v[n / 2];
}

int main(int argc, char **argv)
{
	size_t n = argc == 4 ? strtoul(argv[1], NULL, 10) : 0;
	double *ours = calloc(n, sizeof *ours), *peer = calloc(n, sizeof *peer),
	       *ratio = calloc(n, sizeof *ratio);
	char *a[32], *b[32];

	if (!n || !ours || !peer || !ratio)
		errx(2, "usage: spawn ROUNDS COMMAND PEER");
	words(argv[2], a, 32);
	words(argv[3], b, 32);
	posix_spawn_file_actions_init(&nothing);
	posix_spawn_file_actions_addopen(&nothing, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&nothing, 1, "/dev/null", O_WRONLY, 0);
	for (size_t i = 0; i < n; i++) {
		ours[i] = run(a);
		peer[i] = run(b);
		ratio[i] = peer[i] / ours[i];
	}
	printf("%.3f ms\t%.3f ms\t%.2f\n", median(ours, n), median(peer, n), median(ratio, n));
	return 0;
}
