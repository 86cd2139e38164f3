/* build/remote.c - see remote.h
 *
 * Theory: a directory of ours is all that the sandbox shares with us.  It has the request, and gets
 * the answer and the bytes; when all in there has ended it is looked at as what a stranger left.
 */
#include "build/remote.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/tree.h"
#include "host/ca.h"
#include "registry/request.h"
#include "run/step.h"

#define PROGRAM "/run/bawn-add-program"
#define TRUST_MAX ((size_t)8 << 20)
#define ANSWER_MAX ((size_t)64 * 1024)
#define SIZE_MAX_ADD ((int64_t)16 << 30)
enum { TRIES = 3 };

static int oom(struct err *err)
{
	return err_set(err, ENOMEM, "out of memory");
}

/* ---- what the instruction says ---- */

static int parse_repository(struct build *b, struct build_remote *r, struct err *err)
{
	char *url, *ref, *dir;
	int k = remote_git_parse(&b->a, r->url, &url, &ref, &dir);
	if (k == -ENOMEM)
		return oom(err);
	if (k < 0)
		return err_set(
			err, EINVAL, "a repository is URL.git, URL.git#REF or URL.git#REF:DIR");
	r->url = url;
	r->ref = ref;
	r->subdir = dir;
	return 0;
}

int build_remote_parse(struct build *b, const char *text, struct build_remote *ret, struct err *err)
{
	struct build_remote r = {.url = text, .git = remote_is_repository(text)};
	const char *host = strstr(text, "://");
	if (!has_prefix(text, "http")) {
		err_hint(err, "there is no key of yours in a build: name it by https");
		return err_set(err, EINVAL, "repositories are fetched by http and https alone");
	}
	host = host ? host + 3 : "";
	if (memchr(host, '@', strcspn(host, "/?#"))) {
		err_hint(err, "RUN --mount=type=secret can say who asks, and keeps it to itself");
		return err_set(
			err, EINVAL, "a name or password in a URL would stand in what is built");
	}
	int k = r.git ? parse_repository(b, &r, err) : remote_url_name(&b->a, text, &r.name);
	if (k == -ENOMEM)
		return oom(err);
	if (k < 0 && !r.git) {
		err_hint(err, "blanks and what is no ASCII are written as %%XX");
		return err_set(err, EINVAL, "this is no URL that a file has");
	}
	if (k == 0)
		*ret = r;
	return k;
}

int build_remote_read(struct build *b, const struct df_inst *i, const char *text, size_t at,
	struct build_remote *ret, struct err *err)
{
	const char *keep = df_flag(i, "keep-git-dir");
	int k = build_remote_parse(b, text, ret, err);
	if (k < 0)
		return df_err_at(&b->d, i->line, at, err), k;
	ret->at = at;
	ret->keep = keep && streq(keep, "true");
	return 0;
}

int build_remote_pin(struct build *b, const struct build_state *st, const struct df_inst *i,
	struct build_remote *r, struct err *err)
{
	char *text;
	for (size_t n = 0; n < i->n_flags; n++) {
		const struct df_flag *f = &i->flags[n];
		if (!streq(f->name, "checksum"))
			continue;
		int k = build_word(b, st, i, f->value, f->at, &text, err);
		if (k < 0)
			return k;
		const char *digits = ref_digest_hex(text);
		if (!digits)
			return df_err(&b->d, i->line, f->at, err,
				"--checksum wants sha256: and 64 hex digits");
		memcpy(r->digest, digits, sizeof(r->digest));
		r->pinned = true;
	}
	return 0;
}

/* ---- in the sandbox ---- */

int build_remote_trust(struct build *b, const char *dir, struct err *err)
{
	const char *file = getenv("SSL_CERT_FILE");
	char *text = NULL, *to = arena_printf(&b->a, "%s/" REMOTE_TRUST, dir);
	if (!file || !*file)
		return 0;
	ssize_t n = to ? file_read(&b->a, AT_FDCWD, file, TRUST_MAX, &text, err) : oom(err);
	if (n < 0)
		return (int)n;
	int r = file_write_atomic(AT_FDCWD, to, text, (size_t)n, 0600, false, err);
	return r < 0 ? r : 1;
}

static int put_request(
	struct build *b, const char *dir, const struct build_remote *r, struct err *err)
{
	int trust = build_remote_trust(b, dir, err);
	const struct registry_request q = {.op = REGISTRY_FETCH,
		.url = r->url,
		.trust = trust > 0 ? REMOTE_INSIDE "/" REMOTE_TRUST : NULL,
		.ca = HOST_CA_INSIDE "/" HOST_CA_SANDBOX, /* hosts of credentials have that */
		.size = SIZE_MAX_ADD,
		.tries = TRIES};
	char *text = registry_request_text(&b->a, &q);
	char *path = arena_printf(&b->a, "%s/" REGISTRY_IN_REQUEST, dir);
	if (trust < 0)
		return trust;
	if (!text || !path)
		return oom(err);
	return file_write_atomic(AT_FDCWD, path, text, strlen(text), 0600, false, err);
}

int build_remote_run(
	struct build *b, const char *dir, struct strv *argv, struct strv *env, struct err *err)
{
	static char inside[] = PROGRAM;
	char *exe = argv->v[0];
	const bool there = has_prefix(exe, "/usr/") || has_prefix(exe, "/bin/");
	const char *const shared[] = {STEP_BIND, dir, REMOTE_INSIDE, "0"},
			  *const program[] = {STEP_BIND_RO, exe, PROGRAM, "0"};
	struct blob req = {0};
	build_proxies(b, env);
	if (!there) /* it may lie below the home, which is another inside */
		argv->v[0] = inside;
	blob_put_u64(&req, STEP_HOST, 1);
	blob_put_strv(&req, STEP_ARGV, argv);
	blob_put_strv(&req, STEP_ENV, env);
	blob_put_str(&req, STEP_CWD, "/");
	blob_put_str(&req, STEP_DIR, dir);
	blob_put_str(&req, STEP_USER, "");
	blob_put_str(&req, STEP_HOME, "/");
	blob_put_strs(&req, STEP_MOUNT, shared, ARRAY_LEN(shared));
	if (!there)
		blob_put_strs(&req, STEP_MOUNT, program, ARRAY_LEN(program));
	int r = req.failed || b->a.failed ? oom(err) : build_spawn_step(b, &req, err);
	blob_free(&req);
	return r;
}

/* What is at an URL, by bawn-registry. */
static int get_file(struct build *b, const char *dir, const struct build_remote *r, struct err *err)
{
	char *helper = path_join(&b->a, b->install.libexec, "bawn-registry"),
	     *exe = helper ? path_real(&b->a, helper) : NULL;
	struct strv argv = {0}, env = {0};
	if (!exe)
		return helper ? err_sys(err, errno, "open %s", helper) : oom(err);
	strv_push(&b->a, &argv, exe);
	strv_add(&b->a, &argv, REGISTRY_IN);
	if (strv_add(&b->a, &argv, REMOTE_INSIDE) < 0)
		return oom(err);
	int k = put_request(b, dir, r, err);
	return k < 0 ? k : build_remote_run(b, dir, &argv, &env, err);
}

/* ---- what is left ---- */

/* What bawn-registry says it did; false: nothing that can be read. */
static bool read_answer(struct build *b, int dir, struct registry_answer *ret)
{
	_cleanup_close_ int fd = openat(
		dir, REGISTRY_IN_ANSWER, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	char *text = arena_alloc(&b->a, ANSWER_MAX + 1);
	ssize_t n = text ? fd_pread_full(fd, text, ANSWER_MAX, 0) : -ENOMEM;
	return n > 0 && strlen(text) == (size_t)n && registry_answer_parse(text, ret) == 0;
}

/* Why it failed, in its own words. */
static int failed(struct build *b, const char *path, int status, bool git, struct err *err)
{
	struct registry_answer w = {0};
	char shown[900], hint[400];
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (status == 125)
		return err_set(err, EIO, "the sandbox in which it is fetched did not start");
	if (status == STEP_DENIED)
		return err_set(err, EACCES, "it, or what it leads to, was denied: see above");
	if (git && status == 127)
		return err_set(err, ENOENT, "there is no git on this machine: install it");
	if (git)
		return err_set(err, EIO, "git could not get it (%d)", status);
	if (dir < 0 || !read_answer(b, dir, &w) || !w.error)
		return err_set(err, EIO, "bawn-registry has ended without an answer (%d)", status);
	if (w.hint)
		err_hint(err, "%s", escape_text(hint, sizeof(hint), w.hint));
	return err_set(err, EIO, "%s", escape_text(shown, sizeof(shown), w.error));
}

/* The file, with a mode and a time that are no stranger's, and its digest. */
static int take(struct build *b, const char *path, char ret[static SHA256_HEX + 1], struct err *err)
{
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int fd = dir < 0
		? -1
		: openat(dir, REGISTRY_IN_DATA, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct registry_answer w = {0};
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 ||
		!read_answer(b, dir, &w) || w.error || w.size != st.st_size)
		return err_set(err, EIO, "bawn-registry has not left behind what it says");
	int r = file_sha256(fd, ret);
	if (r < 0)
		return err_sys(err, -r, "read what came");
	const struct timespec when[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = w.modified}};
	if (r == 0 && (fchmod(fd, 0600) < 0 || futimens(fd, when) < 0))
		r = err_sys(err, errno, "set mode and time of what came");
	return r;
}

int build_remote_get(struct build *b, char *dir, struct build_remote *r, struct err *err)
{
	char own[SHA256_HEX + 1], shown[600];
	escape_text(shown, sizeof(shown), r->url);
	build_say(b, "bawn: %s is fetched\n", shown);
	if (mkdir(dir, 0700) < 0)
		return err_sys(err, errno, "create %s", dir);
	int k = r->git ? build_remote_git(b, dir, r, err) : get_file(b, dir, r, err);
	if (k > 0)
		k = failed(b, dir, k, r->git, err);
	if (k == 0 && r->git)
		memcpy(own, r->digest, sizeof(own));
	else if (k == 0)
		k = take(b, dir, own, err);
	if (k < 0)
		return err_prefix(err, "%s", shown), k;
	if (r->pinned && !streq(own, r->digest) && !GUARD_REMOVED("add-checksum"))
		return err_set(err, EBADMSG,
			"%s has the digest sha256:%s, and that is not what --checksum says", shown,
			own);
	memcpy(r->digest, own, sizeof(own));
	r->dir = dir;
	return 0;
}

int build_remote_fetch(struct build *b, const struct df_inst *i, const char *dir,
	struct build_remote *r, struct err *err)
{
	char *path = arena_printf(&b->a, "%s/remote-%zu", dir, r->at);
	int k = path ? build_remote_get(b, path, r, err) : oom(err);
	if (k < 0 && path)
		df_err_at(&b->d, i->line, r->at, err);
	return k;
}
