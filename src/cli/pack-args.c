/* cli/pack-args.c - see pack-args.h */
#include "cli/pack-args.h"

#include "base/escape.h"
#include "base/path.h"

static int add_host_port(struct pack_args *p, const char *value, struct err *err)
{
	char *end, shown[64];
	unsigned long port = strtoul(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end || port == 0 || port > 65535)
		return err_set(err, EINVAL, "--host-port: \"%s\" is not a port number",
			escape_text(shown, sizeof(shown), value));
	if (p->req.n_host_ports == ARRAY_LEN(p->host_ports))
		return err_set(
			err, E2BIG, "--host-port: more than %zu ports", ARRAY_LEN(p->host_ports));
	p->host_ports[p->req.n_host_ports++] = (uint16_t)port;
	return 0;
}

int pack_args_take(struct pack_args *p, int opt, char *value, struct err *err)
{
	int r = 0;
	switch (opt) {
	case PACK_ARG_POLICY:
		r = strv_push(p->a, &p->policies, path_of_word(p->a, value));
		break;
	case PACK_ARG_BESIDE:
		r = strv_push(p->a, &p->beside, value);
		break;
	case PACK_ARG_NO_POLICY:
		p->no_policy = true;
		break;
	case PACK_ARG_ALLOW:
		r = strv_push(p->a, &p->allow, value);
		break;
	case PACK_ARG_DENY:
		r = strv_push(p->a, &p->deny, value);
		break;
	case PACK_ARG_PRIVATE:
		r = strv_push(p->a, &p->allow_private, value);
		break;
	case PACK_ARG_SYSCALLS:
		p->req.syscalls = value;
		break;
	case PACK_ARG_HOST_PORT:
		return add_host_port(p, value, err);
	case PACK_ARG_OFFLINE:
		p->req.offline = true;
		break;
	case PACK_ARG_LEARN:
		p->req.learn = true;
		break;
	default:
		return err_set(err, EINVAL, "unknown option");
	}
	return r < 0 ? err_set(err, ENOMEM, "out of memory") : 0;
}

void pack_args_finish(struct pack_args *p)
{
	static const char *const none[] = {NULL};
	struct pack_request *q = &p->req;
	q->beside = (const char *const *)p->beside.v;
	q->n_beside = p->beside.n;
	q->policies = (const char *const *)p->policies.v;
	q->n_policies = p->policies.n;
	if (p->no_policy && !q->policies)
		q->policies = none;
	q->allow = (const char *const *)p->allow.v;
	q->n_allow = p->allow.n;
	q->deny = (const char *const *)p->deny.v;
	q->n_deny = p->deny.n;
	q->allow_private = (const char *const *)p->allow_private.v;
	q->n_allow_private = p->allow_private.n;
	q->host_ports = p->host_ports;
}
