/* run/run-git.c - git's own settings as the inside has them; see run.h.
 *
 * Theory: what the user's settings say of signing is left out of the copy that comes along, as the
 * key stays outside; what the repository's own say stands above that, and each commit would fail.
 * So the private copy of such a file ends with the opposite, and so does what it is compared with
 * at the end: nothing of that is taken back.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/file.h"
#include "base/path.h"
#include "run/run.h"

#define ALTERNATES_MAX 65536

/* The empty line ends a last one that goes on. */
static const char unsigned_settings[] =
	"\n\n[commit]\n\tgpgSign = false\n[tag]\n\tgpgSign = false\n"
	"\tforceSignAnnotated = false\n[push]\n\tgpgSign = false\n";

/* A look, not a reading: where it is said in a comment alone nothing is lost. */
static bool asks_to_sign(const char *text)
{
	return strcasestr(text, "gpgsign") || strcasestr(text, "forcesignannotated");
}

const char *run_git_unsigned(struct run *r, const char *text)
{
	static const char said[] = "commits are not signed inside: your signing key stays outside";
	if (!asks_to_sign(text))
		return text;
	if (!strv_has(&r->plan.notices, said))
		strv_add(&r->arena, &r->plan.notices, said);
	return arena_join(&r->arena, text, "", unsigned_settings);
}

/* Where the repository borrows objects (git clone --shared, --reference) git is without them
 * inside, and says "bad object HEAD".  What it names is shown to the user alone: nothing is lent
 * for it. */
void run_git_borrows(struct run *r)
{
	char *objects = r->ws.common_dir ? path_join(&r->arena, r->ws.common_dir, "objects") : NULL;
	char *file = objects ? path_join(&r->arena, objects, "info/alternates") : NULL, *text,
	     *line;
	char quoted[1024];
	struct stat st;
	if (!file || file_read(&r->arena, AT_FDCWD, file, ALTERNATES_MAX, &text, NULL) <= 0)
		return;
	for (int left = 3; left && (line = strsep(&text, "\n"));) {
		char *dir = *line == '/' ? line : path_join(&r->arena, objects, line);
		char *real = *line && *line != '#' && dir ? path_real(&r->arena, dir) : NULL;
		if (!real || stat(real, &st) < 0 || !S_ISDIR(st.st_mode) ||
			run_shown_by_host(r, real))
			continue;
		strv_addf(&r->arena, &r->plan.notices,
			"this repository borrows git objects that stay outside: "
			"bawn run PROFILE . %s lets them be read",
			escape_shell(
				quoted, sizeof(quoted), arena_join(&r->arena, real, ":", "ro")));
		left--;
	}
}

/* A file or link .git that leads to a directory which doesn't name this work tree is not followed,
 * as a workspace could name any; git says "not a git repository" then.  Its own one may be such
 * (git init --separate-git-dir): whose it is the user knows. */
void run_git_elsewhere(struct run *r)
{
	char quoted[1024];
	struct stat st;
	if (r->ws.git != HOST_GIT_FOREIGN)
		return;
	char *dir = host_git_leads_to(&r->arena, r->ws.path, ".git", "gitdir: ");
	char *link = path_join(&r->arena, r->ws.path, ".git");
	if (link && lstat(link, &st) == 0 && S_ISLNK(st.st_mode))
		dir = path_real(&r->arena, link);
	char *head = dir ? path_join(&r->arena, dir, "HEAD") : NULL;
	char *common = dir ? path_join(&r->arena, dir, "commondir") : NULL;
	if (!head || !common || lstat(head, &st) < 0 || run_shown_by_host(r, dir))
		return;
	escape_shell(quoted, sizeof(quoted), dir);
	if (lstat(common, &st) == 0)
		strv_addf(&r->arena, &r->plan.notices,
			"git's directory of this work tree stays outside, as it names another "
			"place: git worktree repair mends that");
	else
		strv_addf(&r->arena, &r->plan.notices,
			"git's directory stays outside, as it names no work tree: "
			"if %s is this one's, bawn run PROFILE . %s brings it along",
			quoted, quoted);
}
