/* host/env.c - see env.h */
#include "host/env.h"

#include <ctype.h>

#include "base/path.h"

/* Passed for every tool.  A trailing "*" stands for any rest of a name. */
static const char *const base_pass[] = {
	"LANG",
	"LANGUAGE",
	"LC_*",
	"TZ", /* language and time */
	"TERM",
	"COLORTERM",
	"TERM_PROGRAM",
	"TERM_PROGRAM_VERSION",
	"COLORFGBG",
	"COLUMNS",
	"LINES",
	"NO_COLOR",
	"FORCE_COLOR",
	"CLICOLOR",
	"CLICOLOR_FORCE", /* terminal */
	"CI",
	"DEBIAN_FRONTEND",
	"PAGER",
	"LESS",
	"MANPAGER", /* taste */
	"EDITOR",
	"VISUAL",
	"PYTHONUNBUFFERED",
	"PYTHONDONTWRITEBYTECODE",
	"RUST_BACKTRACE",
	"RUST_LOG",
	"GOFLAGS",
	"MAKEFLAGS",
	"JOBS",
	"CFLAGS",
	"CXXFLAGS",
	"CPPFLAGS",
	"LDFLAGS",
	"CC",
	"CXX", /* builds */
	"NODE_ENV",
	"CARGO_TERM_COLOR",
	"SOURCE_DATE_EPOCH",
};

/* Set by the plan itself, or of no use in a machine of its own: withheld without a word. */
static const char *const quiet[] = {
	"PATH",
	"HOME",
	"USER",
	"LOGNAME",
	"SHELL",
	"PWD",
	"OLDPWD",
	"SHLVL",
	"_",
	"HOSTNAME",
	"HOSTTYPE",
	"OSTYPE",
	"MACHTYPE",
	"MAIL",
	"TMPDIR",
	"TEMP",
	"TMP",
	"LS_COLORS",
	"LSCOLORS",
	"LESSOPEN",
	"LESSCLOSE",
	"PS1",
	"PS2",
	"PROMPT_COMMAND",
	"HISTFILE",
	"HISTSIZE",
	"HISTCONTROL",
	"XDG_*",
	"DBUS_*",
	"DISPLAY",
	"WAYLAND_DISPLAY",
	"XAUTHORITY",
	"SSH_CLIENT",
	"SSH_CONNECTION",
	"SSH_TTY",
	"SUDO_*",
	"WINDOWID",
	"WINDOWPATH",
	"DESKTOP_SESSION",
	"GDMSESSION",
	"GNOME_*",
	"KDE_*",
	"QT_*",
	"GTK_*",
	"SESSION_MANAGER",
	"SYSTEMD_EXEC_PID",
	"INVOCATION_ID",
	"JOURNAL_STREAM",
	"MANAGERPID",
	"TMUX",
	"TMUX_PANE",
	"STY",
	"VTE_VERSION",
	"KONSOLE_*",
	"TERM_SESSION_ID",
	"TERMINFO",
	"CARGO_HOME",
	"RUSTUP_HOME",
	"NVM_*",
	"PYENV_*",
	"GOPATH",
	"GOROOT",
	"GOBIN",
	"VOLTA_*",
	"BUN_INSTALL",
	"DENO_INSTALL",
	"MISE_*",
	"__MISE_*",
	"ASDF_*",
	"RBENV_*",
	"SDKMAN_*",
	"JAVA_HOME",
	"PNPM_HOME",
	"FNM_*",
	"BASH_*",
	"ZSH*",
	"GPG_TTY",
	"MOTD_SHOWN",
	"HTTP_PROXY",
	"HTTPS_PROXY",
	"NO_PROXY",
	"ALL_PROXY",
	"http_proxy",
	"https_proxy",
	"no_proxy",
	"all_proxy",
	"BAWN_*",
};

/* Never passed, whatever a profile says: they make programs load code or change where it comes from
 * before the tool itself decides anything (CFG-13). */
static const char *const never[] = {
	"LD_*",
	"BASH_ENV",
	"ENV",
	"BASH_FUNC_*",
	"GCONV_PATH",
	"GLIBC_TUNABLES",
	"MALLOC_*",
};

/* Where programs find the machine's certificates: passed when what they name is shown inside. */
static const char *const certificates[] = {"SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS",
	"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "PIP_CERT",
	"CARGO_HTTP_CAINFO", "AWS_CA_BUNDLE", "DENO_CERT", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
	"NIX_SSL_CERT_FILE", "HEX_CACERTS_PATH", "HTTPLIB2_CA_CERTS",
	"CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "UV_NATIVE_TLS", "NODE_USE_SYSTEM_CA"};

/* No "..", and in a directory that template host shows (host/etc.c copies these of /etc). */
static bool certificate_shown(const char *value)
{
	static const char *const dirs[] = {
		"/usr", "/opt", "/nix", "/etc/ssl", "/etc/pki", "/etc/ca-certificates"};
	if (value[0] != '/')
		return !strchr(value, '/'); /* a switch: "1", "true" */
	if (strstr(value, "/.."))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (path_within(value, dirs[i]))
			return true;
	return false;
}

static bool name_matches(const char *pattern, const char *name, size_t n)
{
	size_t k = strlen(pattern);
	if (k && pattern[k - 1] == '*')
		return n >= k - 1 && memcmp(pattern, name, k - 1) == 0;
	return n == k && memcmp(pattern, name, k) == 0;
}

static bool in_table(const char *const *t, size_t rows, const char *name, size_t n)
{
	for (size_t i = 0; i < rows; i++)
		if (name_matches(t[i], name, n))
			return true;
	return false;
}

static bool in_list(const struct strv *v, const char *name, size_t n)
{
	return in_table((const char *const *)v->v, v->n, name, n);
}

/* [A-Za-z_][A-Za-z0-9_]*: what a shell could have set; anything else is some program's trick. */
static bool plain_name(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalpha((unsigned char)s[i]) && s[i] != '_' &&
			!(i && isdigit((unsigned char)s[i])))
			return false;
	return n > 0;
}

int host_env_select(struct arena *a, char *const *environment, const struct profile *profile,
	struct host_env *ret, struct err *err)
{
	struct host_env he = {0};
	for (char *const *e = environment; e && *e; e++) {
		const char *eq = strchr(*e, '=');
		size_t n = eq ? (size_t)(eq - *e) : 0;
		if (!eq || !plain_name(*e, n))
			continue;
		bool key = in_list(&profile->keys, *e, n);
		bool pass = key || in_list(&profile->env_pass, *e, n) ||
			in_table(base_pass, ARRAY_LEN(base_pass), *e, n) ||
			(in_table(certificates, ARRAY_LEN(certificates), *e, n) &&
				certificate_shown(eq + 1));
		if (key && eq[1])
			he.has_key = true;
		if (in_table(never, ARRAY_LEN(never), *e, n))
			pass = false;
		if (pass || GUARD_REMOVED("env")) {
			strv_add(a, &he.env, *e);
		} else if (!in_table(quiet, ARRAY_LEN(quiet), *e, n)) {
			strv_push(a, &he.withheld, arena_dupn(a, *e, n));
		}
	}
	int r = arena_check(a, err);
	if (r == 0)
		*ret = he;
	return r;
}
