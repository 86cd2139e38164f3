/* unit tests of the image room: what is read out of the JSON of images, and what is refused
 * (TPL-09, TPL-12), what is written
 */
#include "unit.h"

#include "image/ask.h"
#include "image/cpu.h"
#include "json/value.h"

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX_A (&A[7])
#define CONFIG "{\"mediaType\":\"" IMAGE_OCI_CONFIG "\",\"digest\":\"" A "\",\"size\":2}"
#define LAYER "{\"mediaType\":\"" IMAGE_OCI_LAYER "+gzip\",\"digest\":\"" B "\",\"size\":3}"

/* The answer in the form that a helper gives it: without "done". */
static int ask(struct arena *a, const struct image_request *req, char **ret, struct err *err)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	struct image_request back;
	struct blob b = {0};
	assert_int_equal(image_request_write(&b, req), 0);
	assert_int_equal(image_request_read(a, b.data, b.n, &back, err), 0);
	int r = image_answer(a, &back, f, err);
	fclose(f);
	*ret = arena_dupn(a, text, n);
	free(text);
	blob_free(&b);
	return r;
}

static char *ask_read(struct arena *a, enum image_op op, const char *doc, int want)
{
	struct image_request req = {.op = op,
		.doc = doc,
		.n_doc = strlen(doc),
		.platform = {.os = "linux", .arch = "amd64"}};
	struct err err = {0};
	char *text;
	int r = ask(a, &req, &text, &err);
	if (r != want)
		fail_msg("%d, not %d, for %.200s: %s", r, want, doc, err.msg);
	if (r < 0) {
		assert_true(err.msg[0]);
		assert_null(strpbrk(err.msg, "\n\033"));
	}
	return text;
}

static void archives(void **state)
{
	(void)state;
	struct arena a = {0};
	char *text = ask_read(&a, IMAGE_READ_ARCHIVE,
		"[{\"Config\":\"c.json\",\"RepoTags\":[\"x:1\",\"B A "
		"D\",\"y@" A "\"],\"Layers\":[\"l/layer.tar\"]},"
		"{\"Config\":\"blobs/sha256/x\",\"RepoTags\":null,\"Layers\":null}]",
		0);
	assert_string_equal(text,
		"image c.json\nlayer l/layer.tar\nname docker.io/library/x:1\nbad-name B A "
		"D\nbad-name y@" A "\n"
		"image blobs/sha256/x\n");
	arena_free(&a);
}

static void tpl_09_members_are_plain(void **state)
{
	(void)state;
	static const char *const bad[] = {"../../x", "/etc/passwd", "a/../b", "./a", "a//b", "a/",
		"..", ".", "", "a b", "a\\nb", "a\\u0007", "a\\\\b", "\\u00e4"};
	struct arena a = {0};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ask_read(&a, IMAGE_READ_ARCHIVE,
			arena_printf(&a, "[{\"Config\":\"c\",\"Layers\":[\"%s\"]}]", bad[i]),
			-EINVAL);
		ask_read(&a, IMAGE_READ_ARCHIVE,
			arena_printf(&a, "[{\"Config\":\"%s\",\"Layers\":[]}]", bad[i]), -EINVAL);
	}
	static const char *const docs[] = {"", "{}", "[]", "[1]", "[{}]", "[{\"Config\":1}]",
		"[{\"Config\":\"c\",\"Layers\":{}}]", "[{\"Config\":\"c\",\"Layers\":[1]}]",
		"[{\"Config\":\"c\",\"Config\":\"d\"}]", "[{\"Config\":\"c\"}]x",
		"[{\"Config\":\"c\"}", "\xff"};
	for (size_t i = 0; i < ARRAY_LEN(docs); i++)
		ask_read(&a, IMAGE_READ_ARCHIVE, docs[i], -EINVAL);
	arena_free(&a);
}

static void tpl_09_deep_and_wide(void **state)
{
	(void)state;
	enum { DEEP = 1000000 };
	struct arena a = {0};
	char *deep = arena_alloc(&a, DEEP + 1);
	memset(deep, '[', DEEP);
	for (int op = IMAGE_READ_ARCHIVE; op <= IMAGE_EDIT_CONFIG; op++)
		ask_read(&a, (enum image_op)op, deep, -EINVAL);
	char *layers = arena_alloc(&a, 8 * 130);
	for (int i = 0; i < 128; i++)
		strcat(layers, i ? ",\"l\"" : "\"l\"");
	ask_read(&a, IMAGE_READ_ARCHIVE,
		arena_printf(&a, "[{\"Config\":\"c\",\"Layers\":[%s]}]", layers), -E2BIG);
	arena_free(&a);
}

static void manifests(void **state)
{
	(void)state;
	struct arena a = {0};
	char *text = ask_read(&a, IMAGE_READ_MANIFEST,
		"{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[" LAYER "]}", 0);
	assert_string_equal(text,
		"kind manifest\nconfig " A " 2 " IMAGE_OCI_CONFIG "\nlayer " B " 3 " IMAGE_OCI_LAYER
		"+gzip\n");
	static const char *const bad[] = {"{\"schemaVersion\":1,\"config\":" CONFIG
					  ",\"layers\":[]}",
		"{\"config\":" CONFIG ",\"layers\":[]}",
		/* two things at once */
		"{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[],\"manifests\":[]}",
		"{\"schemaVersion\":2,\"mediaType\":\"" IMAGE_OCI_INDEX "\",\"config\":" CONFIG
		",\"layers\":[]}",
		"{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[" CONFIG "]}",
		"{\"schemaVersion\":2,\"config\":" LAYER ",\"layers\":[]}",
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" IMAGE_OCI_CONFIG
		"\",\"digest\":\"sha256:../../x\",\"size\":2},\"layers\":[]}",
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" IMAGE_OCI_CONFIG
		"\",\"digest\":\"" A "\",\"size\":-2},\"layers\":[]}",
		"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" IMAGE_OCI_CONFIG
		"\",\"digest\":\"" A "\",\"size\":2.5},\"layers\":[]}",
		"{\"schemaVersion\":2,\"config\":" CONFIG
		",\"layers\":[{\"mediaType\":\"application/"
		"vnd.oci.image.layer.nondistributable.v1.tar\",\"digest\":\"" A "\",\"size\":2}]}"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ask_read(&a, IMAGE_READ_MANIFEST, bad[i], -EINVAL);
	arena_free(&a);
}

#define ENTRY(digest, arch, more)                                                                  \
	"{\"mediaType\":\"" IMAGE_OCI_MANIFEST "\",\"digest\":\"" digest                           \
	"\",\"size\":5,\"platform\":{\"os\":\"linux\",\"architecture\":\"" arch "\"" more "}}"
#define INDEX(list) "{\"schemaVersion\":2,\"manifests\":[" list "]}"

static void platforms(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err err = {0};
	char *text = ask_read(&a, IMAGE_READ_MANIFEST,
		INDEX(ENTRY(B, "amd64", ",\"variant\":\"v3\"") "," ENTRY(B, "arm64", "") "," ENTRY(
			A, "amd64", "")),
		0);
	assert_string_equal(text, "kind index\nchosen " A " 5 " IMAGE_OCI_MANIFEST "\n");
	const char *doc = INDEX(ENTRY(B, "arm64", ",\"variant\":\"v8\"") "," ENTRY(A, "s390x", ""));
	ask_read(&a, IMAGE_READ_MANIFEST, doc, -ENOEXEC);
	struct image_request req = {.op = IMAGE_READ_MANIFEST,
		.doc = doc,
		.n_doc = strlen(doc),
		.platform = {.os = "linux", .arch = "amd64"}};
	assert_int_equal(ask(&a, &req, &text, &err), -ENOEXEC);
	assert_string_equal(err.msg,
		"there is no image for linux/amd64 in it, but for "
		"linux/arm64/v8, linux/s390x");
	/* what a builder notes beside it is no image */
	ask_read(&a, IMAGE_READ_MANIFEST, INDEX(ENTRY(A, "amd64", ",\"os\":\"unknown\"")), -EINVAL);
	ask_read(&a, IMAGE_READ_MANIFEST,
		INDEX("{\"mediaType\":\"" IMAGE_OCI_MANIFEST "\",\"digest\":\"" A
		      "\",\"size\":5,\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}"
		      "}"),
		-EINVAL);
	struct image_platform p;
	assert_int_equal(image_platform_parse(&a, "linux/arm64/v8", &p, &err), 0);
	assert_string_equal(p.variant, "v8");
	assert_int_equal(image_platform_parse(&a, "x86_64", &p, &err), 0);
	assert_string_equal(p.arch, "amd64");
	assert_int_equal(image_platform_parse(&a, "linux/", &p, &err), -EINVAL);
	assert_int_equal(image_platform_parse(&a, "a/b/c/d", &p, &err), -EINVAL);
	arena_free(&a);
}

/* What each level wants, a bit less of which is the level below. */
static void cpu_levels(void **state)
{
	(void)state;
	/* of a processor of each generation, as CPUID says it there */
	const struct cpu_words
		k8 = {.c1 = 0x2001, .c81 = 1},
		nehalem = {.c1 = 0x0098e3bd, .c81 = 1},
		sandy = {.c1 = 0x1fbae3ff, .c81 = 1, .xcr0 = 7},
		haswell = {.c1 = 0x7ffafbff, .b7 = 0x000027ab, .c81 = 0x21, .xcr0 = 7},
		skylake = {.c1 = 0x7ffefbff, .b7 = 0xd39ffffb, .c81 = 0x121, .xcr0 = 0x2ff};
	assert_int_equal(cpu_level_of(&(struct cpu_words){0}), 1);
	assert_int_equal(cpu_level_of(&k8), 1);
	assert_int_equal(cpu_level_of(&nehalem), 2);
	assert_int_equal(cpu_level_of(&sandy), 2);
	assert_int_equal(cpu_level_of(&haswell), 3);
	assert_int_equal(cpu_level_of(&skylake), 4);
	/* what the kernel does not keep can't be used */
	struct cpu_words w = skylake;
	w.xcr0 = 7;
	assert_int_equal(cpu_level_of(&w), 3);
	w.xcr0 = 3;
	assert_int_equal(cpu_level_of(&w), 2);
	static const unsigned int v2[] = {0, 9, 13, 19, 20, 23}, v3[] = {12, 22, 27, 28, 29},
				  b3[] = {3, 5, 8}, b4[] = {16, 17, 28, 30, 31};
	for (size_t i = 0; i < ARRAY_LEN(v2); i++) {
		w = skylake;
		w.c1 &= ~(1u << v2[i]);
		assert_int_equal(cpu_level_of(&w), 1);
	}
	for (size_t i = 0; i < ARRAY_LEN(v3); i++) {
		w = skylake;
		w.c1 &= ~(1u << v3[i]);
		assert_int_equal(cpu_level_of(&w), 2);
	}
	for (size_t i = 0; i < ARRAY_LEN(b3); i++) {
		w = skylake;
		w.b7 &= ~(1u << b3[i]);
		assert_int_equal(cpu_level_of(&w), 2);
	}
	for (size_t i = 0; i < ARRAY_LEN(b4); i++) {
		w = skylake;
		w.b7 &= ~(1u << b4[i]);
		assert_int_equal(cpu_level_of(&w), 3);
	}
	w = skylake;
	w.c81 &= ~1u;
	assert_int_equal(cpu_level_of(&w), 1);
	w = skylake;
	w.c81 &= ~(1u << 5);
	assert_int_equal(cpu_level_of(&w), 2);
}

/* Which of several a machine gets; 0: none of them. */
static void variants(void **state)
{
	(void)state;
	static const char *const all[] = {"", "v1", "v2", "v3", "v4", "v5", "v0", "v22", "x", "V3"};
	static const int fits[][ARRAY_LEN(all)] = {
		{2, 2, 0, 0, 0, 0, 0, 0, 0, 0},
		{2, 2, 3, 0, 0, 0, 0, 0, 0, 0},
		{2, 2, 3, 4, 0, 0, 0, 0, 0, 0},
		{2, 2, 3, 4, 5, 0, 0, 0, 0, 0},
	};
	for (unsigned int level = 0; level <= ARRAY_LEN(fits); level++)
		for (size_t i = 0; i < ARRAY_LEN(all); i++) {
			struct image_platform want = {"linux", "amd64", NULL, level},
					      have = {"linux", "x86_64", all[i], 0};
			const int due = fits[MAX(level, 1u) - 1][i];
			assert_int_equal(image_platform_fits(&want, &have), due);
			/* said by name it is the same, whatever the machine has */
			char name[] = {'v', (char)('0' + MAX(level, 1u)), '\0'};
			want = (struct image_platform){"linux", "amd64", name, 1};
			assert_int_equal(image_platform_fits(&want, &have), due);
		}
	const struct image_platform arm = {"linux", "arm64", NULL, 0},
				    v8 = {"linux", "arm64", "v8", 0},
				    aarch = {"linux", "aarch64", "v8", 0};
	assert_int_equal(image_platform_fits(&arm, &v8), 3);
	assert_int_equal(image_platform_fits(&arm, &aarch), 3);
	assert_int_equal(image_platform_fits(&v8, &arm), 3);
	assert_int_equal(image_platform_fits(&arm, &arm), 3);
	struct arena a = {0};
	struct err err = {0};
	char *text = NULL;
	const char *doc = INDEX(ENTRY(A, "amd64", "") "," ENTRY(
		B, "amd64", ",\"variant\":\"v2\"") "," ENTRY(A, "amd64", ",\"variant\":\"v4\""));
	struct image_request req = {.op = IMAGE_READ_MANIFEST,
		.doc = doc,
		.n_doc = strlen(doc),
		.platform = {"linux", "amd64", NULL, 3}};
	assert_int_equal(ask(&a, &req, &text, &err), 0);
	assert_string_equal(text, "kind index\nchosen " B " 5 " IMAGE_OCI_MANIFEST "\n");
	/* of what it is too new for, the machine is named */
	doc = INDEX(ENTRY(A, "amd64", ",\"variant\":\"v4\""));
	req.doc = doc;
	req.n_doc = strlen(doc);
	assert_int_equal(ask(&a, &req, &text, &err), -ENOEXEC);
	assert_string_equal(
		err.msg, "there is no image for linux/amd64 in it, but for linux/amd64/v4");
	assert_non_null(strstr(err.hint, "can run up to linux/amd64/v3"));
	req.platform.variant = "v4";
	assert_int_equal(ask(&a, &req, &text, &err), 0);
	arena_free(&a);
}

#define NAMED(digest, key, name)                                                                   \
	"{\"mediaType\":\"" IMAGE_OCI_MANIFEST "\",\"digest\":\"" digest                           \
	"\",\"size\":5,\"annotations\":{\"" key "\":\"" name "\"}}"
#define REF_NAME "org.opencontainers.image.ref.name"

static void layouts(void **state)
{
	(void)state;
	struct arena a = {0};
	char *text = ask_read(&a, IMAGE_READ_LAYOUT,
		INDEX(NAMED(A, "io.containerd.image.name", "docker.io/library/x:1") "," NAMED(
			B, REF_NAME, "latest") "," NAMED(A, REF_NAME, "localhost/y:2")),
		0);
	assert_string_equal(text,
		"manifest " A " 5 " IMAGE_OCI_MANIFEST
		"\nname docker.io/library/x:1\nname localhost/y:2\nmanifest " B
		" 5 " IMAGE_OCI_MANIFEST "\n");
	/* of one image for several platforms the best, of two images both */
#define BOTH(x, y)                                                                                 \
	INDEX(ENTRY(A, "amd64", "},\"annotations\":{\"" REF_NAME "\":\"" x "\"") "," ENTRY(        \
		B, "amd64", ",\"variant\":\"v2\"},\"annotations\":{\"" REF_NAME "\":\"" y "\""))
	struct err err = {0};
	struct image_request req = {.op = IMAGE_READ_LAYOUT,
		.doc = BOTH("localhost/y:2", "localhost/y:2"),
		.platform = {.os = "linux", .arch = "amd64", .level = 3}};
	req.n_doc = strlen(req.doc);
	assert_int_equal(ask(&a, &req, &text, &err), 0);
	assert_string_equal(text, "manifest " B " 5 " IMAGE_OCI_MANIFEST "\nname localhost/y:2\n");
	req.platform.level = 1;
	assert_int_equal(ask(&a, &req, &text, &err), 0);
	assert_string_equal(text, "manifest " A " 5 " IMAGE_OCI_MANIFEST "\nname localhost/y:2\n");
	req.doc = BOTH("localhost/y:2", "localhost/z:2");
	req.n_doc = strlen(req.doc);
	req.platform.level = 3;
	assert_int_equal(ask(&a, &req, &text, &err), 0);
	assert_non_null(strstr(text, A));
	assert_non_null(strstr(text, B));
	ask_read(&a, IMAGE_READ_LAYOUT, INDEX(ENTRY(A, "arm64", "")), -ENOEXEC);
	ask_read(&a, IMAGE_READ_LAYOUT, INDEX(""), -EINVAL);
	ask_read(&a, IMAGE_READ_LAYOUT, "{}", -EINVAL);
	arena_free(&a);
}

static void tpl_12_configs(void **state)
{
	(void)state;
	static const char passwd[] =
		"root:x:0:0:root:/root:/bin/bash\nagent:x:1000:1000:,,,:/home/agent:/bin/zsh\n"
		"node:x:1001:1001::/home/node:\nevil:x:1000:1000::/../../x:/bin/sh\n"
		"bad:x:1000\n:x:1000:1000::/:/bin/sh\nl:x:1000:9999999999::/:/bin/sh\n"
		"s:x:1000:7::/srv:/bin/../x\n";
	static const char doc[] =
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"created\":\"2024-01-01T00:00:00Z\","
		"\"config\":{\"Env\":[\"PATH=/x\",\"LD_PRELOAD=/tmp/"
		"e.so\",\"ODD\",\"=x\",\"M=a\\nb\"],"
		"\"User\":\"node:users\",\"Entrypoint\":[\"/e\"],\"Cmd\":[\"a\",\"\"]},\"rootfs\":{"
		"\"type\":\"layers\",\"diff_ids\":[\"" A "\",\"" B "\"]}}";
	struct arena a = {0};
	struct err err = {0};
	struct image_lines l;
	struct template_info t;
	char *text;
	struct image_request req = {.op = IMAGE_READ_CONFIG,
		.doc = doc,
		.n_doc = sizeof(doc) - 1,
		.passwd = passwd,
		.n_passwd = sizeof(passwd) - 1,
		.platform = {.os = "linux", .arch = "amd64"}};
	assert_int_equal(ask(&a, &req, &text, &err), 0);
	text = arena_printf(&a, "%sdone -\n", text);
	assert_int_equal(image_lines_parse(&a, text, strlen(text), &l, &err), 0);
	assert_int_equal(l.n, 1);
	assert_int_equal(template_info_parse(&a, l.v[0].value, strlen(l.v[0].value), &t, &err), 0);
	assert_int_equal(t.layers.n, 2);
	assert_string_equal(t.layers.v[0], HEX_A);
	assert_int_equal(t.env.n, 3);
	assert_string_equal(t.env.v[1], "LD_PRELOAD=/tmp/e.so");
	assert_string_equal(t.env.v[2], "M=a\nb");
	assert_string_equal(t.user, "node:users");
	assert_int_equal(t.cmd.n, 2);
	assert_int_equal(t.passwd.n, 3);
	assert_string_equal(t.passwd.v[0], "agent:1000:1000:/home/agent:/bin/zsh");
	assert_string_equal(t.passwd.v[1], "node:1001:1001:/home/node:/bin/sh");
	assert_string_equal(t.passwd.v[2], "s:1000:7:/srv:/bin/sh");
	req.platform.arch = "arm64";
	assert_int_equal(ask(&a, &req, &text, &err), -ENOEXEC);
	static const char *const bad[] = {"[]", "{}",
		"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[1]}}",
		"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:../x\"]}}",
		"{\"rootfs\":{\"type\":\"x\",\"diff_ids\":[]}}",
		"{\"rootfs\":{\"type\":\"layers\"},\"config\":{\"Env\":{}}}",
		"{\"rootfs\":{\"type\":\"layers\"},\"config\":{\"Env\":[1]}}",
		"{\"rootfs\":{\"type\":\"layers\"},\"config\":{\"User\":1}}",
		"{\"rootfs\":{\"type\":\"layers\"},\"config\":{\"Env\":[\"A=\\u0000\"]}}"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ask_read(&a, IMAGE_READ_CONFIG, bad[i], -EINVAL);
	arena_free(&a);
}

static char *edited(struct arena *a, const char *base, const char *const *lines, size_t n)
{
	struct image_request req = {
		.op = IMAGE_EDIT_CONFIG, .doc = base, .n_doc = base ? strlen(base) : 0};
	struct err err = {0};
	char *text;
	for (size_t i = 0; i < n; i++)
		strv_add(a, &req.lines, lines[i]);
	if (ask(a, &req, &text, &err) < 0)
		return NULL;
	text[strlen(text) - 1] = '\0';
	return line_unescape(text + strlen("doc "));
}

static void edits(void **state)
{
	(void)state;
	static const char base[] =
		"{\"x\":[1],\"config\":{\"Env\":[\"A=1\",\"B=2\"],\"Cmd\":[\"old\"],"
		"\"OnBuild\":[\"RUN x\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" A
		"\"]},\"history\":[{\"created_by\":\"y\"}]}";
	static const char *const lines[] = {"created 2024-01-01T00:00:00Z", "env B=3=4",
		"env C=", "unenv A", "cmd sh", "cmd -c", "entrypoint /e", "user agent",
		"label a.b=c d", "expose 80/tcp", "volume /v", "onbuild RUN z",
		"healthcheck {\"Test\":[\"NONE\"]}",
		"layer bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
		"history RUN a\nb", "empty-history CMD [\"sh\"]"};
	struct arena a = {0};
	assert_string_equal(edited(&a, base, lines, ARRAY_LEN(lines)),
		"{\"x\":[1],\"config\":{\"Env\":[\"B=3=4\",\"C=\"],\"OnBuild\":[\"RUN x\",\"RUN "
		"z\"],"
		"\"Cmd\":[\"sh\",\"-c\"],\"Entrypoint\":[\"/"
		"e\"],\"User\":\"agent\",\"Labels\":{\"a.b\":"
		"\"c "
		"d\"},\"ExposedPorts\":{\"80/tcp\":{}},\"Volumes\":{\"/v\":{}},\"Healthcheck\":{"
		"\"Test\":[\"NONE\"]}},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" A "\",\"" B
		"\"]},\"history\":[{\"created_by\":\"y\"},{\"created\":\"2024-01-01T00:00:00Z\","
		"\"created_by\":\"RUN "
		"a\\nb\"},{\"created\":\"2024-01-01T00:00:00Z\",\"created_by\":"
		"\"CMD "
		"[\\\"sh\\\"]\",\"empty_layer\":true}],\"created\":\"2024-01-01T00:00:00Z\"}");
	static const char *const fresh[] = {"arch amd64", "os linux", "squash -", "no-cmd -"};
	assert_string_equal(edited(&a, NULL, fresh, ARRAY_LEN(fresh)),
		"{\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},\"architecture\":"
		"\"amd64\",\"os\":\"linux\",\"history\":[]}");
	static const char *const bad[] = {
		"layer x", "nonsense x", "healthcheck [", "healthcheck []", "env A", "user \xff"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_null(edited(&a, base, &bad[i], 1));
	assert_null(edited(&a, "[]", NULL, 0));
	assert_null(edited(&a, "{\"config\":[]}", NULL, 0));
	arena_free(&a);
}

static void written_ones_can_be_read(void **state)
{
	(void)state;
	struct arena a = {0};
	struct err err = {0};
	struct image_request req = {.op = IMAGE_WRITE_MANIFEST};
	char *text;
	strv_add(&a, &req.lines, "type " IMAGE_OCI_MANIFEST);
	strv_add(&a, &req.lines, "config " A " 2 " IMAGE_OCI_CONFIG);
	strv_add(&a, &req.lines, "layer " B " 3 " IMAGE_OCI_LAYER);
	assert_int_equal(ask(&a, &req, &text, &err), 0);
	text[strlen(text) - 1] = '\0';
	assert_string_equal(ask_read(&a, IMAGE_READ_MANIFEST, line_unescape(text + 4), 0),
		"kind manifest\nconfig " A " 2 " IMAGE_OCI_CONFIG "\nlayer " B " 3 " IMAGE_OCI_LAYER
		"\n");
	req = (struct image_request){.op = IMAGE_WRITE_LAYOUT};
	strv_add(&a, &req.lines, "manifest " A " 5 " IMAGE_OCI_MANIFEST);
	strv_add(&a, &req.lines, "name docker.io/library/x:1");
	assert_int_equal(ask(&a, &req, &text, &err), 0);
	text[strlen(text) - 1] = '\0';
	assert_string_equal(ask_read(&a, IMAGE_READ_LAYOUT, line_unescape(text + 4), 0),
		"manifest " A " 5 " IMAGE_OCI_MANIFEST "\nname docker.io/library/x:1\n");
	req = (struct image_request){.op = IMAGE_WRITE_ARCHIVE};
	strv_add(&a, &req.lines, "image c.json");
	strv_add(&a, &req.lines, "layer a.tar");
	strv_add(&a, &req.lines, "name x:1");
	assert_int_equal(ask(&a, &req, &text, &err), 0);
	assert_string_equal(text,
		"doc [{\"Config\":\"c.json\",\"RepoTags\":[\"x:1\"],\"Layers\":["
		"\"a.tar\"]}]\n");
	strv_add(&a, &req.lines, "nonsense x");
	assert_int_equal(ask(&a, &req, &text, &err), -EINVAL);
	arena_free(&a);
}

static void answers_are_not_believed(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "done -", "x\ndone -\n", "a b\n", "a \\x\ndone -\n", "errno 8\nhint x\n"};
	struct arena a = {0};
	struct image_lines l;
	struct err err = {0};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *text = arena_dup(&a, bad[i]);
		assert_int_equal(image_lines_parse(&a, text, strlen(text), &l, &err), -EBADMSG);
	}
	char said[] = "errno 8\nerror no\\nwhere\n";
	assert_int_equal(image_lines_parse(&a, said, strlen(said), &l, &err), -ENOEXEC);
	assert_string_equal(err.msg, "no\nwhere");
	struct image_desc d;
	assert_int_equal(image_desc_parse(&a, A " 1 x", &d), 0);
	assert_int_equal(image_desc_parse(&a, A " x x", &d), -EBADMSG);
	assert_int_equal(image_desc_parse(&a, "../x 1 x", &d), -EBADMSG);
	assert_int_equal(image_desc_parse(&a, A " 1", &d), -EBADMSG);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(archives),
		cmocka_unit_test(tpl_09_members_are_plain),
		cmocka_unit_test(tpl_09_deep_and_wide),
		cmocka_unit_test(manifests),
		cmocka_unit_test(platforms),
		cmocka_unit_test(cpu_levels),
		cmocka_unit_test(variants),
		cmocka_unit_test(layouts),
		cmocka_unit_test(tpl_12_configs),
		cmocka_unit_test(edits),
		cmocka_unit_test(written_ones_can_be_read),
		cmocka_unit_test(answers_are_not_believed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
