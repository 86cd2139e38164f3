/* cli/policy-side.c - see policy-side.h.  Must not: change anything; a sandbox's description is
 * only read, so what counts in it with --once is not seen.
 */
#include "cli/policy-side.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fd.h"
#include "cli/admin.h"
#include "policy/http-build.h"
#include "store/spec.h"

static const char *const prefixes[] = {
	[SIDE_PROFILE] = "profile:", [SIDE_SANDBOX] = "sandbox:", [SIDE_POLICY] = "policy:"};

/* ---- what a word means ---- */

static int open_sandbox(struct ctx *c, const char *name)
{
	struct admin_dirs dirs;
	struct err ignored = {0};
	if (strchr(name, '/') || spec_name_check(name, &ignored) < 0 ||
		admin_dirs_find(&c->a, &dirs, &ignored) < 0)
		return -ENOENT;
	char *path = arena_printf(&c->a, "%s/sandboxes/%s", dirs.xdg.data, name);
	int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	return fd < 0 ? -ENOENT : fd;
}

static bool exists(struct ctx *c, enum policy_side_kind kind, const char *name)
{
	struct strv names = {0};
	if (kind == SIDE_SANDBOX) {
		_cleanup_close_ int fd = open_sandbox(c, name);
		return fd >= 0;
	}
	locate_names(
		&c->locate, kind == SIDE_PROFILE ? LOCATE_PROFILE : LOCATE_POLICY, &names, NULL);
	return strv_has(&names, name);
}

/* A file is a profile where it has the one key that each profile must have. */
static int kind_of_file(
	struct ctx *c, const char *path, enum policy_side_kind *ret, struct err *err)
{
	struct yaml_node *root = NULL;
	int r = yaml_load(&c->a, path, &root, err);
	if (r >= 0)
		*ret = yaml_get(root, "command") ? SIDE_PROFILE : SIDE_POLICY;
	return r;
}

static int no_such(const char *name, struct err *err)
{
	char shown_name[128];
	err_hint(err, "bawn profile ls, bawn ls and bawn policy show list them");
	return err_set(err, ENOENT, "there is no profile, sandbox or policy '%s'",
		escape_text(shown_name, sizeof(shown_name), name));
}

static int find_kind(struct ctx *c, const char **word, enum policy_side_kind *ret, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (has_prefix(*word, prefixes[i])) {
			*word += strlen(prefixes[i]);
			*ret = (enum policy_side_kind)i;
			return 0;
		}
	if (strchr(*word, '/'))
		return kind_of_file(c, *word, ret, err);
	const bool profile = exists(c, SIDE_PROFILE, *word), policy = exists(c, SIDE_POLICY, *word);
	if (profile && policy) {
		err_hint(err, "write profile:%s or policy:%s", *word, *word);
		return err_set(err, EINVAL, "%s is a profile and a policy", *word);
	}
	*ret = profile ? SIDE_PROFILE : policy ? SIDE_POLICY : SIDE_SANDBOX;
	return profile || policy || exists(c, SIDE_SANDBOX, *word) ? 0 : no_such(*word, err);
}

/* ---- reading it ---- */

static void add_all(struct arena *a, struct strv *to, const struct strv *from)
{
	for (size_t i = 0; i < from->n; i++)
		strv_push(a, to, from->v[i]);
}

/* What the sandbox was made with stands before what is asked for besides. */
static int take_spec(struct ctx *c, struct policy_side *s, struct pack_args *args, struct err *err)
{
	struct spec spec = {0};
	_cleanup_close_ int fd = open_sandbox(c, s->word);
	if (fd < 0)
		return no_such(s->word, err);
	int r = spec_read(fd, &c->a, &spec, err);
	if (r < 0)
		return r;
	struct pack_args own = {.a = &c->a, .beside = spec.profiles};
	own.policies = args->policies.n ? args->policies : spec.policy;
	add_all(&c->a, &own.allow, &spec.allow);
	add_all(&c->a, &own.allow, &args->allow);
	add_all(&c->a, &own.deny, &spec.deny);
	add_all(&c->a, &own.deny, &args->deny);
	add_all(&c->a, &own.allow_private, &spec.allow_private);
	add_all(&c->a, &own.allow_private, &args->allow_private);
	own.req.offline = spec.offline || args->req.offline;
	own.req.profile = spec.profile;
	*args = own;
	return arena_check(&c->a, err);
}

static int read_request(
	struct ctx *c, struct policy_side *s, struct pack_args *args, struct err *err)
{
	struct compile_input in;
	args->req.profile = s->word;
	int r = s->kind == SIDE_SANDBOX ? take_spec(c, s, args, err) : 0;
	if (r < 0)
		return r;
	pack_args_finish(args);
	args->req.config_dir = c->locate.config_dir;
	args->req.data_dir = c->locate.data_dir;
	r = compile_read(&c->a, &args->req, &in, err);
	if (r < 0)
		return r;
	s->rules = in.rules;
	s->http = in.http;
	s->credentials = in.credentials;
	s->files = in.policies;
	s->offline = args->req.offline;
	return 0;
}

int policy_side_read(struct ctx *c, const char *word, struct pack_args *args,
	struct policy_side *ret, struct err *err)
{
	struct pack_args none = {.a = &c->a};
	struct policy_side s = {.word = word};
	int r = find_kind(c, &s.word, &s.kind, err);
	if (r >= 0 && s.kind != SIDE_POLICY)
		r = read_request(c, &s, args ? args : &none, err);
	else if (r >= 0) {
		r = compile_read_policy(&c->locate, s.word, &s.file, err);
		s.rules = s.file.rules;
		rules_mark_given(&s.rules);
		s.credentials = s.file.credentials;
		if (r >= 0)
			r = http_build(&c->a, &s.rules, &s.http, err);
		if (r >= 0)
			strv_add(&c->a, &s.files, s.file.file);
	}
	if (r < 0)
		return r;
	*ret = s;
	return 0;
}

const char *policy_side_name(const struct policy_side *s, char *buf, size_t cap)
{
	static const char *const words[] = {
		[SIDE_PROFILE] = "profile", [SIDE_SANDBOX] = "sandbox", [SIDE_POLICY] = "policy"};
	char name[300];
	snprintf(buf, cap, "%s %s", words[s->kind], shown(name, sizeof(name), s->word));
	return buf;
}

const char *policy_rule_place(const char *file, uint32_t line, char *buf, size_t cap)
{
	char name[400];
	shown(name, sizeof(name), file);
	if (line)
		snprintf(buf, cap, "%s:%u", name, line);
	else
		snprintf(buf, cap, "%s", name);
	return buf;
}

const char *policy_url_path(const char *url, size_t *ret_n)
{
	const char *path = strstr(url, "://");
	path = path ? path + 3 + strcspn(path + 3, "/?#") : "/";
	*ret_n = strcspn(path, "#");
	if (*ret_n > 0 && *path == '/')
		return path;
	*ret_n = 1;
	return "/";
}

const char *policy_request_words(struct ctx *c, const char *word, const char **ret)
{
	const char *space = strchr(word, ' ');
	*ret = ((struct policy_told *)c->own)->method;
	if (!space || *ret || word[0] < 'A' || word[0] > 'Z')
		return word;
	*ret = arena_dupn(&c->a, word, (size_t)(space - word));
	return space + 1;
}

void policy_target_text(const struct target *t, char *buf, size_t cap)
{
	char addr[INET6_ADDRSTRLEN];
	if (!t->is_addr) {
		snprintf(buf, cap, "%s:%u", t->name, t->port);
		return;
	}
	host_addr_format(&t->addr, addr, sizeof(addr));
	snprintf(buf, cap, host_addr_is_v4(&t->addr) ? "%s:%u" : "[%s]:%u", addr, t->port);
}
