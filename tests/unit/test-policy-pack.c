/* tests/unit/test-policy-pack.c - compiling a pack and refusing one that is not ours.
 *
 * OWN-12 (the file replaced, truncated, linked, another mode, bits flipped), CFG-06 (links, foreign
 * write permission), and that every change of a source is seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/file.h"
#include "policy/compile.h"
#include "policy/egress-build.h"

struct fixture {
	char root[64];
	char config[100], data[100], cache[100];
	struct arena a;
	struct pack_request req;
	char *path;
};

static void put_file(const char *dir, const char *name, const char *text)
{
	char path[400];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void make_dir(const char *a, const char *b)
{
	char path[400];
	snprintf(path, sizeof(path), "%s/%s", a, b);
	assert_int_equal(file_mkdir_p(AT_FDCWD, path, 0700), 0);
}

static void copy_syscalls(struct fixture *f)
{
	const char *src = getenv("BAWN_SRCDIR");
	char from[1000], *text = NULL;
	struct err err = {0};
	snprintf(from, sizeof(from), "%s/policies/syscalls/default.yaml", src ? src : ".");
	if (file_read(&f->a, AT_FDCWD, from, 1 << 20, &text, &err) < 0)
		fail_msg("%s", err.msg);
	put_file(f->data, "policies/syscalls/default.yaml", text);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	snprintf(f->root, sizeof(f->root), "/tmp/bawn-test-pack-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	snprintf(f->config, sizeof(f->config), "%s/config/bawn", f->root);
	snprintf(f->data, sizeof(f->data), "%s/data", f->root);
	snprintf(f->cache, sizeof(f->cache), "%s/cache/bawn", f->root);
	make_dir(f->config, "profiles");
	make_dir(f->config, "policies");
	make_dir(f->data, "profiles");
	make_dir(f->data, "policies/egress");
	make_dir(f->data, "policies/syscalls");
	make_dir(f->cache, "pack");
	copy_syscalls(f);
	put_file(f->data, "profiles/tool.yaml",
		"command: [tool, x]\nyolo: [--yes]\nsubcommands: {exec: [--a, --b], e: []}\n"
		"env: {pass: [A], set: {K: v}}\nstate: []\nexec: true\napi: [own]\n"
		"policies: [base]\n");
	put_file(f->data, "policies/egress/base.yaml",
		"allow: [base.example, 203.0.113.0/24]\ndeny: [no.example]\n");
	put_file(f->data, "policies/egress/own.yaml", "allow: [own.example]\n");
	put_file(f->data, "policies/egress/locked.yaml", "api: true\nallow: []\n");
	f->req = (struct pack_request){
		.profile = "tool", .config_dir = f->config, .data_dir = f->data};
	f->path = pack_path(&f->a, f->cache, &f->req);
	assert_non_null(f->path);
	*state = f;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	nftw(f->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	arena_free(&f->a);
	free(f);
	return 0;
}

static void compile_ok(struct fixture *f)
{
	struct err err = {0};
	if (compile_pack(&f->req, f->path, &err) < 0)
		fail_msg("%s", err.msg);
}

static int try_open(struct fixture *f)
{
	struct pack p;
	struct err err = {0};
	int r = pack_open(f->path, &p, &err);
	if (r >= 0)
		pack_close(&p);
	else
		assert_true(err.msg[0] != '\0');
	return r;
}

static void expect_rebuild(struct fixture *f, const char *what)
{
	int r = try_open(f);
	if (r != -ESTALE)
		fail_msg("%s: %d, not -ESTALE", what, r);
	compile_ok(f);
	r = try_open(f);
	if (r != 0)
		fail_msg("%s: %d after compiling again", what, r);
}

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	struct pack p;
	struct err err = {0};
	assert_int_equal(try_open(f), -ENOENT);
	compile_ok(f);
	if (pack_open(f->path, &p, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(p.profile.name, "tool");
	assert_string_equal(p.profile.summary, "tool");
	assert_int_equal(p.profile.command.n, 2);
	assert_string_equal(p.profile.command.v[1], "x");
	assert_null(p.profile.command.v[2]);
	assert_true(p.profile.args_replace);
	assert_true(p.profile.has_seed);
	assert_int_equal(p.profile.n_subs, 2);
	assert_string_equal(p.profile.subs[0].word, "exec");
	assert_string_equal(p.profile.subs[0].args.v[1], "--b");
	assert_int_equal(p.profile.subs[1].args.n, 0);
	assert_string_equal(p.profile.env_set.v[0], "K=v");
	assert_null(p.profile.install);
	assert_int_equal(p.profile.find.n, 0);
	assert_true(p.seccomp_bytes > 0 && p.seccomp_bytes % 8 == 0);
	assert_true(p.nft_bytes > 0);
	assert_true(p.rtnl_bytes > 0);
	assert_int_equal(egress_match(p.egress, "base.example", 443).action, EGRESS_ALLOW);
	assert_int_equal(egress_match(p.egress, "own.example", 443).action, EGRESS_DENY);
	struct egress_verdict v = egress_match(p.egress, "no.example", 80);
	struct egress_rule rule;
	assert_int_equal(egress_rule(p.egress, v.rule, &rule), 0);
	assert_true(rule.deny);
	assert_int_equal(rule.line, 2);
	assert_non_null(strstr(rule.file, "/policies/egress/base.yaml"));

	struct pack q; /* as the relay gets it */
	int fd = fcntl(p.fd, F_DUPFD_CLOEXEC, 3);
	assert_int_equal(pack_open_fd(fd, &q, &err), 0);
	assert_int_equal(egress_match(q.egress, "base.example", 443).action, EGRESS_ALLOW);
	pack_close(&q);
	pack_close(&p);
	struct stat st;
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_api_and_options(void **state)
{
	struct fixture *f = *state;
	static const char *const locked[] = {"locked"}, *const allow[] = {"a.example:80"},
				 *const deny[] = {"own.example"}, *const priv[] = {"db.example"};
	struct pack p;
	struct err err = {0};
	f->req.policies = locked;
	f->req.n_policies = 1;
	char *path = pack_path(&f->a, f->cache, &f->req);
	assert_string_not_equal(path, f->path);
	f->path = path;
	compile_ok(f);
	assert_int_equal(pack_open(f->path, &p, &err), 0);
	assert_int_equal(egress_match(p.egress, "own.example", 443).action, EGRESS_ALLOW);
	assert_int_equal(egress_match(p.egress, "base.example", 443).action, EGRESS_DENY);
	pack_close(&p);

	put_file(f->config, "policies/user.yaml", "allow: [user.example]\n");
	f->req.allow = allow;
	f->req.n_allow = 1;
	f->req.deny = deny;
	f->req.n_deny = 1;
	f->req.allow_private = priv;
	f->req.n_allow_private = 1;
	f->path = pack_path(&f->a, f->cache, &f->req);
	compile_ok(f);
	assert_int_equal(pack_open(f->path, &p, &err), 0);
	assert_int_equal(egress_match(p.egress, "user.example", 443).action, EGRESS_ALLOW);
	assert_int_equal(egress_match(p.egress, "a.example", 80).action, EGRESS_ALLOW);
	assert_int_equal(egress_match(p.egress, "own.example", 443).action, EGRESS_DENY);
	assert_true(egress_match(p.egress, "db.example", 443).private_ok);
	pack_close(&p);

	f->req.offline = true;
	f->path = pack_path(&f->a, f->cache, &f->req);
	compile_ok(f);
	assert_int_equal(pack_open(f->path, &p, &err), 0);
	assert_true(egress_offline(p.egress));
	assert_int_equal(egress_match(p.egress, "user.example", 443).action, EGRESS_DENY);
	pack_close(&p);

	/* an empty list is not the profile's list */
	f->req.policies = locked;
	f->req.n_policies = 0;
	char *none = pack_path(&f->a, f->cache, &f->req);
	f->req.policies = NULL;
	assert_string_not_equal(none, pack_path(&f->a, f->cache, &f->req));
}

/* A private address is meant when it is given, not when a wide network happens to hold it. */
static void test_given_addresses(void **state)
{
	struct fixture *f = *state;
	struct pack p;
	struct err err = {0};
	struct host_addr a;
	put_file(f->data, "policies/egress/base.yaml",
		"allow: [10.0.0.0/8, 192.168.1.7, '0.0.0.0/0', 'fd00::/8']\n");
	compile_ok(f);
	assert_int_equal(pack_open(f->path, &p, &err), 0);
	static const struct {
		const char *addr;
		bool private_ok, exact;
	} t[] = {{"10.1.2.3", true, false}, {"192.168.1.7", true, true},
		{"192.168.1.8", false, false}, {"169.254.169.254", false, false},
		{"127.0.0.1", false, false}, {"1.1.1.1", false, false}, {"fd12::1", true, false}};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(host_addr_parse(t[i].addr, &a), 0);
		struct egress_verdict v = egress_match_addr(p.egress, &a, 443);
		assert_int_equal(v.action, EGRESS_ALLOW);
		assert_int_equal(v.private_ok, t[i].private_ok);
		assert_int_equal(v.exact, t[i].exact);
	}
	pack_close(&p);
}

static void test_file_is_not_ours(void **state)
{
	struct fixture *f = *state;
	char other[200];
	struct stat st;
	snprintf(other, sizeof(other), "%s/other", f->root);
	compile_ok(f);
	static const mode_t modes[] = {0644, 0660, 0602, 04600, 0400};
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		assert_int_equal(chmod(f->path, modes[i]), 0);
		expect_rebuild(f, "mode");
	}
	assert_int_equal(link(f->path, other), 0);
	expect_rebuild(f, "hard link");
	unlink(other);
	assert_int_equal(rename(f->path, other), 0);
	assert_int_equal(symlink(other, f->path), 0);
	expect_rebuild(f, "symbolic link");
	assert_int_equal(lstat(f->path, &st), 0);
	assert_true(S_ISREG(st.st_mode)); /* the link is gone, its target untouched */
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	expect_rebuild(f, "FIFO");
	if (geteuid() == 0) {
		assert_int_equal(chown(f->path, 1, 1), 0);
		expect_rebuild(f, "other owner");
	}
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_true(try_open(f) < 0);
	struct err err = {0};
	assert_true(compile_pack(&f->req, f->path, &err) < 0);
	rmdir(f->path);
}

static void test_content_is_not_ours(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	compile_ok(f);
	assert_int_equal(stat(f->path, &st), 0);
	char *data = NULL, *copy = arena_alloc(&f->a, (size_t)st.st_size + 16);
	assert_true(file_read(&f->a, AT_FDCWD, f->path, 1 << 24, &data, NULL) == st.st_size);
	size_t n = (size_t)st.st_size, step = n / 200 + 1;
	for (size_t i = 0; i < n; i += i < 128 ? 1 : step) {
		memcpy(copy, data, n);
		copy[i] = (char)((unsigned char)copy[i] ^ 0x10u);
		assert_int_equal(
			file_write_atomic(AT_FDCWD, f->path, copy, n, 0600, false, NULL), 0);
		if (try_open(f) != -ESTALE)
			fail_msg("a flipped bit in byte %zu is not seen", i);
	}
	for (size_t i = 0; i < n; i += step) {
		assert_int_equal(
			file_write_atomic(AT_FDCWD, f->path, data, i, 0600, false, NULL), 0);
		if (try_open(f) != -ESTALE)
			fail_msg("cut to %zu bytes: not seen", i);
	}
	memcpy(copy, data, n);
	assert_int_equal(file_write_atomic(AT_FDCWD, f->path, copy, n + 8, 0600, false, NULL), 0);
	expect_rebuild(f, "longer");

	/* Another request's pack under this name: the right form, the wrong rules. */
	struct pack_request open = f->req;
	static const char *const allow[] = {"**"};
	open.allow = allow;
	open.n_allow = 1;
	char *wide = pack_path(&f->a, f->cache, &open);
	assert_int_equal(compile_pack(&open, wide, NULL), 0);
	assert_int_equal(rename(wide, f->path), 0);
	expect_rebuild(f, "another pack under this name");
}

static void test_directory_is_not_ours(void **state)
{
	struct fixture *f = *state;
	char dir[200], other[200];
	snprintf(dir, sizeof(dir), "%s/pack", f->cache);
	snprintf(other, sizeof(other), "%s/other", f->root);
	compile_ok(f);
	assert_int_equal(chmod(dir, 0770), 0);
	assert_int_equal(try_open(f), -EPERM);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(try_open(f), -EPERM);
	assert_int_equal(compile_pack(&f->req, f->path, NULL), -EPERM);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(try_open(f), 0);
	assert_int_equal(rename(dir, other), 0);
	assert_int_equal(symlink(other, dir), 0);
	int r = try_open(f);
	assert_true(r < 0 && r != -ENOENT && r != -ESTALE);
}

static void test_sources(void **state)
{
	struct fixture *f = *state;
	compile_ok(f);
	put_file(f->data, "profiles/tool.yaml", "command: [tool]\npolicies: [base]\n");
	expect_rebuild(f, "profile changed");
	put_file(f->data, "policies/egress/base.yaml", "allow: [new.example]\n");
	expect_rebuild(f, "policy changed");
	/* What takes precedence appears, and goes. */
	put_file(f->config, "policies/base.yaml", "allow: []\n");
	expect_rebuild(f, "the user's policy appeared");
	put_file(f->config, "profiles/tool.yaml",
		"command: [mine]\n"
		"policies: [base]\n");
	expect_rebuild(f, "the user's profile appeared");
	put_file(f->config, "policies/user.yaml", "deny: [x.example]\n");
	expect_rebuild(f, "the user-wide policy appeared");
	char path[200];
	snprintf(path, sizeof(path), "%s/profiles/tool.yaml", f->config);
	unlink(path);
	expect_rebuild(f, "the user's profile went");
	struct pack p;
	struct err err = {0};
	assert_int_equal(pack_open(f->path, &p, &err), 0);
	assert_string_equal(p.profile.command.v[0], "tool");
	assert_int_equal(egress_match(p.egress, "new.example", 443).action, EGRESS_DENY);
	pack_close(&p);
	/* a policy of system calls too */
	snprintf(path, sizeof(path), "%s/policies/syscalls/default.yaml", f->data);
	struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	expect_rebuild(f, "system call policy touched");
}

static void expect_refused(struct fixture *f, const char *what, const char *msg)
{
	struct err err = {0};
	int r = compile_pack(&f->req, f->path, &err);
	if (r != -EPERM || !strstr(err.msg, msg) || !err.hint[0])
		fail_msg("%s: %d \"%s\" (%s)", what, r, err.msg, err.hint);
}

/* CFG-06: also when the pack is there already. */
static void test_config_trust(void **state)
{
	struct fixture *f = *state;
	char dir[200], file[300], other[200];
	snprintf(dir, sizeof(dir), "%s/policies", f->config);
	snprintf(file, sizeof(file), "%s/policies/base.yaml", f->config);
	snprintf(other, sizeof(other), "%s/other", f->root);
	put_file(f->config, "policies/base.yaml", "allow: [x.example]\n");
	compile_ok(f);
	static const mode_t modes[] = {0777, 0770, 0707};
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		assert_int_equal(chmod(dir, modes[i]), 0);
		assert_int_equal(try_open(f), -ESTALE);
		expect_refused(f, "directory", "can be written by others");
		assert_int_equal(chmod(dir, 0700), 0);
		assert_int_equal(chmod(file, modes[i] & 0666), 0);
		assert_int_equal(try_open(f), -ESTALE);
		expect_refused(f, "file", "can be written by others");
		assert_int_equal(chmod(file, 0600), 0);
	}
	assert_int_equal(chmod(f->config, 0777), 0);
	expect_refused(f, "config", "can be written by others");
	assert_int_equal(chmod(f->config, 0700), 0);

	assert_int_equal(rename(file, other), 0);
	assert_int_equal(symlink(other, file), 0);
	assert_int_equal(try_open(f), -ESTALE);
	expect_refused(f, "linked file", "symbolic link");
	assert_int_equal(unlink(file), 0);
	assert_int_equal(symlink("/nonexistent", file), 0);
	expect_refused(f, "dangling link", "symbolic link");
	assert_int_equal(unlink(file), 0);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(rename(dir, other), 0);
	assert_int_equal(symlink(other, dir), 0);
	expect_refused(f, "linked directory", "symbolic link");
	unlink(dir);
	assert_int_equal(rename(other, dir), 0);
	if (geteuid() == 0) {
		put_file(f->config, "policies/base.yaml", "allow: [x.example]\n");
		assert_int_equal(chown(file, 1, 1), 0);
		expect_refused(f, "foreign file", "belongs to somebody else");
	}
}

static void test_names(void **state)
{
	struct fixture *f = *state;
	static const char *const t[][2] = {{"toll", "there is no profile"},
		{"..", "is not the name of a profile"}, {"", "is not the name of a profile"},
		{"-rf", "is not the name of a profile"}, {"a b", "is not the name of a profile"},
		{"../../nonexistent.yaml", "does not exist"}};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct err err = {0};
		f->req.profile = t[i][0];
		assert_true(compile_pack(&f->req, f->path, &err) < 0);
		if (!strstr(err.msg, t[i][1]))
			fail_msg("\"%s\": \"%s\"", t[i][0], err.msg);
		if (i == 0)
			assert_non_null(strstr(err.hint, "\"tool\""));
	}
	struct err err = {0};
	static const char *const bad[] = {"http://x"};
	f->req.profile = "tool";
	f->req.allow = bad;
	f->req.n_allow = 1;
	assert_true(compile_pack(&f->req, f->path, &err) < 0);
	assert_non_null(strstr(err.msg, "--allow: rule \"http://x\""));
}

/* The arguments name the same request. */
static void test_argv(void **state)
{
	struct fixture *f = *state;
	struct strv v = {0};
	static const uint16_t ports[] = {3000};
	static const char *const none[] = {NULL}, *const allow[] = {"-x", "a.example"};
	f->req.policies = none;
	f->req.allow = allow;
	f->req.n_allow = 2;
	f->req.host_ports = ports;
	f->req.n_host_ports = 1;
	f->req.offline = true;
	assert_int_equal(pack_compile_argv(&f->a, &f->req, "/out", &v), 0);
	static const char *const want[] = {"bawn-admin", "compile", "--out=/out", "--profile=tool",
		"--no-policy", "--allow=-x", "--allow=a.example", "--host-port=3000", "--offline"};
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_true(strv_has(&v, want[i]));
	assert_null(v.v[v.n]);
	/* a path is made absolute, so that two directories never share a pack */
	f->req.profile = "./tool.yaml";
	v = (struct strv){0};
	assert_int_equal(pack_compile_argv(&f->a, &f->req, "/out", &v), 0);
	for (size_t i = 0; i < v.n; i++)
		if (has_prefix(v.v[i], "--profile="))
			assert_true(v.v[i][10] == '/');
}

/* bawn learn: every public name, and nothing that has no name or a private one. */
static void test_learn(void **state)
{
	struct fixture *f = *state;
	struct compile_input in;
	struct egress e;
	struct egress_rule rule;
	struct host_addr addr;
	struct err err = {0};
	void *data = NULL;
	size_t n = 0;
	char *ordinary = pack_path(&f->a, f->cache, &f->req);
	f->req.learn = true;
	assert_string_not_equal(pack_path(&f->a, f->cache, &f->req), ordinary);
	assert_int_equal(compile_read(&f->a, &f->req, &in, &err), 0);
	assert_int_equal(egress_build(&in.rules, false, &data, &n, &err), 0);
	assert_int_equal(egress_view(&e, data, n), 0);
	struct egress_verdict v = egress_match(&e, "any.example", 12345);
	assert_int_equal(v.action, EGRESS_ALLOW);
	assert_false(v.private_ok);
	assert_false(v.raw);
	assert_int_equal(egress_rule(&e, v.rule, &rule), 0);
	assert_string_equal(rule.file, PACK_LEARN_FILE);
	/* what a policy allows is told by its own rule, and a deny stays */
	v = egress_match(&e, "base.example", 443);
	assert_int_equal(egress_rule(&e, v.rule, &rule), 0);
	assert_string_not_equal(rule.file, PACK_LEARN_FILE);
	assert_int_equal(egress_match(&e, "no.example", 443).action, EGRESS_DENY);
	/* it makes no name known: those of private networks have no address inside */
	assert_false(egress_name_known(&e, "printer.local"));
	assert_false(egress_name_known(&e, "intranet"));
	assert_int_equal(host_addr_parse("1.2.3.4", &addr), 0);
	assert_int_equal(egress_match_addr(&e, &addr, 443).action, EGRESS_DENY);
	free(data);
	/* offline is offline */
	assert_int_equal(egress_build(&in.rules, true, &data, &n, &err), 0);
	assert_int_equal(egress_view(&e, data, n), 0);
	assert_int_equal(egress_match(&e, "any.example", 443).action, EGRESS_DENY);
	free(data);
}

int main(void)
{
	umask(0022);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_learn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_api_and_options, setup, teardown),
		cmocka_unit_test_setup_teardown(test_given_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_is_not_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_content_is_not_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_directory_is_not_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sources, setup, teardown),
		cmocka_unit_test_setup_teardown(test_config_trust, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_argv, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
