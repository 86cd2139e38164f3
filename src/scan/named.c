/* scan/named.c - see named.h */
#include "scan/named.h"

#include <limits.h>

#include "base/path.h"

enum how {
	HOW_PROGRAM, /* a command: its words */
	HOW_ASKED,   /* the same behind a "!" */
	HOW_FILE,    /* a path, from the top of the work tree */
	HOW_CONFIG,  /* a path, from where the setting stands */
};

/* names: all when NULL.  core.hooksPath has ways of its own. */
static const struct {
	const char *section;
	enum how how;
	const char *names;
} table[] = {
	{"include", HOW_CONFIG, "path"},
	{"includeif", HOW_CONFIG, "path"},
	{"core", HOW_FILE, "attributesfile excludesfile"},
	{"commit", HOW_FILE, "template"},
	{"blame", HOW_FILE, "ignorerevsfile"},
	{"mailmap", HOW_FILE, "file"},
	{"init", HOW_FILE, "templatedir"},
	{"gpg", HOW_FILE, "allowedsignersfile revocationfile"},
	{"alias", HOW_ASKED, NULL},
	{"core", HOW_PROGRAM,
		"fsmonitor sshcommand editor pager askpass gitproxy alternaterefscommand"},
	{"sequence", HOW_PROGRAM, "editor"},
	{"pager", HOW_PROGRAM, NULL},
	{"interactive", HOW_PROGRAM, "difffilter"},
	{"diff", HOW_PROGRAM, "external command textconv"},
	{"filter", HOW_PROGRAM, NULL},
	{"merge", HOW_PROGRAM, "driver"},
	{"mergetool", HOW_PROGRAM, "cmd path"},
	{"difftool", HOW_PROGRAM, "cmd path"},
	{"credential", HOW_PROGRAM, "helper"},
	{"gpg", HOW_PROGRAM, "program defaultkeycommand"},
	{"trailer", HOW_PROGRAM, "cmd command"},
	{"hook", HOW_PROGRAM, "command"},
	{"uploadpack", HOW_PROGRAM, "packobjectshook"},
	{"remote", HOW_PROGRAM, "uploadpack receivepack"},
	{"submodule", HOW_PROGRAM, "update"},
	{"man", HOW_PROGRAM, "cmd path"},
	{"browser", HOW_PROGRAM, "cmd path"},
	{"sendemail", HOW_PROGRAM, "sendmailcmd tocmd cccmd headercmd smtpserver"},
	{"tar", HOW_PROGRAM, "command"},
	{"gc", HOW_PROGRAM, "recentobjectshook"},
	{"imap", HOW_PROGRAM, "tunnel"},
	{"instaweb", HOW_PROGRAM, "httpd browser modulepath"},
	{"guitool", HOW_PROGRAM, "cmd"},
	/* programs that come with git, or beside it, and have their settings there */
	{"lfs", HOW_PROGRAM, "path clean smudge"},
	{"annex", HOW_PROGRAM, NULL},
	{"tig", HOW_PROGRAM, NULL},
	{"secrets", HOW_PROGRAM, "providers"},
};

static bool has_word(const char *words, const char *name)
{
	const size_t n = strlen(name);
	for (const char *p = words; *p; p += strspn(p, " ")) {
		const size_t k = strcspn(p, " ");
		if (k == n && memcmp(p, name, n) == 0)
			return true;
		p += k;
	}
	return false;
}

/* path below dir (or absolute, or "~/x"), folded as if there were no links: below root, or NULL. */
static char *below(const struct named_from *f, const char *dir, const char *path)
{
	char out[PATH_MAX];
	size_t len = 0;
	const char *parts[] = {dir, path};
	if (*path == '/')
		parts[0] = "";
	else if (path[0] == '~' && path[1] == '/' && f->home)
		parts[0] = f->home, parts[1] = path + 2;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		for (const char *p = parts[i]; *p;) {
			p += strspn(p, "/");
			const size_t k = strcspn(p, "/");
			if (k == 2 && p[0] == '.' && p[1] == '.') {
				while (len && out[--len] != '/')
					;
			} else if (k && !(k == 1 && p[0] == '.')) {
				if (len + k + 2 > sizeof(out))
					return NULL;
				out[len++] = '/';
				memcpy(out + len, p, k);
				len += k;
			}
			p += k;
		}
	out[len] = '\0';
	const size_t n = strlen(f->root);
	return path_within(out, f->root) && out[n] == '/' ? arena_dup(f->a, out + n + 1) : NULL;
}

struct naming {
	const struct named_from *from;
	const char *why;
	unsigned int flags;
	named_fn fn;
	void *ctx;
};

static void name(const struct naming *n, const char *dir, const char *path)
{
	const char *rel = below(n->from, dir, path);
	if (rel)
		n->fn(n->ctx, rel, n->why, n->flags);
}

/* A first word without a slash is looked for in PATH; of an alias, whatever has none may be a
 * branch or an option. */
static void words(const struct naming *n, char *value)
{
	static const char ends[] = " \t\n\"'`$();|&<>={},!";
	bool first = true;
	for (char *p = value; *(p += strspn(p, ends)); first = false) {
		const size_t k = strcspn(p, ends);
		const bool more = p[k];
		p[k] = '\0';
		if (*p != '-' && (strchr(p, '/') || !(first || (n->flags & NAMED_ASKED))))
			name(n, n->from->root, p);
		p += k + more;
	}
}

void named_by_git(
	const struct named_from *from, const char *key, const char *value, named_fn fn, void *ctx)
{
	const char *dot = strchr(key, '.'), *last = strrchr(key, '.');
	if (!dot || !value || strlen(value) >= PATH_MAX)
		return;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const size_t n = strlen(table[i].section);
		if ((size_t)(dot - key) != n || memcmp(key, table[i].section, n) != 0 ||
			(table[i].names && !has_word(table[i].names, last + 1)))
			continue;
		const enum how how = table[i].how;
		const bool config = how == HOW_CONFIG;
		struct naming m = {.from = from,
			.why = arena_printf(from->a,
				config ? "git's configuration goes on in it: %s"
				       : "named by the git setting %s",
				key),
			.flags = (config ? NAMED_CONFIG : 0) |
				(how == HOW_ASKED ? NAMED_ASKED : 0) |
				(how == HOW_ASKED || how == HOW_PROGRAM ? NAMED_WORD : 0),
			.fn = fn,
			.ctx = ctx};
		char *copy = arena_dup(from->a, value);
		if (!copy || !m.why)
			return;
		if (how == HOW_FILE || config)
			name(&m, config ? from->dir : from->root, value);
		else if (how == HOW_PROGRAM || value[0] == '!')
			words(&m, copy);
		return;
	}
}

void named_by_user(struct arena *a, const char *root, const char *home, const struct strv *settings,
	named_fn fn, void *ctx)
{
	const char *xdg = home ? path_join(a, home, ".config/git") : NULL;
	const struct named_from in_home = {a, root, home, home}, in_xdg = {a, root, xdg, home};
	for (size_t i = 0; xdg && i + 1 < settings->n; i += 2) {
		named_by_git(&in_home, settings->v[i], settings->v[i + 1], fn, ctx);
		if (has_prefix(settings->v[i], "include"))
			named_by_git(&in_xdg, settings->v[i], settings->v[i + 1], fn, ctx);
	}
}
