/* build/remote-git.c - repositories that ADD names; see remote.h
 *
 * Theory: this machine's git, in the sandbox, with no settings of anybody's: what a pack does to
 * it, it does in there.  The part of the tree that is wanted is copied as a context is, beneath its
 * descriptor.  What counts for the cache is that content; with --keep-git-dir, whose own files are
 * never the same twice, the commit.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/fd.h"
#include "build/remote.h"

#define COMMIT "commit"
#define SETTINGS "gitconfig" /* that submodules have, too */

/* $1 the URL, $2 the ref or nothing.  One commit where the server can tell it apart, else all.  No
 * file of more than 16 GiB. */
static const char script[] =
	"command -v git >/dev/null || exit 127\n"
	"ulimit -f 33554432 2>/dev/null\n"
	"set -e; umask 022\n"
	"printf '[%s]\\n%s\\n' http 'lowSpeedLimit = 100' http 'lowSpeedTime = 30' core "
	"'hooksPath = /dev/null' gc 'auto = 0' init 'defaultBranch = main' >" SETTINGS "\n"
	"git init -q --template= " BUILD_REMOTE_TREE "; cd " BUILD_REMOTE_TREE "\n"
	"git remote add origin \"$1\"\n"
	"ref=${2:-HEAD}\n"
	"if git fetch -q --depth=1 origin \"$ref\" 2>../why; then at=FETCH_HEAD\n"
	"else case $(cat ../why) in *'shallow'*|*\"find remote ref\"*|*'not our ref'*|"
	"*'unadvertised'*) ;; *) cat ../why >&2; exit 128;; esac\n"
	"git fetch -q --tags origin '+refs/heads/*:refs/remotes/origin/*'\n"
	"[ \"$2\" ] || { git fetch -q origin HEAD; ref=FETCH_HEAD; }\n"
	"for at in \"refs/remotes/origin/$ref\" \"refs/tags/$ref\" \"$ref\" ''; do\n"
	"[ \"$at\" ] || { echo \"fatal: it has no '$ref'\" >&2; exit 128; }\n"
	"! git rev-parse -q --verify \"$at^{commit}\" >/dev/null || break; done; fi\n"
	"git checkout -q --detach \"$at\"\n"
	"[ ! -f .gitmodules ] || git submodule -q update --init --recursive --depth=1 2>../why ||\n"
	"git submodule -q update --init --recursive\n"
	"git rev-parse HEAD >../" COMMIT "\n";

static const char *const env_always[] = {"LC_ALL=C", "HOME=" REMOTE_INSIDE, "PATH=" BUILD_PATH,
	"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" REMOTE_INSIDE "/" SETTINGS,
	"GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=http:https"};

/* The directory that is meant, beneath the tree. */
static int open_tree_of(const struct build_remote *r, struct err *err)
{
	char shown[400];
	_cleanup_close_ int top = open(r->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int tree = top < 0
		? -1
		: openat(top, BUILD_REMOTE_TREE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tree < 0)
		return err_set(err, EIO, "git has left nothing behind");
	const char *dir = r->subdir ? r->subdir + strspn(r->subdir, "/") : "";
	int fd = path_openat2(tree, *dir ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
		RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
	escape_text(shown, sizeof(shown), dir);
	if (fd == -EXDEV)
		return err_set(err, EXDEV, "%s leads out of it", shown);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return err_set(err, -fd, "it has no directory %s", shown);
	return fd < 0 ? err_sys(err, -fd, "open %s", shown) : fd;
}

int build_remote_git_copy(
	struct build *b, const struct build_remote *r, struct build_copy *ret, struct err *err)
{
	static const char none[] = "**/.git";
	struct build_copy c = {.context = true};
	if (strv_add(&b->a, &c.sources, "") < 0)
		return err_set(err, ENOMEM, "out of memory");
	int k = r->keep ? 0 : ignore_add(&b->a, &c.exclude, none, strlen(none), err);
	if (k == 0)
		k = c.from = open_tree_of(r, err);
	if (k >= 0)
		*ret = c;
	return k;
}

/* What of it is wanted, without what git keeps for itself. */
static int digest(struct build *b, struct build_remote *r, struct err *err)
{
	struct build_remote plain = *r;
	struct build_copy c;
	plain.keep = false;
	_cleanup_close_ int from = build_remote_git_copy(b, &plain, &c, err);
	return from < 0 ? from : build_tree_digest(&b->a, &c, r->digest, err);
}

static int read_commit(const char *dir, char ret[static SHA256_HEX + 1], struct err *err)
{
	char text[SHA256_HEX + 2] = "";
	struct stat st;
	_cleanup_close_ int top = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int fd = top < 0
		? -1
		: openat(top, COMMIT, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
		? fd_pread_full(fd, text, sizeof(text) - 1, 0)
		: -1;
	size_t digits = strspn(text, "0123456789abcdef");
	if (n < 0 || (digits != 40 && digits != SHA256_HEX) || text[digits] != '\n')
		return err_set(err, EIO, "git has left no commit behind");
	memcpy(ret, text, digits);
	ret[digits] = '\0';
	return 0;
}

int build_remote_git(struct build *b, char *dir, struct build_remote *r, struct err *err)
{
	static const char inside[] = "cd " REMOTE_INSIDE " && ";
	struct strv argv = {0}, env = {0};
	int trust = build_remote_trust(b, dir, err);
	if (trust < 0)
		return trust;
	strv_add(&b->a, &argv, "/bin/sh");
	strv_add(&b->a, &argv, "-c");
	strv_addf(&b->a, &argv, "%s%s", inside, script);
	strv_add(&b->a, &argv, "git");
	strv_add(&b->a, &argv, r->url);
	strv_add(&b->a, &argv, r->ref ? r->ref : "");
	for (size_t i = 0; i < ARRAY_LEN(env_always); i++)
		strv_add(&b->a, &env, env_always[i]);
	if (trust)
		strv_add(&b->a, &env, "GIT_SSL_CAINFO=" REMOTE_INSIDE "/" REMOTE_TRUST);
	int k = arena_check(&b->a, err);
	if (k == 0)
		k = build_remote_run(b, dir, &argv, &env, err);
	if (k != 0)
		return k;
	r->dir = dir;
	k = read_commit(dir, r->commit, err);
	return k < 0 ? k : digest(b, r, err);
}
