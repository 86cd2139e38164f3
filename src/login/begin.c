/* login/begin.c - see begin.h
 *
 * Must not: read a byte of a request or of an answer itself, or let code, verifier or token out of
 * this process and the confined ones it forks.
 *
 * Theory: browsers open connections that they don't use, so each one gets a process of its own, and
 * the first that finds the request with our state in it decides.  All others are answered with 400
 * and change nothing.
 */
#include "login/begin.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/sha256.h"
#include "login/callback.h"
#include "login/dial.h"
#include "login/lock.h"
#include "login/work.h"
#include "vault/loop.h"

enum { READERS = 16, READER_S = 10, LISTENERS = 2 };

struct answer {
	uint32_t kind;
	char code[CALLBACK_CODE_MAX];
};

struct reader {
	pid_t pid;
	int fd;
	int64_t until;
};

struct wait {
	const struct begin *b;
	struct arena a;
	int listener[LISTENERS];
	struct reader readers[READERS];
	struct callback_want want;
	char state[48], verifier[48], challenge[48], redirect[300];
	struct answer got;
	bool paste; /* a code may come by the terminal */
};

static int64_t now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* ---- PKCE ---- */

static void base64url(const unsigned char in[static 32], char out[static 48])
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t o = 0;
	for (size_t i = 0; i < 32; i += 3) {
		uint32_t v = (uint32_t)in[i] << 16 | (i + 1 < 32 ? (uint32_t)in[i + 1] << 8 : 0) |
			(i + 2 < 32 ? in[i + 2] : 0);
		for (int k = 0; k < 4 && o < 43; k++)
			out[o++] = digits[v >> (18 - 6 * k) & 63];
	}
	out[o] = '\0';
}

static int draw(char out[static 48], struct err *err)
{
	unsigned char raw[32];
	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		return err_sys(err, errno, "getrandom");
	base64url(raw, out);
	explicit_bzero(raw, sizeof(raw));
	return 0;
}

static int prepare(struct wait *w, struct err *err)
{
	unsigned char raw[32];
	char hex[SHA256_HEX + 1];
	int r = draw(w->state, err);
	if (r == 0)
		r = draw(w->verifier, err);
	if (r < 0)
		return r;
	sha256_hex(w->verifier, strlen(w->verifier), hex);
	for (size_t i = 0; i < sizeof(raw); i++) {
		const char two[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
		raw[i] = (unsigned char)strtoul(two, NULL, 16);
	}
	base64url(raw, w->challenge);
	return 0;
}

/* ---- the port ---- */

static int listen_on(bool v6, uint16_t port)
{
	const int one = 1;
	const struct sockaddr_in four = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	const struct sockaddr_in6 six = {.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (v6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, v6 ? (const struct sockaddr *)&six : (const struct sockaddr *)&four,
		    v6 ? sizeof(six) : sizeof(four)) < 0 ||
		listen(fd, READERS) < 0) {
		int e = errno;
		close(fd);
		return -e;
	}
	return fd;
}

static int open_port(struct wait *w, struct err *err)
{
	struct sockaddr_in at;
	socklen_t n = sizeof(at);
	const unsigned long asked = strtoul(tokens_spec(w->b->spec, "port"), NULL, 10);
	int fd = listen_on(false, (uint16_t)asked);
	if (fd < 0) {
		err_hint(err, "end what listens there (ss -ltnp), e.g. a log-in that still waits");
		return err_sys(
			err, -fd, "port %lu of 127.0.0.1, to which the browser comes back", asked);
	}
	w->listener[0] = fd;
	if (getsockname(fd, (struct sockaddr *)&at, &n) < 0)
		return err_sys(err, errno, "getsockname");
	w->want = (struct callback_want){.host = tokens_spec(w->b->spec, "host"),
		.port = ntohs(at.sin_port),
		.path = tokens_spec(w->b->spec, "path"),
		.state = w->state};
	if (streq(w->want.host, "localhost")) {
		w->listener[1] = listen_on(true, w->want.port);
		if (w->listener[1] == -EADDRINUSE)
			return err_sys(err, EADDRINUSE,
				"port %u of ::1, to which the browser comes back", w->want.port);
	}
	snprintf(w->redirect, sizeof(w->redirect), "http://%s:%u%s", w->want.host, w->want.port,
		w->want.path);
	return 0;
}

/* ---- the browser ---- */

static char *authorize_url(struct wait *w, const char *redirect)
{
	const struct json_doc *s = w->b->spec;
	const char *const rows[][2] = {{"client_id", tokens_spec(s, "client_id")},
		{"redirect_uri", redirect}, {"scope", tokens_spec(s, "ask_scope")},
		{"code_challenge", w->challenge}, {"code_challenge_method", "S256"},
		{"state", w->state}};
	const char *url = tokens_spec(s, "authorize"), *extra = tokens_spec(s, "extra");
	struct buf b = {0};
	int r = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (*rows[i][1])
			tokens_put_form(&b, rows[i][0], rows[i][1]);
	r = buf_add(&b, "", 1);
	char *text = r < 0
		? NULL
		: arena_printf(&w->a, "%s%sresponse_type=code&%s%s%s", url,
			  strchr(url, '?') ? "&" : "?", buf_data(&b), *extra ? "&" : "", extra);
	buf_free(&b);
	return text;
}

static void browse(struct wait *w, char *url)
{
	char *const argv[] = {arena_dup(&w->a, w->b->browser), url, NULL};
	const int fds[] = {-1, -1, -1};
	const struct proc_spawn how = {
		.path = w->b->browser, .argv = argv, .envp = environ, .fds = fds, .nfds = 3};
	struct proc p = PROC_NONE;
	struct err err = {0};
	if (proc_spawn(&how, &p, &err) < 0)
		printf("It could not be opened (%s): open it yourself.\n", err.msg);
	else
		close(p.pidfd);
}

/* ---- what comes back ---- */

static void reply(int fd, bool good)
{
	static const char yes[] = "<!doctype html><title>bawn</title><p>bawn has it. "
				  "You can close this page.",
			  no[] = "<!doctype html><title>bawn</title><p>This is not the log-in that "
				 "bawn waits for.";
	char text[600];
	int n = snprintf(text, sizeof(text),
		"HTTP/1.1 %s\r\nContent-Type: text/html\r\nCache-Control: no-store\r\n"
		"Referrer-Policy: no-referrer\r\nContent-Security-Policy: default-src 'none'\r\n"
		"Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
		good ? "200 OK" : "400 Bad Request", strlen(good ? yes : no), good ? yes : no);
	fd_write_all(fd, text, (size_t)n);
	shutdown(fd, SHUT_WR);
}

static _noreturn_ void read_request(const struct wait *w, int sock, int out)
{
	static struct answer a;
	static char buf[H1_REQUEST_MAX];
	struct err err = {0};
	size_t n = 0;
	int o = fcntl(out, F_DUPFD_CLOEXEC, 64), s = fcntl(sock, F_DUPFD_CLOEXEC, 64);
	dup2(o, 3);
	dup2(s, 4);
	syscall(SYS_close_range, 5, ~0u, 0);
	signal(SIGPIPE, SIG_IGN);
	if (loop_confine(&err) < 0)
		_exit(1);
	a.kind = CALLBACK_MORE;
	while (a.kind == CALLBACK_MORE && n < sizeof(buf)) {
		ssize_t k = read(4, buf + n, sizeof(buf) - n);
		if (k <= 0)
			_exit(0);
		n += (size_t)k;
		a.kind = callback_read(buf, n, &w->want, a.code);
	}
	reply(4, a.kind == CALLBACK_CODE || a.kind == CALLBACK_DENIED);
	if (a.kind == CALLBACK_CODE || a.kind == CALLBACK_DENIED)
		fd_write_all(3, &a, sizeof(a));
	_exit(0);
}

static void accept_one(struct wait *w, int listener)
{
	const struct timeval tv = {.tv_sec = READER_S};
	struct reader *r = NULL;
	int p[2];
	for (size_t i = 0; i < READERS && !r; i++)
		if (!w->readers[i].pid)
			r = &w->readers[i];
	_cleanup_close_ int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0 || !r || pipe2(p, O_CLOEXEC) < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	pid_t pid = fork();
	if (pid == 0)
		read_request(w, fd, p[1]);
	close(p[1]);
	if (pid > 0)
		*r = (struct reader){.pid = pid, .fd = p[0], .until = now_s() + READER_S};
	else
		close(p[0]);
}

static void end_reader(struct reader *r)
{
	kill(r->pid, SIGKILL);
	waitpid(r->pid, NULL, 0);
	close(r->fd);
	*r = (struct reader){0};
}

/* True: the request has come. */
static bool take(struct wait *w, struct reader *r)
{
	static struct answer a;
	bool whole = fd_read_full(r->fd, &a, sizeof(a)) == (ssize_t)sizeof(a) &&
		(a.kind == CALLBACK_CODE || a.kind == CALLBACK_DENIED);
	if (whole) {
		w->got = a;
		w->got.code[sizeof(w->got.code) - 1] = '\0';
	}
	end_reader(r);
	explicit_bzero(&a, sizeof(a));
	return whole;
}

/* A line of the terminal.  True: it is the code. */
static bool take_line(struct wait *w)
{
	char line[CALLBACK_CODE_MAX + 512];
	ssize_t n = read(STDIN_FILENO, line, sizeof(line) - 1);
	if (n <= 0) {
		w->paste = n < 0 && errno == EINTR;
		return false;
	}
	line[n] = '\0';
	if (strlen(line) == (size_t)n && callback_paste(line, w->state, w->got.code)) {
		w->got.kind = CALLBACK_CODE;
		snprintf(w->redirect, sizeof(w->redirect), "%s", tokens_spec(w->b->spec, "paste"));
	} else if (line[strspn(line, " \r\n")]) {
		printf("That is not the code of this log-in; it looks like CODE#STATE.\n");
		fflush(stdout);
	}
	explicit_bzero(line, sizeof(line));
	return w->got.kind == CALLBACK_CODE;
}

static int wait_for(struct wait *w, struct err *err)
{
	const int64_t until = now_s() + w->b->seconds;
	bool done = false;
	while (!done && now_s() < until) {
		struct pollfd p[LISTENERS + READERS + 1];
		for (size_t i = 0; i < LISTENERS; i++)
			p[i] = (struct pollfd){.fd = w->listener[i], .events = POLLIN};
		for (size_t i = 0; i < READERS; i++)
			p[LISTENERS + i] = (struct pollfd){
				.fd = w->readers[i].pid ? w->readers[i].fd : -1, .events = POLLIN};
		struct pollfd *typed = &p[LISTENERS + READERS];
		*typed = (struct pollfd){.fd = w->paste ? STDIN_FILENO : -1, .events = POLLIN};
		poll(p, ARRAY_LEN(p), 500);
		done = typed->revents && take_line(w);
		for (size_t i = 0; i < READERS && !done; i++) {
			struct reader *r = &w->readers[i];
			if (p[LISTENERS + i].revents)
				done = take(w, r);
			else if (r->pid && now_s() >= r->until)
				end_reader(r);
		}
		for (size_t i = 0; i < LISTENERS && !done; i++)
			if (p[i].revents)
				accept_one(w, w->listener[i]);
	}
	for (size_t i = 0; i < READERS; i++)
		if (w->readers[i].pid)
			end_reader(&w->readers[i]);
	if (done)
		return 0;
	err_hint(err, "bawn login again; --timeout SECONDS waits longer");
	return err_set(
		err, ETIME, "the browser did not come back within %u seconds", w->b->seconds);
}

/* ---- the file ---- */

static char *parent(struct arena *a, const char *path)
{
	size_t n = (size_t)(path_base(path) - path);
	return arena_dupn(a, path, n > 1 ? n - 1 : n);
}

/* Before anybody is sent anywhere: may it be written?  text: what stands there. */
static int look(struct wait *w, char **ret_path, char **ret_text, struct err *err)
{
	const struct begin *b = w->b;
	struct stat st;
	*ret_path = arena_dup(&w->a, b->file);
	*ret_text = arena_dup(&w->a, "{}");
	if (lstat(b->file, &st) == 0) {
		if (!b->force && !GUARD_REMOVED("login-over")) {
			err_hint(err, "bawn run uses it as it is; --force puts a new log-in there");
			return err_set(err, EEXIST, "%s is there already", b->file);
		}
		*ret_path = path_real(&w->a, b->file);
		if (!*ret_path)
			return err_sys(err, errno, "%s", b->file);
		ssize_t n = file_read(&w->a, AT_FDCWD, *ret_path, WORK_FILE_MAX, ret_text, err);
		if (n < 0)
			return (int)n;
	}
	char *dir = *ret_path ? parent(&w->a, *ret_path) : NULL;
	while (dir && *dir && access(dir, F_OK) < 0 && errno == ENOENT)
		dir = parent(&w->a, dir);
	if (dir && access(dir, W_OK | X_OK) == 0)
		return 0;
	err_hint(err, "the log-in is kept there; make it writable for you");
	return err_sys(err, dir ? errno : ENOMEM, "%s", dir ? dir : b->file);
}

static int keep(struct wait *w, const struct work_values *fresh, struct err *err)
{
	struct work_values out = {0};
	char *path, *text;
	_cleanup_close_ int held = login_lock(w->b->lock_dir, w->b->name, err);
	int r = held < 0 ? held : look(w, &path, &text, err);
	if (r == 0)
		r = work_do(&w->a, WORK_APPLY, w->b->spec, text, -1, fresh, &out, err);
	if (r == 0 && (!out.text || out.text[0] != '{'))
		r = err_set(err, EPROTO, "its reader made no file of it");
	char *dir = r == 0 ? parent(&w->a, path) : NULL;
	if (r == 0 && (!dir || file_mkdir_p(AT_FDCWD, dir, 0700) < 0))
		r = err_sys(err, errno, "create %s", dir ? dir : path);
	if (r == 0)
		r = file_write_atomic(AT_FDCWD, path, out.text, strlen(out.text), 0600, true, err);
	return r < 0 ? err_prefix(err, "the log-in was not kept") : 0;
}

static int exchange(struct wait *w, struct work_values *ret, struct err *err)
{
	struct json_doc *s = w->b->spec;
	if (json_doc_set_at(s, "code", w->got.code) < 0 ||
		json_doc_set_at(s, "verifier", w->verifier) < 0 ||
		json_doc_set_at(s, "redirect", w->redirect) < 0 ||
		(*tokens_spec(s, "send_state") && json_doc_set_at(s, "state", w->state) < 0))
		return err_set(err, ENOMEM, "out of memory");
	_cleanup_close_ int sock = dial(w->b->overrides, w->b->token_host, w->b->token_port, err);
	int r = sock < 0 ? sock : work_do(&w->a, WORK_ASK, s, "{}", sock, NULL, ret, err);
	if (r == 0 && !ret->refresh)
		r = err_set(err, EBADMSG, "there is no refresh token in its answer");
	return r < 0 ? err_prefix(err, "no log-in from %s", w->b->token_host) : 0;
}

static int go(struct wait *w, struct err *err)
{
	struct work_values fresh = {0};
	char *path, *text;
	int r = look(w, &path, &text, err);
	if (r == 0)
		r = prepare(w, err);
	if (r == 0)
		r = open_port(w, err);
	char *url = r == 0 ? authorize_url(w, w->redirect) : NULL;
	if (r == 0 && !url)
		r = err_set(err, ENOMEM, "out of memory");
	if (r < 0)
		return r;
	printf("Log in to %s in a browser on this machine:\n\n%s\n\n", w->b->label, url);
	const char *paste = tokens_spec(w->b->spec, "paste");
	w->paste = *paste && isatty(STDIN_FILENO);
	char *other = w->paste ? authorize_url(w, paste) : NULL;
	if (other)
		printf("Or in one on another machine, and paste the code that it shows "
		       "here:\n\n%s\n\n",
			other);
	if (*w->b->browser)
		browse(w, url);
	printf("Waiting for it to come back to port %u (Ctrl-C ends it) ...\n", w->want.port);
	fflush(stdout);
	r = wait_for(w, err);
	if (r == 0 && w->got.kind == CALLBACK_DENIED) {
		const char *word = tokens_word(w->got.code);
		r = err_set(err, EACCES, "%s did not grant the log-in%s%s", w->b->label,
			word ? ": " : "", word ? word : "");
	}
	if (r == 0)
		r = exchange(w, &fresh, err);
	return r == 0 ? keep(w, &fresh, err) : r;
}

int begin_login(const struct begin *b, struct err *err)
{
	static struct wait w;
	w = (struct wait){.b = b, .listener = {-1, -1}};
	int r = go(&w, err);
	for (size_t i = 0; i < LISTENERS; i++)
		if (w.listener[i] >= 0)
			close(w.listener[i]);
	arena_free(&w.a);
	explicit_bzero(&w, sizeof(w));
	return r;
}
