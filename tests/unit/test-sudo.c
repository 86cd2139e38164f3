/* The words, variables and accounts of bawn-sudo, and the attribute that owners are kept in. */
#include "unit.h"

#include "base/macro.h"
#include "init/owner-attr.h"
#include "sudo/sudo-args.h"
#include "sudo/sudo-env.h"
#include "sudo/sudo-user.h"

#define MAX_WORDS 16

/* "a|b|c" as argv; what it means as one line. */
static char *words(struct arena *a, const char *line, char **argv, int *argc)
{
	char *copy = arena_dup(a, line), *save = NULL;
	*argc = 0;
	for (char *w = strtok_r(copy, "|", &save); w && *argc < MAX_WORDS - 1;
		w = strtok_r(NULL, "|", &save))
		argv[(*argc)++] = w;
	argv[*argc] = NULL;
	return argv[0];
}

static const char *joined(struct arena *a, const struct strv *v)
{
	const char *s = "";
	for (size_t i = 0; i < v->n; i++)
		s = arena_printf(a, "%s%s%s", s, i ? "," : "", v->v[i]);
	return s;
}

static const char *meaning(struct arena *a, const struct sudo_args *s)
{
	static const char *const modes[] = {"run", "validate", "list", "help", "version"};
	return arena_printf(a, "%s%s%s%s%s%s%s%s%s%s u=%s k=%s v=%s: %s", modes[s->mode],
		s->login ? " login" : "", s->with_shell ? " shell" : "",
		s->preserve ? " preserve" : "", s->set_home ? " home" : "",
		s->background ? " bg" : "", s->dir ? " dir=" : "", s->dir ? s->dir : "",
		s->shell ? " sh=" : "", s->shell ? s->shell : "", s->user ? s->user : "-",
		joined(a, &s->keep), joined(a, &s->vars), joined(a, &s->command));
}

static const struct {
	const char *line, *means; /* NULL: an error */
} sudos[] = {
	{"sudo|id", "run u=- k= v=: id"},
	{"sudo|-n|-E|-H|id|-u|x", "run preserve home u=- k= v=: id,-u,x"},
	{"sudo|-nEH|id", "run preserve home u=- k= v=: id"},
	{"sudo|-u|bob|id", "run u=bob k= v=: id"},
	{"sudo|-ubob|id", "run u=bob k= v=: id"},
	{"sudo|-nu|bob|--|id|--|x", "run u=bob k= v=: id,--,x"},
	{"sudo|--user=bob|id", "run u=bob k= v=: id"},
	{"sudo|--user|bob|id", "run u=bob k= v=: id"},
	{"sudo|--preserve-env|id", "run preserve u=- k= v=: id"},
	{"sudo|--preserve-env=A,,B|id", "run u=- k=A,B v=: id"},
	{"sudo|A=1|-E|B=2|id|C=3", "run preserve u=- k= v=A=1,B=2: id,C=3"},
	{"sudo|--|A=1|id", "run u=- k= v=A=1: id"},
	{"sudo|--|-x", "run u=- k= v=: -x"},
	{"sudo|1A=1", "run u=- k= v=: 1A=1"},
	{"sudo|-s", "run shell u=- k= v=: "},
	{"sudo|-i|-u|bob", "run login u=bob k= v=: "},
	{"sudo|-b|-D|/x|id", "run bg dir=/x u=- k= v=: id"},
	{"sudo|-v", "validate u=- k= v=: "},
	{"sudo|-k", "validate u=- k= v=: "},
	{"sudo|-k|id", "run u=- k= v=: id"},
	{"sudo|-l|id", "list u=- k= v=: id"},
	{"sudo|-V", "version u=- k= v=: "},
	{"sudo|-p|-u|-S|id", "run u=- k= v=: id"},
	{"sudo", NULL},
	{"sudo|-u", NULL},
	{"sudo|-u|bob", NULL},
	{"sudo|-e|file", NULL},
	{"sudo|--nonsense|id", NULL},
	{"sudo|--login=x", NULL},
	{"sudo|-i|-s", NULL},
	{"sudo|A=1", NULL},
};

static const struct {
	const char *line, *means;
} sus[] = {
	{"su", "run shell u=- k= v=: "},
	{"su|-", "run login u=- k= v=: "},
	{"su|-|bob", "run login u=bob k= v=: "},
	{"su|-l|bob|-c|id -u", "run login u=bob k= v=: -c,id -u"},
	{"su|bob|-c|id|-s|/bin/sh", "run shell sh=/bin/sh u=bob k= v=: -c,id"},
	{"su|bob|x|y", "run shell u=bob k= v=: x,y"},
	{"su|-c|id|bob|x", "run shell u=bob k= v=: -c,id,x"},
	{"su|--command=id|bob", "run shell u=bob k= v=: -c,id"},
	{"su|-p|bob", "run shell preserve u=bob k= v=: "},
	{"su|bob|--|-x", "run shell u=bob k= v=: -x"},
	{"su|-c", NULL},
	{"su|-Z", NULL},
};

static void test_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sudos) + ARRAY_LEN(sus); i++) {
		bool su = i >= ARRAY_LEN(sudos);
		const char *line = su ? sus[i - ARRAY_LEN(sudos)].line : sudos[i].line;
		const char *means = su ? sus[i - ARRAY_LEN(sudos)].means : sudos[i].means;
		_cleanup_(arena_free) struct arena a = {0};
		struct sudo_args s;
		struct err err = {0};
		char *argv[MAX_WORDS];
		int argc;
		words(&a, line, argv, &argc);
		int r = su ? sudo_args_su(&a, argc, argv, &s, &err)
			   : sudo_args_sudo(&a, argc, argv, &s, &err);
		const char *got = r < 0 ? "(error)" : meaning(&a, &s);
		if (!streq(got, means ? means : "(error)"))
			fail_msg("%s: %s, wanted %s", line, got, means ? means : "(error)");
		if (r < 0)
			assert_true(err.msg[0]);
	}
}

static void test_quote(void **state)
{
	(void)state;
	_cleanup_(arena_free) struct arena a = {0};
	struct strv v = {0};
	strv_add(&a, &v, "echo");
	strv_add(&a, &v, "a b;$HOME'\"");
	strv_add(&a, &v, "");
	assert_string_equal(sudo_args_quote(&a, &v), "echo a\\ b\\;$HOME\\'\\\" ");
}

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
			     "broken:x:1\n"
			     "many:x:2:2:a:b:c:d\n"
			     "odd:x:99999999999:2:a:/b:/c\n"
			     "\n"
			     "bob:x:1001:1002:Bob,,,:/home/bob:\n"
			     "none:x:1003:1003:::/bin/sh";

static void test_users(void **state)
{
	(void)state;
	_cleanup_(arena_free) struct arena a = {0};
	struct sudo_user u;
	assert_int_equal(sudo_user_find(&a, passwd, "root", &u), 0);
	assert_string_equal(u.home, "/root");
	assert_int_equal(sudo_user_find(&a, passwd, "#1001", &u), 0);
	assert_string_equal(u.name, "bob");
	assert_string_equal(u.shell, "/bin/sh");
	assert_int_equal(u.gid, 1002);
	assert_int_equal(sudo_user_of(&a, passwd, 1003, &u), 0);
	assert_string_equal(u.home, "/");
	static const char *const absent[] = {"", "#", "#-1", "#x", "#4294967296", "broken", "many",
		"odd", "1001", "root:x", "nobody"};
	for (size_t i = 0; i < ARRAY_LEN(absent); i++)
		assert_int_equal(sudo_user_find(&a, passwd, absent[i], &u), -ENOENT);
	assert_int_equal(sudo_user_find(&a, "", "root", &u), -ENOENT);
}

static void test_variables(void **state)
{
	(void)state;
	_cleanup_(arena_free) struct arena a = {0};
	char *env[] = {"TERM=x", "HOME=/home/bob", "PATH=/p", "SECRET=s", "LD_PRELOAD=l",
		"LC_ALL=C", "broken", "F=() { :; }", "SUDO_USER=eve", "SHELL=/bin/zsh", NULL};
	struct sudo_user to = {.name = "root", .home = "/root", .shell = "/bin/sh"},
			 from = {.name = "bob", .home = "/home/bob", .uid = 1000, .gid = 1000};
	struct sudo_args s = {0};
	struct strv v;
	strv_add(&a, &s.command, "id");
	strv_add(&a, &s.vars, "SECRET=mine");
	assert_int_equal(sudo_env(&a, env, &s, &to, &from, NULL, &v), 0);
	assert_string_equal(strv_env_get(&v, "HOME"), "/root");
	assert_string_equal(strv_env_get(&v, "PATH"), SUDO_PATH);
	assert_string_equal(strv_env_get(&v, "SECRET"), "mine");
	assert_string_equal(strv_env_get(&v, "LC_ALL"), "C");
	assert_string_equal(strv_env_get(&v, "SUDO_USER"), "bob");
	assert_string_equal(strv_env_get(&v, "SUDO_COMMAND"), "id");
	assert_null(strv_env_get(&v, "LD_PRELOAD"));
	s.preserve = true;
	assert_int_equal(sudo_env(&a, env, &s, &to, &from, NULL, &v), 0);
	assert_string_equal(strv_env_get(&v, "HOME"), "/home/bob");
	assert_null(strv_env_get(&v, "LD_PRELOAD"));
	assert_null(strv_env_get(&v, "F"));
	assert_string_equal(strv_env_get(&v, "SUDO_USER"), "bob");
	strv_add(&a, &s.keep, "LD_PRELOAD");
	strv_add(&a, &s.keep, "PATH");
	assert_int_equal(sudo_env(&a, env, &s, &to, &from, NULL, &v), 0);
	assert_string_equal(strv_env_get(&v, "LD_PRELOAD"), "l");
	assert_string_equal(strv_env_get(&v, "PATH"), "/p");
	struct sudo_args su = {.su = true};
	assert_int_equal(sudo_env(&a, env, &su, &from, &from, "/bin/sh", &v), 0);
	assert_string_equal(strv_env_get(&v, "USER"), "bob");
	assert_string_equal(strv_env_get(&v, "PATH"), "/p");
	assert_null(strv_env_get(&v, "SUDO_COMMAND"));
}

static void test_owner_attribute(void **state)
{
	(void)state;
	static const uint32_t ids[] = {0, 1, 127, 128, 1000, 70000, 0x7fffffff, 0xffffffff};
	unsigned char b[OWNER_BYTES];
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		for (size_t k = 0; k < ARRAY_LEN(ids); k++) {
			struct owner o = {ids[i], ids[k]};
			size_t n = owner_put(b, &o);
			assert_true(n >= 4 && n <= sizeof(b));
			struct owner back = owner_get(b, n);
			assert_int_equal(back.uid, o.uid);
			assert_int_equal(back.gid, o.gid);
		}
	/* as another implementation writes it, which leaves zeros out; and rubbish */
	struct owner o = owner_get((const unsigned char *)"\x10\x2a", 2);
	assert_true(o.uid == 0 && o.gid == 42);
	for (size_t n = 0; n < 20; n++) {
		unsigned char rubbish[20];
		memset(rubbish, 0xff, sizeof(rubbish));
		rubbish[0] = 8;
		owner_get(rubbish, n);
	}
}

/* A recorded mode counts while the one on disk is what was made of it. */
static void test_mode_attribute(void **state)
{
	static const struct {
		const char *text;
		mode_t disk, is;
	} t[] = {
		{"4755", S_IFREG | 0755, S_IFREG | 04755},
		{"4755", S_IFREG | 0750, S_IFREG | 0750},
		{"4755", S_IFREG | 04755, S_IFREG | 04755},
		{"200", S_IFREG | 0600, S_IFREG | 0200},
		{"2775", S_IFDIR | 0775, S_IFDIR | 02775},
		{"1500", S_IFDIR | 01700, S_IFDIR | 01500},
		{"4755", S_IFLNK | 0755, S_IFLNK | 0755},
		{"4755", S_IFSOCK | 0755, S_IFSOCK | 0755},
		{"", S_IFREG | 0400, S_IFREG | 0400},
		{"8", S_IFREG | 0400, S_IFREG | 0400},
		{"47 5", S_IFREG | 0755, S_IFREG | 0755},
		{"14755", S_IFREG | 0755, S_IFREG | 0755},
		{"000004755", S_IFREG | 0755, S_IFREG | 0755},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(mode_meant(t[i].text, strlen(t[i].text), t[i].disk), t[i].is);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_owner_attribute),
		cmocka_unit_test(test_mode_attribute),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
