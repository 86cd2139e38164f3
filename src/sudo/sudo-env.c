/* sudo/sudo-env.c - see sudo-env.h */
#include "sudo/sudo-env.h"

/* Kept, as sudo's own defaults have it ("*": whatever follows).  The last rows are where programs
 * look for certificates: the sandbox's own authority is known by them. */
static const char *const kept[] = {
	"COLORS",
	"COLORTERM",
	"DISPLAY",
	"HOSTNAME",
	"KRB5CCNAME",
	"LANG",
	"LANGUAGE",
	"LC_*",
	"LINGUAS",
	"LS_COLORS",
	"PS1",
	"PS2",
	"TERM",
	"TZ",
	"XAUTHORITY",
	"XDG_CURRENT_DESKTOP",
	"AWS_CA_BUNDLE",
	"CARGO_HTTP_CAINFO",
	"CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
	"CODEX_CA_CERTIFICATE",
	"CURL_CA_BUNDLE",
	"DENO_CERT",
	"GIT_SSL_CAINFO",
	"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
	"HEX_CACERTS_PATH",
	"HTTPLIB2_CA_CERTS",
	"NIX_SSL_CERT_FILE",
	"NODE_EXTRA_CA_CERTS",
	"PIP_CERT",
	"REQUESTS_CA_BUNDLE",
	"SSL_CERT_FILE",
	"UV_NATIVE_TLS",
};

/* Gone even where all are kept: they make the command another one. */
static const char *const never[] = {
	"BASH_ENV",
	"CDPATH",
	"ENV",
	"GLOBIGNORE",
	"IFS",
	"LD_*",
	"PS4",
	"SHELLOPTS",
};

static bool names(const char *const *v, size_t n, const char *var)
{
	size_t len = strcspn(var, "=");
	for (size_t i = 0; i < n; i++) {
		size_t k = strlen(v[i]);
		bool all = v[i][k - 1] == '*';
		if (all ? len >= k - 1 && memcmp(v[i], var, k - 1) == 0
			: len == k && memcmp(v[i], var, k) == 0)
			return true;
	}
	return false;
}

static bool comes_along(const struct sudo_args *s, const char *var)
{
	if (!strchr(var, '=') || has_prefix(var, "SUDO_"))
		return false;
	if (names((const char *const *)s->keep.v, s->keep.n, var))
		return true;
	if (names(never, ARRAY_LEN(never), var) || has_prefix(strchr(var, '=') + 1, "() "))
		return false;
	if (s->login)
		return names(kept, ARRAY_LEN(kept), var);
	return s->preserve || s->su || names(kept, ARRAY_LEN(kept), var);
}

static bool is_set(const struct strv *v, const char *key)
{
	return strv_env_get(v, key) != NULL;
}

/* As su(1): but for a login, only what names the user, and not even that for root. */
static void set_su(struct arena *a, const struct sudo_args *s, const struct sudo_user *to,
	const char *shell, struct strv *v)
{
	if (s->preserve && !s->login)
		return;
	strv_env_set(a, v, "HOME", to->home);
	strv_env_set(a, v, "SHELL", shell);
	if (s->login || to->uid != 0) {
		strv_env_set(a, v, "USER", to->name);
		strv_env_set(a, v, "LOGNAME", to->name);
	}
	if (s->login || to->uid == 0)
		strv_env_set(a, v, "PATH", SUDO_PATH);
}

static void set_sudo(struct arena *a, const struct sudo_args *s, const struct sudo_user *to,
	const struct sudo_user *from, const char *shell, struct strv *v)
{
	char number[16];
	if (s->set_home || s->login || !is_set(v, "HOME"))
		strv_env_set(a, v, "HOME", to->home);
	strv_env_set(a, v, "USER", to->name);
	strv_env_set(a, v, "LOGNAME", to->name);
	strv_push(a, v, arena_printf(a, "MAIL=/var/mail/%s", to->name));
	if (!strv_has(&s->keep, "PATH"))
		strv_env_set(a, v, "PATH", SUDO_PATH);
	if (!s->preserve || s->login || !is_set(v, "SHELL"))
		strv_env_set(a, v, "SHELL", shell ? shell : to->shell);
	strv_env_set(a, v, "SUDO_USER", from->name);
	snprintf(number, sizeof(number), "%u", from->uid);
	strv_env_set(a, v, "SUDO_UID", number);
	snprintf(number, sizeof(number), "%u", from->gid);
	strv_env_set(a, v, "SUDO_GID", number);
}

/* SUDO_COMMAND: what was asked for, in words. */
static void set_command(
	struct arena *a, const struct sudo_args *s, const char *shell, struct strv *v)
{
	const char *text = s->command.n ? s->command.v[0] : shell;
	for (size_t i = 1; text && i < s->command.n; i++)
		text = arena_printf(a, "%s %s", text, s->command.v[i]);
	if (text)
		strv_env_set(a, v, "SUDO_COMMAND", text);
}

int sudo_env(struct arena *a, char *const *env, const struct sudo_args *s,
	const struct sudo_user *to, const struct sudo_user *from, const char *shell,
	struct strv *ret)
{
	struct strv v = {0};
	for (; *env; env++)
		if (comes_along(s, *env))
			strv_push(a, &v, *env);
	if (s->su)
		set_su(a, s, to, shell, &v);
	else
		set_sudo(a, s, to, from, shell, &v);
	for (size_t i = 0; i < s->vars.n; i++) {
		size_t n = strcspn(s->vars.v[i], "=");
		strv_env_set(a, &v, arena_dupn(a, s->vars.v[i], n), s->vars.v[i] + n + 1);
	}
	if (!s->su)
		set_command(a, s, shell, &v);
	*ret = v;
	return a->failed ? -ENOMEM : 0;
}
