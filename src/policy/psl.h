/* policy/psl.h - public suffixes: names below which anybody can have a name.
 *
 * What the machine has of publicsuffix.org's list is read where it is there; it is some 10,000
 * lines that change every week, so bawn ships none of it and links no library for it.  Without the
 * file rule_suspicious() knows the suffixes that matter most.  Only warnings hang on this.
 */
#ifndef BAWN_POLICY_PSL_H
#define BAWN_POLICY_PSL_H

#include "base/arena.h"

struct psl {
	const char **v; /* lines, sorted */
	size_t n;
};

/* Where Debian and others put it. */
#define PSL_FILE "/usr/share/publicsuffix/public_suffix_list.dat"
#define PSL_MAX ((size_t)4 << 20)

/* An empty list where there is no such file, or no list in it. */
void psl_load(struct arena *a, const char *path, struct psl *ret);
/* text is changed, and must live as long as *ret.  0 or -ENOMEM. */
int psl_parse(struct arena *a, char *text, struct psl *ret);

/* Is name (canonical) itself such a suffix?  A name that no line tells of is none. */
bool psl_has(const struct psl *p, const char *name);

#endif
