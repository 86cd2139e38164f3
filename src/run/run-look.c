/* run/run-look.c - the supervisor's part of bawn monitor: open connections and denials, as lines.
 *
 * Owns: the form of these lines (sandbox/session.h).  Must not: change anything, nor let a text
 * from inside end a field: tabs and newlines are the form's.
 */
#include <inttypes.h>

#include "run/live.h"

/* dst += text without what would end a field, and what ends it here.  What doesn't fit in cap is
 * cut; the end always does (cap is one less than there is). */
static void put(char *dst, size_t cap, const char *text, char end)
{
	size_t n = strlen(dst);
	for (; *text && n + 1 < cap; text++)
		dst[n++] = (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text;
	dst[n] = end;
	dst[n + 1] = '\0';
}

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

static bool flow_line(struct dialer *d, unsigned i, char *dst, size_t cap)
{
	struct dialer_flow f;
	if (!dialer_flow(d, i, &f))
		return false;
	snprintf(dst, cap, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu16 " ", f.up, f.down, f.ms,
		f.from);
	put(dst, cap - 1, f.target, '\t');
	put(dst, cap - 1, f.rule, '\n');
	return true;
}

static bool denial_line(struct dialer *d, unsigned i, char *dst, size_t cap)
{
	struct dialer_denial x;
	if (!dialer_denial(d, i, &x))
		return false;
	/* half a command must not be pasted, nor one whose bytes are not what they seem */
	bool whole = !has_control(x.fix) && strlen(x.fix) < 600;
	snprintf(dst, cap, "%" PRIu64 "\t", x.count);
	put(dst, 340, x.target, '\t');
	put(dst, 640, x.reason, '\t');
	put(dst, cap - 1, whole ? x.fix : "", '\n');
	return true;
}

void run_on_look(struct run *r, const struct session_msg *m, struct session_msg *answer)
{
	struct dialer *d = sandbox_dialer_live(r->sandbox);
	bool flows = m->kind == SESSION_FLOWS, stale = false;
	unsigned i = m->value > 0 ? (unsigned)m->value : 0;
	char line[sizeof(answer->text)];
	size_t at = 0;
	if (flows && i == 0) {
		answer->session = (int32_t)dialer_flows(d, &stale);
		snprintf(answer->text, sizeof(answer->text), "%d\n", sandbox_init_pid(r->sandbox));
		at = strlen(answer->text);
	}
	answer->flags = stale ? SESSION_STALE : 0;
	for (; flows ? flow_line(d, i, line, sizeof(line)) : denial_line(d, i, line, sizeof(line));
		i++) {
		size_t n = strlen(line);
		if (at + n >= sizeof(answer->text)) {
			answer->value = (int32_t)i;
			return;
		}
		memcpy(answer->text + at, line, n + 1);
		at += n;
	}
}
