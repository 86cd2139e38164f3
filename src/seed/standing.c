/* seed/standing.c - see standing.h
 *
 * Short, as it costs the model's attention with every request.  What a denial looks like is said in
 * the words that curl and the relay use, so that the model takes it for what it is and does not try
 * again.
 */
#include "seed/standing.h"

#include "base/escape.h"

static const char mark[] = "<!-- bawn: this sandbox -->";
static const char mark_end[] = "<!-- bawn: end -->\n";

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
		c->a, words, mark, name, workspace, name, rq->below ? of_template : of_host);
	for (size_t i = 0; s && i < spec->instructions.n; i++) {
		const char *own = spec->instructions.v[i];
		size_t n = strlen(own);
		while (n && own[n - 1] == '\n')
			n--;
		s = arena_printf(c->a, "%s\n%.*s\n", s, (int)n, own);
	}
	return s ? arena_printf(c->a, "%s%s", s, mark_end) : NULL;
}

/* What the template tells the tool, in the first of its files that there is.  NULL: nothing. */
static char *words_below(struct seed_copy *c, const struct strv *files, const char **ret_rel)
{
	for (size_t i = 0; c->below && i < files->n; i++) {
		char *text;
		const char *rel = files->v[i] + 2;
		ssize_t n = seed_read_below(c, rel, SEED_FILE_MAX, &text);
		if (n == -ENOENT || n == -ENOTDIR)
			continue;
		*ret_rel = rel;
		if (n >= 0)
			return arena_dup(c->a, text);
		seed_say(c->report, SEED_NOTICE, "~/%s of the template does not count: %s", rel,
			n == -EFBIG ? "it is too large" : "it can't be read");
		return NULL;
	}
	return NULL;
}

/* A template that was saved from a sandbox may hold what that one was told. */
static void cut_old(char *text)
{
	char *from = strstr(text, mark), *to = from ? strstr(from, mark_end) : NULL;
	if (!from)
		return;
	if (to)
		memmove(from, to + strlen(mark_end), strlen(to + strlen(mark_end)) + 1);
	else
		*from = '\0';
}

/* text, and other behind it where there is any that it doesn't have already. */
static char *behind(struct arena *a, char *text, const char *other)
{
	const size_t n = text ? strspn(text, " \t\r\n") : 0;
	if (!text || !text[n] || strstr(other, text))
		return arena_dup(a, other);
	return strstr(text, other) ? text : arena_printf(a, "%s\n\n%s", text, other);
}

int seed_standing(struct seed_copy *c, const struct seed_request *rq, const struct seed_spec *spec,
	struct err *err)
{
	const struct strv *files = &spec->instructions_file;
	const char *rel = NULL, *rel_below = NULL;
	char *own = NULL;
	if (!files->n)
		return 0;
	for (size_t i = 0; i < files->n && !own; i++) {
		rel = files->v[i] + 2;
		if (!seed_exists(c, rel))
			continue;
		ssize_t n = seed_read_back(c, rel, &own, err);
		if (n < 0)
			return (int)n;
		if (strstr(own, mark))
			return 0; /* a home that is not new */
	}
	char *text = text_of(c, rq, spec), *theirs = words_below(c, files, &rel_below);
	/* Of several the tool reads the first. */
	for (size_t i = 0; rel_below && i < files->n; i++)
		if (streq(files->v[i] + 2, rel_below) || streq(files->v[i] + 2, rel)) {
			rel = files->v[i] + 2;
			break;
		}
	if (theirs)
		cut_old(theirs);
	if (text && own)
		theirs = behind(c->a, theirs, own);
	if (text)
		text = behind(c->a, theirs, text);
	if (!text)
		return err_set(err, ENOMEM, "out of memory");
	return seed_write(c, rel, text, strlen(text), false, err);
}
