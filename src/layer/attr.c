/* layer/attr.c - see attr.h. */
#include "layer/attr.h"

#include <sys/xattr.h>

#include "base/escape.h"
#include "base/name-owners.h"

mode_t attr_disk_mode(uint32_t mode, bool dir)
{
	if (GUARD_REMOVED("layer-set-id"))
		return mode | 0400;
	return kept_mode_on_disk(mode, dir);
}

mode_t attr_first_mode(const struct tar_entry *e)
{
	mode_t mode = attr_disk_mode(e->mode, e->type == TAR_DIR);
	return mode & 0200 ? mode : 0600;
}

size_t attr_owner_put(unsigned char *to, uint32_t uid, uint32_t gid)
{
	const uint32_t ids[] = {uid, gid};
	size_t n = 0;
	for (size_t i = 0; i < 2; i++) {
		uint32_t v = ids[i];
		if (!v)
			continue;
		to[n++] = (unsigned char)((i + 1) << 3); /* field i + 1, a varint */
		do {
			to[n] = v & 0x7f;
			v >>= 7;
			to[n++] |= v ? 0x80 : 0;
		} while (v);
	}
	return n;
}

bool attr_owner_get(const unsigned char *p, size_t n, uint32_t *ret_uid, uint32_t *ret_gid)
{
	uint64_t ids[2] = {0, 0};
	for (size_t i = 0; i < n;) {
		unsigned char key = p[i++];
		unsigned int shift = 0;
		uint64_t v = 0;
		bool more = true;
		for (; more && i < n && shift < 35; shift += 7) {
			v |= (uint64_t)(p[i] & 0x7f) << shift;
			more = p[i++] & 0x80;
		}
		if (more || v > ATTR_ID_NOOP || (key != 0x08 && key != 0x10))
			return false;
		ids[(key >> 3) - 1] = v;
	}
	*ret_uid = (uint32_t)ids[0];
	*ret_gid = (uint32_t)ids[1];
	return true;
}

/* Does a tar's attribute keep its name?  The user's own do, unless they mean something here. */
static bool keeps_name(const char *name)
{
	if (GUARD_REMOVED("layer-xattrs"))
		return has_prefix(name, "user.");
	return has_prefix(name, "user.") && !has_prefix(name, "user.overlay.") &&
		!has_prefix(name, "user.bawn.") && !streq(name, ATTR_OWNER);
}

static int set_own(int fd, const char *name, const void *value, size_t n, struct err *err)
{
	if (fsetxattr(fd, name, value, n, 0) == 0)
		return 0;
	int code = errno;
	err_sys(err, code, "set the attribute %s", name);
	if (code == ENOTSUP)
		err_hint(err,
			"templates need a file system with user extended attributes (ext4, "
			"xfs, btrfs; tmpfs since Linux 6.6)");
	return -code;
}

static void set_other(
	int fd, const struct tar_entry *e, const struct tar_xattr *x, struct layer_counts *c)
{
	char name[sizeof(ATTR_OTHER) + 256], shown[512], shown_path[512];
	bool same = keeps_name(x->name);
	int n = snprintf(name, sizeof(name), "%s%s", same ? "" : ATTR_OTHER, x->name);
	if (n < 256 && fsetxattr(fd, name, x->value, x->n, 0) == 0)
		return;
	int code = n < 256 ? errno : ERANGE;
	layer_note(c, "%s: the attribute %s is not on disk: %s",
		escape_text(shown_path, sizeof(shown_path), e->path),
		escape_text(shown, sizeof(shown), x->name), strerror(code));
}

/* What overlayfs is told of a directory: of what lies in it, not of itself. */
static bool tells_overlay(const char *name)
{
	return streq(name, ATTR_OPAQUE) || streq(name, ATTR_ORIGIN);
}

/* What an earlier entry of this name has left. */
static int remove_all(int fd, struct err *err)
{
	char names[32768];
	ssize_t n = flistxattr(fd, names, sizeof(names));
	if (n < 0)
		return errno == ENOTSUP ? 0 : err_sys(err, errno, "list attributes");
	for (char *p = names; p < names + n; p += strlen(p) + 1)
		if (has_prefix(p, "user.") && !tells_overlay(p) && fremovexattr(fd, p) < 0)
			return err_sys(err, errno, "remove the attribute %s", p);
	return 0;
}

int attr_set(int fd, const struct tar_entry *e, bool anew, struct layer_counts *c, struct err *err)
{
	bool dir = e->type == TAR_DIR;
	mode_t mode = attr_disk_mode(e->mode, dir);
	char text[64];
	unsigned char owner[12];
	int r = anew ? 0 : remove_all(fd, err);
	if (r == 0 && (e->uid || e->gid))
		r = set_own(fd, ATTR_OWNER, owner, attr_owner_put(owner, e->uid, e->gid), err);
	if (r == 0 && mode != e->mode) {
		int n = snprintf(text, sizeof(text), "%o", e->mode);
		r = set_own(fd, ATTR_MODE, text, (size_t)n, err);
	}
	if (r == 0 && (e->type == TAR_CHR || e->type == TAR_BLK)) {
		int n = snprintf(text, sizeof(text), "%c %u %u", e->type == TAR_CHR ? 'c' : 'b',
			e->major, e->minor);
		r = set_own(fd, ATTR_NODE, text, (size_t)n, err);
	}
	for (size_t i = 0; r == 0 && i < e->n_xattrs; i++)
		set_other(fd, e, &e->xattrs[i], c);
	if (r < 0)
		return r;
	/* last, as a file that its owner can't write takes no attributes */
	if ((!anew || mode != attr_first_mode(e)) && fchmod(fd, mode) < 0)
		return err_sys(err, errno, "set a file's mode");
	const struct timespec times[2] = {
		{.tv_nsec = UTIME_OMIT}, {.tv_sec = e->mtime, .tv_nsec = e->mtime_ns}};
	if (!dir && futimens(fd, times) < 0)
		return err_sys(err, errno, "set a file's time");
	return 0;
}

int attr_set_opaque(int fd, struct err *err)
{
	return set_own(fd, ATTR_OPAQUE, "y", 1, err);
}

int attr_set_whiteouts(int fd, struct err *err)
{
	return set_own(fd, ATTR_ORIGIN, "", 0, err);
}

bool attr_is_opaque(int fd)
{
	char v[4];
	return fgetxattr(fd, ATTR_OPAQUE, v, sizeof(v)) == 1 && v[0] == 'y';
}

int attr_set_implied(int fd, struct err *err)
{
	return set_own(fd, ATTR_IMPLIED, "y", 1, err);
}

bool attr_is_implied(int fd)
{
	return fgetxattr(fd, ATTR_IMPLIED, NULL, 0) >= 0;
}

bool attr_link_owner(int dir, const char *name, uint32_t *ret_uid, uint32_t *ret_gid)
{
	static char list[NAME_OWNERS_MAX];
	ssize_t n = fgetxattr(dir, NAME_OWNERS_ATTR, list, sizeof(list));
	return n > 0 && name_owners_find(list, (size_t)n, name, ret_uid, ret_gid);
}

void attr_forget_links(int dir)
{
	fremovexattr(dir, NAME_OWNERS_ATTR);
}

static void take_node(const char *value, size_t n, const struct stat *st, struct tar_entry *e)
{
	char text[64], kind;
	unsigned int major, minor;
	if (n >= sizeof(text) || st->st_size != 0 || !S_ISREG(st->st_mode))
		return; /* written to since: it is a file now */
	memcpy(text, value, n);
	text[n] = 0;
	if (sscanf(text, "%c %10u %10u", &kind, &major, &minor) != 3 ||
		(kind != 'c' && kind != 'b'))
		return;
	e->type = kind == 'c' ? TAR_CHR : TAR_BLK;
	e->major = major;
	e->minor = minor;
}

/* One attribute as the tar has it; what is overlayfs's is none. */
static void take(struct attr_buf *b, const char *name, const char *value, size_t n,
	const struct stat *st, struct tar_entry *e)
{
	uint32_t mode, uid, gid;
	if (streq(name, ATTR_OWNER)) {
		if (attr_owner_get((const unsigned char *)value, n, &uid, &gid)) {
			e->uid = uid == ATTR_ID_NOOP ? e->uid : uid;
			e->gid = gid == ATTR_ID_NOOP ? e->gid : gid;
			b->has_owner = true;
		}
	} else if (streq(name, ATTR_MODE)) {
		/* changed since, and not by us: what is on disk counts */
		if (kept_mode_parse(value, n, &mode) &&
			attr_disk_mode(mode, S_ISDIR(st->st_mode)) == (st->st_mode & 07777))
			e->mode = mode;
	} else if (streq(name, ATTR_NODE)) {
		take_node(value, n, st, e);
	} else if (has_prefix(name, ATTR_OTHER) || keeps_name(name)) {
		size_t skip = has_prefix(name, ATTR_OTHER) ? strlen(ATTR_OTHER) : 0;
		if (e->n_xattrs < TAR_XATTRS_MAX && name[skip])
			b->xattrs[e->n_xattrs++] = (struct tar_xattr){name + skip, value, n};
	}
}

int attr_get(
	int fd, const struct stat *st, struct attr_buf *b, struct tar_entry *e, struct err *err)
{
	ssize_t n = flistxattr(fd, b->names, sizeof(b->names));
	size_t used = 0;
	e->type = S_ISDIR(st->st_mode) ? TAR_DIR : TAR_FILE;
	e->mode = st->st_mode & 07777;
	e->xattrs = b->xattrs;
	e->n_xattrs = 0;
	b->has_owner = false;
	if (n < 0)
		return errno == ENOTSUP ? 0 : err_sys(err, errno, "list attributes");
	for (char *p = b->names; p < b->names + n; p += strlen(p) + 1) {
		if (!has_prefix(p, "user.") || has_prefix(p, "user.overlay."))
			continue;
		ssize_t k = fgetxattr(fd, p, b->values + used, sizeof(b->values) - used);
		if (k < 0)
			return err_sys(err, errno, "read the attribute %s", p);
		take(b, p, b->values + used, (size_t)k, st, e);
		used += (size_t)k;
	}
	return 0;
}
