/* cli/cmd-ls.c - bawn ls, bawn inspect: the sandboxes there are, and one in detail */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "base/escape.h"
#include "base/json-out.h"
#include "cli/command.h"
#include "run/lasting.h"
#include "cli/verb.h"

enum { OPT_QUIET, OPT_JSON };

struct asked {
	bool quiet, json;
};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct asked *o = ctx;
	(void)value;
	(void)err;
	if (id == OPT_QUIET)
		o->quiet = true;
	else
		o->json = true;
	return 0;
}

struct row {
	struct spec spec;
	struct err broken; /* its spec can't be read */
	bool running;
	int sessions;
	int64_t used;
	char *dir;
};

#define PATIENCE_MS 1000

/* What its supervisor says runs in it.  One that is silent (stopped, say) keeps no list back. */
static int count_sessions(struct run *r, const char *name)
{
	struct err err = {0};
	static struct session_msg answer;
	struct session_msg m = {.kind = SESSION_STATUS};
	const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	_cleanup_close_ int dir = open(path_join(&r->arena, r->store.sandboxes, name),
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int sock = dir < 0 ? -1 : session_connect_within(dir, PATIENCE_MS, &err);
	if (sock >= 0)
		setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (sock < 0 || lasting_request(sock, &m, NULL, 0, &answer, &err) < 0)
		return 0;
	return answer.value;
}

static void look(struct run *r, const char *name, struct row *row)
{
	struct stat st;
	*row = (struct row){.dir = path_join(&r->arena, r->store.sandboxes, name)};
	if (store_sandbox_find(&r->store, &r->arena, name, &row->spec, &row->broken) < 0)
		row->spec = (struct spec){.name = arena_dup(&r->arena, name)};
	row->running = lasting_running(r, name);
	row->sessions = row->running ? count_sessions(r, name) : 0;
	char *lock = path_join(&r->arena, row->dir, "lock");
	row->used = lock && stat(lock, &st) == 0 ? st.st_mtime : row->spec.created;
}

static const char *status(const struct row *row)
{
	return row->broken.code ? "broken" : row->running ? "running" : "stopped";
}

static void put_list(struct json_out *j, const char *key, const struct strv *v)
{
	json_begin(j, key, '[');
	for (size_t i = 0; i < v->n; i++)
		json_str(j, NULL, v->v[i]);
	json_end(j, ']');
}

/* What both ls and inspect begin with. */
static void begin(struct json_out *j, const struct row *row)
{
	json_begin(j, NULL, '{');
	json_str(j, "name", row->spec.name);
	json_str(j, "status", status(row));
	if (row->broken.code)
		json_str(j, "error", row->broken.msg);
}

static void put_row(struct json_out *j, const struct row *row)
{
	const struct spec *s = &row->spec;
	begin(j, row);
	json_str(j, "profile", s->profile);
	json_str(j, "workspace", s->workspace);
	json_str(j, "mode", s->mode);
	json_str(j, "template", s->template);
	json_int(j, "sessions", row->sessions);
	json_int(j, "created", s->created);
	json_int(j, "used", row->used);
	json_end(j, '}');
}

/* "5 min", "3 h", "12 days": how long ago. */
static const char *ago(int64_t then, char *dst, size_t n)
{
	int64_t s = (int64_t)time(NULL) - then;
	const char *unit = s < 120 ? "s" : s < 7200 ? "min" : s < 172800 ? "h" : "days";
	int64_t per = s < 120 ? 1 : s < 7200 ? 60 : s < 172800 ? 3600 : 86400;
	snprintf(dst, n, "%" PRId64 " %s", s < 0 ? 0 : s / per, unit);
	return dst;
}

static void print_row(const struct row *row, int width)
{
	const struct spec *s = &row->spec;
	char when[32], where[512], state[32];
	if (row->running && row->sessions > 1)
		snprintf(state, sizeof(state), "running (%d)", row->sessions);
	else
		snprintf(state, sizeof(state), "%s", status(row));
	printf("%-*s  %-12s  %-10s  %-6s  %-8s  %s\n", width, s->name, state,
		s->profile ? path_base(s->profile) : "-", s->mode ? s->mode : "-",
		ago(row->used, when, sizeof(when)),
		s->workspace ? escape_text(where, sizeof(where), s->workspace) : "-");
}

static int ls(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	const struct asked *o = ctx;
	struct strv names = {0};
	(void)word, (void)n;
	int width = 4, k = store_sandbox_list(&r->store, &r->arena, &names, err);
	if (k < 0)
		return k;
	for (size_t i = 0; i < names.n; i++)
		width = MAX(width, (int)strlen(names.v[i]));
	struct json_out j = {.pretty = true};
	if (o->json)
		json_begin(&j, NULL, '[');
	else if (!o->quiet && names.n)
		printf("%-*s  %-12s  %-10s  %-6s  %-8s  %s\n", width, "NAME", "STATUS", "PROFILE",
			"MODE", "USED", "WORKSPACE");
	for (size_t i = 0; i < names.n; i++) {
		struct row row;
		if (o->quiet) {
			puts(names.v[i]);
			continue;
		}
		look(r, names.v[i], &row);
		if (o->json)
			put_row(&j, &row);
		else
			print_row(&row, width);
	}
	if (o->json) {
		json_end(&j, ']');
		puts(j.failed ? "[]" : j.buf);
	}
	json_free(&j);
	return 0;
}

static const struct option_row ls_rows[] = {
	{"quiet", 'q', NULL, "print the names alone", OPT_QUIET},
	{"json", 0, NULL, "print JSON", OPT_JSON}, VERB_HELP_ROW, {0}};

int cmd_ls(int argc, char **argv)
{
	static const struct verb v = {.usage = "ls [-q|--json]",
		.help = "List the sandboxes that last.",
		.examples = "  bawn ls\n  bawn ls --json\n",
		.rows = ls_rows,
		.ends = true,
		.option = option,
		.max = 0,
		.run = ls};
	struct asked o = {0};
	struct run r;
	return verb_main(&v, &r, &o, argc, argv);
}

/* ---- inspect ---- */

static void put_details(struct json_out *j, const struct row *row)
{
	const struct spec *s = &row->spec;
	begin(j, row);
	json_int(j, "sessions", row->sessions);
	json_int(j, "created", s->created);
	json_int(j, "used", row->used);
	json_str(j, "directory", row->dir);
	json_str(j, "profile", s->profile);
	put_list(j, "entered", &s->profiles);
	json_str(j, "template", s->template);
	json_str(j, "digest", s->digest);
	json_str(j, "mode", s->mode);
	json_str(j, "workspace", s->workspace);
	json_str(j, "branch", s->branch);
	const struct {
		const char *key;
		const struct strv *list;
	} lists[] = {{"paths", &s->paths}, {"allow", &s->allow}, {"deny", &s->deny},
		{"allow_private", &s->allow_private}, {"policy", &s->policy}, {"mask", &s->mask},
		{"allow_exec", &s->allow_exec}, {"expose_key", &s->expose_key},
		{"host_ports", &s->host_port}, {"connect_to", &s->connect_to},
		{"degraded", &s->degraded}, {"publish", &s->publish}, {"layers", &s->layers},
		{"checkpoints", &s->tags}};
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		put_list(j, lists[i].key, lists[i].list);
	json_bool(j, "offline", s->offline);
	json_bool(j, "no_login", s->no_login);
	json_bool(j, "bare_home", s->bare_home);
	json_bool(j, "clipboard", s->clipboard);
	json_int(j, "ask", (int64_t)s->ask);
	json_int(j, "pids", (int64_t)s->pids);
	json_int(j, "memory", (int64_t)s->memory);
	json_int(j, "cpus_milli", (int64_t)s->cpus);
	json_end(j, '}');
}

static int inspect(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	int code = 0;
	struct json_out j = {.pretty = true};
	(void)ctx, (void)err;
	json_begin(&j, NULL, '[');
	for (int i = 0; i < n; i++) {
		struct row row;
		struct err failed = {0};
		look(r, word[i], &row);
		if (!row.spec.profile && !row.broken.code) {
			lasting_unknown(r, word[i], &failed);
			code = verb_failed(&failed);
			continue;
		}
		put_details(&j, &row);
	}
	json_end(&j, ']');
	puts(j.failed ? "[]" : j.buf);
	json_free(&j);
	return code;
}

int cmd_inspect(int argc, char **argv)
{
	static const struct verb v = {.usage = "inspect NAME...",
		.help = "Show all that is known of sandboxes, as JSON.",
		.examples = "  bawn inspect claude-project\n",
		.rows = verb_no_rows,
		.ends = true,
		.min = 1,
		.max = -1,
		.what = "which sandbox",
		.run = inspect};
	struct run r;
	return verb_main(&v, &r, NULL, argc, argv);
}
