/* policy/lint.c - see lint.h.  Must not: refuse anything; refusals are the parsers'. */
#include "policy/lint.h"

#include <fnmatch.h>

static int by_name(const void *pa, const void *pb)
{
	const struct rule *a = *(const struct rule *const *)pa;
	const struct rule *b = *(const struct rule *const *)pb;
	int c = strcmp(a->name, b->name);
	return c ? c : a < b ? -1 : a > b;
}

struct index {
	const struct rule **v;
	size_t n;
};

/* The rules on this very name (whatever their wildcard), from *ret on. */
static size_t find_name(const struct index *ix, const char *name, size_t *ret)
{
	size_t lo = 0, hi = ix->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (strcmp(ix->v[mid]->name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	size_t n = 0;
	while (lo + n < ix->n && streq(ix->v[lo + n]->name, name))
		n++;
	*ret = lo;
	return n;
}

/* Does a make b pointless?  Of two that are the same, the later one is. */
static bool shadows(const struct rule *a, const struct rule *b)
{
	if (a == b || !rule_covers_host(a, b) || !rule_covers_ports(a, b) ||
		!rule_covers_requests(a, b))
		return false;
	if (a->deny != b->deny)
		return a->deny;
	if (!a->deny && ((b->private_ok && !a->private_ok) || (b->raw && !a->raw)))
		return false;
	if (b->max_upload)
		return false;
	bool same = rule_covers_host(b, a) && rule_covers_ports(b, a) && rule_covers_requests(b, a);
	return !same || a < b;
}

static const struct rule *find_shadow(const struct index *ix, const struct rule *r)
{
	/* Only rules on the name itself or one of its suffixes can cover it. */
	for (const char *name = r->name; name;) {
		size_t first, n = find_name(ix, name, &first);
		for (size_t i = first; i < first + n; i++)
			if (shadows(ix->v[i], r))
				return ix->v[i];
		if (!*name)
			break;
		const char *dot = strchr(name, '.');
		name = dot ? dot + 1 : name + strlen(name);
	}
	return NULL;
}

int lint_rules(struct arena *a, const struct rules *rules, lint_fn *fn, void *ctx)
{
	char buf[300];
	int found = 0;
	struct psl psl;
	psl_load(a, PSL_FILE, &psl);
	struct index ix = {.v = arena_alloc(a, (rules->n + 1) * sizeof(*ix.v)), .n = rules->n};
	if (!ix.v)
		return -ENOMEM;
	for (size_t i = 0; i < rules->n; i++)
		ix.v[i] = &rules->v[i];
	qsort(ix.v, ix.n, sizeof(*ix.v), by_name);
	for (size_t i = 0; i < rules->n; i++) {
		const struct rule *r = &rules->v[i];
		const char *s = rule_suspicious(r, buf, sizeof(buf));
		if (!s)
			s = lint_rule(r, &psl, buf, sizeof(buf));
		if (s) {
			fn(ctx, r->file, r->line, r->col, s);
			found++;
		}
		const char *odd = rule_odd_method(r);
		if (odd) {
			snprintf(buf, sizeof(buf), "%.*s is not one of the usual methods",
				(int)strcspn(odd, ","), odd);
			fn(ctx, r->file, r->line, r->col, buf);
			found++;
		}
		const struct rule *by = find_shadow(&ix, r);
		if (!by)
			continue;
		if (by->deny && !r->deny)
			snprintf(buf, sizeof(buf),
				"never allows anything: line %u denies \"%.200s\"", by->line,
				by->text);
		else
			snprintf(buf, sizeof(buf), "line %u (\"%.200s\") covers it already",
				by->line, by->text);
		fn(ctx, r->file, r->line, r->col, buf);
		found++;
	}
	return found;
}

int lint_credentials(const struct credentials *list, lint_fn *fn, void *ctx)
{
	char why[300], buf[400];
	int found = 0;
	for (size_t i = 0; i < list->n; i++)
		for (size_t k = 0; k < list->v[i].n_hosts; k++) {
			const struct credential *c = &list->v[i];
			const struct rule r = {.kind = c->hosts[k].kind,
				.name = c->hosts[k].name,
				.private_ok = true};
			const char *s = rule_suspicious(&r, why, sizeof(why));
			if (!s)
				continue;
			snprintf(buf, sizeof(buf), "the secret %.64s: %s", c->secret, s);
			fn(ctx, c->file, c->line, 1, buf);
			found++;
		}
	return found;
}

int lint_profile(const struct profile *p, lint_fn *fn, void *ctx)
{
	/* Variables by which the caller's environment runs code in every program inside. */
	static const char *const risky[] = {"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "BASH_ENV",
		"ENV", "PROMPT_COMMAND", "NODE_OPTIONS", "BUN_OPTIONS", "PYTHONSTARTUP",
		"PYTHONPATH", "PERL5OPT", "RUBYOPT", "GIT_SSH_COMMAND", "SSH_AUTH_SOCK",
		"DBUS_SESSION_BUS_ADDRESS"};
	char buf[300];
	int found = 0;
	for (size_t i = 0; i < p->env_pass.n; i++)
		for (size_t k = 0; k < ARRAY_LEN(risky); k++)
			if (fnmatch(p->env_pass.v[i], risky[k], 0) == 0) {
				snprintf(buf, sizeof(buf), "env.pass \"%.100s\" lets %s in",
					p->env_pass.v[i], risky[k]);
				fn(ctx, p->file, 1, 1, buf);
				found++;
			}
	if (p->yolo_after.n && !p->yolo.n) {
		fn(ctx, p->file, 1, 1, "yolo-after without yolo");
		found++;
	}
	if (p->yolo_not_before.n && !p->yolo.n) {
		fn(ctx, p->file, 1, 1, "yolo-not-before without yolo");
		found++;
	}
	for (size_t i = 0; i < p->yolo_since.n; i++) {
		const char *flag = p->yolo_since.v[i];
		size_t n = strcspn(flag, "="), k = 0;
		while (k < p->yolo.n && (strncmp(p->yolo.v[k], flag, n) != 0 || p->yolo.v[k][n]))
			k++;
		if (k == p->yolo.n) {
			snprintf(buf, sizeof(buf), "yolo-since names \"%.*s\", which yolo has not",
				(int)MIN(n, (size_t)100), flag);
			fn(ctx, p->file, 1, 1, buf);
			found++;
		}
	}
	if (p->args_replace && (p->yolo.n || p->n_subs)) {
		fn(ctx, p->file, 1, 1, "yolo and subcommands have no effect with \"exec: true\"");
		found++;
	}
	if (!p->install) {
		fn(ctx, p->file, 1, 1,
			"no \"install\": when the tool is absent, nothing says how to get it");
		found++;
	}
	return found;
}
