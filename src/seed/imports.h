/* seed/imports.h - texts that the user's instructions import ("@FLAGS.md", "@~/notes/style.md"),
 * and that settings name ("{file:./prompts/review.txt}").
 *
 * The tools read such files as a part of the one that names them.  They come along
 * by the rules of every other copy (seed/copy.h), and only as text by their names.
 */
#ifndef BAWN_SEED_IMPORTS_H
#define BAWN_SEED_IMPORTS_H

#include "json/json.h"
#include "seed/copy.h"

#define SEED_IMPORTS_MAX 64  /* files, in all */
#define SEED_IMPORTS_DEPTH 5 /* as Claude Code follows them */

/* Each import in text[0..n), in order: what stands behind the "@", "\ " made a blank.  None in code
 * spans and fenced blocks.  fn returns false to end. */
void seed_imports_each(
	const char *text, size_t n, bool (*fn)(void *ud, const char *path), void *ud);

/* Bring along what the file imports that was copied from path (absolute) to rel below the home;
 * what does not come is named in the report.  The user's own word counts for all of the home: a
 * file in the directory of the first, if no link leads to it or to what it imports, and the
 * workspace does not hold it.  Any other may have been written by an agent, here or in another
 * workspace: of what it imports only that comes which lies, links resolved, below its own
 * directory. 0, or -errno when the copy itself fails. */
int seed_imports(struct seed_copy *c, const char *path, const char *rel, struct err *err);

/* The same of a settings file: texts that strings of doc name as "{file:PATH}", relative to it, and
 * those that the strings under the keys in texts name by a path or a glob of the home.  A string
 * whose text does not come is removed, and named: the tool might not start. */
int seed_imports_doc(struct seed_copy *c, const char *path, const char *rel, struct json_doc *doc,
	const struct keypats *texts, struct err *err);

#endif
