/* confine/seccomp-compile.c - see seccomp-compile.h.
 *
 * Owns: the numbers of system calls, the BPF program.  Must not: decide what is allowed.
 *
 * Theory of operation.  libseccomp can't say "allow unless" or "EPERM unless": a call has one list
 * of conditions, and what matches none of them gets the default action of the whole filter.  So the
 * program has three parts, one behind the other, each with one kind of rule only:
 *
 *   1 deny_if     by libseccomp, default: go on
 *   2 allow_if    by libseccomp, default: go on
 *   3 allow, deny, and EPERM for the calls of allow_if; all else ENOSYS
 *
 * "Go on" is a return of a value that no rule uses, replaced by a jump to the end of its part.  The
 * length of a part doesn't change, so its own (relative) jumps stay right.  Each part starts by
 * loading what it looks at; the first two refuse calls of other architectures.
 *
 * Part 3 asks for numbers alone, so it is a binary search over the runs of numbers that have one
 * action: some 60 runs instead of libseccomp's 360 leaves, which makes loading the filter a good
 * deal shorter (the kernel compiles it, and runs it once for each number: it remembers which calls
 * are allowed whatever their arguments, kernel/seccomp.c seccomp_cache_prepare(), and these cost no
 * run at all afterwards).
 */
#include "confine/seccomp-compile.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>

#include "base/fd.h"

/* An action that no policy can name. */
#define GO_ON SCMP_ACT_TRACE(0x6277)

enum part { PART_DENY_IF, PART_ALLOW_IF, PARTS };

/* Above every number in use (469 in Linux 6.18). */
#define NUMBERS 1024

/* Calls that are younger than the oldest supported libseccomp (2.5.0). They have the same number on
 * every architecture (Linux, scripts/syscall.tbl). */
static const struct {
	const char *name;
	int nr;
} young[] = {
	{"process_madvise", 440},
	{"epoll_pwait2", 441},
	{"mount_setattr", 442},
	{"quotactl_fd", 443},
	{"landlock_create_ruleset", 444},
	{"landlock_add_rule", 445},
	{"landlock_restrict_self", 446},
	{"memfd_secret", 447},
	{"process_mrelease", 448},
	{"futex_waitv", 449},
	{"set_mempolicy_home_node", 450},
	{"cachestat", 451},
	{"fchmodat2", 452},
	{"map_shadow_stack", 453},
	{"futex_wake", 454},
	{"futex_wait", 455},
	{"futex_requeue", 456},
	{"statmount", 457},
	{"listmount", 458},
	{"lsm_get_self_attr", 459},
	{"lsm_set_self_attr", 460},
	{"lsm_list_modules", 461},
	{"mseal", 462},
	{"setxattrat", 463},
	{"getxattrat", 464},
	{"listxattrat", 465},
	{"removexattrat", 466},
	{"open_tree_attr", 467},
	{"file_getattr", 468},
	{"file_setattr", 469},
};

/* Negative and not an error: a call of another architecture, which this one doesn't have. */
static int call_number(const struct policy_call *c, int *ret, struct err *err)
{
	int nr = seccomp_syscall_resolve_name(c->call);
	for (size_t i = 0; nr == __NR_SCMP_ERROR && i < ARRAY_LEN(young); i++)
		if (streq(young[i].name, c->call))
			nr = young[i].nr;
	if (nr == __NR_SCMP_ERROR)
		return yaml_err(err, c->file, c->at, "unknown system call \"%s\"", c->call);
	*ret = nr;
	return 0;
}

static struct scmp_arg_cmp compare(const struct policy_cond *c, size_t value)
{
	switch (c->op) {
	case POLICY_GE:
		return SCMP_CMP64(c->arg, SCMP_CMP_GE, c->values[value], 0);
	case POLICY_NONZERO:
		return SCMP_CMP64(c->arg, SCMP_CMP_NE, 0, 0);
	case POLICY_IN:
	default:
		return SCMP_CMP64(c->arg, SCMP_CMP_MASKED_EQ, c->mask, c->values[value]);
	}
}

/* One rule for each combination of the conditions' values. */
static int add_rules(scmp_filter_ctx ctx, uint32_t action, int nr, const struct policy_call *c)
{
	size_t total = 1;
	for (size_t i = 0; i < c->n_conds; i++)
		total *= c->conds[i].n_values;
	for (size_t k = 0; k < total; k++) {
		struct scmp_arg_cmp cmp[POLICY_CONDS];
		size_t rest = k;
		for (size_t i = 0; i < c->n_conds; i++) {
			cmp[i] = compare(&c->conds[i], rest % c->conds[i].n_values);
			rest /= c->conds[i].n_values;
		}
		int r = seccomp_rule_add_array(ctx, action, nr, (unsigned)c->n_conds, cmp);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A test build leaves one entry of the policies out by its name. */
static bool guard_removed(_unused_ const struct policy_call *c)
{
#ifdef BAWN_MUTATIONS
	char guard[96];
	snprintf(guard, sizeof(guard), "syscall-%s", c->name);
	return GUARD_REMOVED(guard);
#else
	return false;
#endif
}

/* The program as it is made. */
struct compiler {
	scmp_filter_ctx parts[PARTS];
	uint32_t action[NUMBERS]; /* part 3; NO_ACTION until a rule has spoken */
	struct sock_filter v[BPF_MAXINSNS];
	size_t n;
};
#define NO_ACTION 0xffffffffu

static int add_conditional(struct compiler *k, const struct policy_call *c, int nr)
{
	if (!c->allow)
		return add_rules(k->parts[PART_DENY_IF], SCMP_ACT_ERRNO((uint32_t)c->error), nr, c);
	/* What none of its rows matches exists and is refused. */
	if (k->action[nr] == NO_ACTION)
		k->action[nr] = SCMP_ACT_ERRNO(EPERM);
	return add_rules(k->parts[PART_ALLOW_IF], SCMP_ACT_ALLOW, nr, c);
}

static int add_call(struct compiler *k, const struct policy_call *c, struct err *err)
{
	struct policy_call left_out = *c;
	int nr = 0;
	int r = call_number(c, &nr, err);
	if (r < 0 || nr < 0)
		return r;
	if (nr >= NUMBERS)
		return yaml_err(err, c->file, c->at, "\"%s\" has no usable number", c->call);
	if (guard_removed(c)) {
		if (!c->allow && c->n_conds)
			return 0;
		left_out.allow = true;
		left_out.n_conds = 0;
		c = &left_out;
	}
	if (c->n_conds == 0)
		k->action[nr] = c->allow ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO((uint32_t)c->error);
	else
		r = add_conditional(k, c, nr);
	if (r < 0)
		return yaml_err(err, c->file, c->at,
			"libseccomp does not take the rule on \"%s\": %s", c->call, strerror(-r));
	return 0;
}

static int open_parts(struct compiler *k, struct err *err)
{
	for (int i = 0; i < PARTS; i++) {
		scmp_filter_ctx ctx = k->parts[i] = seccomp_init(GO_ON);
		if (!ctx)
			return err_set(err, ENOMEM, "libseccomp does not start");
		/* Calls of another architecture: refused as if the kernel hadn't them. 2: a binary
		 * tree instead of a list. */
		int r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
		if (r == 0)
			r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
		if (r < 0)
			return err_sys(err, -r, "libseccomp");
	}
	for (size_t i = 0; i < NUMBERS; i++)
		k->action[i] = NO_ACTION;
	return 0;
}

static int append_part(struct compiler *p, scmp_filter_ctx ctx, struct err *err)
{
	_cleanup_close_ int fd = memfd_create("bawn-seccomp", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "memfd_create");
	int r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return err_sys(err, -r, "libseccomp: make the program");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, errno, "lseek");
	size_t left = sizeof(p->v) - p->n * sizeof(*p->v);
	ssize_t k = fd_read_full(fd, p->v + p->n, left);
	char more;
	if (k >= 0 && (size_t)k == left && read(fd, &more, 1) == 1)
		return err_set(err, E2BIG, "the system call policy is too long for the kernel");
	if (k <= 0 || (size_t)k % sizeof(*p->v))
		return err_set(err, EIO, "libseccomp made no program");
	size_t end = p->n + (size_t)k / sizeof(*p->v);
	for (size_t i = p->n; i < end; i++)
		if (p->v[i].code == (BPF_RET | BPF_K) && p->v[i].k == GO_ON)
			p->v[i] = (struct sock_filter)BPF_STMT(
				BPF_JMP | BPF_JA, (uint32_t)(end - i - 1));
	p->n = end;
	return 0;
}

/* A run of numbers with one action; the last run has no end. */
struct run {
	uint32_t first, action;
};

static size_t find_runs(const uint32_t *action, struct run *ret)
{
	size_t n = 0;
	for (uint32_t nr = 0; nr < NUMBERS; nr++) {
		uint32_t a = action[nr] == NO_ACTION ? SCMP_ACT_ERRNO(ENOSYS) : action[nr];
		if (n == 0 || ret[n - 1].action != a)
			ret[n++] = (struct run){nr, a};
	}
	return n;
}

static int append(struct compiler *k, struct sock_filter f)
{
	if (k->n == ARRAY_LEN(k->v))
		return -E2BIG;
	k->v[k->n++] = f;
	return 0;
}

/* run[n] as a tree: "from the middle's first number on, jump to the right half; else fall into the
 * left".  A half that is longer than the 255 a conditional jump reaches takes a second jump. */
static int append_tree(struct compiler *k, const struct run *run, size_t n)
{
	if (n == 1)
		return append(k, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, run->action));
	size_t mid = n / 2, at = k->n;
	/* A tree of m runs without long jumps has m returns and m - 1 comparisons. */
	bool far = 2 * mid - 1 > UINT8_MAX;
	int r = append(k,
		(struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JGE | BPF_K, run[mid].first, 0, far ? 1 : 0));
	if (r == 0 && far)
		r = append(k, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
	if (r == 0)
		r = append_tree(k, run, mid);
	if (r < 0)
		return r;
	if (far)
		k->v[at + 1].k = (uint32_t)(k->n - at - 2);
	else
		k->v[at].jt = (uint8_t)(k->n - at - 1);
	return append_tree(k, run + mid, n - mid);
}

/* Part 3.  x32's numbers, which have a high bit, were refused by the parts before. */
static int append_numbers(struct compiler *k, struct err *err)
{
	struct run runs[NUMBERS];
	size_t n = find_runs(k->action, runs);
	int r = append(k,
		(struct sock_filter)BPF_STMT(
			BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	if (r == 0)
		r = append_tree(k, runs, n);
	if (r < 0)
		return err_set(err, E2BIG, "the system call policy is too long for the kernel");
	return 0;
}

static int compile(const struct seccomp_policy *policy, struct compiler *k, struct err *err)
{
	int r = open_parts(k, err);
	for (size_t i = 0; r == 0 && i < policy->n; i++)
		if (!policy->calls[i].dropped)
			r = add_call(k, &policy->calls[i], err);
	for (int i = 0; r == 0 && i < PARTS; i++)
		r = append_part(k, k->parts[i], err);
	return r < 0 ? r : append_numbers(k, err);
}

int seccomp_compile_policy_with(const char *policy_file, seccomp_locate locate, void *ctx,
	struct sock_filter **ret, size_t *ret_n, unsigned *ret_user_namespaces, struct err *err)
{
	_cleanup_(arena_free) struct arena a = {0};
	struct seccomp_policy policy;
	int r = seccomp_policy_read(&a, policy_file, locate, ctx, &policy, err);
	if (r < 0)
		return r;
	_cleanup_free_ struct compiler *k = calloc(1, sizeof(*k));
	if (!k)
		return err_set(err, ENOMEM, "out of memory");
	r = compile(&policy, k, err);
	for (int i = 0; i < PARTS; i++)
		if (k->parts[i])
			seccomp_release(k->parts[i]);
	if (r < 0)
		return r;
	struct sock_filter *v = calloc(k->n, sizeof(*v));
	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	memcpy(v, k->v, k->n * sizeof(*v));
	*ret = v;
	*ret_n = k->n;
	*ret_user_namespaces = policy.user_namespaces;
	return 0;
}

int seccomp_compile_policy(
	const char *policy_file, struct sock_filter **ret, size_t *ret_n, struct err *err)
{
	unsigned ignored;
	return seccomp_compile_policy_with(policy_file, NULL, NULL, ret, ret_n, &ignored, err);
}
