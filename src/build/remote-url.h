/* build/remote-url.h - what ADD may name beside files: URLs and repositories, by their form (pure).
 */
#ifndef BAWN_BUILD_REMOTE_URL_H
#define BAWN_BUILD_REMOTE_URL_H

#include "base/arena.h"

/* Is it none of the context's? */
bool remote_is(const char *text);
/* Of these: is it one of git's? */
bool remote_is_repository(const char *text);
/* The last name of the path of an http or https URL, its %XX undone; *ret is NULL where it has
 * none.  -EINVAL: it is no URL, or the name can be no file's; -ENOMEM. */
int remote_url_name(struct arena *a, const char *url, char **ret);

#endif
