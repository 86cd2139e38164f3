/* cli/cmd-template-save.c - bawn template save NAME TAG: a sandbox's files for bawn-template.
 *
 * What a sandbox at rest has written is held by its lock; what runs is stopped while its files are
 * copied, as for a checkpoint, and goes on before anything is looked at.  The known secrets come
 * along in a sealed memfd, so that they can be looked for.
 */
#include <fcntl.h>
#include <signal.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/verb.h"
#include "gate/gate.h"
#include "run/checkpoint.h"
#include "run/image.h"
#include "secret/secret.h"
#include "template/box.h"

extern char **environ;

enum { OPT_OUTPUT, OPT_FORMAT, OPT_QUIET, OPT_SQUASH, OPT_ALLOW_SECRET };
#define STAND_INS_MAX ((size_t)1 << 17)
#define DIRS_MAX 56 /* a sandbox has no more layers: they are merged before */

struct asked {
	struct run *r;
	const char *output;
	struct strv allow;
	bool oci, quiet, squash;
};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct asked *o = ctx;
	if (id == OPT_OUTPUT)
		o->output = value;
	else if (id == OPT_QUIET)
		o->quiet = true;
	else if (id == OPT_SQUASH)
		o->squash = true;
	else if (id == OPT_FORMAT && (streq(value, "docker") || streq(value, "oci")))
		o->oci = streq(value, "oci");
	else if (id == OPT_FORMAT)
		return err_set(err, EINVAL, "--format is docker or oci");
	else
		return strv_add(&o->r->arena, &o->allow, value);
	return 0;
}

/* ---- the known secrets ---- */

/* A variable of this process that holds one, by its name. */
static bool names_secret(const char *name, size_t n)
{
	static const char *const ends[] = {
		"TOKEN", "API_KEY", "APIKEY", "SECRET", "PASSWORD", "SECRET_KEY", "ACCESS_KEY"};
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		const size_t k = strlen(ends[i]);
		if (n >= k && strncmp(name + n - k, ends[i], k) == 0)
			return true;
	}
	return false;
}

static void put_variables(struct run *r, struct blob *b)
{
	for (char **e = environ; *e; e++) {
		const char *value = strchr(*e, '=');
		if (!value || !names_secret(*e, (size_t)(value - *e)))
			continue;
		char *name = arena_printf(&r->arena, "the value of %.*s", (int)(value - *e), *e);
		if (name && strlen(value + 1) <= SECRET_MAX)
			gate_secrets_put(b, name, value + 1, strlen(value + 1));
	}
}

/* One that can't be had now is said, and not looked for. */
static void put_secret(struct run *r, const struct secret_info *s, struct blob *b)
{
	_cleanup_secret_ struct secret_buf v = {0};
	struct err err = {0};
	char shown[900];
	if (s->sandbox && !streq(s->sandbox, r->spec.name))
		return;
	char *name = arena_printf(&r->arena, "the secret %s", s->name);
	int k = secret_get(r->store.xdg.config, s->sandbox, s->name, NULL, &v, &err);
	if (k == 0 && name)
		gate_secrets_put(b, name, v.v, v.n);
	else
		run_message(r, "secret %s is not looked for: %s", s->name,
			escape_text(shown, sizeof(shown), err.msg));
}

/* A sealed memfd, or -errno. */
static int secrets_fd(struct run *r, struct err *err)
{
	struct secret_info *v = NULL;
	struct blob b = {0};
	size_t n = 0;
	int fd = secret_list(&r->arena, r->store.xdg.config, &v, &n, err);
	if (fd < 0)
		return fd;
	for (size_t i = 0; i < n; i++)
		put_secret(r, &v[i], &b);
	put_variables(r, &b);
	fd = b.failed ? err_set(err, ENOMEM, "out of memory")
		      : fd_memfd_sealed("bawn-secrets", b.n ? b.data : "", b.n, err);
	if (b.data)
		explicit_bzero(b.data, b.n);
	blob_free(&b);
	return fd;
}

/* ---- what was written ---- */

struct uppers {
	int fds[DIRS_MAX];
	size_t n;
};

static int add_dir(struct run *r, const char *path, struct uppers *u, struct err *err)
{
	char shown[300];
	int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	(void)r;
	if (fd < 0 && errno == ENOENT)
		return 0; /* nothing was written then */
	if (fd < 0)
		return err_sys(err, errno, "open %s",
			path ? escape_text(shown, sizeof(shown), path) : "a layer");
	if (u->n == DIRS_MAX) {
		close(fd);
		return err_set(err, E2BIG, "more layers than can be saved at once: start it once");
	}
	u->fds[u->n++] = fd;
	return 0;
}

/* Topmost first: up/root where it is at rest, then frozen layers. */
static int open_uppers(
	struct run *r, const struct strv *layers, bool at_rest, struct uppers *u, struct err *err)
{
	int k = 0;
	if (at_rest) {
		char *up = path_join(&r->arena, r->box.dir, "up/" RUN_IMAGE_PART);
		k = add_dir(r, up, u, err);
	}
	for (size_t i = layers->n; i > 0 && k == 0; i--)
		k = add_dir(r,
			store_layer_part(&r->store, &r->arena, layers->v[i - 1], RUN_IMAGE_PART), u,
			err);
	if (k == 0 && !u->n) {
		err_hint(err, "see what there is: bawn template ls");
		k = err_set(err, ENODATA,
			"nothing was written in sandbox %s: it is its template, %s", r->spec.name,
			r->spec.template);
	}
	return k;
}

/* ---- the request ---- */

/* The placeholders of its last start: they look like keys. */
static void put_harmless(struct run *r, const char *box, struct blob *b)
{
	char *text = NULL, *path = path_join(&r->arena, box, "stand-ins");
	struct strv v = {0};
	if (!path || file_read(&r->arena, AT_FDCWD, path, STAND_INS_MAX, &text, NULL) < 0)
		return;
	for (char *line; (line = strsep(&text, "\n"));) {
		char *value = strchr(line, '=');
		if (value && value[1])
			strv_push(&r->arena, &v, value + 1);
	}
	blob_put_strv(b, BOX_HARMLESS, &v);
}

static void put_mounts(struct run *r, struct blob *b)
{
	struct strv v = {0};
	if (r->spec.workspace)
		strv_push(&r->arena, &v, r->spec.workspace);
	for (size_t i = 0; i < r->spec.paths.n; i++) {
		char *path = arena_dup(&r->arena, r->spec.paths.v[i]);
		const size_t n = path ? strlen(path) : 0;
		if (n > 3 && streq(path + n - 3, ":ro"))
			path[n - 3] = '\0';
		if (path)
			strv_push(&r->arena, &v, path);
	}
	blob_put_strv(b, BOX_MOUNTS, &v);
}

/* As the gate has them: below the root. */
static int put_allowed(struct run *r, const struct asked *o, struct blob *b, struct err *err)
{
	struct strv v = {0};
	char shown[200];
	for (size_t i = 0; i < o->allow.n; i++) {
		const char *p = o->allow.v[i];
		if (p[0] != '/' || !p[1])
			return err_set(err, EINVAL,
				"--allow-secret takes an absolute path inside, not '%s'",
				escape_text(shown, sizeof(shown), p));
		strv_add(&r->arena, &v, p + 1);
		char *last = v.n ? v.v[v.n - 1] : NULL;
		for (size_t n = last ? strlen(last) : 0; n > 1 && last[n - 1] == '/'; n--)
			last[n - 1] = '\0';
	}
	blob_put_strv(b, BOX_ALLOW, &v);
	return arena_check(&r->arena, err);
}

static int request_fd(struct run *r, const struct asked *o, const char *box, const char *tag,
	size_t n_dirs, struct err *err)
{
	struct blob b = {0};
	const char *base = r->spec.digest;
	blob_put_str(&b, BOX_SANDBOX, r->spec.name);
	blob_put_str(&b, BOX_BASE, has_prefix(base, "sha256:") ? base + 7 : base);
	blob_put_str(&b, BOX_NAME, tag);
	blob_put_opt(&b, BOX_OUTPUT, o->output);
	blob_put_u64(&b, BOX_OCI, o->oci);
	blob_put_u64(&b, BOX_QUIET, o->quiet);
	blob_put_u64(&b, BOX_SQUASH, o->squash);
	blob_put_u64(&b, BOX_DIRS, n_dirs);
	put_mounts(r, &b);
	put_harmless(r, box, &b);
	int k = put_allowed(r, o, &b, err);
	if (k == 0)
		k = b.failed ? err_set(err, ENOMEM, "out of memory")
			     : fd_memfd_sealed("bawn-box", b.data, b.n, err);
	blob_free(&b);
	return k;
}

static int hand_over(struct run *r, const struct asked *o, const struct uppers *u, const char *tag,
	struct err *err)
{
	char name[] = "bawn-template", verb[] = "template", what[] = "save-box";
	char *argv[] = {name, verb, what, NULL};
	char *box = path_join(&r->arena, r->store.sandboxes, r->spec.name);
	char *seed = box ? path_join(&r->arena, box, RUN_IMAGE_SEED) : NULL;
	char *helper = path_join(&r->arena, r->install.libexec, name);
	struct proc proc;
	int fds[BOX_FIRST_DIR_FD + DIRS_MAX] = {-1, STDOUT_FILENO, STDERR_FILENO}, status = 0;
	if (!seed || !helper)
		return err_set(err, ENOMEM, "out of memory");
	_cleanup_close_ int request = request_fd(r, o, box, tag, u->n, err);
	_cleanup_close_ int secrets = request < 0 ? request : secrets_fd(r, err);
	_cleanup_close_ int seed_fd = open(seed, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (secrets < 0)
		return secrets;
	fds[BOX_FIRST_FD] = request;
	fds[BOX_SECRETS_FD] = secrets;
	fds[BOX_SEED_FD] = seed_fd;
	for (size_t i = 0; i < u->n; i++)
		fds[BOX_FIRST_DIR_FD + i] = u->fds[i];
	int k = proc_spawn(&(struct proc_spawn){.path = helper,
				   .argv = argv,
				   .envp = environ,
				   .fds = fds,
				   .nfds = BOX_FIRST_DIR_FD + (int)u->n,
				   .die_with_parent = SIGTERM},
		&proc, err);
	if (k == 0)
		k = proc_wait(&proc, &status);
	return k < 0 ? k : status;
}

/* ---- the command ---- */

static int refuse_host(struct run *r, struct err *err)
{
	if (r->spec.template && !streq(r->spec.template, "host") && r->spec.digest)
		return 0;
	err_hint(err,
		"make one on a template, and install there: bawn create --template TEMPLATE %s",
		r->spec.profile);
	return err_set(err, EINVAL,
		"sandbox %s is on template host: its root is this machine's own, and can't be "
		"saved",
		r->spec.name);
}

static int save(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	const struct asked *o = ctx;
	struct kept_state kept = KEPT_STATE_NONE;
	struct uppers u = {.n = 0};
	int sock = -1, k = checkpoint_open(r, word[0], &sock, err);
	(void)n;
	if (k == 0)
		k = refuse_host(r, err);
	if (k == 0 && sock < 0 && r->spec.pending)
		k = store_settle(&r->store, &r->arena, &r->box, &r->spec, err);
	if (k == 0 && sock >= 0)
		k = checkpoint_copy(r, sock, &kept, err);
	if (sock >= 0)
		close(TAKE_FD(sock)); /* it goes on */
	if (k == 0)
		k = open_uppers(r, kept.id ? &kept.layers : &r->spec.layers, !kept.id, &u, err);
	if (k == 0) {
		checkpoint_say_workspace(r, "template");
		k = hand_over(r, o, &u, word[1], err);
	}
	for (size_t i = 0; i < u.n; i++)
		close(u.fds[i]);
	if (kept.hold >= 0) {
		close(kept.hold);
		layers_collect(&r->store, NULL); /* or the next command does */
	}
	return k;
}

/* Is the next word the value of this one: "-o", "-qo", "--output", "--out"? */
static bool takes_next(const char *word)
{
	static const char *const valued[] = {"--output", "--format", "--allow-secret"};
	const size_t n = strlen(word);
	if (word[1] != '-')
		return strchr(word, 'o') == word + n - 1;
	for (size_t v = 0; v < ARRAY_LEN(valued); v++)
		if (n > 2 && has_prefix(valued[v], word))
			return true;
	return false;
}

/* Two words, of which the first is a sandbox: else it is bawn-template's. */
static bool is_ours(int argc, char **argv)
{
	const char *first = NULL;
	int words = 0;
	bool output = false;
	for (int i = 1; i < argc; i++) {
		if (streq(argv[i], "-h") || streq(argv[i], "--help") ||
			streq(argv[i], OPTIONS_WORD))
			return false;
		if (argv[i][0] == '-' && argv[i][1]) {
			output |= argv[i][1] == '-' ? has_prefix(argv[i], "--o")
						    : strchr(argv[i], 'o') != NULL;
			i += takes_next(argv[i]);
		} else if (!words++) {
			first = argv[i];
		}
	}
	if (words != 2)
		return false;
	if (!output)
		return true;
	/* "-o FILE A B" are two templates, unless A is a sandbox */
	struct run r;
	struct err err = {0};
	struct spec spec;
	run_init(&r, 0, NULL);
	int k = run_begin(&r, &err);
	if (k == 0)
		k = store_sandbox_find(&r.store, &r.arena, first, &spec, &err);
	run_release(&r, 0);
	return k == 0;
}

int cmd_template_save(int argc, char **argv)
{
	static const struct option_row rows[] = {
		{"output", 'o', "FILE", "also an archive; - is stdout", OPT_OUTPUT},
		{"format", 0, "docker|oci", "of that archive", OPT_FORMAT},
		{"squash", 0, NULL, "one layer", OPT_SQUASH},
		{"allow-secret", 0, "PATH", "may be saved", OPT_ALLOW_SECRET},
		{"quiet", 'q', NULL, "show no progress", OPT_QUIET}, VERB_HELP_ROW, {0}};
	static const struct verb v = {.usage = "template save NAME TAG",
		.help = "",
		.examples = "",
		.rows = rows,
		.option = option,
		.min = 2,
		.max = 2,
		.what = "which sandbox, and under which tag",
		.ends = true,
		.run = save};
	struct run r;
	struct asked o = {.r = &r};
	if (!is_ours(argc, argv))
		return -1;
	return verb_main(&v, &r, &o, argc, argv);
}
