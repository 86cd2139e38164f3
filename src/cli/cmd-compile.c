/* cli/cmd-compile.c - bawn-admin compile: write the launch pack of one request.
 *
 * Called by bawn with the arguments of pack_compile_argv(); every path in them is absolute.
 */
#include "cli/admin.h"
#include "cli/pack-args.h"
#include "policy/compile.h"

enum { OPT_OUT = 1, OPT_CONFIG, OPT_DATA, OPT_PROFILE };

static const struct option options[] = {
	{"out", required_argument, NULL, OPT_OUT},
	{"config", required_argument, NULL, OPT_CONFIG},
	{"data", required_argument, NULL, OPT_DATA},
	{"profile", required_argument, NULL, OPT_PROFILE},
	PACK_ARGS_OPTIONS,
	{NULL, 0, NULL, 0},
};

static const char usage[] =
	"bawn-admin compile --out=FILE --config=DIR --data=DIR --profile=NAME [OPTIONS]";

int cmd_compile(int argc, char **argv)
{
	_cleanup_(arena_free) struct arena a = {0};
	struct pack_args args = {.a = &a};
	struct pack_request *q = &args.req;
	const char *out = NULL;
	struct err err = {0};
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case OPT_OUT:
			out = optarg;
			break;
		case OPT_CONFIG:
			q->config_dir = optarg;
			break;
		case OPT_DATA:
			q->data_dir = optarg;
			break;
		case OPT_PROFILE:
			q->profile = optarg;
			break;
		case '?':
			return admin_usage(usage, "wrong option");
		default:
			if (pack_args_take(&args, c, optarg, &err) < 0)
				return admin_fail(&err);
		}
	}
	if (!out || !q->config_dir || !q->data_dir || !q->profile || optind != argc)
		return admin_usage(usage, "arguments are missing");
	pack_args_finish(&args);
	return compile_pack(q, out, &err) < 0 ? admin_fail(&err) : 0;
}
