/* unit tests of the terminal filter and of what keys mean: attacks TERM-03, TERM-04, TERM-06,
 * TERM-08 */
#include "unit.h"

#include "sandbox/term-filter.h"
#include "sandbox/term-key.h"

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

/* What terminals skip or carry out without leaving a sequence hides nothing from us. */
static void control_bytes_hide_nothing(void **state)
{
	(void)state;
	BECOMES("a\033\n[21tb", "a\nb");
	BECOMES("a\033\177]52;c;?\ab", "ab");
	BECOMES("a\033\r]5\n2;c;?\ab", "a\rb");
	BECOMES("a\033]5\0012;c;\002?\ab", "ab");
	BECOMES("a\033]0000000052;c;?\ab", "ab");
	BECOMES("a\033]+52;c;?\ab", "ab");
	BECOMES("a\033[2\n1tb", "a\nb");
	BECOMES("a\033[4294967317tb", "ab");
	/* the end of a string, and what begins behind it, as C1 controls: text of the title here */
	BECOMES("a\033]0;x\302\234\302\23552;c;?\ab", "a\033]0;x52;c;?\ab");
	BECOMES("a\033]0;x\234\23552;c;?\ab", "a\033]0;x52;c;?\ab");
	BECOMES("a\033]0;x\340\202\23452;c;?\ab", "a\033]0;x52;c;?\ab");
	BECOMES("a\033P+q\234\23321t\033\\b", "a\033P+q21t\033\\b");
	BECOMES("a\033\23321tb", "a21tb");
	BECOMES("a\301\23321tb", "a\30121tb"); /* overlong */
	BECOMES("a\360\200\202\23321tb", "a21tb");
	/* BEL ends an OSC alone */
	BECOMES("a\033P+q5\a\033[21tb", "a\033P+q5\033\\b");
	BECOMES("a\033(\033]52;c;?\ab", "ab");
	PASSES("\033]0;t\303\266t \342\224\200\a");
}

/* What makes a terminal run, print, type or read something of the host's. */
static void strings_that_act_do_not_pass(void **state)
{
	(void)state;
	BECOMES("a\033P@kitty-cmd{\"cmd\":\"launch\"}\033\\b", "ab");
	BECOMES("a\033P0;1|17/726d0a\033\\b", "ab");
	BECOMES("a\033Ptmux;x\033\\b", "ab");
	BECOMES("a\033P1;0;0!z414243\033\\b", "ab");
	BECOMES("a\033_Gf=100,t=f,a=T;L2V0Yy9wYXNzd2Q=\033\\b", "ab");
	BECOMES("a\033_Ga=q,t=t;L3RtcC94\033\\b", "ab");
	BECOMES("a\033_Ga=q,t=d,t=s;L3g=\033\\b", "ab");
	BECOMES("a\033_other\033\\b", "ab");
	BECOMES("a\033^pm\033\\b\033Xsos\033\\c", "abc");
	BECOMES("a\033[5ib\033[?5ic", "abc");
	BECOMES("a\033]9;6;\"macro\"\ab", "ab");
	BECOMES("a\033]46;/tmp/log\ab\033]51;Aevil\ac\033]633;E;rm\ad", "abcd");
	BECOMES("a\033]5522;type=read\ab\033]50;font\ac\033]3;X=y\ad", "abcd");
	BECOMES("a\033%@b\033 Gc", "abc");
	PASSES("\033_Gf=100,a=T,t=d;iVBO\033\\\033_Gm=0;Rw0K\033\\");
	PASSES("\033]9;4;1;50\a\033]9;done\a\033P0;0;0q#0!5~\033\\\033P=1s\033\\");
	PASSES("\033P$qm\033\\\033]777;notify;a;b\a\033]11;#000000\a");
	BECOMES("a\033]777;container;push;x;podman\ab", "ab");
	BECOMES("a\033]777;notif\033\\b\033]777;\ac", "abc");
	BECOMES("a\033]99;i=x:a=report;hi\033\\b\033]99;d=0:a=focus,report:i=y;hi\ac", "abc");
	BECOMES("a\033]99;i=x:c=1:d=0;hi\033\\b\033]99;a=report\ac", "abc");
	PASSES("\033]99;i=1:d=0:p=title;a "
	       "report:c=1\033\\\033]99;i=1:d=1:a=focus;\033\\\033]99;;hi\a");
	BECOMES("a\033[12;3]b\033[14;1]c", "abc");
	BECOMES("a\033[?2lb\033[?25;02lc\033[?;2;7ld", "abcd"); /* TERM-06: a VT52 */
	BECOMES("a\033[?38hb\033[?25;038hc", "abc");            /* a Tektronix 4014 */
	BECOMES("a\033[61\"pb\033[65;0\"pc", "abc");            /* a VT100, 8-bit controls */
	BECOMES("a\033[>0;1tb", "ab");                          /* titles in hexadecimal */
	PASSES("\033[?12l\033[?2004l\033[?2h\033[?38l\033[?25l\033[!p\033[?1$p\033[1$z");
}

static void clipboard_writes_by_option(void **state)
{
	(void)state;
	static const char w[] = "\033]52;c;aGVsbG8=\a", q[] = "\033]52;c;?\a";
	check(true, w, sizeof(w) - 1, w);
	check(true, q, sizeof(q) - 1, "");
}

/* Where nobody inside reads what the terminal answers, its user's shell would. */
static void nobody_to_hear_asks_nothing(void **state)
{
	(void)state;
	static const char in[] = "a\033[c\033[6n\033[>q\033[?2004$p\033Z\033[14t\033[?u"
				 "\033[?4m\033[?4g\033[#R\033[\"v"
				 "\033]11;?\a\033]4;1;?\033\\\033P$qm\033\\\033P+q544e\033\\"
				 "\033_Gi=1,a=q;AAAA\033\\\033]0;title\a\033]2;t\033\\"
				 "\033[1mb\033[?25l\033]8;;x\033\\\033]11;#000000\ac";
	char out[sizeof(in) + TERM_SEQ_MAX];
	struct term_filter f = {.deaf = true};
	size_t n = term_filter(&f, in, sizeof(in) - 1, out);
	static const char want[] = "a\033[1mb\033[?25l\033]8;;x\033\\\033]11;#000000\ac";
	assert_int_equal(n, sizeof(want) - 1);
	assert_memory_equal(out, want, n);
	assert_int_equal(f.queries, 0);
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
	char out[1024], undo[TERM_UNDO_MAX + 1];
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

static void undone(const char *set, const char *want)
{
	struct term_filter f = {0};
	char out[4096], undo[TERM_UNDO_MAX + 1];
	term_filter(&f, set, strlen(set), out);
	size_t n = term_filter_undo(&f, undo);
	assert_true(n <= TERM_UNDO_MAX);
	undo[n] = '\0';
	assert_non_null(strstr(undo, want));
}

static void whatever_is_changed_is_undone(void **state)
{
	(void)state;
	undone("\033[?1003h\033[?1003s\033[?1003l\033[?1003r", "\033[?1003l");
	undone("\033[?25s\033[?25r", "\033[?25h");
	undone("\033[2h", "\033[2l");
	undone("\033[4h", "\033[4l");
	undone("\033[20h", "\033[20l");
	undone("\033[12l", "\033[12h");
	undone("\033[5;10r", "\033[r");
	undone("\033l", "\033[r");
	undone("\033(0", "\033(B");
	undone("\016", "\017");
	undone("\033[5 q", "\033[0 q");
	undone("\033[?8l", "\033[?8h");
	undone("\033[?8s\033[?8r", "\033[?8h");
	undone("\033]22;wait\033\\", "\033]22;\033\\");
	undone("\033[1;2'z\033[1'{", "\033[0'z");
	undone("\033[2$~\033[1$}", "\033[0$}\033[0$~");
	undone("\033]11;#ffffff\a", "\033]111\033\\");
	/* more modes than can be kept count of hide none */
	char many[1024] = "";
	for (int i = 0, o = 0; i < 40; i++)
		o += snprintf(many + o, sizeof(many) - (size_t)o, "\033[?%dh", 9001 + i);
	strcat(many, "\033[?1000h");
	undone(many, "\033[?1000l");
}

static void an_open_string_is_closed(void **state)
{
	(void)state;
	struct term_filter f = {0};
	char out[1024], undo[TERM_UNDO_MAX + 1];
	term_filter(&f, "\033]0;never ended", 15, out);
	undo[term_filter_undo(&f, undo)] = '\0';
	assert_memory_equal(undo, "\033\\", 2);
}

/* What set leaves behind comes back, and the filter of who brings it back knows of it. */
static void redone(const char *set, const char *want)
{
	struct term_filter f = {0}, g = {0};
	char out[4096], redo[TERM_UNDO_MAX + 1], again[TERM_UNDO_MAX + 1];
	term_filter(&f, set, strlen(set), out);
	redo[term_filter_redo(&f, redo)] = '\0';
	assert_string_equal(redo, want);
	out[term_filter(&g, redo, strlen(redo), out)] = '\0';
	assert_string_equal(out, redo);
	again[term_filter_redo(&g, again)] = '\0';
	assert_string_equal(again, redo);
}

static void modes_are_redone(void **state)
{
	(void)state;
	redone("", "");
	redone("text \033[1;31mred\033[2J\033]0;title\a", "");
	/* the screen first, and what is off again not */
	redone("\033[?2004h\033[?1000;1006h\033[?1004h\033[?1049h\033[?1004l\033[?25l\033=",
		"\033[?1049h\033[?2004h\033[?1000h\033[?1006h\033=\033[?25l");
	redone("\033[?1049h\033[?2004h\033[?1049l\033[?2004l", "");
	/* nobody would end a drawing that began elsewhere */
	redone("\033[?2026h\033[?7l\033[4h", "\033[?7l\033[4h");
	redone("\033[>1u\033[>7u", "\033[>7u");
	redone("\033[>7u\033[<u", "");
	redone("\033[=1;1u\033[=8;2u\033[=1;3u", "\033[>8u");
	redone("\033[>4;2m", "\033[>4;2m");
	redone("\033[>4;2m\033[>4m", "");
	redone("\033[>1;2m", "");
	char many[1024] = "", undo[TERM_UNDO_MAX];
	struct term_filter f = {0};
	for (int i = 0, o = 0; i < 40; i++)
		o += snprintf(many + o, sizeof(many) - (size_t)o, "\033[?%dh", 65000 + i);
	char out[2048];
	term_filter(&f, many, strlen(many), out);
	assert_in_range(term_filter_redo(&f, undo), 1, TERM_UNDO_MAX);
}

static void key_is(const char *s, int key, size_t n)
{
	size_t k = 0;
	assert_int_equal(term_key(s, strlen(s), &k), key);
	assert_int_equal(k, n);
}

static void keys_are_known_in_each_form(void **state)
{
	(void)state;
	key_is("\020\021", 'P' & 31, 1);
	key_is("ab", 'a', 1);
	key_is("\303\266", 0xc3, 1);
	key_is("\033[112;5u", 'P' & 31, 8);
	key_is("\033[112;5ux", 'P' & 31, 8);
	key_is("\033[112:80:112;5:1u", 'P' & 31, 17);
	key_is("\033[112;69u", 'P' & 31, 9);       /* caps lock */
	key_is("\033[112;133u", 'P' & 31, 10);     /* num lock */
	key_is("\033[1079::112;5u", 'P' & 31, 14); /* a Cyrillic layout */
	key_is("\033[1079;5u", TERM_KEY_OTHER, 9);
	key_is("\033[27;5;112~", 'P' & 31, 11);
	key_is("\033[97u", 'a', 5);
	key_is("\033[97;;97u", 'a', 9);
	/* with more than Ctrl it is another key */
	key_is("\033[112;6u", TERM_KEY_OTHER, 8);
	key_is("\033[112;7u", TERM_KEY_OTHER, 8);
	key_is("\033[112;5:3u", TERM_KEY_ASIDE, 10);
	key_is("\033[57442;5u", TERM_KEY_ASIDE, 10);
	/* neither whole nor of these forms: bytes */
	key_is("\033", 27, 1);
	key_is("\033[", 27, 1);
	key_is("\033[A", 27, 1);
	key_is("\033[112;5", 27, 1);
	key_is("\033[u", 27, 1);
	key_is("\033[15~", 27, 1);
	key_is("\033[?1u", 27, 1);
	key_is("\033[99999999999999999999;99999999999999999999u", TERM_KEY_OTHER, 44);
	char longer[100] = "\033[";
	memset(longer + 2, '1', 90);
	longer[92] = 'u';
	key_is(longer, 27, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_output_passes),
		cmocka_unit_test(what_types_back_does_not),
		cmocka_unit_test(c1_controls_do_not),
		cmocka_unit_test(control_bytes_hide_nothing),
		cmocka_unit_test(strings_that_act_do_not_pass),
		cmocka_unit_test(clipboard_writes_by_option),
		cmocka_unit_test(nobody_to_hear_asks_nothing),
		cmocka_unit_test(long_strings_need_no_memory),
		cmocka_unit_test(modes_are_undone),
		cmocka_unit_test(whatever_is_changed_is_undone),
		cmocka_unit_test(an_open_string_is_closed),
		cmocka_unit_test(modes_are_redone),
		cmocka_unit_test(keys_are_known_in_each_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
