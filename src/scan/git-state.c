/* scan/git-state.c - files of git's own that it believes, whatever stands in them, or that say what
 * it is not to show (see scanner.h)
 *
 * git checks names where they come in, by a fetch or an add, and not those that its index or its
 * notes of a conflict have already: `git restore .` writes each file that the index names, be it
 * .git/hooks/post-checkout or ../.bashrc, and what a prompt shows of a rebase it takes as it is.
 */
#include "scan/scanner.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/dir-record.h"
#include "base/fd.h"
#include "base/path.h"
#include "scan/git-index.h"

#define INDEX_MAX ((off_t)512 << 20)
#define INDEX_SMALL ((off_t)1 << 20)
#define MERGE_RR_MAX ((size_t)4 << 20)
#define EXCLUDE_MAX ((size_t)1 << 20)
#define PACKED_MAX ((size_t)64 << 20)
#define REFS_MAX 200000 /* loose ones, of all git directories together */
#define REFS_DEPTH 32
#define BELOW_MAX 200000 /* in directories that an index names as one */

const char scan_git_shows_other[] = "git shows other commits or files than there are";

/* Did the session change it, or a directory that it lies in by itself (dir), or bring it here? */
static bool is_fresh(struct scanner *s, struct scan_at at, struct scan_at dir, bool moved)
{
	struct stat st, of;
	return scan_stat(at, &st) == 0 &&
		(moved || scan_since(s, &st) ||
			(dir.base && scan_stat(dir, &of) == 0 && scan_since(s, &of)));
}

/* ---- the index ---- */

/* The work tree of a git directory, as far as that is where git puts it; base NULL: not known. */
static struct scan_at tree_of(struct scanner *s, struct scan_at git)
{
	struct scan_at none = {0};
	const size_t n = strlen(git.rel);
	char *text;
	if (git.base != &s->base[0] && s->req->git_dir && streq(git.base->path, s->req->git_dir) &&
		!n)
		return (struct scan_at){&s->base[0], ""};
	if (streq(path_base(git.rel), ".git") && git.base == &s->base[0])
		return (struct scan_at){
			git.base, n > 4 ? arena_dupn(&s->arena, git.rel, n - 5) : ""};
	/* of a linked one: where its own file .git is */
	if (scan_read(s, scan_below(s, git, "gitdir"), PATH_MAX, &text) <= 0 || text[0] != '/')
		return none;
	text[strcspn(text, "\r\n")] = '\0';
	char *slash = strrchr(text, '/');
	if (!slash || !streq(slash, "/.git"))
		return none;
	*slash = '\0';
	return scan_locate(s, text);
}

/* Files that changed, and of which git is told not to look at them. */
struct unseen {
	struct scanner *s;
	struct scan_at tree, first;
	size_t n;
	size_t below; /* entries of directories that were looked at */
	bool cut;     /* ... but not all */
	size_t gone;  /* so much of the last name is a directory that isn't there */
	char last[PATH_MAX];
};

static void count_unseen(struct unseen *u, const char *full, const struct stat *st)
{
	if (scan_since(u->s, st) && u->n++ == 0)
		u->first = (struct scan_at){u->tree.base, arena_dup(&u->s->arena, full)};
}

/* A directory that a sparse index has as one entry, or a submodule: git shows nothing of what is in
 * it. */
static void unseen_below(struct unseen *u, struct scan_at dir, int depth)
{
	_Alignas(8) char buf[8192];
	struct strv dirs = {0};
	struct scanner *s = u->s;
	int fd = depth < REFS_DEPTH ? scan_list(s, dir) : -1;
	ssize_t n;
	while (fd >= 0 && u->below < BELOW_MAX && (n = dir_records(fd, buf, sizeof(buf))) > 0)
		for (ssize_t o = 0; o < n; u->below++) {
			const struct dir_record *d = (const struct dir_record *)(buf + o);
			struct stat st;
			o += d->d_reclen;
			if (streq(d->d_name, ".") || streq(d->d_name, "..") ||
				streq(d->d_name, ".git") ||
				fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
				continue;
			if (S_ISDIR(st.st_mode))
				strv_add(&s->arena, &dirs, d->d_name);
			else
				count_unseen(u, scan_below(s, dir, d->d_name).rel, &st);
		}
	if (fd >= 0)
		close(fd);
	u->cut |= depth == REFS_DEPTH || u->below >= BELOW_MAX;
	for (size_t i = 0; i < dirs.n; i++)
		unseen_below(u, scan_below(s, dir, dirs.v[i]), depth + 1);
}

static void one_unseen(void *ctx, const char *path)
{
	struct unseen *u = ctx;
	struct stat st;
	char full[PATH_MAX];
	/* most of a tree that is checked out in part is not there; what path NULL is about can't
	 * be: the other part of the index is gone */
	if (!path || (u->gone && strncmp(path, u->last, u->gone) == 0))
		return;
	u->gone = 0;
	if (snprintf(full, sizeof(full), "%s%s%s", u->tree.rel, *u->tree.rel ? "/" : "", path) >=
		(int)sizeof(full))
		return;
	size_t n = strlen(full);
	while (n && full[n - 1] == '/')
		full[--n] = '\0';
	const struct scan_at at = {u->tree.base, full};
	if (scan_stat(at, &st) == 0) {
		const size_t before = u->n;
		if (S_ISDIR(st.st_mode))
			unseen_below(u, at, 0);
		if (u->n == before) /* one that was moved here has older files */
			count_unseen(u, full, &st);
		return;
	}
	const char *slash = strrchr(path, '/'), *own = strrchr(full, '/');
	if (!slash)
		return;
	if (slash[1]) /* of a directory, itself */
		full[own - full] = '\0';
	if (scan_stat(at, &st) < 0) {
		u->gone = (size_t)(slash - path) + 1;
		memcpy(u->last, path, u->gone);
	}
}

/* An index, or the other part of one; *ret_n 0: it is empty, none, or longer than is looked at. */
static void *map_index(struct scan_at at, size_t *ret_n)
{
	struct stat st;
	_cleanup_close_ int fd = scan_open(at, O_RDONLY);
	*ret_n = 0;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > INDEX_MAX)
		return NULL;
	if (st.st_size == 0)
		return (void *)""; /* which can't be mapped */
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		return NULL;
	*ret_n = (size_t)st.st_size;
	return p;
}

static void check_unseen(struct scanner *s, struct scan_at git, const void *data, size_t n)
{
	struct unseen u = {.s = s, .tree = tree_of(s, git)};
	char name[GIT_INDEX_SHARED_MAX];
	size_t n_shared = 0;
	void *shared = u.tree.base && git_index_shared(data, n, name)
		? map_index(scan_below(s, git, name), &n_shared)
		: NULL;
	int r = u.tree.base ? git_index_unseen(data, n, shared, n_shared, one_unseen, &u) : 0;
	if (n_shared)
		munmap(shared, n_shared);
	if (u.cut)
		scan_emit_at(s, git,
			(struct scan_item){.kind = SCAN_LIMIT,
				.type = SCAN_DIR,
				.detail = "more files that git does not show than are looked at"});
	if (r < 0 || !u.n)
		return;
	const char *what = "git is told not to show that it changed";
	if (u.n > 1)
		what = arena_printf(&s->arena, "%s, nor %zu more", what, u.n - 1);
	scan_emit_git(s, u.first, 21, what);
}

static bool wants_notes(const char *key, const char *value)
{
	static const char *const no[] = {"false", "no", "off", "0", "keep", ""};
	if (!streq(key, "core.untrackedcache") && !streq(key, "feature.manyfiles"))
		return false;
	for (size_t i = 0; value && i < ARRAY_LEN(no); i++)
		if (strcasecmp(value, no[i]) == 0)
			return false;
	return true;
}

/* Did the user's settings, or those that any repository here had at the start, ask git to keep
 * notes of new files? */
static bool notes_were_asked_for(struct scanner *s)
{
	const struct strv *user = &s->req->settings;
	for (size_t i = 0; i + 1 < user->n; i += 2)
		if (wants_notes(user->v[i], user->v[i + 1]))
			return true;
	for (size_t i = 0; i < s->req->n_git; i++) {
		struct git_config c;
		struct stat st;
		const int fd = s->git_fds[i][1];
		if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
			st.st_size > (off_t)GIT_CONFIG_MAX)
			continue;
		char *text = arena_alloc(&s->arena, (size_t)st.st_size + 1);
		ssize_t n = text ? fd_pread_full(fd, text, (size_t)st.st_size, 0) : -1;
		if (n < 0 || git_config_parse(&s->arena, text, (size_t)n, &c, NULL) < 0)
			continue;
		for (size_t k = 0; k < c.n; k++)
			if (wants_notes(c.v[k].key, c.v[k].value))
				return true;
	}
	return false;
}

static void check_index_of(
	struct scanner *s, struct scan_at git, struct scan_at at, bool fresh, bool part)
{
	char odd[256];
	size_t n;
	int r = -EBADMSG;
	void *p = map_index(at, &n);
	if (p && !n)
		return;
	if (p) {
		r = git_index_odd(p, n, odd, sizeof(odd));
		if (!part) /* which means nothing by itself */
			check_unseen(s, git, p, n);
		if (fresh && git_index_untracked(p, n) && !notes_were_asked_for(s))
			scan_emit_git(
				s, at, 21, "git status goes by what it says of new files, unasked");
		munmap(p, n);
	}
	if (r > 0)
		scan_emit_git(s, at, 3,
			arena_printf(&s->arena, "git restore writes what it names: %s", odd));
	else if (r < 0 && fresh)
		scan_emit_git(s, at, 3, "an index that can't be read");
}

/* One that the session left alone may say of a file that changed now that git is not to look at it:
 * where that costs next to nothing, or the run was long. */
static void check_index(struct scanner *s, struct scan_at git, const char *name, bool moved)
{
	struct scan_at at = scan_below(s, git, name), none = {0};
	struct stat st;
	if (scan_stat(at, &st) < 0 || !S_ISREG(st.st_mode))
		return; /* a link is told of as one */
	const bool fresh = is_fresh(s, at, none, moved);
	if (fresh || s->req->full || st.st_size <= INDEX_SMALL)
		check_index_of(s, git, at, fresh, has_prefix(name, "sharedindex."));
}

/* Split indexes' other parts, which may change without the index. */
static void check_shared(struct scanner *s, struct scan_at git, bool moved)
{
	_Alignas(8) char buf[4096];
	_cleanup_close_ int fd = scan_open(git, O_RDONLY | O_DIRECTORY);
	ssize_t n;
	while (fd >= 0 && (n = dir_records(fd, buf, sizeof(buf))) > 0)
		for (ssize_t o = 0; o < n;) {
			const struct dir_record *d = (const struct dir_record *)(buf + o);
			if (has_prefix(d->d_name, "sharedindex."))
				check_index(s, git, d->d_name, moved);
			o += d->d_reclen;
		}
}

/* ---- a conflict that git is to remember ---- */

static void check_merge_rr(struct scanner *s, struct scan_at git, bool moved)
{
	struct scan_at at = scan_below(s, git, "MERGE_RR"), none = {0};
	char *text;
	if (!is_fresh(s, at, none, moved))
		return;
	ssize_t n = scan_read(s, at, MERGE_RR_MAX, &text);
	if (n > 0 && ((size_t)n == MERGE_RR_MAX || git_merge_rr_odd(text, (size_t)n)))
		scan_emit_git(s, at, 20, "git copies what it names into its own directory");
}

/* ---- what a prompt shows ---- */

/* Of the branch, and of how far a rebase is: a shell that expands its prompt carries it out
 * (CVE-2014-9938). */
static void check_prompt(struct scanner *s, struct scan_at git, bool moved)
{
	static const struct {
		const char *dir, *name;
	} shown[] = {{NULL, "HEAD"}, {"rebase-merge", "head-name"}, {"rebase-merge", "msgnum"},
		{"rebase-merge", "end"}, {"rebase-apply", "head-name"}, {"rebase-apply", "next"},
		{"rebase-apply", "last"}};
	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		struct scan_at dir = {0}, at;
		char link[PATH_MAX], *text = NULL;
		struct stat st;
		if (shown[i].dir)
			dir = scan_below(s, git, shown[i].dir);
		at = scan_below(s, dir.base ? dir : git, shown[i].name);
		if (!is_fresh(s, at, dir, moved) || scan_stat(at, &st) < 0)
			continue;
		if (S_ISLNK(st.st_mode)) {
			ssize_t n = readlinkat(at.base->fd, at.rel, link, sizeof(link) - 1);
			link[n > 0 ? n : 0] = '\0';
			text = link;
		} else if (scan_read(s, at, PATH_MAX, &text) <= 0) {
			continue;
		}
		if (strpbrk(text, "$`%"))
			scan_emit_git(s, at, 9, "a shell's prompt may run what it says");
	}
}

/* ---- names of branches and tags ---- */

/* git's own completion puts a name into the command line as it is. */
static const char runs_completed[] = "a shell runs its name when it is completed";

static bool is_run(const char *name, size_t n)
{
	return memchr(name, '`', n) || memmem(name, n, "$(", 2) || memmem(name, n, "${", 2);
}

static void check_packed(struct scanner *s, struct scan_at git, bool moved)
{
	static const char replaced[] = " refs/replace/";
	struct scan_at at = scan_below(s, git, "packed-refs"), none = {0};
	char *text;
	ssize_t n = is_fresh(s, at, none, moved) ? scan_read(s, at, PACKED_MAX, &text) : 0;
	if (n <= 0)
		return;
	if ((size_t)n == PACKED_MAX) /* of what is longer, only the beginning was read */
		scan_emit_git(s, at, 21, "longer than is looked at");
	if (memmem(text, (size_t)n, replaced, sizeof(replaced) - 1))
		scan_emit_git(s, at, 21, scan_git_shows_other);
	if (is_run(text, (size_t)n))
		scan_emit_git(s, at, 9, runs_completed);
}

static void check_refs(struct scanner *s, struct scan_at dir, int depth, bool moved)
{
	_Alignas(8) char buf[8192];
	struct scan_at none = {0};
	struct strv dirs = {0};
	int fd = depth < REFS_DEPTH ? scan_open(dir, O_RDONLY | O_DIRECTORY) : -1;
	ssize_t n;
	while (fd >= 0 && s->n_git_refs < REFS_MAX && (n = dir_records(fd, buf, sizeof(buf))) > 0)
		for (ssize_t o = 0; o < n; s->n_git_refs++) {
			const struct dir_record *d = (const struct dir_record *)(buf + o);
			o += d->d_reclen;
			if (streq(d->d_name, ".") || streq(d->d_name, ".."))
				continue;
			if (is_run(d->d_name, strlen(d->d_name)) &&
				is_fresh(s, scan_below(s, dir, d->d_name), none, moved))
				scan_emit_git(s, scan_below(s, dir, d->d_name), 9, runs_completed);
			else if (d->d_type == DT_DIR)
				strv_add(&s->arena, &dirs, d->d_name);
		}
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < dirs.n; i++)
		check_refs(s, scan_below(s, dir, dirs.v[i]), depth + 1, moved);
}

/* ---- */

/* What no status shows, though no file of the tree says so.  Each new repository has one, of
 * comments. */
static void check_exclude(struct scanner *s, struct scan_at git, bool moved)
{
	struct scan_at at = scan_below(s, git, "info/exclude"), none = {0};
	char *text;
	ssize_t n = is_fresh(s, at, none, moved) ? scan_read(s, at, EXCLUDE_MAX, &text) : 0;
	for (ssize_t i = 0; i < n;) {
		const char *line = text + i;
		const size_t len = strcspn(line, "\n");
		/* longer than is looked at, or a line that says something: past a NUL, too */
		if ((size_t)n == EXCLUDE_MAX ||
			(line[0] != '#' && line[0] != '\n' && line[0] != '\r')) {
			scan_emit_git(s, at, 21, "git status does not show what it names");
			return;
		}
		i += (ssize_t)len + 1;
	}
}

/* Files that other programs look for in a git directory. */
static void check_others(struct scanner *s, struct scan_at git, bool moved)
{
	static const struct {
		const char *name;
		unsigned int per;
		const char *what;
	} table[] = {{"lazygit.yml", 2, "lazygit runs what it names"},
		{"sl", 2, "settings of another version control"},
		{"safe", 9, "some shells put this work tree's programs in front of all others"}};
	struct scan_at none = {0};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct scan_at at = scan_below(s, git, table[i].name);
		if (is_fresh(s, at, none, moved))
			scan_emit_git(s, at, table[i].per, table[i].what);
	}
}

/* How git rerere(1) resolves a conflict that comes again, in whichever merge: where there is such a
 * directory git does it unasked, and a setting that is taken over has the result staged. */
static void check_resolutions(struct scanner *s, struct scan_at git, bool moved)
{
	_Alignas(8) char buf[8192];
	struct scan_at at = scan_below(s, git, "rr-cache"), none = {0};
	_cleanup_close_ int fd = scan_open(at, O_RDONLY | O_DIRECTORY);
	uint32_t seen = 0;
	ssize_t n;
	while (fd >= 0 && seen < REFS_MAX && (n = dir_records(fd, buf, sizeof(buf))) > 0)
		for (ssize_t o = 0; o < n; seen++) {
			const struct dir_record *d = (const struct dir_record *)(buf + o);
			o += d->d_reclen;
			if (d->d_name[0] == '.')
				continue;
			struct scan_at one = scan_below(s, at, d->d_name);
			struct scan_at post = scan_below(s, one, "postimage");
			struct stat st;
			if (scan_stat(post, &st) < 0 ||
				!(is_fresh(s, one, none, moved) || is_fresh(s, post, none, moved)))
				continue;
			scan_emit_git(
				s, at, 21, "later merges take from it how conflicts are resolved");
			return;
		}
}

void scan_git_state(struct scanner *s, struct scan_at git_dir, bool moved)
{
	if (GUARD_REMOVED("git-state"))
		return;
	check_index(s, git_dir, "index", moved);
	check_shared(s, git_dir, moved);
	check_merge_rr(s, git_dir, moved);
	check_prompt(s, git_dir, moved);
	check_exclude(s, git_dir, moved);
	check_resolutions(s, git_dir, moved);
	check_packed(s, git_dir, moved);
	check_refs(s, scan_below(s, git_dir, "refs"), 0, moved);
	check_others(s, git_dir, moved);
}
