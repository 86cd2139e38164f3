/* tests/vault/clock.c - loaded before a helper, moves its clock on: by as many seconds as stand in
 * the file BAWN_TEST_CLOCK (eight bytes), so that a test sees an hour go by at once.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead;

static __attribute__((constructor)) void begin(void)
{
	const char *path = getenv("BAWN_TEST_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	const void *p = mmap(NULL, sizeof(*ahead), PROT_READ, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		ahead = p;
	close(fd);
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	int r = (int)syscall(SYS_clock_gettime, id, t);
	if (r == 0 && ahead && id == CLOCK_MONOTONIC)
		t->tv_sec += *ahead;
	return r;
}
