/* gate/names.c - see names.h */
#include "gate/names.h"

#include <fnmatch.h>

struct row {
	const char *glob; /* of the last names of a path, as many as it has */
	const char *what;
};

/* Not empty, each is a credential, or a set of them. */
static const struct row whole[] = {
	{".git-credentials", "git's stored passwords"},
	{".config/git/credentials", "git's stored passwords"},
	{".pgpass", "passwords of databases"},
	{".htpasswd", "passwords of a web server"},
	{"config/master.key", "a key of Rails"},
	{".aws/sso/cache/*.json", "a log-in of AWS"},
	{".aws/cli/cache/*.json", "a log-in of AWS"},
	{"gcloud/credentials.db", "a log-in of Google Cloud"},
	{"gcloud/access_tokens.db", "a log-in of Google Cloud"},
	{"gcloud/application_default_credentials.json", "a log-in of Google Cloud"},
	{"gcloud/legacy_credentials/*/*", "a log-in of Google Cloud"},
	{".azure/msal_token_cache.*", "a log-in of Azure"},
	{".azure/accessTokens.json", "a log-in of Azure"},
	{".azure/service_principal_entries.*", "a log-in of Azure"},
	{".cargo/credentials", "a token for crates"},
	{".cargo/credentials.toml", "a token for crates"},
	{".gem/credentials", "a token for gems"},
	{".vault-token", "a token of Vault"},
	{".terraform.d/credentials.tfrc.json", "a token of Terraform"},
	{"gh/hosts.yml", "a log-in of GitHub"},
	{"glab-cli/config.yml", "a log-in of GitLab"},
	{".config/hub", "a log-in of GitHub"},
	{"github-copilot/*.json", "a log-in of GitHub"},
	{".codex/auth.json", "Codex's log-in"},
	{".claude/.credentials.json", "Claude Code's log-in"},
	{".gemini/oauth_creds.json", "Gemini CLI's log-in"},
	{".gemini/mcp-oauth-tokens*.json", "Gemini CLI's log-ins"},
	{"opencode/auth.json", "OpenCode's keys"},
	{"opencode/mcp-auth.json", "OpenCode's log-ins"},
	{".gnupg/private-keys-v1.d/*", "a private key"},
	{".gnupg/secring.gpg", "private keys"},
	{".password-store/*.gpg", "a password"},
	{"keyrings/*.keyring", "a key ring"},
	{"keyrings/user.keystore", "a key ring"},
	{"*.kdbx", "passwords (KeePass)"},
	{"google-chrome*/*/Login Data", "passwords of a browser"},
	{"google-chrome*/*/Cookies", "cookies of a browser"},
	{"chromium/*/Login Data", "passwords of a browser"},
	{"chromium/*/Cookies", "cookies of a browser"},
	{"firefox/*/logins.json", "passwords of a browser"},
	{"firefox/*/key4.db", "passwords of a browser"},
	{"firefox/*/cookies.sqlite", "cookies of a browser"},
	{"*.keytab", "keys of Kerberos"},
	{"krb5cc_*", "a log-in of Kerberos"},
	{".subversion/auth/svn.simple/*", "a password for Subversion"},
	{"pypoetry/auth.toml", "Poetry's passwords"},
	{"uv/credentials/*.toml", "uv's passwords"},
};

/* Files in which any value under such a name is a credential. */
static const char *const lenient[] = {".netrc", "_netrc", ".authinfo", ".npmrc", ".yarnrc",
	".yarnrc.yml", ".pypirc", ".my.cnf", ".mylogin.cnf", ".aws/credentials", ".aws/config",
	".kube/config", "kubeconfig", ".docker/config.json", ".dockercfg", ".dockerconfigjson",
	"containers/auth.json", ".env", ".env.*", ".s3cfg", ".boto", ".mc/config.json",
	"rclone.conf", ".condarc", "pip.conf", "pip.ini", "npmrc", "my.cnf", "debian.cnf",
	".pg_service.conf", "pg_service.conf", ".wgetrc", "*.tfstate", "*.tfstate.backup",
	"k3s.yaml", "*.kubeconfig", "kubeconfig.y*ml", "kubernetes/*.conf", "etc/environment",
	"etc/profile.d/*.sh", ".bashrc", ".bash_profile", ".bash_login", ".bash_aliases",
	".profile", ".zshrc", ".zshenv", ".zprofile", ".zlogin", ".kshrc", "fish/config.fish",
	".terraformrc", ".config/hub", ".hgrc", "*.env", ".envrc", "*.tfvars", "secrets.yaml",
	"secrets.yml", "secrets.json", "secrets.toml", "secrets.txt", "credentials.txt",
	"credentials.json", "token.txt", "tokens.txt", "password.txt", "passwords.txt", ".bawn/*",
	".m2/settings.xml", ".gradle/gradle.properties", ".composer/auth.json",
	"composer/auth.json", ".nuget/NuGet.Config", "doctl/config.yaml", "fly/config.yml",
	".fly/config.yml", "netlify/config.json", "vercel/auth.json", "com.vercel.cli/auth.json",
	"wrangler/config/*", ".databrickscfg", ".snowsql/config"};

/* Patterns for others to fill in. */
static const char *const patterns[] = {".env.example", ".env.sample", ".env.template", ".env.dist",
	".env.defaults", ".env.schema", "*.env.example", "*.template", "*.sample", "*.md",
	"*.d.ts"};

/* git's own configuration: passwords stand in URLs. */
static const char *const git[] = {".git/config", ".gitmodules", ".gitconfig", "git/config",
	"*.git/config", "config.worktree", ".git/modules/*/config", ".git/modules/*/*/config",
	".git/modules/*/*/*/config"};

static const char *const programs[] = {"js", "mjs", "cjs", "ts", "mts", "cts", "tsx", "jsx", "py",
	"pyi", "c", "h", "cc", "cpp", "hpp", "cxx", "go", "rs", "java", "kt", "rb", "php", "pl",
	"pm", "pod", "lua", "css", "scss", "less", "html", "htm", "md", "rst", "map", "vue",
	"svelte", "cs", "swift", "scala", "el", "vim", "tcl", "m4", "am", "in", "po", "pot", "svg",
	"xml", "xsl", "3", "1", "5", "7", "8", "coffee", "ex", "exs", "erl", "hs", "ml", "r", "jl",
	"d"};

/* Where the last name of a path begins; '!' stands between an archive and what is in it. */
static const char *last_name(const char *path)
{
	const char *from = path + strlen(path);
	while (from > path && from[-1] != '/' && from[-1] != '!')
		from--;
	return from;
}

/* Are the last names of path, as many as glob has, these? */
static bool ends_with(const char *path, const char *glob)
{
	const char *last = last_name(glob), *from = last_name(path);
	size_t slashes = 0;
	if (!strchr(last, '*') && !streq(from, last))
		return false; /* most, at once */
	for (const char *p = glob; *p; p++)
		slashes += *p == '/';
	for (; slashes > 0; slashes--) {
		if (from == path || from[-1] == '!')
			return false;
		for (from--; from > path && from[-1] != '/' && from[-1] != '!';)
			from--;
	}
	return fnmatch(glob, from, FNM_PATHNAME) == 0;
}

static bool is_one_of(const char *path, const char *const *globs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ends_with(path, globs[i]))
			return true;
	return false;
}

/* Does path have one of these (each ends in '/') at its beginning or behind a '/' or '!'? */
static bool is_below(const char *path, const char *const *places, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (const char *p = path; (p = strstr(p, places[i])); p++)
			if (p == path || p[-1] == '/' || p[-1] == '!')
				return true;
	return false;
}

/* Where packages are installed. */
static const char *const packages[] = {"node_modules/", "site-packages/", "dist-packages/",
	".cargo/registry/", "go/pkg/mod/", "usr/share/", "usr/lib/", "usr/include/", "gems/",
	"_cacache/content-v2/", "pnpm/store/", "var/cache/apt/archives/"};

const char *gate_credential_file(const char *path)
{
	/* where no package has put it: CMake's has a key for Windows programs */
	static const char *const stores[] = {"*.p12", "*.pfx"};
	if (is_one_of(path, stores, ARRAY_LEN(stores)) &&
		!is_below(path, packages, ARRAY_LEN(packages)))
		return "private keys (PKCS#12)";
	for (size_t i = 0; i < ARRAY_LEN(whole); i++)
		if (ends_with(path, whole[i].glob))
			return whole[i].what;
	return NULL;
}

const char *gate_published(const char *path)
{
	static const char *const tests[] = {"test/", "tests/", "testing/", "testdata/", "fixtures/",
		"__tests__/", "spec/", "example/", "examples/", "mocks/"};
	/* Chromium's, of Debian's package: in each copy of it */
	static const char *const given[] = {"etc/chromium.d/"};
	if (is_below(path, given, ARRAY_LEN(given)))
		return "of a distribution's package";
	if (is_below(path, packages, ARRAY_LEN(packages)) &&
		is_below(path, tests, ARRAY_LEN(tests)))
		return "in the tests of a package";
	return NULL;
}

/* A distribution's, in the root's own /usr: nobody keeps a setting there, but in a unit. */
static bool is_given(const char *path)
{
	static const char *const given[] = {"usr/share/", "usr/lib/", "usr/include/"};
	if (ends_with(path, "*.service"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(given); i++)
		if (has_prefix(path, given[i]))
			return true;
	return false;
}

enum gate_manner gate_manner_of(const char *path)
{
	static const char *const texts[] = {"usr/share/doc/", "usr/share/man/", "usr/share/info/"};
	const char *base = last_name(path), *dot;
	const bool package = is_below(path, packages, ARRAY_LEN(packages));
	if (is_one_of(path, patterns, ARRAY_LEN(patterns)))
		return package ? GATE_BINARY : GATE_CODE;
	if (is_one_of(path, lenient, ARRAY_LEN(lenient)))
		return GATE_LENIENT;
	if (is_one_of(path, git, ARRAY_LEN(git)))
		return GATE_GIT;
	if (is_below(path, texts, ARRAY_LEN(texts)))
		return GATE_OBJECT;
	dot = strrchr(base, '.');
	bool program = streq(base, "PKG-INFO") || streq(base, "METADATA");
	for (size_t i = 0; dot && !program && i < ARRAY_LEN(programs); i++)
		program = streq(dot + 1, programs[i]);
	if (!program)
		return is_given(path) ? GATE_BINARY : GATE_PLAIN;
	/* what was published with a value in it has published that */
	return package ? GATE_BINARY : GATE_CODE;
}
