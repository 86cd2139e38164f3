/* cli/template-load.c - bawn template load */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "cli/template.h"

enum { OPT_TAG, OPT_PLATFORM, OPT_QUIET };
static const struct option_row rows[] = {
	{"tag", 't', "NEW", "name the archive's only image so, too", OPT_TAG},
	{"platform", 0, "OS/ARCH", "of several, the image for this platform (this machine's)",
		OPT_PLATFORM},
	{"quiet", 'q', NULL, "show no progress", OPT_QUIET},
	TEMPLATE_HELP_ROW,
	{0},
};
static const char *tag, *platform_text;
static bool quiet;

static int option(void *ctx, int id, const char *value, struct err *err)
{
	(void)ctx;
	(void)err;
	if (id == OPT_TAG)
		tag = value;
	else if (id == OPT_PLATFORM)
		platform_text = value;
	else
		quiet = true;
	return 0;
}

static int open_archive(const char *path, struct err *err)
{
	char shown[300];
	struct stat st;
	if (streq(path, "-")) {
		if (isatty(STDIN_FILENO)) {
			err_hint(err, "bawn template load FILE, or pipe an archive into it");
			return err_set(err, ENOTTY, "stdin is a terminal, and no archive");
		}
		return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	}
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	escape_text(shown, sizeof(shown), path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "open '%s'", shown);
	if (S_ISDIR(st.st_mode)) {
		err_hint(err, "an OCI layout in a directory: tar -C %s -c . | bawn template load -",
			shown);
		return err_set(err, EISDIR, "%s is a directory", shown);
	}
	/* it might have no end */
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		return err_set(err, EINVAL, "%s is a device", shown);
	return TAKE_FD(fd);
}

static void say_loaded(struct tpl *c, const struct template_loaded *l)
{
	for (size_t i = 0; i < l->names.n; i++)
		printf("%.12s  %s\n", l->id, ref_shown(&c->a, l->names.v[i]));
	if (!l->names.n)
		printf("%.12s\n", l->id);
}

static int run(struct tpl *c, char **word, int n, struct err *err)
{
	struct image_platform p = image_machine();
	struct template_loaded *loaded = NULL;
	struct ref ref;
	char *key = NULL;
	size_t done = 0;
	int r = tag ? ref_parse(&c->a, tag, &ref, err) : 0;
	(void)n;
	if (r == 0 && tag && ref.digest)
		r = err_set(err, EINVAL, "a name with a digest is what a registry gives");
	if (r == 0 && tag)
		r = ref_check_new(&ref, err);
	if (r == 0 && tag)
		key = ref_key(&c->a, &ref);
	if (r == 0 && platform_text)
		r = image_platform_parse(&c->a, platform_text, &p, err);
	_cleanup_close_ int fd = r < 0 ? r : open_archive(word[0], err);
	if (fd < 0)
		return fd;
	/* what a killed one left goes first, if nobody else is at work */
	struct template_garbage g = {0};
	int alone = templates_lock(&c->t, 0, NULL);
	if (alone >= 0) {
		templates_collect(&c->t, &c->a, &g, NULL);
		close(alone);
	}
	_cleanup_close_ int hold = templates_hold(&c->t, err);
	if (hold < 0)
		return hold;
	progress_begin(&c->w.progress, "loading", quiet);
	r = template_load(&c->w, fd, &p, key, &loaded, &done, err);
	for (size_t i = 0; i < done; i++)
		say_loaded(c, &loaded[i]);
	return r < 0 ? err_prefix(err, "load") : 0;
}

const struct template_verb template_load_verb = {
	.name = "load",
	.args = "[-t NEW] FILE|-",
	.text = "Take the images of an archive: what docker image save, podman save and skopeo "
		"write, plain,\n"
		"gzip or zstd, from a file or stdin.",
	.examples = "  bawn template load image.tar\n",
	.rows = rows,
	.option = option,
	.min = 1,
	.max = 1,
	.what = "which archive?  (- is stdin)",
	.run = run,
};
