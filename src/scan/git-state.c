/* scan/git-state.c - files of git's own that it believes, whatever stands in them (see scanner.h)
 *
 * git checks names where they come in, by a fetch or an add, and not those that its index or its
 * notes of a conflict have already: `git restore .` writes each file that the index names, be it
 * .git/hooks/post-checkout or ../.bashrc, and what a prompt shows of a rebase it takes as it is.
 */
#include "scan/scanner.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/dir-record.h"
#include "base/fd.h"
#include "scan/git-index.h"

#define INDEX_MAX ((off_t)512 << 20)
#define MERGE_RR_MAX ((size_t)4 << 20)
#define PACKED_MAX ((size_t)64 << 20)
#define REFS_MAX 200000 /* loose ones, of all git directories together */
#define REFS_DEPTH 32

static void emit(struct scanner *s, struct scan_at at, unsigned int per, const char *what)
{
	struct stat st;
	const bool dir = scan_stat(at, &st) == 0 && S_ISDIR(st.st_mode);
	scan_emit_at(s, at,
		(struct scan_item){.kind = SCAN_PERSIST,
			.type = dir ? SCAN_DIR : SCAN_FILE,
			.flags = SCAN_AUTO,
			.per = per,
			.detail = what});
}

/* Did the session change it, or a directory that it lies in by itself (dir), or bring it here? */
static bool is_fresh(struct scanner *s, struct scan_at at, struct scan_at dir, bool moved)
{
	struct stat st, of;
	return scan_stat(at, &st) == 0 &&
		(moved || scan_since(s, &st) ||
			(dir.base && scan_stat(dir, &of) == 0 && scan_since(s, &of)));
}

/* ---- the index ---- */

static int odd_entry(struct scan_at at, char *name, size_t n_name)
{
	struct stat st;
	_cleanup_close_ int fd = scan_open(at, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > INDEX_MAX)
		return -EBADMSG;
	const size_t n = (size_t)st.st_size;
	if (n == 0)
		return 0; /* which can't be mapped */
	void *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	int r = git_index_odd(p, n, name, n_name);
	munmap(p, n);
	return r;
}

static void check_index(struct scanner *s, struct scan_at git, const char *name, bool moved)
{
	char odd[256];
	struct scan_at at = scan_below(s, git, name), none = {0};
	struct stat st;
	if (!is_fresh(s, at, none, moved) || scan_stat(at, &st) < 0 || !S_ISREG(st.st_mode))
		return; /* a link is told of as one */
	int r = odd_entry(at, odd, sizeof(odd));
	if (r > 0)
		emit(s, at, 3,
			arena_printf(&s->arena, "git restore writes what it names: %s", odd));
	else if (r < 0)
		emit(s, at, 3, "an index that can't be read");
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
	if (n > 0 && git_merge_rr_odd(text, (size_t)n))
		emit(s, at, 20, "git copies what it names into its own directory");
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
			emit(s, at, 9, "a shell's prompt may run what it says");
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
	struct scan_at at = scan_below(s, git, "packed-refs"), none = {0};
	char *text;
	ssize_t n = is_fresh(s, at, none, moved) ? scan_read(s, at, PACKED_MAX, &text) : 0;
	if (n > 0 && is_run(text, (size_t)n))
		emit(s, at, 9, runs_completed);
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
				emit(s, scan_below(s, dir, d->d_name), 9, runs_completed);
			else if (d->d_type == DT_DIR)
				strv_add(&s->arena, &dirs, d->d_name);
		}
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < dirs.n; i++)
		check_refs(s, scan_below(s, dir, dirs.v[i]), depth + 1, moved);
}

/* ---- */

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
			emit(s, at, table[i].per, table[i].what);
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
	check_packed(s, git_dir, moved);
	check_refs(s, scan_below(s, git_dir, "refs"), 0, moved);
	check_others(s, git_dir, moved);
}
