/* cli/cmd-diff.c - bawn diff: what a sandbox changed in its copy-on-write workspace */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/ioctl.h>

#include "base/escape.h"
#include "base/fd.h"
#include "run/changes.h"
#include "cli/command.h"
#include "cli/verb.h"

enum { OPT_STAT, OPT_NAMES, OPT_JSON };

struct asked {
	bool stat, names, json;
};

static int option(void *ctx, int id, const char *value, struct err *err)
{
	struct asked *o = ctx;
	(void)value;
	bool *flag = id == OPT_STAT ? &o->stat : id == OPT_NAMES ? &o->names : &o->json;
	*flag = true;
	return o->stat + o->names + o->json > 1
		? err_set(err, EINVAL, "one of --stat, --name-only and --json")
		: 0;
}

/* ---- --stat ---- */

static int columns(void)
{
	struct winsize ws = {0};
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 40 ? ws.ws_col : 80;
}

static const char *shown_path(const struct change_item *it, char *dst, size_t n)
{
	escape_text(dst, n, it->path);
	size_t len = strlen(dst);
	if ((it->type == CHANGE_DIR || (!it->type && it->old_type == CHANGE_DIR)) && len + 2 < n) {
		dst[len] = '/';
		dst[len + 1] = '\0';
	}
	return dst;
}

/* Directories that stand only because of what is in them tell nothing. */
static bool worth_a_line(const struct change_result *res, size_t i)
{
	const struct change_item *it = &res->v[i];
	bool dir = it->type == CHANGE_DIR || (!it->type && it->old_type == CHANGE_DIR);
	if (!dir || it->kind == CHANGE_MODE || it->kind == CHANGE_ODD)
		return true;
	size_t n = strlen(it->path);
	for (size_t k = i + 1; k < res->n && strncmp(res->v[k].path, it->path, n) == 0; k++)
		if (res->v[k].path[n] == '/')
			return false;
	return true;
}

static void print_amount(const struct change_item *it, uint64_t most, int room)
{
	if (it->kind == CHANGE_ODD || *it->detail) {
		printf("%s\n", *it->detail ? it->detail : "?");
	} else if (it->kind == CHANGE_MODE) {
		printf("mode %04o -> %04o\n", it->old_mode, it->mode);
	} else if (it->binary) {
		printf("Bin %" PRIu64 " -> %" PRIu64 " bytes\n", it->old_size, it->size);
	} else if (!it->counted) {
		printf("%s\n", changes_kind(it));
	} else {
		uint64_t all = it->added + it->removed;
		uint64_t width = all > (uint64_t)room && most ? MAX(all * (uint64_t)room / most, 1u)
							      : all;
		width = MIN(width, (uint64_t)room);
		uint64_t plus = all ? (it->added * width + all / 2) / all : 0;
		printf("%" PRIu64 " ", all);
		for (uint64_t i = 0; i < width; i++)
			putchar(i < plus ? '+' : '-');
		putchar('\n');
	}
}

static void print_stat(const struct change_result *res)
{
	char path[1024];
	uint64_t most = 0, added = 0, removed = 0;
	int width = 0, cols = columns();
	size_t lines = 0;
	for (size_t i = 0; i < res->n; i++) {
		if (!worth_a_line(res, i))
			continue;
		lines++;
		width = MAX(width, (int)strlen(shown_path(&res->v[i], path, sizeof(path))));
		added += res->v[i].added;
		removed += res->v[i].removed;
		most = MAX(most, res->v[i].added + res->v[i].removed);
	}
	width = MIN(width, cols * 2 / 3);
	for (size_t i = 0; i < res->n; i++) {
		if (!worth_a_line(res, i))
			continue;
		shown_path(&res->v[i], path, sizeof(path));
		int len = (int)strlen(path);
		printf(" %s%-*s | ", len > width ? "..." : "", width - (len > width ? 3 : 0),
			len > width ? path + len - width + 3 : path);
		print_amount(&res->v[i], most, MAX(cols - width - 16, 10));
	}
	if (lines)
		printf(" %zu changed, %" PRIu64 " lines added, %" PRIu64 " removed\n", lines, added,
			removed);
}

static void print_names(const struct change_result *res)
{
	char path[PATH_MAX * 4];
	for (size_t i = 0; i < res->n; i++)
		if (worth_a_line(res, i))
			puts(shown_path(&res->v[i], path, sizeof(path)));
}

/* ---- the patch ---- */

/* On a terminal, foreign bytes are escaped; newlines, tabs and backslashes are the patch's own. */
static int show_escaped(int fd)
{
	char buf[16384];
	size_t n = 0;
	for (;;) {
		ssize_t k = fd_read_full(fd, buf + n, sizeof(buf) - 1 - n);
		if (k < 0)
			return (int)k;
		n += (size_t)k;
		if (n == 0)
			return 0;
		/* whole lines, so that no character is cut, but for one that fills the buffer */
		size_t end = n;
		if (n == sizeof(buf) - 1)
			while (end && buf[end - 1] != '\n')
				end--;
		end = end ? end : n;
		for (size_t i = 0; i < end;) {
			char out[4 * sizeof(buf)];
			size_t len = 0;
			while (i + len < end && !strchr("\n\t\\", buf[i + len]))
				len++;
			char stop = i + len < end ? buf[i + len] : '\0';
			buf[i + len] = '\0';
			fputs(escape_text(out, sizeof(out), buf + i), stdout);
			if (stop)
				putchar(stop);
			i += len + (i + len < end);
		}
		memmove(buf, buf + end, n - end);
		n -= end;
		if (ferror(stdout))
			return -EPIPE;
	}
}

static int show_patch(struct run *r, struct changes *c, struct err *err)
{
	struct job job = JOB_NONE;
	int p[2];
	c->req.op = CHANGE_PATCH;
	if (!isatty(STDOUT_FILENO) || c->empty)
		return changes_run(r, c, STDOUT_FILENO, err);
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(err, errno, "pipe");
	int k = changes_start(r, c, p[1], &job, err);
	close(p[1]);
	if (k == 0)
		k = show_escaped(p[0]);
	close(p[0]);
	if (k == 0)
		k = change_collect(&job, &c->req, &r->arena, &c->res, err);
	job_end(&job, false);
	return k;
}

/* What a patch can't say. */
static void tell_rest(struct run *r, const struct changes *c)
{
	size_t git = 0, dirs = 0, modes = 0;
	char path[1024];
	for (size_t i = 0; i < c->res.n; i++) {
		const struct change_item *it = &c->res.v[i];
		if (has_prefix(it->path, ".git/"))
			git++;
		else if (*it->detail)
			run_message(r, "not shown: %s: %s",
				escape_text(path, sizeof(path), it->path), it->detail);
		else if (it->kind == CHANGE_MODE && !((it->mode ^ it->old_mode) & 0100))
			modes++;
		else if (it->type == CHANGE_DIR && it->kind == CHANGE_ADDED &&
			worth_a_line(&c->res, i))
			dirs++;
	}
	if (git)
		run_message(r, "%zu changes in .git are not shown: bawn diff --stat %s .git", git,
			r->spec.name);
	if (modes)
		run_message(
			r, "%zu changes of mode can't be said in a patch (--stat has them)", modes);
	if (dirs)
		run_message(r, "%zu empty directories can't be said in a patch (--stat has them)",
			dirs);
}

static int diff(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	const struct asked *o = ctx;
	struct changes c = CHANGES_NONE;
	int k = changes_open(r, word[0], word + 1, n - 1, false, &c, err);
	c.req.lines = o->stat || o->json;
	c.req.op = CHANGE_LIST;
	if (k == 0)
		k = o->stat || o->names || o->json ? changes_run(r, &c, -1, err)
						   : show_patch(r, &c, err);
	if (k == 0 && o->json)
		changes_json(&c.res, false);
	else if (k == 0 && o->stat)
		print_stat(&c.res);
	else if (k == 0 && o->names)
		print_names(&c.res);
	else if (k == 0)
		tell_rest(r, &c);
	changes_close(&c);
	return k == -EPIPE && !err->code ? 0 : MIN(k, 0);
}

static const struct option_row rows[] = {
	{"stat", 0, NULL, "how much changed in each file", OPT_STAT},
	{"name-only", 0, NULL, "the names alone", OPT_NAMES},
	{"json", 0, NULL, "print JSON", OPT_JSON}, VERB_HELP_ROW, {0}};

int cmd_diff(int argc, char **argv)
{
	static const struct verb v = {.usage = "diff [OPTIONS] NAME [PATH...]",
		.help = "Show what a sandbox changed in its workspace, as a patch\n"
			"that `git apply` takes.",
		.examples = "  bawn diff --stat claude-project\n"
			    "  bawn diff claude-project src | git apply\n",
		.rows = rows,
		.option = option,
		.min = 1,
		.max = -1,
		.what = "which sandbox",
		.ends = true,
		.run = diff};
	struct asked o = {0};
	struct run r;
	return verb_main(&v, &r, &o, argc, argv);
}
