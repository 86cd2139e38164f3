/* build/remote-url.h - what ADD may name beside files: URLs and repositories, by their form (pure).
 */
#ifndef BAWN_BUILD_REMOTE_URL_H
#define BAWN_BUILD_REMOTE_URL_H

#include "base/arena.h"

/* Is it none of the context's? */
bool remote_is(const char *text);
/* Of these: is it one of git's? */
bool remote_is_repository(const char *text);
/* "URL[#[REF][:DIR]]" of a repository; *ret_ref and *ret_dir are NULL where they are not said.
 * -EINVAL: one of them can be none; -ENOMEM. */
int remote_git_parse(
	struct arena *a, const char *text, char **ret_url, char **ret_ref, char **ret_dir);
/* The last name of the path of an http or https URL, its %XX undone; *ret is NULL where it has
 * none.  -EINVAL: it is no URL, or the name can be no file's; -ENOMEM. */
int remote_url_name(struct arena *a, const char *url, char **ret);

#endif
