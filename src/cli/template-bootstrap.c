/* cli/template-bootstrap.c - bawn template bootstrap: a Debian base without root.
 *
 * Theory of operation.  mmdebstrap, the user's own tool, downloads and extracts packages: none of
 * their scripts runs out here (its modes that run them need a second uid, or touch the host).  The
 * tar goes through bawn-layer as any other.  A sandbox on that then installs the same packages with
 * Debian's own dpkg, as root by emulation; what it wrote and the layer below are saved as one
 * layer.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include "base/escape.h"
#include "base/file.h"
#include "base/proc.h"
#include "cli/template-save.h"
#include "store/ref.h"

extern char **environ;

enum { OPT_MIRROR, OPT_QUIET };
static const struct option_row rows[] = {
	{"mirror", 0, "URL", "where packages come from (what the machine's apt uses)", OPT_MIRROR},
	{"quiet", 'q', NULL, "show no progress", OPT_QUIET},
	TEMPLATE_HELP_ROW,
	{0},
};
static const char *mirror;
static bool quiet;

#define SOURCES_MAX ((size_t)1 << 20)

/* Merged /usr, and accounts, as the packages' own scripts would make them. */
#define SETUP_HOOK                                                                                 \
	"for d in bin sbin lib lib64; do mkdir -p \"$1/usr/$d\" && ln -s \"usr/$d\" \"$1/$d\"; "   \
	"done"
#define EXTRACT_HOOK                                                                               \
	"for f in passwd group; do cp \"$1/usr/share/base-passwd/$f.master\" \"$1/etc/$f\"; done"
/* What dpkg says is shown where it fails: it warns of each package that comes before what it needs.
 * At last the account that this sandbox has goes: a base has none, so that any can be made of it.
 */
#define INSTALL                                                                                    \
	"exec 3>&2 >/tmp/dpkg.log 2>&1; "                                                          \
	"trap 'k=$?; test $k = 0 || tail -n 40 /tmp/dpkg.log >&3; exit $k' EXIT; "                 \
	"set -e; export DEBIAN_FRONTEND=noninteractive LC_ALL=C; cd /var/cache/apt/archives; "     \
	"dpkg --force-unsafe-io --force-depends --install ./*.deb; "                               \
	"dpkg --force-unsafe-io --configure -a; rm -f ./*.deb; rm -rf /var/lib/apt/lists/*_*; "    \
	"sed -i '/^agent:/d' /etc/passwd /etc/group; rm -f /etc/passwd- /etc/group-; "             \
	"test -z \"$(dpkg --audit)\""

static int option(void *ctx, int id, const char *value, struct err *err)
{
	(void)ctx;
	(void)err;
	if (id == OPT_MIRROR)
		mirror = value;
	else
		quiet = true;
	return 0;
}

/* ---- the machine's own sources ---- */

/* The first http URL of text whose path ends in "/debian": of a line "deb URL ..." or "URIs: URL".
 */
static char *url_in(struct arena *a, char *text)
{
	for (char *line; (line = strsep(&text, "\n"));) {
		const char *p = has_prefix(line, "deb ") ? line + 4
			: has_prefix(line, "URIs:")      ? line + 5
							 : NULL;
		p = p ? strstr(p, "http") : NULL;
		const size_t n = p ? strcspn(p, " \t") : 0;
		char *url = n ? arena_dupn(a, p, n) : NULL;
		size_t k = url ? strlen(url) : 0;
		while (k && url[k - 1] == '/')
			url[--k] = '\0';
		if (k > 7 && streq(url + k - 7, "/debian") &&
			(has_prefix(url, "http://") || has_prefix(url, "https://")))
			return url;
	}
	return NULL;
}

static char *url_of_file(struct arena *a, int dir, const char *name)
{
	char *text;
	return file_read(a, dir, name, SOURCES_MAX, &text, NULL) < 0 ? NULL : url_in(a, text);
}

/* NULL: mmdebstrap's own. */
static char *find_mirror(struct arena *a)
{
	char *url = url_of_file(a, AT_FDCWD, "/etc/apt/sources.list");
	DIR *d = url ? NULL : opendir("/etc/apt/sources.list.d");
	for (struct dirent *e; d && !url && (e = readdir(d));)
		if (e->d_name[0] != '.')
			url = url_of_file(a, dirfd(d), e->d_name);
	if (d)
		closedir(d);
	return url;
}

/* "debian[:SUITE]". */
static int parse_what(struct arena *a, const char *word, char **ret_suite, struct err *err)
{
	char shown[100];
	if (!streq(word, "debian") && !has_prefix(word, "debian:")) {
		err_hint(err, "bawn template bootstrap debian, or debian:bookworm");
		return err_set(err, EINVAL, "'%s' can't be made here, only debian[:SUITE]",
			escape_text(shown, sizeof(shown), word));
	}
	const char *suite = word[6] ? word + 7 : "stable";
	if (!*suite || strlen(suite) > 40 ||
		strspn(suite, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(suite) ||
		suite[0] == '-')
		return err_set(err, EINVAL, "'%s' is no suite of Debian",
			escape_text(shown, sizeof(shown), suite));
	*ret_suite = arena_dup(a, suite);
	return *ret_suite ? 0 : err_set(err, ENOMEM, "out of memory");
}

static char *in_path(struct arena *a, const char *name)
{
	char *path = arena_dup(a, getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
	for (char *dir; path && (dir = strsep(&path, ":"));) {
		char *file = *dir == '/' ? path_join(a, dir, name) : NULL;
		if (file && access(file, X_OK) == 0)
			return file;
	}
	return NULL;
}

/* ---- the packages, extracted ---- */

static void pulse(void *ctx)
{
	progress_show(&((struct template_work *)ctx)->progress);
}

static int start_mmdebstrap(struct tpl *c, const char *program, const char *suite, int out,
	struct proc *ret, struct err *err)
{
	struct strv v = {0};
	const char *url = mirror ? mirror : find_mirror(&c->a);
	static const char *const fixed[] = {"mmdebstrap", "--quiet", "--variant=extract",
		"--mode=chrootless", "--format=tar", "--skip=cleanup/apt,essential/unlink",
		"--setup-hook=" SETUP_HOOK, ("--extract-hook=" EXTRACT_HOOK),
		"--include=?essential", "--include=?priority(required)",
		"--include=apt,usr-is-merged,ca-certificates"};
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		strv_add(&c->a, &v, fixed[i]);
	strv_add(&c->a, &v, suite);
	strv_add(&c->a, &v, "-");
	if (url)
		strv_add(&c->a, &v, url);
	if (arena_check(&c->a, err) < 0)
		return -ENOMEM;
	const int fds[] = {-1, out, STDERR_FILENO};
	return proc_spawn(&(struct proc_spawn){.path = program,
				  .argv = v.v,
				  .envp = environ,
				  .fds = fds,
				  .nfds = ARRAY_LEN(fds),
				  .die_with_parent = SIGTERM},
		ret, err);
}

static int extract(struct tpl *c, const char *program, const char *suite, struct template_making *m,
	struct err *err)
{
	struct proc proc = PROC_NONE;
	struct layer_pulse beat = {pulse, &c->w};
	struct err other = {0};
	int p[2], status = 0;
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	_cleanup_close_ int rd = p[0], wr = p[1];
	int r = start_mmdebstrap(c, program, suite, wr, &proc, err);
	close(TAKE_FD(wr));
	if (r < 0)
		return r;
	const struct layer_source from = {.fd = rd};
	r = layer_run_read(
		c->w.layer_helper, &c->a, &from, m->dir, NULL, 0, &beat, &m->layer, &other);
	close(TAKE_FD(rd));
	if (proc_wait(&proc, &status) < 0)
		proc_kill(&proc);
	if (status) {
		err_hint(err, "it has said why; is there a suite %s at the mirror?", suite);
		return err_set(err, EIO, "mmdebstrap failed (%d)", status);
	}
	if (r < 0)
		*err = other;
	return r;
}

static int commit(struct tpl *c, struct template_making *m, char ret_id[static 65], struct err *err)
{
	struct template_stack s = {.making = arena_alloc(&c->a, sizeof(*m)), .n = 1};
	struct strv changes = {0};
	char *config = NULL;
	size_t n = 0;
	if (!s.making)
		return err_set(err, ENOMEM, "out of memory");
	s.making[0] = *m;
	s.lower[s.n_lower++] = openat(m->dir, "fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	strv_add(&c->a, &s.diffs, m->layer.diff);
	strv_addf(&c->a, &changes, "os %s", image_here.os);
	strv_addf(&c->a, &changes, "arch %s", image_here.arch);
	strv_add(&c->a, &changes,
		"env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	strv_add(&c->a, &changes, "cmd bash");
	strv_addf(&c->a, &changes, "layer %s", m->layer.diff);
	strv_add(&c->a, &changes, "history bawn template bootstrap");
	int r = arena_check(&c->a, err);
	if (r == 0)
		r = image_edit_config(
			c->w.image_helper, &c->a, NULL, 0, &changes, &config, &n, err);
	if (r == 0)
		r = template_stack_commit(&c->w, &s, config, n, NULL, ret_id, err);
	template_stack_free(&c->w, &s);
	return r;
}

/* ---- installed, in a sandbox ---- */

/* bawn WORD...: its exit code; what it prints goes to stderr. */
static int call(struct tpl *c, const char *const *words, bool silent, struct err *err)
{
	struct strv v = {0};
	struct proc proc;
	int status = 0, r;
	char *bawn = path_install_bawn(&c->a, &c->dirs.install, BAWN_LIBEXECDIR, BAWN_BINDIR);
	strv_add(&c->a, &v, "bawn");
	for (; *words; words++)
		strv_add(&c->a, &v, *words);
	if (!bawn || arena_check(&c->a, err) < 0)
		return err_set(err, ENOMEM, "out of memory");
	const int fds[] = {-1, silent || quiet ? -1 : STDERR_FILENO, STDERR_FILENO};
	r = proc_spawn(&(struct proc_spawn){.path = bawn,
			       .argv = v.v,
			       .envp = environ,
			       .fds = fds,
			       .nfds = ARRAY_LEN(fds),
			       .die_with_parent = SIGTERM},
		&proc, err);
	if (r == 0)
		r = proc_wait(&proc, &status);
	return r < 0 ? r : status;
}

static int step(struct tpl *c, const char *what, const char *const *words, struct err *err)
{
	int r = call(c, words, false, err);
	return r > 0 ? err_set(err, EIO, "%s failed (%d)", what, r) : r;
}

/* hold: on the store, until the sandbox is there, which pins what it is made of. */
static int install(struct tpl *c, int *hold, const char *id, const char *name, const char *tag,
	struct err *err)
{
	char *image = arena_printf(&c->a, "sha256:%s", id);
	const char *const create[] = {"create", "--template", image, "--name", name, "--workspace",
		"none", "--offline", "shell", NULL};
	const char *const dpkg[] = {"exec", "-u", "root", name, "sh", "-c", INSTALL, NULL};
	const char *const save[] = {"template", "save", "-q", "--squash", name, tag, NULL};
	const char *const rm[] = {"rm", "-f", name, NULL},
			  *const drop[] = {"template", "rm", image, NULL};
	if (!image)
		return err_set(err, ENOMEM, "out of memory");
	int r = step(c, "making a sandbox", create, err);
	close(TAKE_FD(*hold)); /* what is removed below waits for it */
	if (r == 0 && !quiet)
		fputs("bawn: installing the packages, in a sandbox\n", stderr);
	if (r == 0)
		r = step(c, "installing the packages", dpkg, err);
	if (r == 0)
		r = step(c, "saving the template", save, err);
	call(c, rm, true, NULL);
	call(c, drop, true, NULL);
	return r;
}

static int run(struct tpl *c, char **word, int n, struct err *err)
{
	struct template_making m = TEMPLATE_MAKING_NONE;
	char *suite, id[65];
	int r = parse_what(&c->a, word[0], &suite, err);
	(void)n;
	if (r < 0)
		return r;
	const char *program = in_path(&c->a, "mmdebstrap");
	if (!program) {
		err_hint(err, "on Debian and Ubuntu: sudo apt-get install mmdebstrap");
		return err_set(err, ENOENT, "mmdebstrap is not installed, which makes the base");
	}
	char *tag = arena_printf(&c->a, "debian:%s", suite);
	char *name = arena_printf(&c->a, "bootstrap-%s-%ld", suite, (long)getpid());
	int hold = templates_hold(&c->t, err);
	r = hold < 0 ? hold : templates_begin(&c->t, &m, err);
	progress_begin(&c->w.progress, "extracting", quiet);
	if (r == 0)
		r = extract(c, program, suite, &m, err);
	progress_end(&c->w.progress);
	if (r < 0)
		templates_abandon(&c->t, &m);
	else
		r = commit(c, &m, id, err);
	if (r == 0 && tag && name)
		r = install(c, &hold, id, name, tag, err);
	if (hold >= 0)
		close(hold);
	/* what the recipes mean by "FROM debian" */
	const char *const also[] = {"template", "tag", tag, "debian:latest", NULL};
	if (r == 0 && !strchr(word[0], ':'))
		r = step(c, "naming it debian:latest, too,", also, err);
	if (r == 0)
		printf("%s\n", tag);
	return r;
}

const struct template_verb template_bootstrap_verb = {
	.name = "bootstrap",
	.args = "debian[:SUITE]",
	.text = "Make a base of Debian, without root and without a registry: mmdebstrap downloads "
		"the "
		"packages,\na sandbox installs them.",
	.examples = "",
	.rows = rows,
	.option = option,
	.min = 1,
	.max = 1,
	.what = "debian, or debian:SUITE?",
	.run = run,
};
