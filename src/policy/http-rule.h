/* policy/http-rule.h - which requests a rule lets through, where requests can be read: method, host
 * and path.
 *
 * Pure: no system calls, no allocation.  Written as "METHODS HOST[:PORT]/PATH" (bawn-policy(5));
 * methods and path may each be left out, not both.
 *
 * What a path means is up to the server, and servers differ: some take %2F for a slash, ignore what
 * stands behind ";" in a segment, fold "//", decode twice.  So a path is decoded once into segments
 * and then read in every way that makes a difference for it; a request passes only if each reading
 * is allowed, and is denied if any reading is denied.
 */
#ifndef BAWN_POLICY_HTTP_RULE_H
#define BAWN_POLICY_HTTP_RULE_H

#include "policy/egress.h"

/* A longer request target is refused on a host that has HTTP rules. */
#define HTTP_PATH_MAX 8192
#define HTTP_METHODS_MAX 8
#define HTTP_METHOD_LEN 16

enum http_reading {
	HTTP_READ_SLASH = 1,  /* an encoded slash, or a backslash, parts segments */
	HTTP_READ_PARAMS = 2, /* ";..." at the end of a segment is no part of its name */
	HTTP_READ_DOTS = 4,   /* "." and ".." segments are resolved */
	HTTP_READ_MERGE = 8,  /* empty segments are no segments */
	HTTP_READ_TWICE = 16, /* what is still encoded after decoding is decoded again */
};

/* The reading of the path of a request target (origin form: it starts with "/"; a query is cut off)
 * that the set of enum http_reading says.  *ret_ways gets those that make a difference for it.
 * Bytes of ret; -EINVAL: no path that any server should see (no "/" in front, a "#", a control byte
 * or space, "%" without two digits, an encoded NUL, ".." above the root); -ENAMETOOLONG. */
int http_path_canonical(const char *target, size_t n, unsigned int how, char *ret, size_t cap,
	unsigned int *ret_ways);

/* "*" is any part of one segment, "**" any number of segments (none, too).  fold: upper and lower
 * case are one, and so are a path and the same with "/" at its end. */
bool http_path_match(const char *glob, const char *path, bool fold);

/* One rule on requests, or (plain) a rule that allows the whole host beside such ones. */
struct http_rule {
	const char *name;      /* canonical, behind the wildcard */
	const uint16_t *ports; /* none: every port */
	uint32_t n_ports;
	uint32_t kind; /* enum egress_kind, never EGRESS_NET */
	bool deny, plain;
	const char *methods; /* ",GET,HEAD,"; "": any */
	const char *path;    /* a glob */
	uint64_t max_upload; /* bytes a run may send to each host it names; UINT64_MAX: no limit */
	uint32_t rule;       /* for egress_rule(): what it says and where it stands */
};

struct http_rules {
	struct http_rule *v;
	size_t n;
};

struct http_verdict {
	enum egress_action action;
	uint32_t rule;   /* that decided, or EGRESS_NO_RULE */
	const char *why; /* denied: a few words for messages and the audit log; else NULL */
};

/* Must requests to this name and port be looked at?  rules may be NULL (a policy without any).
 * name is canonical, everywhere here. */
bool http_rules_apply(const struct http_rules *rules, const char *name, uint16_t port);

/* Is this one of its rules? */
bool http_rule_is_for(const struct http_rule *r, const char *name, uint16_t port);

/* May this request be made, given that the connection may (egress_match())?  method and target as
 * they came, not NUL-terminated; method names are compared exactly.  On a host without HTTP rules
 * everything is allowed.  Never fails; what can't be read is denied. */
struct http_verdict http_decide(const struct http_rules *rules, const char *name, uint16_t port,
	const char *method, size_t method_len, const char *target, size_t target_len);

/* Bytes that a run may send to this host, on all connections together; UINT64_MAX: no limit. */
uint64_t http_max_upload(const struct http_rules *rules, const char *name, uint16_t port);
/* The rule that says so, for egress_rule(), or EGRESS_NO_RULE. */
uint32_t http_max_upload_rule(const struct http_rules *rules, const char *name, uint16_t port);

/* Is there any rule on requests, not limits alone? */
bool http_rules_any(const struct http_rules *rules);

#endif
