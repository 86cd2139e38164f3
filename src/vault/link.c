/* vault/link.c - see link.h */
#include "vault/link.h"

#include <errno.h>

#include "policy/egress.h"

struct header {
	uint32_t n, kind;
};

enum { READ_STEP = 32768 };

bool link_flow_ok(const struct vault_flow_msg *m, size_t n)
{
	char canon[HOST_NAME_MAX_LEN + 1];
	if (n != sizeof(*m) || m->magic != VAULT_MAGIC || m->kind != VAULT_FLOW ||
		!memchr(m->name, '\0', sizeof(m->name)))
		return false;
	return host_canonical(m->name, strlen(m->name), canon) == 0 && streq(canon, m->name);
}

int link_put(struct link *l, enum link_kind kind, const void *data, size_t n)
{
	struct header h = {.n = (uint32_t)n, .kind = kind};
	if (n > LINK_FRAME_MAX)
		return -EMSGSIZE;
	if (!buf_room(&l->out, sizeof(h) + n))
		return -ENOMEM;
	buf_add(&l->out, &h, sizeof(h));
	return buf_add(&l->out, data, n);
}

ssize_t link_flush(struct link *l)
{
	if (l->out.n == 0)
		return 0;
	ssize_t n = wire_send(&l->wire, buf_data(&l->out), l->out.n);
	if (n < 0)
		return n == -EAGAIN ? 0 : n;
	buf_eat(&l->out, (size_t)n);
	return n;
}

ssize_t link_fill(struct link *l)
{
	static char scratch[READ_STEP];
	if (l->in.n >= sizeof(struct header) + LINK_FRAME_MAX)
		return 0;
	ssize_t n = wire_recv(&l->wire, scratch, sizeof(scratch));
	if (n < 0)
		return n == -EAGAIN ? 0 : n;
	int r = buf_add(&l->in, scratch, (size_t)n);
	explicit_bzero(scratch, (size_t)n);
	return r < 0 ? r : n;
}

int link_next(const struct link *l, struct link_frame *ret)
{
	struct header h;
	if (l->in.n < sizeof(h))
		return 0;
	memcpy(&h, buf_data(&l->in), sizeof(h));
	if (h.n > LINK_FRAME_MAX || h.kind < LINK_LEAF || h.kind > LINK_END)
		return -EBADMSG;
	if (l->in.n < sizeof(h) + h.n)
		return 0;
	*ret = (struct link_frame){.kind = h.kind, .n = h.n, .p = buf_data(&l->in) + sizeof(h)};
	return 1;
}

void link_eat(struct link *l, const struct link_frame *f)
{
	buf_eat(&l->in, sizeof(struct header) + f->n);
}

void link_free(struct link *l)
{
	buf_free(&l->in);
	buf_free(&l->out);
}
