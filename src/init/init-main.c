/* init/init-main.c - bawn-init: the stages of one start, top to bottom, then pid 1.
 *
 * Started by bawn inside fresh user, mount, pid, ipc, uts and cgroup namespaces with an empty
 * environment and five descriptors.  It holds capabilities, but only over what those namespaces
 * own, until confine() gives them up for good.  It decides nothing and parses nothing but the plan.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "confine/caps.h"
#include "confine/landlock.h"
#include "confine/limits.h"
#include "confine/seccomp-load.h"
#include "init/init.h"

mode_t init_umask;

struct mapping {
	void *p;
	size_t n;
};

/* What is there once the guards stand. */
struct build {
	struct mapping map; /* of the plan */
	struct wire_plan plan;
	struct pty pty;
};

static int map_fd(int fd, struct mapping *ret, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "bawn-init is started by bawn, not by hand");
	ret->n = (size_t)st.st_size;
	ret->p = mmap(NULL, ret->n, PROT_READ, MAP_PRIVATE, fd, 0);
	if (ret->p == MAP_FAILED)
		return err_sys(err, errno, "bawn-init is started by bawn, not by hand");
	close(fd);
	return 0;
}

static int write_proc(const char *path, const char *text, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return err_sys(err, errno, "write %s", path);
	return 0;
}

/* One user, one group: ours, under their own numbers or those of the template.  Root of the host is
 * never mapped, nor is anybody root inside. */
static int identity(const struct wire_early *p, struct err *err)
{
	const struct wire_early_head *h = &p->head;
	bool root = h->uid == 0 || h->gid == 0 || h->inside_uid == 0 || h->inside_gid == 0;
	if (root && !GUARD_REMOVED("root-identity"))
		return err_set(err, EPERM, "the plan maps root");
	const char *const files[] = {
		"/proc/self/setgroups", "/proc/self/uid_map", "/proc/self/gid_map"};
	char uids[64], gids[64];
	snprintf(uids, sizeof(uids), "%u %u 1", h->inside_uid, h->uid);
	snprintf(gids, sizeof(gids), "%u %u 1", h->inside_gid, h->gid);
	const char *const texts[] = {"deny", uids, gids};
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		int r = write_proc(files[i], texts[i], err);
		if (r < 0) {
			err_hint(err,
				"user namespaces are restricted on this machine: run bawn doctor");
			return r;
		}
	}
	return 0;
}

/* What every process of the user shares, in all its namespaces: without a limit of its own the
 * sandbox takes the last one, and the user's editor can't watch a file any more (RES-04). */
static int spare_inotify(const char *host, const char *own, struct err *err)
{
	char text[24];
	_cleanup_close_ int fd = open(host, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0; /* a kernel without inotify */
	text[n] = '\0';
	snprintf(text, sizeof(text), "%lu", strtoul(text, NULL, 10) / 4 * 3);
	return write_proc(own, text, err);
}

/* Nothing inside may make a user namespace: there it would have capabilities again, and the
 * kernel's most attacked interfaces with them.  Where the policy lets it, so many, with process and
 * network namespaces.  Of the other kinds none, but mount namespaces: each mount that is put back
 * when the host pulled one away takes one for a moment, and the filter has the agent's. */
static int nested_limits(unsigned n, struct err *err)
{
	static const char *const kinds[] = {"ipc", "uts", "cgroup", "time"};
	static const char *const same[] = {"pid", "net"};
	char path[64], text[16];
	int r = 0;
	for (size_t i = 0; n && r == 0 && i < ARRAY_LEN(kinds); i++) {
		snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", kinds[i]);
		if (access(path, F_OK) == 0 || errno != ENOENT) /* a kernel without that kind */
			r = write_proc(path, "0", err);
	}
	snprintf(text, sizeof(text), "%u", n + 1); /* the sandbox's own counts */
	for (size_t i = 0; n && r == 0 && i < ARRAY_LEN(same); i++) {
		snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", same[i]);
		r = write_proc(path, text, err);
	}
	snprintf(text, sizeof(text), "%u", n);
	return r < 0 ? r : write_proc("/proc/sys/user/max_user_namespaces", text, err);
}

static int user_limits(unsigned nested, struct err *err)
{
	int r = spare_inotify("/proc/sys/fs/inotify/max_user_instances",
		"/proc/sys/user/max_inotify_instances", err);
	if (r == 0)
		r = spare_inotify("/proc/sys/fs/inotify/max_user_watches",
			"/proc/sys/user/max_inotify_watches", err);
	if (r < 0 || GUARD_REMOVED("userns"))
		return r;
	return nested_limits(nested, err);
}

static int land(const struct wire_plan *p, struct err *err)
{
	if (!p->head.landlock || GUARD_REMOVED("landlock"))
		return 0;
	_cleanup_close_ int fd = landlock_build(p->land, p->head.n_land, err);
	if (fd < 0)
		return fd;
	int r = 0;
	/* what lies outside is reached by them alone: /dev/stderr is a log on the host */
	for (int i = 0; r == 0 && i < 3; i++)
		if (!(p->head.tty_fds >> i & 1))
			r = landlock_allow_open(fd, i, err);
	if (r == 0)
		r = landlock_enter(fd, err);
	/* all of a template's root is the agent's, but for one place */
	return r < 0 ? r : landlock_prove(p->head.image ? "/sys" : "/", err);
}

/* Give up the rest, then prove that it is gone. */
static int confine(const struct wire_plan *p, struct err *err)
{
	int r = p->head.sudo ? caps_keep_files(err) : caps_drop_all(err);
	if (r < 0)
		return r;
	/* Changing credentials resets both of these. */
	if ((!GUARD_REMOVED("dumpable") && prctl(PR_SET_DUMPABLE, 0) < 0) ||
		(!GUARD_REMOVED("deathsig") && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0))
		return err_sys(err, errno, "prctl");
	if (GUARD_REMOVED("seccomp"))
		return 0;
	r = seccomp_load_filter(p->seccomp.p, p->seccomp.n, err);
	return r < 0 ? r : seccomp_prove(err);
}

static int open_pty(const struct wire_plan *plan, struct pty *ret, struct err *err)
{
	*ret = (struct pty){.master = -1, .slave = -1};
	return plan->head.tty_fds ? agent_open_pty(plan->head.rows, plan->head.cols, ret, err) : 0;
}

/* What can be given up while the network thread may still work: the old root, files by Landlock. */
static int enter(
	const struct wire_plan *plan, struct mounts *mounts, struct pty *pty, struct err *err)
{
	if (sethostname(plan->hostname, strlen(plan->hostname)) < 0)
		return err_sys(err, errno, "sethostname");
	int r = mounts_enter(mounts, !plan->head.image, err);
	if (r == 0)
		r = open_pty(plan, pty, err);
	if (r == 0 && plan->head.sudo)
		r = sudo_listen(err);
	if (r == 0)
		r = limits_apply(plan->head.pids, err);
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, errno, "no_new_privs");
	return land(plan, err);
}

/* The namespaces' own part and the rows that are every sandbox's, for which there need be no plan
 * yet. */
static int begin(const struct wire_early *early, struct mounts *mounts, struct err *err)
{
	int r = identity(early, err);
	report_stamp(STAMP_IDENTITY);
	if (r == 0)
		r = mounts_begin(mounts, err);
	if (r == 0)
		r = user_limits(early->head.user_namespaces, err);
	if (r == 0)
		r = mounts_apply(mounts, early->mounts, early->head.n_mounts, err);
	report_stamp(STAMP_EARLY);
	return r;
}

/* The filter keeps 1 to 4 from being given another priority or other limits: pid 1, the network's
 * thread, and where there is sudo its two others.  Without them the agent, who may name itself in
 * such a call, would be one of these.  (A kernel without that file: it may not name itself.) */
static void leave_numbers(void)
{
	struct err ignored;
	(void)write_proc("/proc/sys/kernel/ns_last_pid", "4", &ignored);
}

/* The plan is complete: everything is decided from here on. */
static int take_plan(const struct wire_early *early, struct build *b, struct err *err)
{
	int r = map_fd(report_receive_part(CONTROL_PLAN), &b->map, err);
	report_stamp(STAMP_PLAN);
	if (r == 0)
		r = wire_read(b->map.p, b->map.n, &b->plan, err);
	if (r == 0 && (b->plan.head.uid != early->head.uid || b->plan.head.gid != early->head.gid))
		r = err_set(err, EBADMSG, "the plan is another user's");
	return r;
}

/* What follows from the policy alone. */
static int take_early(struct wire_early *ret, struct err *err)
{
	struct mapping m;
	int r = map_fd(report_receive_part(CONTROL_EARLY), &m, err);
	report_stamp(STAMP_TOLD);
	return r < 0 ? r : wire_early_read(m.p, m.n, ret, err);
}

static int build(struct build *b, struct err *err)
{
	struct net_stage net;
	struct wire_early early;
	int r = net_stage_start(&net, err);
	if (r == 0)
		r = take_early(&early, err);
	if (r < 0)
		return r;
	net_stage_tell(&net, &early);
	net_stage_aside(&net);
	struct mounts m;
	int mounts = begin(&early, &m, err);
	if (mounts == 0)
		mounts = take_plan(&early, b, err);
	if (mounts == 0 && !b->plan.head.sudo)
		leave_numbers();
	if (mounts == 0)
		mounts = mounts_apply(&m, b->plan.mounts, b->plan.head.n_mounts, err);
	report_stamp(STAMP_MOUNTS);
	if (mounts == 0)
		mounts = enter(&b->plan, &m, &b->pty, err);
	report_stamp(STAMP_ROOT);
	struct err net_err = {0};
	r = net_stage_join(&net, &net_err);
	report_stamp(STAMP_NET);
	if (mounts < 0)
		return mounts;
	if (r < 0) {
		*err = net_err;
		return r;
	}
	r = confine(&b->plan, err);
	report_stamp(STAMP_CONFINED);
	return r;
}

static void wait_for_go(void)
{
	struct control_msg m;
	for (;;) {
		int fds[4];
		size_t n = 0;
		if (report_receive(&m, true, fds, &n) <= 0 || n)
			_exit(125);
		if (m.kind == CONTROL_GO)
			return;
		if (m.kind == CONTROL_SIGNAL) /* asked to end before there was an agent */
			_exit(125);
	}
}

/* The caller's 0-2.  Where descriptors come with messages, to another thread too, these numbers
 * stay taken. */
static void let_go_of_stdio(bool stay)
{
	int null = stay ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
	if (stay && null < 0)
		_exit(125);
	for (int fd = 0; fd < 3; fd++) {
		if (!stay)
			close(fd);
		else if (fd != null && dup3(null, fd, O_CLOEXEC) < 0)
			_exit(125);
	}
	if (null > 2)
		close(null);
}

int main(int argc, char **argv)
{
	struct err err = {0};
	struct build b = {0};
	sigset_t all;

	if (argc == 2 && streq(argv[1], "reapply"))
		return reapply_main();
	if (argc == 2 && streq(argv[1], "renet"))
		return renet_main();
	if (argc == 3 && streq(argv[1], "lend"))
		return lend_main(argv[2]);
	report_stamp(STAMP_MAIN);
	limits_short_turns();
	if (!GUARD_REMOVED("deathsig"))
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigfillset(&all); /* pid 1 takes signals by signalfd, and SIGCHLD alone */
	sigprocmask(SIG_SETMASK, &all, NULL);
	init_umask = umask(0022); /* the agent gets the caller's back */
	if (setsid() < 0) {       /* the caller's terminal is none of ours, nor is its Ctrl-C */
		err_sys(&err, errno, "start a session");
		report_fail(&err);
	}
	if (build(&b, &err) < 0)
		report_fail(&err);
	if (report_send(CONTROL_READY, 0, b.pty.master) < 0)
		_exit(125);
	if (b.plan.head.wait)
		wait_for_go();

	bool sudo = b.plan.head.sudo;
	bool as_root = b.plan.head.as_root;
	if (b.plan.head.image == WIRE_IMAGE_BUILT)
		owner_built();
	const struct agent first = {.owners = as_root ? owner_post() : -1,
		.identity = !sudo ? IDENTITY_ONLY
			: as_root ? IDENTITY_ROOT
				  : IDENTITY_USER,
		.cwd = b.plan.cwd,
		.exe = b.plan.exe,
		.argv = b.plan.argv,
		.env = b.plan.env,
		.tty_fds = b.plan.head.tty_fds,
		.umask = init_umask,
		.slave = b.pty.slave,
		.fds = {-1, -1, -1}};
	bool lasting = b.plan.head.lasting;
	/* its threads have numbers that the filter knows, so they begin before anybody else */
	if (sudo && sudo_start() < 0)
		_exit(125);
	int pid = agent_start(&first, &err);
	if (pid < 0)
		report_fail(&err);
	report_stamp(STAMP_EXEC);

	/* From here on nothing of the plan is in this process: not the agent's environment either.
	 */
	wire_free(&b.plan);
	munmap(b.map.p, b.map.n);
	let_go_of_stdio(lasting || sudo);
	if (b.pty.master >= 0) {
		close(b.pty.master);
		close(b.pty.slave);
	}
	if (report_send(CONTROL_STARTED, pid, -1) < 0)
		_exit(125);
	sessions_wait(pid, lasting, sudo);
}
