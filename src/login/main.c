/* login/main.c - bawn-login: the user's log-ins while one sandbox uses them.
 *
 * Owns: when a token is renewed, the lock under which it is, and the writing of the host's file.
 * Must not: read a byte of the file or of an answer itself; processes that are confined do
 * (work.h).
 *
 * Theory: a refresh token counts once, so whoever renews holds a lock that all sandboxes of the
 * user share, and looks at the file again once it has it: what stands there by then, by another
 * sandbox's work or the tool's own on the host, is taken as it is.  The file is written whole or
 * not at all, before the token is told to anybody.  A token is renewed when a quarter of what was
 * left of it remains, five minutes at most, so that one that counts for long is not renewed by
 * every sandbox that starts.
 */
#include "login/login.h"

#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "login/begin.h"
#include "login/dial.h"
#include "login/lock.h"
#include "login/work.h"

enum { SUPER_FD = 3, SPECS_FD = 4 };
enum { USABLE_S = 10, AHEAD_S = 300, LOOK_S = 5, RETRY_S = 10, RETRY_MAX_S = 300, AGAIN_S = 30 };
#define SPECS_MAX ((size_t)256 * 1024)

struct login {
	uint32_t which;
	struct json_doc *spec;
	const char *name, *label, *run, *file;
	char host[256], port[8];
	char token[LOGIN_TOKEN_MAX]; /* the last that was told */
	int64_t expires, due;        /* due: when to do something */
	int64_t renewed;             /* when we did last */
	unsigned int retry;
	bool dead; /* no use to try before the file changes */
	struct timespec mtime;
	ino_t ino;
};

static struct login logins[LOGIN_MAX];
static size_t n_logins;
static const char *lock_dir;
static struct strv overrides;

static int64_t now_s(void)
{
	return (int64_t)time(NULL);
}

/* ---- what is told ---- */

static void tell(const struct login *l, enum login_kind kind, const struct err *err)
{
	static struct login_msg m;
	m = (struct login_msg){.magic = LOGIN_MAGIC, .kind = kind, .which = l->which};
	if (err) {
		snprintf(m.text, sizeof(m.text), "your %s log-in: %.700s", l->label, err->msg);
		snprintf(m.hint, sizeof(m.hint), "%s", err->hint);
	} else {
		m.n = (uint32_t)strlen(l->token);
		memcpy(m.token, l->token, m.n);
	}
	send(SUPER_FD, &m, sizeof(m), MSG_NOSIGNAL);
	explicit_bzero(m.token, m.n);
}

static void adopt(struct login *l, const struct work_values *v)
{
	int64_t now = now_s(), left = v->expires - now;
	snprintf(l->token, sizeof(l->token), "%s", v->token);
	l->expires = v->expires;
	l->due = !v->expires || !v->renewable ? INT64_MAX
		: left > 4 * AHEAD_S          ? v->expires - AHEAD_S
					      : now + MAX(left - left / 4, 1);
	l->retry = 0;
	l->dead = false;
	tell(l, LOGIN_TOKEN, NULL);
}

static void again_later(struct login *l)
{
	l->retry = l->retry ? MIN(2 * l->retry, RETRY_MAX_S) : RETRY_S;
	l->due = now_s() + l->retry;
}

static int fail(struct login *l, bool dead, struct err *err)
{
	l->dead = dead;
	if (dead) {
		l->due = INT64_MAX;
		if (!*err->hint)
			err_hint(err,
				"run `%s` once on the host and log in; without the log-in: "
				"bawn run --no-login",
				l->run);
	} else {
		again_later(l);
	}
	tell(l, dead ? LOGIN_DEAD : LOGIN_FAILED, err);
	return -1;
}

/* ---- the file ---- */

static void note_time(struct login *l)
{
	struct stat st;
	if (stat(l->file, &st) < 0)
		st = (struct stat){0};
	l->mtime = st.st_mtim;
	l->ino = st.st_ino;
}

static bool has_changed(const struct login *l)
{
	struct stat st;
	return stat(l->file, &st) == 0 &&
		(st.st_ino != l->ino || st.st_mtim.tv_sec != l->mtime.tv_sec ||
			st.st_mtim.tv_nsec != l->mtime.tv_nsec);
}

static int look(
	struct login *l, struct arena *a, char **ret_text, struct work_values *ret, struct err *err)
{
	note_time(l);
	int r = (int)file_read(a, AT_FDCWD, l->file, WORK_FILE_MAX, ret_text, err);
	if (r >= 0)
		r = work_do(a, WORK_LOOK, l->spec, *ret_text, -1, NULL, ret, err);
	return r < 0 ? err_prefix(err, "%s", l->file) : 0;
}

/* What one that was killed has left beside it. */
static void sweep(const char *path)
{
	char pattern[4200];
	glob_t g = {0};
	snprintf(pattern, sizeof(pattern), "%s.*.*.tmp", path);
	if (glob(pattern, GLOB_NOSORT, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++)
			unlink(g.gl_pathv[i]);
	globfree(&g);
}

/* Where the file really is, and may it be written?  Asked before a token is spent. */
static char *writable(struct login *l, struct arena *a, mode_t *ret_mode, struct err *err)
{
	struct stat st;
	char *path = path_real(a, l->file);
	char *dir = path ? arena_dupn(a, path, (size_t)(path_base(path) - path)) : NULL;
	if (!dir || stat(path, &st) < 0) {
		err_sys(err, errno ? errno : ENOMEM, "%s", l->file);
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || access(path, W_OK) < 0 ||
		access(*dir ? dir : "/", W_OK | X_OK) < 0) {
		err_set(err, EACCES, "it has to be renewed, and %s can't be written", path);
		err_hint(err, "chmod u+w '%s', or let `%s` renew it on the host", path, l->run);
		return NULL;
	}
	*ret_mode = st.st_mode & 0777;
	return path;
}

/* ---- renewing ---- */

static int ask(struct login *l, struct arena *a, const char *text, struct work_values *ret,
	struct err *err)
{
	_cleanup_close_ int sock = dial(&overrides, l->host, l->port, err);
	int r = sock < 0 ? sock : work_do(a, WORK_ASK, l->spec, text, sock, NULL, ret, err);
	return r < 0 ? err_prefix(err, "it could not be renewed at %s", l->host) : 0;
}

/* New tokens: into the file as it is now. */
static int keep(struct login *l, struct arena *a, const char *was, struct work_values *fresh,
	const char *path, mode_t mode, struct err *err)
{
	struct work_values file, out;
	char *text;
	int r = look(l, a, &text, &file, err);
	if (r == 0 && !streq(file.token, was)) { /* somebody has logged in meanwhile */
		*fresh = file;
		return 0;
	}
	if (r == -ENOENT) /* it has been removed: the log-in is over */
		return r;
	if (r == 0)
		r = work_do(a, WORK_APPLY, l->spec, text, -1, fresh, &out, err);
	if (r == 0 && (!out.text || out.text[0] != '{'))
		r = err_set(err, EPROTO, "its reader made no file of it");
	if (r == 0) {
		sweep(path);
		r = file_write_atomic(AT_FDCWD, path, out.text, strlen(out.text), mode, true, err);
	}
	note_time(l);
	fresh->renewable = true;
	return r < 0 ? err_prefix(err, "it was renewed, but not kept") : 0;
}

static int renew_locked(struct login *l, struct arena *a, bool refused)
{
	struct err err = {0}, why = {0};
	struct work_values v, fresh = {0};
	char *text, *path;
	mode_t mode;
	if (look(l, a, &text, &v, &err) < 0)
		return fail(l, true, &err);
	const bool ours = streq(v.token, l->token),
		   lasts = !v.expires || v.expires > now_s() + USABLE_S;
	if ((!ours && lasts) || (ours && !refused && lasts && now_s() < l->due)) {
		adopt(l, &v);
		return 0;
	}
	if (ours && refused && now_s() < l->renewed + AGAIN_S) {
		err_set(&err, EACCES, "the token that was just renewed is refused");
		return fail(l, true, &err);
	}
	if (!v.renewable) {
		err_set(&err, EKEYEXPIRED, "it has %s, and %s has no refresh token in it",
			lasts ? "been refused" : "expired", l->file);
		return fail(l, true, &err);
	}
	path = writable(l, a, &mode, &err);
	if (!path)
		return fail(l, true, &err);
	if (ask(l, a, text, &fresh, &err) < 0) {
		/* the tool itself may have been quicker, on the host */
		struct work_values other;
		char *now;
		if (look(l, a, &now, &other, &why) == 0 && !streq(other.token, v.token)) {
			adopt(l, &other);
			return 0;
		}
		return fail(l, fresh.refused, &err);
	}
	l->renewed = now_s();
	if (keep(l, a, v.token, &fresh, path, mode, &err) < 0)
		return fail(l, true, &err);
	adopt(l, &fresh);
	return 0;
}

static int renew(struct login *l, bool refused)
{
	struct arena a = {0};
	struct err err = {0};
	_cleanup_close_ int fd = login_lock(lock_dir, l->name, &err);
	int r = fd < 0 ? fail(l, false, &err) : renew_locked(l, &a, refused);
	arena_free(&a);
	return r;
}

/* ---- the loop ---- */

/* The file is another: what stands there counts, if it is a log-in. */
static void look_again(struct login *l)
{
	struct arena a = {0};
	struct err err = {0};
	struct work_values v;
	char *text;
	if (look(l, &a, &text, &v, &err) == 0 && !streq(v.token, l->token) &&
		(!v.expires || v.expires > now_s() + USABLE_S))
		adopt(l, &v);
	arena_free(&a);
}

static void tick(void)
{
	for (size_t i = 0; i < n_logins; i++) {
		struct login *l = &logins[i];
		if (has_changed(l))
			look_again(l);
		if (now_s() >= l->due)
			renew(l, false);
	}
}

static int wait_ms(void)
{
	int64_t next = now_s() + LOOK_S;
	for (size_t i = 0; i < n_logins; i++)
		next = MIN(next, logins[i].due);
	return (int)(MAX(next - now_s(), 0) * 1000) + 50;
}

/* False: the supervisor has gone. */
static bool hear(void)
{
	static struct login_msg m;
	struct pollfd p = {.fd = SUPER_FD, .events = POLLIN};
	if (poll(&p, 1, wait_ms()) <= 0)
		return true;
	ssize_t n = recv(SUPER_FD, &m, sizeof(m), 0);
	if (n < 0 && errno == EINTR)
		return true;
	if (n != sizeof(m) || m.magic != LOGIN_MAGIC || m.which >= n_logins)
		return false;
	/* it may be about a token that has been replaced meanwhile */
	if (m.kind == LOGIN_REFUSED && m.n == strlen(logins[m.which].token) &&
		memcmp(m.token, logins[m.which].token, m.n) == 0 && !logins[m.which].dead)
		renew(&logins[m.which], true);
	return true;
}

static bool good_name(const char *s)
{
	return s && *s && strlen(s) < 64 &&
		!s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")];
}

static int read_spec(char *line, struct err *err)
{
	struct login *l = &logins[n_logins];
	if (json_line_parse(line, strlen(line), &l->spec) < 0)
		return err_set(err, EBADMSG, "what to look after is malformed");
	l->which = (uint32_t)n_logins;
	l->name = json_doc_string(l->spec, "name");
	l->label = json_doc_string(l->spec, "label");
	l->run = json_doc_string(l->spec, "run");
	l->file = json_doc_string(l->spec, "file");
	const char *url = json_doc_string(l->spec, "url");
	if (!good_name(l->name) || !l->label || !l->run || !l->file || !url ||
		!has_prefix(url, "https://"))
		return err_set(err, EBADMSG, "what to look after is malformed");
	url += strlen("https://");
	size_t n = strcspn(url, ":/"), port = url[n] == ':' ? strcspn(url + n + 1, "/") : 0;
	if (n == 0 || n >= sizeof(l->host) || port >= sizeof(l->port))
		return err_set(err, EBADMSG, "%s is no place to renew a log-in at", url);
	snprintf(l->host, sizeof(l->host), "%.*s", (int)n, url);
	snprintf(
		l->port, sizeof(l->port), "%.*s", port ? (int)port : 3, port ? url + n + 1 : "443");
	n_logins++;
	return 0;
}

static int read_specs(struct arena *a, struct err *err)
{
	char *text = arena_alloc(a, SPECS_MAX);
	ssize_t n = text ? fd_pread_full(SPECS_FD, text, SPECS_MAX - 1, 0) : -ENOMEM;
	close(SPECS_FD);
	if (n < 0)
		return err_sys(err, (int)-n, "read what to look after");
	int r = 0;
	for (char *line; r == 0 && (line = strsep(&text, "\n"));)
		if (*line)
			r = n_logins < LOGIN_MAX ? read_spec(line, err)
						 : err_set(err, E2BIG, "too many log-ins");
	return r;
}

/* --begin LOCKS BROWSER SECONDS FORCE CONNECT-TO...: one log-in that is not there yet. */
static int begin(char **argv, struct err *err)
{
	struct arena a = {0};
	const struct login *l = &logins[0];
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_DUMPABLE, 0);
	syscall(SYS_close_range, SPECS_FD + 1, ~0u, 0);
	umask(077);
	lock_dir = argv[2];
	for (size_t i = 6; argv[i]; i++)
		strv_push(&a, &overrides, argv[i]);
	int r = file_mkdir_private(lock_dir, err);
	if (r == 0)
		r = read_specs(&a, err);
	if (r == 0 && n_logins != 1)
		r = err_set(err, EBADMSG, "one log-in at a time");
	if (r < 0)
		return r;
	const struct begin b = {.spec = l->spec,
		.name = l->name,
		.label = l->label,
		.file = l->file,
		.token_host = l->host,
		.token_port = l->port,
		.lock_dir = lock_dir,
		.browser = argv[3],
		.overrides = &overrides,
		.seconds = (unsigned int)strtoul(argv[4], NULL, 10),
		.force = streq(argv[5], "force")};
	r = begin_login(&b, err);
	if (r == 0)
		printf("Logged in: %s is written.  A sandbox gets a placeholder in its place.\n",
			l->file);
	arena_free(&a);
	return r;
}

int main(int argc, char **argv)
{
	struct arena a = {0};
	struct err err = {0};
	if (argc > 5 && streq(argv[1], "--begin")) {
		if (begin(argv, &err) == 0)
			return 0;
		fflush(stdout);
		fprintf(stderr, "bawn: %s\n", err.msg);
		if (*err.hint)
			fprintf(stderr, "bawn: %s\n", err.hint);
		return 125;
	}
	setsid(); /* signals of the terminal are the supervisor's to act on */
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_DUMPABLE, 0);
	syscall(SYS_close_range, SPECS_FD + 1, ~0u, 0);
	umask(077);
	lock_dir = argc > 1 ? argv[1] : "";
	for (int i = 2; i < argc; i++)
		strv_push(&a, &overrides, argv[i]);
	int r = file_mkdir_private(lock_dir, &err);
	if (r == 0)
		r = read_specs(&a, &err);
	if (r < 0) {
		dprintf(STDERR_FILENO, "bawn: log-ins: %s\n", err.msg);
		return 1;
	}
	for (size_t i = 0; i < n_logins; i++) {
		logins[i].due = INT64_MAX;
		renew(&logins[i], false);
	}
	while (hear())
		tick();
	for (size_t i = 0; i < n_logins; i++)
		explicit_bzero(logins[i].token, sizeof(logins[i].token));
	return 0;
}
