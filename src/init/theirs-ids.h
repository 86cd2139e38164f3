/* init/theirs-ids.h - who an emulated root says it is, once it has become somebody else.
 *
 * Owns: what setuid(2) and its kind do to what getuid(2) and its kind answer, and where that is
 * kept.  Must not: believe that anybody is kept from anything by it.
 */
#ifndef BAWN_INIT_THEIRS_IDS_H
#define BAWN_INIT_THEIRS_IDS_H

#include <linux/seccomp.h>
#include <stdint.h>

#include "base/macro.h"

/* Is it one of these calls? */
bool ids_is_call(int nr);
/* Its answer.  false: it is the kernel's to give, the emulation has ended for that process. */
bool ids_answer(const struct seccomp_notif *n, struct seccomp_notif_resp *ret);
/* It is the user by now, and sees and does what the user does. */
bool ids_ended(uint32_t pid);

#endif
