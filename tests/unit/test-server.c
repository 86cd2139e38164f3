/* tests/unit/test-server.c - who may speak to the supervisor of a sandbox that lasts.
 *
 * Its own user is another one here: geteuid() is ours to answer (-Wl,--wrap).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/fd.h"
#include "sandbox/launch.h"
#include "sandbox/server.h"
#include "sandbox/watch.h"

uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);

static bool another;
static char dir[PATH_MAX];
static int dirfd;
static struct sandbox s;

uid_t __wrap_geteuid(void)
{
	return another ? __real_geteuid() + 1 : __real_geteuid();
}

static int setup(void **state)
{
	struct err err = {0};
	(void)state;
	another = false;
	snprintf(dir, sizeof(dir), "%s/test-server.XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int listener = session_listen(dirfd, &err);
	s = (struct sandbox){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	return listener < 0 || s.epoll < 0 ? -1 : server_new(listener, dirfd, &s.server, &err);
}

static int teardown(void **state)
{
	(void)state;
	close(s.epoll);
	server_free(s.server);
	return rmdir(dir);
}

static int count_clients(void)
{
	int n = 0;
	for (size_t i = 0; i < SERVER_CLIENTS; i++)
		n += s.server->clients[i].sock >= 0;
	return n;
}

static int connect_once(void)
{
	struct err err = {0};
	int sock = session_connect(dirfd, &err);
	assert_true(sock >= 0);
	server_accept(&s);
	return sock;
}

static void its_own_user_is_heard(void **state)
{
	(void)state;
	_cleanup_close_ int sock = connect_once();
	struct pollfd p = {.fd = sock, .events = POLLIN};
	assert_int_equal(count_clients(), 1);
	assert_int_equal(poll(&p, 1, 0), 0);
}

static void another_user_is_hung_up_on(void **state)
{
	(void)state;
	another = true;
	_cleanup_close_ int sock = connect_once();
	struct pollfd p = {.fd = sock, .events = POLLIN};
	assert_int_equal(count_clients(), 0);
	assert_int_equal(poll(&p, 1, 1000), 1);
	assert_true(p.revents & POLLHUP);
}

static void the_socket_is_for_its_user_alone(void **state)
{
	struct stat st;
	(void)state;
	assert_int_equal(fstatat(dirfd, "control.sock", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* One that a killed supervisor left is replaced; so is a link, which is not followed. */
/* As on a share, of whose server's doings inotify hears nothing. */
static void what_lies_on_a_share_is_looked_at(void **state)
{
	(void)state;
	char a[PATH_MAX + 8], b[PATH_MAX + 8];
	snprintf(a, sizeof(a), "%s/a", dir);
	snprintf(b, sizeof(b), "%s/b", dir);
	close(open(a, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	const char *paths[] = {a};
	struct watch_id id = {0};
	struct watch w = {.fd = -1, .path = paths, .n = 1};
	assert_int_equal(watch_wait_ms(&w), -1);
	assert_null(watch_look(&w)); /* not on one */
	w.id = &id;
	assert_true(watch_wait_ms(&w) > 0);
	assert_ptr_equal(watch_look(&w), a); /* not known yet */
	w.looked = 0;
	assert_null(watch_look(&w));
	close(open(b, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(rename(b, a), 0);
	assert_null(watch_look(&w)); /* it looked just now */
	w.looked = 0;
	assert_ptr_equal(watch_look(&w), a);
	unlink(a);
	w.looked = 0;
	assert_null(watch_look(&w)); /* there is nothing to be guarded */
	close(open(a, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	w.looked = 0;
	assert_ptr_equal(watch_look(&w), a);
	unlink(a);
}

static void a_stale_socket_is_replaced(void **state)
{
	struct stat st;
	struct err err = {0};
	(void)state;
	assert_int_equal(unlinkat(dirfd, "control.sock", 0), 0);
	assert_int_equal(symlinkat("victim", dirfd, "control.sock"), 0);
	_cleanup_close_ int fd = session_listen(dirfd, &err);
	assert_true(fd >= 0);
	assert_int_equal(fstatat(dirfd, "control.sock", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(fstatat(dirfd, "victim", &st, AT_SYMLINK_NOFOLLOW), -1);
	int peer = session_connect(dirfd, &err);
	assert_true(peer >= 0);
	close(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(its_own_user_is_heard, setup, teardown),
		cmocka_unit_test_setup_teardown(another_user_is_hung_up_on, setup, teardown),
		cmocka_unit_test_setup_teardown(the_socket_is_for_its_user_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(what_lies_on_a_share_is_looked_at, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stale_socket_is_replaced, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
