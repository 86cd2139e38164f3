/* cli/template-push.c - bawn template push */
#include "cli/template.h"
#include "template/remote.h"

enum { OPT_FORMAT, OPT_QUIET };
static const struct option_row rows[] = {
	{"format", 0, "oci|docker", "the kind of manifest (oci)", OPT_FORMAT},
	{"quiet", 'q', NULL, "show no progress", OPT_QUIET},
	TEMPLATE_HELP_ROW,
	{0},
};
static bool docker, quiet;

static int option(void *ctx, int id, const char *value, struct err *err)
{
	(void)ctx;
	if (id == OPT_QUIET) {
		quiet = true;
		return 0;
	}
	docker = streq(value, "docker");
	return docker || streq(value, "oci") ? 0 : err_set(err, EINVAL, "oci or docker is wanted");
}

static int run(struct tpl *c, char **word, int n, struct err *err)
{
	struct template_remote rm;
	struct template t;
	struct ref ref;
	char *digest = NULL;
	uint64_t sent = 0;
	_cleanup_close_ int hold = templates_hold(&c->t, err);
	int r = hold < 0 ? hold : template_find(&c->t, &c->a, word[0], &t, err);
	if (r == 0 && n == 1 && !t.key) {
		err_hint(err, "bawn template push ID REF, or a tag that says where it goes");
		r = err_set(err, EINVAL, "an ID doesn't say where it is to be pushed");
	}
	if (r == 0)
		r = ref_parse(&c->a, n > 1 ? word[1] : word[0], &ref, err);
	if (r == 0)
		r = template_remote_init(&rm, &c->a, c->dirs.install.libexec, &c->dirs.xdg, err);
	if (r < 0)
		return r;
	progress_begin(&c->w.progress, "pushing", quiet);
	r = template_push(&c->w, &rm, &t, &ref, docker, &digest, &sent, err);
	progress_end(&c->w.progress);
	if (r < 0)
		return err_prefix(err, "push %s", ref_familiar(&c->a, &ref));
	printf("%s  %s\n", digest, ref_familiar(&c->a, &ref));
	return 0;
}

const struct template_verb template_push_verb = {
	.name = "push",
	.args = "[OPTIONS] TEMPLATE [REF]",
	.text = "Bring a template to a registry, as REF or under its own name: the layers that it "
		"has not\n"
		"yet.  Prints the digest of the manifest.",
	.examples = "  bawn template push mine:1 registry.example.com/team/mine:1\n",
	.rows = rows,
	.option = option,
	.min = 1,
	.max = 2,
	.what = "which template?",
	.run = run,
};
