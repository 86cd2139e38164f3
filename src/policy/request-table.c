/* policy/request-table.c - see request-table.h */
#include "policy/request-table.h"

#include "policy/egress-table.h"

enum {
	PART_NAME = 1, /* the secret, or the host */
	PART_HEADER,
	PART_BEFORE,
	PART_AFTER,
	PART_BASIC,
	PART_ENV,
	PART_SHAPE,
	PART_FILE,
	PART_HOST,
	PART_NUMBERS,
	PART_PORTS,
	PART_METHODS,
	PART_PATH,
	PART_REQUEST,
	PART_BEYOND,
	PART_FILES,
};

struct host_numbers {
	uint32_t kind, port;
};

struct credential_numbers {
	uint32_t always, line;
};

struct http_numbers {
	uint64_t max_upload;
	uint32_t kind, rule, deny, plain;
};

static void put_blob(struct blob *b, uint32_t tag, struct blob *part)
{
	if (part->failed)
		b->failed = true;
	else
		blob_put(b, tag, part->data, part->n);
	blob_free(part);
}

void credential_put(struct blob *b, uint32_t tag, const struct credential *c)
{
	struct blob part = {0};
	struct credential_numbers n = {.always = c->always, .line = c->line};
	blob_put_str(&part, PART_NAME, c->secret);
	blob_put_str(&part, PART_HEADER, c->header);
	blob_put_str(&part, PART_BEFORE, c->before);
	blob_put_str(&part, PART_AFTER, c->after);
	blob_put_opt(&part, PART_BASIC, c->basic_user);
	blob_put_strv(&part, PART_ENV, &c->env);
	blob_put_strv(&part, PART_FILES, &c->files);
	blob_put_str(&part, PART_SHAPE, c->shape);
	blob_put_str(&part, PART_FILE, c->file);
	blob_put_opt(&part, PART_BEYOND, c->beyond);
	blob_put(&part, PART_NUMBERS, &n, sizeof(n));
	for (size_t i = 0; i < c->n_hosts; i++) {
		struct host_numbers h = {.kind = c->hosts[i].kind, .port = c->hosts[i].port};
		blob_put_str(&part, PART_HOST, c->hosts[i].name);
		blob_put(&part, PART_PORTS, &h, sizeof(h));
	}
	for (size_t i = 0; i < c->requests.n; i++)
		http_rule_put(&part, PART_REQUEST, &c->requests.v[i]);
	put_blob(b, tag, &part);
}

void http_rule_put(struct blob *b, uint32_t tag, const struct http_rule *r)
{
	struct blob part = {0};
	struct http_numbers n = {.max_upload = r->max_upload,
		.kind = r->kind,
		.rule = r->rule,
		.deny = r->deny,
		.plain = r->plain};
	blob_put_str(&part, PART_NAME, r->name);
	blob_put_str(&part, PART_METHODS, r->methods);
	blob_put_str(&part, PART_PATH, r->path);
	blob_put(&part, PART_PORTS, r->ports, r->n_ports * sizeof(*r->ports));
	blob_put(&part, PART_NUMBERS, &n, sizeof(n));
	put_blob(b, tag, &part);
}

static int get_str(const struct blob_view *v, const char **ret)
{
	*ret = blob_str(v);
	return *ret ? 0 : -EBADMSG;
}

static int get_numbers(const struct blob_view *v, void *ret, size_t n)
{
	if (v->len != n)
		return -EBADMSG;
	memcpy(ret, v->data, n);
	return 0;
}

static int get_host(struct arena *a, const struct blob_view *v, struct credential *c)
{
	struct credential_host *hosts = arena_alloc(a, (c->n_hosts + 1) * sizeof(*hosts));
	if (!hosts)
		return -ENOMEM;
	if (c->n_hosts)
		memcpy(hosts, c->hosts, c->n_hosts * sizeof(*hosts));
	c->hosts = hosts;
	return get_str(v, &hosts[c->n_hosts++].name);
}

static int get_host_numbers(const struct blob_view *v, struct credential *c)
{
	struct host_numbers h;
	if (c->n_hosts == 0 || get_numbers(v, &h, sizeof(h)) < 0 || h.kind > EGRESS_ANY ||
		h.port > 65535)
		return -EBADMSG;
	c->hosts[c->n_hosts - 1].kind = h.kind;
	c->hosts[c->n_hosts - 1].port = (uint16_t)h.port;
	return 0;
}

static int credential_part(struct arena *a, const struct blob_view *v, struct credential *c)
{
	struct credential_numbers n;
	switch (v->tag) {
	case PART_NAME:
		return get_str(v, &c->secret);
	case PART_HEADER:
		return get_str(v, &c->header);
	case PART_BEFORE:
		return get_str(v, &c->before);
	case PART_AFTER:
		return get_str(v, &c->after);
	case PART_BASIC:
		return get_str(v, &c->basic_user);
	case PART_FILES:
		return blob_strv(a, v, &c->files);
	case PART_BEYOND:
		return get_str(v, &c->beyond);
	case PART_ENV:
		return blob_strv(a, v, &c->env);
	case PART_SHAPE:
		return get_str(v, &c->shape);
	case PART_FILE:
		return get_str(v, &c->file);
	case PART_HOST:
		return get_host(a, v, c);
	case PART_PORTS:
		return get_host_numbers(v, c);
	case PART_REQUEST:
		return http_rule_get(a, v, &c->requests);
	case PART_NUMBERS:
		if (get_numbers(v, &n, sizeof(n)) < 0)
			return -EBADMSG;
		c->always = n.always;
		c->line = n.line;
		return 0;
	default:
		return -EBADMSG;
	}
}

int credential_get(struct arena *a, const struct blob_view *v, struct credentials *ret)
{
	struct credential c = {0};
	struct blob_iter it;
	struct blob_view part;
	int r;
	blob_iter_init(&it, v->data, v->len);
	while ((r = blob_next(&it, &part)) > 0) {
		r = credential_part(a, &part, &c);
		if (r < 0)
			return r;
	}
	if (r < 0 || ret->n >= CREDENTIALS_MAX || !c.secret || !c.header || !c.before || !c.after ||
		!c.shape || !c.file || c.n_hosts == 0)
		return -EBADMSG;
	struct credential *list = arena_alloc(a, (ret->n + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	if (ret->n)
		memcpy(list, ret->v, ret->n * sizeof(*list));
	list[ret->n++] = c;
	ret->v = list;
	return 0;
}

static int http_part(const struct blob_view *v, struct http_rule *r)
{
	struct http_numbers n;
	switch (v->tag) {
	case PART_NAME:
		return get_str(v, &r->name);
	case PART_METHODS:
		return get_str(v, &r->methods);
	case PART_PATH:
		return get_str(v, &r->path);
	case PART_PORTS:
		if (v->len % sizeof(*r->ports) != 0)
			return -EBADMSG;
		r->ports = (const uint16_t *)(const void *)v->data;
		r->n_ports = (uint32_t)(v->len / sizeof(*r->ports));
		return 0;
	case PART_NUMBERS:
		if (get_numbers(v, &n, sizeof(n)) < 0 || n.kind > EGRESS_ANY)
			return -EBADMSG;
		r->max_upload = n.max_upload;
		r->kind = n.kind;
		r->rule = n.rule;
		r->deny = n.deny;
		r->plain = n.plain;
		return 0;
	default:
		return -EBADMSG;
	}
}

int http_rule_get(struct arena *a, const struct blob_view *v, struct http_rules *ret)
{
	struct http_rule rule = {0};
	struct blob_iter it;
	struct blob_view part;
	int r;
	blob_iter_init(&it, v->data, v->len);
	while ((r = blob_next(&it, &part)) > 0) {
		r = http_part(&part, &rule);
		if (r < 0)
			return r;
	}
	if (r < 0 || !rule.name || !rule.methods || !rule.path || rule.path[0] != '/')
		return -EBADMSG;
	/* doubled as it grows: a power of two is full */
	if ((ret->n & (ret->n - 1)) == 0) {
		struct http_rule *list = arena_alloc(a, MAX(ret->n * 2, (size_t)4) * sizeof(*list));
		if (!list)
			return -ENOMEM;
		if (ret->n)
			memcpy(list, ret->v, ret->n * sizeof(*list));
		ret->v = list;
	}
	ret->v[ret->n++] = rule;
	return 0;
}
