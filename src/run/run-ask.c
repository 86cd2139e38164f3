/* run/run-ask.c - the supervisor's part of --ask: questions listed for who may answer, answers.
 *
 * Owns: the words of the log for both.  Must not: show a question at the agent's terminal, where
 * what is drawn and what is typed is the agent's to imitate; the list goes over the control socket,
 * which is out of the sandbox's reach.
 */
#include <inttypes.h>

#include "run/live.h"

void run_on_asked(void *ctx, const struct dialer_question *q, enum dialer_asked what)
{
	static const char *const words[] = {[DIALER_ASKED] = "asked",
		[DIALER_NOT_ANSWERED] = "not answered in time",
		[DIALER_SAID_NO] = "denied",
		[DIALER_RULED] = "a rule counts now"};
	const struct audit_field f[] = {{.key = "target", .str = q->target},
		{.key = "action", .str = words[what]}, {.key = "question", .num = q->id},
		{.key = "count", .num = q->flows}};
	run_audit(ctx, "ask", f, ARRAY_LEN(f));
}

/* One line a question, from the nth on: its number, ms left, connections, name and port.  As many
 * as fit; answer->value: where to go on, 0: that was all. */
static void list(struct run *r, unsigned from, struct session_msg *answer)
{
	struct dialer *d = sandbox_dialer_live(r->sandbox);
	struct dialer_question q;
	size_t at = 0;
	for (unsigned i = from; dialer_question(d, i, &q); i++) {
		int n = snprintf(answer->text + at, sizeof(answer->text) - at,
			"%" PRIu32 " %" PRIu32 " %u %s\n", q.id, q.left_ms, q.flows, q.target);
		if (n < 0 || (size_t)n >= sizeof(answer->text) - at) {
			answer->text[at] = '\0';
			answer->value = (int32_t)i;
			return;
		}
		at += (size_t)n;
	}
}

static void note(struct run *r, const struct dialer_question *q, const char *action, const char *by)
{
	const struct audit_field f[] = {{.key = "target", .str = q->target},
		{.key = "action", .str = action}, {.key = "question", .num = q->id},
		{.key = "by", .str = by}};
	run_audit(r, "ask", f, ARRAY_LEN(f));
}

static int answer_question(
	struct run *r, const struct session_msg *m, const int *fds, size_t n_fds, struct err *err)
{
	static const char *const words[] = {[SESSION_ANSWER_ONCE] = "allow until it stops",
		[SESSION_ANSWER_SANDBOX] = "allow for this sandbox",
		[SESSION_ANSWER_ALWAYS] = "allow for all sandboxes",
		[SESSION_ANSWER_DENY] = "deny"};
	struct dialer *d = sandbox_dialer_live(r->sandbox);
	struct dialer_question q;
	if (m->value < SESSION_ANSWER_ONCE || m->value > SESSION_ANSWER_DENY || n_fds != 1)
		return err_set(err, EBADMSG, "a malformed request");
	if (dialer_question_find(d, (uint32_t)m->session, &q) < 0) {
		err_hint(err, "what is asked now: bawn policy pending");
		return err_set(err, ENOENT, "question %d is not there (any more)", m->session);
	}
	note(r, &q, words[m->value], m->text);
	if (m->value == SESSION_ANSWER_DENY)
		return dialer_question_refuse(d, q.id);
	if (m->value == SESSION_ANSWER_ALWAYS)
		return 0; /* the rule comes by user.yaml, as for the other sandboxes */
	char *rule = arena_printf(&r->arena, "%s:%u", q.name, q.port);
	if (!rule)
		return err_set(err, ENOMEM, "out of memory");
	return run_rule(r, SESSION_ALLOW, rule, m->value == SESSION_ANSWER_ONCE, fds[0], err);
}

int run_on_ask(struct run *r, const struct session_msg *m, const int *fds, size_t n_fds,
	struct session_msg *answer, struct err *err)
{
	if (m->kind == SESSION_ANSWER)
		return answer_question(r, m, fds, n_fds, err);
	list(r, m->value > 0 ? (unsigned)m->value : 0, answer);
	return 0;
}
