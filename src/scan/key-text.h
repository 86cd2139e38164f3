/* scan/key-text.h - does a text show a private key?
 *
 * Owns: what a key looks like in a file's head.  Must not: look at anything but the bytes it is
 * given.
 */
#ifndef BAWN_SCAN_KEY_TEXT_H
#define BAWN_SCAN_KEY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* p is the head of a file of that name (without directories). */
bool key_text(const char *name, const char *p, size_t n);

#endif
