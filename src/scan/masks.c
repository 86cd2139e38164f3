/* scan/masks.c - the start: what must be masked, what is tracked and so can't be, what is protected
 * (see scanner.h)
 *
 * Theory: names that match come from the table; whether git tracks them is asked of the index of
 * the innermost repository they lie in, once per index and cached with the index's state.  A file
 * is masked if its name matches a mask or its head shows a private key, and git does not track it:
 * a tracked file's content is in the objects anyway, and an emptied one gets committed (OWN-14).
 *
 * An index is what a session leaves it as, and must not open in the next one what was shut in this.
 * So of what the table has as masked, git's word is taken only where the file has the very content
 * that the index names: nobody can name that of a file they could not read.  Each start looks
 * again, as a file that is written in place changes neither its directory nor the index.
 */
#include "scan/scanner.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>

#include "base/fd.h"
#include "base/git-name.h"
#include "base/path.h"
#include "scan/git-index.h"
#include "scan/key-text.h"

#define KEY_FILE_MAX (128 * 1024)
#define KEY_HEAD (16 * 1024)
#define INDEX_MAX ((size_t)1 << 30)
#define RACY_NS 20000000
#define REPOS_MAX 4096
#define PROOF_MAX ((size_t)16 << 20)
#define RECORD_FD 4
#define RECORD_MAX ((size_t)1 << 20)

struct repo {
	uint32_t dir; /* in the table: its work tree */
	uint32_t end;
	struct scan_at git; /* base NULL: nothing is tracked there */
	struct git_index_query *q;
	size_t n_q, cap_q;
};

struct masks {
	struct scanner *s;
	struct repo *repo;
	size_t n;
	struct digest state;
	int64_t racy_after;
	/* links that match: where they lead, and the candidate that keeps what git says of that */
	struct strv link, target;
	uint32_t *owner;
	size_t cap_owner;
	/* the record of what any start masked, read where it is needed: digests of paths */
	struct digest *shut;
	size_t n_shut;
	bool have_shut;
	unsigned char *whole; /* per directory: all of it is masked, as one */
	struct digest *news;  /* for its end */
	size_t n_news, cap_news;
};

static int by_digest(const void *x, const void *y)
{
	return memcmp(x, y, sizeof(struct digest));
}

static void load_record(struct masks *m)
{
	struct stat st;
	m->have_shut = true;
	if (fstat(RECORD_FD, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	const size_t n = MIN((size_t)st.st_size / sizeof(*m->shut), RECORD_MAX);
	m->shut = arena_alloc(&m->s->arena, (n + 1) * sizeof(*m->shut));
	if (!m->shut ||
		fd_pread_full(RECORD_FD, m->shut, n * sizeof(*m->shut), 0) !=
			(ssize_t)(n * sizeof(*m->shut)))
		return;
	m->n_shut = n;
	qsort(m->shut, n, sizeof(*m->shut), by_digest);
}

/* Was path, or a directory that it is in, masked by an earlier start?  Once the record is full
 * nobody knows, which is a yes. */
static bool was_shut(struct masks *m, const char *path)
{
	if (!m->have_shut)
		load_record(m);
	if (m->n_shut == 0 || m->n_shut == RECORD_MAX)
		return m->n_shut;
	const char *whole = path_join(&m->s->arena, m->s->base[0].path, path);
	for (size_t n = whole ? strlen(whole) : 0; n > 0;) {
		const struct digest d = digest_of(whole, n);
		if (bsearch(&d, m->shut, m->n_shut, sizeof(d), by_digest))
			return true;
		while (n > 0 && whole[--n] != '/')
			;
	}
	return false;
}

/* This start masks it. */
static void record(struct masks *m, const char *path)
{
	if (was_shut(m, path))
		return;
	const char *whole = path_join(&m->s->arena, m->s->base[0].path, path);
	struct digest *p = arena_grow(
		&m->s->arena, m->news, m->n_news, &m->cap_news, sizeof(*m->news));
	if (!whole || !p)
		return; /* the arena has failed, which is told */
	m->news = p;
	m->news[m->n_news++] = digest_of(whole, strlen(whole));
}

static void write_record(struct masks *m)
{
	struct stat st;
	if (m->n_news == 0 || fstat(RECORD_FD, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	/* another start may be writing; a file system without locks is no reason to forget */
	flock(RECORD_FD, LOCK_EX);
	/* what a full disk left half */
	const off_t half = fstat(RECORD_FD, &st) == 0 ? st.st_size % (off_t)sizeof(*m->news) : 0;
	if (!half || ftruncate(RECORD_FD, st.st_size - half) == 0)
		fd_write_all(RECORD_FD, m->news, m->n_news * sizeof(*m->news));
	flock(RECORD_FD, LOCK_UN);
}

static bool is_candidate(const struct cand *c)
{
	return c->flags & (CAND_MASK | CAND_CONTENT);
}

static int find_repos(struct masks *m)
{
	struct scanner *s = m->s;
	const struct table *t = &s->walk.now;
	size_t cap = 0;
	for (uint32_t i = 0; i < t->n_dirs && m->n < REPOS_MAX; i++) {
		const struct dir *d = &t->dirs[i];
		for (uint32_t k = 0; k < d->n; k++) {
			const struct cand *c = &t->cands[d->first + k];
			if (!(c->flags & CAND_GIT))
				continue;
			struct repo *p = arena_grow(&s->arena, m->repo, m->n, &cap, sizeof(*p));
			if (!p)
				return -ENOMEM;
			m->repo = p;
			m->repo[m->n++] = (struct repo){
				.dir = i, .end = d->end, .git = scan_git_of(s, d, c)};
			break;
		}
	}
	return 0;
}

/* Repositories are in preorder, so the last one that spans the directory is the innermost. */
static struct repo *repo_of(struct masks *m, uint32_t dir)
{
	struct repo *found = NULL;
	for (size_t i = 0; i < m->n && m->repo[i].dir <= dir; i++)
		if (dir < m->repo[i].end)
			found = &m->repo[i];
	return found;
}

/* One digest over every index there is: same state, same answers. */
static struct digest index_state(struct masks *m)
{
	struct blob b = {0};
	for (size_t i = 0; i < m->n; i++) {
		struct repo *r = &m->repo[i];
		struct stat st = {0};
		if (!r->git.base)
			continue;
		if (scan_stat(scan_below(m->s, r->git, "index"), &st) < 0)
			st = (struct stat){0};
		int64_t ctime = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
		uint64_t v[] = {r->dir, st.st_ino, (uint64_t)st.st_size, (uint64_t)ctime,
			/* written this instant: may be again without a trace */
			ctime >= m->racy_after ? (uint64_t)m->racy_after : 0};
		blob_put(&b, 1, v, sizeof(v));
		blob_put_str(&b, 2, r->git.rel);
	}
	struct digest d = digest_of(b.n ? b.data : "", b.n);
	blob_free(&b);
	return d;
}

static int add_query(struct masks *m, struct repo *r, const char *path, bool dir, size_t user)
{
	const char *top = m->s->walk.now.pool + m->s->walk.now.dirs[r->dir].path;
	if (r->n_q == r->cap_q) {
		size_t cap = r->cap_q ? r->cap_q * 2 : 64;
		struct git_index_query *q = arena_alloc(&m->s->arena, cap * sizeof(*q));
		if (!q)
			return -ENOMEM;
		if (r->n_q)
			memcpy(q, r->q, r->n_q * sizeof(*q));
		r->q = q;
		r->cap_q = cap;
	}
	const char *rel = path + strlen(top);
	char *copy = arena_dup(&m->s->arena, rel + strspn(rel, "/"));
	if (!copy)
		return -ENOMEM;
	r->q[r->n_q++] = (struct git_index_query){.path = copy, .dir = dir, .user = user};
	return 0;
}

/* Look the queries up in one index file. */
static int ask_file(struct masks *m, struct repo *r, const char *name,
	const struct git_index_split *of, struct git_index_split *ret_split)
{
	struct stat st;
	struct scan_at at = scan_below(m->s, r->git, name);
	if (scan_stat(at, &st) < 0)
		return 0; /* no index yet: nothing is tracked */
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	_cleanup_close_ int fd = scan_open(at, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fd < 0 ? fd : -errno;
	size_t n = (size_t)st.st_size;
	if (n == 0 || n > INDEX_MAX)
		return n ? -EFBIG : -EBADMSG;
	void *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	int res = git_index_lookup(p, n, 20, r->q, r->n_q, of, ret_split, NULL);
	if (res == -EBADMSG)
		res = git_index_lookup(p, n, 32, r->q, r->n_q, of, ret_split, NULL);
	munmap(p, n);
	return res;
}

static void ask(struct masks *m, struct repo *r)
{
	struct git_index_split split = {0};
	if (!r->git.base || r->n_q == 0)
		return;
	int res = ask_file(m, r, "index", NULL, &split);
	if (res == 0 && split.shared[0]) {
		char name[80];
		snprintf(name, sizeof(name), "sharedindex.%s", split.shared);
		res = ask_file(m, r, name, &split, NULL);
	}
	git_index_split_free(&split);
	if (res < 0) /* masks apply as if nothing were tracked: the safe way to be wrong */
		scan_emit_at(m->s, r->git,
			(struct scan_item){.kind = SCAN_LIMIT,
				.type = SCAN_DIR,
				.detail = "its index can't be read: tracked files may be masked"});
}

/* The innermost repository of a path below the root. */
static struct repo *repo_of_path(struct masks *m, const char *path)
{
	const struct table *t = &m->s->walk.now;
	struct repo *found = NULL;
	for (size_t i = 0; i < m->n; i++) {
		const char *top = t->pool + t->dirs[m->repo[i].dir].path;
		if (!*top || path_within(path, top))
			found = &m->repo[i];
	}
	return found;
}

static void looked(struct masks *m, struct cand *c)
{
	c->flags &= ~(uint32_t)(CAND_TRACKED | CAND_HELD);
	c->flags |= CAND_LOOKED;
	m->s->dirty = true;
}

/* A link that matches: what counts is the file it leads to.  Its candidate keeps the answer, with
 * the target's digest in place of inode and ctime. */
static int collect_link(
	struct masks *m, struct cand *c, uint32_t number, const char *path, bool again)
{
	struct scanner *s = m->s;
	char *to = c->flags & CAND_MASK ? scan_follow(s, path) : NULL;
	if (!to)
		return 0;
	if (m->target.n == m->cap_owner) {
		size_t cap = m->cap_owner ? m->cap_owner * 2 : 16;
		uint32_t *p = arena_alloc(&s->arena, cap * sizeof(*p));
		if (!p)
			return -ENOMEM;
		if (m->target.n)
			memcpy(p, m->owner, m->target.n * sizeof(*p));
		m->owner = p;
		m->cap_owner = cap;
	}
	m->owner[m->target.n] = number;
	strv_add(&s->arena, &m->link, path);
	strv_push(&s->arena, &m->target, to);
	struct digest d = digest_of(to, strlen(to));
	if (!again && (c->flags & CAND_LOOKED) && c->ino == d.lo && c->ctime == (int64_t)d.hi)
		return 0;
	looked(m, c);
	c->ino = d.lo;
	c->ctime = (int64_t)d.hi;
	struct repo *r = repo_of_path(m, to);
	return r ? add_query(m, r, to, true, number) : 0;
}

/* What the indexes must be asked about. */
static int collect(struct masks *m, bool again)
{
	struct scanner *s = m->s;
	struct table *t = &s->walk.now;
	char path[PATH_MAX];
	for (uint32_t i = 0; i < t->n_dirs; i++) {
		const struct dir *d = &t->dirs[i];
		struct repo *r = NULL;
		for (uint32_t k = 0; k < d->n; k++) {
			struct cand *c = &t->cands[d->first + k];
			if (!is_candidate(c) || !walk_path(t, d, c, path))
				continue;
			if (c->type == DT_LNK) {
				if (collect_link(m, c, d->first + k, path, again) < 0)
					return -ENOMEM;
				continue;
			}
			if (!again && (c->flags & CAND_LOOKED))
				continue;
			looked(m, c);
			r = r ? r : repo_of(m, i);
			if (r && add_query(m, r, path, c->type == DT_DIR, d->first + k) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

/* Has the file at path the content that the index names?  Nothing at all proves nothing. */
static bool is_in_git(struct masks *m, const char *path, const struct git_index_query *q)
{
	char is[GIT_NAME_MAX], want[GIT_NAME_MAX], *text;
	struct arena a = {0};
	const ssize_t n = q->n_object
		? scan_read_in(&a, (struct scan_at){&m->s->base[0], path}, PROOF_MAX, &text)
		: -1;
	bool same = false;
	/* what is empty anyone can name */
	if (n > 0 && (size_t)n < PROOF_MAX) {
		git_blob_name(text, (size_t)n, q->n_object, is);
		for (size_t i = 0; i < q->n_object; i++)
			snprintf(want + 2 * i, 3, "%02x", q->object[i]);
		same = streq(is, want);
	}
	arena_free(&a);
	return same;
}

/* Is something tracked, by what has been found of the files, below the directory path? */
static bool tracks_below(const struct table *t, const char *path)
{
	for (uint32_t i = 0; i < t->n_dirs; i++) {
		const struct dir *d = &t->dirs[i];
		if (!path_within(t->pool + d->path, path))
			continue;
		for (uint32_t k = 0; k < d->n; k++)
			if (t->cands[d->first + k].type != DT_DIR &&
				(t->cands[d->first + k].flags & CAND_TRACKED))
				return true;
	}
	return false;
}

/* What git tracks of the queries to r; of directories once the files in them are known. */
static void settle(struct masks *m, const struct repo *r, bool dirs)
{
	struct table *t = &m->s->walk.now;
	const char *top = t->pool + t->dirs[r->dir].path;
	for (size_t k = 0; k < r->n_q; k++) {
		const struct git_index_query *q = &r->q[k];
		struct cand *c = &t->cands[q->user];
		if ((c->type == DT_DIR) != dirs)
			continue;
		const char *path = *top ? path_join(&m->s->arena, top, q->path) : q->path;
		if (!q->found || !path)
			continue;
		const bool shut = ((c->flags & CAND_SHUT) || was_shut(m, path)) &&
			!GUARD_REMOVED("mask-held");
		if (!shut || (dirs ? tracks_below(t, path) : is_in_git(m, path, q)))
			c->flags |= CAND_TRACKED;
		else
			c->flags |= CAND_HELD;
		if (shut && !GUARD_REMOVED("mask-again"))
			c->flags &= ~(uint32_t)CAND_LOOKED;
	}
}

static int find_tracked(struct masks *m)
{
	struct scanner *s = m->s;
	struct table *t = &s->walk.now;
	m->state = index_state(m);
	bool again = !digest_eq(m->state, t->index_state);
	if (collect(m, again) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < m->n; i++)
		ask(m, &m->repo[i]);
	for (size_t i = 0; i < 2 * m->n; i++)
		settle(m, &m->repo[i % m->n], i >= m->n);
	if (again) {
		t->index_state = m->state;
		s->dirty = true;
	}
	return 0;
}

/* Does this small file hold a private key?  The answer is kept with its inode and ctime. */
static bool holds_key(struct masks *m, struct cand *c, const char *path, const struct stat *st)
{
	int64_t ctime = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec;
	if ((c->flags & CAND_CHECKED) && c->ino == st->st_ino && c->ctime == ctime)
		return c->flags & CAND_KEY;
	c->flags &= ~(uint32_t)(CAND_CHECKED | CAND_KEY);
	ssize_t n = 0;
	if (st->st_size >= 32 && st->st_size <= KEY_FILE_MAX) {
		struct arena a = {0};
		char *text;
		n = scan_read_in(&a, (struct scan_at){&m->s->base[0], path}, KEY_HEAD, &text);
		if (n > 0 && key_text(path_base(path), text, (size_t)n))
			c->flags |= CAND_KEY;
		arena_free(&a);
	}
	if (ctime < m->racy_after && n >= 0) {
		c->flags |= CAND_CHECKED;
		c->ino = st->st_ino;
		c->ctime = ctime;
	}
	m->s->dirty = true;
	return c->flags & CAND_KEY;
}

static void emit_mask(struct masks *m, const char *path, const struct stat *st, const char *detail)
{
	if (GUARD_REMOVED("mask-scan"))
		return;
	bool dir = S_ISDIR(st->st_mode);
	scan_emit_rel(m->s, path,
		(struct scan_item){
			.kind = SCAN_MASK, .type = dir ? SCAN_DIR : SCAN_FILE, .detail = detail});
	if (!dir && st->st_nlink > 1)
		scan_emit_rel(m->s, path,
			(struct scan_item){.kind = SCAN_HARDLINK,
				.type = SCAN_FILE,
				.detail = "has another name that is not masked"});
}

static void emit_held(struct masks *m, const struct cand *c, const char *path)
{
	if (c->flags & CAND_HELD)
		scan_emit_rel(m->s, path,
			(struct scan_item){.kind = SCAN_HELD,
				.type = c->type == DT_DIR ? SCAN_DIR : SCAN_FILE});
}

static void one(struct masks *m, struct cand *c, const char *path)
{
	struct stat st;
	if (c->type == DT_LNK || fstatat(m->s->base[0].fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return;
	if (c->flags & CAND_TRACKED) {
		if ((c->flags & CAND_MASK) && S_ISREG(st.st_mode))
			scan_emit_rel(m->s, path,
				(struct scan_item){.kind = SCAN_TRACKED,
					.type = SCAN_FILE,
					.detail = "tracked by git"});
		return;
	}
	if (c->flags & CAND_MASK)
		emit_mask(m, path, &st, "");
	else if (S_ISREG(st.st_mode) && holds_key(m, c, path, &st))
		emit_mask(m, path, &st, "private key");
	else
		return;
	emit_held(m, c, path);
}

static enum scan_type type_of(uint8_t dt)
{
	switch (dt) {
	case DT_DIR:
		return SCAN_DIR;
	case DT_LNK:
		return SCAN_SYMLINK;
	case DT_SOCK:
		return SCAN_SOCKET;
	case DT_FIFO:
		return SCAN_FIFO;
	case DT_BLK:
	case DT_CHR:
		return SCAN_DEVICE;
	default:
		return SCAN_FILE;
	}
}

static void others(struct scanner *s, const struct cand *c, const char *path)
{
	if (c->flags & CAND_SPECIAL)
		scan_emit_rel(s, path,
			(struct scan_item){.kind = SCAN_SPECIAL, .type = type_of(c->type)});
	bool git = (c->flags & CAND_GIT) && c->type != DT_DIR;
	if (git || ((c->flags & CAND_PROTECT) && !(c->flags & CAND_SPECIAL)))
		scan_emit_rel(s, path,
			(struct scan_item){.kind = SCAN_PROTECT,
				.type = type_of(c->type),
				.detail = git ? "git" : ""});
	/* What ".git" leads to is looked at as a git directory: not all of it is to be pinned. */
	if (c->type == DT_LNK && (c->flags & CAND_PROTECT) && !git)
		scan_protect_target(s, path, "");
}

/* A masked directory with nothing tracked below is masked whole: its end, to skip what is in it. */
static uint32_t masked_whole(const struct table *t, uint32_t parent, const struct cand *c)
{
	char path[PATH_MAX];
	if (c->type != DT_DIR || !(c->flags & CAND_MASK) || (c->flags & CAND_TRACKED) ||
		!walk_path(t, &t->dirs[parent], c, path))
		return 0;
	for (uint32_t k = parent + 1; k < t->dirs[parent].end; k = t->dirs[k].end)
		if (streq(t->pool + t->dirs[k].path, path))
			return k;
	return 0;
}

/* "a/b" without its last component. */
static void chop(char *path)
{
	char *slash = strrchr(path, '/');
	*(slash ? slash : path) = '\0';
}

/* The links by which a file is found to be masked stay, those of directories on the way too:
 * without them the next start would not find it. */
static void hold_links(struct masks *m, const char *link)
{
	enum { LINKS_MAX = 40 };
	struct scanner *s = m->s;
	const char *root = s->base[0].path;
	char at[PATH_MAX] = "", to[PATH_MAX], *rest = arena_dup(&s->arena, link);
	for (int links = 0; rest && *rest && links < LINKS_MAX && !GUARD_REMOVED("mask-links");) {
		const size_t n = strcspn(rest, "/"), len = strlen(at);
		char *name = arena_dupn(&s->arena, rest, n);
		rest += n + (rest[n] != '\0');
		if (!name || len + n + 2 > sizeof(at) || (streq(name, "..") && !len))
			return;
		if (n == 0 || streq(name, "."))
			continue;
		if (streq(name, "..")) {
			chop(at);
			continue;
		}
		snprintf(at + len, sizeof(at) - len, "%s%s", len ? "/" : "", name);
		const ssize_t k = readlinkat(s->base[0].fd, at, to, sizeof(to) - 1);
		if (k <= 0)
			continue;
		to[k] = '\0';
		scan_emit_rel(s, arena_dup(&s->arena, at),
			(struct scan_item){.kind = SCAN_PROTECT, .type = SCAN_SYMLINK});
		links++;
		if (to[0] == '/' && !path_within(to, root))
			return;
		rest = arena_printf(
			&s->arena, "%s/%s", to + (to[0] == '/' ? strlen(root) : 0), rest);
		if (to[0] == '/')
			at[0] = '\0';
		else
			chop(at);
	}
}

/* For the next start: what this one masks.  What git is found to have stays marked: it may have
 * been masked before, and be written to. */
static void note_shut(struct masks *m)
{
	struct table *t = &m->s->walk.now;
	char path[PATH_MAX];
	uint32_t end = 0; /* of the directory masked whole that i is in: that has been recorded */
	for (uint32_t i = 0; m->whole && i < t->n_dirs; i++) {
		const struct dir *d = &t->dirs[i];
		if (m->whole[i] && i >= end)
			end = d->end;
		for (uint32_t k = 0; k < d->n; k++) {
			struct cand *c = &t->cands[d->first + k];
			const bool shut = c->flags & (CAND_MASK | CAND_KEY);
			if (!is_candidate(c) || (c->flags & CAND_TRACKED) ||
				shut == !!(c->flags & CAND_SHUT))
				continue;
			c->flags ^= CAND_SHUT;
			m->s->dirty = true;
			if (shut && i >= end && walk_path(t, d, c, path))
				record(m, path);
		}
	}
	for (size_t i = 0; i < m->target.n; i++)
		if (!(t->cands[m->owner[i]].flags & CAND_TRACKED))
			record(m, m->target.v[i]);
	/* a start that is refused masks nothing */
	if (!m->s->too_many && !m->s->walk.failed && !m->s->arena.failed)
		write_record(m);
}

static void report(struct masks *m)
{
	struct table *t = &m->s->walk.now;
	char path[PATH_MAX];
	unsigned char *skip = m->whole = arena_alloc(&m->s->arena, t->n_dirs + 1);
	for (uint32_t i = 0; skip && i < t->n_dirs; i++) {
		if (skip[i]) {
			i = t->dirs[i].end - 1;
			continue;
		}
		const struct dir *d = &t->dirs[i];
		for (uint32_t k = 0; k < d->n; k++) {
			struct cand *c = &t->cands[d->first + k];
			if (!(c->flags &
				    (CAND_MASK | CAND_CONTENT | CAND_PROTECT | CAND_SPECIAL |
					    CAND_GIT)) ||
				!walk_path(t, d, c, path))
				continue;
			if (is_candidate(c))
				one(m, c, path);
			uint32_t whole = masked_whole(t, i, c);
			if (whole)
				skip[whole] = 1;
			others(m->s, c, path);
		}
	}
	for (size_t i = 0; i < m->target.n; i++) {
		const char *to = m->target.v[i];
		struct stat st;
		if (fstatat(m->s->base[0].fd, to, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			path_within(to, ".git") || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
			continue;
		const struct cand *c = &t->cands[m->owner[i]];
		if (c->flags & CAND_TRACKED) {
			scan_emit_rel(m->s, to,
				(struct scan_item){.kind = SCAN_TRACKED,
					.type = SCAN_FILE,
					.detail = "tracked by git"});
			continue;
		}
		emit_mask(m, to, &st,
			arena_printf(&m->s->arena, "the link %s leads to it", m->link.v[i]));
		emit_held(m, c, to);
		hold_links(m, m->link.v[i]);
	}
}

void scan_start_masks(struct scanner *s)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	struct masks m = {
		.s = s, .racy_after = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - RACY_NS};
	if (find_repos(&m) < 0 || find_tracked(&m) < 0) {
		s->walk.failed = -ENOMEM;
		return;
	}
	report(&m);
	scan_each_git(s, scan_git_protect);
	scan_named_protect(s);
	struct stat st;
	const char *hooks = s->walk.hooks_path;
	if (hooks && fstatat(s->base[0].fd, hooks, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		(S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode))) {
		scan_emit_rel(s, hooks,
			(struct scan_item){.kind = SCAN_PROTECT,
				.type = S_ISDIR(st.st_mode) ? SCAN_DIR : SCAN_SYMLINK,
				.detail = "core.hooksPath"});
		if (S_ISLNK(st.st_mode))
			scan_protect_target(s, hooks, "core.hooksPath");
	}
	note_shut(&m);
}
