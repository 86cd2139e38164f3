/* run/learn-who.c - see learn-who.h
 *
 * The table of connections of the sandbox's network gives the socket's inode, and some process has
 * a descriptor of that.  Every step is bounded: processes inside can have as many descriptors as
 * they like.  What is found is for a comment; nothing is decided by it.
 */
#include "run/learn-who.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/macro.h"

enum { LINES_MAX = 65536, PROCESSES_MAX = 65536, FDS_MAX = 65536 };

/* The inode of the socket, or 0. */
static uint64_t find_inode(pid_t init, const char *table, uint16_t port, uint16_t client)
{
	char path[64], line[512];
	uint64_t inode = 0;
	snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)init, table);
	FILE *f = fopen(path, "re");
	for (unsigned int n = 0; f && !inode && n < LINES_MAX && fgets(line, sizeof(line), f);
		n++) {
		unsigned int from, to;
		uint64_t found;
		/* sl local:port remote:port st tx:rx tr:tm retrnsmt uid timeout inode */
		if (sscanf(line,
			    " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%x %*x %*x:%*x %*x:%*x %*x "
			    "%*u %*u %" SCNu64,
			    &from, &to, &found) == 3 &&
			from == client && to == port)
			inode = found;
	}
	if (f)
		fclose(f);
	return inode;
}

static bool read_link(int dir, const char *name, char *buf, size_t cap)
{
	ssize_t n = readlinkat(dir, name, buf, cap - 1);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Has the process a descriptor of that socket? */
static bool holds(int proc, const char *socket, unsigned int *budget)
{
	char link[64];
	bool found = false;
	int fd = openat(proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (!d && fd >= 0)
		close(fd);
	for (struct dirent *e; d && !found && *budget && (e = readdir(d)); --*budget)
		found = read_link(dirfd(d), e->d_name, link, sizeof(link)) && streq(link, socket);
	if (d)
		closedir(d);
	return found;
}

static int read_name(int proc, char *buf, size_t cap)
{
	_cleanup_close_ int fd = openat(proc, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, cap - 1);
	if (n <= 0)
		return -ENOENT;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return *buf ? 0 : -ENOENT;
}

/* Of the processes in the same network namespace, which are those inside. */
static int find_holder(pid_t init, const char *socket, char *buf, size_t cap)
{
	char own[64], ns[64], path[64];
	unsigned int budget = FDS_MAX;
	int r = -ENOENT;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)init);
	if (!read_link(AT_FDCWD, path, own, sizeof(own)))
		return -ENOENT;
	DIR *d = opendir("/proc");
	struct dirent *e;
	for (unsigned int n = 0; d && r < 0 && n < PROCESSES_MAX && (e = readdir(d)); n++) {
		if (*e->d_name < '0' || *e->d_name > '9')
			continue;
		_cleanup_close_ int proc = openat(
			dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (proc >= 0 && read_link(proc, "ns/net", ns, sizeof(ns)) && streq(ns, own) &&
			holds(proc, socket, &budget))
			r = read_name(proc, buf, cap);
	}
	if (d)
		closedir(d);
	return r;
}

int learn_who(pid_t init, uint16_t port, uint16_t client, char *buf, size_t cap)
{
	char socket[64];
	if (init <= 0 || client == 0)
		return -ENOENT;
	uint64_t inode = find_inode(init, "tcp", port, client);
	if (!inode)
		inode = find_inode(init, "tcp6", port, client);
	if (!inode)
		return -ENOENT;
	snprintf(socket, sizeof(socket), "socket:[%" PRIu64 "]", inode);
	return find_holder(init, socket, buf, cap);
}
