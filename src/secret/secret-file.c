/* secret/secret-file.c - see secret-file.h */
#include "secret/secret-file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/file.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static const char *const source_names[SECRET_SOURCES] = {
	[SECRET_VALUE] = "value",
	[SECRET_COMMAND] = "command",
	[SECRET_ENV] = "env",
	[SECRET_FILE] = "file",
};

const char *secret_source_name(enum secret_source s)
{
	return source_names[s];
}

static int refuse(struct err *err, const char *what, const char *why, const char *remedy)
{
	err_hint(err, "%s %s", remedy, what);
	return err_set(err, EPERM, "%s %s; bawn keeps no secret there", what, why);
}

/* mask: mode bits that others must not have. */
static int check(int fd, const char *what, mode_t mask, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "stat %s", what);
	if (GUARD_REMOVED("secret-trust"))
		return 0;
	if (st.st_uid != geteuid() && (mask == 0077 || st.st_uid != 0))
		return refuse(err, what, "belongs to somebody else", "move away");
	if (st.st_mode & mask)
		return mask == 0077
			? refuse(err, what, "can be read or written by others", "chmod go=")
			: refuse(err, what, "can be written by others", "chmod go-w");
	if (S_ISREG(st.st_mode) && st.st_nlink != 1)
		return refuse(err, what, "has another hard link", "remove");
	return 0;
}

static int dir_failed(const char *what, int error, struct err *err)
{
	if (error == ENOENT)
		return -ENOENT;
	if (error == ELOOP || error == ENOTDIR)
		return refuse(err, what, "is a link or no directory", "remove");
	return err_sys(err, error, "open %s", what);
}

/* NAME below dir; what: how messages call it. */
static int sub_dir(int dir, const char *name, const char *what, bool make, struct err *err)
{
	CRASH_STEP();
	if (make && mkdirat(dir, name, 0700) < 0 && errno != EEXIST) {
		int saved = errno;
		err_hint(err, "secrets are kept in %s", what);
		return err_sys(err, saved, "make %s", what);
	}
	_cleanup_close_ int fd = openat(dir, name, DIR_FLAGS);
	if (fd < 0)
		return dir_failed(what, errno, err);
	int r = check(fd, what, 0077, err);
	return r < 0 ? r : TAKE_FD(fd);
}

int secret_dir(const char *config_dir, const char *sandbox, bool make, struct err *err)
{
	char what[4096], name[SECRET_NAME_MAX + 2];
	int r = make ? file_mkdir_p(AT_FDCWD, config_dir, 0700) : 0;
	if (r < 0)
		return err_sys(err, -r, "make %s", config_dir);
	_cleanup_close_ int config = open(config_dir, DIR_FLAGS);
	if (config < 0)
		return dir_failed(config_dir, errno, err);
	r = check(config, config_dir, 0022, err);
	if (r < 0)
		return r;
	snprintf(what, sizeof(what), "%s/secrets", config_dir);
	_cleanup_close_ int all = sub_dir(config, "secrets", what, make, err);
	if (all < 0 || !sandbox)
		return TAKE_FD(all);
	snprintf(what, sizeof(what), "%s/secrets/@%s", config_dir, sandbox);
	snprintf(name, sizeof(name), "@%s", sandbox);
	return sub_dir(all, name, what, make, err);
}

int secret_lock(int dir, struct err *err)
{
	int r;
	do
		r = flock(dir, LOCK_EX);
	while (r < 0 && errno == EINTR);
	return r < 0 ? err_sys(err, errno, "lock the store of secrets") : 0;
}

void secret_sweep(int dir)
{
	int fd = openat(dir, ".", DIR_FLAGS);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *e; (e = readdir(d));) {
		size_t n = strlen(e->d_name);
		if (n > 4 && streq(e->d_name + n - 4, ".tmp"))
			unlinkat(dir, e->d_name, 0);
	}
	closedir(d);
}

static int read_header(int fd, enum secret_source *ret)
{
	char head[SECRET_HEADER_LEN + 1] = "", want[SECRET_HEADER_LEN + 1];
	if (fd_read_full(fd, head, SECRET_HEADER_LEN) != SECRET_HEADER_LEN)
		return -EBADMSG;
	for (int i = 0; i < SECRET_SOURCES; i++) {
		snprintf(want, sizeof(want), "bawn-secret 1 %-7s\n", source_names[i]);
		if (memcmp(head, want, SECRET_HEADER_LEN) == 0) {
			*ret = (enum secret_source)i;
			return 0;
		}
	}
	return -EBADMSG;
}

int secret_open(int dir, const char *name, enum secret_source *ret_source, int64_t *ret_changed,
	struct err *err)
{
	char what[SECRET_NAME_MAX + 32];
	struct stat st;
	snprintf(what, sizeof(what), "the file of secret %s", name);
	_cleanup_close_ int fd = openat(
		dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 && errno == ELOOP)
		return refuse(err, what, "is a symbolic link", "remove");
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "open %s", what);
	if (!S_ISREG(st.st_mode))
		return refuse(err, what, "is not a regular file", "remove");
	int r = check(fd, what, 0077, err);
	if (r < 0)
		return r;
	r = read_header(fd, ret_source);
	if (r < 0) {
		err_hint(err, "set it again: bawn secret set %s", name);
		return err_set(err, EBADMSG, "%s is damaged", what);
	}
	if (ret_changed)
		*ret_changed = st.st_mtime;
	return TAKE_FD(fd);
}
