/* build/exec-form.h - a JSON list of strings, as CMD, RUN, COPY and others take one (pure).
 */
#ifndef BAWN_BUILD_EXEC_FORM_H
#define BAWN_BUILD_EXEC_FORM_H

#include "build/dockerfile.h"

enum exec_form {
	EXEC_FORM_NONE,  /* no JSON list: it is the shell's */
	EXEC_FORM_LIST,  /* a list of strings */
	EXEC_FORM_OTHER, /* a JSON list with something else in it */
};

/* text begins at offset at of its line.  EXEC_FORM_LIST fills *ret; negative: out of memory. */
int exec_form_parse(
	struct arena *a, const char *text, size_t at, struct df_word **ret, size_t *ret_n);

#endif
