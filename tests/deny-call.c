/* tests/deny-call.c - run a command with some system calls failing, as on a machine without them.
 *
 * usage: deny-call CALL=ERRNO[,CALL=ERRNO...] COMMAND [ARGS...]
 * The filter is inherited through exec; no_new_privs comes with it.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/macro.h"

static const struct {
	const char *name;
	long nr;
} calls[] = {
	{"clone", SYS_clone},
	{"clone3", SYS_clone3},
	{"close_range", SYS_close_range},
	{"faccessat2", SYS_faccessat2},
	{"fsconfig", SYS_fsconfig},
	{"fsopen", SYS_fsopen},
	{"fsetxattr", SYS_fsetxattr},
	{"landlock", SYS_landlock_create_ruleset},
	{"landlock_restrict_self", SYS_landlock_restrict_self},
	{"memfd_create", SYS_memfd_create},
	{"mount", SYS_mount},
	{"mount_setattr", SYS_mount_setattr},
	{"move_mount", SYS_move_mount},
	{"open_tree", SYS_open_tree},
	{"openat2", SYS_openat2},
	{"pidfd_open", SYS_pidfd_open},
	{"pivot_root", SYS_pivot_root},
	{"prlimit64", SYS_prlimit64},
	{"seccomp", SYS_seccomp},
	{"sendmsg", SYS_sendmsg},
	{"umount2", SYS_umount2},
	{"unshare", SYS_unshare},
	/* socket() of one protocol, by its third argument */
	{"nftables", -NETLINK_NETFILTER},
	{"rtnetlink", -100 - NETLINK_ROUTE},
};

static const struct {
	const char *name;
	uint32_t value;
} errors[] = {
	{"EPERM", EPERM},
	{"EACCES", EACCES},
	{"ENOSYS", ENOSYS},
	{"EINVAL", EINVAL},
	{"ENOSPC", ENOSPC},
	{"EOPNOTSUPP", EOPNOTSUPP},
	{"EPROTONOSUPPORT", EPROTONOSUPPORT},
	{"ENOMEM", ENOMEM},
	{"ENOBUFS", ENOBUFS},
	{"ETOOMANYREFS", ETOOMANYREFS},
	{"EAFNOSUPPORT", EAFNOSUPPORT},
};

#define PROG_MAX 256
static struct sock_filter prog[PROG_MAX];
static unsigned short n_prog;

static void add(uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	prog[n_prog++] = (struct sock_filter){.code = code, .k = k, .jt = jt, .jf = jf};
}

static void load(size_t offset)
{
	add(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void add_rule(long nr, uint32_t error)
{
	const uint32_t ret = SECCOMP_RET_ERRNO | error;
	load(offsetof(struct seccomp_data, nr));
	if (nr >= 0) {
		add(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1);
		add(BPF_RET | BPF_K, ret, 0, 0);
		return;
	}
	uint32_t proto = (uint32_t)(nr <= -100 ? -nr - 100 : -nr);
	add(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 5);
	load(offsetof(struct seccomp_data, args[0]));
	add(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 3);
	load(offsetof(struct seccomp_data, args[2]));
	add(BPF_JMP | BPF_JEQ | BPF_K, proto, 0, 1);
	add(BPF_RET | BPF_K, ret, 0, 0);
}

static int parse(char *list)
{
	for (char *save, *item = strtok_r(list, ",", &save); item;
		item = strtok_r(NULL, ",", &save)) {
		char *eq = strchr(item, '=');
		bool found = false;
		if (!eq)
			return -1;
		*eq = '\0';
		for (size_t i = 0; i < ARRAY_LEN(calls); i++)
			for (size_t j = 0; j < ARRAY_LEN(errors); j++)
				if (streq(calls[i].name, item) && streq(errors[j].name, eq + 1)) {
					add_rule(calls[i].nr, errors[j].value);
					found = true;
				}
		if (!found || n_prog > PROG_MAX - 16)
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3 || parse(argv[1]) < 0) {
		fprintf(stderr, "usage: deny-call CALL=ERRNO[,CALL=ERRNO...] COMMAND [ARGS...]\n");
		return 125;
	}
	add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	struct sock_fprog f = {.len = n_prog, .filter = prog};
	/* prctl, not seccomp(2): a rule for seccomp must not hit ourselves in a second instance */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &f) < 0) {
		perror("deny-call");
		return 125;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
