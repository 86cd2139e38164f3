/* seed/imports.c - see imports.h */
#include "seed/imports.h"

#include <ctype.h>
#include <glob.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/path.h"
#include "seed/script.h"
#include "seed/secret.h"

/* ---- text ---- */

/* The length of a line's fence ("```", "~~~~"), or 0. */
static size_t fence(const char *line, size_t n, char *ret)
{
	size_t at = 0;
	while (at < n && at < 3 && line[at] == ' ')
		at++;
	size_t k = 0;
	while (at + k < n && (line[at] == '`' || line[at] == '~') && line[at + k] == line[at])
		k++;
	*ret = k ? line[at] : '\0';
	return k >= 3 ? k : 0;
}

/* Where the code span ends that begins at line[at], or at, if it is none. */
static size_t behind_span(const char *line, size_t n, size_t at)
{
	size_t ticks = 0;
	while (at + ticks < n && line[at + ticks] == '`')
		ticks++;
	for (size_t i = at + ticks; i < n;) {
		size_t k = 0;
		while (i + k < n && line[i + k] == '`')
			k++;
		if (k == ticks)
			return i + k;
		i += k ? k : 1;
	}
	return at + ticks;
}

static bool is_blank(char c)
{
	return c == '\0' || isspace((unsigned char)c);
}

static bool read_line(const char *line, size_t n, bool (*fn)(void *ud, const char *path), void *ud)
{
	char path[PATH_MAX];
	for (size_t i = 0; i < n;) {
		if (line[i] == '`') {
			i = behind_span(line, n, i);
			continue;
		}
		if (line[i] != '@' || (i && !is_blank(line[i - 1]))) {
			i++;
			continue;
		}
		size_t k = 0;
		for (i++; i < n && !is_blank(line[i]) && k < sizeof(path) - 1; i++) {
			if (line[i] == '\\' && i + 1 < n && line[i + 1] == ' ')
				i++;
			path[k++] = line[i];
		}
		path[k] = '\0';
		if (k && k < sizeof(path) - 1 && !fn(ud, path))
			return false;
	}
	return true;
}

void seed_imports_each(const char *text, size_t n, bool (*fn)(void *ud, const char *path), void *ud)
{
	char open = '\0', kind;
	size_t width = 0;
	for (const char *end = text + n; text < end;) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		const size_t len = nl ? (size_t)(nl - text) : (size_t)(end - text);
		const size_t k = fence(text, len, &kind);
		if (open) {
			if (kind == open && k >= width)
				open = '\0';
		} else if (k) {
			open = kind;
			width = k;
		} else if (!read_line(text, len, fn, ud)) {
			return;
		}
		text += len + (nl != NULL);
	}
}

/* ---- places ---- */

struct imports {
	struct seed_copy *c;
	const char *top;  /* the directory of the file that begins, where that is the user's word */
	struct strv done; /* places below the home that were looked at */
	bool full;
	int r;
	struct err *err;
};

struct importer {
	struct imports *all;
	const char *path, *rel; /* the file that imports: on the host, and below the home */
	const char *real;       /* where it is, links resolved */
	bool own; /* the user's word: of the tool's own directory, no link's, and no workspace's */
	int depth;
};

static bool is_file(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static void stays(struct importer *by, const char *import, const char *why)
{
	seed_say(by->all->c->report, SEED_LEFT, "~/%s: @%s: %s", by->rel, import, why);
}

static int follow(struct imports *all, const char *path, const char *rel, int depth);

/* One that is below the home, from the host's path to rel. */
static void bring(struct importer *by, const char *import, const char *path, const char *rel)
{
	struct imports *all = by->all;
	if (strv_has(&all->done, rel))
		return;
	if (all->done.n >= SEED_IMPORTS_MAX) {
		if (!all->full)
			stays(by, import, "too many imports: this one and the next stay outside");
		all->full = true;
		return;
	}
	strv_add(all->c->a, &all->done, rel);
	if (!seed_exists(all->c, rel)) {
		char *place = arena_printf(all->c->a, "~/%s", rel);
		if (secret_file_name(path_base(rel))) {
			seed_say(all->c->report, SEED_WITHHELD, "%s: its name", place);
			return;
		}
		all->r = seed_copy(all->c, path, rel, place, NULL, all->err);
	}
	if (all->r == 0)
		all->r = follow(all, path, rel, by->depth + 1);
}

/* Where the host has what is imported, and where the tool will look for it inside; false: no
 * memory, or it is none. */
static bool places(const struct importer *by, const char *import, char **ret_path, char **ret_there)
{
	struct seed_copy *c = by->all->c;
	const bool absolute = *import == '/' || has_prefix(import, "~/");
	if (!absolute && *import != '.' && *import != '_' && !isalnum((unsigned char)*import))
		return false;
	char *dir = path_parent(c->a, by->path);
	char *own = arena_printf(c->a, "%s/%s", c->home, by->rel);
	char *inside = own ? path_parent(c->a, own) : NULL;
	char *path = absolute ? path_expand_home(c->a, import, c->home)
			      : path_join(c->a, dir ? dir : "/", import);
	char *there = absolute ? path : path_join(c->a, inside ? inside : "/", import);
	*ret_path = path ? path_fold(c->a, path) : NULL;
	*ret_there = there ? path_fold(c->a, there) : NULL;
	return *ret_path && *ret_there;
}

/* May what is at path come along by this one's word?  Of the user's own, all that no link leads
 * elsewhere from; else only what lies beside the file, really. */
static bool may_bring(const struct importer *by, const char *path)
{
	struct arena *a = by->all->c->a;
	const char *real = path_real(a, path);
	if (GUARD_REMOVED("seed-imports"))
		return true;
	if (!real || !secret_text_name(real))
		return false;
	if (by->own && streq(real, path))
		return true;
	const char *beside = by->real ? path_parent(a, by->real) : NULL;
	return beside && path_within(real, beside);
}

static bool on_import(void *ud, const char *import)
{
	struct importer *by = ud;
	struct seed_copy *c = by->all->c;
	char *path, *there;
	/* most words behind an "@" are none: a name, a package, an address */
	if (!places(by, import, &path, &there) || !is_file(path))
		return true;
	const bool below = path_within(there, c->home);
	const char *rel = below ? there + strlen(c->home) + 1 : NULL;
	if (!(below && seed_exists(c, rel)) && seed_file_inside(c, there))
		return true;                                    /* mounted, or the template's */
	const bool secret = secret_file_name(path_base(there)); /* which is said as one */
	if (!below)
		stays(by, import, "it is not inside (a further PATH brings it)");
	else if (!secret && !secret_text_name(there))
		stays(by, import, "no text by its name (a further PATH brings it)");
	else if (!secret && !may_bring(by, path))
		stays(by, import, "imported by way of a link (a further PATH brings it)");
	else
		bring(by, import, path, rel);
	return by->all->r == 0;
}

static struct importer importer_of(
	struct imports *all, const char *path, const char *rel, int depth)
{
	struct seed_copy *c = all->c;
	const char *real = path_real(c->a, path);
	const bool plain = real && streq(real, path) &&
		!(c->workspace && path_within(real, c->workspace));
	if (depth == 1)
		all->top = plain ? path_parent(c->a, real) : NULL;
	return (struct importer){.all = all,
		.path = path,
		.rel = rel,
		.real = real,
		.own = plain && all->top && path_within(real, all->top),
		.depth = depth};
}

static int follow(struct imports *all, const char *path, const char *rel, int depth)
{
	char *text;
	ssize_t n = depth > SEED_IMPORTS_DEPTH ? 0 : seed_read_back(all->c, rel, &text, NULL);
	if (n <= 0)
		return 0;
	struct importer by = importer_of(all, path, rel, depth);
	seed_imports_each(text, (size_t)n, on_import, &by);
	return all->r;
}

int seed_imports(struct seed_copy *c, const char *path, const char *rel, struct err *err)
{
	struct imports all = {.c = c, .err = err};
	strv_add(c->a, &all.done, rel);
	return follow(&all, path, rel, 1);
}

/* ---- settings ---- */

/* The paths of "{file:PATH}" in value, one after the other; false: there is none left. */
static bool next_reference(const char **value, char path[static PATH_MAX])
{
	const char *s = *value;
	while ((s = strstr(s, "{file:"))) {
		s += strlen("{file:");
		const size_t n = strcspn(s, "}");
		*value = s;
		if (s[n] && n < PATH_MAX) {
			snprintf(path, PATH_MAX, "%.*s", (int)n, s);
			return true;
		}
	}
	return false;
}

static bool on_reference(void *ud, const char *value)
{
	char path[PATH_MAX];
	while (next_reference(&value, path))
		on_import(ud, path);
	return false;
}

/* A tool may not start at all where such a text isn't there. */
static bool is_lost(void *ud, const char *value)
{
	struct importer *by = ud;
	struct seed_copy *c = by->all->c;
	char path[PATH_MAX], *from, *there;
	while (next_reference(&value, path))
		if (!places(by, path, &from, &there) ||
			!(path_within(there, c->home) ? seed_has(c, there + strlen(c->home) + 1)
						      : seed_file_inside(c, there)))
			return true;
	return false;
}

static void on_lost(void *ud, const char *place)
{
	struct importer *by = ud;
	seed_say(by->all->c->report, SEED_LEFT, "~/%s: %s: the text that it names is not inside",
		by->rel, place);
}

static bool on_glob(void *ud, const char *value)
{
	struct importer *by = ud;
	char *pattern = path_expand_home(by->all->c->a, value, by->all->c->home);
	glob_t found;
	if (!pattern || *pattern != '/' || glob(pattern, GLOB_NOCHECK, NULL, &found) != 0)
		return false; /* beside the project, or an address */
	for (size_t i = 0; i < found.gl_pathc && by->all->r == 0; i++)
		on_import(by, found.gl_pathv[i]);
	globfree(&found);
	return false;
}

int seed_imports_doc(struct seed_copy *c, const char *path, const char *rel, struct json_doc *doc,
	const struct keypats *texts, struct err *err)
{
	struct imports all = {.c = c, .err = err};
	struct importer by = importer_of(&all, path, rel, 1);
	json_doc_strings(doc, NULL, on_reference, NULL, &by);
	if (texts->n)
		json_doc_strings(doc, texts, on_glob, NULL, &by);
	json_doc_strings(doc, NULL, is_lost, on_lost, &by);
	return all.r;
}
