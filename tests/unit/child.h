/* child.h - what tests do in processes of their own, where cmocka's assertions would go on in the
 * wrong one.
 */
#ifndef BAWN_TESTS_CHILD_H
#define BAWN_TESTS_CHILD_H

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>

#include "base/fd.h"

#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			fprintf(stderr, "line %d: %s (errno %s)\n", __LINE__, #x,                  \
				strerror(errno));                                                  \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* Exit code of a child that can't have namespaces: the test is skipped. */
#define NO_NAMESPACES 77

static inline void child_write(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
}

/* A user namespace of our own, in which we are user and group id, and what else flags ask for. */
static inline void own_namespaces(int flags, unsigned int id)
{
	char map[64];
	unsigned int uid = getuid(), gid = getgid();
	if (unshare(CLONE_NEWUSER | flags) < 0) {
		perror("unshare");
		_exit(NO_NAMESPACES);
	}
	child_write("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "%u %u 1", id, uid);
	child_write("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "%u %u 1", id, gid);
	child_write("/proc/self/gid_map", map);
}

#endif
