/* cli/tee.c - see tee.h */
#include "cli/tee.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "sandbox/term-filter.h"

#define LINGER_MS 2000 /* for what somebody left behind still holds open */
#define CHUNK 8192

struct stream {
	int from, to;
	bool terminal;
	struct term_filter filter;
};

struct tee_tail *tee_tail_new(struct err *err)
{
	void *p = mmap(NULL, sizeof(struct tee_tail), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p != MAP_FAILED)
		return p;
	err_sys(err, errno, "memory for the last result");
	return NULL;
}

static void keep(struct tee_tail *t, const char *s, size_t n)
{
	if (n > TEE_TAIL_MAX) {
		s += n - TEE_TAIL_MAX;
		n = TEE_TAIL_MAX;
	}
	size_t over = t->n + n > TEE_TAIL_MAX ? t->n + n - TEE_TAIL_MAX : 0;
	memmove(t->text, t->text + over, t->n - over);
	memcpy(t->text + t->n - over, s, n);
	t->n += n - over;
}

/* As it is told to the next one: text, and from the beginning of a line where it was cut. */
static void settle(struct tee_tail *t)
{
	size_t from = 0, to = 0;
	if (t->n == TEE_TAIL_MAX) {
		const char *line = memchr(t->text, '\n', t->n);
		from = line ? (size_t)(line - t->text) + 1 : 0;
	}
	for (size_t i = from; i < t->n; i++)
		if (t->text[i])
			t->text[to++] = t->text[i];
	while (to && t->text[to - 1] == '\n')
		to--;
	t->text[to] = '\0';
	t->n = to;
}

static bool pass(struct stream *s, struct tee_tail *tail)
{
	char buf[CHUNK], shown[CHUNK + TERM_SEQ_MAX];
	ssize_t n = read(s->from, buf, sizeof(buf));
	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0)
		return false;
	if (tail)
		keep(tail, buf, (size_t)n);
	if (s->terminal)
		fd_write_all(s->to, shown, term_filter(&s->filter, buf, (size_t)n, shown));
	else
		fd_write_all(s->to, buf, (size_t)n);
	return true;
}

_noreturn_ static void pump(struct stream s[2], struct tee_tail *tail)
{
	struct pollfd p[] = {
		{.fd = s[0].from, .events = POLLIN}, {.fd = s[1].from, .events = POLLIN}};
	signal(SIGPIPE, SIG_IGN);
	while (p[0].fd >= 0 || p[1].fd >= 0) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		for (int i = 0; i < 2; i++)
			if (p[i].revents && !pass(&s[i], i == 0 ? tail : NULL))
				p[i].fd = -1;
	}
	for (int i = 0; i < 2; i++) {
		char undo[512];
		if (s[i].terminal)
			fd_write_all(s[i].to, undo, term_filter_undo(&s[i].filter, undo));
	}
	_exit(0);
}

static void child(const int from[2], int out, struct tee_tail *tail)
{
	struct stream s[2] = {{.from = from[0], .to = out}, {.from = from[1], .to = STDERR_FILENO}};
	for (int i = 0; i < 2; i++)
		s[i].terminal = isatty(s[i].to);
	pump(s, tail);
}

int tee_begin(struct tee *t, int out, struct tee_tail *tail, struct err *err)
{
	int pipes[2][2] = {{-1, -1}, {-1, -1}};
	*t = (struct tee){.saved = {-1, -1}, .pid = -1, .tail = tail};
	fflush(NULL);
	int k = pipe2(pipes[0], O_CLOEXEC) < 0 || pipe2(pipes[1], O_CLOEXEC) < 0 ? -errno : 0;
	if (k == 0 && tail)
		tail->n = 0;
	t->pid = k == 0 ? fork() : -1;
	if (k == 0 && t->pid < 0)
		k = -errno;
	if (t->pid == 0) {
		close(pipes[0][1]);
		close(pipes[1][1]);
		child((const int[]){pipes[0][0], pipes[1][0]}, out, tail);
	}
	for (int i = 0; i < 2; i++) {
		if (k == 0) {
			t->saved[i] = fcntl(i + 1, F_DUPFD_CLOEXEC, 3);
			if (t->saved[i] < 0 || dup2(pipes[i][1], i + 1) < 0)
				k = -errno;
		}
		for (int end = 0; end < 2; end++)
			if (pipes[i][end] >= 0)
				close(pipes[i][end]);
	}
	if (k < 0) {
		err_sys(err, -k, "pass the output on");
		tee_end(t);
	}
	return k;
}

void tee_end(struct tee *t)
{
	for (int i = 0; i < 2; i++)
		if (t->saved[i] >= 0) {
			dup2(t->saved[i], i + 1);
			close(TAKE_FD(t->saved[i]));
		}
	if (t->pid < 0)
		return;
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, t->pid, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	if (poll(&p, 1, LINGER_MS) <= 0)
		kill(t->pid, SIGKILL);
	waitpid(t->pid, NULL, 0);
	t->pid = -1;
	if (t->tail)
		settle(t->tail);
}
