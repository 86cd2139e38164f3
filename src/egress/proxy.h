/* egress/proxy.h - HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the host, as curl reads them.  Pure.
 */
#ifndef BAWN_EGRESS_PROXY_H
#define BAWN_EGRESS_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct proxy {
	bool set;
	char host[256];
	uint16_t port;
	char auth[512];
	char bad[160]; /* why it can't be used; "" when it can */
};

void proxy_parse(const char *url, struct proxy *ret);
bool proxy_exempt(const char *no_proxy, const char *host, uint16_t port);

/* What stands in head[0..n) of a proxy's answer to CONNECT (RFC 9110 9.3.6): the length of a whole
 * head that grants it; 0, more must come; or -EPROTO, it is something else.  Of that the first line
 * is in ret_line, cut to PROXY_LINE_MAX - 1 bytes, raw. */
#define PROXY_LINE_MAX 128
ssize_t proxy_answer(const char *head, size_t n, char ret_line[static PROXY_LINE_MAX]);

#endif
