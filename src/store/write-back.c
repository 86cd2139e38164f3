/* store/write-back.c - see write-back.h
 *
 * Theory of operation.  A thread calls syncfs(2) again and again, with a pause between two passes:
 * inodes and directories that are still being filled are not written for each entry of theirs, and
 * what takes less than one pause never meets it.  It has a descriptor of its own, as the kernel
 * tells each error of writing back once for each: the maker's own sync still gets to know of it.
 */
#include "store/write-back.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

#define PAUSE_MS 300

struct write_back {
	int fd;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop; /* under the lock */
};

/* Holds the lock.  Is another pass wanted? */
static bool pause_over(struct write_back *w)
{
	struct timespec until;
	int r = 0;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += PAUSE_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!w->stop && r == 0)
		r = pthread_cond_timedwait(&w->changed, &w->lock, &until);
	return !w->stop && r == ETIMEDOUT;
}

static void *run(void *arg)
{
	struct write_back *w = arg;
	pthread_mutex_lock(&w->lock);
	while (pause_over(w)) {
		pthread_mutex_unlock(&w->lock);
		syncfs(w->fd);
		pthread_mutex_lock(&w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void release(struct write_back *w)
{
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	close(w->fd);
	free(w);
}

/* Signals are for the thread that was there before. */
static int start(struct write_back *w)
{
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int r = pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r;
}

struct write_back *write_back_begin(int dirfd)
{
	pthread_condattr_t monotonic;
	struct write_back *w = calloc(1, sizeof(*w));
	_cleanup_close_ int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!w || fd < 0) {
		free(w);
		return NULL;
	}
	w->fd = TAKE_FD(fd);
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (start(w) == 0)
		return w;
	release(w);
	return NULL;
}

void write_back_end(struct write_back *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	release(w);
}
