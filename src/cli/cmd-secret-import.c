/* cli/cmd-secret-import.c - bawn secret import: what this shell's environment and tools have.
 *
 * Owns: where keys and tokens usually are.  One at a time is found, described by its place alone,
 * asked about, and kept.  Programs are run in the root directory, by the absolute path that the
 * user's PATH gives (never one below the current directory), git without any repository's
 * configuration and without asking.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/path.h"
#include "cli/admin.h"
#include "cli/cmd-secret.h"
#include "secret/ask.h"

#define ASK_TIMEOUT 15000

extern char **environ;

enum kind { FROM_ENV, FROM_GH, FROM_GIT, FROM_NPMRC };

static const struct place {
	const char *secret;
	enum kind kind;
	const char *arg;  /* the variable or host */
	const char *what; /* "a key in the variable X" */
} places[] = {
	{"anthropic", FROM_ENV, "ANTHROPIC_API_KEY", "the variable ANTHROPIC_API_KEY"},
	{"anthropic-token", FROM_ENV, "ANTHROPIC_AUTH_TOKEN", "the variable ANTHROPIC_AUTH_TOKEN"},
	{"claude", FROM_ENV, "CLAUDE_CODE_OAUTH_TOKEN", "the variable CLAUDE_CODE_OAUTH_TOKEN"},
	{"openai", FROM_ENV, "CODEX_API_KEY", "the variable CODEX_API_KEY"},
	{"openai", FROM_ENV, "OPENAI_API_KEY", "the variable OPENAI_API_KEY"},
	{"gemini", FROM_ENV, "GEMINI_API_KEY", "the variable GEMINI_API_KEY"},
	{"gemini", FROM_ENV, "GOOGLE_GENERATIVE_AI_API_KEY",
		"the variable GOOGLE_GENERATIVE_AI_API_KEY"},
	{"google-api", FROM_ENV, "GOOGLE_API_KEY", "the variable GOOGLE_API_KEY"},
	{"opencode", FROM_ENV, "OPENCODE_API_KEY", "the variable OPENCODE_API_KEY"},
	{"openrouter", FROM_ENV, "OPENROUTER_API_KEY", "the variable OPENROUTER_API_KEY"},
	{"groq", FROM_ENV, "GROQ_API_KEY", "the variable GROQ_API_KEY"},
	{"mistral", FROM_ENV, "MISTRAL_API_KEY", "the variable MISTRAL_API_KEY"},
	{"deepseek", FROM_ENV, "DEEPSEEK_API_KEY", "the variable DEEPSEEK_API_KEY"},
	{"xai", FROM_ENV, "XAI_API_KEY", "the variable XAI_API_KEY"},
	{"together", FROM_ENV, "TOGETHER_API_KEY", "the variable TOGETHER_API_KEY"},
	{"cerebras", FROM_ENV, "CEREBRAS_API_KEY", "the variable CEREBRAS_API_KEY"},
	{"copilot", FROM_ENV, "COPILOT_GITHUB_TOKEN", "the variable COPILOT_GITHUB_TOKEN"},
	{"github", FROM_ENV, "GH_TOKEN", "the variable GH_TOKEN"},
	{"github", FROM_ENV, "GITHUB_TOKEN", "the variable GITHUB_TOKEN"},
	{"github", FROM_GH, "github.com", "gh auth token"},
	{"github", FROM_GIT, "github.com", "git's credential helper for github.com"},
	{"gitlab", FROM_ENV, "GITLAB_TOKEN", "the variable GITLAB_TOKEN"},
	{"gitlab", FROM_GIT, "gitlab.com", "git's credential helper for gitlab.com"},
	{"npm", FROM_NPMRC, ".npmjs.org", "_authToken in ~/.npmrc"},
};

struct find {
	struct ctx *c;
	const struct place *p;
	enum secret_source source; /* how it would be kept */
	const char *text;          /* of a command */
};

/* name in the absolute directories of PATH, but those at or below the current one. */
static char *find_program(struct ctx *c, const char *name)
{
	const char *path = getenv("PATH");
	char *here = path_real(&c->a, ".");
	while (path && *path) {
		size_t n = strcspn(path, ":");
		char *file = *path == '/' ? arena_printf(&c->a, "%.*s/%s", (int)n, path, name)
					  : NULL;
		char *real = file ? path_real(&c->a, file) : NULL;
		if (real && !(here && !streq(here, "/") && path_within(real, here)) &&
			access(file, X_OK) == 0)
			return file;
		path += n + (path[n] == ':');
	}
	return NULL;
}

/* This environment without what would lead git elsewhere, and without the tokens themselves. */
static int clean_env(struct ctx *c, struct strv *ret)
{
	static const char *const out[] = {
		"GIT_", "SSH_ASKPASS", "GH_TOKEN=", "GITHUB_TOKEN=", "GH_REPO=", "GH_HOST="};
	for (char **e = environ; *e; e++) {
		bool drop = false;
		for (size_t i = 0; i < ARRAY_LEN(out); i++)
			drop |= has_prefix(*e, out[i]);
		if (!drop && strv_push(&c->a, ret, *e) < 0)
			return -ENOMEM;
	}
	strv_add(&c->a, ret, "GIT_TERMINAL_PROMPT=0");
	strv_add(&c->a, ret, "GIT_ASKPASS=/bin/false");
	strv_add(&c->a, ret, "GIT_DIR=/dev/null");
	return strv_add(&c->a, ret, "GH_PROMPT_DISABLED=1");
}

/* 1: it is in *b; 0: there is none. */
static int from_env(const struct find *f, struct secret_buf *b, struct err *err)
{
	const char *v = getenv(f->p->arg);
	if (!v || !*v)
		return 0;
	b->n = strlen(v);
	if (b->n > SECRET_MAX)
		return err_set(err, E2BIG, "a secret is %d bytes at most", SECRET_MAX);
	memcpy(b->v, v, b->n + 1);
	return 1;
}

static int ask_program(
	struct find *f, const struct strv *argv, const char *request, struct secret_buf *b)
{
	struct strv env = {0};
	struct err ignored = {0};
	_cleanup_close_ int in = -1;
	if (clean_env(f->c, &env) < 0)
		return 0;
	if (request) {
		in = fd_memfd_sealed("request", request, strlen(request), &ignored);
		if (in < 0 || lseek(in, 0, SEEK_SET) < 0)
			return 0;
	}
	/* one that fails or asks has none for us */
	return secret_ask(argv, env.v, in, -1, ASK_TIMEOUT, argv->v[0], b, &ignored) == 0 &&
		b->n > 0;
}

/* Kept as the command: a token that gh renews stays right, and is on disk once. */
static int from_gh(struct find *f, struct secret_buf *b)
{
	struct arena *a = &f->c->a;
	struct strv argv = {0};
	char quoted[4200];
	char *gh = find_program(f->c, "gh");
	if (!gh)
		return 0;
	strv_push(a, &argv, gh);
	strv_add(a, &argv, "auth");
	strv_add(a, &argv, "token");
	strv_add(a, &argv, "--hostname");
	strv_add(a, &argv, f->p->arg);
	f->source = SECRET_COMMAND;
	f->text = arena_printf(a, "%s auth token --hostname %s",
		escape_shell(quoted, sizeof(quoted), gh), f->p->arg);
	return !a->failed && ask_program(f, &argv, NULL, b);
}

/* Move what begins at s and ends before its line's end to the front; what was there goes. */
static void keep_line(struct secret_buf *b, const char *s)
{
	size_t n = strcspn(s, "\r\n");
	memmove(b->v, s, n);
	explicit_bzero(b->v + n, b->n - n);
	b->n = n;
}

static int from_git(struct find *f, struct secret_buf *b)
{
	struct arena *a = &f->c->a;
	struct strv argv = {0};
	char *git = find_program(f->c, "git");
	char *request = arena_printf(a, "protocol=https\nhost=%s\n\n", f->p->arg);
	if (!git || !request)
		return 0;
	strv_push(a, &argv, git);
	strv_add(a, &argv, "credential");
	strv_add(a, &argv, "fill");
	if (a->failed || !ask_program(f, &argv, request, b))
		return 0;
	for (char *line = b->v; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!has_prefix(line, "password="))
			continue;
		keep_line(b, line + strlen("password="));
		return b->n > 0;
	}
	return 0;
}

/* "//HOST/PATH:_authToken=TOKEN" where HOST ends as asked; a ${VARIABLE} is no token. */
static const char *npm_token(const char *line, const char *host_end)
{
	static const char key[] = ":_authToken";
	size_t n = strcspn(line, "\n"), end = strlen(host_end);
	const char *at = memmem(line, n, key, sizeof(key) - 1);
	if (!has_prefix(line, "//") || !at)
		return NULL;
	const char *host = line + 2;
	size_t host_n = strcspn(host, "/:");
	if (host_n < end || strncmp(host + host_n - end, host_end, end) != 0)
		return NULL;
	at += sizeof(key) - 1;
	at += strspn(at, " ");
	if (*at != '=')
		return NULL;
	at += 1 + strspn(at + 1, " \"");
	return has_prefix(at, "${") || strcspn(at, "\"\r\n") == 0 ? NULL : at;
}

static int from_npmrc(const struct find *f, struct secret_buf *b)
{
	struct admin_dirs dirs;
	struct stat st;
	struct err ignored = {0};
	if (admin_dirs_find(&f->c->a, &dirs, &ignored) < 0)
		return 0;
	char *path = path_join(&f->c->a, dirs.xdg.home, ".npmrc");
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
				      : -1;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
		secret_buf_read(b, fd, &ignored) < 0)
		return 0;
	for (char *line = b->v; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		const char *token = npm_token(line, f->p->arg);
		if (!token)
			continue;
		keep_line(b, token);
		while (b->n > 0 && strchr("\" ", b->v[b->n - 1]))
			b->v[--b->n] = '\0';
		return b->n > 0;
	}
	return 0;
}

static int look(struct find *f, struct secret_buf *b, struct err *err)
{
	b->n = 0;
	switch (f->p->kind) {
	case FROM_ENV:
		return from_env(f, b, err);
	case FROM_GH:
		return from_gh(f, b);
	case FROM_GIT:
		return from_git(f, b);
	default:
		return from_npmrc(f, b);
	}
}

/* 1: yes. */
static int asked(const struct find *f)
{
	char answer[16];
	printf("import %s, from %s? [y/N] ", f->p->secret, f->p->what);
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin))
		return putchar('\n'), 0;
	return answer[0] == 'y' || answer[0] == 'Y';
}

/* One that was found.  1: it was kept (or would be). */
static int take(struct find *f, const struct secret_buf *b, struct err *err)
{
	const struct secret_args *a = f->c->own;
	const char *config = f->c->locate.config_dir;
	int r = secret_check_value(b->v, b->n, err);
	if (r < 0)
		return err_prefix(err, "%s, from %s", f->p->secret, f->p->what);
	r = secret_exists(config, NULL, f->p->secret, err);
	if (r < 0)
		return r;
	if (r > 0) {
		printf("%s: there is one already, it stays (bawn secret rm %s)\n", f->p->secret,
			f->p->secret);
		return 0;
	}
	if (a->dry_run) {
		printf("%s: from %s\n", f->p->secret, f->p->what);
		return 1;
	}
	if (!a->yes && !asked(f))
		return 0;
	const char *text = f->source == SECRET_VALUE ? b->v : f->text;
	r = secret_set(config, NULL, f->p->secret, f->source, text,
		f->source == SECRET_VALUE ? b->n : strlen(text), err);
	if (r < 0)
		return r;
	printf("%s: imported from %s\n", f->p->secret, f->p->what);
	fflush(stdout);
	secret_say_unbound(f->c, f->p->secret);
	return 1;
}

/* The places of one secret, first to last, up to one that has it. */
static int import_one(struct ctx *c, size_t *at, struct secret_buf *b, size_t *found)
{
	const char *name = places[*at].secret;
	int code = 0;
	bool done = false;
	for (; *at < ARRAY_LEN(places) && streq(places[*at].secret, name); ++*at) {
		struct err err = {0};
		struct find f = {.c = c, .p = &places[*at], .source = SECRET_VALUE};
		int r = done ? 0 : look(&f, b, &err);
		if (r > 0) {
			done = true;
			++*found;
			r = take(&f, b, &err);
		}
		if (r < 0)
			code = admin_fail(&err);
		explicit_bzero(b->v, b->mapped);
	}
	return code;
}

int secret_import(struct ctx *c)
{
	const struct secret_args *a = c->own;
	_cleanup_secret_ struct secret_buf b = {0};
	struct err err = {0};
	size_t at = 0, found = 0;
	int code = 0;
	if (c->n != 0)
		return admin_usage(
			"bawn secret import [--dry-run] [--yes]", "import takes no name");
	if (!a->dry_run && !a->yes && !isatty(STDIN_FILENO)) {
		err_hint(&err, "--dry-run shows what there is, --yes takes all of it");
		err_set(&err, ENOTTY, "import asks first, and stdin is no terminal");
		return admin_fail(&err);
	}
	if (secret_buf_alloc(&b, &err) < 0)
		return admin_fail(&err);
	while (at < ARRAY_LEN(places)) {
		int r = import_one(c, &at, &b, &found);
		code = r ? r : code;
	}
	if (found == 0 && code == 0)
		puts("nothing was found: no keys in the environment, gh, git or ~/.npmrc");
	return code;
}
