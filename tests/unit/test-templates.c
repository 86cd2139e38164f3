/* unit tests of store/ref and store/templates: TPL-17, the steps of TPL-18, the info formats */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/tree.h"
#include "store/sandboxes.h"
#include "store/templates.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

/* ---- references ---- */

static void forms_of_a_reference(void **state)
{
	(void)state;
	static const struct {
		const char *text, *full, *familiar, *key;
	} t[] = {
		{"debian", "docker.io/library/debian:latest", "debian:latest", NULL},
		{"debian:12", "docker.io/library/debian:12", "debian:12", NULL},
		{"docker/sandbox-templates:codex", "docker.io/docker/sandbox-templates:codex",
			"docker/sandbox-templates:codex", NULL},
		{"docker.io/docker/x", "docker.io/docker/x:latest", "docker/x:latest", NULL},
		{"index.docker.io/x", "docker.io/library/x:latest", "x:latest", NULL},
		{"localhost:5000/a/b:v1", "localhost:5000/a/b:v1", "localhost:5000/a/b:v1", NULL},
		{"localhost/x", "localhost/x:latest", "localhost/x:latest", NULL},
		{"localhost", "docker.io/library/localhost:latest", "localhost:latest", NULL},
		{"[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest", NULL},
		{"a.example/b__c--d.e_f/g:T_1.-x", "a.example/b__c--d.e_f/g:T_1.-x",
			"a.example/b__c--d.e_f/g:T_1.-x", NULL},
		{"docker.io/library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest",
			NULL},
		{"x@sha256:" HEX_A, "docker.io/library/x@sha256:" HEX_A, "x@sha256:" HEX_A,
			"docker.io/library/x@sha256:" HEX_A},
		{"x:1@sha256:" HEX_A, "docker.io/library/x:1@sha256:" HEX_A, "x:1@sha256:" HEX_A,
			"docker.io/library/x@sha256:" HEX_A},
	};
	struct arena a = {0};
	struct err err = {0};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct ref r;
		assert_int_equal(ref_parse(&a, t[i].text, &r, &err), 0);
		assert_string_equal(ref_full(&a, &r), t[i].full);
		assert_string_equal(ref_familiar(&a, &r), t[i].familiar);
		assert_string_equal(ref_key(&a, &r), t[i].key ? t[i].key : t[i].full);
		/* every form means the same when it is read again */
		assert_int_equal(ref_parse(&a, t[i].familiar, &r, &err), 0);
		assert_string_equal(ref_full(&a, &r), t[i].full);
		assert_int_equal(ref_parse(&a, t[i].full, &r, &err), 0);
		assert_string_equal(ref_familiar(&a, &r), t[i].familiar);
	}
	assert_string_equal(ref_shown(&a, "docker.io/library/x:1"), "x:1");
	assert_string_equal(ref_shown(&a, "No Key"), "No Key");
	arena_free(&a);
}

static void tpl_17_bad_references(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "../../x", "-rf", ".", "..", "/", "/x", "x/", "a//b",
		"a/../b", "Debian", "x:", "x:-a", "x:.a", "x y", "x\ny", "x\001", "\xc3\xa4",
		"x:\xc3\xa4", "x@", "x@sha256:" HEX_A "0", "x@md5:00", "x@sha256:AAAA", HEX_A,
		":5000/x", "h.:5000/x", "-a.b/x", "a.b:0/x", "a.b:65536/x", "a.b:x/y", "[::1/x",
		"[]:1/x", "a:b:c", "a___b", "a..b", "_a", "a_", "a-", "x/y:z/w", "http://h.e/x",
		"a.b\\c/x", "x@sha256:" HEX_A "@sha256:" HEX_A};
	struct arena a = {0};
	char big[4096 + 1];
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct ref r = {0};
		struct err err = {0};
		if (ref_parse(&a, bad[i], &r, &err) != -EINVAL)
			fail_msg("taken: '%s'", bad[i]);
		assert_null(r.path);
		assert_true(err.msg[0] && err.hint[0] && !strchr(err.msg, '\n'));
	}
	struct ref r;
	struct err err = {0};
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(ref_parse(&a, big, &r, &err), -EINVAL);
	assert_true(strlen(err.msg) < 400);
	big[REF_NAME_MAX + 1 - strlen("docker.io/library/")] = '\0';
	assert_int_equal(ref_parse(&a, big, &r, &err), -EINVAL);
	big[REF_NAME_MAX - strlen("docker.io/library/")] = '\0';
	assert_int_equal(ref_parse(&a, big, &r, &err), 0);
	arena_free(&a);
}

/* ---- texts ---- */

static void info_comes_back(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err err = {0};
	struct template_info t = {.size = 42}, back;
	t.user = arena_dup(&a, "agent");
	t.arch = arena_dup(&a, "amd64");
	strv_add(&a, &t.layers, HEX_A);
	strv_add(&a, &t.layers, HEX_B);
	strv_add(&a, &t.env, "A=x\ny\\z\r ");
	strv_add(&a, &t.cmd, "");
	strv_add(&a, &t.cmd, "sh");
	size_t n;
	char *text = template_info_text(&t, &n);
	assert_int_equal(template_info_parse(&a, text, n, &back, &err), 0);
	assert_string_equal(back.user, "agent");
	assert_string_equal(back.env.v[0], t.env.v[0]);
	assert_int_equal(back.layers.n, 2);
	assert_string_equal(back.layers.v[1], HEX_B);
	assert_int_equal(back.cmd.n, 2);
	assert_string_equal(back.cmd.v[0], "");
	assert_int_equal(back.size, 42);
	assert_null(back.workdir);
	free(text);
	arena_free(&a);
}

static void malformed_infos_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int r;
	} t[] = {{"", -EINVAL}, {"bawn-template 1", -EINVAL}, {"bawn-template 2\n", -EPROTO},
		{"bawn-template x\n", -EINVAL}, {"bawn-layer 1\n", -EINVAL},
		{"bawn-template 1\nlayer ../x\n", -EINVAL}, {"bawn-template 1\nuser\n", -EINVAL},
		{"bawn-template 1\nuser a\nuser b\n", -EINVAL}, {"bawn-template 1\nx y\n", -EINVAL},
		{"bawn-template 1\nenv \\x\n", -EINVAL}, {"bawn-template 1\nsize -1\n", -EINVAL},
		{"bawn-template 1\nsize 99999999999999999999\n", -EINVAL},
		{"bawn-template 1\n\n", -EINVAL}};
	struct arena a = {0};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct template_info info = {0};
		struct err err = {0};
		char *copy = arena_dup(&a, t[i].text);
		assert_int_equal(template_info_parse(&a, copy, strlen(copy), &info, &err), t[i].r);
		assert_int_equal(info.layers.n, 0);
		assert_true(err.msg[0]);
	}
	arena_free(&a);
}

static void results_of_the_layer_reader(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err err = {0};
	struct template_layer l = {0};
	char *ok = arena_dup(&a,
		"diff sha256:" HEX_A "\nblob sha256:" HEX_B
		" 12\ntar 10240\nsize 5\nentries 3\nskipped 1\nnote a\\x0ab\n");
	assert_int_equal(template_layer_result(&a, ok, strlen(ok), "T", &l, &err), 0);
	assert_string_equal(l.diff, HEX_A);
	assert_string_equal(l.blobs.v[0], "sha256:" HEX_B " 12 T");
	assert_string_equal(l.notes.v[0], "a\\x0ab");
	assert_int_equal(l.tar, 10240);
	static const char *const bad[] = {"tar 1\n", "diff sha256:x\n", "diff sha256:" HEX_A,
		"diff sha256:" HEX_A "\nblob sha256:" HEX_B "\n",
		"diff sha256:" HEX_A "\nblob ../x 1\n",
		"diff sha256:" HEX_A "\nblob sha256:" HEX_B " 1 a b\n",
		"diff sha256:" HEX_A "\ndiff sha256:" HEX_A "\n"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *copy = arena_dup(&a, bad[i]);
		assert_int_equal(
			template_layer_result(&a, copy, strlen(copy), "T", &l, &err), -EINVAL);
	}
	arena_free(&a);
}

/* ---- the store ---- */

struct world {
	char home[64];
	struct arena a;
	struct store s;
	struct templates t;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err err = {0};
	snprintf(w->home, sizeof(w->home), "/tmp/bawn-test-templates-XXXXXX");
	unsetenv("XDG_DATA_HOME");
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_CACHE_HOME");
	*state = w;
	return mkdtemp(w->home) && setenv("HOME", w->home, 1) == 0 &&
			store_open(&w->a, &w->s, &err) == 0 &&
			templates_open(&w->a, w->s.xdg.data, &w->t, &err) == 0
		? 0
		: -1;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	templates_close(&w->t);
	store_close(&w->s);
	tree_remove(AT_FDCWD, w->home, NULL);
	arena_free(&w->a);
	free(w);
	return 0;
}

static void add_layer(struct world *w, const char *diff)
{
	struct template_making m;
	struct err err = {0};
	assert_int_equal(templates_begin(&w->t, &m, &err), 0);
	assert_int_equal(mkdirat(m.dir, "fs", 0755), 0);
	m.layer = (struct template_layer){.diff = arena_dup(&w->a, diff), .size = 10};
	strv_add(&w->a, &m.layer.blobs, "sha256:" HEX_C " 7 media");
	assert_int_equal(templates_commit_layers(&w->t, &w->a, &m, 1, &err), 0);
	assert_int_equal(m.dir, -1);
}

static void add_template(struct world *w, const char *config, const char *layer, char id[65])
{
	struct template_info info = {0};
	struct err err = {0};
	add_layer(w, layer);
	strv_add(&w->a, &info.layers, layer);
	assert_int_equal(
		templates_commit(&w->t, &w->a, config, strlen(config), &info, id, &err), 0);
}

static void templates_come_and_go(void **state)
{
	struct world *w = *state;
	struct err err = {0};
	struct template f;
	char id[65], other[65], digits[8];
	add_template(w, "{\"a\":1}", HEX_A, id);
	add_template(w, "{\"a\":2}", HEX_A, other); /* the same layer a second time */
	assert_int_equal(templates_tag(&w->t, &w->a, "x:v1", id, &err), 0);
	assert_int_equal(templates_tag(&w->t, &w->a, "docker.io/library/x:v1", id, &err), 0);
	assert_int_equal(template_find(&w->t, &w->a, "x:v1", &f, &err), 0);
	assert_string_equal(f.id, id);
	assert_string_equal(f.key, "docker.io/library/x:v1");
	snprintf(digits, sizeof(digits), "%.6s", id);
	assert_int_equal(template_find(&w->t, &w->a, digits, &f, &err), 0);
	assert_string_equal(f.id, id);
	assert_null(f.key);
	assert_int_equal(template_find(&w->t, &w->a, "x", &f, &err), -ENOENT);
	assert_int_equal(template_find(&w->t, &w->a, "../x", &f, &err), -EINVAL);
	assert_int_equal(template_find(&w->t, &w->a, "", &f, &err), -EINVAL);
	assert_int_equal(template_find(&w->t, &w->a, "sha256:" HEX_A, &f, &err), -ENOENT);
	/* a tag moves */
	assert_int_equal(templates_tag(&w->t, &w->a, "x:v1", other, &err), 0);
	assert_int_equal(template_find(&w->t, &w->a, "x:v1", &f, &err), 0);
	assert_string_equal(f.id, other);
	assert_string_equal(template_layer_of_blob(&w->t, &w->a, "sha256:" HEX_C), HEX_A);
	assert_null(template_layer_of_blob(&w->t, &w->a, "sha256:" HEX_B));
	struct template_tags tags;
	assert_int_equal(templates_tags(&w->t, &w->a, &tags, &err), 0);
	assert_int_equal(tags.n, 1);
	assert_int_equal(templates_untag(&w->t, &w->a, "docker.io/library/y:1", &err), -ENOENT);
	assert_int_equal(template_remove(&w->t, &w->s, &w->a, other, &err), 0);
	assert_int_equal(templates_tags(&w->t, &w->a, &tags, &err), 0);
	assert_int_equal(tags.n, 0);
	/* the layer is the other's, too */
	struct template_garbage g = {.layers = true};
	assert_int_equal(templates_collect(&w->t, &w->a, &g, &err), 0);
	assert_int_equal(g.n_layers, 0);
	assert_int_equal(template_remove(&w->t, &w->s, &w->a, id, &err), 0);
	assert_int_equal(templates_collect(&w->t, &w->a, &g, &err), 0);
	assert_int_equal(g.n_layers, 1);
	assert_false(template_layer_have(&w->t, HEX_A));
}

static void what_is_in_use_stays(void **state)
{
	struct world *w = *state;
	struct err err = {0};
	struct store_box box;
	char id[65], *digest;
	add_template(w, "{}", HEX_A, id);
	digest = arena_printf(&w->a, "sha256:%s", id);
	char name[] = "worker", none[] = "none", ref[] = "x:1", profile[] = "shell";
	struct spec spec = {
		.name = name, .profile = profile, .template = ref, .digest = digest, .mode = none};
	assert_int_equal(store_sandbox_create(&w->s, &w->a, &spec, -1, &box, &err), 0);
	store_sandbox_release(&box);
	assert_int_equal(template_remove(&w->t, &w->s, &w->a, id, &err), -EBUSY);
	assert_non_null(strstr(err.msg, "worker"));
	assert_int_equal(store_sandbox_lock(&w->s, &w->a, "worker", &box, &err), 0);
	assert_int_equal(store_sandbox_remove(&w->s, &box, &err), 0);
	/* one that leaves no spec */
	int use = template_use(&w->t, id, &err);
	assert_true(use >= 0);
	assert_int_equal(template_remove(&w->t, &w->s, &w->a, id, &err), -EBUSY);
	close(use);
	assert_int_equal(template_remove(&w->t, &w->s, &w->a, id, &err), 0);
}

static void locks_exclude(void **state)
{
	struct world *w = *state;
	struct err err = {0};
	int one = templates_hold(&w->t, &err), two = templates_hold(&w->t, &err);
	assert_true(one >= 0 && two >= 0);
	assert_int_equal(templates_lock(&w->t, 40, &err), -EBUSY);
	close(one);
	close(two);
	one = templates_lock(&w->t, 0, &err);
	assert_true(one >= 0);
	close(one);
}

static void garbage_of_the_killed(void **state)
{
	struct world *w = *state;
	struct err err = {0};
	struct template_making m;
	pid_t pid = fork();
	int st;
	if (pid == 0)
		_exit(templates_begin(&w->t, &m, &err) < 0 || mkdirat(m.dir, "fs", 0) < 0);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_int_equal(st, 0);
	assert_int_equal(templates_begin(&w->t, &m, &err), 0);
	struct template_garbage g = {0};
	assert_int_equal(templates_collect(&w->t, &w->a, &g, &err), 0);
	assert_int_equal(g.n_tmp, 1); /* not the one that is being made */
	templates_abandon(&w->t, &m);
	assert_int_equal(rmdir(path_join(&w->a, w->t.dir, "tmp")), 0);
}

static void damage_is_named(void **state)
{
	struct world *w = *state;
	struct err err = {0};
	struct template f;
	char id[65];
	add_template(w, "{}", HEX_A, id);
	add_layer(w, HEX_B);
	assert_int_equal(tree_remove(w->t.fd, "layers/" HEX_A, &err), 0);
	assert_int_equal(template_read(&w->t, &w->a, id, &f, &err), -EIO);
	assert_non_null(strstr(err.msg, "layer aaaaaaaaaaaa"));
	/* as long as one can't be read, no layer is known to be unused */
	char *info = arena_printf(&w->a, "images/%s/info", id);
	int fd = openat(w->t.fd, info, O_WRONLY | O_TRUNC | O_CLOEXEC);
	close(fd);
	struct template_garbage g = {.layers = true};
	assert_int_equal(templates_collect(&w->t, &w->a, &g, &err), -EIO);
	assert_true(template_layer_have(&w->t, HEX_B));
	/* cut short: the line is named, the store not taken for an empty one */
	fd = openat(w->t.fd, "tags", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	struct template_tags tags;
	assert_int_equal(templates_tags(&w->t, &w->a, &tags, &err), -EIO);
	assert_int_equal(templates_tag(&w->t, &w->a, "x:1", id, &err), -EIO);
}

static void a_layer_that_a_build_keeps(void **state)
{
	struct world *w = *state;
	struct err err = {0};
	add_layer(w, HEX_A);
	add_layer(w, HEX_B);
	static const char text[] = "made\nlayer " HEX_A "\n";
	assert_int_equal(file_write_atomic(w->t.fd, "cache/" HEX_C, text, sizeof(text) - 1, 0600,
				 false, &err),
		0);
	struct template_garbage g = {.layers = true, .only_look = true};
	assert_int_equal(templates_collect(&w->t, &w->a, &g, &err), 0);
	assert_int_equal(g.n_layers, 1);
	assert_true(template_layer_have(&w->t, HEX_B));
	g = (struct template_garbage){.layers = true};
	assert_int_equal(templates_collect(&w->t, &w->a, &g, &err), 0);
	assert_true(template_layer_have(&w->t, HEX_A) && !template_layer_have(&w->t, HEX_B));
	g = (struct template_garbage){.layers = true, .cache = true};
	assert_int_equal(templates_collect(&w->t, &w->a, &g, &err), 0);
	assert_int_equal(g.bytes, 10);
	assert_false(template_layer_have(&w->t, HEX_A));
}

static void a_template_needs_its_layers(void **state)
{
	struct world *w = *state;
	struct err err = {0};
	struct template_info info = {0};
	char id[65] = "";
	strv_add(&w->a, &info.layers, HEX_A);
	assert_int_equal(templates_commit(&w->t, &w->a, "{}", 2, &info, id, &err), -ENOENT);
	assert_string_equal(id, "");
	assert_int_equal(templates_tag(&w->t, &w->a, "x:1", HEX_A, &err), -ENOENT);
}

#define IN_STORE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_of_a_reference),
		cmocka_unit_test(tpl_17_bad_references),
		cmocka_unit_test(info_comes_back),
		cmocka_unit_test(malformed_infos_are_refused),
		cmocka_unit_test(results_of_the_layer_reader),
		IN_STORE(templates_come_and_go),
		IN_STORE(what_is_in_use_stays),
		IN_STORE(locks_exclude),
		IN_STORE(garbage_of_the_killed),
		IN_STORE(damage_is_named),
		IN_STORE(a_layer_that_a_build_keeps),
		IN_STORE(a_template_needs_its_layers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
