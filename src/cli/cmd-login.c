/* cli/cmd-login.c - bawn login PROFILE: what bawn-login is to know before it waits for a browser.
 *
 * Must not: see a code or a token.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "cli/admin.h"
#include "cli/listing.h"
#include "json/json.h"
#include "policy/compile.h"
#include "seed/spec.h"

static const char usage[] = "bawn login [OPTIONS] [PROFILE]";

enum { OPT_FORCE, OPT_NO_BROWSER, OPT_TIMEOUT, OPT_CONNECT, OPT_HELP };

static const struct option_row rows[] = {
	{"no-browser", 0, NULL, "print the URL, open nothing", OPT_NO_BROWSER},
	{"timeout", 0, "SECONDS", "how long the browser has (default: 300)", OPT_TIMEOUT},
	{"force", 'f', NULL, "write over the log-in that is there", OPT_FORCE},
	{"connect-to", 0, "HOST:PORT:ADDR:PORT", "where the token endpoint really is", OPT_CONNECT},
	{"help", 'h', NULL, "show this help", OPT_HELP},
	{0},
};

static const struct admin_help help = {
	.usage = "bawn login [OPTIONS] [PROFILE]",
	.text = "Log in to the service of claude, codex or gemini by the browser, on a host where "
		"the\ntool has no log-in yet. The tokens stand in the tool's own file; a sandbox "
		"gets "
		"a\nplaceholder.",
	.rows = rows,
	.examples = "  bawn login codex\n  bawn login --no-browser claude\n",
};

struct asked {
	struct ctx c;
	struct strv connect;
	const char *seconds;
	bool force, no_browser;
};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct asked *a = ctx;
	size_t n;
	switch (id) {
	case OPT_FORCE:
		a->force = true;
		break;
	case OPT_NO_BROWSER:
		a->no_browser = true;
		break;
	case OPT_TIMEOUT:
		n = strspn(value, "0123456789");
		if (n == 0 || n > 5 || value[n] || strtoul(value, NULL, 10) == 0)
			return err_set(err, EINVAL, "it takes seconds, 1 to 99999");
		a->seconds = value;
		break;
	case OPT_CONNECT:
		return strv_add(&a->c.a, &a->connect, value);
	default:
		a->c.help = true;
	}
	return 0;
}

static int read_spec(
	struct ctx *c, const char *name, struct profile *p, struct seed_spec *ret, struct err *err)
{
	struct yaml_node *root;
	int r = compile_read_profile(&c->locate, name, p, err);
	if (r >= 0)
		r = yaml_load(&c->a, p->file, &root, err);
	return r >= 0 ? seed_spec_parse(&c->a, p->file, root, ret, err) : r;
}

static const struct seed_login *beginning(const struct seed_spec *s)
{
	for (size_t i = 0; i < s->n_login; i++)
		if (s->login[i].begin.url)
			return &s->login[i];
	return NULL;
}

static void list(struct ctx *c)
{
	struct strv names = {0};
	struct err err = {0};
	puts("bawn needs no log-in of its own. Log in to your agent on the host, or set its API "
	     "key;\n"
	     "bawn run brings that along. By the browser, without the agent:");
	locate_names(&c->locate, LOCATE_PROFILE, &names, &err);
	for (size_t i = 0; i < names.n; i++) {
		struct profile p;
		struct seed_spec s;
		char buf[200];
		if (read_spec(c, names.v[i], &p, &s, &err) >= 0 && beginning(&s))
			printf("  bawn login %s\n", shown(buf, sizeof(buf), names.v[i]));
	}
}

/* ---- the browser ---- */

/* Nothing of the workspace is started outside of a sandbox: what stands below the current directory
 * isn't, unless that is the home or above it. */
static bool ours(struct arena *a, const char *path)
{
	const char *home = getenv("HOME");
	char *cwd = path_real(a, "."), *real = path_real(a, path),
	     *top = home ? path_real(a, home) : NULL;
	return cwd && real && access(real, X_OK) == 0 &&
		((top && path_within(top, cwd)) || !path_within(real, cwd));
}

static char *on_path(struct arena *a, const char *name)
{
	const char *path = getenv("PATH");
	char *all = path ? arena_dup(a, path) : NULL;
	for (char *dir; all && (dir = strsep(&all, ":"));) {
		char *full = *dir == '/' ? path_join(a, dir, name) : NULL;
		struct stat st;
		if (full && stat(full, &st) == 0 && S_ISREG(st.st_mode) && ours(a, full))
			return full;
	}
	return NULL;
}

static bool has_desktop(void)
{
	const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
	return (x && *x) || (wayland && *wayland);
}

/* Absolute, or "" with a word on why none is opened. */
static const char *browser(struct arena *a)
{
	const char *want = getenv("BROWSER");
	char buf[200];
	if (!want || !*want) {
		char *found = has_desktop() ? on_path(a, "xdg-open") : NULL;
		return found ? found : "";
	}
	if (want[strcspn(want, " \t\n:%\"'$;&|")])
		fprintf(stderr, "bawn: BROWSER='%s' is more than a program; none is opened\n",
			shown(buf, sizeof(buf), want));
	else if (*want != '/' && strchr(want, '/'))
		fprintf(stderr, "bawn: BROWSER='%s' is a relative path; none is opened\n",
			shown(buf, sizeof(buf), want));
	else if (*want != '/' && on_path(a, want))
		return on_path(a, want);
	else if (*want == '/' && ours(a, want))
		return want;
	else
		fprintf(stderr,
			"bawn: BROWSER='%s' is no program outside of this directory; none is "
			"opened\n",
			shown(buf, sizeof(buf), want));
	return "";
}

/* ---- what bawn-login is told ---- */

static char *host_path(struct arena *a, const char *path, const char *home)
{
	if (has_prefix(path, "${")) {
		const char *dash = strstr(path, ":-"), *end = strchr(path, '}');
		if (!end || !dash || dash > end)
			return NULL;
		char *var = arena_dupn(a, path + 2, (size_t)(dash - path) - 2);
		const char *value = var ? getenv(var) : NULL;
		char *fallback = arena_dupn(a, dash + 2, (size_t)(end - dash) - 2);
		path = arena_printf(a, "%s%s", value && *value == '/' ? value : fallback, end + 1);
	}
	return path ? path_expand_home(a, path, home) : NULL;
}

static int specs(const struct seed_login *l, const char *file, struct err *err)
{
	const struct seed_renew *n = &l->renew;
	const struct seed_begin *b = &l->begin;
	const struct {
		const char *key, *value;
	} fields[] = {{"name", l->credential}, {"label", l->name}, {"run", l->run}, {"file", file},
		{"token", l->token_text}, {"expires", l->expires_text}, {"refresh", n->refresh},
		{"id", n->id}, {"refreshed", n->refreshed}, {"url", n->url},
		{"client_id", n->client_id}, {"client_secret", n->client_secret},
		{"form", b->form ? "yes" : NULL}, {"authorize", b->url}, {"ask_scope", b->scope},
		{"host", b->host ? b->host : "127.0.0.1"}, {"port", b->port ? b->port : "0"},
		{"path", b->path}, {"extra", b->extra}, {"paste", b->paste}, {"set", b->set},
		{"account", b->account}, {"claims", b->claims}, {"claim", b->claim},
		{"send_state", b->send_state ? "yes" : NULL}};
	_cleanup_(json_doc_freep) struct json_doc *d = json_doc_new();
	for (size_t i = 0; d && i < ARRAY_LEN(fields); i++)
		if (fields[i].value)
			json_doc_set_at(d, fields[i].key, fields[i].value);
	_cleanup_free_ char *text = d ? json_line_text(d) : NULL;
	return text ? fd_memfd_sealed("bawn-login", text, strlen(text), err)
		    : err_set(err, ENOMEM, "out of memory");
}

static int start(struct asked *a, const struct seed_login *l, struct err *err)
{
	struct arena *m = &a->c.a;
	struct admin_dirs dirs;
	struct strv argv = {0};
	int r = admin_dirs_find(m, &dirs, err);
	if (r < 0)
		return r;
	char *file = host_path(m, l->path, dirs.xdg.home);
	char *path = path_join(m, dirs.install.libexec, "bawn-login");
	strv_add(m, &argv, "bawn-login");
	strv_add(m, &argv, "--begin");
	strv_push(m, &argv, path_join(m, dirs.xdg.data, "logins"));
	const char *open = a->no_browser ? "" : browser(m);
	if (!*open && !a->no_browser && !isatty(0) && !isatty(1) && !isatty(2)) {
		err_hint(err,
			"start it in a terminal, or set BROWSER to a program; --no-browser "
			"prints the URL and waits");
		return err_set(err, ENOTTY,
			"there is no browser here, and no terminal to show the "
			"URL in");
	}
	strv_add(m, &argv, open);
	strv_add(m, &argv, a->seconds);
	strv_add(m, &argv, a->force ? "force" : "");
	for (size_t i = 0; i < a->connect.n; i++)
		strv_add(m, &argv, a->connect.v[i]);
	int fd = file && path ? specs(l, file, err) : err_set(err, ENOMEM, "out of memory");
	if (fd < 0)
		return fd;
	if (fd != 4 && dup2(fd, 4) < 0)
		return err_sys(err, errno, "dup2");
	fcntl(4, F_SETFD, 0);
	execv(path, argv.v);
	return err_sys(err, errno, "execute %s", path);
}

int cmd_login(int argc, char **argv)
{
	struct asked a = {.seconds = "300"};
	struct option_split split;
	struct admin_dirs dirs;
	struct profile p;
	struct seed_spec s;
	struct err err = {0};
	if (options_parse(rows, argc, argv, option, &a, &split, &err) < 0)
		return admin_fail(&err), ADMIN_USAGE;
	if (a.c.help)
		return admin_help(&help);
	int end = options_words(&split, argc, argv);
	if (end - split.first > 1)
		return admin_usage(usage, "one profile at a time");
	int r = admin_dirs_find(&a.c.a, &dirs, &err);
	a.c.locate = (struct locate){
		.a = &a.c.a, .config_dir = dirs.xdg.config, .data_dir = dirs.install.data};
	if (r == 0 && end == split.first) {
		list(&a.c);
		return admin_said(0);
	}
	if (r == 0)
		r = read_spec(&a.c, argv[split.first], &p, &s, &err);
	if (r >= 0 && !beginning(&s)) {
		err_hint(&err, "%s", p.login_hint ? p.login_hint : "bawn login lists who has one");
		r = err_set(&err, EOPNOTSUPP, "%s has no log-in that begins here", p.name);
	}
	if (r >= 0)
		r = start(&a, beginning(&s), &err);
	return admin_fail(&err);
}
