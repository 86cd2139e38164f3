/* confine/seccomp-compile.c - see seccomp-compile.h.
 *
 * Owns: the numbers of system calls, the BPF program.  Must not: decide what is allowed.
 *
 * Theory of operation.  libseccomp can't say "allow unless" or "EPERM unless": a call has one list
 * of conditions, and what matches none of them gets the default action of the whole filter.  So
 * three filters are made, each with one kind of rule only, and put one behind the other in one
 * program:
 *
 *   1 deny_if            default: go on
 *   2 allow, allow_if    default: go on
 *   3 deny, and EPERM for the calls of allow_if     default: ENOSYS
 *
 * "Go on" is a return of a value that no rule uses, replaced by a jump to the end of its part.  The
 * length of a part doesn't change, so its own (relative) jumps stay right.  Each part starts by
 * loading what it looks at.  The kernel still finds out which calls are allowed whatever their
 * arguments and keeps a bitmap of them (kernel/seccomp.c, seccomp_cache_prepare), as it only needs
 * loads of the number, masks, jumps and returns for that; those cost no filter run at all.
 */
#include "confine/seccomp-compile.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>

#include "base/fd.h"

/* An action that no policy can name. */
#define GO_ON SCMP_ACT_TRACE(0x6277)

enum part { PART_DENY_IF, PART_ALLOW, PART_DENY, PARTS };

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
#ifdef BAWN_MUTATION
	char guard[96];
	snprintf(guard, sizeof(guard), "syscall-%s", c->name);
	return GUARD_REMOVED(guard);
#else
	return false;
#endif
}

static int add_call(scmp_filter_ctx parts[PARTS], const struct policy_call *c, struct err *err)
{
	struct policy_call left_out = *c;
	int nr = 0;
	int r = call_number(c, &nr, err);
	if (r < 0 || nr < 0)
		return r;
	if (guard_removed(c)) {
		if (!c->allow && c->n_conds)
			return 0;
		left_out.allow = true;
		left_out.n_conds = 0;
		c = &left_out;
	}
	uint32_t refuse = SCMP_ACT_ERRNO((uint32_t)c->error);
	if (c->allow)
		r = add_rules(parts[PART_ALLOW], SCMP_ACT_ALLOW, nr, c);
	else if (c->n_conds)
		r = add_rules(parts[PART_DENY_IF], refuse, nr, c);
	else if (c->error != ENOSYS) /* else it is the default */
		r = add_rules(parts[PART_DENY], refuse, nr, c);
	/* What none of allow_if's rows matches exists and is refused. */
	if (r == 0 && c->allow && c->n_conds) {
		r = seccomp_rule_add(parts[PART_DENY], SCMP_ACT_ERRNO(EPERM), nr, 0);
		if (r == -EEXIST)
			r = 0;
	}
	if (r < 0)
		return yaml_err(err, c->file, c->at,
			"libseccomp does not take the rule on \"%s\": %s", c->call, strerror(-r));
	return 0;
}

static int open_parts(scmp_filter_ctx parts[PARTS], struct err *err)
{
	static const uint32_t defaults[PARTS] = {
		[PART_DENY_IF] = GO_ON, [PART_ALLOW] = GO_ON, [PART_DENY] = SCMP_ACT_ERRNO(ENOSYS)};
	for (int i = 0; i < PARTS; i++) {
		parts[i] = seccomp_init(defaults[i]);
		if (!parts[i])
			return err_set(err, ENOMEM, "libseccomp does not start");
		/* Calls of another architecture: refused as if the kernel hadn't them. 2: a binary
		 * tree instead of a list, 9 comparisons instead of up to 300. */
		int r = seccomp_attr_set(parts[i], SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
		if (r == 0)
			r = seccomp_attr_set(parts[i], SCMP_FLTATR_CTL_OPTIMIZE, 2);
		if (r < 0)
			return err_sys(err, -r, "libseccomp");
	}
	return 0;
}

struct program {
	struct sock_filter v[BPF_MAXINSNS];
	size_t n;
};

static int append_part(struct program *p, scmp_filter_ctx ctx, struct err *err)
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

static int compile(const struct seccomp_policy *policy, scmp_filter_ctx parts[PARTS],
	struct program *ret, struct err *err)
{
	int r = open_parts(parts, err);
	for (size_t i = 0; r == 0 && i < policy->n; i++)
		if (!policy->calls[i].dropped)
			r = add_call(parts, &policy->calls[i], err);
	for (int i = 0; r == 0 && i < PARTS; i++)
		r = append_part(ret, parts[i], err);
	return r;
}

int seccomp_compile_policy_with(const char *policy_file, seccomp_locate locate, void *ctx,
	struct sock_filter **ret, size_t *ret_n, struct err *err)
{
	_cleanup_(arena_free) struct arena a = {0};
	struct seccomp_policy policy;
	int r = seccomp_policy_read(&a, policy_file, locate, ctx, &policy, err);
	if (r < 0)
		return r;
	_cleanup_free_ struct program *p = calloc(1, sizeof(*p));
	if (!p)
		return err_set(err, ENOMEM, "out of memory");
	scmp_filter_ctx parts[PARTS] = {0};
	r = compile(&policy, parts, p, err);
	for (int i = 0; i < PARTS; i++)
		if (parts[i])
			seccomp_release(parts[i]);
	if (r < 0)
		return r;
	struct sock_filter *v = calloc(p->n, sizeof(*v));
	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	memcpy(v, p->v, p->n * sizeof(*v));
	*ret = v;
	*ret_n = p->n;
	return 0;
}

int seccomp_compile_policy(
	const char *policy_file, struct sock_filter **ret, size_t *ret_n, struct err *err)
{
	return seccomp_compile_policy_with(policy_file, NULL, NULL, ret, ret_n, err);
}
