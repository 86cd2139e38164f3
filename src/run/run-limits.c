/* run/run-limits.c - --memory and --cpus: a control group of the sandbox's own, and what of the
 * wall may be missing; see run.h.
 *
 * First in our own part of the tree (host/cgroup.h); where that is not ours to change, by asking
 * the user's systemd, which bawn-admin does.  bawn-init goes in before it has its plan, so nothing
 * of the sandbox ever runs outside.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/fd.h"
#include "run/run.h"

#define MEMORY_MIN ((uint64_t)16 << 20) /* below that not even pid 1 and a shell start */

int run_parse_size(const char *s, uint64_t *ret, struct err *err)
{
	static const char units[] = "bkmgt";
	char *end = NULL;
	errno = 0;
	unsigned long long n = *s >= '0' && *s <= '9' ? strtoull(s, &end, 10) : 0;
	unsigned int shift = 0;
	if (end && *end) {
		const char *u = strchr(units, *end >= 'A' && *end <= 'Z' ? *end + 32 : *end);
		if (!u || end[1])
			end = NULL;
		else
			shift = (unsigned int)(u - units) * 10;
	}
	if (!end || errno || n > (UINT64_MAX >> shift) || n << shift > INT64_MAX) {
		err_hint(err, "for example 512m or 4g (1024 a step)");
		return err_set(err, EINVAL, "'%.40s' is not a size", s);
	}
	if (n << shift < MEMORY_MIN)
		return err_set(err, EINVAL, "'%.40s' is too little: at least 16m", s);
	*ret = (uint64_t)n << shift;
	return 0;
}

/* "1.5" in thousandths. */
int run_parse_cpus(const char *s, uint64_t *ret, struct err *err)
{
	uint64_t n = 0, thousandths = 0, unit = 100;
	const char *p = s;
	for (; *p >= '0' && *p <= '9' && n < 100000; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	bool ok = p > s && n <= 10000;
	if (ok && *p == '.') {
		ok = p[1] != '\0';
		for (p++; *p >= '0' && *p <= '9' && unit; p++, unit /= 10)
			thousandths += unit * (uint64_t)(*p - '0');
	}
	n = n * 1000 + thousandths;
	if (!ok || *p || n < 10) {
		err_hint(err, "for example 2 or 0.5");
		return err_set(err, EINVAL,
			"'%.40s' is not a number of processors from 0.01 to 10000, with at most "
			"three "
			"decimals",
			s);
	}
	*ret = n;
	return 0;
}

/* ---- the user's systemd ---- */

/* bawn-scope prints the path of the scope that systemd has made around pid. */
static int ask_systemd(
	struct run *r, const char *top, const struct cgroup_limits *l, pid_t pid, struct err *err)
{
	static char name[] = "bawn-scope";
	struct arena *a = &r->arena;
	const char *bus = getenv("DBUS_SESSION_BUS_ADDRESS"), *dir = getenv("XDG_RUNTIME_DIR");
	struct strv env = {0};
	if (bus)
		strv_addf(a, &env, "DBUS_SESSION_BUS_ADDRESS=%s", bus);
	if (dir)
		strv_addf(a, &env, "XDG_RUNTIME_DIR=%s", dir);
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	_cleanup_close_ int from = fds[0], to = fds[1];
	char *argv[] = {name, arena_printf(a, "%d", (int)pid),
		arena_printf(a, "%" PRIu64, l->memory), arena_printf(a, "%" PRIu64, l->cpus),
		arena_printf(a, "%" PRIu64, l->pids ? l->pids + 1 : 0), NULL};
	const int table[] = {-1, to, -1};
	struct proc_spawn how = {.path = path_join(a, r->install.libexec, "bawn-scope"),
		.argv = argv,
		.envp = env.v,
		.fds = table,
		.nfds = ARRAY_LEN(table)};
	struct proc p;
	char path[4096];
	int status = 0, k = arena_check(a, err);
	if (k == 0)
		k = proc_spawn(&how, &p, err);
	if (k == -ENOENT)
		return -ENOTSUP; /* built without libsystemd */
	if (k < 0)
		return k;
	close(TAKE_FD(to));
	ssize_t n = fd_read_full(from, path, sizeof(path) - 1);
	proc_wait(&p, &status);
	if (status || n <= 0 || path[0] != '/')
		return -ENOTSUP;
	path[strcspn(path, "\n")] = '\0';
	path[n] = '\0';
	return cgroup_open(a, top, path, &r->cgroup, err);
}

/* ---- both ---- */

static int limit(struct run *r, const struct cgroup_limits *l, struct err *err)
{
	const pid_t pid = sandbox_init_pid(r->sandbox);
	char *own, *top, *id = r->lasting ? r->box.id : arena_dup(&r->arena, "run");
	int k = cgroup_find(&r->arena, "/proc", &own, &top, err);
	if (k == -ENOTSUP)
		return err_set(err, ENOTSUP, "this machine has no cgroup2 tree");
	if (k == 0)
		k = cgroup_make(&r->arena, own, top, id, l, &r->cgroup, err);
	if (k == 0)
		return cgroup_enter(&r->cgroup, pid, err);
	if (k != -ENOTSUP)
		return k;
	const struct err why = *err;
	*err = (struct err){0};
	k = ask_systemd(r, top, l, pid, err);
	if (k == -ENOTSUP)
		*err = why;
	return k;
}

int run_limit(struct run *r, struct err *err)
{
	const struct run_options *o = &r->opt;
	const bool any = GUARD_REMOVED("limits-refused");
	const bool no_memory = o->memory && (any || strv_has(&o->degraded, "memory"));
	const bool no_cpus = o->cpus && (any || strv_has(&o->degraded, "cpus"));
	/* all of it, and then what is left without what may be left out */
	const struct {
		bool allowed, memory, cpus;
	} tries[] = {{true, o->memory, o->cpus}, {no_memory && o->cpus, false, o->cpus},
		{no_cpus && o->memory, o->memory, false},
		{no_memory == !!o->memory && no_cpus == !!o->cpus, false, false}};
	int k = 0;
	if ((!o->memory && !o->cpus) || o->dry_run)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		struct err why = {0};
		const struct cgroup_limits l = {.memory = tries[i].memory ? o->memory : 0,
			.cpus = tries[i].cpus ? o->cpus : 0,
			.pids = o->pids};
		if (!tries[i].allowed)
			continue;
		bool none = !l.memory && !l.cpus;
		int e = none ? 0 : limit(r, &l, &why);
		if (e == 0) {
			r->no_memory = o->memory && !l.memory;
			r->no_cpus = o->cpus && !l.cpus;
			*err = (struct err){0};
			return 0;
		}
		cgroup_end(&r->cgroup);
		if (i == 0) {
			*err = why;
			k = e;
		}
		if (e != -ENOTSUP)
			break;
	}
	if (k == -ENOTSUP)
		err_hint(err,
			"with a systemd user session: systemd-run --user --scope -p Delegate=yes "
			"bawn "
			"...; or start without the limit: --allow-degraded %s",
			o->memory && o->cpus ? "memory --allow-degraded cpus"
				: o->memory  ? "memory"
					     : "cpus");
	return err_prefix(err, "%s",
		o->memory && o->cpus ? "--memory and --cpus"
			: o->memory  ? "--memory"
				     : "--cpus");
}

/* A kernel.core_pattern that begins with "@" (Linux 6.16) names a socket of the host, to which the
 * kernel connects whatever crashes, by no rights but its own.  No limit keeps it from that, the
 * value 1 neither. */
static bool core_handler(char *ret, size_t size)
{
	*ret = '\0';
	_cleanup_close_ int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? fd : read(fd, ret, size - 1);
	ret[MAX(n, 0)] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return ret[0] == '@';
}

int run_check_core(struct run *r, struct err *err)
{
	char pattern[128], shown[256];
	r->core_handler = core_handler(pattern, sizeof(pattern));
	if (!r->core_handler || r->opt.dry_run || strv_has(&r->opt.degraded, "core") ||
		GUARD_REMOVED("core-handler"))
		return 0;
	escape_text(shown, sizeof(shown), pattern);
	err_hint(err,
		"as root: sysctl kernel.core_pattern=core, or a program behind \"|\", which bawn "
		"can "
		"keep out; or start with crashes handed to it: --allow-degraded core");
	return err_set(err, ENOTSUP,
		"crashes inside would reach the host's core handler (kernel.core_pattern is %s)",
		shown);
}

/* What is degraded in fact: landlock wherever it was allowed to be, limits where they weren't had.
 */
void run_limits_degraded(struct run *r, struct strv *ret)
{
	const struct strv *all = &r->opt.degraded;
	for (size_t i = 0; i < all->n; i++) {
		bool memory = streq(all->v[i], "memory"), cpus = streq(all->v[i], "cpus");
		if (streq(all->v[i], "core") || streq(all->v[i], "case")) {
			bool core = streq(all->v[i], "core");
			if (core ? r->core_handler : r->any_spelling)
				strv_add(&r->plan.arena, ret,
					core ? "guard against the host's core handler"
					     : "guard against other spellings of names");
		} else if (!memory && !cpus)
			strv_add(&r->plan.arena, ret, all->v[i]);
		else if ((memory && r->no_memory) || (cpus && r->no_cpus))
			strv_addf(&r->plan.arena, ret, "limit of %s", all->v[i]);
	}
}

void run_limits_end(struct run *r)
{
	uint64_t n = cgroup_oom_kills(&r->cgroup);
	if (n) {
		run_message(r, "%" PRIu64 " %s killed inside: more memory than --memory allows", n,
			n == 1 ? "program was" : "programs were");
		const struct audit_field f[] = {{.key = "what", .str = "killed for want of memory"},
			{.key = "count", .num = (int64_t)n}};
		run_audit(r, "limit", f, ARRAY_LEN(f));
	}
}
