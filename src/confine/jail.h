/* confine/jail.h - the helpers that read what strangers wrote confine themselves before its first
 * byte.
 *
 * no_new_privs, non-dumpable, rlimits, Landlock (skipped where the kernel has none: the seccomp
 * filter stands alone then), a seccomp allow-list without sockets, exec, ptrace, signals or new
 * processes.
 */
#ifndef BAWN_CONFINE_JAIL_H
#define BAWN_CONFINE_JAIL_H

#include <stdint.h>

#include "base/err.h"

enum jail_right {
	JAIL_READ,
	JAIL_WRITE,   /* also make, write, rename and remove files, links and directories */
	JAIL_DEVICES, /* also device files: an overlay's whiteouts */
	JAIL_LAYER,   /* also FIFOs: a layer of a template */
	JAIL_DROP,    /* make files, links and directories there, and write them; read none */
	JAIL_FILE,    /* no directory: this one file may be opened and read by its name */
};

struct jail_dir {
	int fd;
	enum jail_right right;
};

struct jail {
	const struct jail_dir *dirs; /* everything else of the file system is out of reach */
	size_t n_dirs;
	const int *calls; /* allowed beside the usual ones of a program that reads; */
	size_t n_calls;   /* at most JAIL_CALLS_MAX */
	bool narrow;      /* no usual ones, no threads: calls are all there is */
	unsigned int cpu_s,
		files; /* seconds; descriptors beside those that are open; 0: no limit */
	uint64_t memory, file_size; /* bytes; 0: no limit */
};
#define JAIL_CALLS_MAX 48
int jail_enter_with(const struct jail *j, struct err *err);

#endif
