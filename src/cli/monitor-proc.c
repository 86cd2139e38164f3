/* cli/monitor-proc.c - see monitor-proc.h
 *
 * Theory of operation.  The processes of the sandbox are the descendants of its pid 1.  One that we
 * may look at shows the TCP sockets of their network namespace, with the port of each and the
 * number of its inode; the descriptors of all then say who has that inode.
 */
#include "cli/monitor-proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>

#include "base/fd.h"

enum { PROCESSES_MAX = 8192, INSIDE_MAX = 1024, LINKS_MAX = 20000, ESTABLISHED = 1 };

struct one {
	pid_t pid, parent;
};

static pid_t number(const char *s)
{
	return s[0] && strspn(s, "0123456789") == strlen(s) ? (pid_t)strtol(s, NULL, 10) : 0;
}

/* A small file of /proc, with a NUL behind it. */
static bool read_small(char *dst, size_t cap, const char *name, pid_t pid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, dst, cap - 1);
	if (n < 0)
		return false;
	dst[n] = '\0';
	return true;
}

static pid_t parent_of(pid_t pid)
{
	char stat[512], *p;
	int parent = 0;
	if (!read_small(stat, sizeof(stat), "stat", pid))
		return 0;
	p = strrchr(stat, ')'); /* the name before it may hold anything */
	return p && sscanf(p + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

/* All below init, nearest first. */
static size_t descendants(pid_t init, pid_t *dst)
{
	static struct one all[PROCESSES_MAX];
	size_t n_all = 0, n = 0;
	DIR *d = opendir("/proc");
	if (!d)
		return 0;
	for (struct dirent *de; n_all < PROCESSES_MAX && (de = readdir(d));) {
		pid_t pid = number(de->d_name);
		if (pid > 0)
			all[n_all++] = (struct one){.pid = pid, .parent = parent_of(pid)};
	}
	closedir(d);
	for (size_t k = 0; k <= n; k++) {
		pid_t of = k ? dst[k - 1] : init;
		for (size_t i = 0; i < n_all && n < INSIDE_MAX; i++)
			if (all[i].parent == of)
				dst[n++] = all[i].pid;
	}
	return n;
}

/* Note which inodes the flows' sockets have, by a table of the sandbox's network namespace. */
static void read_table(
	pid_t pid, const char *name, const struct monitor_flow *f, size_t n, uint64_t *inode)
{
	char path[64], *line = NULL;
	size_t cap = 0;
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	FILE *t = fopen(path, "re");
	if (!t)
		return;
	while (getline(&line, &cap, t) > 0) {
		unsigned port, state;
		uint64_t ino;
		if (sscanf(line,
			    " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*d %*d "
			    "%" SCNu64,
			    &port, &state, &ino) != 3 ||
			state != ESTABLISHED)
			continue;
		for (size_t i = 0; i < n; i++)
			if (f[i].from == port && !inode[i])
				inode[i] = ino;
	}
	free(line);
	fclose(t);
}

static void name_of(pid_t pid, char *dst, size_t cap)
{
	char comm[64];
	if (!read_small(comm, sizeof(comm), "comm", pid))
		return;
	comm[strcspn(comm, "\n")] = '\0';
	snprintf(dst, cap, "%s[%d]", comm, pid);
}

/* Which of the inodes pid has; how many links were read. */
static size_t look_at(
	pid_t pid, struct monitor_flow *f, size_t n, const uint64_t *inode, size_t room)
{
	char path[64], to[64];
	size_t links = 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	DIR *d = opendir(path);
	if (!d)
		return 1;
	for (struct dirent *de; links < room && (de = readdir(d)); links++) {
		uint64_t ino;
		ssize_t k = readlinkat(dirfd(d), de->d_name, to, sizeof(to) - 1);
		if (k <= 0)
			continue;
		to[k] = '\0';
		if (sscanf(to, "socket:[%" SCNu64 "]", &ino) != 1)
			continue;
		for (size_t i = 0; i < n; i++)
			if (inode[i] == ino && !f[i].process[0])
				name_of(pid, f[i].process, sizeof(f[i].process));
	}
	closedir(d);
	return links + 1;
}

void monitor_processes(pid_t init, struct monitor_flow *f, size_t n)
{
	static pid_t inside[INSIDE_MAX];
	static uint64_t inode[MONITOR_FLOWS];
	size_t n_inside = init > 1 && n ? descendants(init, inside) : 0, left = LINKS_MAX;
	memset(inode, 0, n * sizeof(inode[0]));
	for (size_t i = 0; i < n_inside; i++) {
		char test[8];
		if (!read_small(test, sizeof(test), "net/tcp", inside[i]))
			continue; /* another's, or one that may not be looked at */
		read_table(inside[i], "net/tcp", f, n, inode);
		read_table(inside[i], "net/tcp6", f, n, inode);
		break;
	}
	for (size_t i = 0; i < n_inside && left > 0; i++)
		left -= MIN(left, look_at(inside[i], f, n, inode, left));
}
