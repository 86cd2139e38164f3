/* host/stack-known.c - what was found in layers that nobody changes, for the next start; see
 * stack.h.
 *
 * Theory of operation.  A start in a template asks for the same few names in all its layers: thirty
 * of them are three hundred calls.  Layers never change, so what was found in them is as true at
 * the next start.  Kept are, of each path, whether something is there, of which kind, in which
 * layer, and which layers have a directory there; the names that links lead to are read anew.  The
 * file is a cache of one's own: whoever can write it is the user.  What is not as it was written is
 * not believed, all of it.
 */
#include <errno.h>

#include "base/blob.h"
#include "base/digest.h"
#include "host/stack-int.h"

enum { TAG_HEAD = 1, TAG_KNOWN = 2, TAG_ALIVE = 3, TAG_PATH = 4 };

struct head { /* no padding */
	char format[8];
	uint64_t n_fixed;
	struct digest body;
};

struct kept { /* no padding */
	uint32_t absent, mode, top, pad;
	uint64_t size;
};

static const char format[8] = "bawn-st1";

int host_stack_keep(const struct host_stack_known *k, size_t n_fixed, void **ret, size_t *ret_n)
{
	struct blob all = {0}, body = {0};
	if (!k || k->n == k->n_kept)
		return -ENODATA;
	_cleanup_free_ uint32_t *alive = calloc(n_fixed + 1, sizeof(*alive));
	if (!alive)
		return -ENOMEM;
	for (size_t i = 0; i < k->n; i++) {
		const struct level *l = &k->v[i]->l;
		struct kept e = {.absent = l->r < 0};
		for (size_t j = 0; j < l->n; j++)
			alive[j] = (uint32_t)l->alive[j];
		if (l->r == 0) {
			e.mode = l->at.st.st_mode;
			e.top = (uint32_t)l->top;
			e.size = (uint64_t)l->at.st.st_size;
		}
		blob_put(&body, TAG_KNOWN, &e, sizeof(e));
		blob_put(&body, TAG_ALIVE, alive, l->n * sizeof(alive[0]));
		blob_put_str(&body, TAG_PATH, k->v[i]->path);
	}
	struct head h = {.n_fixed = n_fixed};
	memcpy(h.format, format, sizeof(format));
	if (!body.failed)
		h.body = digest_of(body.data, body.n);
	blob_put(&all, TAG_HEAD, &h, sizeof(h));
	char *out = body.failed || all.failed ? NULL : malloc(all.n + body.n);
	if (out) {
		memcpy(out, all.data, all.n);
		memcpy(out + all.n, body.data, body.n);
		*ret = out;
		*ret_n = all.n + body.n;
	}
	blob_free(&all);
	blob_free(&body);
	return out ? 0 : -ENOMEM;
}

/* The three records of one path; 1, 0 at the end, -EBADMSG. */
static int next(
	struct blob_iter *it, struct blob_view *e, struct blob_view *alive, struct blob_view *path)
{
	int r = blob_next(it, e);
	if (r <= 0)
		return r;
	bool ok = e->tag == TAG_KNOWN && e->len == sizeof(struct kept) &&
		blob_next(it, alive) == 1 && alive->tag == TAG_ALIVE &&
		alive->len % sizeof(uint32_t) == 0 && blob_next(it, path) == 1 &&
		path->tag == TAG_PATH && blob_str(path);
	return ok ? 1 : -EBADMSG;
}

static int take(struct host_stack_known *k, const struct strv *dirs, size_t n_fixed,
	const struct blob_view *e, const struct blob_view *alive, const struct blob_view *path)
{
	struct kept x;
	uint32_t index;
	memcpy(&x, e->data, sizeof(x));
	const size_t n = alive->len / sizeof(index);
	if (k->n == KNOWN_MAX || n > n_fixed || (!x.absent && x.top >= n_fixed))
		return -EBADMSG;
	struct known *fresh = arena_alloc(k->a, sizeof(*fresh));
	size_t *v = arena_alloc(k->a, (n + 1) * sizeof(*v));
	char *name = arena_dup(k->a, blob_str(path));
	if (!fresh || !v || !name)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		memcpy(&index, alive->data + i * sizeof(index), sizeof(index));
		if (index >= n_fixed)
			return -EBADMSG;
		v[i] = index;
	}
	*fresh = (struct known){
		.path = name, .l = {.r = x.absent ? -ENOENT : 0, .alive = v, .n = n}};
	if (!x.absent) {
		fresh->l.top = x.top;
		fresh->l.at = (struct host_stack_found){.path = name,
			.dir = dirs->v[dirs->n - n_fixed + x.top],
			.st = {.st_mode = x.mode, .st_size = (off_t)x.size}};
	}
	k->v[k->n++] = fresh;
	return 0;
}

int host_stack_recall(struct host_stack_known *k, const struct strv *dirs, size_t n_fixed,
	const void *data, size_t size)
{
	struct blob_iter it;
	struct blob_view e, alive, path;
	struct head h;
	blob_iter_init(&it, data, size);
	if (k->n || blob_next(&it, &e) != 1 || e.tag != TAG_HEAD || e.len != sizeof(h))
		return -EBADMSG;
	memcpy(&h, e.data, sizeof(h));
	if (memcmp(h.format, format, sizeof(format)) != 0 || h.n_fixed != n_fixed ||
		!digest_eq(h.body, digest_of(it.p, (size_t)(it.end - it.p))))
		return -EBADMSG;
	int r;
	while ((r = next(&it, &e, &alive, &path)) > 0) {
		r = take(k, dirs, n_fixed, &e, &alive, &path);
		if (r < 0)
			break;
	}
	if (r < 0)
		k->n = 0;
	k->n_kept = k->n;
	return r < 0 ? r : 0;
}
