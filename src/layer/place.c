/* layer/place.c - see place.h. */
#include "layer/place.h"

#include <fcntl.h>

#include "base/escape.h"
#include "base/path.h"

int place_clean(
	const char *name, unsigned int depth, char ret[static TAR_PATH_MAX + 1], struct err *err)
{
	char shown[400];
	size_t n = 0;
	unsigned int levels = 0;
	const char *p = name + strspn(name, "/");
	if (p > name && *p)
		return err_set(err, EPERM, "the tar has an absolute name: %s",
			escape_text(shown, sizeof(shown), name));
	while (*p) {
		size_t k = strcspn(p, "/");
		if (k == 2 && p[0] == '.' && p[1] == '.')
			return err_set(err, EPERM, "the tar has a name with \"..\": %s",
				escape_text(shown, sizeof(shown), name));
		if (k > 255)
			return err_set(err, ENAMETOOLONG,
				"the tar has a name of %zu bytes, more than "
				"255: %s",
				k, escape_text(shown, sizeof(shown), p));
		if (k && !(k == 1 && p[0] == '.')) {
			if (n + k + 1 > TAR_PATH_MAX || ++levels > depth)
				return err_set(err, ENAMETOOLONG,
					"the tar has a name that lies too "
					"deep: %s",
					escape_text(shown, sizeof(shown), name));
			if (n)
				ret[n++] = '/';
			memcpy(ret + n, p, k);
			n += k;
		}
		p += k;
		p += *p == '/';
	}
	ret[n] = 0;
	return 0;
}

const char *place_base(const char *path, size_t *ret_dir)
{
	const char *slash = strrchr(path, '/');
	*ret_dir = slash ? (size_t)(slash - path) : 0;
	return slash ? slash + 1 : path;
}

int place_open(int dir, const char *path, int flags, mode_t mode)
{
	if (GUARD_REMOVED("layer-beneath"))
		return path_openat2(
			dir, path[0] ? path : ".", (uint64_t)(flags | O_CLOEXEC), mode, 0);
	return path_openat2(dir, path[0] ? path : ".", (uint64_t)(flags | O_CLOEXEC | O_NOFOLLOW),
		mode,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
}
