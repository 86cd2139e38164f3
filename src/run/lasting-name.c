/* run/lasting-name.c - which sandbox the words of a command line mean; see lasting.h.
 *
 * A sandbox keeps the options it was created with, as they were given.  On re-entry they are set
 * again from its spec, by the same table that reads the command line, with what was given now on
 * top: that counts for this start.  Where the sandbox runs already it could not apply, and must be
 * what the sandbox has.
 */
#include "run/lasting.h"

#include <dirent.h>
#include <time.h>

#include "base/escape.h"
#include "base/text.h"
#include "run/image.h"

/* What a sandbox keeps of the options.  One row an option: where it is in the spec and in the
 * options, as it was given. */
static const struct kept {
	const char *option;
	enum { KEPT_LIST, KEPT_FLAG, KEPT_NUMBER } kind;
	size_t spec, given;
	const char *change; /* the command that changes it, before its value */
} kept[] = {
#define S(m) offsetof(struct spec, m)
#define O(m) offsetof(struct run_options, m)
	{"allow", KEPT_LIST, S(allow), O(allow), "bawn policy allow"},
	{"deny", KEPT_LIST, S(deny), O(deny), "bawn policy deny"},
	{"allow-private", KEPT_LIST, S(allow_private), O(allow_private),
		"bawn policy allow --private"},
	{"policy", KEPT_LIST, S(policy), O(policy), NULL},
	{"mask", KEPT_LIST, S(mask), O(mask), NULL},
	{"allow-exec", KEPT_LIST, S(allow_exec), O(allow_exec), NULL},
	{"expose-key", KEPT_LIST, S(expose_key), O(expose_key), NULL},
	{"host-port", KEPT_LIST, S(host_port), O(host_port_texts), NULL},
	{"connect-to", KEPT_LIST, S(connect_to), O(connect_to_texts), NULL},
	{"publish", KEPT_LIST, S(publish), O(publish), "bawn ports"},
	{"allow-degraded", KEPT_LIST, S(degraded), O(degraded), NULL},
	{"offline", KEPT_FLAG, S(offline), O(offline), NULL},
	{"no-login", KEPT_FLAG, S(no_login), O(no_login), NULL},
	{"bare-home", KEPT_FLAG, S(bare_home), O(bare_home), NULL},
	{"clipboard", KEPT_FLAG, S(clipboard), O(clipboard), NULL},
	{"ask", KEPT_NUMBER, S(ask), O(ask), NULL},
	{"pids", KEPT_NUMBER, S(pids), O(pids), NULL},
	{"memory", KEPT_NUMBER, S(memory), O(memory), NULL},
	{"cpus", KEPT_NUMBER, S(cpus), O(cpus), NULL},
#undef S
#undef O
};

bool lasting_is_profile(const struct run *r, const char *name)
{
	char file[4096];
	const char *const dirs[] = {r->store.xdg.config, r->install.data};
	if (strchr(name, '/'))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if ((size_t)snprintf(file, sizeof(file), "%s/profiles/%s.yaml", dirs[i], name) <
				sizeof(file) &&
			access(file, F_OK) == 0)
			return true;
	return false;
}

/* The profile that was perhaps meant, or NULL. */
static const char *nearest_profile(struct run *r, const char *name)
{
	struct strv names = {0};
	const char *const dirs[] = {r->store.xdg.config, r->install.data};
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		char *path = path_join(&r->arena, dirs[i], "profiles");
		DIR *d = path ? opendir(path) : NULL;
		struct dirent *de;
		while (d && (de = readdir(d))) {
			size_t n = strlen(de->d_name);
			if (n > 5 && streq(de->d_name + n - 5, ".yaml"))
				strv_push(&r->arena, &names,
					arena_dupn(&r->arena, de->d_name, n - 5));
		}
		if (d)
			closedir(d);
	}
	return text_nearest(name, (const char *const *)names.v, names.n);
}

/* A profile's name where a sandbox's is wanted, as in bawn stop claude: it can't be one, so what
 * was meant is a sandbox that was made of it. */
static int profile_not_sandbox(
	struct run *r, const char *name, const struct strv *names, struct err *err)
{
	char list[200] = "";
	size_t n = 0;
	for (size_t i = 0; i < names->n && n < sizeof(list); i++) {
		struct spec s = {0};
		struct err ignored = {0};
		if (store_sandbox_find(&r->store, &r->arena, names->v[i], &s, &ignored) == 0 &&
			streq(s.profile, name))
			n += (size_t)snprintf(
				list + n, sizeof(list) - n, "%s%s", n ? ", " : "", names->v[i]);
	}
	if (n >= sizeof(list))
		err_hint(err, "bawn ls lists the sandboxes, those of %s too", name);
	else if (n)
		err_hint(err, "sandboxes of %s: %s; bawn ls lists all", name, list);
	else
		err_hint(err, "there is no sandbox of it yet: bawn create %s . makes one", name);
	return err_set(err, ENOENT, "'%s' is a profile, not a sandbox", name);
}

int lasting_unknown(struct run *r, const char *name, struct err *err)
{
	char shown[128];
	struct err unfit = {0};
	escape_text(shown, sizeof(shown), name);
	if (spec_name_check(name, &unfit) < 0) {
		err_hint(err,
			"a profile comes first, as in bawn run claude .; bawn ls lists the "
			"sandboxes, bawn profile ls the profiles");
		return err_set(err, ENOENT, "there is no sandbox and no profile '%s'", shown);
	}
	struct strv names = {0};
	struct err ignored = {0};
	store_sandbox_list(&r->store, &r->arena, &names, &ignored);
	if (lasting_is_profile(r, name))
		return profile_not_sandbox(r, name, &names, err);
	const char *near = text_nearest(name, (const char *const *)names.v, names.n);
	struct spec there;
	if (near && streq(near, name) && /* where a profile is wanted */
		store_sandbox_find(&r->store, &r->arena, name, &there, &ignored) == 0) {
		err_hint(err,
			"bawn run %s enters it; what begins anew takes a profile, as in bawn run "
			"--name NAME claude",
			name);
		return err_set(err, EEXIST, "'%s' is a sandbox, not a profile", name);
	}
	if (near) {
		err_hint(err, "did you mean %s?  bawn ls lists the sandboxes", near);
		return err_set(err, ENOENT, "there is no sandbox '%s'", shown);
	}
	near = nearest_profile(r, name);
	if (near) {
		err_hint(err,
			"did you mean the profile %s?  To create a sandbox of that name: bawn "
			"create --name %s %s .",
			near, name, near);
		return err_set(err, ENOENT, "there is no sandbox and no profile '%s'", shown);
	}
	err_hint(err, "bawn ls lists the sandboxes; to create it: bawn create --name %s %s .", name,
		r->opt.profile && lasting_is_profile(r, r->opt.profile) ? r->opt.profile
									: "claude");
	return err_set(err, ENOENT, "there is no sandbox '%s'", shown);
}

/* ---- names ---- */

/* The workspace's directory as a part of a name: what can't be in one becomes "-". */
static char *directory_part(struct arena *a, const char *path)
{
	char s[41];
	size_t n = 0;
	for (const char *p = path_base(path); *p && n < sizeof(s) - 1; p++) {
		bool ok = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			(*p >= '0' && *p <= '9') || *p == '.' || *p == '_';
		if (ok || (n && s[n - 1] != '-'))
			s[n++] = ok ? *p : '-';
	}
	while (n && (s[n - 1] == '-' || s[n - 1] == '.'))
		n--;
	return n ? arena_dupn(a, s, n) : arena_dup(a, "workspace");
}

/* A profile given as a file is named after that. */
static char *profile_part(struct arena *a, const char *profile)
{
	const char *base = path_base(profile);
	size_t n = strcspn(base, ".");
	return arena_dupn(a, base, MIN(n, (size_t)16));
}

static char *usual_name(struct run *r)
{
	return arena_printf(&r->arena, "%s-%s", profile_part(&r->arena, r->opt.profile),
		directory_part(&r->arena, r->ws.path));
}

/* ---- what it was created with ---- */

static struct strv *list_at(void *base, size_t at)
{
	return (struct strv *)((char *)base + at);
}

static int resolve_policies(struct run *r, struct err *err)
{
	struct strv *p = &r->opt.policy;
	for (size_t i = 0; i < p->n; i++) {
		if (!strchr(p->v[i], '/'))
			continue;
		char *real = path_real(&r->arena, p->v[i]);
		if (!real)
			return err_sys(err, errno, "policy %s", p->v[i]);
		p->v[i] = real;
	}
	return 0;
}

/* The spec of a sandbox that these options would create. */
static int describe(struct run *r, struct err *err)
{
	struct run_options *o = &r->opt;
	struct spec *s = &r->spec;
	char *name = s->name;
	int k = resolve_policies(r, err);
	if (k == 0 && !o->template) {
		k = run_policy(r, err);
		o->template = k == 0 ? r->pack.profile.template : NULL;
	}
	if (k == 0)
		k = run_image_open(r, o->template, NULL, err);
	if (k < 0)
		return k;
	*s = (struct spec){.name = name,
		.profile = strchr(o->profile, '/') ? path_real(&r->arena, o->profile)
						   : arena_dup(&r->arena, o->profile),
		.template = arena_dup(&r->arena, r->image ? r->image->ref : "host"),
		.digest = r->image ? arena_printf(&r->arena, "sha256:%s", r->image->t.id) : NULL,
		.mode = arena_dup(&r->arena, o->mode ? o->mode : "direct"),
		.workspace = run_has_workspace(r) ? arena_dup(&r->arena, r->ws.path) : NULL,
		.created = (int64_t)time(NULL)};
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		char *to = (char *)s + kept[i].spec, *from = (char *)o + kept[i].given;
		if (kept[i].kind == KEPT_LIST)
			*(struct strv *)to = *(struct strv *)from;
		else if (kept[i].kind == KEPT_FLAG)
			*(bool *)to = *(bool *)from;
		else
			*(uint64_t *)to = *(uint64_t *)from;
	}
	for (size_t i = 0; i < r->n_extras; i++)
		strv_addf(&r->arena, &s->paths, "%s%s", r->extras[i].path,
			r->extras[i].read_only ? ":ro" : "");
	if (!s->profile)
		return err_sys(err, errno, "profile %s", o->profile);
	return arena_check(&r->arena, err);
}

/* ---- re-entry ---- */

static int refuse(struct run *r, const struct kept *k, const char *value, struct err *err)
{
	const char *name = r->spec.name;
	char shown[200];
	escape_text(shown, sizeof(shown), value);
	if (k->change && k->given == offsetof(struct run_options, publish))
		err_hint(err, "bawn ports %s --publish %s", name, shown);
	else if (k->change)
		err_hint(err, "%s %s --sandbox %s; or create another with --name", k->change, shown,
			name);
	else
		err_hint(err, "bawn stop %s and run it again, or create another with --name", name);
	return err_set(err, EINVAL, "sandbox %s is running without --%s%s%s", name, k->option,
		*shown ? " " : "", shown);
}

int lasting_check_given(struct run *r, struct err *err)
{
	struct run_options *o = &r->given;
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		const struct kept *k = &kept[i];
		char *has = (char *)&r->spec + k->spec, *given = (char *)o + k->given;
		const struct strv *list = list_at(o, k->given);
		char number[24];
		if (k->kind == KEPT_FLAG && *(bool *)given && !*(bool *)has)
			return refuse(r, k, "", err);
		if (k->kind == KEPT_NUMBER && *(uint64_t *)given &&
			*(uint64_t *)given != *(uint64_t *)has) {
			snprintf(number, sizeof(number), "%llu",
				(unsigned long long)*(uint64_t *)given);
			return refuse(r, k, number, err);
		}
		for (size_t n = 0; k->kind == KEPT_LIST && n < list->n; n++)
			if (!strv_has((const struct strv *)has, list->v[n]))
				return refuse(r, k, list->v[n], err);
	}
	return 0;
}

/* What a sandbox is made of can't change. */
static int check_words(struct run *r, struct err *err)
{
	const char *template = run_image_name(r, r->opt.template);
	if (template && r->spec.digest && run_image_same(template, r->spec.digest))
		template = NULL;
	const struct {
		const char *option, *given, *has;
	} words[] = {
		{"workspace", r->opt.mode, r->spec.mode}, {"template", template, r->spec.template}};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].given && !streq(words[i].given, words[i].has)) {
			err_hint(err, "bawn rm %s and start again, or create another with --name",
				r->spec.name);
			return err_set(err, EINVAL, "sandbox %s was created with --%s %s",
				r->spec.name, words[i].option, words[i].has);
		}
	return 0;
}

/* The line that makes a sandbox with all of them: the first is the workspace. */
static void hint_create(struct run *r, const struct strv *paths, struct err *err)
{
	char words[400] = "", one[300];
	size_t n = 0;
	for (size_t i = 0; i < paths->n && n < sizeof(words); i++) {
		escape_shell(one, sizeof(one), paths->v[i]);
		n += (size_t)snprintf(words + n, sizeof(words) - n, " %s", one);
	}
	err_hint(err, "create another one for it: bawn create --name NAME %s%s", r->spec.profile,
		n < sizeof(words) ? words : " PATH...");
}

/* PATHs that were given on re-entry: the sandbox's own, or an error. */
static int check_paths(struct run *r, const struct strv *paths, struct err *err)
{
	char shown[300];
	for (size_t i = 0; i < paths->n; i++) {
		size_t n = strlen(paths->v[i]);
		bool ro = n > 3 && streq(paths->v[i] + n - 3, ":ro");
		char *given = arena_dupn(&r->arena, paths->v[i], ro ? n - 3 : n);
		char *real = given ? path_real(&r->arena, given) : NULL;
		if (!real) {
			int e = errno;
			host_path_hint(paths->v[i], e, err);
			return err_sys(
				err, e, "%s", escape_text(shown, sizeof(shown), paths->v[i]));
		}
		bool known = i == 0 && r->spec.workspace
			? path_within(real, r->spec.workspace)
			: strv_has(&r->spec.paths,
				  arena_printf(&r->arena, "%s%s", real, ro ? ":ro" : ""));
		if (known)
			continue;
		escape_text(shown, sizeof(shown), paths->v[i]);
		hint_create(r, paths, err);
		return err_set(err, EINVAL, "sandbox %s has %s %s", r->spec.name,
			i == 0 && r->spec.workspace ? "another workspace:" : "not",
			i == 0 && r->spec.workspace ? r->spec.workspace : shown);
	}
	return 0;
}

/* r->opt becomes what the sandbox was created with, and what was given now. */
static int restore_options(struct run *r, struct err *err)
{
	struct run_options *o = &r->opt;
	int e = resolve_policies(r, err);
	r->given = *o;
	o->n_overrides = o->n_host_ports = o->n_ports = 0;
	for (size_t i = 0; i < ARRAY_LEN(kept) && e == 0; i++) {
		const struct kept *k = &kept[i];
		char *has = (char *)&r->spec + k->spec, *to = (char *)o + k->given;
		const struct strv *lists[] = {
			list_at(&r->spec, k->spec), list_at(&r->given, k->given)};
		if (k->kind == KEPT_FLAG)
			*(bool *)to |= *(bool *)has;
		else if (k->kind == KEPT_NUMBER && !*(uint64_t *)to)
			*(uint64_t *)to = *(uint64_t *)has;
		if (k->kind != KEPT_LIST)
			continue;
		*(struct strv *)to = (struct strv){0};
		for (size_t l = 0; l < ARRAY_LEN(lists); l++)
			for (size_t n = 0; n < lists[l]->n && e == 0; n++)
				if (l == 0 || !strv_has(lists[0], lists[l]->v[n]))
					e = run_option_set(r, k->option, lists[l]->v[n], err);
	}
	if (e == 0)
		e = run_check_ports(o, err);
	if (e < 0)
		return err_prefix(err, "sandbox %s", r->spec.name);
	o->paths = (struct strv){0};
	if (r->spec.workspace)
		strv_push(&r->arena, &o->paths, r->spec.workspace);
	for (size_t i = 0; i < r->spec.paths.n; i++)
		strv_push(&r->arena, &o->paths, r->spec.paths.v[i]);
	o->mode = r->spec.mode;
	o->template = r->spec.template;
	return arena_check(&r->arena, err);
}

/* The workspace again, and in it the directory that the command was given in. */
static int find_workspace(struct run *r, struct err *err)
{
	char *here = path_real(&r->arena, ".");
	r->ws = (struct host_workspace){0};
	int k = run_workspace(r, err);
	if (k < 0) {
		err_hint(err, "put it back, or remove the sandbox: bawn rm %s", r->spec.name);
		return err_prefix(err, "the workspace of sandbox %s", r->spec.name);
	}
	if (run_has_workspace(r))
		r->ws.cwd = here && path_within(here, r->ws.path) ? here : r->ws.path;
	return 0;
}

static int re_enter(struct run *r, const struct strv *paths, struct err *err)
{
	int k = check_paths(r, paths, err);
	if (k == 0)
		k = check_words(r, err);
	if (k == 0)
		k = restore_options(r, err);
	if (k == 0)
		k = run_image_open(r, r->spec.template, r->spec.digest, err);
	if (k == 0)
		k = find_workspace(r, err);
	if (k == 0 && !r->opt.profile)
		r->opt.profile = r->spec.profile;
	return k;
}

int lasting_find_name(struct run *r, const char *name, struct err *err)
{
	int k = store_sandbox_find(&r->store, &r->arena, name, &r->spec, err);
	if (k == -ENOENT && !err->code)
		return lasting_unknown(r, name, err);
	return k;
}

/* Is name this profile's sandbox for this workspace, or for none?  r->spec is it then. */
static bool is_here(struct run *r, const char *name, const char *profile)
{
	struct spec s = {0};
	struct err ignored = {0};
	if (store_sandbox_find(&r->store, &r->arena, name, &s, &ignored) < 0 ||
		!streq(s.profile, profile))
		return false;
	bool here = run_has_workspace(r) ? s.workspace && streq(s.workspace, r->ws.path)
					 : !s.workspace;
	if (here)
		r->spec = s;
	return here;
}

/* As it stands in a sandbox's description. */
static char *own_profile(struct run *r)
{
	return strchr(r->opt.profile, '/') ? path_real(&r->arena, r->opt.profile)
					   : arena_dup(&r->arena, r->opt.profile);
}

/* The usual name, or with the number that new_name() puts behind it. */
static bool is_usual(const char *name, const char *usual)
{
	const size_t n = strlen(usual);
	return has_prefix(name, usual) &&
		(!name[n] ||
			(name[n] == '-' && name[n + 1] &&
				!name[n + 1 + strspn(name + n + 1, "0123456789")]));
}

/* The one that this profile has for this workspace: by its usual name first, as forks of it are on
 * the same, else by looking at all.  Of those with another name one counts only if what it writes
 * lands where it is to: a cow or a clone that was made aside is entered by its name. */
static int find_by_place(struct run *r, bool *ret_found, struct err *err)
{
	struct strv names = {0};
	char *profile = own_profile(r);
	char *usual = usual_name(r);
	*ret_found = profile && usual && is_here(r, usual, profile);
	if (*ret_found || !profile || !usual)
		return 0;
	const char *mode = r->opt.mode ? r->opt.mode : "direct";
	const struct spec none = r->spec;
	int k = store_sandbox_list(&r->store, &r->arena, &names, err);
	for (size_t i = 0; i < names.n && k == 0 && !*ret_found; i++)
		*ret_found = is_here(r, names.v[i], profile) &&
			(streq(r->spec.mode, mode) || is_usual(names.v[i], usual));
	if (!*ret_found)
		r->spec = none;
	else if (!is_usual(r->spec.name, usual) && !r->result.iteration) /* a loop says it itself */
		run_message(r, "this is sandbox %s", r->spec.name);
	return k;
}

/* PROFILE-DIRECTORY, with a number behind it where that is another workspace's.  *ret_here: it was
 * made for this one since we looked, and r->spec is it. */
static int new_name(struct run *r, bool *ret_here, struct err *err)
{
	struct arena *a = &r->arena;
	char *base = usual_name(r), *profile = own_profile(r);
	*ret_here = false;
	for (int i = 1; i < 1000; i++) {
		struct spec other;
		struct err ignored = {0};
		char *name = i == 1 ? base : arena_printf(a, "%s-%d", base, i);
		if (!name)
			return err_set(err, ENOMEM, "out of memory");
		if (lasting_is_profile(r, name))
			continue;
		if (store_sandbox_find(&r->store, a, name, &other, &ignored) == -ENOENT) {
			r->spec.name = name;
			return spec_name_check(name, err);
		}
		*ret_here = profile && is_here(r, name, profile);
		if (*ret_here)
			return 0;
	}
	return err_set(err, EEXIST, "there are too many sandboxes %s", base);
}

int lasting_made_meanwhile(struct run *r, bool *ret_here, struct err *err)
{
	const struct spec mine = r->spec;
	*ret_here = is_here(r, mine.name, mine.profile);
	r->spec = mine;
	if (*ret_here)
		return 0;
	if (r->opt.name) { /* as if it had been there from the start */
		int k = store_sandbox_find(&r->store, &r->arena, mine.name, &r->spec, err);
		*ret_here = k == 0;
		return k == 0 ? re_enter(r, &r->opt.paths, err) : k == -ENOENT ? 0 : k;
	}
	int k = new_name(r, ret_here, err);
	const char *name = r->spec.name;
	r->spec = mine;
	r->spec.name = arena_dup(&r->arena, name);
	return k;
}

static int create_named(struct run *r, const char *name, struct err *err)
{
	if (!r->opt.profile)
		return lasting_unknown(r, name, err);
	if (lasting_is_profile(r, name)) {
		err_hint(err, "add something to it: --name %s-1", name);
		return err_set(err, EINVAL, "'%s' is a profile's name", name);
	}
	if (!lasting_is_profile(r, r->opt.profile))
		return lasting_unknown(r, r->opt.profile, err);
	int k = run_workspace(r, err);
	if (k < 0)
		return k;
	r->spec.name = arena_dup(&r->arena, name);
	return describe(r, err);
}

int lasting_find(struct run *r, bool *ret_new, struct err *err)
{
	struct run_options *o = &r->opt;
	const struct strv paths = o->paths;
	const char *name = o->name;
	*ret_new = false;
	if (!name && !lasting_is_profile(r, o->profile)) {
		name = o->profile;
		o->profile = NULL;
	}
	if (name) {
		int k = store_sandbox_find(&r->store, &r->arena, name, &r->spec, err);
		if (k == 0)
			return re_enter(r, &paths, err);
		if (k != -ENOENT || err->code)
			return k;
		*ret_new = true;
		return create_named(r, name, err);
	}
	int k = run_workspace(r, err);
	if (k == 0)
		k = find_by_place(r, ret_new, err);
	if (k < 0)
		return k;
	bool here = *ret_new;
	if (!here)
		k = new_name(r, &here, err);
	*ret_new = !here;
	return k < 0 ? k : here ? re_enter(r, &paths, err) : describe(r, err);
}
