/* unit tests of the plan room: invariants and the wire form */
#include "unit.h"

#include "plan/plan.h"
#include "plan/wire.h"

static void base_plan(struct plan *p)
{
	*p = (struct plan){.id = "t",
		.hostname = "bawn",
		.uid = 1000,
		.inside_uid = 1000,
		.inside_gid = 1000,
		.gid = 1000,
		.user = "u",
		.home = "/home/u",
		.workspace = "/home/u/w",
		.cwd = "/home/u/w",
		.exe = "/bin/true",
		.state_dir = "/home/u/.local/share/bawn/sandboxes/t",
		.landlock = true};
	strv_add(&p->arena, &p->argv, "true");
	strv_add(&p->arena, &p->env, "SECRET=canary");
}

static struct mount_op *bind(struct plan *p, const char *path)
{
	struct mount_op *m = plan_mount(p, MOUNT_BIND, path);
	m->src = m->dst;
	return m;
}

static void a_sound_plan_passes(void **state)
{
	(void)state;
	struct plan p;
	struct err err = {0};
	base_plan(&p);
	bind(&p, "/home/u/w");
	plan_mount(&p, MOUNT_MASK, "/home/u/w/.env");
	assert_int_equal(plan_check(&p, &err), 0);
	plan_free(&p);
}

static void unsound_plans_do_not(void **state)
{
	(void)state;
	struct err err = {0};
	struct plan p;
#define REFUSED(what, ...)                                                                         \
	do {                                                                                       \
		base_plan(&p);                                                                     \
		__VA_ARGS__;                                                                       \
		err = (struct err){0};                                                             \
		assert_int_equal(plan_check(&p, &err), -EINVAL);                                   \
		assert_non_null(strstr(err.msg, what));                                            \
		plan_free(&p);                                                                     \
	} while (0)
	REFUSED("uid or gid 0", p.uid = 0);
	REFUSED("uid or gid 0", p.inside_uid = 0);
	REFUSED("uid or gid 0", p.inside_gid = 0);
	REFUSED("uid or gid 0", p.gid = 0);
	REFUSED("no command", p.argv.n = 0);
	REFUSED("no command", p.exe = "bin/true");
	REFUSED("cwd", p.cwd = "/home/../etc");
	REFUSED("workspace", p.workspace = "/");
	REFUSED("workspace", p.workspace = "/a//b");
	REFUSED("state", p.workspace = "/home/u/.local");
	REFUSED("state", p.workspace = "/home/u/.local/share/bawn/sandboxes/t/home");
	REFUSED("resolved path", bind(&p, "/home/u/./w"));
	REFUSED("source", bind(&p, "/home/u/w")->src = "../w");
	REFUSED("host's root", bind(&p, "/mnt")->src = "/");
	/* A bind behind a guard would lie over it. */
	REFUSED("cover", plan_mount(&p, MOUNT_MASK, "/home/u/w/.env"); bind(&p, "/home/u/w"));
	REFUSED("cover", plan_mount(&p, MOUNT_PIN, "/home/u/w/.git"); bind(&p, "/home/u"));
}

static struct blob wired(struct plan *p)
{
	struct blob b = {0};
	struct wire_bytes w = {.p = "ssssssss", .n = 8};
	struct err err = {0};
	base_plan(p);
	bind(p, "/home/u/w");
	plan_mount(p, MOUNT_TMPFS, "/tmp")->data = "size=1m";
	plan_land(p, "/tmp", true);
	p->pids = 77;
	assert_int_equal(wire_write(p, w, 24, 80, &b, &err), 0);
	return b;
}

static void the_wire_form_keeps_everything(void **state)
{
	(void)state;
	struct plan p;
	struct wire_plan w;
	struct err err = {0};
	struct blob b = wired(&p);
	assert_int_equal(wire_read(b.data, b.n, &w, &err), 0);
	assert_string_equal(w.hostname, "bawn");
	assert_string_equal(w.argv[0], "true");
	assert_null(w.argv[1]);
	assert_string_equal(w.env[0], "SECRET=canary");
	assert_int_equal(w.head.n_mounts, 2);
	assert_string_equal(w.mounts[0].src, "/home/u/w");
	assert_string_equal(w.mounts[1].data, "size=1m");
	assert_true(w.land[0].write);
	assert_int_equal(w.head.pids, 77);
	assert_int_equal(w.seccomp.n, 8);
	wire_free(&w);
	plan_free(&p);
	blob_free(&b);
}

static void a_cut_or_changed_plan_is_refused(void **state)
{
	(void)state;
	struct plan p;
	struct wire_plan w;
	struct err err = {0};
	struct blob b = wired(&p);
	for (size_t cut = 0; cut < b.n; cut++)
		assert_int_not_equal(wire_read(b.data, cut, &w, &err), 0);
	/* Any single byte changed: refused, or read without touching what isn't there (ASan). */
	char *copy = malloc(b.n);
	for (size_t i = 0; i < b.n; i++) {
		memcpy(copy, b.data, b.n);
		copy[i] = (char)(copy[i] ^ 0x81);
		if (wire_read(copy, b.n, &w, &err) == 0)
			wire_free(&w);
	}
	free(copy);
	plan_free(&p);
	blob_free(&b);
}

/* Rows that were laid before are not handed over again. */
static void early_rows_are_left_out(void **state)
{
	(void)state;
	struct plan p;
	struct wire_plan w;
	struct err err = {0};
	struct blob b = wired(&p);
	blob_free(&b);
	p.n_early = 1;
	assert_int_equal(wire_write(&p, (struct wire_bytes){.p = ""}, 24, 80, &b, &err), 0);
	assert_int_equal(wire_read(b.data, b.n, &w, &err), 0);
	assert_int_equal(w.head.n_mounts, 1);
	assert_string_equal(w.mounts[0].dst, "/tmp");
	wire_free(&w);
	plan_free(&p);
	blob_free(&b);
}

/* A template's root covers all that was laid: what of it has a guard is brought on top again. */
static void a_root_over_early_rows(void **state)
{
	(void)state;
	struct plan p;
	struct err err = {0};
	base_plan(&p);
	plan_mount(&p, MOUNT_PROC, "/proc");
	plan_mount(&p, MOUNT_MASK, "/proc/keys");
	struct mount_op *root = plan_mount(&p, MOUNT_OVERLAY, "/");
	root->src = "/layers/a";
	root->data = "/box/up\n/box/work";
	assert_int_equal(plan_check(&p, &err), -EINVAL);
	plan_mount(&p, MOUNT_CARRY, "/dev");
	assert_int_equal(plan_check(&p, &err), -EINVAL);
	plan_mount(&p, MOUNT_CARRY, "/proc");
	assert_int_equal(plan_check(&p, &err), 0);
	plan_free(&p);

	base_plan(&p);
	plan_mount(&p, MOUNT_PROC, "/proc");
	plan_mount(&p, MOUNT_CARRY, "/proc"); /* into what? */
	assert_int_equal(plan_check(&p, &err), -EINVAL);
	plan_free(&p);
}

static void the_early_form_keeps_everything(void **state)
{
	(void)state;
	struct err err = {0};
	struct blob b = {0};
	const struct mount_op rows[] = {{.kind = MOUNT_PROC, .dst = "/proc", .flags = MOUNT_NOEXEC},
		{.kind = MOUNT_SYMLINK, .dst = "/dev/fd", .data = "/proc/self/fd"}};
	struct wire_early in = {.head = {.uid = 7, .gid = 8, .n_host_ports = 1, .host_ports = {99}},
		.nft = {.p = "nnn", .n = 3},
		.rtnl = {.p = "rr", .n = 2}};
	struct wire_early e;
	assert_int_equal(wire_early_write(&in, rows, 2, &b, &err), 0);
	assert_int_equal(wire_early_read(b.data, b.n, &e, &err), 0);
	assert_int_equal(e.head.uid, 7);
	assert_int_equal(e.head.host_ports[0], 99);
	assert_int_equal(e.nft.n, 3);
	assert_memory_equal(e.rtnl.p, "rr", 2);
	assert_int_equal(e.head.n_mounts, 2);
	assert_string_equal(e.mounts[0].dst, "/proc");
	assert_int_equal(e.mounts[0].flags, MOUNT_NOEXEC);
	assert_string_equal(e.mounts[1].data, "/proc/self/fd");
	wire_early_free(&e);
	for (size_t cut = 0; cut < b.n; cut++)
		assert_int_equal(wire_early_read(b.data, cut, &e, &err), -EBADMSG);
	struct wire_early_head *head = (void *)(b.data + sizeof(struct blob_rec));
	head->n_host_ports = 17;
	assert_int_equal(wire_early_read(b.data, b.n, &e, &err), -EBADMSG);
	head->n_host_ports = 1;
	for (uint16_t n = 0; n < 5; n++) { /* as many rows as it says, or none of it */
		head->n_mounts = n;
		int r = wire_early_read(b.data, b.n, &e, &err);
		assert_int_equal(r, n == 2 ? 0 : -EBADMSG);
		if (r == 0)
			wire_early_free(&e);
	}
	char *copy = malloc(b.n);
	for (size_t i = 0; i < b.n; i++) { /* any byte changed: refused, or read within bounds */
		memcpy(copy, b.data, b.n);
		copy[i] = (char)(copy[i] ^ 0x81);
		if (wire_early_read(copy, b.n, &e, &err) == 0)
			wire_early_free(&e);
	}
	free(copy);
	blob_free(&b);
}

static void printing_shows_no_values(void **state)
{
	(void)state;
	struct plan p;
	base_plan(&p);
	struct json_out j = {0};
	plan_json(&p, &j);
	assert_non_null(strstr(j.buf, "SECRET"));
	assert_null(strstr(j.buf, "canary"));
	json_free(&j);
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	plan_print(&p, f);
	fclose(f);
	assert_non_null(strstr(text, "SECRET"));
	assert_null(strstr(text, "canary"));
	free(text);
	plan_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_plan_passes),
		cmocka_unit_test(unsound_plans_do_not),
		cmocka_unit_test(the_wire_form_keeps_everything),
		cmocka_unit_test(a_cut_or_changed_plan_is_refused),
		cmocka_unit_test(the_early_form_keeps_everything),
		cmocka_unit_test(early_rows_are_left_out),
		cmocka_unit_test(a_root_over_early_rows),
		cmocka_unit_test(printing_shows_no_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
