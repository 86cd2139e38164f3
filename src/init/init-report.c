/* init/init-report.c - bawn-init's side of the control socket (plan/control.h).
 *
 * Messages are fixed-size; anything else ends the sandbox.
 */
#include <sys/socket.h>
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

int report_send(enum control_kind kind, int value, int fd)
{
	out.magic = CONTROL_MAGIC;
	out.kind = kind;
	out.value = value;
	return fd_send(INIT_FD_CONTROL, &out, sizeof(out), &fd, fd >= 0 ? 1 : 0);
}

void report_fail(const struct err *err)
{
	size_t n = strlen(err->msg) + 1;
	memcpy(out.text, err->msg, n);
	snprintf(out.text + n, sizeof(out.text) - n, "%s", err->hint);
	report_send(CONTROL_ERROR, err->code, -1);
	_exit(125);
}

int report_receive_plan(void)
{
	static struct control_msg m;
	int fd = -1;
	size_t n = 0;
	if (fd_recv(INIT_FD_CONTROL, &m, sizeof(m), &fd, 1, &n) != sizeof(m) ||
		m.magic != CONTROL_MAGIC || m.kind != CONTROL_PLAN || n != 1)
		_exit(125); /* bawn has decided against it, and says why itself */
	return fd;
}

int report_receive(struct control_msg *ret, bool block)
{
	ssize_t n;
	do
		n = recv(INIT_FD_CONTROL, ret, sizeof(*ret), block ? 0 : MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	if (n == 0)
		return 0;
	return (size_t)n == sizeof(*ret) && ret->magic == CONTROL_MAGIC ? 1 : -EBADMSG;
}
