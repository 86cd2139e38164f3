/* change/result.c - see result.h */
#include "change/result.h"

#include "base/path.h"

enum tag { TAG_ITEM = 1, TAG_DONE, TAG_ERROR };

struct wire_item {
	uint32_t kind, type, old_type, state, flags, per, group, mode, old_mode, pad;
	uint64_t size, old_size, added, removed;
};

struct wire_done {
	uint64_t n, landed, blocked, failed, done;
};

#define FLAG_BINARY 1u
#define FLAG_COUNTED 2u
#define FLAG_AUTO 4u
#define FLAGS_ALL 7u

int change_result_put(struct blob *b, const struct change_item *it)
{
	const char *s[] = {it->path, it->detail ? it->detail : "", it->what ? it->what : ""};
	struct wire_item w = {.kind = it->kind,
		.type = it->type,
		.old_type = it->old_type,
		.state = it->state,
		.flags = (it->binary ? FLAG_BINARY : 0) | (it->counted ? FLAG_COUNTED : 0) |
			(it->automatic ? FLAG_AUTO : 0),
		.per = it->per,
		.group = it->group,
		.mode = it->mode,
		.old_mode = it->old_mode,
		.size = it->size,
		.old_size = it->old_size,
		.added = it->added,
		.removed = it->removed};
	size_t n = sizeof(w);
	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		n += strlen(s[i]) + 1;
	_cleanup_free_ char *buf = malloc(n);
	if (!buf)
		return -ENOMEM;
	char *p = buf;
	memcpy(p, &w, sizeof(w));
	p += sizeof(w);
	for (size_t i = 0; i < ARRAY_LEN(s); i++) {
		size_t k = strlen(s[i]) + 1;
		memcpy(p, s[i], k);
		p += k;
	}
	return blob_put(b, TAG_ITEM, buf, n);
}

int change_result_done(struct blob *b, const struct change_result *t)
{
	struct wire_done d = {.n = t->n,
		.landed = t->n_landed,
		.blocked = t->n_blocked,
		.failed = t->n_failed,
		.done = t->done};
	return blob_put(b, TAG_DONE, &d, sizeof(d));
}

int change_result_error(struct blob *b, const struct err *err)
{
	const char *s[] = {err->msg, err->hint};
	return blob_put_strs(b, TAG_ERROR, s, ARRAY_LEN(s));
}

bool change_plain(const char *p)
{
	if (!*p)
		return false;
	for (;;) {
		size_t n = strcspn(p, "/");
		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (!p[n])
			return true;
		p += n + 1;
	}
}

bool change_selected(const struct strv *paths, const char *path)
{
	for (size_t i = 0; i < paths->n; i++) {
		size_t n = strlen(paths->v[i]);
		if (n == 0 ||
			(strncmp(path, paths->v[i], n) == 0 && (path[n] == '\0' || path[n] == '/')))
			return true;
	}
	return false;
}

static int read_item(
	const struct blob_view *v, const struct change_request *req, struct change_item *ret)
{
	struct wire_item w;
	const char *s[3];
	if (v->len <= sizeof(w))
		return -EBADMSG;
	memcpy(&w, v->data, sizeof(w));
	const char *p = v->data + sizeof(w), *end = v->data + v->len;
	for (size_t i = 0; i < ARRAY_LEN(s); i++) {
		const char *nul = p < end ? memchr(p, 0, (size_t)(end - p)) : NULL;
		if (!nul)
			return -EBADMSG;
		s[i] = p;
		p = nul + 1;
	}
	if (p != end || w.kind == 0 || w.kind >= CHANGE_KINDS || w.type >= CHANGE_TYPES ||
		w.old_type >= CHANGE_TYPES || w.state >= CHANGE_STATES || (w.flags & ~FLAGS_ALL) ||
		w.per > 99 || w.mode > 07777 || w.old_mode > 07777 || !change_plain(s[0]) ||
		w.group > strlen(s[0]) || (req->paths.n && !change_selected(&req->paths, s[0])))
		return -EBADMSG;
	*ret = (struct change_item){.kind = w.kind,
		.type = w.type,
		.old_type = w.old_type,
		.state = w.state,
		.binary = w.flags & FLAG_BINARY,
		.counted = w.flags & FLAG_COUNTED,
		.automatic = w.flags & FLAG_AUTO,
		.per = w.per,
		.group = w.group,
		.mode = w.mode,
		.old_mode = w.old_mode,
		.size = w.size,
		.old_size = w.old_size,
		.added = w.added,
		.removed = w.removed,
		.path = s[0],
		.detail = s[1],
		.what = s[2]};
	return 0;
}

static int read_error(const struct blob_view *v, struct err *err)
{
	size_t pos = 0;
	const char *msg = blob_strs_next(v, &pos), *hint = msg ? blob_strs_next(v, &pos) : NULL;
	if (!hint)
		return -EBADMSG;
	if (*hint)
		err_hint(err, "%s", hint);
	return err_set(err, EIO, "%s", msg);
}

static struct change_item *grow(struct arena *a, struct change_result *r, size_t *cap)
{
	struct change_item *p = arena_grow(a, r->v, r->n, cap, sizeof(*p));
	if (!p)
		return NULL;
	r->v = p;
	return &r->v[r->n];
}

int change_result_read(struct arena *a, const void *data, size_t n,
	const struct change_request *req, struct change_result *ret, struct err *err)
{
	struct change_result out = {0};
	struct blob_iter it;
	struct blob_view v;
	struct wire_done d;
	size_t cap = 0;
	bool done = false;
	int r;
	blob_iter_init(&it, data, n);
	while ((r = blob_next(&it, &v)) > 0 && !done) {
		if (v.tag == TAG_ERROR && (r = read_error(&v, err)) == -EIO)
			return r;
		if (v.tag == TAG_DONE && v.len == sizeof(d)) {
			memcpy(&d, v.data, sizeof(d));
			done = d.n == out.n;
			if (!done)
				break;
			continue;
		}
		struct change_item *p = grow(a, &out, &cap);
		if (!p)
			return err_set(err, ENOMEM, "out of memory");
		if (v.tag != TAG_ITEM || read_item(&v, req, p) < 0)
			break;
		out.n++;
	}
	if (r != 0 || !done)
		return err_set(err, EBADMSG, "bawn-change gave a malformed result");
	out.n_landed = d.landed;
	out.n_blocked = d.blocked;
	out.n_failed = d.failed;
	out.done = d.done == 1;
	*ret = out;
	return 0;
}
