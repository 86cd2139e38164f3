/* run/run-kept.c - what bawn puts into a template's root, kept for the next start; see image.h.
 *
 * Theory of operation.  seed-root, and ca/ where this machine has added authorities, follow from
 * few things: the template, who one is inside, where the workspace and the further directories lie,
 * those authorities, and bawn itself.  When a run with --rm is over, both go to CACHE/seed-root
 * under the SHA-256 of these things instead of being removed, and the next such run takes them from
 * there: what would be made anew is there, byte for byte.  A rename hands them on, so that only one
 * run has them at a time.  The sandbox has not written to them: they lie below its upper directory.
 * The home, into which a copy of the user's settings goes, is emptied; where the sandbox had an
 * authority of its own, nothing is kept.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "base/sha256.h"
#include "base/tree.h"
#include "host/ca.h"
#include "run/image.h"

static void add(struct sha256 *s, const char *text)
{
	sha256_add(s, text ? text : "", text ? strlen(text) + 1 : 1);
}

/* Which file it is, and which of its versions. */
static void add_file(struct sha256 *s, const char *path)
{
	struct stat st;
	if (!path || stat(path, &st) < 0)
		return add(s, "none");
	const int64_t v[] = {(int64_t)st.st_dev, (int64_t)st.st_ino, st.st_size, st.st_mtim.tv_sec,
		st.st_mtim.tv_nsec, st.st_ctim.tv_sec, st.st_ctim.tv_nsec};
	sha256_add(s, v, sizeof(v));
}

static void add_identity(struct sha256 *s, const struct host_identity *id)
{
	const uint32_t numbers[] = {(uint32_t)id->uid, (uint32_t)id->gid};
	sha256_add(s, numbers, sizeof(numbers));
	add(s, id->user);
	add(s, id->group);
	add(s, id->full_name);
	add(s, id->home);
	add(s, id->shell);
}

/* Everything that what is made depends on. */
static char *key_of(struct run *r)
{
	struct sha256 s;
	char hex[SHA256_HEX + 1];
	const char *added = run_ca_added(r);
	sha256_begin(&s);
	add(&s, "bawn-seed 1");
	add_file(&s, "/proc/self/exe");
	add(&s, r->image->t.id);
	add_identity(&s, &r->inside);
	add(&s, run_has_workspace(r) ? r->ws.path : NULL);
	for (size_t i = 0; i < r->ws.binds.n; i++)
		add(&s, r->ws.binds.v[i]);
	add(&s, "further");
	for (size_t i = 0; i < r->n_extras; i++) {
		add(&s, r->extras[i].dir ? "directory" : "file");
		add(&s, r->extras[i].path);
	}
	add(&s, added);
	if (added)
		add_file(&s, host_ca_machine(&r->arena));
	return arena_dup(&r->arena, sha256_end(&s, hex));
}

static bool is_kept_for(const struct run *r)
{
	return r->image && r->opt.rm && !r->lasting && !r->step && !r->opt.dry_run;
}

static char *ca_dir(struct run *r)
{
	return path_join(&r->arena, r->box.dir, RUN_CA_DIR);
}

void run_kept_take(struct run *r)
{
	struct run_image *m = r->image;
	if (!is_kept_for(r))
		return;
	char *dir = path_join(&r->arena, r->store.xdg.cache, "seed-root");
	char *key = dir ? key_of(r) : NULL;
	m->kept = key ? path_join(&r->arena, dir, key) : NULL;
	char *ca = m->kept ? arena_printf(&r->arena, "%s-ca", m->kept) : NULL, *to = ca_dir(r);
	m->taken = m->whole = m->kept && rename(m->kept, m->seed) == 0;
	m->taken_ca = m->taken && ca && to && run_ca_added(r) && rename(ca, to) == 0;
}

/* Holds dir nothing at all? */
static bool is_empty(const char *dir)
{
	_Alignas(8) char buf[1024];
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : getdents64(fd, (void *)buf, sizeof(buf));
	for (ssize_t o = 0; o < n;) {
		const struct dirent64 *d = (const struct dirent64 *)(buf + o);
		if (!streq(d->d_name, ".") && !streq(d->d_name, ".."))
			return false;
		o += d->d_reclen;
	}
	return n > 0;
}

static bool rename_new(const char *from, const char *to)
{
	CRASH_STEP();
	bool done = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0;
	CRASH_STEP();
	return done;
}

void run_kept_leave(struct run *r)
{
	struct run_image *m = r->image;
	if (!is_kept_for(r) || !m->kept || !m->whole || r->ca || !r->box.home)
		return;
	if (!is_empty(r->box.home) && tree_remove(AT_FDCWD, r->box.home, NULL) < 0)
		return;
	if (!rename_new(m->seed, m->kept)) {
		char *dir = arena_dupn(
			&r->arena, m->kept, (size_t)(path_base(m->kept) - m->kept) - 1);
		if (errno != ENOENT || !dir || file_mkdir_private(dir, NULL) < 0 ||
			!rename_new(m->seed, m->kept))
			return;
	}
	char *ca = arena_printf(&r->arena, "%s-ca", m->kept), *from = ca_dir(r);
	if (r->ca_added && ca && from)
		rename_new(from, ca);
}
