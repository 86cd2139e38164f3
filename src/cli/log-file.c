/* cli/log-file.c - see log-file.h */
#include "cli/log-file.h"

#include "base/escape.h"
#include "base/path.h"
#include "cli/admin.h"

int log_file_find(struct arena *a, const char **file, bool may_come, struct err *err)
{
	struct path_xdg xdg;
	if (*file) {
		if (may_come || access(*file, F_OK) == 0)
			return 0;
		err_hint(err, "the file is the one that was given to bawn run --audit");
		return err_sys(err, errno, "open '%s'", *file);
	}
	int r = path_xdg_find(a, &xdg, err);
	if (r < 0)
		return r;
	*file = path_join(a, xdg.data, "audit.jsonl");
	return arena_check(a, err);
}

int log_fail(const struct err *err)
{
	char msg[1024], hint[1024];
	struct err shown = {0};
	snprintf(shown.msg, sizeof(shown.msg), "%s", escape_text(msg, sizeof(msg), err->msg));
	snprintf(shown.hint, sizeof(shown.hint), "%s", escape_text(hint, sizeof(hint), err->hint));
	return admin_fail(&shown);
}
