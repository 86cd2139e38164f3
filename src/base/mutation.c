/* base/mutation.c - test builds only: which guard is left out; see macro.h.
 *
 * Read before main(), as some processes can't open files any more once they are confined.
 */
#include <fcntl.h>
#include <limits.h>

#include "base/macro.h"

#ifdef BAWN_MUTATIONS
char mutation_name[64];

__attribute__((constructor)) static void read_name(void)
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
	n = read(fd, mutation_name, sizeof(mutation_name) - 1);
	close(fd);
	mutation_name[n > 0 ? n : 0] = '\0';
	mutation_name[strcspn(mutation_name, "\n")] = '\0';
}
#else
typedef int mutation_unused; /* ISO C wants a declaration in every file */
#endif
