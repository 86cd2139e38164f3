/* tests/unit/test-why-name.c - names that are questions, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/why-name.h"

static void test_there_and_back(void **state)
{
	static const char *const t[][2] = {
		{"example.com", "443.example.com.why.bawn.invalid"},
		{"example.com:8080", "8080.example.com.why.bawn.invalid"},
		{"http://EXAMPLE.com./x", "80.example.com.why.bawn.invalid"},
		{"localhost", "443.localhost.why.bawn.invalid"},
		{"addr-1.example.com", "443.addr-1.example.com.why.bawn.invalid"},
		{"1.2.3.4:65535", "65535.addr-00000000000000000000ffff01020304.why.bawn.invalid"},
		{"[2606:4700::1111]:53",
			"53.addr-26064700000000000000000000001111.why.bawn.invalid"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char name[HOST_NAME_MAX_LEN + 1], same[HOST_NAME_MAX_LEN + 1];
		struct why_question q = {0}, p;
		struct err err = {0};
		assert_int_equal(target_parse(t[i][0], &q.to, &err), 0);
		assert_int_equal(why_name_format(&q, name), 0);
		assert_string_equal(name, t[i][1]);
		assert_true(why_name_is(name));
		/* a name like any other, that no rule can hold and nothing looks up */
		assert_int_equal(host_canonical(name, strlen(name), same), 0);
		assert_string_equal(name, same);
		assert_true(host_name_special(name));
		assert_int_equal(why_name_parse(name, &p), 0);
		assert_int_equal(q.to.port, p.to.port);
		assert_int_equal(q.to.is_addr, p.to.is_addr);
		assert_string_equal(q.to.name, p.to.name);
		assert_memory_equal(&q.to.addr, &p.to.addr, sizeof(q.to.addr));
		assert_string_equal(p.method, "");
	}
}

/* Every length of a path, so that each number of bits is left over once, and each of labels. */
static void test_requests(void **state)
{
	(void)state;
	for (size_t n = 1; n <= WHY_PATH_MAX; n++) {
		struct why_question q = {.to = {.name = "a.example", .port = 8443},
					    .method = "GET"},
				    p;
		char name[HOST_NAME_MAX_LEN + 1], same[HOST_NAME_MAX_LEN + 1];
		for (size_t i = 0; i < n; i++)
			q.path[i] = i == 0 ? '/' : i % 7 == 3 ? '\377' : (char)('!' + i % 90);
		int r = why_name_format(&q, name);
		if (r < 0) {
			assert_int_equal(r, -ENAMETOOLONG);
			assert_true(n > 100);
			continue;
		}
		assert_true(why_name_is(name));
		assert_int_equal(host_canonical(name, strlen(name), same), 0);
		assert_string_equal(name, same);
		assert_int_equal(why_name_parse(name, &p), 0);
		assert_string_equal(p.method, q.method);
		assert_string_equal(p.path, q.path);
		assert_string_equal(p.to.name, q.to.name);
		assert_int_equal(p.to.port, 8443);
	}
}

static void test_no_questions(void **state)
{
	static const char *const is[] = {"why.bawn.invalid", "443.why.bawn.invalid",
		"x.why.bawn.invalid", "0.x.why.bawn.invalid", "080.x.why.bawn.invalid",
		"65536.x.why.bawn.invalid", "443-.x.why.bawn.invalid",
		"443.addr-0000000000000000g000ffff01020304.why.bawn.invalid",
		"443.1.2.3.4.why.bawn.invalid", "4430000.x.why.bawn.invalid",
		"request.bawn.invalid", "443.request.bawn.invalid", "443.x.request.bawn.invalid",
		"443.1.x.request.bawn.invalid", "443.0.x.request.bawn.invalid",
		/* "GET /": too few labels, too many, no host, a zero byte, bits left, no path */
		"443.2.i5cviibp.x.request.bawn.invalid", "443.9.i5cviibp.x.request.bawn.invalid",
		"443.1.i5cviibp.request.bawn.invalid", "443.1.aaaaaaaa.x.request.bawn.invalid",
		"443.1.i5cviibp7.x.request.bawn.invalid", "443.1.i5cviia.x.request.bawn.invalid",
		"443.1.i5cv1ibp.x.request.bawn.invalid"};
	static const char *const is_not[] = {"why.bawn.invalid.com", "xwhy.bawn.invalid",
		"443.x.why.bawn.example", "bawn.invalid", "invalid", ""};
	struct why_question t;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(is); i++) {
		assert_true(why_name_is(is[i]));
		if (why_name_parse(is[i], &t) != -EINVAL)
			fail_msg("%s", is[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(is_not); i++) {
		assert_false(why_name_is(is_not[i]));
		assert_int_equal(why_name_parse(is_not[i], &t), -EINVAL);
	}
}

static void test_too_long(void **state)
{
	char name[HOST_NAME_MAX_LEN + 1];
	struct why_question q = {.to = {.port = 443}};
	(void)state;
	memset(q.to.name, 'a', 240);
	for (size_t i = 50; i < 240; i += 50)
		q.to.name[i] = '.';
	assert_int_equal(why_name_format(&q, name), -ENAMETOOLONG);
	q.to.name[HOST_NAME_MAX_LEN - 4 - 17] = '\0';
	assert_int_equal(why_name_format(&q, name), 0);
	assert_int_equal(strlen(name), HOST_NAME_MAX_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_no_questions),
		cmocka_unit_test(test_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
