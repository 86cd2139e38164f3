/* cli/cmd-policy-ask.c - bawn policy pending | answer: connections that --ask holds, for a person
 * in another terminal or for a script.
 */
#include <inttypes.h>

#include "base/escape.h"
#include "cli/command.h"
#include "cli/policy-live.h"
#include "cli/questions.h"
#include "cli/verb.h"
#include "run/lasting.h"
#include "run/live.h"

enum { OPT_JSON };

static int option(void *ctx, int id, const char *value, struct err *err)
{
	(void)id, (void)value, (void)err;
	*(bool *)ctx = true;
	return 0;
}

/* ---- pending ---- */

static void print_json(const struct questions *all)
{
	struct json_out j = {.pretty = true};
	json_begin(&j, NULL, '[');
	for (size_t i = 0; i < all->n; i++)
		questions_json(&j, &all->v[i]);
	json_end(&j, ']');
	puts(j.failed ? "[]" : j.buf);
	json_free(&j);
}

static void print_table(const struct questions *all)
{
	char shown[400], box[200];
	int width = 2;
	for (size_t i = 0; i < all->n; i++)
		width = MAX(width,
			snprintf(shown, sizeof(shown), "%s:%" PRIu32, all->v[i].box, all->v[i].id));
	if (all->n)
		printf("%-*s  %4s  %s\n", width, "ID", "LEFT", "TARGET");
	for (size_t i = 0; i < all->n; i++) {
		const struct question *q = &all->v[i];
		snprintf(box, sizeof(box), "%s:%" PRIu32, q->box, q->id);
		printf("%-*s  %3" PRId64 "s  %s\n", width, box, (q->left_ms + 999) / 1000,
			escape_text(shown, sizeof(shown), q->target));
	}
}

static int pending(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	static struct questions all;
	char shown[200];
	int code = 0, k = 0;
	for (int i = 0; i < n; i++) /* a path is no name of a sandbox */
		if (strchr(word[i], '/') || word[i][0] == '.')
			return lasting_unknown(r, word[i], err);
	k = questions_list(r, n ? word[0] : NULL, &all, err);
	if (k < 0)
		return k;
	if (*(bool *)ctx)
		print_json(&all);
	else
		print_table(&all);
	for (size_t i = 0; i < all.n_silent; i++) {
		struct err failed = {0};
		err_set(&failed, ETIMEDOUT, "the supervisor of %s does not answer",
			escape_text(shown, sizeof(shown), all.silent[i]));
		code = verb_failed(&failed);
	}
	return code;
}

static const struct option_row pending_rows[] = {
	{"json", 0, NULL, "print JSON", OPT_JSON}, VERB_HELP_ROW, {0}};

int cmd_policy_pending(int argc, char **argv)
{
	static const struct verb v = {.usage = "policy pending [--json] [NAME]",
		.help = "List the connections that wait for an answer, as run --ask has them: of "
			"sandbox NAME\nor of all, runs with --rm too.",
		.examples = "  bawn policy pending\n  bawn policy pending --json\n",
		.rows = pending_rows,
		.ends = true,
		.option = option,
		.max = 1,
		.run = pending};
	bool json = false;
	struct run r;
	return verb_main(&v, &r, &json, argc, argv);
}

/* ---- answer ---- */

static int parse_answer(const char *word, enum session_answer *ret, struct err *err)
{
	static const char *const words[] = {[SESSION_ANSWER_ONCE] = "once",
		[SESSION_ANSWER_SANDBOX] = "sandbox",
		[SESSION_ANSWER_ALWAYS] = "always",
		[SESSION_ANSWER_DENY] = "deny"};
	char shown[80];
	for (size_t i = SESSION_ANSWER_ONCE; i < ARRAY_LEN(words); i++)
		if (streq(words[i], word)) {
			*ret = (enum session_answer)i;
			return 0;
		}
	err_hint(err, "once: until it stops; sandbox: kept with it; always: for all; deny");
	return err_set(err, EINVAL, "'%s' is no answer", escape_text(shown, sizeof(shown), word));
}

/* BOX:NUMBER */
static int parse_id(const char *word, char box[80], uint32_t *ret, struct err *err)
{
	const char *colon = strrchr(word, ':');
	char shown[120], *end = NULL;
	unsigned long n = colon ? strtoul(colon + 1, &end, 10) : 0;
	size_t len = colon ? (size_t)(colon - word) : 0;
	if (!colon || n == 0 || n > INT32_MAX || *end || len == 0 || len >= 80 ||
		memchr(word, '/', len) || word[0] == '.') {
		err_hint(err, "what is asked now: bawn policy pending");
		return err_set(err, EINVAL, "'%s' is no question's ID",
			escape_text(shown, sizeof(shown), word));
	}
	memcpy(box, word, len);
	box[len] = '\0';
	*ret = (uint32_t)n;
	return 0;
}

static int find(struct run *r, const char *word, struct question *ret, struct err *err)
{
	static struct questions all;
	char box[80], shown[120];
	uint32_t id = 0;
	int k = parse_id(word, box, &id, err);
	if (k == 0)
		k = questions_list(r, box, &all, err);
	if (k < 0)
		return k;
	for (size_t i = 0; i < all.n; i++)
		if (all.v[i].id == id) {
			*ret = all.v[i];
			return 0;
		}
	err_hint(err, "what is asked now: bawn policy pending");
	return err_set(err, ENOENT, "question %s is not there (any more)",
		escape_text(shown, sizeof(shown), word));
}

/* For the log: where the answer came from. */
static void say_who(char *dst, size_t cap)
{
	char tty[64];
	for (int fd = 0; fd < 3; fd++)
		if (ttyname_r(fd, tty, sizeof(tty)) == 0) {
			snprintf(dst, cap, "%s", tty);
			return;
		}
	snprintf(dst, cap, "process %d", (int)getppid());
}

static int answer(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	enum session_answer what = SESSION_ANSWER_DENY;
	struct question q;
	char who[96];
	(void)ctx, (void)n;
	int k = parse_answer(word[1], &what, err);
	if (k == 0)
		k = find(r, word[0], &q, err);
	if (k < 0)
		return k;
	say_who(who, sizeof(who));
	k = questions_answer(r, &q, what, who, err);
	if (k == 0 && what == SESSION_ANSWER_ALWAYS)
		k = policy_live_all(r, SESSION_ALLOW, q.target, err);
	return k;
}

int cmd_policy_answer(int argc, char **argv)
{
	static const struct verb v = {.usage = "policy answer ID once|sandbox|always|deny",
		.help = "Answer a question that bawn policy pending lists: let it through until "
			"the sandbox stops,\nfor this sandbox, for all, or not at all.",
		.examples = "  bawn policy answer claude-project:1 once\n",
		.rows = verb_no_rows,
		.min = 2,
		.max = 2,
		.what = "which question, and what",
		.ends = true,
		.run = answer};
	struct run r;
	return verb_main(&v, &r, NULL, argc, argv);
}
