/* policy/pack.c - finding, verifying and mapping a launch pack.
 *
 * Owns: the reader's side of pack-format.h.  Must not: compile anything, or link more than libc and
 * base; it stands on the start path of every run.
 *
 * Theory of operation.  A pack is a cache, so everything that is wrong with the file itself (its
 * type, owner, mode, links, length, digest, version) means "compile again"; the writer renames a
 * new file over whatever stands there.  What is wrong with the directory is final: whoever can
 * write there could put any policy in place.  The pack names all that it was made from, with the
 * identity of each file, and the files whose absence mattered: a profile in the user's directory
 * takes the place of a shipped one the moment it appears.
 */
#include "policy/pack.h"

#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/path.h"
#include "policy/egress-table.h"
#include "policy/pack-format.h"
#include "policy/profile-keys.h"
#include "policy/request-table.h"

char *pack_abs(struct arena *a, const char *path)
{
	if (path[0] == '/' || !strchr(path, '/'))
		return arena_dup(a, path);
	char cwd[PATH_MAX];
	if (!getcwd(cwd, sizeof(cwd)))
		return NULL;
	while (has_prefix(path, "./") && path[2] != '/')
		path += 2;
	return path_join(a, cwd, path);
}

static void put_list(
	struct arena *a, struct blob *b, uint32_t tag, const char *const *v, size_t n, bool paths)
{
	blob_put_u64(b, tag, v ? n : UINT64_MAX);
	for (size_t i = 0; v && i < n; i++) {
		const char *s = paths ? pack_abs(a, v[i]) : v[i];
		if (s)
			blob_put_str(b, tag, s);
		else
			b->failed = true;
	}
}

int pack_request_key(struct arena *a, const struct pack_request *req, struct digest *ret)
{
	struct blob b = {0};
	const char *profile = pack_abs(a, req->profile);
	if (!profile)
		return -ENOENT;
	blob_put_u64(&b, 0, PACK_FORMAT);
	blob_put_str(&b, 0, PACKAGE_VERSION);
	blob_put_str(&b, 1, profile);
	blob_put_str(&b, 2, req->config_dir);
	blob_put_str(&b, 3, req->data_dir);
	put_list(a, &b, 4, req->policies, req->n_policies, true);
	put_list(a, &b, 5, req->allow, req->n_allow, false);
	put_list(a, &b, 6, req->deny, req->n_deny, false);
	put_list(a, &b, 7, req->allow_private, req->n_allow_private, false);
	blob_put_str(&b, 8, req->syscalls ? req->syscalls : "");
	blob_put(&b, 9, req->host_ports, req->n_host_ports * sizeof(*req->host_ports));
	blob_put_u64(&b, 10, req->offline);
	put_list(a, &b, 11, req->beside, req->n_beside, true);
	blob_put_u64(&b, 12, req->learn);
	int r = b.failed ? -ENOMEM : 0;
	if (r == 0)
		*ret = digest_of(b.data, b.n);
	blob_free(&b);
	return r;
}

char *pack_path(struct arena *a, const char *cache_dir, const struct pack_request *req)
{
	struct digest d;
	char hex[33];
	if (pack_request_key(a, req, &d) < 0)
		return NULL;
	return arena_printf(a, "%s/pack/%s", cache_dir, digest_hex(d, hex));
}

static int add_opts(struct arena *a, struct strv *v, const char *opt, const char *const *values,
	size_t n, bool paths)
{
	for (size_t i = 0; values && i < n; i++) {
		const char *s = paths ? pack_abs(a, values[i]) : values[i];
		if (!s || strv_addf(a, v, "--%s=%s", opt, s) < 0)
			return -ENOMEM;
	}
	return 0;
}

int pack_compile_argv(
	struct arena *a, const struct pack_request *req, const char *out, struct strv *ret)
{
	struct strv v = {0};
	const char *profile = pack_abs(a, req->profile);
	if (!profile)
		return -ENOENT;
	strv_add(a, &v, "bawn-admin");
	strv_add(a, &v, "compile");
	strv_addf(a, &v, "--out=%s", out);
	strv_addf(a, &v, "--config=%s", req->config_dir);
	strv_addf(a, &v, "--data=%s", req->data_dir);
	strv_addf(a, &v, "--profile=%s", profile);
	if (req->policies && req->n_policies == 0)
		strv_add(a, &v, "--no-policy");
	if (req->syscalls)
		strv_addf(a, &v, "--syscalls=%s", req->syscalls);
	for (size_t i = 0; i < req->n_host_ports; i++)
		strv_addf(a, &v, "--host-port=%u", req->host_ports[i]);
	if (req->offline)
		strv_add(a, &v, "--offline");
	if (req->learn)
		strv_add(a, &v, "--learn");
	add_opts(a, &v, "beside", req->beside, req->n_beside, true);
	add_opts(a, &v, "policy", req->policies, req->n_policies, true);
	add_opts(a, &v, "allow", req->allow, req->n_allow, false);
	add_opts(a, &v, "deny", req->deny, req->n_deny, false);
	add_opts(a, &v, "allow-private", req->allow_private, req->n_allow_private, false);
	if (a->failed)
		return -ENOMEM;
	*ret = v;
	return 0;
}

static int get_source(struct pack *p, const struct blob_view *v, struct err *err)
{
	struct source_id was, now;
	if (v->len <= sizeof(was) || v->data[v->len - 1] != '\0')
		return -EBADMSG;
	memcpy(&was, v->data, sizeof(was));
	const char *path = v->data + sizeof(was);
	if (source_id_stat(path, false, &now) < 0 || memcmp(&was, &now, sizeof(was)) != 0)
		return err_set(err, ESTALE, "%s has changed", path);
	return strv_add(&p->arena, &p->sources, path);
}

static int get_strv(struct arena *a, const struct blob_view *v, struct strv *ret)
{
	size_t pos = 0;
	const char *s;
	while ((s = blob_strs_next(v, &pos)))
		if (strv_push(a, ret, (char *)(uintptr_t)s) < 0)
			return -ENOMEM;
	return 0;
}

static int get_sub(struct arena *a, const struct blob_view *v, struct profile *p)
{
	size_t pos = 0;
	const char *word = blob_strs_next(v, &pos);
	struct profile_sub *subs = arena_alloc(a, (p->n_subs + 1) * sizeof(*subs));
	if (!subs)
		return -ENOMEM;
	if (!word)
		return -EBADMSG;
	if (p->n_subs)
		memcpy(subs, p->subs, p->n_subs * sizeof(*subs));
	p->subs = subs;
	struct profile_sub *sub = &subs[p->n_subs++];
	sub->word = word;
	for (const char *s; (s = blob_strs_next(v, &pos));)
		if (strv_push(a, &sub->args, (char *)(uintptr_t)s) < 0)
			return -ENOMEM;
	return 0;
}

static int get_key(struct arena *a, const struct blob_view *v, struct profile *p)
{
	size_t i = v->tag - PACK_KEY;
	if (i >= profile_n_keys)
		return -EBADMSG;
	const struct profile_key *k = &profile_keys[i];
	if (profile_type_is_string(k->type)) {
		const char *s = blob_str(v);
		*(const char **)profile_member(p, k) = s;
		return s ? 0 : -EBADMSG;
	}
	if (profile_type_is_strv(k->type))
		return get_strv(a, v, profile_member(p, k));
	uint64_t u;
	if (k->type != PROFILE_BOOL || blob_u64(v, &u) < 0)
		return -EBADMSG;
	*(bool *)profile_member(p, k) = u != 0;
	return 0;
}

static int get_bytes(const struct blob_view *v, const void **ret, size_t *ret_n)
{
	*ret = v->data;
	*ret_n = v->len;
	return 0;
}

static int get_record(struct pack *p, const struct blob_view *v, bool sources, struct err *err)
{
	uint64_t u;
	switch (v->tag) {
	case PACK_SOURCE:
		return sources ? get_source(p, v, err) : 0;
	case PACK_NAME:
		p->profile.name = blob_str(v);
		return p->profile.name ? 0 : -EBADMSG;
	case PACK_FILE:
		p->profile.file = blob_str(v);
		return p->profile.file ? 0 : -EBADMSG;
	case PACK_HAS_SEED:
		if (blob_u64(v, &u) < 0)
			return -EBADMSG;
		p->profile.has_seed = u != 0;
		return 0;
	case PACK_SUB:
		return get_sub(&p->arena, v, &p->profile);
	case PACK_EGRESS: {
		struct egress *e = arena_alloc(&p->arena, sizeof(*e));
		if (!e)
			return -ENOMEM;
		p->egress = e;
		get_bytes(v, &p->egress_table, &p->egress_bytes);
		return egress_view(e, v->data, v->len);
	}
	case PACK_SECCOMP:
		return get_bytes(v, &p->seccomp, &p->seccomp_bytes);
	case PACK_USERNS:
		if (blob_u64(v, &u) < 0 || u > UINT16_MAX)
			return -EBADMSG;
		p->user_namespaces = (unsigned)u;
		return 0;
	case PACK_NFT:
		return get_bytes(v, &p->nft, &p->nft_bytes);
	case PACK_RTNL:
		return get_bytes(v, &p->rtnl, &p->rtnl_bytes);
	case PACK_CREDENTIAL:
		if (!p->credentials)
			p->credentials = arena_alloc(&p->arena, sizeof(*p->credentials));
		return p->credentials ? credential_get(&p->arena, v, p->credentials) : -ENOMEM;
	case PACK_HTTP:
		if (!p->http)
			p->http = arena_alloc(&p->arena, sizeof(*p->http));
		return p->http ? http_rule_get(&p->arena, v, p->http) : -ENOMEM;
	default:
		return v->tag >= PACK_KEY ? get_key(&p->arena, v, &p->profile) : -EBADMSG;
	}
}

static int check_head(const struct pack *p, const struct digest *key, bool digest)
{
	const struct pack_head *h = p->map;
	char version[sizeof(h->version)] = {0};
	snprintf(version, sizeof(version), "%s", PACKAGE_VERSION);
	if (memcmp(h->magic, PACK_MAGIC, sizeof(h->magic)) != 0 || h->format != PACK_FORMAT ||
		h->head_len != sizeof(*h) || memcmp(h->version, version, sizeof(version)) != 0 ||
		h->payload_len != p->map_bytes - sizeof(*h))
		return -ESTALE;
	if (key && !digest_eq(*key, h->key))
		return -ESTALE;
	if (digest && !GUARD_REMOVED("pack-digest") &&
		!digest_eq(digest_of(h + 1, h->payload_len), h->payload))
		return -ESTALE;
	return 0;
}

/* Map p->fd and read the records.  key: what the file name says, NULL when handed over. */
static int map_and_read(
	struct pack *p, const struct stat *st, const struct digest *key, struct err *err)
{
	if (st->st_size <= (off_t)sizeof(struct pack_head) ||
		(uint64_t)st->st_size > PACK_MAX_BYTES)
		return err_set(err, ESTALE, "the pack has a wrong length");
	p->map_bytes = (size_t)st->st_size;
	void *map = mmap(
		NULL, p->map_bytes, PROT_READ, MAP_PRIVATE | (key ? MAP_POPULATE : 0), p->fd, 0);
	if (map == MAP_FAILED)
		return err_sys(err, errno, "map the pack");
	p->map = map;
	int r = check_head(p, key, key != NULL);
	if (r < 0)
		return err_set(err, -r, "the pack is damaged or of another version");

	struct blob_iter it;
	struct blob_view v;
	blob_iter_init(&it, (const char *)p->map + sizeof(struct pack_head),
		p->map_bytes - sizeof(struct pack_head));
	while ((r = blob_next(&it, &v)) > 0) {
		r = get_record(p, &v, key != NULL, err);
		if (r == -EBADMSG)
			break;
		if (r < 0)
			return r;
	}
	if (r == 0 && p->egress && p->profile.name && p->profile.file && p->seccomp && p->nft &&
		p->rtnl)
		return 0;
	return err_set(err, ESTALE, "the pack is malformed");
}

static bool parse_hex(const char *s, struct digest *ret)
{
	uint64_t half[2] = {0, 0};
	for (size_t i = 0; i < 32; i++) {
		const char *digits = "0123456789abcdef";
		const char *d = s[i] ? strchr(digits, s[i]) : NULL;
		if (!d)
			return false;
		half[i / 16] = half[i / 16] << 4 | (uint64_t)(d - digits);
	}
	*ret = (struct digest){.hi = half[0], .lo = half[1]};
	return s[32] == '\0';
}

static int open_pack(struct pack *p, const char *path, struct err *err)
{
	struct digest key;
	struct stat st;
	if (!parse_hex(path_base(path), &key))
		return err_set(err, EINVAL, "%s is not the path of a pack", path);
	p->fd = cache_file_open(path, "a compiled policy", &st, err);
	return p->fd < 0 ? p->fd : map_and_read(p, &st, &key, err);
}

int pack_open(const char *path, struct pack *ret, struct err *err)
{
	struct pack p = {.fd = -1};
	int r = open_pack(&p, path, err);
	if (r < 0) {
		pack_close(&p);
		return r;
	}
	*ret = p;
	return 0;
}

int pack_open_fd(int fd, struct pack *ret, struct err *err)
{
	struct pack p = {.fd = fd};
	struct stat st;
	int r = fstat(fd, &st) < 0 ? err_sys(err, errno, "stat the pack")
				   : map_and_read(&p, &st, NULL, err);
	if (r < 0) {
		p.fd = -1; /* still the caller's */
		pack_close(&p);
		return r;
	}
	*ret = p;
	return 0;
}

void pack_close(struct pack *p)
{
	if (p->map)
		munmap(p->map, p->map_bytes);
	if (p->fd >= 0)
		close(p->fd);
	arena_free(&p->arena);
	*p = (struct pack){.fd = -1};
}
