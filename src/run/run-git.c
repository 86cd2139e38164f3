/* run/run-git.c - git's own settings as the inside has them; see run.h.
 *
 * Theory: what the user's settings say of signing is left out of the copy that comes along, as the
 * key stays outside; what the repository's own say stands above that, and each commit would fail.
 * So the private copy of such a file ends with the opposite, and so does what it is compared with
 * at the end: nothing of that is taken back.
 */
#include "run/run.h"

/* The empty line ends a last one that goes on. */
static const char unsigned_settings[] =
	"\n\n[commit]\n\tgpgSign = false\n[tag]\n\tgpgSign = false\n"
	"\tforceSignAnnotated = false\n[push]\n\tgpgSign = false\n";

/* A look, not a reading: where it is said in a comment alone nothing is lost. */
static bool asks_to_sign(const char *text)
{
	return strcasestr(text, "gpgsign") || strcasestr(text, "forcesignannotated");
}

const char *run_git_unsigned(struct run *r, const char *text)
{
	static const char said[] = "commits are not signed inside: your signing key stays outside";
	if (!asks_to_sign(text))
		return text;
	if (!strv_has(&r->plan.notices, said))
		strv_add(&r->arena, &r->plan.notices, said);
	return arena_join(&r->arena, text, "", unsigned_settings);
}
