/* policy/path-glob.h - the globs of rules on requests, compared with each other.
 *
 * Pure.  Which paths a glob matches is http_path_match()'s to say; what is found here are paths to
 * ask it about.
 */
#ifndef BAWN_POLICY_PATH_GLOB_H
#define BAWN_POLICY_PATH_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/* A path that glob matches: word for each "*", and depth times word for each "**".  False: no room.
 */
bool path_glob_example(
	const char *glob, const char *word, unsigned int depth, char *buf, size_t cap);

/* Does a match whatever b matches?  Told by examples with words that stand in no glob. */
bool path_glob_covers(const char *a, const char *b, bool fold);

/* A path that both match, in buf.  False: there is none, or none was found. */
bool path_glob_meet(const char *a, const char *b, char *buf, size_t cap);

/* Surely no path is matched by both, in capitals or small letters, with or without "/" at its end.
 */
bool path_glob_apart(const char *a, const char *b);

/* A canonical path or glob so that it can be written in a rule again. */
const char *path_glob_write(const char *glob, char *buf, size_t cap);

/* The rule that means this one request, "GET example.com/path"; host: with its port where that is
 * not 443.  False: none can say it, as a server may read the path in several ways, or no room. */
bool request_as_rule(
	const char *method, const char *host, const char *target, size_t n, char *buf, size_t cap);

/* ",GET,HEAD," or "" for any: is every method of b in a?  Is there one in both? */
bool methods_cover(const char *a, const char *b);
bool methods_meet(const char *a, const char *b);

#endif
