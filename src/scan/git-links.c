/* scan/git-links.c - links in a git directory (see scanner.h)
 *
 * git makes none, and writes through them: the message of a commit that is being made goes to
 * COMMIT_EDITMSG, with what MERGE_MSG has to offer in it, and a line of logs/HEAD names the branch
 * that was left.  Out of the workspace they lead to any file of the user's; within it to those that
 * are held, git's own config and hooks among them.  What lies below objects and refs is replaced,
 * never written to, and is not listed: there are hundreds of thousands of them.
 */
#include "scan/scanner.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>

#include "base/dir-record.h"
#include "base/fd.h"
#include "base/path.h"

#define ENTRIES_MAX 1000000 /* of all git directories together */
#define LINKS_MAX 100       /* named: of more, that there are is enough */
#define DEPTH_MAX 24

struct links {
	struct scanner *s;
	bool full; /* no more is looked at, which is said */
	bool deep; /* something was too deep to be looked at, which is said */
};

/* Of the topmost directory: what git-dirs.c looks at by itself. */
static bool is_elsewhere(const char *name)
{
	static const char *const names[] = {"branches", "commondir", "config", "config.worktree",
		"hooks", "modules", "remotes", "worktrees"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (streq(name, names[i]))
			return true;
	return false;
}

/* They may be links; what is in them is not listed. */
static bool is_store(const char *name)
{
	return streq(name, "objects") || streq(name, "refs");
}

/* Within the workspace: a HEAD of old (core.preferSymlinkRefs), and what work trees share that are
 * made of links (git-new-workdir, repo), by its own name, where git makes a new file each time or
 * writes nothing that an agent could choose. */
static bool is_shared(const char *path, const char *to)
{
	static const char *const names[] = {
		"description", "objects", "packed-refs", "refs", "shallow"};
	const char *name = path_base(path);
	if (streq(name, "HEAD") && has_prefix(to, "refs/heads/") && !strstr(to, ".."))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (streq(name, names[i]) && streq(path_base(to), name))
			return true;
	return false;
}

/* fresh: it may be older than the session, and has come here in it. */
static void link_found(struct links *l, struct scan_at at, int depth, bool fresh)
{
	struct scanner *s = l->s;
	struct stat st;
	char to[PATH_MAX];
	if (scan_stat(at, &st) < 0)
		return;
	const bool since = scan_since(s, &st);
	if (!since && !fresh)
		return;
	ssize_t n = readlinkat(at.base->fd, at.rel, to, sizeof(to) - 1);
	to[n > 0 ? n : 0] = '\0';
	const bool out = scan_leads_out(at);
	if (!out && depth == 0 && is_shared(at.rel, to))
		return;
	l->full = s->n_git_links++ >= LINKS_MAX;
	if (l->full)
		return;
	/* new, as a link: under that name there may have been a file; an old one stays in its place
	 */
	scan_emit_at(s, at,
		(struct scan_item){.kind = SCAN_PERSIST,
			.type = SCAN_SYMLINK,
			.flags = since ? SCAN_NEW | SCAN_AUTO : SCAN_AUTO,
			.per = out ? 20 : 3,
			.detail = arena_printf(
				&s->arena, "git writes to what it leads to: %.200s", to)});
}

/* One entry; of directories, which are looked into later, the names. */
static void entry(struct links *l, struct scan_at dir, const struct dir_record *d, int depth,
	bool fresh, struct strv *dirs)
{
	struct scan_at at;
	struct stat st;
	if (d->d_type == DT_REG)
		return;
	at = scan_below(l->s, dir, d->d_name);
	if (scan_stat(at, &st) < 0)
		return;
	if (S_ISLNK(st.st_mode))
		link_found(l, at, depth, fresh);
	else if (S_ISDIR(st.st_mode))
		strv_add(&l->s->arena, dirs, d->d_name);
}

/* fresh: below a directory that was made, moved here or added to, whose links may be older. */
static void look(struct links *l, struct scan_at dir, int depth, bool fresh)
{
	_Alignas(8) char buf[8192];
	struct stat st;
	struct strv dirs = {0};
	l->deep |= depth == DEPTH_MAX;
	int fd = l->full || depth == DEPTH_MAX ? -1 : scan_list(l->s, dir);
	ssize_t n = 0;
	if (fd < 0)
		return;
	fresh |= depth > 0 && fstat(fd, &st) == 0 && scan_since(l->s, &st);
	while (!l->full && (n = dir_records(fd, buf, sizeof(buf))) > 0)
		for (ssize_t o = 0; o < n && !l->full;) {
			const struct dir_record *d = (const struct dir_record *)(buf + o);
			o += d->d_reclen;
			if (streq(d->d_name, ".") || streq(d->d_name, "..") ||
				(depth == 0 && is_elsewhere(d->d_name)))
				continue;
			l->full = l->s->n_git_entries++ >= ENTRIES_MAX;
			entry(l, dir, d, depth, fresh, &dirs);
		}
	close(fd);
	for (size_t i = 0; i < dirs.n; i++)
		if (depth > 0 || !is_store(dirs.v[i]))
			look(l, scan_below(l->s, dir, dirs.v[i]), depth + 1, fresh);
}

void scan_git_links(struct scanner *s, struct scan_at git_dir, bool moved)
{
	struct links l = {.s = s};
	if (GUARD_REMOVED("git-links"))
		return;
	look(&l, git_dir, 0, moved);
	if (l.full || l.deep)
		scan_emit_at(s, git_dir,
			(struct scan_item){.kind = SCAN_LIMIT,
				.type = SCAN_DIR,
				.detail = "more of git's files than are looked at"});
}
