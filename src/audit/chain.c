/* audit/chain.c - see chain.h */
#include "audit/chain.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/fd.h"

/* "bawn-audit-1 N SIZE FIRST... HASH SUM\n", filled up with spaces: SUM is of all before it, so
 * that half a record is known. */
enum { RECORD = 320 };

int chain_head_read(int fd, struct chain_head *ret)
{
	char buf[RECORD + 1], sum[SHA256_HEX + 1], want[SHA256_HEX + 1];
	struct chain_head h = {0};
	int at = 0, end = 0;
	ssize_t k = fd_pread_full(fd, buf, RECORD, 0);
	*ret = (struct chain_head){.hash = CHAIN_NONE};
	if (k <= 0)
		return (int)k;
	buf[k] = '\0';
	_Static_assert(AUDIT_FILES == 4, "as many as the format has");
	if (sscanf(buf,
		    "bawn-audit-1 %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		    " %" SCNu64 " %64[0-9a-f]%n %64[0-9a-f]%n",
		    &h.n, &h.size, &h.first[0], &h.first[1], &h.first[2], &h.first[3], h.hash, &at,
		    sum, &end) != 8 ||
		k != RECORD || end == 0 || !streq(sha256_hex(buf, (size_t)at, want), sum) ||
		strlen(h.hash) != SHA256_HEX)
		return -EBADMSG;
	*ret = h;
	return 1;
}

int chain_head_write(int fd, const struct chain_head *h)
{
	char buf[RECORD + 1], sum[SHA256_HEX + 1];
	int n = snprintf(buf, sizeof(buf),
		"bawn-audit-1 %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
		" %s",
		h->n, h->size, h->first[0], h->first[1], h->first[2], h->first[3], h->hash);
	sha256_hex(buf, (size_t)n, sum);
	snprintf(buf + n, sizeof(buf) - (size_t)n, " %-*s\n", RECORD - 2 - n, sum);
	ssize_t k;
	do
		k = pwrite(fd, buf, RECORD, 0);
	while (k < 0 && errno == EINTR);
	return k == RECORD ? 0 : k < 0 ? -errno : -ENOSPC;
}

bool chain_line(const char *line, size_t n, uint64_t *ret_n, char ret_prev[static SHA256_HEX + 1])
{
	static const char key[] = ",\"n\":", mid[] = ",\"prev\":\"";
	const size_t tail = sizeof(mid) - 1 + SHA256_HEX + 2; /* ,"prev":"..."} */
	if (n < tail + sizeof(key) || memcmp(line + n - 2, "\"}", 2) != 0)
		return false;
	const char *p = line + n - tail, *hex = p + sizeof(mid) - 1;
	if (memcmp(p, mid, sizeof(mid) - 1) != 0)
		return false;
	for (size_t i = 0; i < SHA256_HEX; i++)
		if (!memchr("0123456789abcdef", hex[i], 16))
			return false;
	uint64_t v = 0, ten = 1;
	size_t digits = 0;
	while (p > line && p[-1] >= '0' && p[-1] <= '9' && digits < 19) {
		v += ten * (uint64_t)(*--p - '0');
		ten *= 10;
		digits++;
	}
	if (digits == 0 || (size_t)(p - line) < sizeof(key) - 1 ||
		memcmp(p - (sizeof(key) - 1), key, sizeof(key) - 1) != 0)
		return false;
	*ret_n = v;
	memcpy(ret_prev, hex, SHA256_HEX);
	ret_prev[SHA256_HEX] = '\0';
	return true;
}

bool chain_file(char *dst, size_t cap, const char *path, unsigned int i)
{
	int n = i ? snprintf(dst, cap, "%s.%u", path, i) : snprintf(dst, cap, "%s", path);
	return n >= 0 && (size_t)n < cap;
}
