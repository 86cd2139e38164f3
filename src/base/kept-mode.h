/* base/kept-mode.h - the mode that an image means, where no file of one user can have it on disk:
 * the text of the attribute, and which mode is on disk instead.
 *
 * What makes layers, what exports them and what root sees of them have to agree.  Light; allocates
 * nothing.
 */
#ifndef BAWN_BASE_KEPT_MODE_H
#define BAWN_BASE_KEPT_MODE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/macro.h"

/* Octal digits, one to four. */
#define KEPT_MODE_ATTR "user.bawn.mode"

bool kept_mode_parse(const char *text, size_t n, uint32_t *ret);
/* The permission bits that a file or directory of this recorded mode gets on disk: no set-ID bits,
 * and its owner can read it. */
mode_t kept_mode_on_disk(uint32_t mode, bool dir);

#endif
