/* tests/fuzz/fuzz-vault-msg.c - what comes from a process that has been taken over: frames of a
 * link, a configuration, the supervisor's message.
 */
#include <stdlib.h>
#include <string.h>

#include "vault/config.h"
#include "vault/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void frames(const uint8_t *data, size_t n)
{
	struct link l = {0};
	struct link_frame f;
	size_t sum = 0;
	buf_add(&l.in, data, n);
	while (link_next(&l, &f) > 0) {
		if (f.n > LINK_FRAME_MAX || f.p + f.n > buf_data(&l.in) + l.in.n)
			abort();
		for (size_t i = 0; i < f.n; i++)
			sum += (unsigned char)f.p[i];
		link_eat(&l, &f);
	}
	if (sum > (size_t)255 * n)
		abort();
	link_free(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct vault_config c;
	static struct h1_head h;
	struct vault_flow_msg m = {0};
	struct err err;
	struct buf b = {0};
	bool again, any;
	frames(data, n);
	memcpy(&m, data, MIN(n, sizeof(m)));
	if (link_flow_ok(&m, n) && strlen(m.name) > HOST_NAME_MAX_LEN)
		abort();
	/* records are read in place, so their start is aligned as a mapping's is */
	char *config = malloc(n ? n : 1);
	if (!config)
		return 0;
	memcpy(config, data, n);
	if (config_read(&c, config, n, &err) == 0) {
		static const char s[] = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
		if (h1_request(s, sizeof(s) - 1, &h) <= 0)
			abort();
		config_inject(&c, &h, "a.example", 443, &b, &any, &again);
		buf_free(&b);
		config_trailers_ok(&c, "a.example", 443, (struct http_span){(const char *)data, n});
	}
	config_erase(&c);
	free(config);
	return 0;
}
