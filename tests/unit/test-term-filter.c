/* unit tests of the terminal filter: attacks TERM-03, TERM-04, TERM-06, TERM-08 */
#include "unit.h"

#include "sandbox/term-filter.h"

/* Whole and byte by byte must come to the same. */
static void check(bool clipboard, const char *in, size_t n, const char *want)
{
	char out[4096];
	struct term_filter f = {.clipboard = clipboard};
	size_t k = term_filter(&f, in, n, out);
	assert_int_equal(k, strlen(want));
	assert_memory_equal(out, want, k);
	struct term_filter g = {.clipboard = clipboard};
	size_t o = 0;
	for (size_t i = 0; i < n; i++)
		o += term_filter(&g, in + i, 1, out + o);
	assert_int_equal(o, strlen(want));
	assert_memory_equal(out, want, o);
}

#define PASSES(s) check(false, s, sizeof(s) - 1, s)
#define BECOMES(s, want) check(false, s, sizeof(s) - 1, want)

static void ordinary_output_passes(void **state)
{
	(void)state;
	PASSES("hello\r\n\tw\xc3\xb6rld \xe2\x94\x80 \xf0\x9f\x98\x80");
	PASSES("\033[1;31mred\033[0m\033[?1049h\033[2J\033[H\033[?25l");
	PASSES("\033]0;title\a\033]8;;https://example.com\033\\link\033]8;;\033\\");
	PASSES("\033]11;?\033\\\033[c\033[>0q\033[6n\033P+q544e\033\\");
	PASSES("\033(B\0337\0338\033=");
}

static void what_types_back_does_not(void **state)
{
	(void)state;
	BECOMES("a\033]52;c;?\ab", "ab");
	BECOMES("a\033]52;c;?\033\\b", "ab");
	BECOMES("a\033]52;;?\ab", "ab");
	BECOMES("a\033]52;c;aGk=\ab", "ab");
	BECOMES("a\033[21tb\033[20tc", "abc");
	BECOMES("a\033[21;0tb", "ab");
	BECOMES("a\005b", "ab");
	BECOMES("a\033[1;1;1;1;1;1*yb", "ab");
	BECOMES("a\033]1337;File=name=eA==:AAAA\ab", "ab");
	BECOMES("a\033]5113;ac=send\033\\b", "ab");
	BECOMES("a\033]50;?\ab", "ab");
}

static void c1_controls_do_not(void **state)
{
	(void)state;
	BECOMES("a\xc2\x9b"
		"21tb",
		"a21tb"); /* the introducer is dropped, the rest is text */
	BECOMES("a\x9d"
		"52;c;?\ab",
		"a52;c;?\ab");
	BECOMES("a\xc2\xa9", "a\xc2\xa9");
}

static void clipboard_writes_by_option(void **state)
{
	(void)state;
	static const char w[] = "\033]52;c;aGVsbG8=\a", q[] = "\033]52;c;?\a";
	check(true, w, sizeof(w) - 1, w);
	check(true, q, sizeof(q) - 1, "");
}

static void long_strings_need_no_memory(void **state)
{
	(void)state;
	struct term_filter f = {0};
	static char in[70000], out[70000 + 2 * TERM_SEQ_MAX];
	memset(in, 'A', sizeof(in));
	memcpy(in, "\033]52;c;", 7);
	assert_int_equal(term_filter(&f, in, sizeof(in), out), 0);
	assert_int_equal(term_filter(&f, "\aok", 3, out), 2);
	memcpy(in, "\033]0;ttt", 7);
	assert_int_equal(term_filter(&f, in, sizeof(in), out), sizeof(in));
}

static void modes_are_undone(void **state)
{
	(void)state;
	struct term_filter f = {0};
	char out[1024], undo[512];
	static const char set[] =
		"\033[?1049h\033[?1000;1006h\033[?25l\033[>1u\033[?2004h\033[?2004l";
	term_filter(&f, set, sizeof(set) - 1, out);
	undo[term_filter_undo(&f, undo)] = '\0';
	assert_non_null(strstr(undo, "\033[?1049l"));
	assert_non_null(strstr(undo, "\033[?1000l"));
	assert_non_null(strstr(undo, "\033[?1006l"));
	assert_non_null(strstr(undo, "\033[?25h"));
	assert_non_null(strstr(undo, "\033[<9u"));
	assert_null(strstr(undo, "2004"));
	undo[term_filter_undo(&f, undo)] = '\0'; /* nothing left to undo */
	assert_string_equal(undo, "\033[0m");
}

static void an_open_string_is_closed(void **state)
{
	(void)state;
	struct term_filter f = {0};
	char out[1024], undo[512];
	term_filter(&f, "\033]0;never ended", 15, out);
	undo[term_filter_undo(&f, undo)] = '\0';
	assert_memory_equal(undo, "\033\\", 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_output_passes),
		cmocka_unit_test(what_types_back_does_not),
		cmocka_unit_test(c1_controls_do_not),
		cmocka_unit_test(clipboard_writes_by_option),
		cmocka_unit_test(long_strings_need_no_memory),
		cmocka_unit_test(modes_are_undone),
		cmocka_unit_test(an_open_string_is_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
