/* policy/compile.c - the profile, the rules, the seccomp program and the network batches into one
 * pack.
 *
 * Owns: which files a request takes in, and the writer's side of pack-format.h.  Must not: know how
 * any part is made.
 */
#include "policy/compile.h"

#include <fcntl.h>
#include <linux/filter.h>

#include "base/escape.h"
#include "base/file.h"
#include "base/path.h"
#include "confine/seccomp-compile.h"
#include "net/build.h"
#include "policy/egress-build.h"
#include "policy/http-build.h"
#include "policy/profile-keys.h"
#include "policy/request-table.h"
#include "policy/schema.h"

int compile_read_profile(struct locate *l, const char *name, struct profile *ret, struct err *err)
{
	const char *path = NULL;
	struct yaml_node *root = NULL;
	int r = locate_file(l, LOCATE_PROFILE, name, &path, err);
	if (r >= 0)
		r = yaml_load(l->a, path, &root, err);
	if (r < 0)
		return r;
	/* A profile given by its path is called after the file. */
	const char *base = path_base(path);
	size_t n = strlen(base);
	if (n > 5 && streq(base + n - 5, ".yaml"))
		n -= 5;
	char *short_name = arena_dupn(l->a, base, n);
	if (!short_name)
		return err_set(err, ENOMEM, "out of memory");
	if (!schema_is_name(short_name)) {
		char shown[128];
		return err_set(err, EINVAL,
			"\"%s\" can't be a profile's name: letters, digits, \".\", \"-\", \"_\"",
			escape_text(shown, sizeof(shown), short_name));
	}
	return profile_parse(l->a, short_name, path, root, ret, err);
}

static int read_policy_file(
	struct locate *l, const char *path, struct egress_file *ret, struct err *err)
{
	struct yaml_node *root = NULL;
	int r = yaml_load(l->a, path, &root, err);
	return r < 0 ? r : egress_file_parse(l->a, path, root, ret, err);
}

int compile_read_policy(
	struct locate *l, const char *name, struct egress_file *ret, struct err *err)
{
	const char *path = NULL;
	int r = locate_file(l, LOCATE_POLICY, name, &path, err);
	return r < 0 ? r : read_policy_file(l, path, ret, err);
}

/* What the policies of one list say of those that the profile names. */
struct said {
	bool api;     /* one says "api: true" */
	bool instead; /* one doesn't say "beside: true" */
};

static int add_file(struct compile_input *in, const char *path, struct said *said, struct err *err)
{
	struct arena *a = in->locate.a;
	struct egress_file f = {0};
	if (strv_has(&in->policies, path))
		return 0;
	int r = read_policy_file(&in->locate, path, &f, err);
	if (r < 0)
		return r;
	if (strv_add(a, &in->policies, path) < 0)
		return err_set(err, ENOMEM, "out of memory");
	said->api |= f.api;
	said->instead |= !f.beside;
	for (size_t i = 0; i < f.rules.n && r >= 0; i++)
		r = rule_add(a, &in->rules, &f.rules.v[i], err);
	for (size_t i = 0; i < f.credentials.n && r >= 0; i++)
		r = credentials_add(a, &in->credentials, &f.credentials.v[i], err);
	return r;
}

int compile_blame(struct locate *l, const struct profile *p, const char *name, struct err *err)
{
	static const char *const keys[] = {"policies", "api", "syscalls"};
	struct yaml_node *root = NULL;
	if (yaml_load(l->a, p->file, &root, NULL) < 0)
		return -(err->code ? err->code : ENOENT);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct yaml_node *at = yaml_get(root, keys[i]);
		if (at && at->kind == YAML_LIST)
			at = at->child;
		for (; at; at = i < 2 ? at->next : NULL)
			if (at->kind == YAML_SCALAR && streq(at->text, name))
				return err_prefix(err, "%s:%u:%u", p->file, at->line, at->col);
	}
	return err_prefix(err, "%s", p->file);
}

/* profile: what names them, or NULL: the command line */
static int add_named(struct compile_input *in, const char *const *names, size_t n,
	const struct profile *profile, struct said *said, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const char *path = NULL;
		int r = locate_file(&in->locate, LOCATE_POLICY, names[i], &path, err);
		if (r == -ENOENT && profile)
			return compile_blame(&in->locate, profile, names[i], err);
		if (r >= 0)
			r = add_file(in, path, said, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_options(struct compile_input *in, const char *option, const char *const *v, size_t n,
	struct rule like, struct err *err)
{
	for (size_t i = 0; v && i < n; i++) {
		struct rule rule = like;
		int r = rule_parse(in->locate.a, v[i], &rule, err);
		if (r < 0)
			return err_prefix(err, "%s", option);
		rule.file = option;
		r = rule_add(in->locate.a, &in->rules, &rule, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_strv(struct compile_input *in, const struct strv *names,
	const struct profile *profile, struct said *said, struct err *err)
{
	return add_named(in, (const char *const *)names->v, names->n, profile, said, err);
}

/* The policies of the profiles that have entered, or the user's own list for all of them. */
static int add_policies(struct compile_input *in, const struct pack_request *req, struct err *err)
{
	struct said said = {0};
	int r = req->policies ? add_named(in, req->policies, req->n_policies, NULL, &said, err) : 0;
	const bool own = !req->policies || (req->n_policies && !said.instead);
	if (r >= 0 && own)
		r = add_strv(in, &in->profile.policies, &in->profile, &said, err);
	if (r >= 0 && said.api)
		r = add_strv(in, &in->profile.api, &in->profile, &said, err);
	for (size_t i = 0; r >= 0 && i < req->n_beside; i++) {
		struct profile p = {0};
		r = compile_read_profile(&in->locate, req->beside[i], &p, err);
		if (r >= 0 && own)
			r = add_strv(in, &p.policies, &p, &said, err);
		if (r >= 0 && said.api)
			r = add_strv(in, &p.api, &p, &said, err);
	}
	return r;
}

/* Every name at every port.  As it gives no port, it makes no name known (egress_name_known()): one
 * of private networks stays nobody's.  It says nothing of addresses, and of private ones.  A deny
 * wins over it as over any other. */
static int add_learn(struct compile_input *in, struct err *err)
{
	const struct rule every = {
		.kind = EGRESS_ANY, .name = "", .text = "**", .file = PACK_LEARN_FILE};
	return rule_add(in->locate.a, &in->rules, &every, err);
}

static int read_rules(struct compile_input *in, const struct pack_request *req, struct err *err)
{
	struct said said = {0};
	const char *user = NULL;
	int r = add_policies(in, req, err);
	if (r >= 0)
		r = locate_user_policy(&in->locate, &user, err);
	if (r >= 0 && user)
		r = add_file(in, user, &said, err);
	if (r >= 0)
		r = add_options(in, "--allow", req->allow, req->n_allow, (struct rule){0}, err);
	if (r >= 0)
		r = add_options(in, "--allow-private", req->allow_private, req->n_allow_private,
			(struct rule){.private_ok = true}, err);
	if (r >= 0)
		r = add_options(
			in, "--deny", req->deny, req->n_deny, (struct rule){.deny = true}, err);
	if (r >= 0 && req->learn)
		r = add_learn(in, err);
	return r;
}

void rules_mark_given(struct rules *rules)
{
	for (size_t i = 0; i < rules->n; i++) {
		struct rule *r = &rules->v[i];
		if (r->kind != EGRESS_NET || r->deny)
			continue;
		struct host_addr last = r->net;
		for (unsigned int bit = r->bits; bit < 128; bit++)
			last.ip.s6_addr[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
		const char *a = host_addr_special(&r->net), *b = host_addr_special(&last);
		if (a && b && streq(a, b))
			r->private_ok = true;
	}
}

int compile_read(
	struct arena *a, const struct pack_request *req, struct compile_input *ret, struct err *err)
{
	*ret = (struct compile_input){
		.locate = {.a = a, .config_dir = req->config_dir, .data_dir = req->data_dir}};
	int r = compile_read_profile(&ret->locate, req->profile, &ret->profile, err);
	if (r >= 0)
		r = read_rules(ret, req, err);
	if (r < 0)
		return r;
	rules_mark_given(&ret->rules);
	return http_build(a, &ret->rules, &ret->http, err);
}

static void put_profile(struct blob *b, const struct profile *p)
{
	blob_put_str(b, PACK_NAME, p->name);
	blob_put_str(b, PACK_FILE, p->file);
	blob_put_u64(b, PACK_HAS_SEED, p->has_seed);
	for (size_t i = 0; i < p->n_subs; i++) {
		const struct profile_sub *sub = &p->subs[i];
		size_t n = sub->args.n + 1;
		const char **v = calloc(n, sizeof(*v));
		if (!v) {
			b->failed = true;
			return;
		}
		v[0] = sub->word;
		for (size_t k = 1; k < n; k++)
			v[k] = sub->args.v[k - 1];
		blob_put_strs(b, PACK_SUB, v, n);
		free(v);
	}
	for (uint32_t i = 0; i < profile_n_keys; i++) {
		const struct profile_key *k = &profile_keys[i];
		const void *member = profile_member_const(p, k);
		if (profile_type_is_string(k->type)) {
			const char *s = *(const char *const *)member;
			if (s)
				blob_put_str(b, PACK_KEY + i, s);
		} else if (profile_type_is_strv(k->type)) {
			const struct strv *v = member;
			blob_put_strs(b, PACK_KEY + i, (const char *const *)v->v, v->n);
		} else if (k->type == PROFILE_BOOL) {
			blob_put_u64(b, PACK_KEY + i, *(const bool *)member);
		}
	}
}

static void put_sources(struct blob *b, const struct locate *l)
{
	for (const struct locate_source *s = l->sources; s; s = s->next) {
		size_t n = strlen(s->path) + 1;
		char *rec = malloc(sizeof(s->id) + n);
		if (!rec) {
			b->failed = true;
			return;
		}
		memcpy(rec, &s->id, sizeof(s->id));
		memcpy(rec + sizeof(s->id), s->path, n);
		blob_put(b, PACK_SOURCE, rec, sizeof(s->id) + n);
		free(rec);
	}
}

static int put_egress(struct blob *b, const struct compile_input *in, bool offline, struct err *err)
{
	_cleanup_free_ void *data = NULL;
	size_t n = 0;
	int r = egress_build(&in->rules, offline, &data, &n, err);
	if (r >= 0)
		blob_put(b, PACK_EGRESS, data, n);
	return r;
}

static void put_requests(struct blob *b, const struct compile_input *in)
{
	for (size_t i = 0; i < in->credentials.n; i++)
		credential_put(b, PACK_CREDENTIAL, &in->credentials.v[i]);
	for (size_t i = 0; i < in->http.n; i++)
		http_rule_put(b, PACK_HTTP, &in->http.v[i]);
}

/* What a system call policy extends is looked for, trusted and remembered like the policy itself.
 */
static int locate_extended(void *ctx, const char *name, const char **ret, struct err *err)
{
	return locate_file(ctx, LOCATE_SYSCALLS, name, ret, err);
}

static int put_seccomp(
	struct blob *b, struct compile_input *in, const struct pack_request *req, struct err *err)
{
	_cleanup_free_ struct sock_filter *filter = NULL;
	const char *path = NULL;
	size_t n = 0;
	unsigned user_namespaces = 0;
	int r = locate_file(&in->locate, LOCATE_SYSCALLS,
		req->syscalls ? req->syscalls : in->profile.syscalls, &path, err);
	if (r == -ENOENT && !req->syscalls)
		r = compile_blame(&in->locate, &in->profile, in->profile.syscalls, err);
	if (r >= 0)
		r = seccomp_compile_policy_with(
			path, locate_extended, &in->locate, &filter, &n, &user_namespaces, err);
	if (r >= 0) {
		blob_put(b, PACK_SECCOMP, filter, n * sizeof(*filter));
		blob_put_u64(b, PACK_USERNS, user_namespaces);
	}
	return r;
}

static int put_net(struct blob *b, const struct compile_input *in, const struct pack_request *req,
	struct err *err)
{
	struct net_cidr *cidrs = calloc(in->rules.n + 1, sizeof(*cidrs));
	struct net_build nb = {.allow = cidrs,
		.host_ports = req->host_ports,
		.n_host_ports = req->n_host_ports,
		.offline = req->offline};
	_cleanup_free_ void *nft = NULL;
	_cleanup_free_ void *rtnl = NULL;
	size_t nft_n = 0, rtnl_n = 0;
	if (!cidrs)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < in->rules.n; i++) {
		const struct rule *r = &in->rules.v[i];
		if (r->kind != EGRESS_NET || r->deny)
			continue;
		struct net_cidr *c = &cidrs[nb.n_allow++];
		*c = (struct net_cidr){.net = r->net.ip, .bits = r->bits, .n_ports = r->n_ports};
		memcpy(c->ports, r->ports, sizeof(c->ports));
	}
	int r = net_build_nft(&nb, &nft, &nft_n, err);
	if (r >= 0)
		r = net_build_rtnl(&nb, &rtnl, &rtnl_n, err);
	if (r >= 0) {
		blob_put(b, PACK_NFT, nft, nft_n);
		blob_put(b, PACK_RTNL, rtnl, rtnl_n);
	}
	free(cidrs);
	return r;
}

/* This program made the pack; another build of it may make another one. */
static int remember_self(struct locate *l, struct err *err)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (n < 0)
		return err_sys(err, errno, "read /proc/self/exe");
	path[n] = '\0';
	return locate_remember(l, path, err);
}

static int write_pack(const char *out, const struct blob *b, struct digest key, struct err *err)
{
	struct pack_head head = {.magic = PACK_MAGIC,
		.format = PACK_FORMAT,
		.head_len = sizeof(head),
		.key = key,
		.payload = digest_of(b->data, b->n),
		.payload_len = b->n};
	char dir[4096];
	snprintf(head.version, sizeof(head.version), "%s", PACKAGE_VERSION);
	_cleanup_free_ char *all = malloc(sizeof(head) + b->n);
	if (!all)
		return err_set(err, ENOMEM, "out of memory");
	memcpy(all, &head, sizeof(head));
	memcpy(all + sizeof(head), b->data, b->n);

	size_t n = (size_t)(path_base(out) - out);
	if (n < 2 || n >= sizeof(dir))
		return err_set(err, EINVAL, "%s is not an absolute path", out);
	memcpy(dir, out, n - 1);
	dir[n - 1] = '\0';
	int r = file_mkdir_private(dir, err);
	if (r < 0 && err && !err->hint[0])
		err_hint(err,
			"compiled policies are kept there: make it writable, or set "
			"XDG_CACHE_HOME to a directory that is");
	return r < 0 ? r
		     : file_write_atomic(AT_FDCWD, out, all, sizeof(head) + b->n, 0600, false, err);
}

int compile_pack(const struct pack_request *req, const char *out, struct err *err)
{
	_cleanup_(arena_free) struct arena a = {0};
	struct compile_input in;
	struct digest key;
	struct blob b = {.max = PACK_MAX_BYTES};
	int r = compile_read(&a, req, &in, err);
	if (r >= 0)
		r = remember_self(&in.locate, err);
	if (r >= 0)
		r = pack_request_key(&a, req, &key) < 0
			? err_set(err, EINVAL, "the request can't be named")
			: 0;
	if (r >= 0)
		r = put_seccomp(&b, &in, req, err);
	if (r >= 0)
		r = put_egress(&b, &in, req->offline, err);
	if (r >= 0)
		r = put_net(&b, &in, req, err);
	if (r >= 0) {
		put_requests(&b, &in);
		put_profile(&b, &in.profile);
		put_sources(&b, &in.locate);
		r = b.failed ? err_set(err, ENOMEM, "out of memory")
			     : write_pack(out, &b, key, err);
	}
	blob_free(&b);
	return r;
}
