/* tests/unit/test-build.c - the language of Dockerfiles: lines, instructions, words, mounts. */
#include "unit.h"

#include "build/buf.h"
#include "build/dockerfile.h"
#include "build/expand.h"
#include "build/mode.h"
#include "build/mount.h"
#include "build/remote-url.h"

struct world {
	struct arena a;
	struct dockerfile d;
	struct err err;
};

static int parse(struct world *w, const char *text)
{
	arena_free(&w->a);
	*w = (struct world){0};
	return dockerfile_parse(&w->a, "Dockerfile", text, strlen(text), &w->d, &w->err);
}

/* Every instruction on a line of its own, its parts in brackets. */
static char *show(struct world *w)
{
	struct buf b = {0};
	for (size_t i = 0; i < w->d.n_inst; i++) {
		const struct df_inst *in = w->d.v[i];
		buf_str(&b, df_name(in->kind));
		for (size_t k = 0; k < in->n_flags; k++)
			buf_printf(&b, " --%s=%s", in->flags[k].name, in->flags[k].value);
		buf_str(&b, in->exec ? " exec" : "");
		for (size_t k = 0; k < in->n_words; k++)
			buf_printf(&b, " [%s]", in->words[k].s);
		for (size_t k = 0; k < in->n_pairs; k++)
			buf_printf(&b, " {%s=%s}", in->pairs[k].key,
				in->pairs[k].value ? in->pairs[k].value : "?");
		for (size_t k = 0; k < in->n_docs; k++)
			buf_printf(&b, " <%s%s%s:%s>", in->docs[k].name,
				in->docs[k].expand ? "" : " raw", in->docs[k].chomp ? " chomp" : "",
				in->docs[k].text);
		if (in->sub) {
			buf_printf(&b, " -> %s", df_name(in->sub->kind));
			for (size_t k = 0; k < in->sub->n_words; k++)
				buf_printf(&b, " [%s]", in->sub->words[k].s);
			for (size_t k = 0; k < in->sub->n_docs; k++)
				buf_printf(&b, " <%s:%s>", in->sub->docs[k].name,
					in->sub->docs[k].text);
		}
		buf_char(&b, '\n');
	}
	return buf_take(&w->a, &b);
}

struct sample {
	const char *text, *want;
};

static void check_samples(const struct sample *s, size_t n)
{
	struct world w = {0};
	for (size_t i = 0; i < n; i++) {
		if (parse(&w, s[i].text) < 0)
			fail_msg("%s\n-> %s", s[i].text, w.err.msg);
		assert_string_equal(show(&w), s[i].want);
	}
	arena_free(&w.a);
}

static void test_lines(void **state)
{
	(void)state;
	static const struct sample samples[] = {
		{"FROM a", "FROM [a]\n"},
		{"\xef\xbb\xbf# a comment\n\n  from a as B\r\n", "FROM [a] [as] [B]\n"},
		{"FROM a\nRUN one \\\n  two\\\nthree", "FROM [a]\nRUN [one   twothree]\n"},
		{"FROM a\nRUN one \\  \n# no part of it\n\n   # nor this \\\n && two # this is\n",
			"FROM [a]\nRUN [one  && two # this is]\n"},
		{"FROM a\nRUN a\\\\\nUSER b", "FROM [a]\nRUN [a\\\\]\nUSER [b]\n"},
		{"# escape=`\nFROM a\nRUN dir c:\\ `\n b\nENV x=a\\ y=b",
			"FROM [a]\nRUN [dir c:\\  b]\nENV {x=a\\} {y=b}\n"},
		{"# syntax = docker/dockerfile:1\n# check=skip=all\n# Escape = `\nFROM a`\nb",
			"FROM [ab]\n"},
		/* behind a comment that is no directive, none is one */
		{"# what\n# escape=`\nFROM a\\\nb", "FROM [ab]\n"},
		{"# other=1\n# escape=`\nFROM a\\\nb", "FROM [ab]\n"},
		{"FROM a\nRUN last \\", "FROM [a]\nRUN [last]\n"},
		{"FROM a\n\\\n\\\nUSER b", "FROM [a]\nUSER [b]\n"},
	};
	check_samples(samples, ARRAY_LEN(samples));
	struct world w = {0};
	assert_int_equal(parse(&w, "#syntax=x/y:1\nFROM a"), 0);
	assert_string_equal(w.d.syntax, "x/y:1");
	arena_free(&w.a);
}

static void test_heredocs(void **state)
{
	(void)state;
	static const struct sample samples[] = {
		{"FROM a\nRUN <<EOF\n# stays\necho \\\n  $x\nEOF\nUSER b",
			"FROM [a]\nRUN [<<EOF] <EOF:# stays\necho \\\n  $x\n>\nUSER [b]\n"},
		{"FROM a\nRUN <<-'E' cat >f\n\ta\n\tE\n",
			"FROM [a]\nRUN [<<-'E' cat >f] <E raw chomp:a\n>\n"},
		{"FROM a\nCOPY <<x <<\"y z\" /d/\n1\nx\n2\ny z\n",
			"FROM [a]\nCOPY [<<x] [<<\"y] [z\"] [/d/] <x:1\n> <y z raw:2\n>\n"},
		{"FROM a\nRUN cat <<A 3<<B\n1\nA\n2\nB\n",
			"FROM [a]\nRUN [cat <<A 3<<B] <A:1\n> <B:2\n>\n"},
		{"FROM a\nONBUILD RUN <<E\n1\nE\nUSER b",
			"FROM [a]\nONBUILD -> RUN [<<E] <E:1\n>\nUSER [b]\n"},
		/* what looks like one and is none */
		{"FROM a\nRUN cat <<<EOF\nUSER b", "FROM [a]\nRUN [cat <<<EOF]\nUSER [b]\n"},
		{"FROM a\nRUN echo \"a <<EOF\"\nUSER b",
			"FROM [a]\nRUN [echo \"a <<EOF\"]\nUSER [b]\n"},
		{"FROM a\nRUN [\"echo\", \"<<EOF\"]\nUSER b",
			"FROM [a]\nRUN exec [echo] [<<EOF]\nUSER [b]\n"},
		{"FROM a\nLABEL x=<<EOF\nUSER b", "FROM [a]\nLABEL {x=<<EOF}\nUSER [b]\n"},
		{"FROM a\nRUN echo $((1 << 2))\nUSER b",
			"FROM [a]\nRUN [echo $((1 << 2))]\nUSER [b]\n"},
	};
	check_samples(samples, ARRAY_LEN(samples));
}

static void test_instructions(void **state)
{
	(void)state;
	static const struct sample samples[] = {
		{"ARG V=1 W\nFROM --platform=$P a:$V",
			"ARG {V=1} {W=?}\nFROM --platform=$P [a:$V]\n"},
		{"FROM a\nENV a=b c=\"d e\" f=g\\ h i='j \"k'",
			"FROM [a]\nENV {a=b} {c=\"d e\"} {f=g\\ h} {i='j \"k'}\n"},
		{"FROM a\nENV A the  rest is \"it\"", "FROM [a]\nENV {A=the  rest is \"it\"}\n"},
		{"FROM a\nENV A=\nENV B x=y", "FROM [a]\nENV {A=}\nENV {B=x=y}\n"},
		{"FROM a\nLABEL \"a b\"=c d.e=\"x \\\n  y\"",
			"FROM [a]\nLABEL {\"a b\"=c} {d.e=\"x   y\"}\n"},
		{"FROM a\nRUN [\"a b\", \"c\\n\\u00e9\\ud83d\\ude00\"]",
			"FROM [a]\nRUN exec [a b] [c\n\xc3\xa9\xf0\x9f\x98\x80]\n"},
		{"FROM a\nRUN [ -f /x ] && y", "FROM [a]\nRUN [[ -f /x ] && y]\n"},
		{"FROM a\nRUN ['a', 'b']\nRUN [\"a\", \"b\",]\nRUN [\"a\"] x",
			"FROM [a]\nRUN [['a', 'b']]\nRUN [[\"a\", \"b\",]]\nRUN [[\"a\"] x]\n"},
		{"FROM a\nCMD\nCMD []\nENTRYPOINT top -b",
			"FROM [a]\nCMD\nCMD exec\nENTRYPOINT [top -b]\n"},
		{"FROM a\nCOPY --from=b --chown=1:2 --link x y  /z/",
			"FROM [a]\nCOPY --from=b --chown=1:2 --link=true [x] [y] [/z/]\n"},
		{"FROM a\nADD --chmod=755 [\"a b\", \"/c d\"]",
			"FROM [a]\nADD --chmod=755 exec [a b] [/c d]\n"},
		{"FROM a\nCOPY --exclude=*.a --exclude=b . /",
			"FROM [a]\nCOPY --exclude=*.a --exclude=b [.] [/]\n"},
		{"FROM a\nRUN --mount=type=cache,target=/c --network=none -- make",
			"FROM [a]\nRUN --mount=type=cache,target=/c --network=none [make]\n"},
		{"FROM a\nRUN echo --mount=x", "FROM [a]\nRUN [echo --mount=x]\n"},
		{"FROM a\nEXPOSE 80/tcp $P 1-2\nVOLUME /a /b\nVOLUME [\"/c d\"]",
			"FROM [a]\nEXPOSE [80/tcp] [$P] [1-2]\nVOLUME [/a] [/b]\nVOLUME exec [/c "
			"d]\n"},
		{"FROM a\nWORKDIR a b\nUSER x:y\nSTOPSIGNAL 9\nMAINTAINER Some One",
			"FROM [a]\nWORKDIR [a b]\nUSER [x:y]\nSTOPSIGNAL [9]\nMAINTAINER [Some "
			"One]\n"},
		{"FROM a\nSHELL [\"/bin/bash\", \"-c\"]\nONBUILD COPY a b\nONBUILD ENV x y",
			"FROM [a]\nSHELL exec [/bin/bash] [-c]\nONBUILD -> COPY [a] [b]\n"
			"ONBUILD -> ENV\n"},
		{"FROM a\nHEALTHCHECK none\nHEALTHCHECK --interval=5s CMD [\"x\"]",
			"FROM [a]\nHEALTHCHECK\nHEALTHCHECK --interval=5s -> CMD [x]\n"},
	};
	check_samples(samples, ARRAY_LEN(samples));
}

struct refusal {
	const char *text, *msg, *caret; /* the excerpt's line and the caret's column, from 0 */
	int col;
};

static const struct refusal refusals[] = {
	{"", "Dockerfile: there is no FROM in it", NULL, 0},
	{"ARG a\n", "Dockerfile: there is no FROM in it", NULL, 0},
	{"RUN x\nFROM a", "Dockerfile:1:1: RUN stands before the first FROM", "RUN x", 0},
	{"FROM a\nRUM x", "Dockerfile:2:1: unsupported instruction \"RUM\"", "RUM x", 0},
	{"FROM a\n  INCLUDE x", "Dockerfile:2:3: unsupported instruction \"INCLUDE\"",
		"  INCLUDE x", 2},
	{"FROM a b", "Dockerfile:1:6: FROM wants an image, or: FROM IMAGE AS NAME", "FROM a b", 5},
	{"FROM a AS 1x", "Dockerfile:1:11: \"1x\" can't be the name of a stage", "FROM a AS 1x",
		10},
	{"FROM a\nCOPY \\\n  --form=x \\\n  a b", "Dockerfile:3:3: COPY has no flag --form",
		"  --form=x \\", 2},
	{"FROM a\nCOPY --link=maybe a b", "Dockerfile:2:6: --link is true or false, nothing else",
		"COPY --link=maybe a b", 5},
	{"FROM a\nCOPY --from a b", "Dockerfile:2:6: --from wants a value: --from=...",
		"COPY --from a b", 5},
	{"FROM a\nCOPY --from=a --from=b a b", "Dockerfile:2:15: --from stands here twice",
		"COPY --from=a --from=b a b", 14},
	{"FROM a\nADD --checksum a b", "Dockerfile:2:5: --checksum wants a value: --checksum=...",
		"ADD --checksum a b", 4},
	{"FROM a\nRUN --network=host x",
		"Dockerfile:2:5: RUN --network=host is not supported: there are default "
		"and "
		"none",
		"RUN --network=host x", 4},
	{"FROM a\nRUN --mount=type=ssh x", "Dockerfile:2:5: --mount: type=ssh is not supported",
		"RUN --mount=type=ssh x", 4},
	{"FROM a\nCOPY a", "Dockerfile:2:6: COPY wants at least one source and a destination",
		"COPY a", 5},
	{"FROM a\nENV a=b \\\n\tc", "Dockerfile:3:2: there is no \"=\" in \"c\"", "\tc", 1},
	{"FROM a\nENV x", "Dockerfile:2:5: ENV wants NAME=VALUE", "ENV x", 4},
	{"FROM a\nENV =x", "Dockerfile:2:5: there is no name before the \"=\"", "ENV =x", 4},
	{"FROM a\nSHELL bash -c",
		"Dockerfile:2:7: SHELL wants a list: SHELL [\"/bin/bash\", \"-c\"]",
		"SHELL bash -c", 6},
	{"FROM a\nRUN [\"a\", 1]",
		"Dockerfile:2:5: the elements of a list are strings in double quotes",
		"RUN [\"a\", 1]", 4},
	{"FROM a\nRUN cat <<X\nb\n",
		"Dockerfile:2:9: nothing ends this heredoc: no line \"X\" follows", "RUN cat <<X",
		8},
	{"FROM a\nCOPY a <<X\nX\n", "Dockerfile:2:8: a heredoc can't be where COPY copies to",
		"COPY a <<X", 7},
	{"FROM a\nONBUILD FROM b",
		"Dockerfile:2:9: ONBUILD wants something else than ONBUILD, FROM and "
		"MAINTAINER",
		"ONBUILD FROM b", 8},
	{"FROM a\nHEALTHCHECK sleep",
		"Dockerfile:2:13: HEALTHCHECK wants CMD and a command, or NONE",
		"HEALTHCHECK sleep", 12},
	{"# escape=x\nFROM a", "Dockerfile:1:10: the escape character is a backslash or a backtick",
		"# escape=x", 9},
	{"# syntax=x\n# syntax=y\nFROM a", "Dockerfile:2:1: this directive stands here twice",
		"# syntax=y", 0},
	{"FROM a\nRUN", "Dockerfile:2:4: RUN wants a command", "RUN", 3},
};

static void test_refusals(void **state)
{
	(void)state;
	struct world w = {0};
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		if (parse(&w, refusals[i].text) != -EINVAL)
			fail_msg("not refused: %s", refusals[i].text);
		assert_string_equal(w.err.msg, refusals[i].msg);
		char want[256] = "";
		if (refusals[i].caret) {
			const char *tab = strchr(refusals[i].caret, '\t');
			snprintf(want, sizeof(want), "  %s\n  %.*s%*s\n", refusals[i].caret,
				tab ? 1 : 0, tab ? tab : "", refusals[i].col + 1 - (tab ? 1 : 0),
				"^");
		}
		assert_string_equal(df_excerpt(&w.a, &w.d), want);
	}
	assert_int_equal(parse(&w, "FROM a\nRNU x"), -EINVAL);
	assert_string_equal(w.err.hint, "did you mean RUN?");
	arena_free(&w.a);
	w = (struct world){0};
	assert_int_equal(dockerfile_parse(&w.a, "f", "FROM\0x", 6, &w.d, &w.err), -EINVAL);
	assert_string_equal(w.err.msg, "f: no text: there is a NUL byte in it");
	arena_free(&w.a);
}

/* What a terminal would act on is shown, and the caret still stands below its place. */
static void test_excerpts(void **state)
{
	(void)state;
	struct world w = {0};
	char text[3000];
	assert_int_equal(parse(&w, "FROM a\nENV a=\x1b[31m b"), -EINVAL);
	assert_null(strchr(df_excerpt(&w.a, &w.d), '\x1b'));
	snprintf(text, sizeof(text), "FROM a\nENV %02000d=1 b", 7);
	assert_int_equal(parse(&w, text), -EINVAL);
	const char *e = df_excerpt(&w.a, &w.d), *nl = strchr(e, '\n');
	assert_true(nl - e < 200);
	assert_int_equal(e[strchr(nl, '^') - nl - 1], 'b');
	arena_free(&w.a);
}

/* ---- expansion ---- */

static const char *get(void *ctx, const char *name, size_t n)
{
	(void)ctx;
	static const char *const env[] = {
		"x=one", "empty=", "sp=a  b", "p=/usr/lib/x.tar.gz", "s=aXbXc", "X1=num", "1=pos"};
	for (size_t i = 0; i < ARRAY_LEN(env); i++)
		if (strncmp(env[i], name, n) == 0 && env[i][n] == '=')
			return env[i] + n + 1;
	return NULL;
}

struct word_sample {
	const char *in, *out; /* out NULL: refused */
};

static void check_words(const struct expand *e, const struct word_sample *s, size_t n)
{
	struct arena a = {0};
	for (size_t i = 0; i < n; i++) {
		char *out = NULL;
		struct err err = {0};
		size_t at = 0;
		int r = expand_word(&a, e, s[i].in, &out, &at, &err);
		if (!s[i].out) {
			if (r >= 0)
				fail_msg("%s is not refused: %s", s[i].in, out);
			assert_true(err.msg[0] && at <= strlen(s[i].in));
			continue;
		}
		if (r < 0)
			fail_msg("%s: %s", s[i].in, err.msg);
		if (!streq(out, s[i].out))
			fail_msg("%s: %s is not %s", s[i].in, out, s[i].out);
	}
	arena_free(&a);
}

static void test_expand(void **state)
{
	(void)state;
	static const struct word_sample samples[] = {
		{"a b", "a b"},
		{"$x", "one"},
		{"${x}y$x-", "oneyone-"},
		{"$xy", ""},
		{"$no$x", "one"},
		{"$", "$"},
		{"a$ b", "a$ b"},
		{"$X1 $1x", "num posx"},
		{"\\$x", "$x"},
		{"\\${x}", "${x}"},
		{"'$x'", "$x"},
		{"\"$x\"", "one"},
		{"\"\\$x \\\" \\\\ \\n\"", "$x \" \\ \\n"},
		{"a\\ b\\n", "a bn"},
		{"a'b'\"c\"", "abc"},
		{"''", ""},
		{"'it''s'", "its"},
		{"end\\", "end"},
		{"${x:-d}", "one"},
		{"${no:-d}", "d"},
		{"${empty:-d}", "d"},
		{"${empty-d}", ""},
		{"${no-d}", "d"},
		{"${x:+d}", "d"},
		{"${empty:+d}", ""},
		{"${empty+d}", "d"},
		{"${no+d}", ""},
		{"${no:-${empty:-$x}}", "one"},
		{"${no:-${no:-a}b}c", "abc"},
		{"${no:-\"a }\"}", "a }"},
		{"${no:-'$x'}", "$x"},
		{"${no:-\\}}", "}"},
		{"${x:?m}", "one"},
		{"${empty?m}", ""},
		{"${no?m}", NULL},
		{"${empty:?m}", NULL},
		{"${p#*/}", "usr/lib/x.tar.gz"},
		{"${p##*/}", "x.tar.gz"},
		{"${p%.*}", "/usr/lib/x.tar"},
		{"${p%%.*}", "/usr/lib/x"},
		{"${p#/???}", "/lib/x.tar.gz"},
		{"${p#usr}", "/usr/lib/x.tar.gz"},
		{"${p%\\*}", "/usr/lib/x.tar.gz"},
		{"${s/X/-}", "a-bXc"},
		{"${s//X/-}", "a-b-c"},
		{"${s/b*/}", "aX"},
		{"${no/a/b}", ""},
		{"${x#$x}", ""},
		{"${sp}", "a  b"},
		{"${", NULL},
		{"${}", NULL},
		{"${x", NULL},
		{"${x:}", NULL},
		{"${x^}", NULL},
		{"${x:#a}", NULL},
		{"${x:-a", NULL},
		{"${{x}}", NULL},
		{"'a", NULL},
		{"\"a", NULL},
		{"${x/a}", NULL},
	};
	struct expand e = {.escape = '\\', .get = get};
	check_words(&e, samples, ARRAY_LEN(samples));
	static const struct word_sample tick[] = {{"c:\\$x`$x`n", "c:\\one$xn"}};
	e.escape = '`';
	check_words(&e, tick, ARRAY_LEN(tick));
	static const struct word_sample doc[] = {
		{"\"$x\" it's \\$x \\\\ \\\n", "\"one\" it's $x \\ \n"}};
	e = (struct expand){.escape = '\\', .get = get, .plain_quotes = true};
	check_words(&e, doc, ARRAY_LEN(doc));
	static const struct word_sample unset[] = {
		{"$x $no ${no} ${no:-a$x}", "one $no ${no} ${no:-a$x}"}};
	e = (struct expand){.escape = '\\', .get = get, .keep_unset = true};
	check_words(&e, unset, ARRAY_LEN(unset));
}

static void test_expand_words(void **state)
{
	(void)state;
	struct arena a = {0};
	struct expand e = {.escape = '\\', .get = get};
	struct strv v = {0};
	assert_int_equal(
		expand_words(&a, &e, " $sp \"$sp\" c\\ d '' e'f g' $no ", &v, NULL, NULL), 0);
	static const char *const want[] = {"a", "b", "a  b", "c d", "ef g"};
	assert_int_equal(v.n, ARRAY_LEN(want));
	for (size_t i = 0; i < v.n; i++)
		assert_string_equal(v.v[i], want[i]);
	arena_free(&a);
}

static const char *huge(void *ctx, const char *name, size_t n)
{
	(void)name, (void)n;
	return ctx;
}

static void test_expand_limits(void **state)
{
	(void)state;
	struct arena a = {0};
	struct buf b = {0};
	struct err err = {0};
	char *out = NULL, *big = malloc(300001);
	assert_non_null(big);
	memset(big, 'a', 300000);
	big[300000] = '\0';
	struct expand e = {.escape = '\\', .get = huge, .ctx = big};
	assert_int_equal(expand_word(&a, &e, "$a$a$a", &out, NULL, &err), 0);
	assert_int_equal(expand_word(&a, &e, "$a$a$a$a", &out, NULL, &err), -E2BIG);
	assert_int_equal(expand_word(&a, &e, "${a#a*a*a*b}", &out, NULL, &err), 0);
	assert_int_equal(expand_word(&a, &e, "${a//a*b/}", &out, NULL, &err), -E2BIG);
	for (int i = 0; i < 100; i++)
		buf_str(&b, "${a:+");
	assert_int_equal(expand_word(&a, &e, b.s, &out, NULL, &err), -EINVAL);
	assert_string_equal(err.msg, "variables nest too deep");
	buf_free(&b);
	free(big);
	arena_free(&a);
}

/* ---- mounts ---- */

static void test_mounts(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err err = {0};
	struct df_mount m;
	struct expand e = {.escape = '\\', .get = get};
	assert_int_equal(df_mount_parse(&a,
				 "target=/c/$x,type=cache,id=i,sharing=locked,mode=0755,uid=$1,ro",
				 NULL, &m, &err),
		0);
	assert_int_equal(m.type, DF_MOUNT_CACHE);
	assert_string_equal(m.target, "/c/$x");
	assert_true(m.read_only && m.has_mode && m.sharing == DF_LOCKED && m.mode == 0755);
	assert_int_equal(
		df_mount_parse(&a, "type=bind,from=st,source=/a,target=/c/$x", &e, &m, &err), 0);
	assert_string_equal(m.target, "/c/one");
	assert_string_equal(m.from, "st");
	assert_int_equal(
		df_mount_parse(&a, "type=secret,id=k,\"target=/r,s\",required", &e, &m, &err), 0);
	assert_string_equal(m.target, "/r,s");
	assert_true(m.required);
	assert_int_equal(df_mount_parse(&a, "type=tmpfs,target=/t,size=64m", &e, &m, &err), 0);
	assert_int_equal(m.size, 64 << 20);
	static const char *const bad[] = {"type=volume,target=/a", "type=cache",
		"target=", "type=secret", "type=bind,target=/a,mode=1",
		"type=cache,target=/a,mode=9", "type=cache,target=/a,uid=-1",
		"type=cache,target=/a,what=1", "type=tmpfs,target=/a,size=1x",
		"type=tmpfs,target=/a,size=99999999999g", "type=cache,target=/a,ro=maybe",
		"\"type=cache", "type=cache,sharing=x,target=/a"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (df_mount_parse(&a, bad[i], &e, &m, &err) >= 0)
			fail_msg("not refused: %s", bad[i]);
	arena_free(&a);
}

/* As chmod(1) has it, where the umask is 0. */
static void test_modes(void **state)
{
	static const struct {
		const char *text;
		mode_t was;
		bool dir;
		mode_t is;
	} good[] = {
		{"0755", 06644, false, 0755},
		{"7777", 0, true, 07777},
		{"u+x", 0644, false, 0744},
		{"+x", 0600, false, 0711},
		{"go-rwx,u=rw", 0777, false, 0600},
		{"a+X", 0644, false, 0644},
		{"a+X", 0644, true, 0755},
		{"a+X", 0654, false, 0755},
		{"u+xX,go=u-w", 0600, false, 0755},
		{"+s", 0755, false, 06755},
		{"o+s", 0755, false, 0755},
		{"u=rwx", 04600, false, 0700},
		{"u=rwx", 06600, true, 06700},
		{"ug=s", 0755, true, 06005},
		{"u-s", 06755, true, 02755},
		{"=", 06777, false, 0},
		{"+t", 0755, true, 01755},
		{"u+t", 0755, true, 0755},
		{"o=t", 0755, true, 01750},
		{"g=o", 0706, false, 0766},
		{"u+r-w+x", 0200, false, 0500},
		{"ua-", 0640, false, 0640},
	};
	static const char *const bad[] = {"", "8", "10000", "0755 ", "u", "x", "u+y", "u+x,",
		",u+x", "u+x g+x", "u=gx", "u+ug", "-1", "rwxr-xr-x"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(mode_is_valid(good[i].text));
		if (mode_apply(good[i].text, good[i].was, good[i].dir) != good[i].is)
			fail_msg("%s of %o", good[i].text, (unsigned int)good[i].was);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (mode_is_valid(bad[i]))
			fail_msg("\"%s\" is taken for a mode", bad[i]);
}

/* ---- what ADD names elsewhere ---- */

static void test_remote(void **state)
{
	(void)state;
	static const struct {
		const char *url, *name; /* NULL: it has none */
	} good[] = {
		{"http://h/a", "a"},
		{"https://h:8/a/b.tar.gz?x=/y#z", "b.tar.gz"},
		{"https://h/a%20b%2a", "a b*"},
		{"https://h/a%2Fb", "b"},
		{"https://h/a/b/", "b"},
		{"https://h/%e2%82%ac", "\xe2\x82\xac"},
		{"https://h/a%2525", "a%25"},
		{"https://h", NULL},
		{"https://h/", NULL},
		{"https://h//", NULL},
		{"https://h?a/b", NULL},
		{"https://h#a/b", NULL},
		{"https://h/?a/b", NULL},
	};
	static const char *const bad[] = {"", "http://", "http:///a", "https://?a", "ftp://h/a",
		"file:///a", "http:/h/a", "h/a", "https://h/..", "https://h/a/.",
		"https://h/%2e%2E", "https://h/a%2f..", "https://h/a%", "https://h/a%4",
		"https://h/a%4g", "https://h/a%00", "https://h/%0a", "https://h/%7f",
		"https://h/a b", "https://h/a\nb", "https://h/\xc3\xa9", "https://h\\@i/a",
		"https://h/a\tb"};
	struct arena a = {0};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char *name = NULL;
		assert_int_equal(remote_url_name(&a, good[i].url, &name), 0);
		if (good[i].name)
			assert_string_equal(name, good[i].name);
		else
			assert_null(name);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *name = NULL;
		if (remote_url_name(&a, bad[i], &name) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
		assert_null(name);
	}
	char big[400] = "https://h/";
	char *name = NULL;
	memset(big + strlen(big), 'a', 256);
	assert_int_equal(remote_url_name(&a, big, &name), -EINVAL);
	big[strlen("https://h/") + 255] = '\0';
	assert_int_equal(remote_url_name(&a, big, &name), 0);
	arena_free(&a);
}

static void test_repositories(void **state)
{
	(void)state;
	struct arena a = {0};
	static const char *const git[] = {"https://h/x.git", "https://h/x.git#v1:dir", "git@h:x",
		"git://h/x", "ssh://h/x", "http://h/x.git?a"};
	static const char *const other[] = {
		"https://h/x.git/y", "https://h/x", "http://h/x?a.git", "https://h/x#.git"};
	for (size_t i = 0; i < ARRAY_LEN(git); i++)
		assert_true(remote_is(git[i]) && remote_is_repository(git[i]));
	for (size_t i = 0; i < ARRAY_LEN(other); i++)
		assert_true(remote_is(other[i]) && !remote_is_repository(other[i]));
	static const struct {
		const char *text, *url, *ref, *dir;
	} parts[] = {{"https://h/x.git", "https://h/x.git", NULL, NULL},
		{"https://h/x.git#", "https://h/x.git", NULL, NULL},
		{"https://h/x.git#:", "https://h/x.git", NULL, NULL},
		{"https://h/x.git#v1", "https://h/x.git", "v1", NULL},
		{"https://h/x.git#refs/pull/1/head:a b/c", "https://h/x.git", "refs/pull/1/head",
			"a b/c"},
		{"https://h/x.git#:d:e#f", "https://h/x.git", NULL, "d:e#f"}};
	static const char *const no_git[] = {"https://h/x.git#-v", "https://h/x.git#a..b",
		"https://h/x.git#a b", "https://h/x.git#a~1", "https://h/x.git#a^{tree}",
		"https://h/x.git#a@{1}", "https://h/x.git#\xc3\xa9", "https://h/x.git#:a\nb",
		"https://h/a b.git", "https:///x.git", "ssh://h/x.git", "git@h:x.git", "-u.git"};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		char *url, *ref, *dir;
		assert_int_equal(remote_git_parse(&a, parts[i].text, &url, &ref, &dir), 0);
		assert_string_equal(url, parts[i].url);
		assert_string_equal(ref ? ref : "", parts[i].ref ? parts[i].ref : "");
		assert_string_equal(dir ? dir : "", parts[i].dir ? parts[i].dir : "");
	}
	for (size_t i = 0; i < ARRAY_LEN(no_git); i++) {
		char *url, *ref, *dir;
		if (remote_git_parse(&a, no_git[i], &url, &ref, &dir) != -EINVAL)
			fail_msg("taken: %s", no_git[i]);
	}
	assert_false(remote_is("x.git"));
	assert_false(remote_is("./http://x"));
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_heredocs),
		cmocka_unit_test(test_instructions),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_excerpts),
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_expand_words),
		cmocka_unit_test(test_expand_limits),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_remote),
		cmocka_unit_test(test_repositories),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
