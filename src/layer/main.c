/* layer/main.c - bawn-layer: its arguments, its descriptors, and the result text; see layer.h.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "layer/check.h"
#include "layer/extract.h"
#include "layer/frame-owners.h"
#include "layer/index.h"
#include "layer/jail.h"
#include "layer/pack.h"
#include "layer/place.h"
#include "layer/result.h"
#include "layer/unpack.h"

#define LIST_MAX ((size_t)64 << 20)

static bool option(const char *arg, const char *key, uint64_t *ret)
{
	size_t n = strlen(key);
	char *end;
	if (strncmp(arg, key, n) != 0 || arg[n] != '=' || arg[n + 1] < '0' || arg[n + 1] > '9')
		return false;
	errno = 0;
	unsigned long long v = strtoull(arg + n + 1, &end, 10);
	if (errno || *end || v > INT64_MAX)
		return false;
	*ret = v;
	return true;
}

/* The directories from LAYER_FIRST_DIR_FD on. */
static size_t directories(int *ret)
{
	struct stat st;
	size_t n = 0;
	while (n < LAYER_DIRS_MAX && fstat(LAYER_FIRST_DIR_FD + (int)n, &st) == 0 &&
		S_ISDIR(st.st_mode)) {
		ret[n] = LAYER_FIRST_DIR_FD + (int)n;
		n++;
	}
	return n;
}

/* ---- read ---------------------------------------------------------------------------------------
 */

struct read_options {
	struct layer_limits limits;
	uint64_t offset, length, depth, implied;
};

static bool read_options(int argc, char **argv, struct read_options *o)
{
	for (int i = 2; i < argc; i++)
		if (!option(argv[i], "offset", &o->offset) &&
			!option(argv[i], "length", &o->length) &&
			!option(argv[i], "bytes", &o->limits.bytes) &&
			!option(argv[i], "entries", &o->limits.entries) &&
			!option(argv[i], "meta", &o->limits.meta) &&
			!option(argv[i], "implied", &o->implied) &&
			!option(argv[i], "depth", &o->depth))
			return false;
	if (o->depth > TAR_PATH_MAX)
		return false;
	o->limits.depth = (unsigned int)o->depth;
	return true;
}

static int do_read(const struct read_options *o, struct result *res, struct err *err)
{
	int dirs[LAYER_DIRS_MAX + 1] = {LAYER_DIR_FD};
	size_t n = directories(dirs + 1);
	struct layer_counts c = {0};
	struct input_digests d;
	struct input *in = NULL;
	bool at = o->offset || o->length != INPUT_TO_END;
	int r = hash_init(err);
	if (r == 0)
		r = layer_jail(dirs, n + 1, true, o->limits.bytes, err);
	if (r == 0)
		r = input_open(0, at, o->offset, o->length, &in, err);
	if (r == 0)
		r = extract(&(struct extract_in){.dir = LAYER_DIR_FD,
				    .lower = dirs + 1,
				    .n_lower = n,
				    .limits = o->limits,
				    .mark = o->implied,
				    .fill = input_fill,
				    .ctx = in},
			&c, err);
	if (r == 0)
		r = input_end(in, &d, err);
	if (r < 0)
		return r; /* the process ends; the thread may be waiting for a pipe */
	say_input(res, &d, &c);
	return 0;
}

static int mode_read(int argc, char **argv)
{
	struct read_options o = {LAYER_LIMITS, 0, INPUT_TO_END, LAYER_LIMITS.depth, 0};
	struct result res = {0};
	struct err err = {0};
	if (!read_options(argc, argv, &o))
		return 2;
	return say_end(1, do_read(&o, &res, &err), &res, &err);
}

/* ---- check --------------------------------------------------------------------------------------
 */

static int compare(struct err *err)
{
	_cleanup_close_ int want = place_open(LAYER_DIR_FD, "fs", O_RDONLY | O_DIRECTORY, 0);
	_cleanup_close_ int have = place_open(LAYER_FIRST_DIR_FD, "fs", O_RDONLY | O_DIRECTORY, 0);
	if (want < 0 || have < 0)
		return err_sys(err, want < 0 ? -want : -have, "open a layer's fs");
	return check_tree(want, have, err);
}

static int do_check(const struct read_options *o, struct result *res, struct err *err)
{
	const int dirs[] = {LAYER_DIR_FD, LAYER_FIRST_DIR_FD};
	struct layer_counts c = {0};
	struct input_digests d;
	struct input *in = NULL;
	int r = hash_init(err);
	if (r == 0)
		r = layer_jail(dirs, ARRAY_LEN(dirs), true, o->limits.bytes, err);
	if (r == 0)
		r = input_open(0, false, 0, INPUT_TO_END, &in, err);
	if (r == 0)
		r = extract(&(struct extract_in){.dir = LAYER_DIR_FD,
				    .limits = o->limits,
				    .shape = true,
				    .fill = input_fill,
				    .ctx = in},
			&c, err);
	if (r == 0)
		r = input_end(in, &d, err);
	if (r == 0)
		r = compare(err);
	if (r == 0)
		say_input(res, &d, &c);
	return r; /* the process ends; the thread may be waiting for a pipe */
}

static int mode_check(int argc, char **argv)
{
	struct read_options o = {LAYER_LIMITS, 0, INPUT_TO_END, LAYER_LIMITS.depth, 0};
	struct result res = {0};
	struct err err = {0};
	if (!read_options(argc, argv, &o) || o.offset || o.length != INPUT_TO_END)
		return 2;
	return say_end(1, do_check(&o, &res, &err), &res, &err);
}

/* ---- write --------------------------------------------------------------------------------------
 */

static int do_write(enum layer_format format, struct result *res, struct err *err)
{
	struct layer_counts c = {0};
	struct output_digests d;
	struct output *out = NULL;
	const int dir = LAYER_DIR_FD;
	int r = hash_init(err);
	if (r == 0)
		r = layer_jail(&dir, 1, false, 0, err);
	if (r == 0)
		r = output_open(1, format, &out, err);
	if (r == 0)
		r = unpack(LAYER_DIR_FD, out, &c, err);
	if (r == 0)
		r = output_end(out, &d, err);
	if (r == 0)
		say_output(res, &d, format, &c);
	return r;
}

static int mode_write(int argc, char **argv)
{
	static const char *const formats[] = {"none", "gzip", "zstd"};
	struct result res = {0};
	struct err err = {0};
	for (size_t i = 0; argc == 3 && i < ARRAY_LEN(formats); i++)
		if (streq(argv[2], formats[i]))
			return say_end(LAYER_RESULT_WRITE_FD,
				do_write((enum layer_format)i, &res, &err), &res, &err);
	return 2;
}

/* ---- pack, adopt --------------------------------------------------------------------------------
 */

/* All that is on 0. */
static int read_list(const char *what, char **ret, size_t *ret_n, struct err *err)
{
	char *text = NULL;
	size_t n = 0, cap = 0;
	for (;;) {
		if (n == cap) {
			cap = cap ? cap * 2 : 65536;
			char *more = cap > LIST_MAX ? NULL : realloc(text, cap);
			if (!more)
				return err_set(err, E2BIG, "too many %s", what);
			text = more;
		}
		ssize_t got = fd_read_full(0, text + n, cap - n);
		if (got < 0)
			return err_sys(err, (int)-got, "read the list of %s", what);
		n += (size_t)got;
		if (n < cap)
			break;
	}
	*ret = text;
	*ret_n = n;
	return 0;
}

static int read_excludes(struct pack *p, struct err *err)
{
	char *text = NULL;
	int r = read_list("names to leave out", &text, &p->exclude_n, err);
	p->exclude = text;
	return r;
}

static int read_links(struct link_owners **ret, struct err *err)
{
	char *text = NULL;
	size_t n = 0;
	int r = read_list("owners of links", &text, &n, err);
	if (r == 0)
		r = link_owners_parse(text, n, ret, err);
	free(text);
	return r;
}

/* The last n of the directories are layers': fs/ is what is packed, the frame says more of it. */
static int open_layers(
	int *dirs, size_t n_dirs, size_t n, struct link_owners **known, struct err *err)
{
	for (size_t i = n_dirs - n; i < n_dirs; i++) {
		_cleanup_close_ int frame = place_open(dirs[i], "frame", O_RDONLY, 0);
		int fs = place_open(dirs[i], "fs", O_RDONLY | O_DIRECTORY, 0);
		if (fs < 0 || frame < 0)
			return err_sys(err, fs < 0 ? -fs : -frame, "open a layer");
		dirs[i] = fs;
		int r = frame_owners_read(frame, &known[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int do_pack(struct pack *p, int *dirs, size_t layers, struct result *res, struct err *err)
{
	static struct link_owners *known[LAYER_DIRS_MAX];
	struct layer_counts c = {0};
	struct output_digests d;
	int r = hash_init(err);
	if (r == 0)
		r = layer_jail(dirs, p->n_dirs, false, 0, err);
	if (r == 0)
		r = read_excludes(p, err);
	if (r == 0)
		r = open_layers(dirs, p->n_dirs, layers, known, err);
	p->known = known;
	if (r == 0)
		r = output_open(1, LAYER_TAR, &p->out, err);
	if (r == 0)
		r = pack(p, &c, err);
	if (r == 0)
		r = output_end(p->out, &d, err);
	if (r == 0)
		say_output(res, &d, LAYER_TAR, &c);
	return r;
}

static int mode_pack(int argc, char **argv)
{
	int dirs[LAYER_DIRS_MAX];
	struct pack_owner owners[LAYER_DIRS_MAX];
	struct result res = {0};
	struct err err = {0};
	struct pack p = {.dirs = dirs, .owners = owners, .depth = LAYER_LIMITS.depth};
	uint64_t layers = 0;
	if (argc < 4 || !(streq(argv[2], "layer") || streq(argv[2], "squash")))
		return 2;
	for (int i = 4; i < argc; i++)
		if (!option(argv[i], "layers", &layers) &&
			(p.home || pack_home(argv[i], &p, &err) < 0))
			return 2;
	p.n_dirs = directories(dirs);
	p.squash = streq(argv[2], "squash");
	if (!p.n_dirs || layers > p.n_dirs || pack_owners(argv[3], owners, p.n_dirs, &err) < 0)
		return 2;
	return say_end(
		LAYER_RESULT_PACK_FD, do_pack(&p, dirs, (size_t)layers, &res, &err), &res, &err);
}

static int do_adopt(struct pack *p, struct result *res, struct err *err)
{
	struct layer_counts c = {0};
	struct output_digests d;
	const int layer = LAYER_DIR_FD;
	struct link_owners *links = NULL;
	int frame = -1, fs = -1, r = hash_init(err);
	if (r == 0)
		r = layer_jail(&layer, 1, true, 0, err);
	if (r == 0)
		r = read_links(&links, err);
	if (r < 0)
		return r;
	fs = place_open(LAYER_DIR_FD, "fs", O_RDONLY | O_DIRECTORY, 0);
	frame = fs < 0 ? fs : place_open(LAYER_DIR_FD, "frame", O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (frame < 0)
		return err_sys(err, -frame, fs < 0 ? "open a layer's fs" : "make a layer's frame");
	p->dirs = &fs;
	p->known = &links;
	p->frame = frame_begin(frame, err);
	r = p->frame ? output_open(-1, LAYER_TAR, &p->out, err) : -ENOMEM;
	if (r == 0)
		r = pack(p, &c, err);
	if (r == 0)
		r = frame_end(p->frame, err);
	if (r == 0)
		r = output_end(p->out, &d, err);
	if (r == 0)
		say_output(res, &d, LAYER_TAR, &c);
	return r;
}

static int mode_adopt(int argc, char **argv)
{
	struct pack_owner owner = {0, 0};
	struct result res = {0};
	struct err err = {0};
	struct pack p = {.n_dirs = 1, .owners = &owner, .depth = LAYER_LIMITS.depth};
	if (argc > 3 || (argc == 3 && pack_owners(argv[2], &owner, 1, &err) < 0))
		return 2;
	return say_end(1, do_adopt(&p, &res, &err), &res, &err);
}

/* ---- links
 * ---------------------------------------------------------------------------------------
 */

static int put_links(const struct link_owners *l, struct result *res, struct err *err)
{
	_cleanup_free_ char *line = malloc(TAR_PATH_MAX + 64);
	struct link_owner o;
	const char *path;
	size_t i = 0;
	if (!line)
		return err_set(err, ENOMEM, "out of memory");
	for (; link_owners_each(l, i, &path, &o); i++) {
		int n = snprintf(
			line, TAR_PATH_MAX + 64, "%u %u %o %s", o.uid, o.gid, o.mode, path);
		int r = fd_write_all(1, line, (size_t)n + 1);
		if (r < 0)
			return err_sys(err, -r, "write the owners of links");
	}
	say(res, "entries %zu\n", i);
	return 0;
}

static int do_links(struct result *res, struct err *err)
{
	const int dir = LAYER_DIR_FD;
	struct link_owners *l;
	int r = layer_jail(&dir, 1, false, 0, err);
	_cleanup_close_ int frame = r < 0 ? -1 : place_open(dir, "frame", O_RDONLY, 0);
	if (r == 0 && frame < 0)
		r = err_sys(err, -frame, "open a layer's frame");
	if (r == 0)
		r = frame_owners_read(frame, &l, err);
	return r == 0 ? put_links(l, res, err) : r;
}

static int mode_links(int argc, char **argv _unused_)
{
	struct result res = {0};
	struct err err = {0};
	if (argc != 2)
		return 2;
	return say_end(LAYER_RESULT_WRITE_FD, do_links(&res, &err), &res, &err);
}

/* ---- index --------------------------------------------------------------------------------------
 */

static int do_index(struct result *res, struct err *err)
{
	int r = hash_init(err);
	if (r == 0)
		r = layer_jail(NULL, 0, false, 0, err);
	return r == 0 ? index_tar(0, LAYER_DIR_FD, res, err) : r;
}

static int mode_index(int argc, char **argv _unused_)
{
	struct result res = {0};
	struct err err = {0};
	if (argc != 2)
		return 2;
	return say_end(1, do_index(&res, &err), &res, &err);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} modes[] = {
		{"read", mode_read},
		{"check", mode_check},
		{"write", mode_write},
		{"pack", mode_pack},
		{"adopt", mode_adopt},
		{"links", mode_links},
		{"index", mode_index},
	};
	umask(0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(modes); i++)
		if (streq(argv[1], modes[i].name))
			return modes[i].run(argc, argv);
	return 2;
}
