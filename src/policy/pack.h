/* policy/pack.h - the launch pack: everything that is the same from one start to the next,
 * compiled.
 *
 * A pack holds one profile, the egress rules, the seccomp program, the nftables and rtnetlink
 * batches, and the list of files it was made from.  bawn-admin compile writes it into
 * $XDG_CACHE_HOME/bawn/pack/KEY (0600, beside, renamed); bawn maps it.  It is rebuilt when its
 * digest, owner, mode, format version or any source file (device, inode, size, mtime, ctime; or
 * absence) differs. So a warm start reads no YAML and links none of libyaml, libseccomp, libmnl,
 * libnftnl, libnl.
 */
#ifndef BAWN_POLICY_PACK_H
#define BAWN_POLICY_PACK_H

#include "base/arena.h"
#include "policy/credential.h"
#include "policy/egress.h"
#include "policy/http-rule.h"
#include "policy/profile.h"

/* Where the rule of pack_request.learn is from, as egress_rule() calls it. */
#define PACK_LEARN_FILE "learn"

/* What a pack is made from; the key of the cache is the digest of all of it. */
struct pack_request {
	const char *profile;       /* name, or a path (contains '/') */
	const char *const *beside; /* further profiles, names or paths: their policies count, too */
	size_t n_beside;
	const char *config_dir; /* $XDG_CONFIG_HOME/bawn */
	const char *data_dir;   /* the shipped profiles/ and policies/ */
	const char *const
		*policies; /* --policy NAME|FILE..., replaces the profile's list; NULL: profile's */
	size_t n_policies;
	const char *const *allow; /* --allow RULE */
	size_t n_allow;
	const char *const *deny;
	size_t n_deny;
	const char *const *allow_private; /* --allow-private HOST[:PORT] */
	size_t n_allow_private;
	const char *syscalls;       /* override, or NULL */
	const uint16_t *host_ports; /* --host-port */
	size_t n_host_ports;
	bool offline;
	bool learn; /* every public name may be reached, for `bawn learn` */
};

struct pack {
	struct profile profile;
	const struct egress *egress;
	const void *egress_table; /* what it stands on */
	size_t egress_bytes;
	const void *seccomp; /* array of struct sock_filter */
	size_t seccomp_bytes;
	unsigned user_namespaces; /* that may be made inside; 0: none */
	const void *nft;          /* one nftables netlink batch, ready to send */
	size_t nft_bytes;
	const void *rtnl; /* rtnetlink requests (lo up, local routes), ready to send in turn */
	size_t rtnl_bytes;
	/* What the policy says about requests; NULL when it says nothing. */
	struct credentials *credentials;
	struct http_rules *http;
	/* What it was made of: files and directories that were looked at, absolute.  None where
	 * they were not checked (pack_open_fd). */
	struct strv sources;
	int fd; /* of the mapped file, read-only; the relay gets a copy */
	void *map;
	size_t map_bytes;
	struct arena arena;
};

/* Where the pack for this request lives: "CACHE_DIR/pack/<32 hex>" in arena. */
char *pack_path(struct arena *a, const char *cache_dir, const struct pack_request *req);

/* Map and verify.  0; -ENOENT / -ESTALE when it has to be compiled; other -errno is final. */
int pack_open(const char *path, struct pack *ret, struct err *err);

/* Map a pack handed over as a descriptor (the relay).  Sources and digest are not checked again:
 * whoever handed it over has done so, and a pack's file never changes under its name.  fd belongs
 * to *ret on success. */
int pack_open_fd(int fd, struct pack *ret, struct err *err);

/* The arguments that let bawn-admin write the pack of this request to the file out. */
int pack_compile_argv(
	struct arena *a, const struct pack_request *req, const char *out, struct strv *ret);

void pack_close(struct pack *p);

#endif
