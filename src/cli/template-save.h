/* cli/template-save.h - bawn template save, of a template and of a sandbox.
 */
#ifndef BAWN_CLI_TEMPLATE_SAVE_H
#define BAWN_CLI_TEMPLATE_SAVE_H

#include "cli/template.h"

/* Called by bawn; in no list of verbs. */
extern const struct template_verb template_box_verb;

/* An archive of n templates to the file output ("-": stdout): the old file or the new one. */
int template_save_archive(struct tpl *c, const char *output, bool oci,
	const struct template_export *v, size_t n, struct err *err);

#endif
