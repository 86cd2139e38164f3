/* cli/cmd-ports.c - bawn ports: which ports of a sandbox the host can reach, and changing that */
#include "base/escape.h"
#include "base/json-out.h"
#include "cli/command.h"
#include "run/lasting.h"
#include "run/live.h"
#include "cli/verb.h"

enum { OPT_PUBLISH, OPT_UNPUBLISH, OPT_JSON };

struct asked {
	struct arena *a;
	struct strv add, remove; /* in full; HOST[:PORT] */
	bool json;
};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct asked *o = ctx;
	struct port_spec p;
	char text[80];
	uint16_t host, inside;
	int k;
	switch (id) {
	case OPT_PUBLISH:
		k = port_spec_parse(value, &p, err);
		return k < 0 ? k
			     : strv_add(o->a, &o->add, port_spec_format(&p, text, sizeof(text)));
	case OPT_UNPUBLISH:
		k = port_spec_parse_host(value, &host, &inside, err);
		return k < 0 ? k : strv_add(o->a, &o->remove, value);
	default:
		o->json = true;
		return 0;
	}
}

/* ---- while it runs ---- */

/* One line a port, in *ret. */
static int request(
	int sock, enum session_publish what, const char *text, char *ret, size_t n, struct err *err)
{
	static struct session_msg answer;
	struct session_msg m = {.kind = SESSION_PUBLISH, .value = (int32_t)what};
	snprintf(m.text, sizeof(m.text), "%s", text);
	int k = lasting_request(sock, &m, NULL, 0, &answer, err);
	if (k == 0)
		snprintf(ret, n, "%s", answer.text);
	return k;
}

static int change_running(int sock, const struct asked *o, struct err *err)
{
	char ignored[1280];
	int k = 0;
	for (size_t i = 0; i < o->remove.n && k == 0; i++)
		k = request(
			sock, SESSION_PORTS_REMOVE, o->remove.v[i], ignored, sizeof(ignored), err);
	for (size_t i = 0; i < o->add.n && k == 0; i++)
		k = request(sock, SESSION_PORTS_ADD, o->add.v[i], ignored, sizeof(ignored), err);
	return k;
}

/* ---- at rest ---- */

static int change_stopped(struct run *r, const struct asked *o, struct err *err)
{
	struct spec s = {0};
	int k = store_sandbox_find(&r->store, &r->arena, r->box.id, &s, err);
	for (size_t i = 0; i < o->remove.n && k == 0; i++)
		k = live_unpublish_spec(&s, o->remove.v[i], err);
	for (size_t i = 0; i < o->add.n && k == 0; i++)
		k = live_publish_spec(&r->arena, &s, o->add.v[i], err);
	return k < 0 ? k : store_sandbox_save(&r->box, &s, err);
}

/* ---- showing them ---- */

static void show_port(struct json_out *j, const char *line, bool running)
{
	struct port_spec p;
	struct err ignored = {0};
	char text[80], ip[64];
	if (port_spec_parse(line, &p, &ignored) < 0)
		return;
	if (!j) {
		printf("%s -> %u%s\n", port_spec_where(&p, text, sizeof(text)), p.inside,
			running ? "" : " (not running)");
		return;
	}
	host_addr_format(&p.ip, ip, sizeof(ip));
	json_begin(j, NULL, '{');
	json_str(j, "ip", ip);
	json_int(j, "host", p.host);
	json_int(j, "port", p.inside);
	json_bool(j, "listening", running);
	json_end(j, '}');
}

static void show(const struct asked *o, char *lines, const struct strv *spec)
{
	struct json_out j = {.pretty = true};
	if (o->json)
		json_begin(&j, NULL, '[');
	for (char *line; lines && (line = strsep(&lines, "\n"));)
		if (*line)
			show_port(o->json ? &j : NULL, line, true);
	for (size_t i = 0; spec && i < spec->n; i++)
		show_port(o->json ? &j : NULL, spec->v[i], false);
	if (o->json) {
		json_end(&j, ']');
		puts(j.failed ? "[]" : j.buf);
	}
	json_free(&j);
}

static int running(int sock, const struct asked *o, struct err *err)
{
	static char lines[1280];
	int k = change_running(sock, o, err);
	if (k == 0)
		k = request(sock, SESSION_PORTS_LIST, "", lines, sizeof(lines), err);
	if (k == 0)
		show(o, lines, NULL);
	return k;
}

static int stopped(struct run *r, const char *name, const struct asked *o, struct err *err)
{
	int k = 0;
	if (o->add.n || o->remove.n) {
		k = lasting_lock(r, name, err);
		if (k == 0)
			k = change_stopped(r, o, err);
	}
	if (k == 0)
		k = lasting_find_name(r, name, err);
	if (k == 0)
		show(o, NULL, &r->spec.publish);
	return k;
}

static int ports(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	const struct asked *o = ctx;
	(void)n;
	int k = lasting_find_name(r, word[0], err);
	if (k < 0)
		return k;
	_cleanup_close_ int sock = lasting_connect(r, word[0], err);
	k = sock < 0 ? sock : running(sock, o, err);
	if (k == -ESRCH && !err->code)
		k = stopped(r, word[0], o, err);
	for (size_t i = 0; k == 0 && i < o->add.n; i++) {
		struct port_spec p;
		char text[200];
		if (port_spec_parse(o->add.v[i], &p, err) == 0 && port_spec_is_public(&p))
			run_message(r, "%s", port_spec_describe(&p, text, sizeof(text)));
	}
	return k;
}

static const struct option_row rows[] = {
	{"publish", 'p', "[IP:]HOST:PORT", "let the host reach PORT inside at HOST (0: any free)",
		OPT_PUBLISH},
	{"unpublish", 0, "HOST[:PORT]", "no more; its connections end", OPT_UNPUBLISH},
	{"json", 0, NULL, "print JSON", OPT_JSON}, VERB_HELP_ROW, {0}};

int cmd_ports(int argc, char **argv)
{
	static const struct verb v = {
		.usage = "ports NAME [--publish [IP:]HOST:PORT] [--unpublish HOST[:PORT]]",
		.help = "Show the published ports of a sandbox, or change them: at once where it "
			"runs,\n"
			"and for its next starts.  Without IP they are the host's loopback's "
			"alone.",
		.examples = "  bawn ports claude-project\n"
			    "  bawn ports claude-project --publish 8080:80\n"
			    "  bawn ports claude-project --unpublish 8080\n",
		.rows = rows,
		.option = option,
		.min = 1,
		.max = 1,
		.what = "which sandbox",
		.ends = true,
		.run = ports};
	struct arena a = {0};
	struct asked o = {.a = &a};
	struct run r;
	int code = verb_main(&v, &r, &o, argc, argv);
	arena_free(&a);
	return code;
}
