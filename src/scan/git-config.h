/* scan/git-config.h - git config files (git-config(1), "Configuration file"), read as hostile text.
 *
 * Pure.  Stricter than git: what git would refuse or what two readers could read differently (a NUL
 * byte, a bad escape, a line before any section, an unclosed quote) is refused as a whole.
 */
#ifndef BAWN_SCAN_GIT_CONFIG_H
#define BAWN_SCAN_GIT_CONFIG_H

#include "base/arena.h"

#define GIT_CONFIG_MAX ((size_t)1 << 20)

struct git_config_entry {
	const char *key; /* "section.subsection.name": section and name in lower case */
	const char *section, *subsection, *name; /* subsection NULL when there is none */
	const char *value;                       /* NULL: "name" alone, which means true */
	size_t line;                             /* 1-based */
	size_t start, end; /* bytes of the text that make up the entry, with its newline */
};

struct git_config {
	struct git_config_entry *v;
	size_t n, cap;
};

/* n bytes of text.  -EINVAL with the line.  At most 5,000 entries. */
int git_config_parse(
	struct arena *a, const char *text, size_t n, struct git_config *ret, struct err *err);

/* May this setting come from inside?  Only keys of the allow-list whose value cannot name a
 * program, a file outside the repository or another transport. */
bool git_config_plain(const struct git_config_entry *e);

/* Does this setting of a .gitmodules run something, or write somewhere else than it says, when the
 * submodule is cloned or updated? */
bool git_config_module_runs(const struct git_config_entry *e);

/* Is this value of remote.*.url a directory to git, and no URL? */
bool git_config_is_path(const char *v);

/* What the agent changed from base to copy, put into real (the file as it is now).  *ret_text is
 * NULL when nothing changes.  Every changed key is in exactly one of *kept and *dropped ("key", as
 * in git config --get).  A copy that does not parse changes nothing: -EINVAL. */
struct git_config_text {
	const char *p;
	size_t n;
};
int git_config_merge(struct arena *a, struct git_config_text base, struct git_config_text copy,
	struct git_config_text real, struct git_config_text *ret_text, struct strv *kept,
	struct strv *dropped, struct err *err);

#endif
