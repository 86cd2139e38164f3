/* base/proxy-env.c - see proxy-env.h
 */
#include "base/proxy-env.h"

#include <stdlib.h>

#include "base/macro.h"

const char *proxy_env(const char *lower, const char *upper)
{
	const char *v = getenv(lower);
	if ((!v || !*v) && !(streq(upper, "HTTP_PROXY") && getenv("REQUEST_METHOD")))
		v = getenv(upper);
	return v && *v ? v : NULL;
}
