/* run/run-options.c - the command line of `bawn run`; see run.h */
#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "run/pull.h"
#include "run/run.h"
#include "sandbox/client.h"
#include "store/ref.h"

enum {
	OPT_RM,
	OPT_NAME,
	OPT_DETACH,
	OPT_DETACH_KEYS,
	OPT_TEMPLATE,
	OPT_PULL,
	OPT_WORKSPACE,
	OPT_ENV,
	OPT_ENV_FILE,
	OPT_EXPOSE_KEY,
	OPT_ALLOW,
	OPT_DENY,
	OPT_ALLOW_PRIVATE,
	OPT_HOST_PORT,
	OPT_PUBLISH,
	OPT_POLICY,
	OPT_OFFLINE,
	OPT_ASK,
	OPT_MASK,
	OPT_ALLOW_EXEC,
	OPT_CONNECT_TO,
	OPT_NO_YOLO,
	OPT_NO_LOGIN,
	OPT_BARE_HOME,
	OPT_PIDS,
	OPT_MEMORY,
	OPT_CPUS,
	OPT_DEGRADED,
	OPT_AS_USER,
	OPT_CLIPBOARD,
	OPT_DRY_RUN,
	OPT_JSON,
	OPT_TIMING,
	OPT_TIMEOUT,
	OPT_RESULT,
	OPT_AUDIT,
	OPT_VERBOSE,
	OPT_QUIET,
	OPT_HELP,
};

const struct option_row run_option_rows[] = {
	{"rm", 0, NULL, "remove the sandbox at the end; it has no name", OPT_RM},
	{"name", 0, "NAME", "the sandbox's name (PROFILE-DIRECTORY)", OPT_NAME},
	{"detach", 'd', NULL, "start it in the background and print its name", OPT_DETACH},
	{"detach-keys", 0, "KEYS", "keys that leave the session running (ctrl-p,ctrl-q)",
		OPT_DETACH_KEYS},
	{"template", 't', "host|TEMPLATE", "the root file system: the machine's, or a template",
		OPT_TEMPLATE},
	{"pull", 0, "always|missing|never",
		"ask the registry for the template: each time, or when it isn't here (missing)",
		OPT_PULL},
	{"workspace", 0, "direct|cow|clone|none",
		"direct: changes land at once; cow: they wait; clone: a git clone; none",
		OPT_WORKSPACE},
	{"env", 'e', "K[=V]", "set or pass an environment variable", OPT_ENV},
	{"env-file", 0, "FILE", "set variables from FILE, KEY=VALUE a line", OPT_ENV_FILE},
	{"expose-key", 0, "VAR", "let the agent have the key in VAR, not a placeholder",
		OPT_EXPOSE_KEY},
	{"allow", 0, "RULE", "also allow a host: HOST, *.HOST, **.HOST, ADDR, CIDR [:PORT,...]",
		OPT_ALLOW},
	{"deny", 0, "RULE", "deny a host, whatever allows it", OPT_DENY},
	{"allow-private", 0, "HOST", "allow a host, on a private address too", OPT_ALLOW_PRIVATE},
	{"host-port", 0, "PORT", "relay 127.0.0.1:PORT inside to the host's loopback",
		OPT_HOST_PORT},
	{"publish", 'p', "[IP:]HOST:PORT", "let the host reach PORT inside at HOST (0: any free)",
		OPT_PUBLISH},
	{"policy", 0, "POLICY|FILE",
		"use this egress policy instead of the profile's, or beside it", OPT_POLICY},
	{"offline", 0, NULL, "no network at all, but for --host-port", OPT_OFFLINE},
	{"ask", 0, "[=SECONDS]", "hold what no rule allows so long (30), for bawn policy answer",
		OPT_ASK},
	{"mask", 0, "GLOB", "untracked files matching GLOB read as empty", OPT_MASK},
	{"allow-exec", 0, "PATH", "leave new files there that the host runs unasked",
		OPT_ALLOW_EXEC},
	{"connect-to", 0, "HOST:PORT:ADDR:PORT", "connect there instead, as curl's option",
		OPT_CONNECT_TO},
	{"no-yolo", 0, NULL, "keep the tool's own permission prompts", OPT_NO_YOLO},
	{"no-login", 0, NULL, "leave the host's log-in out", OPT_NO_LOGIN},
	{"bare-home", 0, NULL, "bring none of your settings along", OPT_BARE_HOME},
	{"pids", 0, "N", "at most N processes and threads", OPT_PIDS},
	{"memory", 0, "SIZE", "at most SIZE of memory (512m, 4g), without swap", OPT_MEMORY},
	{"cpus", 0, "N", "at most the time of N processors (1.5)", OPT_CPUS},
	{"allow-degraded", 0, "landlock|memory|cpus|core|case", "start although that is missing",
		OPT_DEGRADED},
	{"as-user", 0, "USER", "as root: become USER first", OPT_AS_USER},
	{"clipboard", 0, NULL, "let the agent write to your clipboard (OSC 52)", OPT_CLIPBOARD},
	{"dry-run", 0, NULL, "show the plan and stop", OPT_DRY_RUN},
	{"json", 0, NULL, "with --dry-run: as JSON", OPT_JSON},
	{"timing", 0, NULL, "show how long each step of the start took", OPT_TIMING},
	{"timeout", 0, "DURATION", "end it after 30s, 10m, 1h: SIGTERM, 10 s later SIGKILL",
		OPT_TIMEOUT},
	{"result", 0, "FILE", "write exit, times, traffic, denials and changes to FILE as JSON",
		OPT_RESULT},
	{"audit", 0, "FILE", "append the audit log to FILE", OPT_AUDIT},
	{"verbose", 'v', NULL, "say more", OPT_VERBOSE},
	{"quiet", 'q', NULL, "say nothing but errors", OPT_QUIET},
	{"help", 'h', NULL, "show this help", OPT_HELP},
	{0},
};

void run_options_help(FILE *to)
{
	fprintf(to,
		"Usage: bawn run [OPTIONS] PROFILE|NAME [OPTIONS] [PATH[:ro]...] [-- ARGS...]\n\n"
		"Run a coding agent in a sandbox on the current directory, or on PATH.  The "
		"sandbox\n"
		"lasts: the same command, or its NAME, enters it again.  ARGS go to the agent.\n\n"
		"Options:\n");
	options_help(run_option_rows, to);
	fprintf(to,
		"\nExamples:\n"
		"  bawn run claude\n"
		"  bawn run codex -- exec \"make the tests pass\"\n"
		"  bawn run --rm --offline shell -- make check\n\n"
		"Exit status: the agent's own; 128+n for signal n; 125 bawn failed, 126 the "
		"program\n"
		"can't be executed, 127 it was not found; 124 the time of --timeout was over.\n"
		"More: man bawn-run\n");
}

static int parse_number(const char *s, uint64_t min, uint64_t max, uint64_t *ret, struct err *err)
{
	char *end;
	errno = 0;
	unsigned long long v = s[0] >= '0' && s[0] <= '9' ? strtoull(s, &end, 10) : 0;
	if (!(s[0] >= '0' && s[0] <= '9') || *end || errno || v < min || v > max)
		return err_set(err, EINVAL, "'%.40s' is not a number from %" PRIu64 " to %" PRIu64,
			s, min, max);
	*ret = v;
	return 0;
}

static bool env_name_ok(const char *s, size_t n)
{
	if (n == 0 || (s[0] >= '0' && s[0] <= '9'))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= 'a' && s[i] <= 'z') ||
			    (s[i] >= '0' && s[i] <= '9') || s[i] == '_'))
			return false;
	return true;
}

static int add_env(struct run *r, const char *s, struct err *err)
{
	size_t n = strcspn(s, "=");
	if (!env_name_ok(s, n)) {
		err_hint(err,
			has_prefix(s, "export ")
				? "leave \"export\" out: a line is KEY=VALUE"
				: "letters, digits and _, the first no digit, as in KEY=VALUE");
		return err_set(
			err, EINVAL, "'%.*s' is not a variable name", (int)MIN(n, (size_t)60), s);
	}
	char *name = arena_dupn(&r->arena, s, n);
	const char *value = s[n] ? s + n + 1 : getenv(name);
	return value ? strv_env_set(&r->arena, &r->opt.env, name, value) : 0;
}

static int add_expose_key(struct run *r, const char *s, struct err *err)
{
	if (!env_name_ok(s, strlen(s))) {
		err_hint(err,
			"the variable that holds the key, as in --expose-key ANTHROPIC_API_KEY");
		return err_set(err, EINVAL, "'%.60s' is not a variable name", s);
	}
	return strv_has(&r->opt.expose_key, s) ? 0 : strv_add(&r->arena, &r->opt.expose_key, s);
}

#define ENV_FILE_HINT "a file, or a pipe as <(...) is one, of lines KEY=VALUE or KEY"

/* The text of an --env-file: a file, or a pipe such as a shell's <(...), which keeps secrets off
 * the disk.  Reading a pipe waits for whoever writes; signals are not held back yet. */
static int read_env_file(struct run *r, const char *path, char **ret, struct err *err)
{
	enum { CAP = 1 << 20 };
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0) {
		err_hint(err, ENV_FILE_HINT);
		return err_sys(err, errno, "open '%s'", path);
	}
	bool none = S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3); /* /dev/null */
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode) && !none) {
		err_hint(err, ENV_FILE_HINT);
		return err_set(err, EINVAL, "%s is neither a file nor a pipe", path);
	}
	char *text = arena_alloc(&r->arena, CAP + 1);
	ssize_t n = text ? fd_read_full(fd, text, CAP + 1) : -ENOMEM;
	if (n < 0)
		return err_sys(err, (int)-n, "read %s", path);
	if (n > CAP)
		return err_set(err, EFBIG, "%s is larger than %d bytes", path, CAP);
	text[n] = '\0';
	if (strlen(text) != (size_t)n)
		return err_set(err, EINVAL, "%s holds a zero byte; save it as plain text", path);
	*ret = text;
	return 0;
}

static int add_env_file(struct run *r, const char *path, struct err *err)
{
	char *text = NULL;
	int k = read_env_file(r, path, &text, err);
	if (k < 0)
		return k;
	if (has_prefix(text, "\xef\xbb\xbf")) /* what some editors put in front */
		text += 3;
	strv_add(&r->arena, &r->opt.given_files, path);
	unsigned int line = 0;
	for (char *p = text; *p;) {
		size_t len = strcspn(p, "\n");
		bool last = p[len] == '\0';
		p[len] = '\0';
		line++;
		if (len && p[len - 1] == '\r')
			p[len - 1] = '\0';
		char *s = p + strspn(p, " \t");
		if (*s && *s != '#' && add_env(r, s, err) < 0)
			return err_prefix(err, "%s:%u", path, line);
		if (last)
			break;
		p += len + 1;
	}
	return 0;
}

/* One field of HOST:PORT:ADDR:PORT up to ":"; an address may stand in brackets. */
static char *connect_field(struct arena *a, const char **s, bool last)
{
	const char *p = *s;
	const char *end;
	char *out;
	if (*p == '[') {
		end = strchr(p, ']');
		if (!end)
			return NULL;
		out = arena_dupn(a, p + 1, (size_t)(end - p - 1));
		end++;
	} else {
		end = p + strcspn(p, ":");
		out = arena_dupn(a, p, (size_t)(end - p));
	}
	if (*end != (last ? '\0' : ':'))
		return NULL;
	*s = last ? end : end + 1;
	return out;
}

static int add_connect_to(struct run *r, const char *s, struct err *err)
{
	struct run_options *o = &r->opt;
	const char *p = s, *f[4];
	for (int i = 0; i < 4; i++) {
		f[i] = connect_field(&r->arena, &p, i == 3);
		if (!f[i])
			return err_set(err, EINVAL, "'%.100s' is not HOST:PORT:ADDR:PORT", s);
	}
	uint64_t from = 0, to = 0;
	if ((*f[1] && parse_number(f[1], 1, 65535, &from, err) < 0) ||
		(*f[3] && parse_number(f[3], 1, 65535, &to, err) < 0))
		return -EINVAL;
	char name[HOST_NAME_MAX_LEN + 1] = "";
	if (*f[0] && host_canonical(f[0], strlen(f[0]), name) < 0)
		return err_set(err, EINVAL, "'%.100s' is not a host name", f[0]);
	char to_name[HOST_NAME_MAX_LEN + 1];
	unsigned char addr[16];
	if (*f[2] && inet_pton(AF_INET, f[2], addr) != 1 && inet_pton(AF_INET6, f[2], addr) != 1 &&
		host_canonical(f[2], strlen(f[2]), to_name) < 0)
		return err_set(err, EINVAL, "'%.100s' is neither an address nor a host name", f[2]);
	if (o->n_overrides == o->cap_overrides) {
		size_t cap = o->cap_overrides ? o->cap_overrides * 2 : 8;
		struct dialer_override *v = arena_alloc(&r->arena, cap * sizeof(*v));
		if (!v)
			return err_set(err, ENOMEM, "out of memory");
		if (o->n_overrides)
			memcpy(v, o->overrides, o->n_overrides * sizeof(*v));
		o->overrides = v;
		o->cap_overrides = cap;
	}
	o->overrides[o->n_overrides++] = (struct dialer_override){
		.host = arena_dup(&r->arena, name),
		.port = (uint16_t)from,
		.to_host = f[2],
		.to_port = (uint16_t)to};
	return strv_add(&r->arena, &o->connect_to_texts, s);
}

static int add_host_port(struct run *r, const char *s, struct err *err)
{
	uint64_t port;
	if (parse_number(s, 1, 65535, &port, err) < 0)
		return -EINVAL;
	for (size_t i = 0; i < r->opt.n_host_ports; i++)
		if (r->opt.host_ports[i] == port)
			return 0;
	/* More would not fit the one message that hands the listeners over. */
	if (r->opt.n_host_ports >= 10)
		return err_set(err, EINVAL, "at most 10 host ports");
	r->opt.host_ports[r->opt.n_host_ports++] = (uint16_t)port;
	return strv_add(&r->arena, &r->opt.host_port_texts, s);
}

static int add_publish(struct run *r, const char *s, struct err *err)
{
	struct run_options *o = &r->opt;
	struct port_spec p;
	char text[80];
	int k = port_spec_parse(s, &p, err);
	if (k < 0 && !strchr(s, ':')) /* claude's own -p */
		err_hint(err,
			"for example 8080:80; what is for the agent comes behind --, as in: bawn "
			"run claude -- -p \"say hello\"");
	if (k < 0)
		return k;
	if (o->n_ports == PORTS_MAX)
		return err_set(err, EINVAL, "at most %d published ports", PORTS_MAX);
	o->ports[o->n_ports++] = p;
	return strv_add(&r->arena, &o->publish, port_spec_format(&p, text, sizeof(text)));
}

/* What leads out to the host must not be led back to whoever reaches the host. */
int run_check_ports(const struct run_options *o, struct err *err)
{
	for (size_t i = 0; i < o->n_ports; i++)
		for (size_t k = 0; k < o->n_host_ports; k++)
			if (o->ports[i].inside == o->host_ports[k])
				return err_set(err, EINVAL,
					"port %u inside is the host's own (--host-port): it can't "
					"be "
					"published",
					o->host_ports[k]);
	return 0;
}

static int add_degraded(struct run *r, const char *s, struct err *err)
{
	if (!streq(s, "landlock") && !streq(s, "memory") && !streq(s, "cpus") &&
		!streq(s, "core") && !streq(s, "case")) {
		err_hint(err,
			"only landlock, memory, cpus, core and case can be done without; "
			"the rest of the wall can't");
		return err_set(err, EINVAL, "unknown feature '%.40s'", s);
	}
	return strv_add(&r->arena, &r->opt.degraded, s);
}

static int check_template(struct run *r, const char *value, struct err *err)
{
	struct ref ref;
	return streq(value, "host") ? 0 : ref_parse(&r->arena, value, &ref, err);
}

static int check_mode(const char *value, struct err *err)
{
	static const char *const modes[] = {"direct", "cow", "clone", "none"};
	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (streq(value, modes[i]))
			return 0;
	err_hint(err,
		"direct: the directory itself; cow: over it, changes wait for bawn apply; "
		"clone: a git clone of it; none: no workspace");
	return err_set(err, EINVAL, "'%.40s' is no way to have a workspace", value);
}

/* Options that are one word: a flag, or what was given as it is. */
static bool set_plain(struct run_options *o, int id, const char *value)
{
	const struct {
		int id;
		bool *flag;
	} flags[] = {{OPT_RM, &o->rm}, {OPT_OFFLINE, &o->offline}, {OPT_NO_YOLO, &o->no_yolo},
		{OPT_DETACH, &o->detach}, {OPT_NO_LOGIN, &o->no_login},
		{OPT_BARE_HOME, &o->bare_home}, {OPT_CLIPBOARD, &o->clipboard},
		{OPT_DRY_RUN, &o->dry_run}, {OPT_JSON, &o->json}, {OPT_TIMING, &o->timing},
		{OPT_HELP, &o->help}};
	const struct {
		int id;
		const char **text;
	} texts[] = {{OPT_AS_USER, &o->as_user}, {OPT_RESULT, &o->result}, {OPT_AUDIT, &o->audit}};
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (flags[i].id == id)
			return *flags[i].flag = true;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].id == id) {
			*texts[i].text = value;
			return true;
		}
	return false;
}

static int option(void *ctx, int id, const char *value, struct err *err)
{
	char keys[17];
	struct run *r = ctx;
	struct run_options *o = &r->opt;
	const struct {
		int id;
		struct strv *list;
	} lists[] = {{OPT_ALLOW, &o->allow}, {OPT_DENY, &o->deny},
		{OPT_ALLOW_PRIVATE, &o->allow_private}, {OPT_POLICY, &o->policy},
		{OPT_MASK, &o->mask}, {OPT_ALLOW_EXEC, &o->allow_exec}};
	if (id == OPT_AUDIT && !*value) {
		err_hint(err, "a file outside of what the agent sees, as in --audit ~/run.jsonl");
		return err_set(err, EINVAL, "'' names no file");
	}
	if (set_plain(o, id, value))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (lists[i].id == id)
			return strv_push(&r->arena, lists[i].list,
				id == OPT_POLICY ? path_of_word(&r->arena, value)
						 : arena_dup(&r->arena, value));
	switch (id) {
	case OPT_EXPOSE_KEY:
		return add_expose_key(r, value, err);
	case OPT_ENV:
		return add_env(r, value, err);
	case OPT_ENV_FILE:
		return add_env_file(r, value, err);
	case OPT_HOST_PORT:
		return add_host_port(r, value, err);
	case OPT_PUBLISH:
		return add_publish(r, value, err);
	case OPT_CONNECT_TO:
		return add_connect_to(r, value, err);
	case OPT_ASK:
		return parse_number(value ? value : "30", 1, RUN_ASK_MAX, &o->ask, err);
	case OPT_PIDS:
		return parse_number(value, 8, 1 << 22, &o->pids, err);
	case OPT_MEMORY:
		return run_parse_size(value, &o->memory, err);
	case OPT_CPUS:
		return run_parse_cpus(value, &o->cpus, err);
	case OPT_DEGRADED:
		return add_degraded(r, value, err);
	case OPT_TIMEOUT:
		return run_duration(value, &o->timeout_ms, err);
	case OPT_NAME:
		o->name = value;
		return spec_name_check(value, err);
	case OPT_DETACH_KEYS:
		o->keys = value;
		return client_detach_keys(value, keys, err);
	case OPT_TEMPLATE:
		o->template = value;
		return check_template(r, value, err);
	case OPT_PULL:
		return run_pull_parse(value, &o->pull, err);
	case OPT_WORKSPACE:
		o->mode = value;
		return check_mode(value, err);
	case OPT_VERBOSE:
		o->verbosity = 1;
		return 0;
	case OPT_QUIET:
		o->verbosity = -1;
		return 0;
	default:
		return -EINVAL;
	}
}

int run_option_set(struct run *r, const char *name, const char *value, struct err *err)
{
	for (const struct option_row *o = run_option_rows; o->name; o++)
		if (streq(o->name, name))
			return option(r, o->id, value, err);
	return err_set(err, EINVAL, "unknown option --%s", name);
}

int run_option_row_set(struct run *r, int id, const char *value, struct err *err)
{
	for (const struct option_row *o = run_option_rows; o->name; o++)
		if (o->id == id)
			return option(r, id, value, err);
	return -EINVAL;
}

void run_option_rows_beside(
	const struct option_row *own, const char *const * not, struct option_row *to, size_t max)
{
	size_t n = 0;
	for (; own->name && n < max - 1; own++)
		to[n++] = *own;
	for (const struct option_row *o = run_option_rows; o->name && n < max - 1; o++) {
		size_t i = 0;
		while (not [i] && !streq(o->name, not [i]))
			i++;
		if (!not [i])
			to[n++] = *o;
	}
	to[n] = (struct option_row){0};
}

int run_options_parse(struct run *r, int argc, char **argv, struct err *err)
{
	struct option_split split;
	int k = options_parse(run_option_rows, argc, argv, option, r, &split, err);
	if (k < 0 || r->opt.help)
		return k;
	if (split.first == split.end && !r->opt.name) {
		err_hint(err, "for example: bawn %s claude; bawn profile ls lists the profiles",
			argv[0]);
		return err_set(err, EINVAL, "which profile?");
	}
	r->opt.profile = split.first < split.end ? path_of_word(&r->arena, argv[split.first])
						 : NULL;
	bool empty = false;
	for (int i = split.first + 1; i < split.end; i++)
		if (argv[i][0])
			strv_add(&r->arena, &r->opt.paths, argv[i]);
		else
			empty = true;
	for (int i = split.rest; i < argc; i++)
		strv_add(&r->arena, &r->opt.args, argv[i]);
	/* Taking the current directory instead would show the agent what nobody named. */
	if (empty) {
		err_hint(err,
			"a variable may be unset; without a PATH the current directory is "
			"the workspace");
		return err_set(err, EINVAL, "a PATH is empty");
	}
	if (r->opt.json && !r->opt.dry_run)
		return err_set(err, EINVAL, "--json goes with --dry-run");
	if (r->opt.rm && r->opt.mode && streq(r->opt.mode, "clone")) {
		err_hint(err,
			"leave --rm out, and remove the sandbox when you have fetched from it");
		return err_set(err, EINVAL, "--rm would remove the clone with all its commits");
	}
	if (r->opt.result && (r->opt.dry_run || r->opt.detach)) {
		err_hint(err, "what becomes of it: bawn log");
		return err_set(err, EINVAL, "--result goes with neither --dry-run nor --detach");
	}
	if (r->opt.rm && (r->opt.name || r->opt.detach))
		return err_set(err, EINVAL, "--rm goes with neither --name nor --detach");
	k = run_check_ports(&r->opt, err);
	return k < 0 ? k : arena_check(&r->arena, err);
}
