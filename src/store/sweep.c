/* store/sweep.c - removing what former runs' overlays worked in, beside a run.
 *
 * Theory of operation.  The kernel leaves four directories and a file of each overlay.  Removing
 * them takes as long as mounting it, and ext4 is slow to make new ones for minutes after, as it
 * goes around inodes that were just freed: runs that are over in milliseconds would wait for both.
 * So a thread does it once a run has lasted a while, as an agent's does, and nobody waits for its
 * end. Only where far too many are left it begins at once, and two are waited for, so that they
 * don't get more.  It goes by a list made before it starts, and not by what it finds, as the box
 * may be a later run's by then, with a working directory in use.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dir-record.h"
#include "base/fd.h"
#include "base/tree.h"
#include "store/spare.h"

enum { NAMES_MAX = 512, NAME_BYTES = 24, MANY = 256, WAITED_FOR = 2, PAUSE_MS = 300 };

struct sweep {
	atomic_int holders; /* the thread, and the box */
	sem_t removed;
	bool begun;
	int dir;
	size_t n;
	char name[NAMES_MAX][NAME_BYTES];
};

static void let_go(struct sweep *w)
{
	if (atomic_fetch_sub(&w->holders, 1) > 1)
		return;
	sem_destroy(&w->removed);
	close(w->dir);
	first_free(w);
}

/* What the kernel makes for one overlay, innermost first. */
static void remove_made(int dir, const char *part)
{
	static const char *const made[] = {"/work/incompat/volatile/dirty",
		"/work/incompat/volatile", "/work/incompat", "/work", ""};
	char path[NAME_MAX + 64];
	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		if (snprintf(path, sizeof(path), "%s%s", part, made[i]) < (int)sizeof(path))
			unlinkat(dir, path, i == 0 ? 0 : AT_REMOVEDIR);
}

static void remove_one(int dir, const char *name)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_Alignas(8) char buf[2048];
	ssize_t n = fd < 0 ? 0 : dir_records(fd, buf, sizeof(buf));
	for (ssize_t o = 0; o < n;) {
		const struct dir_record *d = (const struct dir_record *)(buf + o);
		if (!streq(d->d_name, ".") && !streq(d->d_name, ".."))
			remove_made(fd, d->d_name);
		o += d->d_reclen;
	}
	/* what was not as expected goes, too */
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		tree_remove(dir, name, NULL);
}

static void *run(void *arg)
{
	struct sweep *w = arg;
	if (w->n <= MANY)
		poll(NULL, 0, PAUSE_MS);
	for (size_t i = 0; i < w->n; i++) {
		remove_one(w->dir, w->name[i]);
		sem_post(&w->removed);
	}
	let_go(w);
	return NULL;
}

static void list(struct sweep *w, const char *used)
{
	_Alignas(8) char buf[2048];
	ssize_t n;
	while ((n = dir_records(w->dir, buf, sizeof(buf))) > 0)
		for (ssize_t o = 0; o < n;) {
			const struct dir_record *d = (const struct dir_record *)(buf + o);
			if (w->n < NAMES_MAX && has_prefix(d->d_name, SPARE_WORK) &&
				strlen(d->d_name) < NAME_BYTES && !streq(d->d_name, used))
				memcpy(w->name[w->n++], d->d_name, strlen(d->d_name) + 1);
			o += d->d_reclen;
		}
}

/* Signals are for the thread that was there before. */
static bool begin(struct sweep *w)
{
	pthread_t thread;
	pthread_attr_t detached;
	sigset_t all, old;
	if (pthread_attr_init(&detached) != 0)
		return false;
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int r = pthread_create(&thread, &detached, run, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&detached);
	return r == 0;
}

void store_box_sweep(struct store_box *b)
{
	if (!b->taken || b->whole || !b->work || b->sweep)
		return;
	struct sweep *w = first_calloc(sizeof(*w));
	if (!w)
		return;
	w->holders = 2;
	sem_init(&w->removed, 0, 0);
	w->dir = open(b->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (w->dir >= 0)
		list(w, b->work);
	w->begun = w->n > 0 && begin(w);
	if (!w->begun)
		let_go(w);
	b->sweep = w;
}

void sweep_leave(struct store_box *b)
{
	struct sweep *w = b->sweep;
	if (!w)
		return;
	for (int i = 0; i < WAITED_FOR && w->begun && w->n > MANY; i++)
		while (sem_wait(&w->removed) < 0 && errno == EINTR)
			;
	b->sweep = NULL;
	let_go(w);
}
