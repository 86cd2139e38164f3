/* tests/unit/test-change.c - bawn-change on real overlays: what it shows, with git as the judge. */
#include "change-world.h"

#include <fcntl.h>

#include "base/fd.h"
#include "change/starts.h"

static int open_patch(struct world *w)
{
	int fd = open(world_path(w->dir, "patch"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_return_code(fd, errno);
	return fd;
}

static void patch(struct world *w, struct change_request *q)
{
	_cleanup_close_ int fd = open_patch(w);
	world_must(w, q, fd);
}

/* The patch, applied by git to a copy of the base, gives the merged tree: names, types, contents,
 * the executable bit.  Directories that hold no file are nothing to git. */
static const char same_tree[] =
	"rm -rf copy && cp -a base copy && cd copy && "
	"if [ -s ../patch ]; then git apply --whitespace=nowarn --check ../patch && git apply "
	"--whitespace=nowarn ../patch; fi && cd .. && "
	"list() { (cd \"$1\" && find . -name .git -prune -o \\( -type f -o -type l \\) "
	"-exec sh -c 'for f; do printf \"%s \" \"$f\"; if test -L \"$f\"; then readlink -n \"$f\"; "
	"else test ! -x \"$f\" || printf \"x \"; sha1sum <\"$f\"; fi; printf \"\\0\"; done' _ {} + "
	"| "
	"LC_ALL=C sort -z); } && "
	"list copy >copy.list && list merged >merged.list && "
	"diff -a copy.list merged.list";

static void check_patch(struct world *w, bool lower)
{
	struct change_request q = world_request(w, CHANGE_PATCH, lower);
	patch(w, &q);
	world_sh_ok(w, same_tree);
}

static void kinds_of_change(void **state)
{
	struct world *w = *state;
	world_sh_ok(w,
		"cd base && seq 1 300 >numbers && echo old >mod && : >empty && echo gone >gone && "
		"printf 'no newline' >nonl && printf 'a\\r\\nb\\r\\n' >crlf && echo '#!/bin/sh' "
		">tool && "
		"head -c 3000 /dev/urandom >bin && ln -s mod link && mkdir -p d/e tree/sub && "
		"echo 1 >d/e/f && echo 2 >tree/sub/x && echo 3 >tree/y && echo t >tofile && "
		"mkdir todir.d && echo z >todir.d/z && echo f >dirnow && echo keep >same && "
		"printf 'x\\n' >onlymode");
	world_start(w);
	world_inside(w, false,
		"sed -i '10d;150s/$/ changed/;200a new line' numbers; echo more >>mod; : >filled; "
		"echo x >>empty; rm gone; echo >>nonl; printf 'a\\r\\nB\\r\\n' >crlf; chmod +x "
		"tool; "
		"head -c 5000 /dev/urandom >bin; head -c 100 /dev/zero >newbin; "
		"ln -sfn elsewhere link; ln -s /etc/passwd out; rm -r tree; rm tofile; ln -s mod "
		"tofile; "
		"rm -r todir.d; echo now a file >todir.d; rm dirnow; mkdir dirnow; echo in "
		">dirnow/in; "
		"touch same; cp same s2; mv s2 same; printf 'without' >new-nonl; chmod +x "
		"onlymode; "
		"mkdir -p deep/er/still; echo d >deep/er/still/f; mkdir emptydir; rm -r d; mkdir "
		"d; "
		"echo other >d/g");
	check_patch(w, false);
	assert_null(world_item(w, "same"));
	assert_int_equal(world_item(w, "numbers")->kind, CHANGE_MODIFIED);
	assert_int_equal(world_item(w, "tofile")->kind, CHANGE_TYPE);
	assert_int_equal(world_item(w, "todir.d")->kind, CHANGE_TYPE);
	assert_int_equal(world_item(w, "dirnow")->type, CHANGE_DIR);
	assert_int_equal(world_item(w, "tree/sub/x")->kind, CHANGE_DELETED);
	assert_int_equal(world_item(w, "d/e/f")->kind, CHANGE_DELETED);
	assert_int_equal(world_item(w, "onlymode")->kind, CHANGE_MODE);
	assert_true(world_item(w, "bin")->binary);
	assert_int_equal(world_item(w, "emptydir")->kind, CHANGE_ADDED);
	struct change_request q = world_request(w, CHANGE_LIST, false);
	q.lines = true;
	world_must(w, &q, -1);
	assert_int_equal(world_item(w, "numbers")->added, 2);
	assert_int_equal(world_item(w, "numbers")->removed, 2);
	assert_true(world_item(w, "numbers")->counted);
	assert_false(world_item(w, "bin")->counted);
}

static void names_that_need_quotes(void **state)
{
	struct world *w = *state;
	world_sh_ok(w,
		"cd base; for n in $'a\\nb' $'tab\\there' 'quote\"d' 'back\\slash' ' lead' 'trail "
		"' "
		"$'esc\\e[31m' $'\\xff\\xfe' 'uml\xc3\xa4ut' '-dash' 'a -> b' $'\\001' "
		"'two  spaces'; do echo 1 >\"$n\"; echo 1 >\"$n.gone\"; echo 1 >\"$n.mode\"; done");
	world_start(w);
	world_inside(w, false,
		"for n in *.gone; do rm -- \"$n\"; done; for n in *.mode; do chmod +x -- \"$n\"; "
		"done; "
		"for n in $'a\\nb' $'tab\\there' 'quote\"d' 'back\\slash' ' lead' 'trail ' "
		"$'esc\\e[31m' $'\\xff\\xfe' '-dash' 'a -> b' $'\\001'; do echo 2 >>\"$n\"; "
		"echo n >\"$n.new\"; : >\"$n.empty\"; head -c 30 /dev/urandom >\"$n.bin\"; done; "
		"mkdir 'd ir'; echo x >'d ir/f ile'");
	check_patch(w, false);
}

static void several_layers(void **state)
{
	struct world *w = *state;
	world_sh_ok(w,
		"cd base && mkdir -p a/b c && echo 1 >a/b/1 && echo 2 >a/2 && echo 3 >c/3 && echo "
		"4 >4 "
		"&& echo 5 >5 && echo 6 >6 && mkdir op && echo o >op/o && echo p >op/p");
	/* the frozen layer: made by an overlay of its own */
	world_start(w);
	world_sh_ok(w, "mv up up.saved; mv low up");
	world_inside(w, false,
		"rm 4 5; echo low >6; rm -r a; mkdir a; echo new >a/2; echo l >l; mkdir ld; echo x "
		">ld/x; "
		"rm -r op; mkdir op; echo q >op/q");
	world_sh_ok(w, "mv up low; mv up.saved up; chmod -R 700 work; rm -rf work");
	world_inside(w, true,
		"echo back >4; rm l; echo top >6; rm -r ld; echo y >ld; echo again >a/b; rm op/q; "
		"echo o >op/o");
	check_patch(w, true);
	assert_int_equal(world_item(w, "4")->kind, CHANGE_MODIFIED);
	assert_int_equal(world_item(w, "5")->kind, CHANGE_DELETED);
	assert_null(world_item(w, "l"));
	assert_int_equal(world_item(w, "ld")->kind, CHANGE_ADDED);
	assert_null(world_item(w, "op/o"));
	assert_int_equal(world_item(w, "op/p")->kind, CHANGE_DELETED);
	assert_int_equal(world_item(w, "a/b")->kind, CHANGE_TYPE);
	assert_int_equal(world_item(w, "a/b/1")->kind, CHANGE_DELETED);
}

/* Many random edits of texts: each patch gives the same file, and isn't much longer than diff's. */
static void random_texts(void **state)
{
	struct world *w = *state;
	world_sh_ok(w,
		"cd base; for i in $(seq 60); do awk -v s=$i 'BEGIN{srand(s); n=int(rand()*120); "
		"for(k=0;k<n;k++) print int(rand()*9)}' >t$i; done");
	world_start(w);
	world_inside(w, false,
		"for i in $(seq 60); do awk -v s=$((i + 100)) 'BEGIN{srand(s)} "
		"rand()<.1{next} rand()<.1{print int(rand()*9)} {print}' t$i >x; mv x t$i; done");
	check_patch(w, false);
	world_sh_ok(w,
		"ours=$(grep -ac '^[-+][^-+]' patch); theirs=$(diff -r base merged | grep -ac "
		"'^[<>]'); "
		"echo \"# lines in our patch $ours, in diff's $theirs\"; [ $ours -le $((theirs * "
		"12 / 10)) ]");
}

static void paths_select(void **state)
{
	struct world *w = *state;
	world_text(w->base, "a/x", "1");
	world_text(w->base, "ab/x", "1");
	world_text(w->base, "a*", "1");
	world_start(w);
	world_text(w->up, "a/x", "2");
	world_text(w->up, "a/new/deep", "2");
	world_text(w->up, "ab/x", "2");
	world_text(w->up, "a*", "2");
	struct change_request q = world_request(w, CHANGE_LIST, false);
	strv_add(&w->a, &q.paths, "a");
	world_must(w, &q, -1);
	assert_int_equal(w->res.n, 3);
	q.paths = (struct strv){0};
	strv_add(&w->a, &q.paths, "a*");
	world_must(w, &q, -1);
	assert_int_equal(w->res.n, 1);
	q.paths.v[0] = arena_dup(&w->a, "../a");
	assert_true(world_run(w, &q, -1) < 0);
}

static void path_arguments(void **state)
{
	struct world *w = *state;
	struct err err = {0};
	assert_string_equal(change_path(&w->a, "/w/s", "/w/s/d", "../x//y/.", &err), "x/y");
	assert_string_equal(change_path(&w->a, "/w/s", "/", "/w/s", &err), "");
	assert_string_equal(change_path(&w->a, "/w/s", "/w/s", "./a b", &err), "a b");
	assert_null(change_path(&w->a, "/w/s", "/w/s", "../s2/x", &err));
	assert_non_null(strstr(err.hint, "/w/s"));
	assert_null(change_path(&w->a, "/w/s", "/w/s", "/w/s/../../x", &err));
}

/* What the kernel's overlay would never leave, and what an agent can. */
static void hostile_uppers(void **state)
{
	struct world *w = *state;
	world_text(w->base, "f", "1");
	world_text(w->base, "secret/inner", "1");
	world_text(w->dir, "outside", "never read");
	world_start(w);
	world_sh_ok(w,
		"cd up && mkfifo fifo && ln -s ../.. secret && ln -s loop loop && ln loop "
		"hard-loop && "
		"mkdir shut && echo x >shut/x && chmod 0 shut && echo y >unreadable && "
		"chmod 0 unreadable && truncate -s 1T sparse && echo m >meta && "
		"setfattr -n user.overlay.metacopy -v y meta && mkdir redir && "
		"setfattr -n user.overlay.redirect -v /etc redir && "
		"python3 -c \"import socket; socket.socket(socket.AF_UNIX).bind('sock')\"");
	_cleanup_close_ int fd = open_patch(w);
	struct change_request q = world_request(w, CHANGE_PATCH, false);
	world_must(w, &q, fd);
	assert_int_equal(world_item(w, "fifo")->kind, CHANGE_ODD);
	assert_int_equal(world_item(w, "sock")->kind, CHANGE_ODD);
	assert_int_equal(world_item(w, "shut")->kind, CHANGE_ODD);
	assert_int_equal(world_item(w, "redir")->kind, CHANGE_ODD);
	assert_int_equal(world_item(w, "secret")->kind, CHANGE_TYPE);
	assert_int_equal(world_item(w, "loop")->type, CHANGE_LINK);
	assert_non_null(strstr(world_item(w, "sparse")->detail, "large"));
	assert_non_null(strstr(world_item(w, "unreadable")->detail, "mode"));
	assert_string_not_equal(world_item(w, "meta")->detail, "");
	world_sh_ok(w, "! grep -q 'never read' patch && chmod 700 up/shut");
}

static void very_deep_trees(void **state)
{
	struct world *w = *state;
	world_start(w);
	world_sh_ok(w,
		"cd up && python3 -c \"\nimport os\nfor i in range(5000):\n os.mkdir('deep'); "
		"os.chdir('deep')\nopen('leaf','w').write('x')\"");
	struct change_request q = world_request(w, CHANGE_LIST, false);
	world_must(w, &q, -1);
	size_t odd = 0;
	for (size_t i = 0; i < w->res.n; i++)
		odd += w->res.v[i].kind == CHANGE_ODD;
	assert_int_equal(odd, 1);
	q = world_request(w, CHANGE_DISCARD, false);
	world_must(w, &q, -1);
	q = world_request(w, CHANGE_LIST, false);
	world_must(w, &q, -1);
	assert_int_equal(w->res.n, 0);
}

static void whiteouts_that_are_files(void **state)
{
	struct world *w = *state;
	world_text(w->base, "d/gone", "1");
	world_text(w->base, "e/kept", "1");
	world_start(w);
	world_text(w->up, "d/gone", "");
	world_text(w->up, "e/kept", "");
	world_sh_ok(w,
		"setfattr -n user.overlay.opaque -v x up/d; "
		"setfattr -n user.overlay.whiteout -v y up/d/gone up/e/kept");
	struct change_request q = world_request(w, CHANGE_LIST, false);
	world_must(w, &q, -1);
	assert_int_equal(world_item(w, "d/gone")->kind, CHANGE_DELETED);
	/* without its directory's mark it is an empty file, as for the kernel */
	assert_int_equal(world_item(w, "e/kept")->kind, CHANGE_MODIFIED);
}

static void git_directories_stay_out_of_patches(void **state)
{
	struct world *w = *state;
	world_sh_ok(w, "cd base && git init -q . && echo 1 >f && git add f");
	world_start(w);
	world_inside(w, false,
		"git -c user.name=A -c user.email=a@example.org commit -qm 1; echo 2 >f; "
		"echo i >ignored; echo ignored >.gitignore; git add -A");
	check_patch(w, false);
	assert_non_null(world_item(w, ".git/index"));
	assert_non_null(world_item(w, "ignored"));
	world_sh_ok(w, "! grep -q '^diff.*\\.git/' patch");
}

static void repositories_of_sha256(void **state)
{
	struct world *w = *state;
	world_sh_ok(w,
		"cd base && git init -q --object-format=sha256 . && head -c 300 /dev/urandom >b && "
		"head -c 300 /dev/urandom >c");
	world_start(w);
	world_inside(w, false, "head -c 100 /dev/urandom >b; rm c; head -c 70000 /dev/urandom >d");
	struct change_request q = world_request(w, CHANGE_PATCH, false);
	q.hash_len = 32;
	patch(w, &q);
	world_sh_ok(w, same_tree);
}

/* --- what a start records --- */

static void starts(void **state)
{
	struct world *w = *state;
	struct change_starts s;
	struct err err = {0};
	struct strv masked = {0}, more = {0}, none = {0}, settings = {0};
	int box = open(world_path(w->dir, "state"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(change_starts_read(box, &w->a, &s, &err), -ENOENT);
	strv_add(&w->a, &masked, ".env");
	strv_add(&w->a, &more, "a/x.key");
	strv_add(&w->a, &more, ".env");
	strv_add(&w->a, &settings, "include.path");
	strv_add(&w->a, &settings, "~/w/config");
	assert_int_equal(change_starts_begin(box, &masked, NULL, &none, &err), 0);
	usleep(15000);
	assert_int_equal(change_starts_begin(box, &more, "hooks", &settings, &err), 0);
	assert_int_equal(change_starts_read(box, &w->a, &s, &err), 0);
	assert_int_equal(s.n_since, 2);
	assert_true(s.since[0] < s.since[1]);
	assert_int_equal(s.masked.n, 2);
	assert_string_equal(s.hooks, "hooks");
	assert_int_equal(s.settings.n, 2);
	assert_string_equal(s.settings.v[1], "~/w/config");
	/* a clock that was set back: the earlier start is all that is left to go by */
	uint64_t future[] = {1, UINT64_MAX};
	struct blob b = {0};
	blob_put(&b, 1, future, sizeof(future));
	blob_put_u64(&b, 4, 0);
	world_put(w->dir, "state/changes", b.data, b.n, 0600);
	assert_int_equal(change_starts_begin(box, &more, NULL, &none, &err), 0);
	assert_int_equal(change_starts_read(box, &w->a, &s, &err), 0);
	assert_int_equal(s.n_since, 2);
	assert_int_equal(s.since[0], 1);
	/* damaged */
	world_put(w->dir, "state/changes", b.data, b.n - 1, 0600);
	assert_int_equal(change_starts_read(box, &w->a, &s, &err), -EBADMSG);
	assert_string_not_equal(err.hint, "");
	blob_free(&b);
	/* git's index comes along, and goes when there is none any more */
	world_text(w->dir, "state/changes", "");
	unlink(world_path(w->dir, "state/changes"));
	world_text(w->base, "index", "DIRC...");
	assert_int_equal(change_direct_begin(box, world_path(w->base, "index"), &err), 0);
	world_sh_ok(w, "cmp base/index state/index && test ! -e state/index.tmp");
	assert_int_equal(change_direct_begin(box, NULL, &err), 0);
	world_sh_ok(w, "test ! -e state/index");
	close(box);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		T(kinds_of_change),
		T(names_that_need_quotes),
		T(several_layers),
		T(random_texts),
		T(paths_select),
		T(path_arguments),
		T(hostile_uppers),
		T(very_deep_trees),
		T(whiteouts_that_are_files),
		T(git_directories_stay_out_of_patches),
		T(repositories_of_sha256),
		T(starts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
