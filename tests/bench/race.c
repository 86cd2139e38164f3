/* tests/bench/race.c - run commands in turn and compare how long each takes.
 *
 * usage: race [-n ROUNDS] [-w WARM-UP ROUNDS] [-e FILE] NAME DIR COMMAND [ARG...] [';' NAME ...]
 *
 * Every round runs each command once, from posix_spawn(3) to the end of the process, and begins
 * with the next command of the list, so that load on the machine and what one command leaves in the
 * caches fall on all alike.  Prints a line for each command: NAME median p95 least, in
 * microseconds, and the median of the quotients to the first command of the same round.  A command
 * that fails ends the race: FILE has its stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_COMMANDS 16

struct command {
	const char *name;
	const char *dir;
	char **argv;
	double *us;
};

extern char **environ;
static struct command commands[MAX_COMMANDS];
static size_t n_commands;
static posix_spawn_file_actions_t stdio;

static void die(const char *what)
{
	fprintf(stderr, "race: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double run_once(const struct command *c)
{
	pid_t pid;
	int status;
	if (chdir(c->dir) < 0)
		die(c->dir);
	double start = now_us();
	errno = posix_spawnp(&pid, c->argv[0], &stdio, NULL, c->argv, environ);
	if (errno)
		die(c->argv[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	double us = now_us() - start;
	if (status) {
		fprintf(stderr, "race: %s failed (wait status %d)\n", c->name, status);
		exit(1);
	}
	return us;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Sorts v. */
static double quantile(double *v, size_t n, double q)
{
	qsort(v, n, sizeof(*v), compare);
	double at = q * (double)(n - 1);
	size_t i = (size_t)at;
	return i + 1 < n ? v[i] + (v[i + 1] - v[i]) * (at - (double)i) : v[i];
}

static void report(size_t n)
{
	double *quotient[MAX_COMMANDS];
	for (size_t c = 0; c < n_commands; c++) {
		quotient[c] = calloc(n, sizeof(double));
		if (!quotient[c])
			die("calloc");
		for (size_t i = 0; i < n; i++)
			quotient[c][i] = commands[c].us[i] / commands[0].us[i];
	}
	for (size_t c = 0; c < n_commands; c++) {
		double *us = commands[c].us;
		double median = quantile(us, n, 0.5);
		printf("%s %.1f %.1f %.1f %.4f\n", commands[c].name, median, quantile(us, n, 0.95),
			us[0], quantile(quotient[c], n, 0.5));
		free(quotient[c]);
	}
}

/* NAME DIR COMMAND [ARG...] up to a lone ";" */
static void read_commands(char **argv, size_t rounds)
{
	while (*argv) {
		if (n_commands == MAX_COMMANDS || !argv[1] || !argv[2]) {
			fprintf(stderr, "race: wants NAME DIR COMMAND, at most %d of them\n",
				MAX_COMMANDS);
			exit(2);
		}
		struct command *c = &commands[n_commands++];
		*c = (struct command){.name = argv[0], .dir = argv[1], .argv = argv + 2};
		c->us = calloc(rounds, sizeof(double));
		if (!c->us)
			die("calloc");
		for (argv += 3; *argv && strcmp(*argv, ";") != 0; argv++)
			;
		if (*argv)
			*argv++ = NULL;
	}
}

int main(int argc, char **argv)
{
	long rounds = 200, warm = 5;
	const char *errors = "/dev/null";
	int opt;
	while ((opt = getopt(argc, argv, "+n:w:e:")) != -1) {
		if (opt == 'n')
			rounds = atol(optarg);
		else if (opt == 'w')
			warm = atol(optarg);
		else if (opt == 'e')
			errors = optarg;
		else
			return 2;
	}
	if (rounds < 1 || warm < 0 || optind == argc) {
		fprintf(stderr,
			"usage: race [-n ROUNDS] [-w ROUNDS] [-e FILE] NAME DIR COMMAND "
			"[ARG...] [';' NAME ...]\n");
		return 2;
	}
	read_commands(argv + optind, (size_t)rounds);
	posix_spawn_file_actions_init(&stdio);
	posix_spawn_file_actions_addopen(&stdio, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&stdio, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(
		&stdio, 2, errors, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);

	for (long i = -warm; i < rounds; i++)
		for (size_t k = 0; k < n_commands; k++) {
			struct command *c = &commands[(k + (size_t)(i + warm)) % n_commands];
			double us = run_once(c);
			if (i >= 0)
				c->us[i] = us;
		}
	report((size_t)rounds);
	return 0;
}
