/* cli/log-file.c - see log-file.h */
#include "cli/log-file.h"

#include <limits.h>

#include "base/escape.h"
#include "base/path.h"

int log_file_find(struct arena *a, const char **file, bool may_come, struct err *err)
{
	struct path_xdg xdg;
	char shown[PATH_MAX];
	if (*file) {
		if (may_come || access(*file, F_OK) == 0)
			return 0;
		err_hint(err, "the file is the one that was given to bawn run --audit");
		return err_sys(err, errno, "open '%s'", escape_text(shown, sizeof(shown), *file));
	}
	int r = path_xdg_find(a, &xdg, err);
	if (r < 0)
		return r;
	*file = path_join(a, xdg.data, "audit.jsonl");
	return arena_check(a, err);
}
