/* build/expand.h - the words of a Dockerfile: quotes, escapes and variables (pure).
 *
 * The rules are those of the Dockerfile reference ("Environment replacement") as BuildKit has them:
 * $x ${x} ${x:-w} ${x-w} ${x:+w} ${x+w} ${x:?w} ${x?w} ${x#pat} ${x##pat} ${x%pat} ${x%%pat}
 * ${x/pat/w} ${x//pat/w}, w and pat nesting further ones.  In patterns, * and ? are special.
 */
#ifndef BAWN_BUILD_EXPAND_H
#define BAWN_BUILD_EXPAND_H

#include "base/arena.h"

#define EXPAND_DEPTH_MAX 32          /* ${a:-${b:-...}} */
#define EXPAND_MAX ((size_t)1 << 20) /* bytes of one word's result */

struct expand {
	char escape; /* backslash, or the backtick of a directive */
	/* The value of a variable; NULL: it isn't set. */
	const char *(*get)(void *ctx, const char *name, size_t n);
	void *ctx;
	bool keep_quotes;  /* quotes stay in the result (and are still understood) */
	bool keep_escapes; /* so do escape characters */
	bool keep_unset;   /* ${x} stays as it is where x isn't set */
	bool plain_quotes; /* quotes mean nothing: the text of a heredoc */
};

/* One word, whatever blanks are in it or in a value.  at (may be NULL): where in the word a failure
 * lies.  0, -EINVAL, -E2BIG or -ENOMEM. */
int expand_word(struct arena *a, const struct expand *e, const char *word, char **ret, size_t *at,
	struct err *err);

/* Parted at blanks, those of unquoted values too; empty words go. */
int expand_words(struct arena *a, const struct expand *e, const char *text, struct strv *ret,
	size_t *at, struct err *err);

#endif
