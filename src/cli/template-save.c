/* cli/template-save.c - bawn template save: templates as an archive; a sandbox as a template is
 * cmd-template-save.c and template-box.c */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "cli/template-save.h"

enum { OPT_OUTPUT, OPT_FORMAT, OPT_QUIET, OPT_SQUASH, OPT_ALLOW_SECRET };
static const struct option_row rows[] = {
	{"output", 'o', "FILE", "where to; - is stdout", OPT_OUTPUT},
	{"format", 0, "docker|oci", "docker load reads it, too (docker), or an OCI layout alone",
		OPT_FORMAT},
	{"squash", 0, NULL, "of a sandbox: one layer, with those of its template", OPT_SQUASH},
	{"allow-secret", 0, "PATH",
		"of a sandbox: what looks like a secret there may be saved (several times)",
		OPT_ALLOW_SECRET},
	{"quiet", 'q', NULL, "show no progress", OPT_QUIET},
	TEMPLATE_HELP_ROW,
	{0},
};
static const char *output;
static bool oci, quiet, of_sandbox;

static int option(void *ctx, int id, const char *value, struct err *err)
{
	(void)ctx;
	if (id == OPT_OUTPUT)
		output = value;
	else if (id == OPT_QUIET)
		quiet = true;
	else if (id == OPT_SQUASH || id == OPT_ALLOW_SECRET)
		of_sandbox = true;
	else if (streq(value, "docker") || streq(value, "oci"))
		oci = streq(value, "oci");
	else
		return err_set(err, EINVAL, "it is docker or oci");
	return 0;
}

/* Under the name it was asked for by, in the full form; by its ID, under all that it has. */
static int find_one(struct tpl *c, const char *word, struct template_export *ret, struct err *err)
{
	struct template f;
	struct template_tags tags = {0};
	int r = template_find(&c->t, &c->a, word, &f, err);
	if (r == 0 && !f.key)
		r = templates_tags(&c->t, &c->a, &tags, err);
	if (r < 0)
		return r;
	ret->id = f.id;
	if (f.key && !strchr(f.key, '@'))
		strv_push(&c->a, &ret->names, f.key);
	for (size_t i = 0; i < tags.n; i++)
		if (streq(tags.v[i].id, f.id) && !strchr(tags.v[i].key, '@'))
			strv_push(&c->a, &ret->names, tags.v[i].key);
	return arena_check(&c->a, err);
}

static int find_all(struct tpl *c, char **word, int n, struct template_export *v, size_t *ret_n,
	struct err *err)
{
	size_t found = 0;
	for (int i = 0; i < n; i++) {
		struct template_export e = {0};
		size_t k = 0;
		int r = find_one(c, word[i], &e, err);
		if (r < 0)
			return r;
		while (k < found && !streq(v[k].id, e.id))
			k++;
		if (k == found)
			v[found++] = e;
		else
			for (size_t j = 0; j < e.names.n; j++)
				if (!strv_has(&v[k].names, e.names.v[j]))
					strv_push(&c->a, &v[k].names, e.names.v[j]);
	}
	*ret_n = found;
	return 0;
}

static int to_stdout(
	struct tpl *c, bool oci_alone, const struct template_export *v, size_t n, struct err *err)
{
	if (isatty(STDOUT_FILENO)) {
		err_hint(err, "bawn template save -o FILE ...");
		return err_set(err, ENOTTY, "stdout is a terminal, and no place for an archive");
	}
	return template_export(&c->w, STDOUT_FILENO, v, n, oci_alone, err);
}

/* Written beside, synced, renamed: the old file or the new one. */
static int to_file(struct tpl *c, const char *file, bool oci_alone, const struct template_export *v,
	size_t n, struct err *err)
{
	char shown[300];
	char *tmp = arena_printf(&c->a, "%s.%ld.tmp", file, (long)getpid());
	struct stat st;
	if (!tmp)
		return err_set(err, ENOMEM, "out of memory");
	escape_text(shown, sizeof(shown), file);
	if (lstat(file, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(err, EEXIST, "%s is there, and no plain file", shown);
	_cleanup_close_ int fd = open(
		tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0)
		return err_sys(err, errno, "create %s", shown);
	int r = template_export(&c->w, fd, v, n, oci_alone, err);
	if (r == 0 && (fsync(fd) < 0 || rename(tmp, file) < 0))
		r = err_sys(err, errno, "write %s", shown);
	if (r < 0)
		unlink(tmp);
	return r;
}

int template_save_archive(struct tpl *c, const char *file, bool oci_alone,
	const struct template_export *v, size_t n, struct err *err)
{
	return streq(file, "-") ? to_stdout(c, oci_alone, v, n, err)
				: to_file(c, file, oci_alone, v, n, err);
}

static int run(struct tpl *c, char **word, int n, struct err *err)
{
	size_t found = 0;
	struct template_export *v = arena_alloc(&c->a, (size_t)n * sizeof(*v));
	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	if (of_sandbox) {
		err_hint(err, "bawn template save NAME TAG; see what there is: bawn ls");
		return err_set(err, EINVAL,
			"--squash and --allow-secret are for saving a sandbox under a tag");
	}
	if (!output) {
		err_hint(err, "bawn template save -o FILE %s", word[0]);
		return err_set(err, EINVAL, "where to?  --output is missing");
	}
	_cleanup_close_ int hold = templates_hold(&c->t, err);
	int r = hold < 0 ? hold : find_all(c, word, n, v, &found, err);
	if (r < 0)
		return r;
	progress_begin(&c->w.progress, "saving", quiet);
	return template_save_archive(c, output, oci, v, found, err);
}

const struct template_verb template_save_verb = {
	.name = "save",
	.args = "-o FILE TEMPLATE... | NAME TAG",
	.text = "Write templates as an archive: bawn template load, docker load, podman and "
		"skopeo take it.\nOr make a template, TAG, of what was installed in the sandbox "
		"NAME: "
		"its "
		"files without\nlog-ins, histories and what was mounted.  Secrets are looked for; "
		"what "
		"is found stops it.",
	.examples = "  bawn template save -o debian.tar debian:12\n"
		    "  bawn template save claude-project my-tools:v1\n",
	.rows = rows,
	.option = option,
	.min = 1,
	.max = -1,
	.what = "which template?",
	.run = run,
};
