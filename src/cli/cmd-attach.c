/* cli/cmd-attach.c - bawn attach, bawn logs: back to a session, and what it wrote meanwhile
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "cli/command.h"
#include "run/lasting.h"
#include "cli/verb.h"
#include "sandbox/term-filter.h"

enum { OPT_KEYS, OPT_SESSION, OPT_FOLLOW, OPT_RAW };

struct asked {
	struct run *r;
	int session;
	bool follow, raw;
};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct asked *o = ctx;
	char *end;
	switch (id) {
	case OPT_KEYS:
		return run_option_set(o->r, "detach-keys", value, err);
	case OPT_SESSION:
		o->session = *value >= '0' && *value <= '9' ? (int)strtol(value, &end, 10) : -1;
		if (o->session < 0 || *end)
			return err_set(err, EINVAL, "'%.40s' is not a session's number", value);
		return 0;
	case OPT_FOLLOW:
		o->follow = true;
		return 0;
	default:
		o->raw = true;
		return 0;
	}
}

static const struct option_row attach_rows[] = {
	{"detach-keys", 0, "KEYS", "keys that leave it running (ctrl-p,ctrl-q)", OPT_KEYS},
	{"session", 0, "N", "that session (the newest that nobody is at)", OPT_SESSION},
	VERB_HELP_ROW, {0}};

static int attach(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	const struct asked *o = ctx;
	const char *name = word[0];
	(void)n;
	int k = lasting_find_name(r, name, err);
	if (k < 0)
		return 125;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		err_hint(err, "bawn logs -f %s shows what it writes", name);
		err_set(err, ENOTTY, "there is no terminal to attach");
		return 125;
	}
	_cleanup_close_ int sock = lasting_connect(r, name, err);
	if (sock == -ESRCH && !err->code) {
		err_hint(err, "bawn run %s starts it", name);
		err_set(err, ESRCH, "sandbox %s is not running", name);
	}
	if (sock < 0)
		return 125;
	return lasting_attach(r, sock, o->session, err);
}

int cmd_attach(int argc, char **argv)
{
	static const struct verb v = {.usage = "attach [OPTIONS] NAME",
		.help = "Bring this terminal to a session of a running sandbox that has none.",
		.examples = "  bawn attach claude-project\n",
		.rows = attach_rows,
		.option = option,
		.min = 1,
		.max = 1,
		.what = "which sandbox",
		.run = attach};
	struct run r;
	struct asked o = {.r = &r, .session = -1};
	return verb_main(&v, &r, &o, argc, argv);
}

/* ---- logs ---- */

static const struct option_row logs_rows[] = {
	{"follow", 'f', NULL, "go on until the sandbox ends", OPT_FOLLOW},
	{"raw", 0, NULL, "every byte, control sequences of any kind too", OPT_RAW}, VERB_HELP_ROW,
	{0}};

struct reader {
	struct term_filter filter;
	bool raw;
	int signal; /* the one that ends it, 0: none yet */
};

/* The signals are held: the terminal's modes are put back before one ends us. */
static bool is_over(struct reader *rd, int ms)
{
	const struct timespec t = {.tv_nsec = ms * 1000000};
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	int k = rd->signal ? 0 : sigtimedwait(&set, NULL, &t);
	if (k > 0)
		rd->signal = k;
	return rd->signal != 0;
}

static int copy(struct reader *rd, int fd)
{
	char in[4096], out[sizeof(in) + TERM_SEQ_MAX];
	ssize_t n = 0;
	while (!is_over(rd, 0) && (n = read(fd, in, sizeof(in))) > 0) {
		const char *p = in;
		size_t len = (size_t)n;
		if (!rd->raw) {
			len = term_filter(&rd->filter, in, len, out);
			p = out;
		}
		int k = fd_write_all(STDOUT_FILENO, p, len);
		if (k < 0)
			return k;
	}
	return n < 0 ? -errno : 0;
}

static int open_log(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The file was rotated: what is at its name now is another. */
static bool replaced(int dir, int fd)
{
	struct stat a, b;
	return fstat(fd, &a) == 0 && fstatat(dir, "log", &b, AT_SYMLINK_NOFOLLOW) == 0 &&
		(a.st_ino != b.st_ino || a.st_dev != b.st_dev);
}

static int follow(struct run *r, const char *name, int dir, int *fd, struct reader *rd)
{
	for (;;) {
		bool running = store_sandbox_busy(&r->store, name);
		int k = *fd >= 0 ? copy(rd, *fd) : 0;
		if (k < 0)
			return k;
		if (*fd < 0 || replaced(dir, *fd)) {
			if (*fd >= 0)
				close(*fd);
			*fd = open_log(dir, "log");
		} else if (!running) {
			return 0;
		}
		if (*fd < 0 && !running)
			return 0;
		if (is_over(rd, 100))
			return 0;
	}
}

static int logs(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	const struct asked *o = ctx;
	const char *name = word[0];
	(void)n;
	struct reader rd = {.raw = o->raw};
	int k = lasting_find_name(r, name, err);
	if (k < 0)
		return 1;
	_cleanup_close_ int dir = open(path_join(&r->arena, r->store.sandboxes, name),
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int old = open_log(dir, "log.1");
	_cleanup_close_ int fd = open_log(dir, "log");
	if (old >= 0)
		k = copy(&rd, old);
	if (k == 0 && fd >= 0)
		k = copy(&rd, fd);
	if (k == 0 && o->follow)
		k = follow(r, name, dir, &fd, &rd);
	/* a session may have been cut short: its terminal modes end here */
	char undo[512];
	if (!o->raw && isatty(STDOUT_FILENO))
		fd_write_all(STDOUT_FILENO, undo, term_filter_undo(&rd.filter, undo));
	if (k < 0 && k != -EPIPE) {
		err_sys(err, -k, "write the log");
		return 1;
	}
	return rd.signal ? 128 + rd.signal : 0;
}

int cmd_logs(int argc, char **argv)
{
	static const struct verb v = {.usage = "logs [-f] NAME",
		.help = "Print what a sandbox's sessions wrote to their terminals.  Control "
			"sequences\n"
			"that could harm yours are left out.",
		.examples = "  bawn logs -f claude-project\n",
		.rows = logs_rows,
		.option = option,
		.min = 1,
		.max = 1,
		.what = "which sandbox",
		.run = logs};
	struct run r;
	struct asked o = {.r = &r};
	return verb_main(&v, &r, &o, argc, argv);
}
