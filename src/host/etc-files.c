/* host/etc-files.c - see etc-files.h */
#include "host/etc-files.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/file.h"
#include "host/ca.h"
#include "host/etc.h"

/* The stub resolver is the relay (net/netns.h, NETNS_DNS_ADDR).  AAAA is answered NODATA there, so
 * not asking saves a round trip (no-aaaa: glibc 2.36; others ignore it).  No search list (DNS-13).
 */
static const char resolv_conf[] = "nameserver 127.0.0.53\n"
				  "options ndots:1 timeout:3 attempts:2 no-aaaa\n";

/* Nothing but files and dns: no nscd, no systemd-resolved, no sssd (DNS-14). */
static const char nsswitch_conf[] = "passwd: files\n"
				    "group: files\n"
				    "shadow: files\n"
				    "gshadow: files\n"
				    "hosts: files dns\n"
				    "networks: files\n"
				    "protocols: files\n"
				    "services: files\n"
				    "ethers: files\n"
				    "rpc: files\n"
				    "netgroup: files\n";

static const char hosts[] = "127.0.0.1\tlocalhost\n"
			    "127.0.1.1\t" HOST_ETC_HOSTNAME "\n"
			    "::1\tlocalhost ip6-localhost ip6-loopback\n";

/* Debian's own resets PATH: a tool that runs `bash -lc` would lose the toolchains. */
static const char profile[] =
	"if [ -z \"$PATH\" ]; then\n"
	"\tPATH=/usr/local/bin:/usr/bin:/bin\n"
	"\texport PATH\n"
	"fi\n"
	"if [ -n \"$BASH\" ] && [ \"$BASH\" != /bin/sh ] && [ -n \"$PS1\" ] &&\n"
	"\t[ -f /etc/bash.bashrc ]; then\n"
	"\t. /etc/bash.bashrc\n"
	"fi\n";

static const char ssh_config[] = "Host *\n"
				 "\tGSSAPIAuthentication no\n"
				 "\tForwardAgent no\n"
				 "\tForwardX11 no\n"
				 "\tHashKnownHosts no\n";

static int put(int dir, const char *name, const char *text, struct err *err)
{
	unlinkat(dir, name, 0);
	_cleanup_close_ int fd = openat(
		dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return err_sys(err, errno, "create the sandbox's /etc/%s", name);
	int r = fd_write_all(fd, text, strlen(text));
	return r < 0 ? err_sys(err, -r, "write the sandbox's /etc/%s", name) : 0;
}

static char *passwd_text(struct arena *a, const struct host_identity *id)
{
	return arena_printf(a,
		"root:x:0:0:root:/root:/usr/sbin/nologin\n"
		"%s:x:%u:%u:%s:%s:%s\n"
		"%s",
		id->user, (unsigned int)id->uid, (unsigned int)id->gid, id->full_name, id->home,
		id->shell,
		id->uid == 65534 ? ""
				 : "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
}

static char *group_text(struct arena *a, const struct host_identity *id)
{
	return arena_printf(a,
		"root:x:0:\n"
		"tty:x:5:\n"
		"%s:x:%u:%s\n"
		"%s",
		id->group, (unsigned int)id->gid, id->user,
		id->gid == 65534 ? "" : "nogroup:x:65534:\n");
}

/* Stable for as long as the copy is used, and not the machine's. */
static int machine_id(char ret[static 34])
{
	unsigned char raw[16];
	if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
		return -EIO;
	for (size_t i = 0; i < sizeof(raw); i++)
		snprintf(ret + 2 * i, 3, "%02x", raw[i]);
	memcpy(ret + 32, "\n", 2);
	return 0;
}

static int put_ssh(int dir, struct err *err)
{
	if (mkdirat(dir, "ssh", 0755) < 0 && errno != EEXIST)
		return err_sys(err, errno, "create the sandbox's /etc/ssh");
	_cleanup_close_ int fd = openat(
		dir, "ssh", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "open the sandbox's /etc/ssh");
	return put(fd, "ssh_config", ssh_config, err);
}

/* A directory of certificates, where there is one, leads to the sandbox's own, if it has one. */
static void put_ca_link(int dir)
{
	_cleanup_close_ int fd = openat(
		dir, "ssl/certs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	/* refused, programs that read the bundle still have it */
	int r = symlinkat(HOST_CA_INSIDE "/" HOST_CA_OWN, fd, HOST_CA_HASH);
	(void)r;
}

int etc_write_own(struct arena *a, const struct host_identity *id, int dir, struct err *err)
{
	char mid[34];
	if (machine_id(mid) < 0)
		return err_set(err, EIO, "no random bytes");
	const struct {
		const char *name, *text;
	} files[] = {
		{"passwd", passwd_text(a, id)},
		{"group", group_text(a, id)},
		{"hosts", hosts},
		{"hostname", HOST_ETC_HOSTNAME "\n"},
		{"resolv.conf", resolv_conf},
		{"nsswitch.conf", nsswitch_conf},
		{"profile", profile},
		{"machine-id", mid},
	};
	int r = arena_check(a, err);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(files); i++)
		r = put(dir, files[i].name, files[i].text, err);
	if (r == 0 && symlinkat("/proc/self/mounts", dir, "mtab") < 0 && errno != EEXIST)
		r = err_sys(err, errno, "create the sandbox's /etc/mtab");
	put_ca_link(dir);
	return r < 0 ? r : put_ssh(dir, err);
}

int host_etc_network(const char *dir, struct err *err)
{
	static const struct {
		const char *name, *text;
	} files[] = {{"hosts", hosts}, {"hostname", HOST_ETC_HOSTNAME "\n"},
		{"resolv.conf", resolv_conf}};
	int r = file_mkdir_p(AT_FDCWD, dir, 0755);
	_cleanup_close_ int fd = r < 0 ? r
				       : open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, r < 0 ? -r : errno, "create %s", dir);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(files); i++)
		r = put(fd, files[i].name, files[i].text, err);
	return r;
}

/* "//user:password@" in a URL */
static bool url_with_password(const char *line, size_t n)
{
	const char *end = line + n;
	for (const char *p = line; p + 2 < end; p++) {
		if (p[0] != '/' || p[1] != '/')
			continue;
		const char *q = p + 2;
		bool colon = false;
		for (; q < end && *q != '/' && *q != ' ' && *q != '"'; q++) {
			colon |= *q == ':';
			if (*q == '@' && colon)
				return true;
		}
	}
	return false;
}

static bool secret_line(const char *line, size_t n)
{
	static const char *const words[] = {"token", "passw", "secret", "credential", "_auth",
		"api_key", "apikey", "api-key", "private_key"};
	if (n && (line[0] == '#' || line[0] == ';'))
		return false;
	for (size_t w = 0; w < ARRAY_LEN(words); w++) {
		size_t k = strlen(words[w]);
		for (size_t i = 0; i + k <= n; i++)
			if (strncasecmp(line + i, words[w], k) == 0)
				return true;
	}
	return url_with_password(line, n);
}

bool etc_seems_secret(const char *text)
{
	for (const char *l = text; *l;) {
		size_t n = strcspn(l, "\n");
		if (secret_line(l, n) && memchr(l, '=', n))
			return true;
		l += n + (l[n] == '\n');
	}
	return false;
}

size_t etc_drop_secret_lines(char *text)
{
	char *to = text;
	for (char *l = text; *l;) {
		size_t n = strcspn(l, "\n"), all = n + (l[n] == '\n');
		if (!secret_line(l, n)) {
			memmove(to, l, all);
			to += all;
		}
		l += all;
	}
	*to = '\0';
	return (size_t)(to - text);
}
