/* seed/script.c - see script.h
 *
 * Theory: a full answer would need a shell.  What matters is told by the first word of the first
 * command, by the script an interpreter is given, and by any word that names a file of the home
 * which exists on the host but was not copied.
 */
#include "seed/script.h"

#include <ctype.h>

#include "base/path.h"

#define WORD_MAX 1024
#define WORDS_MAX 64

struct words {
	char *v[WORDS_MAX];
	size_t n;
	bool opaque; /* the first word holds an expansion we don't know */
};

/* Variables that stand for directories we know. */
static const char *known_var(const struct seed_copy *c, const char *name, size_t n)
{
	static const char *const dirs[] = {"CLAUDE_PROJECT_DIR", "GEMINI_PROJECT_DIR", "PWD"};
	if (n == 4 && memcmp(name, "HOME", 4) == 0)
		return c->home;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (strlen(dirs[i]) == n && memcmp(name, dirs[i], n) == 0)
			return c->workspace;
	return NULL;
}

static void add_char(char *w, size_t *n, char ch)
{
	if (*n < WORD_MAX - 1)
		w[(*n)++] = ch;
}

/* "$X" or "${X}" at p: put its value behind w; returns what follows. */
static const char *expand(
	const struct seed_copy *c, const char *p, char *w, size_t *n, bool *ret_unknown)
{
	bool brace = p[1] == '{';
	const char *name = p + 1 + brace;
	size_t k = 0;
	while (isalnum((unsigned char)name[k]) || name[k] == '_')
		k++;
	const char *value = known_var(c, name, k);
	if (k == 0 || !value || (brace && name[k] != '}')) {
		*ret_unknown = true;
		return p + 1;
	}
	for (; *value; value++)
		add_char(w, n, *value);
	return name + k + brace;
}

/* The words of the first command of a shell line. */
static void split(struct seed_copy *c, const char *s, struct words *ret)
{
	char w[WORD_MAX];
	while (*s && ret->n < WORDS_MAX) {
		s += strspn(s, " \t\n");
		if (!*s || strchr("|&;<>()#", *s))
			break;
		size_t n = 0;
		bool unknown = false;
		char quote = 0;
		for (; *s && (quote || !strchr(" \t\n|&;<>()", *s));) {
			if (!quote && n == 0 && s[0] == '~' && (s[1] == '/' || !s[1])) {
				for (const char *h = c->home; *h; h++)
					add_char(w, &n, *h);
				s++;
			} else if (quote != '\'' && (*s == '$' || *s == '`')) {
				s = expand(c, s, w, &n, &unknown);
			} else if (quote ? *s == quote : *s == '"' || *s == '\'') {
				quote = quote ? 0 : *s;
				s++;
			} else {
				s += quote != '\'' && s[0] == '\\' && s[1];
				add_char(w, &n, *s++);
			}
		}
		w[n] = '\0';
		if (ret->n == 0 && strchr(w, '=') && w[0] != '/' && !unknown)
			continue; /* VAR=value before the command */
		ret->opaque = ret->opaque || (ret->n == 0 && unknown);
		if (unknown)
			w[0] = '\0';
		ret->v[ret->n++] = arena_dup(c->a, w);
	}
}

/* Of the machine's own programs, or in a template of that root's. */
static bool system_has(struct seed_copy *c, const char *file)
{
	static const char *const dirs[] = {
		"/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt", "/nix", "/snap"};
	if (c->below)
		return c->below->exists(c->below->ud, c->a, file);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (path_within(file, dirs[i]))
			return access(file, F_OK) == 0;
	return false;
}

/* What is mounted brings what is in it, and the directories that it lies in. */
bool seed_file_inside(struct seed_copy *c, const char *file)
{
	bool mounted = c->workspace && path_meets(file, c->workspace);
	for (size_t i = 0; i < c->shown->n && !mounted; i++)
		mounted = path_meets(file, c->shown->v[i]);
	if (mounted)
		return access(file, F_OK) == 0;
	if (!path_within(file, c->home))
		return system_has(c, file);
	const char *rel = file + strlen(c->home);
	rel += strspn(rel, "/");
	return !*rel || seed_has(c, rel);
}

static bool on_path(struct seed_copy *c, const char *word)
{
	static const char *const builtin[] = {"[", "[[", "echo", "cd", "if", "test", "exec", "eval",
		"export", "printf", "true", "false", ":", ".", "source", "set", "shopt", "command",
		"builtin", "read", "while", "until", "for", "case", "{", "!", "unset", "type",
		"trap", "umask", "ulimit", "pwd", "time", "local", "declare", "typeset", "let",
		"wait", "exit", "return", "function"};
	for (size_t i = 0; i < ARRAY_LEN(builtin); i++)
		if (streq(word, builtin[i]))
			return true;
	for (const char *p = c->path; p;) {
		char file[WORD_MAX + 256];
		size_t n = strcspn(p, ":");
		if (n && n < 256 && *p == '/') {
			snprintf(file, sizeof(file), "%.*s/%s", (int)n, p, word);
			if (seed_file_inside(c, file))
				return true;
		}
		p = p[n] ? p + n + 1 : NULL;
	}
	return false;
}

static bool is_interpreter(const char *word)
{
	static const char *const names[] = {"node", "nodejs", "python", "python3", "bash", "sh",
		"zsh", "dash", "ruby", "perl", "deno", "bun", "env", "php", "lua"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (streq(path_base(word), names[i]))
			return true;
	return false;
}

/* Does code follow this option of the program, and no script? */
static bool takes_code(const char *program, const char *option)
{
	static const struct {
		const char *programs, *letters; /* one of them, alone or among others */
	} kinds[] = {
		{" sh bash dash zsh ", "c"},
		{" python python3 ", "cm"},
		{" perl ruby ", "eE"},
		{" node nodejs deno bun lua ", "ep"},
		{" php ", "r"},
	};
	char name[32];
	snprintf(name, sizeof(name), " %s ", path_base(program));
	if (option[1] == '-')
		return has_prefix(option, "--eval") || has_prefix(option, "--print");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strstr(kinds[i].programs, name))
			return strpbrk(option, kinds[i].letters);
	return false;
}

static const char *absent(struct seed_copy *c, const char *word)
{
	size_t n = strlen(c->home);
	bool below = path_within(word, c->home) && word[n];
	return arena_printf(c->a, "%s%s is not inside", below ? "~" : "", below ? word + n : word);
}

/* Programs that do nothing without an engine, which stays outside, unless they are told of one. */
static bool wants_engine(const char *word)
{
	static const char *const names[] = {
		"docker", "docker-compose", "podman", "podman-compose", "nerdctl"};
	const char *host = getenv("DOCKER_HOST");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (streq(path_base(word), names[i]))
			return !host || !has_prefix(host, "tcp://");
	return false;
}

static const char *words_missing(struct seed_copy *c, const struct words *w)
{
	const char *first = w->v[0];
	if (wants_engine(first))
		return arena_printf(c->a, "%s has no engine inside", path_base(first));
	if (strchr(first, '/') ? *first == '/' && !seed_file_inside(c, first) : !on_path(c, first))
		return absent(c, first);
	bool script = is_interpreter(first);
	for (size_t i = 1; i < w->n; i++) {
		const char *word = w->v[i];
		if (*word == '-') {
			script = script && !takes_code(first, word);
			continue;
		}
		bool ours = *word == '/' && path_within(word, c->home) && access(word, F_OK) == 0;
		if (*word == '/' && (script || ours) && !seed_file_inside(c, word))
			return absent(c, word);
		script = false;
	}
	return NULL;
}

const char *seed_script_missing(
	struct seed_copy *c, const char *command, const char *const *args, size_t n)
{
	struct words w = {.n = 0};
	split(c, command, &w);
	if (w.n == 0)
		return NULL;
	if (w.opaque)
		return "its command can't be told before it runs";
	if (args && *command == '/') { /* blanks are its own */
		w.v[0] = arena_dup(c->a, command);
		w.n = 1;
	}
	for (size_t i = 0; i < n && w.n < WORDS_MAX; i++)
		w.v[w.n++] = arena_dup(c->a, args[i]);
	return words_missing(c, &w);
}
