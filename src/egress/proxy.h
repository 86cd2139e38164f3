/* egress/proxy.h - HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the host, as curl reads them.  Pure.
 */
#ifndef BAWN_EGRESS_PROXY_H
#define BAWN_EGRESS_PROXY_H

#include <stdbool.h>
#include <stdint.h>

struct proxy {
	bool set;
	char host[256];
	uint16_t port;
	char auth[512];
	char bad[160]; /* why it can't be used; "" when it can */
};

void proxy_parse(const char *url, struct proxy *ret);
bool proxy_exempt(const char *no_proxy, const char *host, uint16_t port);

#endif
