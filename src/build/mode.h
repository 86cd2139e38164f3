/* build/mode.h - the modes of --chmod: octal, or symbolic as chmod(1) has them.
 *
 * Owns: [ugoa]*([-+=]([rwxXst]*|[ugo]))+ with commas between, without a umask.  Pure.
 */
#ifndef BAWN_BUILD_MODE_H
#define BAWN_BUILD_MODE_H

#include <stdbool.h>
#include <sys/types.h>

bool mode_is_valid(const char *text);
/* What becomes of a file's mode (07777); text is valid. */
mode_t mode_apply(const char *text, mode_t mode, bool dir);

#endif
