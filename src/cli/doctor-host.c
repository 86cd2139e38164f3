/* cli/doctor-host.c - doctor: the caller, the installation, bawn's directories; and the AppArmor
 * profile for this installation's paths.
 */
#include "cli/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/path.h"
#include "host/agent.h"
#include "policy/locate.h"
#include "policy/read.h"

/* A run's home, caches and audit log are kept below the data directory. */
#define DISK_LOW (UINT64_C(512) << 20)

static const char *const helpers[] = {"bawn-init", "bawn-relay", "bawn-resolve", "bawn-scan",
	"bawn-copy", "bawn-why", "bawn-sudo", "bawn-admin"};

bool doctor_read_line(const char *path, char *dst, size_t cap)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	dst[0] = '\0';
	if (!f || !fgets(dst, (int)cap, f))
		return false;
	dst[strcspn(dst, "\n")] = '\0';
	return true;
}

static void check_kernel(struct doctor_result *r)
{
	struct utsname u;
	uname(&u);
	doctor_ok(r, "Linux %s on %s", u.release, u.machine);
}

static void check_user(struct doctor_result *r)
{
	struct arena a = {0};
	struct host_identity id;
	struct err err = {0};
	bool root = geteuid() == 0;
	int k = root ? host_identity_target(&a, NULL, &id, &err)
		     : host_identity_find(&a, &id, &err);
	if (k < 0) {
		doctor_fail(r, "%s", err.msg);
		doctor_remedy(r, "%s", err.hint[0] ? err.hint : "start bawn as an ordinary user");
	} else if (root) {
		doctor_warn(r, "root: bawn would become %s (%u); the checks below ran as root",
			id.user, id.uid);
		doctor_remedy(r, "run bawn doctor as that user");
	} else {
		doctor_ok(r, "%s (%u), home %s", id.user, id.uid, id.home);
	}
	arena_free(&a);
}

static void check_install(struct doctor_result *r)
{
	struct arena a = {0};
	struct path_install in;
	struct err err = {0};
	if (path_install_find(&a, BAWN_LIBEXECDIR, BAWN_DATADIR, &in, &err) < 0) {
		doctor_fail(r, "%s", err.msg);
		doctor_remedy(r, "%s", err.hint);
		goto out;
	}
	for (size_t i = 0; i < ARRAY_LEN(helpers); i++) {
		char *path = path_join(&a, in.libexec, helpers[i]);
		if (path && access(path, X_OK) == 0)
			continue;
		doctor_fail(r, "%s can't be executed: %s", path, strerror(errno));
		doctor_remedy(r, "install bawn again: make install");
		goto out;
	}
	char *profiles = path_join(&a, in.data, "profiles");
	if (!profiles || access(profiles, R_OK | X_OK) < 0) {
		doctor_fail(r, "no profiles in %s", in.data);
		doctor_remedy(r, "install bawn again: make install");
		goto out;
	}
	doctor_ok(r, "helpers in %s, profiles in %s", in.libexec, in.data);
out:
	arena_free(&a);
}

/* false: r says what is wrong.  A directory that isn't there yet is made by the first run. */
static bool dir_is_ours(struct doctor_result *r, const char *path)
{
	struct stat st;
	if (!path || lstat(path, &st) < 0)
		return true;
	const char *wrong = S_ISLNK(st.st_mode) ? "a symbolic link"
		: !S_ISDIR(st.st_mode)          ? "not a directory"
		: st.st_uid != geteuid()        ? "somebody else's"
		: (st.st_mode & 0022)           ? "writable by others"
						: NULL;
	if (!wrong)
		return true;
	doctor_fail(r, "%s is %s", path, wrong);
	doctor_remedy(r,
		"make it a directory of yours that only you can write: sudo chown -h "
		"\"$USER\" %s; chmod 0700 %s",
		path, path);
	return false;
}

/* Can a sandbox that lasts, or a template, be kept there?  Where it is not there yet: above it. */
static void check_place(struct doctor_result *r, const char *data)
{
	char path[PATH_MAX];
	int fd = -1;
	snprintf(path, sizeof(path), "%s", data);
	while (*path && (fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0) {
		char *end = strrchr(path, '/');
		if (!end)
			break;
		*end = '\0';
	}
	const char *unfit = fd < 0 ? NULL : file_no_upper(fd);
	if (fd >= 0)
		close(fd);
	if (!unfit)
		return;
	doctor_warn(r, "no sandbox that lasts can be kept in %s: that is %s", data, unfit);
	doctor_remedy(r, FILE_UPPER_HINT "; bawn run --rm works");
}

static void check_dirs(struct doctor_result *r)
{
	struct arena a = {0};
	struct path_xdg xdg;
	struct err err = {0};
	struct statvfs fs;
	if (path_xdg_find(&a, &xdg, &err) < 0) {
		doctor_fail(r, "%s", err.msg);
		doctor_remedy(r, "%s", err.hint);
	} else if (dir_is_ours(r, xdg.config) && dir_is_ours(r, xdg.data) &&
		dir_is_ours(r, xdg.cache) && dir_is_ours(r, xdg.runtime)) {
		doctor_ok(r, "%s, %s, %s", xdg.config, xdg.data, xdg.cache);
		if (statvfs(xdg.home, &fs) == 0 && fs.f_bavail * fs.f_frsize < DISK_LOW) {
			doctor_warn(r, "less than %u MiB are free in %s",
				(unsigned int)(DISK_LOW >> 20), xdg.home);
			doctor_remedy(r, "a run writes its home and caches there: make room");
		}
		check_place(r, xdg.data);
	}
	arena_free(&a);
}

/* Where this profile's tool is; -ENOENT when it isn't installed. */
static int find_agent(struct arena *a, struct locate *l, const char *name,
	const struct host_identity *id, struct host_agent *ret, struct err *err)
{
	const char *file;
	struct yaml_node *root;
	struct profile p = {0};
	int k = locate_file(l, LOCATE_PROFILE, name, &file, err);
	if (k >= 0)
		k = yaml_load(a, file, &root, err);
	if (k >= 0)
		k = profile_parse(a, name, file, root, &p, err);
	return k < 0 ? k : host_agent_find(a, &p, id, NULL, ret, err);
}

static void list_agents(
	struct doctor_result *r, struct arena *a, struct locate *l, const struct host_identity *id)
{
	struct strv names = {0};
	struct err err = {0};
	char *found = arena_dup(a, ""), *absent = arena_dup(a, "");
	if (locate_names(l, LOCATE_PROFILE, &names, &err) < 0) {
		doctor_fail(r, "%s", err.msg);
		return;
	}
	for (size_t i = 0; i < names.n; i++) {
		struct host_agent agent = {0};
		struct err e = {0};
		if (streq(names.v[i], "shell"))
			continue;
		int k = find_agent(a, l, names.v[i], id, &agent, &e);
		if (k == 0)
			found = arena_printf(
				a, "%s%s%s (%s)", found, *found ? ", " : "", names.v[i], agent.exe);
		else if (k == -ENOENT)
			absent = arena_printf(a, "%s%s%s", absent, *absent ? ", " : "", names.v[i]);
		else {
			doctor_fail(r, "%s", e.msg);
			doctor_remedy(r, "%s", e.hint);
			return;
		}
	}
	if (found && *found) {
		doctor_ok(r, "%s%s%s", found, *absent ? "; not installed: " : "", absent);
		return;
	}
	doctor_warn(r, "none of %s is installed", absent);
	doctor_remedy(r, "install one; bawn run NAME says how");
}

static void check_agents(struct doctor_result *r)
{
	struct arena a = {0};
	struct host_identity id;
	struct path_xdg xdg;
	struct path_install in;
	struct err err = {0};
	if (host_identity_find(&a, &id, &err) < 0 || path_xdg_find(&a, &xdg, &err) < 0 ||
		path_install_find(&a, BAWN_LIBEXECDIR, BAWN_DATADIR, &in, &err) < 0) {
		doctor_warn(r, "not looked for: %s", err.msg);
	} else {
		struct locate l = {.a = &a, .config_dir = xdg.config, .data_dir = in.data};
		list_agents(r, &a, &l, &id);
	}
	arena_free(&a);
}

/* Put text into to with @NAME@ replaced. */
static void substitute(FILE *to, const char *text, const char *name, const char *value)
{
	const char *p = text, *at;
	while ((at = strstr(p, name))) {
		fwrite(p, 1, (size_t)(at - p), to);
		fputs(value, to);
		p = at + strlen(name);
	}
	fputs(p, to);
}

/* A quote, a glob or a control byte in the path would change what the profile says. */
static bool plain_path(const char *path)
{
	for (const char *p = path; *p; p++)
		if (strchr("\"*?[]{}\\^@,", *p) || (unsigned char)*p < 0x20)
			return false;
	return true;
}

int doctor_print_apparmor(void)
{
	struct arena a = {0};
	struct path_install in;
	struct err err = {0};
	char *text = NULL, *self = NULL;
	_cleanup_free_ char *half = NULL;
	size_t n = 0;
	int rc = 125;
	if (path_install_find(&a, BAWN_LIBEXECDIR, BAWN_DATADIR, &in, &err) < 0)
		goto out;
	/* what a person starts */
	self = path_install_bawn(&a, &in, BAWN_LIBEXECDIR, BAWN_BINDIR);
	self = self ? path_real(&a, self) : NULL;
	char *libexec = path_real(&a, in.libexec);
	char *from = path_join(&a, in.data, "apparmor/bawn");
	if (!self || !libexec || !from) {
		err_set(&err, ENOENT, "bawn itself isn't found beside %s", in.libexec);
		goto out;
	}
	if (!plain_path(self) || !plain_path(libexec)) {
		err_set(&err, EINVAL, "AppArmor can't name this path: %s", libexec);
		goto out;
	}
	if (file_read(&a, AT_FDCWD, from, 65536, &text, &err) < 0)
		goto out;
	FILE *to = open_memstream(&half, &n);
	if (!to)
		goto out;
	substitute(to, text, "@BAWN@", self);
	fclose(to);
	substitute(stdout, half, "@LIBEXEC@", libexec);
	rc = fd_flush_stdout(&err) == 0 ? 0 : 125;
out:
	if (rc)
		fprintf(stderr, "bawn: %s\n", err.msg[0] ? err.msg : "out of memory");
	if (err.hint[0])
		fprintf(stderr, "bawn: %s\n", err.hint);
	arena_free(&a);
	return rc;
}

const struct doctor_check doctor_host_checks[] = {
	{"kernel", "kernel", check_kernel, false},
	{"user", "user", check_user, false},
	{"install", "installation", check_install, false},
	{"dirs", "directories", check_dirs, false},
	{"agents", "agents", check_agents, false},
	{0},
};
