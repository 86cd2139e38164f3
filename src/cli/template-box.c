/* cli/template-box.c - bawn-template's side of `bawn template save NAME TAG`: see template/box.h.
 *
 * bawn has found the sandbox, stopped it or copied what it wrote, and collected the known secrets.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "base/escape.h"
#include "cli/template-save.h"
#include "store/ref.h"
#include "template/box.h"
#include "template/save.h"

#define UNSEEN_SHOWN 8
#define ALLOWED_SHOWN 50

static const struct option_row rows[] = {TEMPLATE_HELP_ROW, {0}};

struct box {
	struct template_upper u;
	const char *name, *output;
	uint64_t oci, quiet, squash, dirs;
	int fds[TEMPLATE_UPPER_DIRS];
};

static int take(struct arena *a, const struct blob_view *v, struct box *b)
{
	switch (v->tag) {
	case BOX_SANDBOX:
		return (b->u.sandbox = blob_str(v)) ? 0 : -EBADMSG;
	case BOX_BASE:
		return (b->u.base = blob_str(v)) ? 0 : -EBADMSG;
	case BOX_NAME:
		return (b->name = blob_str(v)) ? 0 : -EBADMSG;
	case BOX_OUTPUT:
		return (b->output = blob_str(v)) ? 0 : -EBADMSG;
	case BOX_OCI:
		return blob_u64(v, &b->oci);
	case BOX_QUIET:
		return blob_u64(v, &b->quiet);
	case BOX_SQUASH:
		return blob_u64(v, &b->squash);
	case BOX_DIRS:
		return blob_u64(v, &b->dirs);
	case BOX_MOUNTS:
		return blob_strv(a, v, &b->u.mounts);
	case BOX_ALLOW:
		return blob_strv(a, v, &b->u.gate.allow);
	case BOX_HARMLESS:
		return blob_strv(a, v, &b->u.gate.harmless);
	default:
		return -EBADMSG;
	}
}

static int read_box(struct arena *a, struct box *b, struct err *err)
{
	struct blob_iter it;
	struct blob_view v;
	struct stat st;
	int r = 0, more = -EBADMSG;
	if (fstat(BOX_FIRST_FD, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
		(size_t)st.st_size <= BOX_REQUEST_MAX) {
		void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, BOX_FIRST_FD, 0);
		if (p == MAP_FAILED)
			return err_sys(err, errno, "mmap");
		blob_iter_init(&it, p, (size_t)st.st_size);
		while (r == 0 && (more = blob_next(&it, &v)) > 0)
			r = take(a, &v, b);
	}
	if (r < 0 || more < 0 || !b->u.sandbox || !b->u.base || !b->name || !b->dirs ||
		b->dirs > TEMPLATE_UPPER_DIRS)
		return err_set(err, EINVAL, "bawn-template template save-box is called by bawn");
	for (size_t i = 0; i < b->dirs; i++)
		b->fds[i] = BOX_FIRST_DIR_FD + (int)i;
	b->u.dirs = b->fds;
	b->u.n_dirs = (size_t)b->dirs;
	b->u.seed = BOX_SEED_FD;
	b->u.secrets = BOX_SECRETS_FD;
	b->u.squash = b->squash != 0;
	b->u.gate.now = (uint64_t)time(NULL);
	return 0;
}

/* ---- what the gate says ---- */

static void say_item(const char *what, const struct gate_item *it)
{
	char path[400], member[300], kind[300], line[32] = "";
	if (it->line)
		snprintf(line, sizeof(line), ":%llu", (unsigned long long)it->line);
	fprintf(stderr, "bawn: %s/%s%s%s%s: %s\n", what, escape_text(path, sizeof(path), it->path),
		*it->member ? ", " : "", escape_text(member, sizeof(member), it->member), line,
		escape_text(kind, sizeof(kind), it->what));
}

static void say_items(const char *what, const struct gate_items *list, uint64_t all, size_t max)
{
	for (size_t i = 0; i < list->n && i < max; i++)
		say_item(what, &list->v[i]);
	if (all > MIN(list->n, max))
		fprintf(stderr, "bawn: %sand %llu more\n", what,
			(unsigned long long)(all - MIN(list->n, max)));
}

static int refuse(const struct box *b, const struct gate_result *g, struct err *err)
{
	char path[200];
	say_items("", &g->found, g->n_found, GATE_FOUND_MAX);
	escape_text(path, sizeof(path), g->found.v[0].path);
	err_hint(err,
		"remove them inside (bawn exec %s rm ...), or, where one is none or may be given "
		"away: "
		"--allow-secret /%s",
		b->u.sandbox, path);
	return err_set(err, EACCES, "%llu secret%s found: no template was made",
		(unsigned long long)g->n_found, g->n_found == 1 ? "" : "s");
}

static void say_passed(const struct gate_result *g)
{
	say_items("let pass: ", &g->allowed, g->n_allowed, ALLOWED_SHOWN);
	say_items("not looked into: ", &g->unseen, g->n_unseen, UNSEEN_SHOWN);
	if (g->too_short)
		fprintf(stderr, "bawn: %llu secrets are too short to be looked for\n",
			(unsigned long long)g->too_short);
}

static int save(struct tpl *c, struct box *b, struct err *err)
{
	struct gate_result gate = {0};
	struct ref ref;
	char id[65];
	char *helper = path_join(&c->a, c->dirs.install.libexec, "bawn-gate");
	int r = ref_parse(&c->a, b->name, &ref, err);
	if (r == 0)
		r = ref_check_new(&ref, err);
	char *key = r == 0 ? ref_key(&c->a, &ref) : NULL;
	if (r < 0)
		return r;
	if (!helper || !key)
		return err_set(err, ENOMEM, "out of memory");
	if (ref.digest)
		return err_set(err, EINVAL, "a template is saved under a name, not under a digest");
	_cleanup_close_ int hold = templates_hold(&c->t, err);
	if (hold < 0)
		return hold;
	progress_begin(&c->w.progress, "saving", b->quiet != 0);
	r = template_save_upper(&c->w, helper, &b->u, &gate, id, err);
	progress_end(&c->w.progress);
	if (r == -EACCES && gate.n_found)
		return refuse(b, &gate, err);
	if (r == 0)
		r = templates_tag(&c->t, &c->a, key, id, err);
	if (r < 0)
		return r;
	say_passed(&gate);
	struct template_export e = {.id = arena_dup(&c->a, id)};
	strv_push(&c->a, &e.names, key);
	if (b->output)
		r = template_save_archive(c, b->output, b->oci != 0, &e, 1, err);
	if (r == 0)
		printf("%.12s  %s\n", id, ref_familiar(&c->a, &ref));
	return r;
}

static int run(struct tpl *c, char **word, int n, struct err *err)
{
	struct box b = {.u = {.seed = -1, .secrets = -1}};
	(void)word;
	(void)n;
	int r = read_box(&c->a, &b, err);
	return r < 0 ? r : save(c, &b, err);
}

const struct template_verb template_box_verb = {
	.name = "save-box",
	.args = "",
	.text = "Called by bawn template save.",
	.examples = "",
	.rows = rows,
	.run = run,
};
