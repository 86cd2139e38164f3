/* seed/standing.c - see standing.h
 *
 * Short, as it costs the model's attention with every request.  What a denial looks like is said in
 * the words that curl and the relay use, so that the model takes it for what it is and does not try
 * again.
 */
#include "seed/standing.h"

#include "base/escape.h"

static const char mark[] = "<!-- bawn: this sandbox -->";

static const char words[] =
	"%s\n"
	"# You work in a sandbox\n"
	"\n"
	"This machine is a bawn sandbox named %s, made for you; nobody has to approve what you do "
	"in it.\n"
	"Only the workspace %s is the user's own: what you change there stays. The home\n"
	"directory is the sandbox's, with copies of some of the user's settings.\n"
	"\n"
	"- Only allowed hosts can be reached. A denied one answers at once: HTTP status 403 with a "
	"line\n"
	"  \"bawn: HOST:PORT is refused\", on TLS the alert \"access denied\", else a reset or "
	"refused\n"
	"  connection. Don't try again and don't look for a way around it: `bawn-why HOST:PORT` "
	"tells "
	"the\n"
	"  reason and the command by which the user can allow it from outside (bawn policy allow "
	"HOST\n"
	"  --sandbox %s). Give them that.\n"
	"- Files that may hold secrets (.env, keys) read as empty. Git hooks, git configuration "
	"that runs\n"
	"  programs, and editor tasks can't be changed, or are held back at the end.\n"
	"%s"
	"- The bawn command does not work in here.\n";

static const char of_host[] =
	"- There is no sudo, no container engine, no ssh agent, none of the user's other files, "
	"and the system\n"
	"  directories are read-only: install what you need below the home or in the workspace.\n";

static const char of_template[] =
	"- The whole system is the sandbox's own: install what you need with sudo, which asks for "
	"no "
	"password;\n"
	"  it stays. There is no container engine, no ssh agent, none of the user's other files.\n";

/* All of it, as one text. */
static char *text_of(
	struct seed_copy *c, const struct seed_request *rq, const struct seed_spec *spec)
{
	char name[256], workspace[1024];
	escape_text(name, sizeof(name), rq->sandbox);
	escape_text(
		workspace, sizeof(workspace), rq->workspace ? rq->workspace : "(there is none)");
	char *s = arena_printf(
		c->a, words, mark, name, workspace, name, rq->image ? of_template : of_host);
	for (size_t i = 0; s && i < spec->instructions.n; i++) {
		const char *own = spec->instructions.v[i];
		size_t n = strlen(own);
		while (n && own[n - 1] == '\n')
			n--;
		s = arena_printf(c->a, "%s\n%.*s\n", s, (int)n, own);
	}
	return s;
}

int seed_standing(struct seed_copy *c, const struct seed_request *rq, const struct seed_spec *spec,
	struct err *err)
{
	const struct strv *files = &spec->instructions_file;
	const char *rel = NULL;
	char *before = NULL;
	if (!files->n)
		return 0;
	for (size_t i = 0; i < files->n && !before; i++) {
		rel = files->v[i] + 2;
		if (!seed_exists(c, rel))
			continue;
		ssize_t n = seed_read_back(c, rel, &before, err);
		if (n < 0)
			return (int)n;
		if (strstr(before, mark))
			return 0; /* a home that is not new */
	}
	char *text = text_of(c, rq, spec);
	if (text && before && *before)
		text = arena_printf(c->a, "%s\n\n%s", before, text);
	if (text && rq->words && *rq->words)
		text = arena_printf(c->a, "%s\n\n%s", rq->words, text);
	if (!text)
		return err_set(err, ENOMEM, "out of memory");
	return seed_write(c, rel, text, strlen(text), false, err);
}
