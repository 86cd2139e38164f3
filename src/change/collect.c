/* change/collect.c - the difference between an overlay and its lowest directory
 *
 * Theory: only the uppers are walked.  A directory of the merged view is a node: the uppers that
 * show something of it, topmost first, and whether the host's directory shows through.  The topmost
 * entry of a name decides, as in the kernel: a whiteout hides what is below, a file too, a
 * directory merges with those below it until one is opaque or something else lies in between.  The
 * host's tree is read only where a directory of it has been hidden or removed, to name what is
 * gone.
 *
 * Nodes wait in a list, so that depth costs no stack.  Paths that the kernel could not be given in
 * one call are named and not entered.
 */
#include "change/change.h"

#include <fcntl.h>
#include <limits.h>

#include "base/path.h"

struct node {
	struct node *next;
	char *rel;
	uint8_t *layers;
	size_t n_layers;
	bool base_visible; /* the host's directory is part of the merged view */
	bool base_dir;     /* the host has a directory here */
};

struct walk {
	struct change *c;
	struct node *todo;
	const struct strv *paths;
	size_t path_max;
};

/* One directory while it is being read. */
struct here {
	struct node *node;
	struct arena scratch;
	int fd[CHANGE_LAYERS_MAX];
	bool xwhite[CHANGE_LAYERS_MAX];
	int base; /* -1: the host has none */
};

struct named {
	const char *name;
	size_t layer; /* index into node.layers; n_layers: the host's */
};

struct item *item_add(struct change *c, const char *path, enum change_kind kind,
	const struct entry *now, const struct entry *was, const char *detail)
{
	if (c->n == CHANGE_ITEMS_MAX) {
		c->failed = -E2BIG;
		return NULL;
	}
	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 256;
		struct item *p = realloc(c->items, cap * sizeof(*p));
		if (!p) {
			c->failed = -ENOMEM;
			return NULL;
		}
		c->items = p;
		c->cap = cap;
	}
	struct item *it = &c->items[c->n++];
	*it = (struct item){.now = *now, .was = *was};
	it->pub.path = arena_dup(&c->arena, path);
	if (!it->pub.path) {
		c->failed = -ENOMEM;
		c->n--;
		return NULL;
	}
	it->pub.kind = kind;
	it->pub.detail = detail;
	if (now->layer != LAYER_NONE) {
		it->pub.type = type_of(now->st.st_mode);
		it->pub.mode = now->st.st_mode & 07777;
		it->pub.size = S_ISREG(now->st.st_mode) || S_ISLNK(now->st.st_mode)
			? (uint64_t)now->st.st_size
			: 0;
	}
	if (was->layer != LAYER_NONE) {
		it->pub.old_type = type_of(was->st.st_mode);
		it->pub.old_mode = was->st.st_mode & 07777;
		it->pub.old_size = S_ISREG(was->st.st_mode) || S_ISLNK(was->st.st_mode)
			? (uint64_t)was->st.st_size
			: 0;
	}
	return it;
}

static bool wanted(const struct walk *w, const char *path)
{
	return !w->paths->n || change_selected(w->paths, path);
}

/* Could anything below this directory be wanted? */
static bool leads_to(const struct walk *w, const char *dir)
{
	if (!w->paths->n || !*dir || change_selected(w->paths, dir))
		return true;
	for (size_t i = 0; i < w->paths->n; i++)
		if (has_prefix(w->paths->v[i], dir) && w->paths->v[i][strlen(dir)] == '/')
			return true;
	return false;
}

static void note(struct walk *w, const char *path, enum change_kind kind, const struct entry *now,
	const struct entry *was, const char *detail)
{
	if (wanted(w, path))
		item_add(w->c, path, kind, now, was, detail);
}

static struct node *push(struct walk *w, const char *path, size_t max_layers)
{
	struct change *c = w->c;
	struct node *n;
	if (!leads_to(w, path))
		return NULL;
	n = arena_alloc(&c->arena, sizeof(*n));
	char *rel = arena_dup(&c->arena, path);
	uint8_t *layers = arena_alloc(&c->arena, max_layers + 1);
	if (!n || !rel || !layers) {
		c->failed = -ENOMEM;
		return NULL;
	}
	*n = (struct node){.next = w->todo, .rel = rel, .layers = layers};
	w->todo = n;
	return n;
}

/* The host's entry is not in the merged view: name it and all that is below. */
static void gone(struct walk *w, const char *path, const struct entry *was)
{
	struct entry none = {.layer = LAYER_NONE};
	note(w, path, CHANGE_DELETED, &none, was, NULL);
	if (S_ISDIR(was->st.st_mode)) {
		struct node *n = push(w, path, 0);
		if (n)
			n->base_dir = true;
	}
}

static const char *trouble(int r)
{
	switch (r) {
	case -EACCES:
		return "can't be read: its mode keeps its owner out";
	case -EMEDIUMTYPE:
		return "made by an overlay with other options";
	case -EXDEV:
		return "another file system is mounted there";
	case -ESTALE:
	case -ENOENT:
	case -ELOOP:
	case -ENOTDIR:
		return "changed while it was looked at";
	default:
		return "can't be read";
	}
}

/* Both there, neither a directory. */
static void compare(
	struct walk *w, const char *path, const struct entry *now, const struct entry *was)
{
	struct change *c = w->c;
	enum change_type t = type_of(now->st.st_mode);
	int same = 0;
	if (t == CHANGE_SPECIAL) {
		same = now->st.st_mode == was->st.st_mode && now->st.st_rdev == was->st.st_rdev;
		if (!same)
			note(w, path, CHANGE_ODD, now, was, "neither file, link nor directory");
		return;
	}
	if (t != type_of(was->st.st_mode)) {
		note(w, path, CHANGE_TYPE, now, was, NULL);
		return;
	}
	if (!wanted(w, path))
		return;
	if (t == CHANGE_LINK) {
		char a[TARGET_MAX], b[TARGET_MAX];
		ssize_t n = entry_link(c, now, path, a), m = entry_link(c, was, path, b);
		same = n >= 0 && n == m && memcmp(a, b, (size_t)n) == 0;
	} else if (now->st.st_size == was->st.st_size) {
		_cleanup_close_ int a = entry_open(c, now, path);
		_cleanup_close_ int b = a < 0 ? -1 : entry_open(c, was, path);
		same = a < 0 ? a : b < 0 ? b : same_content(a, b, (uint64_t)now->st.st_size);
		if (same < 0) {
			item_add(c, path, CHANGE_ODD, now, was, trouble(same));
			return;
		}
	}
	bool mode = t == CHANGE_FILE && ((now->st.st_mode ^ was->st.st_mode) & 0777);
	if (!same || mode)
		item_add(c, path, same ? CHANGE_MODE : CHANGE_MODIFIED, now, was, NULL);
	else if (c->same_seen && c->req->n_since && stat_ctime_ns(&was->st) > c->req->since[0] &&
		ledger_add(&c->arena, &c->ledger, arena_dup(&c->arena, path), &was->st) < 0)
		c->failed = -ENOMEM;
}

/* The layers below the topmost that go on showing through a directory of this name. */
static void merge_below(
	struct walk *w, struct here *h, const char *name, size_t top, struct node *n, bool opaque)
{
	const struct node *dir = h->node;
	n->layers[n->n_layers++] = dir->layers[top];
	for (size_t i = top + 1; !opaque && i < dir->n_layers; i++) {
		struct stat st;
		if (fstatat(h->fd[i], name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (!S_ISDIR(st.st_mode)) {
			opaque = true;
			break;
		}
		_cleanup_close_ int fd = place_open(h->fd[i], name, O_RDONLY | O_DIRECTORY);
		int o = fd < 0 ? fd : dir_opaque(fd);
		if (o < 0) {
			w->c->failed = o;
			return;
		}
		n->layers[n->n_layers++] = dir->layers[i];
		opaque = o == 'y';
	}
	n->base_visible = !opaque && dir->base_visible && n->base_dir;
}

static void directory(struct walk *w, struct here *h, const char *path, const char *name,
	size_t top, const struct entry *now, const struct entry *was)
{
	bool was_dir = was->layer != LAYER_NONE && S_ISDIR(was->st.st_mode);
	_cleanup_close_ int fd = place_open(h->fd[top], name, O_RDONLY | O_DIRECTORY);
	int opaque = fd < 0 ? fd : is_foreign(fd) ? -EMEDIUMTYPE : dir_opaque(fd);
	if (opaque < 0) {
		note(w, path, CHANGE_ODD, now, was, trouble(opaque));
		return;
	}
	if (was->layer == LAYER_NONE)
		note(w, path, CHANGE_ADDED, now, was, NULL);
	else if (!was_dir)
		note(w, path, CHANGE_TYPE, now, was, NULL);
	else if ((now->st.st_mode ^ was->st.st_mode) & 0777)
		note(w, path, CHANGE_MODE, now, was, NULL);
	struct node *n = push(w, path, h->node->n_layers);
	if (!n)
		return;
	n->base_dir = was_dir;
	merge_below(w, h, name, top, n, opaque == 'y');
}

/* One name of the merged directory: its topmost entry against the host's. */
static void one_name(struct walk *w, struct here *h, const struct named *x)
{
	struct node *dir = h->node;
	struct entry now = {.layer = LAYER_NONE}, was = {.layer = LAYER_NONE};
	char path[PATH_MAX];
	if (snprintf(path, sizeof(path), "%s%s%s", dir->rel, *dir->rel ? "/" : "", x->name) >=
		(int)MIN(sizeof(path), w->path_max)) {
		fstatat(x->layer < dir->n_layers ? h->fd[x->layer] : h->base, x->name, &now.st,
			AT_SYMLINK_NOFOLLOW);
		now.layer = x->layer < dir->n_layers ? dir->layers[x->layer] : LAYER_BASE;
		if (*dir->rel)
			note(w, dir->rel, CHANGE_ODD, &now, &was, "holds paths that are too long");
		return;
	}
	if (h->base >= 0 && fstatat(h->base, x->name, &was.st, AT_SYMLINK_NOFOLLOW) == 0)
		was.layer = LAYER_BASE;
	if (x->layer == dir->n_layers) { /* the host's alone, and hidden */
		if (was.layer != LAYER_NONE)
			gone(w, path, &was);
		return;
	}
	if (fstatat(h->fd[x->layer], x->name, &now.st, AT_SYMLINK_NOFOLLOW) < 0)
		return; /* removed since the directory was read */
	now.layer = dir->layers[x->layer];
	if (is_whiteout(h->fd[x->layer], x->name, &now.st, h->xwhite[x->layer])) {
		if (was.layer != LAYER_NONE)
			gone(w, path, &was);
	} else if (S_ISDIR(now.st.st_mode)) {
		directory(w, h, path, x->name, x->layer, &now, &was);
	} else if (was.layer != LAYER_NONE && S_ISDIR(was.st.st_mode)) {
		note(w, path, CHANGE_TYPE, &now, &was, NULL);
		struct node *n = push(w, path, 0);
		if (n)
			n->base_dir = true;
	} else if (was.layer != LAYER_NONE) {
		compare(w, path, &now, &was);
	} else if (type_of(now.st.st_mode) == CHANGE_SPECIAL) {
		note(w, path, CHANGE_ODD, &now, &was, "neither file, link nor directory");
	} else {
		note(w, path, CHANGE_ADDED, &now, &was, NULL);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int r = strcmp(x->name, y->name);
	return r ? r : x->layer < y->layer ? -1 : x->layer > y->layer;
}

/* The names of every part of a node, each once, by its topmost part. */
static int read_names(struct walk *w, struct here *h, struct named **ret, size_t *ret_n)
{
	struct node *n = h->node;
	bool hidden = h->base >= 0 && !n->base_visible;
	struct strv names = {0};
	size_t from[CHANGE_LAYERS_MAX + 2];
	for (size_t i = 0; i <= n->n_layers; i++) {
		int r = 0;
		from[i] = names.n;
		if (i < n->n_layers)
			r = list_names(&h->scratch, h->fd[i], &names);
		else if (hidden)
			r = list_names(&h->scratch, h->base, &names);
		if (r < 0)
			return r;
	}
	struct named *v = arena_alloc(&h->scratch, (names.n + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	from[n->n_layers + 1] = names.n;
	for (size_t i = 0; i <= n->n_layers; i++)
		for (size_t k = from[i]; k < from[i + 1]; k++)
			v[k] = (struct named){names.v[k], i};
	qsort(v, names.n, sizeof(*v), by_name);
	size_t out = 0;
	for (size_t k = 0; k < names.n; k++)
		if (!out || !streq(v[k].name, v[out - 1].name))
			v[out++] = v[k];
	(void)w;
	*ret = v;
	*ret_n = out;
	return 0;
}

static int open_parts(struct walk *w, struct here *h)
{
	struct node *n = h->node;
	for (size_t i = 0; i < n->n_layers; i++) {
		h->fd[i] = place_open(layer_fd(w->c, n->layers[i]), n->rel, O_RDONLY | O_DIRECTORY);
		if (h->fd[i] < 0)
			return h->fd[i];
		h->xwhite[i] = dir_opaque(h->fd[i]) == 'x';
	}
	if (n->base_dir) {
		h->base = place_open(w->c->base, n->rel, O_RDONLY | O_DIRECTORY);
		if (h->base < 0)
			return h->base;
	}
	return 0;
}

static void one_node(struct walk *w, struct node *n)
{
	struct here h = {.node = n, .base = -1};
	struct named *v = NULL;
	size_t count = 0;
	for (size_t i = 0; i < n->n_layers; i++)
		h.fd[i] = -1;
	int r = open_parts(w, &h);
	if (r == 0)
		r = read_names(w, &h, &v, &count);
	for (size_t i = 0; i < count && w->c->failed == 0; i++)
		one_name(w, &h, &v[i]);
	if (r == -ENOMEM)
		w->c->failed = r;
	else if (r < 0 && *n->rel) {
		struct entry now = {.layer = LAYER_NONE}, was = {.layer = LAYER_NONE};
		if (n->n_layers && place_stat(layer_fd(w->c, n->layers[0]), n->rel, &now.st) == 0)
			now.layer = n->layers[0];
		if (n->base_dir && place_stat(w->c->base, n->rel, &was.st) == 0)
			was.layer = LAYER_BASE;
		note(w, n->rel, CHANGE_ODD, &now, &was, trouble(r));
	} else if (r < 0) {
		w->c->failed = r;
	}
	for (size_t i = 0; i < n->n_layers; i++)
		if (h.fd[i] >= 0)
			close(h.fd[i]);
	if (h.base >= 0)
		close(h.base);
	arena_free(&h.scratch);
}

static int by_path(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int r = strcmp(x->pub.path, y->pub.path);
	return r ? r : (x->pub.kind == CHANGE_ODD) - (y->pub.kind == CHANGE_ODD);
}

/* A place that is odd is only that: nothing about it can be relied on. */
void sort_items(struct change *c)
{
	size_t out = 0;
	if (c->n)
		qsort(c->items, c->n, sizeof(*c->items), by_path);
	for (size_t i = 0; i < c->n; i++) {
		if (out && streq(c->items[i].pub.path, c->items[out - 1].pub.path)) {
			if (c->items[i].pub.kind == CHANGE_ODD)
				c->items[out - 1] = c->items[i];
			continue;
		}
		c->items[out++] = c->items[i];
	}
	c->n = out;
}

int change_collect_below(struct change *c, const struct strv *paths, struct err *err)
{
	struct walk w = {.c = c, .paths = paths, .path_max = PATH_MAX - strlen(c->req->base) - 64};
	struct node *root = push(&w, "", c->n_uppers);
	c->n = 0;
	if (root) {
		for (size_t i = 0; i < c->n_uppers; i++)
			root->layers[root->n_layers++] = (uint8_t)i;
		root->base_visible = root->base_dir = true;
	}
	while (w.todo && c->failed == 0) {
		struct node *n = w.todo;
		w.todo = n->next;
		one_node(&w, n);
	}
	if (c->failed == -E2BIG) {
		err_hint(err, "name the paths that matter");
		return err_set(err, E2BIG, "more than %d changes", CHANGE_ITEMS_MAX);
	}
	if (c->failed)
		return err_sys(err, -c->failed, "look through what the sandbox changed");
	sort_items(c);
	return 0;
}

int change_collect_items(struct change *c, struct err *err)
{
	return change_collect_below(c, &c->req->paths, err);
}

struct item *item_find(struct change *c, const char *path, size_t n)
{
	size_t lo = 0, hi = c->n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		const char *p = c->items[mid].pub.path;
		int r = strncmp(p, path, n);
		if (r == 0 && p[n] == '\0')
			return &c->items[mid];
		if (r < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}
