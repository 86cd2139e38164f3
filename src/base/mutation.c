/* base/mutation.c - test builds only: which guards are left out, where to crash; see macro.h.
 *
 * Read before main(), as some processes can't open files any more once they are confined.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>

#include "base/macro.h"

#ifdef BAWN_MUTATIONS
static char names[128];

bool mutation_removed(const char *name)
{
	size_t n = strlen(name);
	for (const char *p = names; *p; p += strcspn(p, "+"), p += *p == '+')
		if (strcspn(p, "+") == n && memcmp(p, name, n) == 0)
			return true;
	return false;
}

static long steps; /* until the crash; 0: none is wanted */
static char crashed[PATH_MAX];

void mutation_step(void)
{
	if (!steps || --steps)
		return;
	int fd = open(crashed, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	kill(getpid(), SIGKILL);
	pause();
}

/* The first line of a file beside the executable, or "". */
static void read_beside(const char *name, char *buf, size_t cap)
{
	char path[PATH_MAX];
	buf[0] = '\0';
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);
	if (n <= 0)
		return;
	path[n] = '\0';
	memcpy(strrchr(path, '/') + 1, name, strlen(name) + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, buf, cap - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	snprintf(crashed, sizeof(crashed), "%s", path);
}

__attribute__((constructor)) static void read_names(void)
{
	char n[24];
	read_beside("mutation", names, sizeof(names));
	read_beside("crash", n, sizeof(n));
	steps = strtol(n, NULL, 10);
	if (steps && strlen(crashed) + 3 < sizeof(crashed))
		memcpy(crashed + strlen(crashed), "ed", 3);
}
#else
typedef int mutation_unused; /* ISO C wants a declaration in every file */
#endif
