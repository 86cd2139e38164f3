/* host/identity.c - see identity.h */
#include "host/identity.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>

#include "base/file.h"
#include "base/path.h"

#define DB_MAX ((size_t)8 << 20)
#define FIELDS 7

/* One line of passwd(5) or group(5), cut at its colons in place. */
struct row {
	char *f[FIELDS];
	int n;
};

static struct row cut(char *line)
{
	struct row r = {.n = 0};
	while (r.n < FIELDS) {
		r.f[r.n++] = line;
		line = strchr(line, ':');
		if (!line)
			break;
		*line++ = '\0';
	}
	return r;
}

static bool number(const char *s, unsigned int *ret)
{
	char *end;
	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	unsigned long v = strtoul(s, &end, 10);
	if (errno || *end || v >= UINT_MAX)
		return false;
	*ret = (unsigned int)v;
	return true;
}

/* The row whose field 2 is id, or whose field 0 is name (when name is given). */
static bool lookup(struct arena *a, const char *file, int least, const char *name, unsigned int id,
	struct row *ret)
{
	char *text;
	ssize_t n = file_read(a, AT_FDCWD, file, DB_MAX, &text, NULL);
	if (n < 0)
		return false;
	char *save = NULL;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		struct row r = cut(l);
		unsigned int v;
		if (r.n < least || !number(r.f[2], &v))
			continue;
		if (name ? streq(r.f[0], name) : v == id) {
			*ret = r;
			return true;
		}
	}
	return false;
}

/* A name that is safe in passwd, a prompt and a path. */
static const char *clean_name(struct arena *a, const char *s, const char *fallback)
{
	if (!s || !*s || strlen(s) > 32)
		return fallback;
	char *r = arena_dup(a, s);
	for (char *p = r; r && *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			*p = '_';
	if (r && !isalnum((unsigned char)*r))
		*r = '_';
	return r;
}

static const char *clean_gecos(struct arena *a, const char *s)
{
	char *r = arena_dupn(a, s, strcspn(s, ","));
	for (char *p = r; r && *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	return r;
}

/* No byte that would end a field or a line of passwd. */
static bool plain_path(const char *s)
{
	return s && s[0] == '/' && strlen(s) < PATH_MAX && !strpbrk(s, ":\n");
}

/* Without what says nothing ("//", "/./", a slash at the end), as which path is whose is compared
 * as text; ".." is what the kernel takes it for.  NULL: no such directory. */
static char *tidy(struct arena *a, const char *s)
{
	char *out = arena_dup(a, s);
	size_t n = 0;
	for (const char *p = s; out && *p;) {
		p += strspn(p, "/");
		size_t len = strcspn(p, "/");
		if (len == 2 && p[0] == '.' && p[1] == '.')
			return path_real(a, s);
		if (len && !(len == 1 && p[0] == '.')) {
			out[n++] = '/';
			memcpy(out + n, p, len);
			n += len;
		}
		p += len;
	}
	if (out)
		out[n ? n : 1] = '\0'; /* "/" stays */
	return out;
}

static void fill(struct arena *a, const struct row *pw, const char *name, struct host_identity *id)
{
	struct row gr;
	id->user = clean_name(a, pw ? pw->f[0] : name, "user");
	id->full_name = pw && pw->n > 4 ? clean_gecos(a, pw->f[4]) : "";
	id->shell = pw && pw->n > 6 && plain_path(pw->f[6]) ? pw->f[6] : "/bin/sh";
	bool known = lookup(a, "/etc/group", 3, NULL, id->gid, &gr);
	id->group = clean_name(a, known ? gr.f[0] : NULL, id->user);
}

int host_identity_find(struct arena *a, struct host_identity *ret, struct err *err)
{
	struct host_identity id = {.uid = getuid(), .gid = getgid()};
	struct row pw;
	bool known = lookup(a, "/etc/passwd", 6, NULL, id.uid, &pw);
	fill(a, known ? &pw : NULL, getenv("USER"), &id);

	const char *home = getenv("HOME");
	if (plain_path(home))
		id.home = tidy(a, home);
	else if (known && plain_path(pw.f[5]))
		id.home = tidy(a, pw.f[5]);
	else {
		err_hint(err, "set it to your home directory: export HOME=/home/you");
		return err_set(err, EINVAL, "HOME is %s and /etc/passwd has none for uid %u",
			home ? "not an absolute path" : "not set", (unsigned int)id.uid);
	}
	int r = arena_check(a, err);
	if (r == 0 && !id.home)
		r = err_sys(err, errno, "HOME is %s", home ? home : pw.f[5]);
	id.given = id.home;
	/* what is not there, or not for us, is said by whoever uses it */
	if (r == 0 && !(id.home = path_settle(a, id.given)))
		id.home = id.given;
	if (r == 0)
		*ret = id;
	return r;
}

static int find_target(
	struct arena *a, const char *as_user, struct host_identity *ret, struct err *err)
{
	unsigned int uid, gid;
	struct row pw;
	const char *who = as_user ? as_user : getenv("SUDO_UID");
	if (!who || !*who)
		return err_set(err, EPERM,
			"started as root, and nothing says which user to become (SUDO_UID is not "
			"set)");
	bool numeric = number(who, &uid);
	if (!numeric && !as_user)
		return err_set(err, EINVAL, "SUDO_UID is not a number");
	if (!lookup(a, "/etc/passwd", 6, numeric ? NULL : who, numeric ? uid : 0, &pw))
		return err_set(err, ENOENT, "there is no user %s in /etc/passwd",
			numeric ? who : "of that name");
	if (!number(pw.f[2], &uid) || !number(pw.f[3], &gid) || !plain_path(pw.f[5]))
		return err_set(
			err, EINVAL, "the entry of user %s in /etc/passwd is broken", pw.f[0]);
	if (uid == 0 || gid == 0)
		return err_set(err, EPERM, "no sandbox runs as root");
	struct host_identity id = {.uid = uid, .gid = gid, .home = pw.f[5], .given = pw.f[5]};
	fill(a, &pw, NULL, &id);
	int r = arena_check(a, err);
	if (r == 0)
		*ret = id;
	return r;
}

int host_identity_target(
	struct arena *a, const char *as_user, struct host_identity *ret, struct err *err)
{
	int r = find_target(a, as_user, ret, err);
	if (r < 0)
		err_hint(err,
			"run bawn as an ordinary user, through sudo from one, or with "
			"--as-user NAME");
	return r;
}
