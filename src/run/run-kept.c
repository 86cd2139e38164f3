/* run/run-kept.c - what bawn puts into a template's root, and what it has found there, kept for the
 * next start; see image.h.
 *
 * Theory of operation.  seed-root, and ca/ where this machine has added authorities, follow from
 * few things: the template, who one is inside, where the workspace and the further directories lie,
 * those authorities, and bawn itself.  When a run with --rm is over, its box is kept under the
 * SHA-256 of these things instead of being removed (store.h), and the next such run takes it from
 * there: what would be made anew is there, byte for byte.  A rename hands it on, so that only one
 * run has it at a time.  The sandbox has not written to seed-root, which lies below its upper
 * directory; that is emptied, and so is the home, into which a copy of the user's settings goes.
 * Nothing is kept of a sandbox with an authority of its own, nor of one whose / has another mode or
 * attributes, nor where a template wants settings elsewhere than in the home.  Nobody syncs what is
 * kept, so what an earlier boot has left is not taken: its files may have no content.
 *
 * What was looked for in a template's layers is kept by the template's id (host/stack-known.c).
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/cache-file.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/tree.h"
#include "host/ca.h"
#include "run/image.h"

#define BOOT_ID_MAX 64
#define STACK_MAX (1 << 20)

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

/* Which start of the machine this is; NULL: that isn't known. */
static char *boot_of(struct run *r)
{
	char *id;
	ssize_t n = file_read(
		&r->arena, AT_FDCWD, "/proc/sys/kernel/random/boot_id", BOOT_ID_MAX, &id, NULL);
	if (n <= 0)
		return NULL;
	id[strcspn(id, "\n")] = '\0';
	return strchr(id, '/') ? NULL : id;
}

const char *run_kept_place(struct run *r)
{
	if (!r->opt.rm || r->lasting || r->step)
		return NULL;
	char *dir = path_join(&r->arena, r->store.xdg.cache, "spare-root");
	char *boot = dir ? boot_of(r) : NULL;
	char *key = boot ? key_of(r) : NULL;
	return key ? arena_printf(&r->arena, "%s/%s-%s", dir, boot, key) : NULL;
}

void run_kept_decide(struct run *r)
{
	if (!r->box.spare)
		return;
	bool keep = r->sandbox_ran && r->image->whole && !r->image->outside && !r->ca &&
		r->box.home;
	if (keep && !file_dir_empty(r->box.home))
		keep = tree_remove(AT_FDCWD, r->box.home, NULL) == 0;
	if (!keep)
		r->box.spare = NULL;
}

static char *stack_dir(struct run *r)
{
	return path_join(&r->arena, r->store.xdg.cache, "stack");
}

void run_stack_recall(struct run *r, struct run_image *m, const struct host_stack *s)
{
	struct stat st;
	const char *dir = stack_dir(r), *path = dir ? path_join(&r->arena, dir, m->t.id) : NULL;
	_cleanup_close_ int fd = path ? cache_file_open(path, "what templates hold", &st, NULL)
				      : -1;
	if (fd < 0 || st.st_size <= 0 || st.st_size > STACK_MAX)
		return;
	const size_t n = (size_t)st.st_size;
	char *data = arena_alloc(&r->arena, n);
	if (data && fd_read_full(fd, data, n) == (ssize_t)n)
		(void)host_stack_recall(m->known, &s->dirs, s->n_fixed, data, n);
}

/* As well as can be: without it the next start takes longer. */
void run_stack_keep(struct run *r, const struct run_image *m)
{
	_cleanup_free_ void *data = NULL;
	size_t n = 0;
	if (r->opt.dry_run || r->step || !m->known ||
		host_stack_keep(m->known, m->layers.n, &data, &n) < 0 || n > STACK_MAX)
		return;
	const char *dir = stack_dir(r), *path = dir ? path_join(&r->arena, dir, m->t.id) : NULL;
	if (path && file_mkdir_private(dir, NULL) == 0)
		(void)file_write_atomic(AT_FDCWD, path, data, n, 0600, false, NULL);
}
