/* init/init-report.c - bawn-init's side of the control socket (plan/control.h).
 *
 * Messages are fixed-size; anything else ends the sandbox.
 */
#include <poll.h>
#include <time.h>

#include "base/fd.h"
#include "init/init.h"

static struct control_msg out;

void report_stamp(enum control_stamp stamp)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	out.stamps[stamp] = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	out.n_stamps = CONTROL_STAMPS;
}

int report_session(enum control_kind kind, uint32_t session, int value, int fd)
{
	out.magic = CONTROL_MAGIC;
	out.kind = kind;
	out.value = value;
	out.session = session;
	return fd_send(INIT_FD_CONTROL, &out, sizeof(out), &fd, fd >= 0 ? 1 : 0);
}

void report_exited(uint32_t session, int code, const struct cpu *used)
{
	out.user_us = used->user_us;
	out.system_us = used->system_us;
	report_session(CONTROL_EXITED, session, code, -1);
}

int report_send(enum control_kind kind, int value, int fd)
{
	return report_session(kind, 0, value, fd);
}

static void put_error(const struct err *err)
{
	size_t n = strlen(err->msg) + 1;
	memcpy(out.text, err->msg, n);
	snprintf(out.text + n, sizeof(out.text) - n, "%s", err->hint);
}

void report_fail(const struct err *err)
{
	put_error(err);
	report_send(CONTROL_ERROR, err->code, -1);
	_exit(125);
}

void report_failed(uint32_t session, const struct err *err)
{
	put_error(err);
	report_session(CONTROL_FAILED, session, err->code, -1);
	memset(out.text, 0, sizeof(out.text));
}

int report_receive_part(enum control_kind which)
{
	static struct control_msg m;
	int fd = -1;
	size_t n = 0;
	if (fd_recv(INIT_FD_CONTROL, &m, sizeof(m), &fd, 1, &n) != sizeof(m) ||
		m.magic != CONTROL_MAGIC || m.kind != which || n != 1)
		_exit(125); /* bawn has decided against it, and says why itself */
	return fd;
}

int report_receive(struct control_msg *ret, bool block, int fds[4], size_t *ret_nfds)
{
	if (!block) {
		struct pollfd p = {.fd = INIT_FD_CONTROL, .events = POLLIN};
		if (poll(&p, 1, 0) <= 0)
			return -EAGAIN;
	}
	ssize_t n = fd_recv(INIT_FD_CONTROL, ret, sizeof(*ret), fds, 4, ret_nfds);
	if (n < 0)
		return n == -ECONNRESET ? 0 : (int)n;
	if (n == 0)
		return 0;
	return (size_t)n == sizeof(*ret) && ret->magic == CONTROL_MAGIC ? 1 : -EBADMSG;
}
