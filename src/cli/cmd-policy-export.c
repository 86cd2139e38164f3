/* cli/cmd-policy-export.c - bawn policy export NAME|PROFILE [-o FILE] and import FILE [--as NAME]:
 * one self-contained policy that says on another machine what this one says here.
 *
 * What is exported is read again before it is given out, and must say the same (compare.h).  What
 * can't be said by rules alone is refused.  What is imported is a stranger's text: it is parsed by
 * the one parser for policies, which names no file and runs nothing, and its bytes become the
 * user's policy as they are, or nothing does.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "cli/admin.h"
#include "cli/policy-side.h"
#include "policy/compare.h"
#include "policy/lint.h"
#include "policy/schema.h"
#include "policy/write.h"

static const char export_usage[] = "bawn policy export NAME|PROFILE [-o FILE [--force]]";
static const char import_usage[] = "bawn policy import FILE|- [--as NAME] [--force]";

/* ---- export ---- */

/* Keys of a policy, a rule and a credential that the text below keeps; another one is not left out
 * in silence. */
static const char *const kept[] = {
	"summary", "api", "beside", "allow", "deny", "credentials", NULL};
static const char *const kept_in_rule[] = {"host", "private", "raw", "max-upload", NULL};
static const char *const kept_in_credential[] = {"secret", "hosts", "header", "basic", "env",
	"file", "placeholder", "always", "login", "requests", "beyond", NULL};

static const struct yaml_node *unkept(const struct yaml_node *map, const char *const *keys)
{
	for (const struct yaml_node *e = map->child; e; e = e->next) {
		size_t i = 0;
		while (e->key && keys[i] && !streq(e->key, keys[i]))
			i++;
		if (e->key && !keys[i])
			return e;
	}
	return NULL;
}

static int check_plain(struct ctx *c, const char *path, struct err *err)
{
	struct yaml_node *root = NULL;
	int r = yaml_load(&c->a, path, &root, err);
	if (r < 0)
		return r;
	const struct yaml_node *bad = unkept(root, kept);
	for (const struct yaml_node *e = root->child; e && !bad; e = e->next)
		for (const struct yaml_node *k = e->child; k && !bad; k = k->next)
			bad = unkept(k,
				streq(e->key, "credentials") ? kept_in_credential : kept_in_rule);
	if (!bad)
		return 0;
	err_hint(err, "copy the file itself");
	return yaml_err_key(err, path, bad,
		"\"%s\" says more than can be taken along: it can't be exported", bad->key);
}

static bool said_before(const struct rules *rules, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (compare_same_rule(&rules->v[k], &rules->v[i]))
			return true;
	return false;
}

static void put_list(struct arena *a, FILE *f, const struct rules *rules, bool deny)
{
	const char *last = NULL;
	char file[300];
	bool any = false;
	for (size_t i = 0; i < rules->n; i++) {
		const struct rule *r = &rules->v[i];
		if (r->deny != deny || said_before(rules, i))
			continue;
		if (!any)
			fprintf(f, "%s:\n", deny ? "deny" : "allow");
		any = true;
		/* where it is from: the file's name alone, its place means nothing elsewhere */
		if (!last || !streq(last, r->file))
			fprintf(f, "  # %s\n", shown(file, sizeof(file), path_base(r->file)));
		last = r->file;
		bool plain = !r->private_ok && !r->raw && !r->max_upload;
		fprintf(f, "  - %s%s%s%s", plain ? "" : "host: ", write_quoted(a, r->text),
			r->private_ok ? "\n    private: true" : "",
			r->raw ? "\n    raw: true" : "");
		if (r->max_upload) {
			fputs("\n    max-upload: ", f);
			write_size(f, r->max_upload);
		}
		fputc('\n', f);
	}
	if (!any && !deny)
		fprintf(f, "allow: []\n");
}

/* All of it; the arena's.  NULL: out of memory. */
static char *export_text(struct ctx *c, const struct policy_side *s)
{
	static const struct rules none = {0};
	const struct rules *rules = s->offline ? &none : &s->rules;
	char base[300];
	shown(base, sizeof(base), strchr(s->word, '/') ? path_base(s->word) : s->word);
	char *text = NULL;
	size_t n = 0;
	const char *summary = s->kind == SIDE_POLICY && s->file.summary[0]
		? s->file.summary
		: arena_printf(&c->a, "What %s may reach", base);
	FILE *f = summary ? open_memstream(&text, &n) : NULL;
	if (!f)
		return NULL;
	fprintf(f,
		"# Exported by bawn " PACKAGE_VERSION
		"; to use it elsewhere: bawn policy import FILE\n"
		"summary: %s\n%s%s",
		write_quoted(&c->a, summary),
		s->kind == SIDE_POLICY && s->file.api ? "api: true\n" : "",
		s->kind == SIDE_POLICY && s->file.beside ? "beside: true\n" : "");
	put_list(&c->a, f, rules, false);
	put_list(&c->a, f, rules, true);
	policy_credentials_put(&c->a, f, &s->credentials);
	bool failed = ferror(f);
	failed |= fclose(f) != 0;
	char *copy = failed || c->a.failed ? NULL : arena_dup(&c->a, text);
	free(text);
	return copy;
}

static void note_difference(void *ctx, const struct compare_found *f)
{
	(void)ctx, (void)f;
}

static bool same_lists(const struct policy_side *s, const struct egress_file *f)
{
	size_t found = 0;
	for (size_t i = 0; i < s->rules.n && !s->offline; i++)
		for (size_t k = 0, had = 0; k < f->rules.n && !had; k++)
			found += had = compare_same_rule(&s->rules.v[i], &f->rules.v[k]);
	if (found != (s->offline ? 0 : s->rules.n) || s->credentials.n != f->credentials.n)
		return false;
	for (size_t i = 0; i < s->credentials.n; i++)
		if (!credential_same(&s->credentials.v[i], &f->credentials.v[i]))
			return false;
	return true;
}

/* Read again, it says the same: rule by rule, and of every host. */
static int prove(struct ctx *c, const struct policy_side *s, const char *text, struct err *err)
{
	struct yaml_node *root = NULL;
	struct egress_file f = {0};
	int r = yaml_parse(&c->a, "the export", text, strlen(text), &root, err);
	if (r >= 0)
		r = egress_file_parse(&c->a, "the export", root, &f, err);
	if (r < 0)
		return r;
	rules_mark_given(&f.rules);
	const struct compare_side was = {&s->rules, s->offline}, is = {&f.rules, false};
	r = compare_rules(&was, &is, note_difference, NULL, err);
	if (r < 0 || (r == 0 && same_lists(s, &f)))
		return r;
	return err_set(err, EBADMSG, "what would be exported does not say the same");
}

static int write_output(struct policy_told *told, const char *text, struct err *err)
{
	if (!told->output || streq(told->output, "-")) {
		fputs(text, stdout);
		return 0;
	}
	if (!*told->output)
		return err_set(err, EINVAL, "--output has no name: which file?");
	if (!told->force && faccessat(AT_FDCWD, told->output, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		char name[300];
		err_hint(err, "--force writes over it");
		return err_set(err, EEXIST, "%s is there already",
			shown(name, sizeof(name), told->output));
	}
	return file_write_atomic(AT_FDCWD, told->output, text, strlen(text), 0644, false, err);
}

int policy_export(struct ctx *c)
{
	struct policy_told *told = c->own;
	struct policy_side s;
	struct err err = {0};
	if (c->n != 1)
		return admin_usage(export_usage, "export takes one policy, profile or sandbox");
	int r = policy_side_read(c, c->arg[0], NULL, &s, &err);
	for (size_t i = 0; i < s.files.n && r >= 0; i++)
		r = check_plain(c, s.files.v[i], &err);
	char *text = r >= 0 ? export_text(c, &s) : NULL;
	if (r >= 0)
		r = text ? prove(c, &s, text, &err) : err_set(&err, ENOMEM, "out of memory");
	if (r >= 0 && c->as_json) {
		json_begin(&c->json, NULL, '{');
		json_int(&c->json, "rules", s.offline ? 0 : (int64_t)s.rules.n);
		json_int(&c->json, "credentials", (int64_t)s.credentials.n);
		json_str(&c->json, "text", text);
		json_end(&c->json, '}');
	} else if (r >= 0) {
		r = write_output(told, text, &err);
	}
	return r < 0 ? admin_fail(&err) : 0;
}

/* ---- import ---- */

struct import {
	struct ctx *c;
	const char *from; /* as messages call it */
	char *name, *dir, *path;
	char *text;
	size_t n;
	struct egress_file file;
};

static int read_input(struct import *in, const char *word, struct err *err)
{
	struct arena *a = &in->c->a;
	ssize_t n;
	if (streq(word, "-")) {
		in->from = "standard input";
		in->text = arena_alloc(a, YAML_FILE_MAX + 2);
		if (!in->text)
			return err_set(err, ENOMEM, "out of memory");
		n = fd_read_full(STDIN_FILENO, in->text, YAML_FILE_MAX + 1);
		if (n < 0)
			return err_sys(err, (int)-n, "read standard input");
		in->text[n] = '\0'; /* one byte too many: yaml_parse() says so */
	} else {
		in->from = word;
		n = file_read(a, AT_FDCWD, word, YAML_FILE_MAX, &in->text, err);
		if (n < 0)
			return (int)n;
	}
	in->n = (size_t)n;
	struct yaml_node *root = NULL;
	int r = yaml_parse(a, in->from, in->text, in->n, &root, err);
	return r < 0 ? r : egress_file_parse(a, in->from, root, &in->file, err);
}

/* "work" for "dir/work.yaml". */
static int find_name(struct import *in, const char *word, const char *as, struct err *err)
{
	char name[128];
	const char *base = as ? as : path_base(word);
	size_t n = strlen(base);
	if (!as && n > 5 && streq(base + n - 5, ".yaml"))
		n -= 5;
	in->name = arena_dupn(&in->c->a, base, n);
	if (!in->name)
		return err_set(err, ENOMEM, "out of memory");
	shown(name, sizeof(name), in->name);
	if (!as && streq(word, "-")) {
		err_hint(err, "%s", import_usage);
		return err_set(err, EINVAL, "what is it to be called? --as NAME");
	}
	if (!schema_is_name(in->name)) {
		err_hint(err, "give it one: --as NAME");
		return err_set(err, EINVAL,
			"'%s' can't be a policy's name: letters, digits, \".\", \"-\", \"_\"",
			name);
	}
	if (streq(in->name, "user")) {
		err_hint(err, "give it another: --as NAME; single rules: bawn policy allow");
		return err_set(
			err, EINVAL, "user.yaml counts in every sandbox: not imported as that");
	}
	return 0;
}

/* A name that is taken, here or by a shipped policy that profiles use, stays what it is. */
static int check_free(struct import *in, bool force, struct err *err)
{
	struct strv names = {0};
	if (force || GUARD_REMOVED("import-names"))
		return 0;
	int r = locate_names(&in->c->locate, LOCATE_POLICY, &names, err);
	if (r < 0 || !strv_has(&names, in->name))
		return MIN(r, 0);
	err_hint(err, "--as NAME gives it another; --force puts it in that one's place%s",
		access(in->path, F_OK) == 0 ? "" : ", in every profile that uses the shipped one");
	return err_set(err, EEXIST, "there is a policy %s already", in->name);
}

static int install(struct import *in, bool force, struct err *err)
{
	int r = file_mkdir_private(in->dir, err);
	if (r < 0)
		return r;
	_cleanup_close_ int lock = open(in->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0)
		return err_sys(err, errno, "open %s", in->dir);
	while (flock(lock, LOCK_EX) < 0) /* one after the other */
		if (errno != EINTR)
			return err_sys(err, errno, "lock %s", in->dir);
	r = check_free(in, force, err);
	return r < 0 ? r : file_write_atomic(AT_FDCWD, in->path, in->text, in->n, 0600, true, err);
}

static void count_finding(
	void *ctx, const char *file, uint32_t line, uint32_t col, const char *text)
{
	(void)file, (void)line, (void)col, (void)text;
	++*(size_t *)ctx;
}

static void say_import(struct import *in)
{
	struct ctx *c = in->c;
	char path[400];
	size_t warnings = 0;
	lint_rules(&c->a, &in->file.rules, count_finding, &warnings);
	lint_credentials(&in->file.credentials, count_finding, &warnings);
	if (c->as_json) {
		json_begin(&c->json, NULL, '{');
		json_str(&c->json, "name", in->name);
		json_str(&c->json, "file", in->path);
		json_int(&c->json, "rules", (int64_t)in->file.rules.n);
		json_int(&c->json, "credentials", (int64_t)in->file.credentials.n);
		json_int(&c->json, "warnings", (int64_t)warnings);
		json_end(&c->json, '}');
		return;
	}
	printf("policy %s: %zu rules, in %s\n", in->name, in->file.rules.n,
		shown(path, sizeof(path), in->path));
	/* where the user's secrets would go is not found out by using it */
	for (size_t i = 0; i < in->file.credentials.n; i++)
		policy_credential_show("", &in->file.credentials.v[i]);
	if (warnings)
		printf("%zu warning%s: bawn policy lint %s\n", warnings, warnings == 1 ? "" : "s",
			in->name);
	printf("to use it: bawn run --policy %s PROFILE\n", in->name);
}

int policy_import(struct ctx *c)
{
	struct policy_told *told = c->own;
	struct import in = {.c = c};
	struct err err = {0};
	if (c->n != 1)
		return admin_usage(import_usage, "import takes one file, or - for standard input");
	in.dir = arena_printf(&c->a, "%s/policies", c->locate.config_dir);
	int r = find_name(&in, c->arg[0], told->as, &err);
	if (r >= 0)
		r = read_input(&in, c->arg[0], &err);
	if (r >= 0) {
		in.path = arena_printf(&c->a, "%s/%s.yaml", in.dir, in.name);
		r = in.path ? install(&in, told->force, &err)
			    : err_set(&err, ENOMEM, "out of memory");
	}
	if (r < 0)
		return admin_fail(&err);
	say_import(&in);
	return 0;
}
