/* cli/cmd-policy-edit.c - bawn-admin policy-edit CONFIG allow|private|deny|rm RULE: one rule more,
 * or less, in CONFIG/policies/user.yaml.
 *
 * The file is the user's: it is edited as text, so that comments and order stay, written beside and
 * renamed.  Whether the edit was right is not taken on trust: the new text is parsed again, and
 * must hold the old rules and the change, and nothing else; where its layout is one that this
 * doesn't understand, it is left alone and the user is told.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/file.h"
#include "cli/admin.h"
#include "policy/compile.h"

#define NAME "user.yaml"
#define MAX_BYTES (4u << 20)

static const char usage[] = "bawn-admin policy-edit CONFIG allow|private|deny|rm RULE";

struct edit {
	struct arena a;
	struct locate locate;
	const char *dir, *path; /* CONFIG/policies, and the file in it */
	bool remove;
	struct rule rule;
	struct egress_file was; /* no rules where there is no file */
	char *text;
};

static bool same(const struct rule *x, const struct rule *y)
{
	return x->deny == y->deny && x->kind == y->kind && x->bits == y->bits &&
		rule_same_requests(x, y) && x->n_ports == y->n_ports &&
		memcmp(x->ports, y->ports, x->n_ports * sizeof(*x->ports)) == 0 &&
		(x->kind == EGRESS_NET ? memcmp(&x->net, &y->net, sizeof(x->net)) == 0
				       : streq(x->name, y->name));
}

/* For rm: the rule, whether it allows or denies.  (Without a port those mean different ports.) */
static bool matches(struct edit *e, const struct rule *x)
{
	struct rule as = {.deny = x->deny};
	struct err ignored = {0};
	return rule_parse(&e->a, e->rule.text, &as, &ignored) == 0 && same(&as, x);
}

/* ---- the text ---- */

static size_t line_length(const char *s)
{
	size_t n = strcspn(s, "\n");
	return n + (s[n] == '\n');
}

static size_t indent_of(const char *s)
{
	return strspn(s, " ");
}

static bool blank(const char *s)
{
	const char *p = s + strspn(s, " \t\r");
	return *p == '\n' || *p == '\0' || *p == '#';
}

/* Behind the last line of the block list under key, or NULL; *ret_indent: of its items. */
static char *end_of_list(char *text, const char *key, size_t *ret_indent)
{
	size_t n = strlen(key);
	for (char *p = text; *p; p += line_length(p)) {
		if (strncmp(p, key, n) != 0 || p[n] != ':' || !blank(p + n + 1))
			continue;
		char *end = p + line_length(p);
		*ret_indent = 2;
		bool first = true;
		for (char *q = end; *q; q += line_length(q)) {
			size_t in = indent_of(q);
			if (blank(q))
				continue;
			if (in == 0 && *q != '-')
				break;
			if (first)
				*ret_indent = in;
			first = false;
			end = q + line_length(q);
		}
		return end;
	}
	return NULL;
}

static char *item_text(struct edit *e, size_t indent)
{
	struct arena *a = &e->a;
	char *item = arena_printf(a, "%*s- \"%s\"\n", (int)indent, "", e->rule.text);
	if (e->rule.private_ok)
		item = arena_printf(a, "%*s- host: \"%s\"\n%*s  private: true\n", (int)indent, "",
			e->rule.text, (int)indent, "");
	return item;
}

static char *add_item(struct edit *e)
{
	struct arena *a = &e->a;
	const char *key = e->rule.deny ? "deny" : "allow";
	size_t indent = 2, n = strlen(e->text);
	const char *newline = n && e->text[n - 1] != '\n' ? "\n" : "";
	char *at = end_of_list(e->text, key, &indent);
	if (!at) {
		char *item = item_text(e, 2);
		return item ? arena_printf(a, "%s%s%s:\n%s", e->text, newline, key, item) : NULL;
	}
	char *item = item_text(e, indent), *before = arena_dupn(a, e->text, (size_t)(at - e->text));
	if (!item || !before)
		return NULL;
	return arena_printf(a, "%s%s%s%s", before, *at ? "" : newline, item, at);
}

/* The item that begins on this line goes, with the lines that belong to it. */
static char *cut_item(struct edit *e, uint32_t line)
{
	char *p = e->text;
	for (uint32_t i = 1; i < line && *p; i++)
		p += line_length(p);
	size_t in = indent_of(p);
	if (p[in] != '-')
		return NULL;
	char *end = p + line_length(p);
	while (*end && !blank(end) && indent_of(end) > in)
		end += line_length(end);
	char *before = arena_dupn(&e->a, e->text, (size_t)(p - e->text));
	return before ? arena_printf(&e->a, "%s%s", before, end) : NULL;
}

/* ---- writing, and proving it ---- */

static int foreign_layout(struct edit *e, struct err *err)
{
	err_hint(err, "edit it by hand");
	return err_set(err, EINVAL, "%s has a layout that bawn does not edit", e->path);
}

/* Has now the rules of was, without those that go, and with the one that comes? */
static bool as_meant(struct edit *e, const struct egress_file *now)
{
	size_t k = 0, added = 0;
	for (size_t i = 0; i < e->was.rules.n; i++) {
		const struct rule *x = &e->was.rules.v[i];
		if (e->remove && matches(e, x))
			continue;
		if (k < now->rules.n && !same(&now->rules.v[k], x) &&
			same(&now->rules.v[k], &e->rule)) {
			k++;
			added++;
		}
		if (k == now->rules.n || !same(&now->rules.v[k], x) ||
			now->rules.v[k].private_ok != x->private_ok ||
			now->rules.v[k].raw != x->raw)
			return false;
		k++;
	}
	for (; k < now->rules.n && same(&now->rules.v[k], &e->rule); k++)
		added++;
	return k == now->rules.n && added == !e->remove && now->api == e->was.api;
}

static int write_new(struct edit *e, const char *text, struct err *err)
{
	char *fresh = arena_printf(&e->a, "%s/.new-%d.yaml", e->dir, (int)getpid());
	struct egress_file now = {0};
	if (!fresh)
		return err_set(err, ENOMEM, "out of memory");
	struct stat st;
	mode_t mode = stat(e->path, &st) == 0 ? st.st_mode & 0755 : 0600;
	int r = file_write_atomic(AT_FDCWD, fresh, text, strlen(text), mode, true, err);
	struct err parse = {0};
	if (r == 0 &&
		(compile_read_policy(&e->locate, fresh, &now, &parse) < 0 || !as_meant(e, &now)))
		r = foreign_layout(e, err);
	if (r == 0 && rename(fresh, e->path) < 0)
		r = err_sys(err, errno, "replace %s", e->path);
	if (r < 0)
		unlink(fresh);
	return r;
}

static int remove_rule(struct edit *e, struct err *err)
{
	char shown[200];
	size_t n = 0;
	char *text = e->text;
	for (size_t i = e->was.rules.n; i-- > 0;) { /* from the end: the lines before stay */
		if (!matches(e, &e->was.rules.v[i]))
			continue;
		n++;
		e->text = text;
		text = cut_item(e, e->was.rules.v[i].line);
		if (!text)
			return foreign_layout(e, err);
	}
	if (n)
		return write_new(e, text, err);
	err_hint(err, "the rules that were added: bawn policy ls");
	return err_set(err, ENOENT, "%s has no rule %s", e->path,
		escape_text(shown, sizeof(shown), e->rule.text));
}

static int add_rule(struct edit *e, struct err *err)
{
	for (size_t i = 0; i < e->was.rules.n; i++)
		if (same(&e->was.rules.v[i], &e->rule) &&
			(e->was.rules.v[i].private_ok || !e->rule.private_ok))
			return 0;
	char *text = add_item(e);
	return text ? write_new(e, text, err) : err_set(err, ENOMEM, "out of memory");
}

static int read_old(struct edit *e, struct err *err)
{
	const char *found = NULL;
	e->text = arena_dup(&e->a, "# Rules for all sandboxes: bawn policy allow, deny, rm.\n");
	int r = locate_user_policy(&e->locate, &found, err); /* owner, mode, no link */
	if (r < 0 || !found)
		return r;
	r = compile_read_policy(&e->locate, found, &e->was, err);
	if (r == 0 && file_read(&e->a, AT_FDCWD, found, MAX_BYTES, &e->text, err) < 0)
		r = -err->code;
	return r;
}

static int edit(struct edit *e, const char *verb, const char *text, struct err *err)
{
	e->remove = streq(verb, "rm");
	e->rule = (struct rule){.deny = streq(verb, "deny"), .private_ok = streq(verb, "private")};
	int r = rule_parse(&e->a, text, &e->rule, err);
	if (r == 0 && strpbrk(text, "\"\\\n"))
		r = err_set(err, EINVAL, "a rule has no quotes in it");
	if (r == 0)
		r = file_mkdir_private(e->dir, err);
	if (r < 0)
		return r;
	_cleanup_close_ int lock = open(e->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0)
		return err_sys(err, errno, "open %s", e->dir);
	while (flock(lock, LOCK_EX) < 0) /* one after the other */
		if (errno != EINTR)
			return err_sys(err, errno, "lock %s", e->dir);
	r = read_old(e, err);
	if (r < 0)
		return r;
	return e->remove ? remove_rule(e, err) : add_rule(e, err);
}

int cmd_policy_edit(int argc, char **argv)
{
	struct edit e = {0};
	struct err err = {0};
	if (argc != 4)
		return admin_usage(usage, "arguments are missing");
	e.locate = (struct locate){.a = &e.a, .config_dir = argv[1], .data_dir = argv[1]};
	e.dir = arena_printf(&e.a, "%s/policies", argv[1]);
	e.path = arena_printf(&e.a, "%s/policies/" NAME, argv[1]);
	int r = e.dir && e.path ? edit(&e, argv[2], argv[3], &err)
				: err_set(&err, ENOMEM, "out of memory");
	int code = r < 0 ? admin_fail(&err) : 0;
	arena_free(&e.a);
	return code;
}
