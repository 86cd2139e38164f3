/* build/stages.c - the stages of a Dockerfile and what each begins as; see build.h */
#include <ctype.h>
#include <strings.h>

#include "base/escape.h"
#include "base/proc.h"
#include "image/image.h"
#include "build/build.h"

extern char **environ;

static char *small(struct arena *a, const char *s)
{
	char *p = arena_dup(a, s);
	for (char *c = p; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return p;
}

int build_stage_find(const struct build *b, const char *name, int before)
{
	char *end;
	for (int i = before; i-- > 0;) {
		const char *n = b->stages[i].name;
		if (n && strcasecmp(n, name) == 0)
			return i;
	}
	long number = isdigit((unsigned char)*name) ? strtol(name, &end, 10) : -1;
	return number >= 0 && !*end && number < before ? (int)number : -1;
}

static int check_platform(
	struct build *b, const struct df_inst *i, const char *text, size_t at, struct err *err)
{
	struct image_platform p;
	int r = image_platform_parse(&b->a, text, &p, err);
	if (r < 0)
		return i ? df_err_at(&b->d, i->line, at, err), r : r;
	const struct image_platform machine = image_machine();
	if (image_platform_fits(&machine, &p))
		return 0;
	err_hint(err,
		"only this machine's own programs can run here: leave --platform out, or give "
		"linux/%s",
		image_here.arch);
	if (i)
		return df_err(&b->d, i->line, at, err, "%s is another platform than this machine's",
			text);
	return err_set(err, EINVAL, "--platform: %s is another platform than this machine's", text);
}

static int read_from(struct build *b, struct build_stage *s, int index, struct err *err)
{
	const struct df_inst *i = s->from;
	int r = build_word(b, NULL, i, i->words[0].s, i->words[0].at, &s->base, err);
	if (r < 0)
		return r;
	if (!*s->base)
		return df_err(&b->d, i->line, i->words[0].at, err,
			"%s stands for nothing: an ARG before the first FROM, or --build-arg, "
			"gives it a value",
			i->words[0].s);
	if (i->n_words == 3)
		s->name = small(&b->a, i->words[2].s);
	s->parent = build_stage_find(b, s->base, index);
	if (s->parent >= 0 && isdigit((unsigned char)*s->base))
		s->parent = -1; /* FROM takes names alone */
	for (size_t k = 0; k < i->n_flags; k++) {
		char *platform;
		r = build_word(b, NULL, i, i->flags[k].value, i->flags[k].at, &platform, err);
		if (r == 0)
			r = check_platform(b, i, platform, i->flags[k].at, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The stages that instruction i copies or mounts from. */
static int need_from(struct build *b, int stage, const struct df_inst *i, struct err *err)
{
	for (size_t k = 0; k < i->n_flags; k++) {
		const struct df_flag *f = &i->flags[k];
		const char *from = streq(f->name, "from") ? f->value : NULL;
		if (streq(f->name, "mount")) {
			struct df_mount m;
			if (df_mount_parse(&b->a, f->value, NULL, &m, err) == 0)
				from = m.from;
		}
		if (from && strchr(from, '$')) {
			err_hint(err, "give it a name: FROM %s AS name", from);
			return df_err(&b->d, i->line, f->at, err,
				"no variable can stand where a stage is named");
		}
		int other = from ? build_stage_find(b, from, stage) : -1;
		if (other >= 0)
			b->stages[other].needed = true;
		else if (from && build_stage_find(b, from, b->n_stages) >= 0)
			return df_err(&b->d, i->line, f->at, err,
				"stage %s comes later, or is this one", from);
	}
	return 0;
}

static int mark_needed(struct build *b, struct err *err)
{
	for (int k = b->n_stages; k-- > 0;) {
		struct build_stage *s = &b->stages[k];
		if (!s->needed)
			continue;
		if (s->parent >= 0)
			b->stages[s->parent].needed = true;
		b->steps += s->n + 1;
		for (size_t i = 0; i < s->n; i++) {
			int r = need_from(b, k, b->d.v[s->first + i], err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int find_target(struct build *b, struct err *err)
{
	b->target = b->n_stages - 1;
	if (!b->opt.target)
		return 0;
	b->target = build_stage_find(b, b->opt.target, b->n_stages);
	if (b->target >= 0)
		return 0;
	for (int k = 0; k < b->n_stages; k++)
		if (b->stages[k].name)
			err_hint(
				err, "the last stage that has a name is \"%s\"", b->stages[k].name);
	return err_set(
		err, ENOENT, "--target: there is no stage \"%s\" in %s", b->opt.target, b->d.file);
}

int build_stages(struct build *b, struct err *err)
{
	int r = b->opt.platform ? check_platform(b, NULL, b->opt.platform, 0, err) : 0;
	b->stages = arena_alloc(&b->a, (b->d.n_inst + 1) * sizeof(*b->stages));
	if (!b->stages)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t k = 0; r == 0 && k < b->d.n_inst; k++) {
		struct df_inst *i = b->d.v[k];
		b->at = i;
		if (i->kind == DF_FROM) {
			struct build_stage *s = &b->stages[b->n_stages];
			*s = (struct build_stage){.from = i, .first = k + 1, .parent = -1};
			r = read_from(b, s, b->n_stages, err);
			b->n_stages++;
		} else if (b->n_stages) {
			b->stages[b->n_stages - 1].n++;
		} else {
			for (size_t p = 0; r == 0 && p < i->n_pairs; p++)
				r = build_arg(b, NULL, i, &i->pairs[p], err);
		}
	}
	b->at = NULL;
	if (r == 0)
		r = find_target(b, err);
	if (r < 0)
		return r;
	b->stages[b->target].needed = true;
	return mark_needed(b, err);
}

int build_template_verb(struct build *b, const char *verb, const char *ref, struct err *err)
{
	char *path = path_join(&b->a, b->install.libexec, "bawn-template");
	char *argv[] = {"bawn-template", "template", (char *)verb, "--", (char *)ref, NULL};
	const int fds[] = {-1, STDERR_FILENO, STDERR_FILENO};
	struct proc p = PROC_NONE;
	int status = 0;
	int r = path ? proc_spawn(&(struct proc_spawn){.path = path,
					  .argv = argv,
					  .envp = environ,
					  .fds = fds,
					  .nfds = ARRAY_LEN(fds)},
			       &p, err)
		     : err_set(err, ENOMEM, "out of memory");
	if (r == 0)
		r = proc_wait(&p, &status);
	return r < 0 ? r : status;
}

/* Once for each name.  What has no registry that could be asked is an error, as elsewhere. */
static int pull_anew(struct build *b, const char *text, struct err *err)
{
	char shown[REF_MAX + 1];
	if (!b->opt.pull || has_prefix(text, "sha256:") || strv_has(&b->pulled, text))
		return 0;
	int r = build_template_verb(b, "pull", text, err);
	if (r > 0)
		return err_set(err, EIO, "--pull: '%s' could not be pulled",
			escape_text(shown, sizeof(shown), text));
	if (r == 0)
		r = strv_add(&b->a, &b->pulled, text);
	return r == -ENOMEM ? err_set(err, ENOMEM, "out of memory") : r;
}

/* What is not here is pulled; who says by its digest what it wants, or badly, is not helped so. */
static int find_base(struct build *b, const char *text, struct template *t, struct err *err)
{
	struct ref ref;
	struct err none = {0};
	int r = pull_anew(b, text, err);
	if (r < 0)
		return r;
	r = template_find(&b->store, &b->a, text, t, err);
	if (r != -ENOENT || has_prefix(text, "sha256:") || ref_parse(&b->a, text, &ref, &none) < 0)
		return r;
	*err = none;
	r = build_template_verb(b, "pull", text, err);
	if (r == 0)
		return template_find(&b->store, &b->a, text, t, err);
	char shown[REF_MAX + 1];
	return r < 0 ? r
		     : err_set(err, ENOENT, "there is no template '%s', and it could not be pulled",
			       escape_text(shown, sizeof(shown), text));
}

/* What is there to do where no registry is. */
static void base_hint(struct build *b, const char *text, struct err *err)
{
	struct ref ref;
	struct err none = {0};
	char shown[REF_MAX + 1];
	if (ref_parse(&b->a, text, &ref, &none) == 0 && streq(ref.host, REF_HOST) &&
		streq(ref.path, "library/debian") && !ref.digest)
		err_hint(err, "without a registry it is made by: bawn template bootstrap %s",
			escape_text(shown, sizeof(shown), text));
	else
		err_hint(err,
			"bawn template ls shows what is there; bawn template load or bootstrap "
			"makes a base without a registry");
}

int build_base(struct build *b, const char *ref, struct build_state *ret, struct err *err)
{
	struct template t = {0};
	int r = find_base(b, ref, &t, err);
	if (r < 0) {
		if (r == -ENOENT && !err->hint[0])
			base_hint(b, ref, err);
		return r;
	}
	ssize_t n = template_config(&b->store, &b->a, t.id, &ret->config, err);
	if (n < 0)
		return (int)n;
	ret->n_config = (size_t)n;
	ret->layers = t.info.layers;
	ret->env = t.info.env;
	ret->user = t.info.user;
	ret->workdir = t.info.workdir;
	ret->shell = t.info.shell;
	ret->onbuild = t.info.onbuild;
	return 0;
}
