/* init/theirs-ids.c - see theirs-ids.h.
 *
 * Theory of operation.  A daemon, or what starts one (runuser, start-stop-daemon, PostgreSQL's
 * scripts), gives root up by setuid(X), looks whether it is X, and mostly executes a program then.
 * Up to that it is told that it is X, and can't become root again.  The program is the sandbox's
 * user, who is not root and owns all files, whatever X was: it is the kernel that answers it.  (It
 * keeps the three capabilities over the sandbox's own files, which only its first filter's caller
 * could give up: SEC-12.)
 *
 * What is kept of a process has to be its children's, and to go with it.  There is a limit of
 * processes that has meant nothing since Linux 2.4.25, RLIMIT_LOCKS: it is inherited, stays at an
 * exec, and pid 1 may set it from outside.  Its soft value, where it is not infinite, is the state.
 */
#include "init/theirs-ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

#define LIMIT_LOCKS 10
#define NO_STATE UINT64_MAX
#define ID_MAX 0xfffffu
#define UNCHANGED UINT32_MAX

enum { REAL, EFFECTIVE, SAVED, KINDS };

/* Each of the three is root, or this one: no program has more. */
struct triple {
	uint32_t id;
	unsigned int mask;
};

struct state {
	struct triple uid, gid;
	uint32_t mark; /* of the program that became so */
};

struct limit {
	uint64_t soft, hard;
};

static struct state unpack(uint64_t v)
{
	if (v == NO_STATE)
		return (struct state){0};
	return (struct state){.uid = {v & ID_MAX, v >> 40 & 7},
		.gid = {v >> 20 & ID_MAX, v >> 43 & 7},
		.mark = v >> 46 & 0x1ffff};
}

static uint64_t pack(const struct state *s)
{
	if (!s->uid.mask && !s->gid.mask)
		return NO_STATE;
	return s->uid.id | (uint64_t)s->gid.id << 20 | (uint64_t)s->uid.mask << 40 |
		(uint64_t)s->gid.mask << 43 | (uint64_t)s->mark << 46;
}

static bool load(uint32_t pid, struct state *ret)
{
	struct limit l;
	if (syscall(SYS_prlimit64, pid, LIMIT_LOCKS, NULL, &l) < 0)
		return false;
	*ret = unpack(l.soft);
	return true;
}

/* Where another limit is in the way nothing is kept: it goes on as root. */
static void keep(uint32_t pid, const struct state *s)
{
	struct limit l;
	if (syscall(SYS_prlimit64, pid, LIMIT_LOCKS, NULL, &l) < 0)
		return;
	uint64_t v = pack(s);
	l.soft = v == NO_STATE ? l.hard : v;
	(void)syscall(SYS_prlimit64, pid, LIMIT_LOCKS, &l, NULL);
}

/* Another number for each exec: where code and stack begin, and what it is of. */
static uint32_t mark_of(uint32_t pid)
{
	char path[32], text[1024];
	struct stat st = {0};
	uint64_t sum = 0;
	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	if (stat(path, &st) == 0)
		sum = st.st_ino + st.st_dev;
	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	const char *p = strrchr(text, ')');
	for (int field = 2; p && field < 28; field++) { /* proc(5): startcode 26, startstack 28 */
		p = strchr(p + 1, ' ');
		if (p && (field == 25 || field == 27))
			sum = (sum ^ strtoull(p, NULL, 10)) * UINT64_C(0x9e3779b97f4a7c15);
	}
	return (uint32_t)(sum >> 47);
}

static uint32_t value(const struct triple *t, int kind)
{
	return t->mask >> kind & 1 ? t->id : 0;
}

static bool is_root(const struct state *s)
{
	return value(&s->uid, EFFECTIVE) == 0;
}

static bool ended(uint32_t pid, const struct state *s)
{
	return !is_root(s) && s->mark != mark_of(pid);
}

bool ids_ended(uint32_t pid)
{
	struct state s;
	return load(pid, &s) && ended(pid, &s);
}

static bool has(const struct triple *t, uint32_t id)
{
	return id == UNCHANGED || id == value(t, REAL) || id == value(t, EFFECTIVE) ||
		id == value(t, SAVED);
}

/* As setresuid(2).  0 or an errno. */
static int set_all(struct triple *t, bool root, const uint32_t want[static KINDS])
{
	struct triple now = {0};
	for (int i = 0; i < KINDS; i++)
		if (!root && !has(t, want[i]))
			return EPERM;
	for (int i = 0; i < KINDS; i++) {
		uint32_t id = want[i] == UNCHANGED ? value(t, i) : want[i];
		if (!id)
			continue;
		now.mask |= 1u << i;
		if (!now.id || i == EFFECTIVE)
			now.id = id;
	}
	if (now.id <= ID_MAX)
		*t = now;
	return 0;
}

static int set_real_effective(struct triple *t, bool root, uint32_t r, uint32_t e)
{
	bool saved = r != UNCHANGED || (e != UNCHANGED && e != value(t, REAL));
	uint32_t s = !saved ? UNCHANGED : e != UNCHANGED ? e : value(t, EFFECTIVE);
	return set_all(t, root, (const uint32_t[]){r, e, s});
}

static int set_one(struct triple *t, bool root, uint32_t id)
{
	if (root)
		return set_all(t, true, (const uint32_t[]){id, id, id});
	return set_all(t, false, (const uint32_t[]){UNCHANGED, id, UNCHANGED});
}

bool ids_is_call(int nr)
{
	static const int calls[] = {SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_setuid,
		SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid};
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (nr == calls[i])
			return true;
	return false;
}

static int set(struct state *s, const struct seccomp_data *d)
{
	const uint32_t a[] = {(uint32_t)d->args[0], (uint32_t)d->args[1], (uint32_t)d->args[2]};
	bool root = is_root(s);
	/* who keeps its capabilities sets its groups last, as setpriv does (PR_SET_KEEPCAPS) */
	bool may_group = root || !s->gid.mask;
	switch (d->nr) {
	case SYS_setuid:
		return set_one(&s->uid, root, a[0]);
	case SYS_setgid:
		return set_one(&s->gid, may_group, a[0]);
	case SYS_setreuid:
		return set_real_effective(&s->uid, root, a[0], a[1]);
	case SYS_setregid:
		return set_real_effective(&s->gid, may_group, a[0], a[1]);
	case SYS_setresuid:
		return set_all(&s->uid, root, a);
	default:
		return set_all(&s->gid, may_group, a);
	}
}

bool ids_answer(const struct seccomp_notif *n, struct seccomp_notif_resp *ret)
{
	struct state s;
	if (!load(n->pid, &s))
		return false;
	if (ended(n->pid, &s))
		return false;
	switch (n->data.nr) {
	case SYS_getuid:
		ret->val = value(&s.uid, REAL);
		return true;
	case SYS_geteuid:
		ret->val = value(&s.uid, EFFECTIVE);
		return true;
	case SYS_getgid:
		ret->val = value(&s.gid, REAL);
		return true;
	case SYS_getegid:
		ret->val = value(&s.gid, EFFECTIVE);
		return true;
	default:
		break;
	}
	const uint64_t was = pack(&s);
	int error = set(&s, &n->data);
	ret->error = -error;
	if (!error) {
		s.mark = is_root(&s) ? 0 : mark_of(n->pid);
		if (pack(&s) != was)
			keep(n->pid, &s);
	}
	return true;
}
