/* tests/unit/egress-pack.c - see egress-pack.h */
#include "egress-pack.h"

#include "base/blob.h"
#include "base/fd.h"
#include "policy/egress-build.h"
#include "policy/pack-format.h"

_noreturn_ static void give_up(const struct err *err)
{
	fprintf(stderr, "test pack: %s\n", err->msg);
	exit(99);
}

int test_pack(const struct test_rule *rules, size_t n, bool offline)
{
	struct arena a = {0};
	struct rules list = {0};
	struct blob b = {0};
	struct err err = {0};
	void *table;
	size_t table_n;
	for (size_t i = 0; i < n; i++) {
		struct rule r = {.deny = rules[i].deny,
			.private_ok = rules[i].private_ok,
			.raw = rules[i].raw};
		if (rule_parse(&a, rules[i].text, &r, &err) < 0)
			give_up(&err);
		r.file = "test.yaml";
		r.line = (uint32_t)i + 1;
		if (rule_add(&a, &list, &r, &err) < 0)
			give_up(&err);
	}
	if (egress_build(&list, offline, &table, &table_n, &err) < 0)
		give_up(&err);
	blob_put_str(&b, PACK_NAME, "test");
	blob_put_str(&b, PACK_FILE, "test.yaml");
	blob_put(&b, PACK_EGRESS, table, table_n);
	blob_put(&b, PACK_SECCOMP, "\0\0\0\0\0\0\0", 8);
	blob_put(&b, PACK_NFT, "x", 1);
	blob_put(&b, PACK_RTNL, "x", 1);
	struct pack_head h = {.magic = PACK_MAGIC,
		.format = PACK_FORMAT,
		.head_len = sizeof(h),
		.payload = digest_of(b.data, b.n),
		.payload_len = b.n};
	memcpy(h.magic, PACK_MAGIC, sizeof(h.magic));
	snprintf(h.version, sizeof(h.version), "%s", PACKAGE_VERSION);
	char *all = malloc(sizeof(h) + b.n);
	memcpy(all, &h, sizeof(h));
	memcpy(all + sizeof(h), b.data, b.n);
	int fd = fd_memfd_sealed("pack", all, sizeof(h) + b.n, &err);
	if (fd < 0)
		give_up(&err);
	free(all);
	free(table);
	blob_free(&b);
	arena_free(&a);
	return fd;
}
