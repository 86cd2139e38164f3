/* host/etc.c - see etc.h
 *
 * Theory: CACHE/etc/KEY.manifest (KEY: identity and version of this file) names the directory of
 * the current copy, NAME, and every source as lstat(2) saw it before it was read.  A start reads
 * the manifest and compares; a difference makes a new copy beside, under a new name, so that a
 * sandbox that runs on the old one keeps it.  A superseded copy is removed after 30 days.
 *
 * Copied is only what the table names, and of that only what every user may read: a file without
 * o+r is somebody's secret.  Links are kept where they lead into a system directory or stay in
 * /etc, otherwise followed once and copied.
 */
#include "host/etc.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "base/blob.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "base/tree.h"
#include "host/agent.h"
#include "host/etc-files.h"

#define ETC_VERSION 5
#define COPY_MAX ((size_t)16 << 20)
#define DEPTH_MAX 12
#define SUPERSEDED_DAYS 30
#define MANIFEST_MAX ((size_t)1 << 20)

enum rule_flag {
	TEXT = 1, /* left out when a line seems to hold a credential */
	KEYS = 2, /* lines that seem to hold a credential are left out */
};

/* Names directly in /etc, as fnmatch patterns. */
static const struct rule {
	const char *name;
	unsigned int flags;
} rules[] = {
	{"ld.so.cache", 0},
	{"ld.so.conf", 0},
	{"ld.so.conf.d", 0},
	{"ssl", 0},
	{"ca-certificates*", 0},
	{"pki", 0},
	{"crypto-policies", 0},
	{"gnutls", 0},
	{"alternatives", 0},
	{"localtime", 0},
	{"timezone", 0},
	{"locale*", 0},
	{"mime.types", 0},
	{"magic", 0},
	{"magic.mime", 0},
	{"mailcap", 0},
	{"services", 0},
	{"protocols", 0},
	{"rpc", 0},
	{"networks", 0},
	{"ethertypes", 0},
	{"netconfig", 0},
	{"host.conf", 0},
	{"gai.conf", 0},
	{"xattr.conf", 0},
	{"fonts", 0},
	{"papersize", 0},
	{"bash.bashrc", TEXT},
	{"bashrc", TEXT},
	{"bash_completion", 0},
	{"bash_completion.d", 0},
	{"inputrc", 0},
	{"DIR_COLORS*", 0},
	{"zsh", TEXT},
	{"zshrc", TEXT},
	{"terminfo", 0},
	{"vim", TEXT},
	{"nanorc", TEXT},
	{"java*", TEXT},
	{"maven", TEXT},
	{"gradle", TEXT},
	{"python*", TEXT},
	{"perl", TEXT},
	{"nodejs", TEXT},
	{"npmrc", KEYS},
	{"pip.conf", KEYS},
	{"gemrc", KEYS},
	{"wgetrc", KEYS},
	{"curlrc", KEYS},
	{"php", TEXT},
	{"R", TEXT},
	{"ghc*", 0},
	{"fpc*.cfg", 0},
	{"texmf", 0},
	{"groff", 0},
	{"manpath.config", 0},
	{"man_db.conf", 0},
	{"sgml", 0},
	{"xml", 0},
	{"debian_version", 0},
	{"os-release", 0},
	{"lsb-release", 0},
	{"*-release", 0},
	{"dpkg", TEXT},
	{"shells", 0},
	{"emacs", TEXT},
	{"gnucobol", 0},
	{"ImageMagick-*", TEXT},
	{"OpenCL", 0},
	{"gdb", 0},
	{"ghostscript", 0},
	{"mke2fs.conf", 0},
	{"chromium*", TEXT},
};

/* Never copied, at any depth (fnmatch, with the name alone). */
static const char *const never[] = {"private", "*.key", "*shadow*", "sudoers*", "*.p12", "*.pfx",
	"*.jks", "keystore*", "ssh_host_*", "*secret*", "*password*", "krb5.keytab", "nssdb",
	"*.dpkg-*", "*~", "*.swp"};

enum tag { TAG_NAME = 1, TAG_COPY, TAG_SOURCE, TAG_ABSENT, TAG_ETC, TAG_NAMES };

/* How a source looked; compared byte by byte. */
struct seen {
	uint64_t dev, ino, size;
	int64_t mtime, ctime;
	uint64_t mode;
};

struct copier {
	struct arena *a;
	struct blob manifest;
	int64_t racy_after; /* changed since: may change again without a trace */
};

static int64_t ns_of(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct seen seen_of(const struct stat *st)
{
	return (struct seen){.dev = st->st_dev,
		.ino = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime = ns_of(st->st_mtim),
		.ctime = ns_of(st->st_ctim),
		.mode = st->st_mode};
}

static bool same(const struct seen *a, const struct seen *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* One source: its state, then its path. */
static void put_source(struct copier *c, uint32_t tag, const char *path, const struct stat *st)
{
	char buf[sizeof(struct seen) + PATH_MAX];
	struct seen s = seen_of(st);
	size_t n = strlen(path) + 1;
	if (s.ctime >= c->racy_after)
		s.ctime = 0; /* never equal: looked at again next time */
	memcpy(buf, &s, sizeof(s));
	memcpy(buf + sizeof(s), path, n);
	blob_put(&c->manifest, tag, buf, sizeof(s) + n);
}

static const struct rule *rule_for(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (fnmatch(rules[i].name, name, FNM_PERIOD) == 0)
			return &rules[i];
	return NULL;
}

static bool is_never(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		if (fnmatch(never[i], name, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

/* The names of /etc that rules take, as one digest: tells whether a new one has come. */
static int list_etc(struct arena *a, struct strv *ret, struct digest *ret_digest)
{
	DIR *d = opendir("/etc");
	if (!d)
		return -errno;
	struct dirent *de;
	uint64_t lo = 0, hi = 0;
	while ((de = readdir(d))) {
		if (!rule_for(de->d_name) || is_never(de->d_name))
			continue;
		struct digest g = digest_of(de->d_name, strlen(de->d_name));
		lo += g.lo; /* order of listing must not matter */
		hi += g.hi;
		if (ret)
			strv_add(a, ret, de->d_name);
	}
	closedir(d);
	*ret_digest = (struct digest){.lo = lo, .hi = hi};
	return 0;
}

static int copy_at(struct copier *c, const char *src, int dstdir, const char *name,
	unsigned int flags, int depth);

static int copy_file(struct copier *c, const char *src, const struct stat *st, int dstdir,
	const char *name, unsigned int flags)
{
	char *data;
	ssize_t n = file_read(c->a, AT_FDCWD, src, COPY_MAX, &data, NULL);
	if (n < 0)
		return 0; /* unreadable or huge: not ours */
	if (flags && strlen(data) == (size_t)n) {
		if ((flags & TEXT) && etc_seems_secret(data))
			return 0;
		if (flags & KEYS)
			n = (ssize_t)etc_drop_secret_lines(data);
	}
	_cleanup_close_ int fd = openat(dstdir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		st->st_mode & 0100 ? 0755 : 0644);
	return fd < 0 ? -errno : fd_write_all(fd, data, (size_t)n);
}

static int copy_link(struct copier *c, const char *src, int dstdir, const char *name,
	unsigned int flags, int depth)
{
	char raw[PATH_MAX], real[PATH_MAX];
	ssize_t n = readlink(src, raw, sizeof(raw) - 1);
	if (n < 0 || !realpath(src, real))
		return 0; /* dangling */
	raw[n] = '\0';
	const char *target = real;
	if (path_within(real, "/etc"))
		target = raw;
	else if (!host_system_path(real))
		return copy_at(c, real, dstdir, name, flags, depth + 1);
	else if (host_system_path(raw))
		target = raw; /* programs read the zone's name out of /etc/localtime */
	return symlinkat(target, dstdir, name) < 0 ? -errno : 0;
}

static int copy_dir(struct copier *c, const char *src, int dstdir, const char *name,
	unsigned int flags, int depth)
{
	DIR *d = opendir(src);
	if (!d)
		return 0;
	int r = mkdirat(dstdir, name, 0755) < 0 ? -errno : 0;
	_cleanup_close_ int fd = r < 0
		? -1
		: openat(dstdir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r == 0 && fd < 0)
		r = -errno;
	struct dirent *de;
	while (r == 0 && (de = readdir(d))) {
		if (streq(de->d_name, ".") || streq(de->d_name, "..") || is_never(de->d_name))
			continue;
		char *p = path_join(c->a, src, de->d_name);
		r = p ? copy_at(c, p, fd, de->d_name, flags, depth + 1) : -ENOMEM;
	}
	closedir(d);
	return r;
}

static int copy_at(struct copier *c, const char *src, int dstdir, const char *name,
	unsigned int flags, int depth)
{
	struct stat st;
	if (depth > DEPTH_MAX || lstat(src, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode)) {
		put_source(c, TAG_SOURCE, src, &st);
		return copy_dir(c, src, dstdir, name, flags, depth);
	}
	if (depth == 0 || streq(name, "openssl.cnf") || streq(name, "ca-certificates.crt"))
		put_source(c, TAG_SOURCE, src, &st);
	if (S_ISLNK(st.st_mode))
		return copy_link(c, src, dstdir, name, flags, depth);
	if (S_ISREG(st.st_mode) && (st.st_mode & 0004))
		return copy_file(c, src, &st, dstdir, name, flags);
	return 0;
}

static int build_into(struct copier *c, const struct host_identity *id, int dir, struct err *err)
{
	struct strv names = {0};
	struct digest g;
	struct stat st;
	if (lstat("/etc", &st) < 0)
		return err_sys(err, errno, "stat /etc");
	put_source(c, TAG_ETC, "/etc", &st);
	int r = list_etc(c->a, &names, &g);
	if (r < 0)
		return err_sys(err, -r, "read /etc");
	blob_put(&c->manifest, TAG_NAMES, &g, sizeof(g));
	for (size_t i = 0; i < names.n; i++) {
		char *p = path_join(c->a, "/etc", names.v[i]);
		const struct rule *rule = rule_for(names.v[i]);
		r = p && rule ? copy_at(c, p, dir, names.v[i], rule->flags, 0) : -ENOMEM;
		if (r < 0)
			return err_sys(err, -r, "copy /etc/%s", names.v[i]);
	}
	return etc_write_own(c->a, id, dir, err);
}

/* lstat(2), with /etc open */
static int stat_below(int etc, const char *path, struct stat *ret)
{
	if (etc >= 0 && has_prefix(path, "/etc/"))
		return fstatat(etc, path + 5, ret, AT_SYMLINK_NOFOLLOW);
	return lstat(path, ret);
}

/* The manifest's state: 1 and *ret_dir filled when all is as it was, 2 when only /etc itself was
 * touched (the manifest should be written again), 0 to build. */
static int verify(struct arena *a, const char *base, const char *manifest, size_t n, char **ret_dir)
{
	struct blob_iter it;
	struct blob_view v;
	struct stat st;
	const char *dir = NULL;
	bool touched = false, names_ok = false;
	int r;
	/* nearly all names lie there: each is a step or two from it */
	_cleanup_close_ int etc = open("/etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	blob_iter_init(&it, manifest, n);
	while ((r = blob_next(&it, &v)) > 0) {
		struct seen want, now;
		struct digest g, cur;
		switch (v.tag) {
		case TAG_NAME:
			dir = blob_str(&v);
			if (!dir || strchr(dir, '/'))
				return 0;
			break;
		case TAG_NAMES:
			if (v.len != sizeof(g))
				return 0;
			memcpy(&g, v.data, sizeof(g));
			names_ok = !touched || (list_etc(a, NULL, &cur) == 0 && digest_eq(g, cur));
			if (!names_ok)
				return 0;
			break;
		case TAG_ETC:
		case TAG_SOURCE:
		case TAG_COPY:
			if (v.len <= sizeof(want) || v.data[v.len - 1])
				return 0;
			memcpy(&want, v.data, sizeof(want));
			const char *path = v.data + sizeof(want);
			if (v.tag == TAG_COPY)
				path = path_join(a, base, path);
			if (!path || stat_below(etc, path, &st) < 0)
				return 0;
			now = seen_of(&st);
			if (v.tag == TAG_COPY) /* renaming it into place changed its ctime */
				now.ctime = want.ctime;
			if (v.tag == TAG_COPY &&
				(!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
					(st.st_mode & 0022)))
				return 0;
			if (!same(&want, &now)) {
				if (v.tag != TAG_ETC)
					return 0;
				touched = true;
			}
			break;
		default:
			return 0;
		}
	}
	if (r < 0 || !dir || !names_ok)
		return 0;
	*ret_dir = path_join(a, base, dir);
	return touched ? 2 : 1;
}

/* Replace the record of /etc itself, so that the next start need not list it again. */
static void retouch(int basefd, const char *name, char *manifest, size_t n)
{
	struct blob_iter it;
	struct blob_view v;
	struct stat st;
	if (lstat("/etc", &st) < 0)
		return;
	blob_iter_init(&it, manifest, n);
	while (blob_next(&it, &v) > 0)
		if (v.tag == TAG_ETC && v.len > sizeof(struct seen)) {
			struct seen s = seen_of(&st);
			memcpy(manifest + (v.data - manifest), &s, sizeof(s));
		}
	file_write_atomic(basefd, name, manifest, n, 0600, false, NULL);
}

/* Copies that nothing refers to any more, and what crashed builds left. */
static void sweep(const char *base, const char *keep)
{
	DIR *d = opendir(base);
	struct dirent *de;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	while (d && (de = readdir(d))) {
		struct stat st;
		if (de->d_name[0] == '.' || streq(de->d_name, keep) ||
			fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		/* ctime: renames and the mark below count */
		bool temp = has_prefix(de->d_name, "new-");
		if (now.tv_sec - st.st_ctim.tv_sec > (temp ? 3600 : SUPERSEDED_DAYS * 86400L))
			tree_remove(dirfd(d), de->d_name, NULL);
	}
	if (d)
		closedir(d);
}

static int build(struct arena *a, const char *base, const char *manifest_name,
	const struct host_identity *id, char **ret_dir, struct err *err)
{
	struct timespec now;
	uint64_t serial;
	char tmp[32], name[33];
	struct stat st;
	_cleanup_close_ int basefd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (basefd < 0)
		return err_sys(err, errno, "open %s", base);
	if (getrandom(&serial, sizeof(serial), 0) != sizeof(serial))
		return err_sys(err, errno, "getrandom");
	snprintf(tmp, sizeof(tmp), "new-%016llx", (unsigned long long)serial);
	if (mkdirat(basefd, tmp, 0755) < 0)
		return err_sys(err, errno, "create %s/%s", base, tmp);
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	struct copier c = {.a = a, .racy_after = ns_of(now) - 20000000};
	_cleanup_close_ int dir = openat(
		basefd, tmp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = dir < 0 ? err_sys(err, errno, "open %s/%s", base, tmp)
			: build_into(&c, id, dir, err);
	if (r == 0 && fchmod(dir, 0755) < 0)
		r = err_sys(err, errno, "chmod %s/%s", base, tmp);
	struct digest g = digest_of(c.manifest.data, c.manifest.n);
	g.lo ^= serial; /* a new name every time: a running sandbox keeps the old copy */
	digest_hex(g, name);
	if (r == 0 && renameat(basefd, tmp, basefd, name) < 0)
		r = err_sys(err, errno, "rename %s/%s", base, tmp);
	if (r == 0 && fstatat(basefd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		put_source(&c, TAG_COPY, name, &st);
		blob_put_str(&c.manifest, TAG_NAME, name);
		r = c.manifest.failed ? err_set(err, ENOMEM, "out of memory")
				      : file_write_atomic(basefd, manifest_name, c.manifest.data,
						c.manifest.n, 0600, false, err);
	}
	blob_free(&c.manifest);
	if (r < 0) {
		tree_remove(basefd, tmp, NULL);
		return r;
	}
	sweep(base, name);
	*ret_dir = path_join(a, base, name);
	return arena_check(a, err);
}

int host_etc_prepare(struct arena *a, const char *cache_dir, const struct host_identity *id,
	char **ret_dir, struct err *err)
{
	char hex[33], *old;
	char *key = arena_printf(a, "%d\n%u:%u\n%s\n%s\n%s\n%s\n%s", ETC_VERSION, id->uid, id->gid,
		id->user, id->group, id->full_name, id->home, id->shell);
	char *base = path_join(a, cache_dir, "etc");
	if (!key || !base)
		return err_set(err, ENOMEM, "out of memory");
	digest_hex(digest_of(key, strlen(key)), hex);
	char *manifest = arena_printf(a, "%s/%s.manifest", base, hex);
	if (!manifest)
		return err_set(err, ENOMEM, "out of memory");

	ssize_t n = file_read(a, AT_FDCWD, manifest, MANIFEST_MAX, &old, NULL);
	int r = n > 0 ? verify(a, base, old, (size_t)n, ret_dir) : 0;
	if (r == 1)
		return arena_check(a, err);
	if (r == 2) {
		retouch(AT_FDCWD, manifest, old, (size_t)n);
		return arena_check(a, err);
	}
	r = file_mkdir_private(base, err);
	return r < 0 ? r : build(a, base, path_base(manifest), id, ret_dir, err);
}
