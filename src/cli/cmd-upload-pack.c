/* cli/cmd-upload-pack.c - bawn upload-pack: what git runs for a remote bawn-NAME.
 *
 * git gives the remote's URL, which is the sandbox's directory on the host; its last component is
 * the name.  git upload-pack runs inside.  Standard input and output are the protocol.
 */
#include <fcntl.h>

#include "cli/command.h"
#include "run/lasting.h"
#include "cli/verb.h"

static int serve(struct run *r, void *ctx, char **word, int n, struct err *err)
{
	const char *name = path_base(word[0]);
	(void)ctx, (void)n;
	bool fresh;
	const char *protocol = getenv("GIT_PROTOCOL");
	if (isatty(STDIN_FILENO) || isatty(STDOUT_FILENO)) {
		err_hint(err, "git fetch bawn-%s", name);
		err_set(err, EINVAL, "git runs this, to fetch from a sandbox");
		return 125;
	}
	r->opt.name = name;
	r->opt.profile = NULL;
	r->opt.verbosity = -1;
	if (lasting_find(r, &fresh, err) < 0)
		return 125;
	if (!streq(r->spec.mode, "clone")) {
		err_set(err, EINVAL, "sandbox %s has no clone of its own", name);
		return 125;
	}
	const char *const argv[] = {
		"git", "upload-pack", "--strict", path_join(&r->arena, r->spec.workspace, ".git")};
	for (size_t i = 0; i < ARRAY_LEN(argv); i++)
		strv_add(&r->arena, &r->command, argv[i]);
	if (protocol && strlen(protocol) < 64)
		strv_env_set(&r->arena, &r->opt.env, "GIT_PROTOCOL", protocol);
	/* what it says comes as part of the protocol; its own stderr is no terminal */
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (isatty(STDERR_FILENO) && null >= 0)
		dup2(null, STDERR_FILENO);
	return lasting_enter(r, err);
}

int cmd_upload_pack(int argc, char **argv)
{
	static const struct verb v = {.usage = "upload-pack DIRECTORY",
		.help = "Serve the clone of a sandbox to git fetch.  git runs this for a remote\n"
			"bawn-NAME; a sandbox that doesn't run is started for it.",
		.rows = verb_no_rows,
		.min = 1,
		.max = 1,
		.what = "which sandbox",
		.run = serve};
	struct run r;
	return verb_main(&v, &r, NULL, argc, argv);
}
