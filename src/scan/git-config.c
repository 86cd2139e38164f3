/* scan/git-config.c - see git-config.h
 *
 * Theory: the reader keeps, for every entry, the bytes of the text it came from.  A merge never
 * writes the file anew from parsed data: it cuts the bytes of removed entries out of the real text
 * and puts new lines in at the end of their section, so that comments and foreign settings stay.
 */
#include "scan/git-config.h"

#include <ctype.h>
#include <strings.h>

#include "base/blob.h"

#define ENTRIES_MAX 5000 /* a merge is quadratic in it */

struct reader {
	struct arena *a;
	const char *text, *p, *end;
	size_t line;
	const char *section, *subsection;
	struct git_config *out;
	struct err *err;
};

static int bad(struct reader *r, const char *what)
{
	return err_set(r->err, EINVAL, "git config line %zu: %s", r->line, what);
}

static int peek(const struct reader *r)
{
	return r->p < r->end ? (unsigned char)*r->p : -1;
}

/* CR LF counts as one newline, as in git. */
static int get(struct reader *r)
{
	if (r->p >= r->end)
		return -1;
	int c = (unsigned char)*r->p++;
	if (c == '\r' && peek(r) == '\n')
		c = (unsigned char)*r->p++;
	if (c == '\n')
		r->line++;
	return c;
}

static void skip_blank(struct reader *r)
{
	while (peek(r) == ' ' || peek(r) == '\t')
		r->p++;
}

static void skip_comment(struct reader *r)
{
	int c;
	do
		c = get(r);
	while (c >= 0 && c != '\n');
}

static char *lower(struct arena *a, const char *s, size_t n)
{
	char *p = arena_dupn(a, s, n);
	for (size_t i = 0; p && i < n; i++)
		p[i] = (char)tolower((unsigned char)p[i]);
	return p;
}

/* [section], [section "sub"], [section.sub] */
static int read_section(struct reader *r)
{
	const char *s = r->p;
	while (isalnum(peek(r)) || peek(r) == '-' || peek(r) == '.')
		r->p++;
	size_t n = (size_t)(r->p - s);
	if (n == 0)
		return bad(r, "a section without a name");
	r->subsection = NULL;
	r->section = lower(r->a, s, n);
	char *dot = r->section ? strchr(r->section, '.') : NULL;
	if (dot) {
		*dot = '\0';
		r->subsection = dot + 1;
	}
	if (peek(r) == ' ' || peek(r) == '\t') {
		skip_blank(r);
		if (get(r) != '"' || dot)
			return bad(r, "a section name that is not quoted");
		char *sub = arena_alloc(r->a, (size_t)(r->end - r->p) + 1), *o = sub;
		int c;
		while (sub && (c = get(r)) != '"') {
			if (c == '\\')
				c = get(r);
			if (c < 0 || c == '\n')
				return bad(r, "a section name that does not end");
			*o++ = (char)c;
		}
		r->subsection = sub;
	}
	return get(r) == ']' ? 0 : bad(r, "a section name that does not end");
}

/* The value behind "=": quotes, escapes, comments, continued lines (git's parse_value). */
static int read_value(struct reader *r, char **ret)
{
	size_t left = (size_t)(r->end - r->p);
	char small[2048], *big = left < sizeof(small) ? NULL : malloc(left + 1);
	char *buf = left < sizeof(small) ? small : big;
	char *o = buf, *keep = buf; /* keep: behind the last non-blank */
	bool quoted = false;
	int res = buf ? 1 : -ENOMEM;
	skip_blank(r);
	while (res > 0) {
		int c = get(r);
		if (c < 0 || c == '\n') {
			res = quoted ? bad(r, "a quote that does not end") : 0;
		} else if (!quoted && (c == ';' || c == '#')) {
			skip_comment(r);
			res = 0;
		} else if (c == '"') {
			quoted = !quoted;
			keep = o;
		} else if (c == '\\') {
			static const char from[] = "tbn\\\"", to[] = "\t\b\n\\\"";
			c = get(r);
			const char *at = c > 0 ? strchr(from, c) : NULL;
			if (c == '\n')
				continue;
			if (!at) {
				res = bad(r, "an unknown escape");
				break;
			}
			*o++ = to[at - from];
			keep = o;
		} else {
			*o++ = (char)c;
			if (quoted || (c != ' ' && c != '\t'))
				keep = o;
		}
	}
	if (res == 0) {
		*ret = arena_dupn(r->a, buf, (size_t)(keep - buf));
		res = *ret ? 0 : -ENOMEM;
	}
	free(big);
	return res;
}

static struct git_config_entry *new_entry(struct reader *r)
{
	struct git_config *o = r->out;
	struct git_config_entry *v = arena_grow(r->a, o->v, o->n, &o->cap, sizeof(*v));
	if (!v)
		return NULL;
	o->v = v;
	return &o->v[o->n++];
}

static int read_entry(struct reader *r, const char *start)
{
	const char *s = r->p;
	size_t line = r->line;
	char *value = NULL;
	if (!r->section)
		return bad(r, "a setting before any section");
	if (r->out->n >= ENTRIES_MAX)
		return bad(r, "too many settings");
	while (isalnum(peek(r)) || peek(r) == '-')
		r->p++;
	char *name = lower(r->a, s, (size_t)(r->p - s));
	skip_blank(r);
	int c = peek(r), res = 0;
	if (c == '=') {
		r->p++;
		res = read_value(r, &value);
	} else if (c < 0 || c == '\n' || c == '\r') {
		if (get(r) == '\r')
			return bad(r, "a stray carriage return");
	} else if (c == ';' || c == '#') {
		skip_comment(r);
	} else {
		return bad(r, "something odd behind a name");
	}
	struct git_config_entry *e = res == 0 ? new_entry(r) : NULL;
	if (!e)
		return res < 0 ? res : err_set(r->err, ENOMEM, "out of memory");
	*e = (struct git_config_entry){.section = r->section,
		.subsection = r->subsection,
		.name = name,
		.value = value,
		.line = line,
		.start = (size_t)(start - r->text),
		.end = (size_t)(r->p - r->text)};
	e->key = r->subsection ? arena_printf(r->a, "%s.%s.%s", r->section, r->subsection, name)
			       : arena_printf(r->a, "%s.%s", r->section, name);
	return e->key && name ? 0 : err_set(r->err, ENOMEM, "out of memory");
}

int git_config_parse(
	struct arena *a, const char *text, size_t n, struct git_config *ret, struct err *err)
{
	struct git_config out = {0};
	struct reader r = {.a = a,
		.text = text,
		.p = text,
		.end = text + n,
		.line = 1,
		.out = &out,
		.err = err};
	int res = 0;
	if (n > GIT_CONFIG_MAX)
		return err_set(err, EFBIG, "git config larger than %zu bytes", GIT_CONFIG_MAX);
	if (n && memchr(text, 0, n))
		return err_set(err, EINVAL, "git config holds a NUL byte");
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		r.p += 3;
	while (res == 0 && r.p < r.end) {
		const char *start = r.p;
		skip_blank(&r);
		int c = peek(&r);
		if (c == '\n' || c == '\r') {
			if (get(&r) == '\r')
				res = bad(&r, "a stray carriage return");
		} else if (c == '#' || c == ';') {
			skip_comment(&r);
		} else if (c == '[') {
			r.p++;
			res = read_section(&r);
		} else if (isalpha(c)) {
			res = read_entry(&r, start);
		} else if (c >= 0) {
			res = bad(&r, "a line that is neither section nor setting");
		}
	}
	if (res == 0)
		res = arena_check(a, err);
	if (res == 0)
		*ret = out;
	return res;
}

/* How the value of an allowed key is checked. */
enum value_kind {
	ANY,  /* plain text without control bytes */
	BOOL, /* a git boolean, or one of a few words */
	NUMBER,
	WORD, /* [A-Za-z0-9_.-]+ */
	REF,  /* a ref name or branch */
	REFSPEC,
	URL,
};

static const struct allowed {
	const char *section;
	bool sub; /* has a subsection (any name that is a plain one) */
	const char *name;
	enum value_kind kind;
} allowed[] = {
	{"branch", true, "remote", REF},
	{"branch", true, "merge", REF},
	{"branch", true, "rebase", WORD},
	{"branch", true, "pushremote", REF},
	{"branch", true, "description", ANY},
	{"branch", true, "autosetupmerge", WORD},
	{"branch", true, "vscode-merge-base", REF},
	{"branch", true, "github-pr-owner-number", ANY},
	{"branch", false, "autosetuprebase", WORD},
	{"branch", false, "autosetupmerge", WORD},
	{"branch", false, "sort", WORD},
	{"remote", true, "url", URL},
	{"remote", true, "pushurl", URL},
	{"remote", true, "fetch", REFSPEC},
	{"remote", true, "push", REFSPEC},
	{"remote", true, "tagopt", WORD},
	{"remote", true, "prune", BOOL},
	{"remote", true, "prunetags", BOOL},
	{"remote", true, "mirror", BOOL},
	{"remote", true, "skipdefaultupdate", BOOL},
	{"remote", true, "skipfetchall", BOOL},
	{"remote", true, "promisor", BOOL},
	{"remote", true, "partialclonefilter", WORD},
	{"remote", true, "gh-resolved", ANY},
	{"remote", false, "pushdefault", REF},
	{"user", false, "name", ANY},
	{"user", false, "email", ANY},
	{"user", false, "useconfigonly", BOOL},
	{"author", false, "name", ANY},
	{"author", false, "email", ANY},
	{"committer", false, "name", ANY},
	{"committer", false, "email", ANY},
	{"core", false, "autocrlf", WORD},
	{"core", false, "eol", WORD},
	{"core", false, "safecrlf", WORD},
	{"core", false, "filemode", BOOL},
	{"core", false, "ignorecase", BOOL},
	{"core", false, "precomposeunicode", BOOL},
	{"core", false, "symlinks", BOOL},
	{"core", false, "quotepath", BOOL},
	{"core", false, "abbrev", WORD},
	{"core", false, "commentchar", ANY},
	{"core", false, "whitespace", ANY},
	{"core", false, "logallrefupdates", WORD},
	{"core", false, "compression", NUMBER},
	{"core", false, "untrackedcache", WORD},
	{"core", false, "preloadindex", BOOL},
	{"core", false, "sparsecheckout", BOOL},
	{"core", false, "sparsecheckoutcone", BOOL},
	{"core", false, "bare", BOOL},
	{"core", false, "longpaths", BOOL},
	{"core", false, "checkstat", WORD},
	{"core", false, "commitgraph", BOOL},
	{"core", false, "multipackindex", BOOL},
	{"index", false, "version", NUMBER},
	{"index", false, "sparse", BOOL},
	{"index", false, "threads", WORD},
	{"feature", false, "manyfiles", BOOL},
	{"pull", false, "rebase", WORD},
	{"pull", false, "ff", WORD},
	{"push", false, "default", WORD},
	{"push", false, "autosetupremote", BOOL},
	{"push", false, "followtags", BOOL},
	{"push", false, "recursesubmodules", WORD},
	{"fetch", false, "prune", BOOL},
	{"fetch", false, "prunetags", BOOL},
	{"fetch", false, "parallel", NUMBER},
	{"fetch", false, "recursesubmodules", WORD},
	{"fetch", false, "writecommitgraph", BOOL},
	{"merge", false, "ff", WORD},
	{"merge", false, "conflictstyle", WORD},
	{"merge", false, "renames", WORD},
	{"merge", false, "renamelimit", NUMBER},
	{"merge", false, "autostash", BOOL},
	{"merge", false, "stat", WORD},
	{"merge", false, "log", WORD},
	{"rebase", false, "autostash", BOOL},
	{"rebase", false, "autosquash", BOOL},
	{"rebase", false, "updaterefs", BOOL},
	{"rebase", false, "stat", BOOL},
	{"rebase", false, "missingcommitscheck", WORD},
	{"rerere", false, "enabled", BOOL},
	{"rerere", false, "autoupdate", BOOL},
	{"diff", false, "algorithm", WORD},
	{"diff", false, "renames", WORD},
	{"diff", false, "renamelimit", NUMBER},
	{"diff", false, "mnemonicprefix", BOOL},
	{"diff", false, "noprefix", BOOL},
	{"diff", false, "colormoved", WORD},
	{"diff", false, "submodule", WORD},
	{"diff", false, "context", NUMBER},
	{"diff", false, "ignoresubmodules", WORD},
	{"status", false, "showuntrackedfiles", WORD},
	{"status", false, "short", BOOL},
	{"status", false, "branch", BOOL},
	{"status", false, "submodulesummary", WORD},
	{"commit", false, "verbose", WORD},
	{"commit", false, "cleanup", WORD},
	{"commit", false, "gpgsign", BOOL},
	{"commit", false, "status", BOOL},
	{"tag", false, "sort", WORD},
	{"tag", false, "gpgsign", BOOL},
	{"log", false, "date", WORD},
	{"log", false, "decorate", WORD},
	{"log", false, "follow", BOOL},
	{"log", false, "abbrevcommit", BOOL},
	{"log", false, "showsignature", BOOL},
	{"format", false, "signoff", BOOL},
	{"init", false, "defaultbranch", REF},
	{"gc", false, "auto", NUMBER},
	{"gc", false, "autodetach", BOOL},
	{"maintenance", false, "auto", BOOL},
	{"maintenance", false, "strategy", WORD},
	{"stash", false, "showpatch", BOOL},
	{"stash", false, "showuntracked", BOOL},
	{"blame", false, "date", WORD},
	{"advice", false, NULL, BOOL},
	{"color", false, NULL, WORD},
	{"color", true, NULL, ANY},
	{"column", false, NULL, ANY},
	{"help", false, "autocorrect", NUMBER},
	{"submodule", true, "url", URL},
	{"submodule", true, "active", BOOL},
	{"submodule", true, "update", WORD},
	{"submodule", true, "branch", REF},
	{"submodule", true, "shallow", BOOL},
	{"submodule", true, "ignore", WORD},
	{"submodule", false, "recurse", BOOL},
	{"submodule", false, "active", REF},
	{"submodule", false, "fetchjobs", NUMBER},
	{"lfs", false, "repositoryformatversion", NUMBER},
	{"worktree", false, "guessremote", BOOL},
	{"checkout", false, "defaultremote", REF},
	{"checkout", false, "workers", NUMBER},
};

static bool only(const char *v, const char *extra, size_t max)
{
	size_t n = strlen(v);
	if (n > max)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)v[i]) && !strchr(extra, v[i]))
			return false;
	return true;
}

static bool no_control_but(const char *v, const char *but)
{
	for (; *v; v++)
		if (((unsigned char)*v < 0x20 || *v == 0x7f) && !strchr(but, *v))
			return false;
	return true;
}

static bool no_control(const char *v)
{
	return no_control_but(v, "");
}

bool git_config_is_path(const char *v)
{
	const char *colon = strchr(v, ':'), *slash = strchr(v, '/');
	return !colon || (slash && slash < colon);
}

/* https, http, ssh, git URLs, scp-like addresses and plain paths.  Nothing that names a transport
 * helper ("ext::sh -c ...", git-remote-ext(1)), nothing that ssh would take for an option. */
static bool plain_url(const char *v)
{
	static const char *const schemes[] = {"https://", "http://", "ssh://", "git://"};
	if (!*v || strlen(v) > 2048 || !no_control(v) || v[0] == '-' || strstr(v, "::"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (has_prefix(v, schemes[i])) {
			const char *host = v + strlen(schemes[i]);
			const char *at = strpbrk(host, "@/");
			return *host != '-' && !(at && *at == '@' && at[1] == '-');
		}
	if (strstr(v, "://"))
		return false;
	const char *colon = strchr(v, ':'), *at = strchr(v, '@');
	return git_config_is_path(v) || !(at && at < colon && at[1] == '-'); /* host:path */
}

static bool value_ok(enum value_kind kind, const char *v)
{
	switch (kind) {
	case ANY:
		return strlen(v) <= 4096 && no_control_but(v, "\n\t") && v[0] != '!';
	case BOOL:
		return only(v, "", 5);
	case NUMBER:
		return only(v, "-", 12);
	case WORD:
		return only(v, "_.:=-", 128) && v[0] != '!';
	case REF:
		return strlen(v) <= 1024 && no_control(v) && v[0] != '-' &&
			!strpbrk(v, " ~^:?*[\\");
	case REFSPEC:
		return *v && strlen(v) <= 1024 && no_control(v) && v[0] != '-' &&
			!strpbrk(v, " ~?[\\");
	case URL:
		return plain_url(v);
	}
	return false;
}

bool git_config_plain(const struct git_config_entry *e)
{
	if (e->subsection &&
		(!no_control(e->subsection) || strlen(e->subsection) > 1024 ||
			e->subsection[0] == '-' || strstr(e->subsection, "::")))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
		const struct allowed *w = &allowed[i];
		if (!streq(w->section, e->section) || w->sub != (e->subsection != NULL))
			continue;
		if (w->name && !streq(w->name, e->name))
			continue;
		if (streq(e->section, "color") && (streq(e->name, "pager") || strchr(e->name, '!')))
			return e->value == NULL || only(e->value, "", 5);
		/* remote.NAME: a name that is itself a URL or path would be used as one */
		if (streq(e->section, "remote") && e->subsection && strpbrk(e->subsection, ":\\ "))
			return false;
		return e->value ? value_ok(w->kind, e->value) : w->kind == BOOL || w->kind == WORD;
	}
	return false;
}

/* A path that ends in a carriage return is read as another one than it is written as
 * (CVE-2025-48384); one with ".git" in it lands among hooks on a file system that ignores case
 * (CVE-2024-32002). */
static bool odd_path(const char *v)
{
	for (const char *p = v;; p += strcspn(p, "/"), p += *p == '/') {
		size_t n = strcspn(p, "/");
		if ((n == 2 && memcmp(p, "..", 2) == 0) ||
			(n == 4 && strncasecmp(p, ".git", 4) == 0))
			return true;
		if (!p[n])
			break;
	}
	return v[0] == '-' || !no_control(v);
}

bool git_config_module_runs(const struct git_config_entry *e)
{
	const char *v = e->value;
	if (!streq(e->section, "submodule"))
		return false;
	/* the name is a directory below .git/modules (CVE-2018-11235) */
	if (e->subsection && odd_path(e->subsection))
		return true;
	if (!v)
		return false;
	return (streq(e->name, "update") && v[0] == '!') ||
		(streq(e->name, "url") && !git_config_plain(e)) ||
		(streq(e->name, "path") && odd_path(v));
}
