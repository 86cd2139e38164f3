/* base/mutation.c - test builds only: which guards are left out; see macro.h.
 *
 * Read before main(), as some processes can't open files any more once they are confined.
 */
#include <fcntl.h>
#include <limits.h>

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

__attribute__((constructor)) static void read_names(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof("mutation"));
	if (n <= 0)
		return;
	path[n] = '\0';
	char *slash = strrchr(path, '/');
	memcpy(slash + 1, "mutation", sizeof("mutation"));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, names, sizeof(names) - 1);
	close(fd);
	names[n > 0 ? n : 0] = '\0';
	names[strcspn(names, "\n")] = '\0';
}
#else
typedef int mutation_unused; /* ISO C wants a declaration in every file */
#endif
