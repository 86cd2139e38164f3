/* init/init-sudo.c - pid 1's ear for bawn-sudo (plan/sudo.h).
 *
 * Who asks is anything inside, and may ask for anything: what is given is given to all that run
 * here.  So pid 1 looks at the size of one message and forks; whatever has to be read, waited for
 * or answered is the fork's business (init-keeper.c).  A client that says nothing is hung up on
 * when others come.  All this is done by a thread of its own: to close a descriptor that a stranger
 * has sent may take as long as the stranger likes (SO_LINGER), and nothing that guards may wait for
 * it.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/fd.h"
#include "init/init.h"
#include "plan/sudo.h"

#define SUDO_POLLS 9
#define WAITING (SUDO_POLLS - 1)

static int listener = -1;
static int waiting[WAITING]; /* clients whose message has not come; the oldest first */
static size_t n_waiting;

int sudo_listen(struct err *err)
{
	static const struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = SUDO_SOCKET};
	if (mkdir(SUDO_DIR, 0755) < 0 && errno != EEXIST)
		return err_sys(err, errno, "create %s", SUDO_DIR);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 16) < 0)
		return err_sys(err, errno, "listen at %s", SUDO_SOCKET);
	listener = TAKE_FD(fd);
	return 0;
}

static void forget(size_t i)
{
	close(waiting[i]);
	memmove(&waiting[i], &waiting[i + 1], (--n_waiting - i) * sizeof(*waiting));
}

static void accept_one(void)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	if (n_waiting == WAITING)
		forget(0);
	waiting[n_waiting++] = fd;
}

/* Its message is here, or it never will be. */
static void take_request(int conn)
{
	struct sudo_request q;
	int fds[SUDO_FDS];
	size_t n_fds = 0;
	ssize_t n = fd_recv(conn, &q, sizeof(q), fds, SUDO_FDS, &n_fds);
	if (n == sizeof(q) && q.magic == SUDO_MAGIC && (q.flags & ~(uint32_t)SUDO_ANY_FLAG) == 0 &&
		n_fds == SUDO_FDS) {
		int owners = q.flags & SUDO_ROOT ? owner_post() : -1;
		int pid = fork();
		if (pid == 0)
			keeper_run(conn, q.flags, fds, owners);
		if (pid < 0) {
			struct sudo_message m = {.kind = SUDO_FAILED, .value = errno};
			snprintf(m.text, sizeof(m.text), "start a process: %s", strerror(errno));
			fd_send(conn, &m, sizeof(m), NULL, 0);
		}
	}
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
}

static void polls(struct pollfd p[static SUDO_POLLS])
{
	for (size_t i = 0; i < WAITING; i++)
		p[i] = (struct pollfd){.fd = i < n_waiting ? waiting[i] : -1, .events = POLLIN};
	p[WAITING] = (struct pollfd){.fd = listener, .events = POLLIN};
}

static void events(const struct pollfd p[static SUDO_POLLS])
{
	for (size_t i = n_waiting; i-- > 0;)
		if (p[i].revents) {
			take_request(waiting[i]);
			forget(i);
		}
	if (p[WAITING].revents)
		accept_one();
}

_noreturn_ static void *ear(void *unused)
{
	struct pollfd p[SUDO_POLLS];
	(void)unused;
	for (;;) {
		polls(p);
		if (poll(p, SUDO_POLLS, -1) > 0)
			events(p);
	}
}

int sudo_start(void)
{
	pthread_t thread;
	/* before there are two who could be the first to want it, and before the agent */
	if (owner_post() < 0)
		return -EAGAIN;
	int r = pthread_create(&thread, NULL, ear, NULL);
	if (r == 0)
		pthread_detach(thread);
	return -r;
}
