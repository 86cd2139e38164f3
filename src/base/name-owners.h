/* base/name-owners.h - a directory's attribute that says whose the links and FIFOs in it are, as
 * these can have no attribute themselves.
 *
 * Owns: its text: "UID GID NAME", each ended by a NUL, at most one of a name.  Light; allocates
 * nothing.  What is no such text says nothing.
 */
#ifndef BAWN_BASE_NAME_OWNERS_H
#define BAWN_BASE_NAME_OWNERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

#define NAME_OWNERS_ATTR "user.bawn.links"
#define NAME_OWNERS_MAX 32768 /* bytes; many file systems keep less, and then none more */

bool name_owners_find(
	const char *list, size_t n, const char *name, uint32_t *ret_uid, uint32_t *ret_gid);
/* In place of what is said of name, and of what is no list.  The new length; 0: there is no room.
 */
size_t name_owners_set(
	char list[static NAME_OWNERS_MAX], size_t n, const char *name, uint32_t uid, uint32_t gid);

#endif
