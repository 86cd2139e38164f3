/* template/save.h - a new template from what a sandbox has written.
 *
 * Theory of operation.  What was written (its upper directories, which nobody writes any more) is
 * packed into a tar without what must never be in a template (leave-out.h); the tar is read into a
 * layer's directory below tmp/, as any other, and that directory, which is exactly what would be
 * kept, passes the gate (gate/gate.h).  Only then does it get its name.
 */
#ifndef BAWN_TEMPLATE_SAVE_H
#define BAWN_TEMPLATE_SAVE_H

#include "gate/gate.h"
#include "template/template.h"

struct template_upper {
	const char *sandbox; /* its name */
	const char *base;    /* ID of the template it was made with */
	const int *dirs;     /* upper directories, topmost first */
	size_t n_dirs;
	int seed, secrets;  /* what bawn put there; the known secrets; -1: none */
	struct strv mounts; /* absolute paths at which something was mounted */
	struct gate_request gate;
	bool squash; /* one layer of all */
};

#define TEMPLATE_UPPER_DIRS 56 /* a sandbox has no more: layers are merged before */

/* The store is held.  gate_helper: path of bawn-gate.  0, with *ret_id's 65 bytes filled; -EACCES
 * (err untouched) when the gate has found something, which *ret_gate tells; other -errno. */
int template_save_upper(struct template_work *w, const char *gate_helper,
	const struct template_upper *u, struct gate_result *ret_gate, char ret_id[static 65],
	struct err *err);

#endif
