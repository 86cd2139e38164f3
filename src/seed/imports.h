/* seed/imports.h - what instructions of the user's import: "@FLAGS.md", "@~/notes/style.md".
 *
 * Claude Code and Gemini CLI read such files as a part of the one that names them.  They come along
 * by the rules of every other copy (seed/copy.h), and only as text by their names.
 */
#ifndef BAWN_SEED_IMPORTS_H
#define BAWN_SEED_IMPORTS_H

#include "seed/copy.h"

#define SEED_IMPORTS_MAX 64  /* files, in all */
#define SEED_IMPORTS_DEPTH 5 /* as Claude Code follows them */

/* Each import in text[0..n), in order: what stands behind the "@", "\ " made a blank.  None in code
 * spans and fenced blocks.  fn returns false to end. */
void seed_imports_each(
	const char *text, size_t n, bool (*fn)(void *ud, const char *path), void *ud);

/* Bring along what the file imports that was copied from path (absolute) to rel below the home;
 * what does not come is named in the report.  A file of the workspace, or one that a link leads to,
 * which may lie in another's, may have been written by an agent: of what it imports only that comes
 * which lies below its own directory. 0, or -errno when the copy itself fails. */
int seed_imports(struct seed_copy *c, const char *path, const char *rel, struct err *err);

#endif
