/* policy/profile-keys.c - see profile-keys.h.  Must not: need anything but libc.
 */
#include "policy/profile-keys.h"

#define AT(member) offsetof(struct profile, member)

const struct profile_key profile_keys[] = {
	{"summary", PROFILE_STRING, AT(summary), "the profile's name", "what the tool is called"},
	{"command", PROFILE_LIST, AT(command), "required",
		"the tool's program and first arguments"},
	{"exec", PROFILE_BOOL, AT(args_replace), "false",
		"the user's arguments, when there are any, replace command"},
	{"find", PROFILE_LIST, AT(find), "empty",
		"places to look for the program when it is not in PATH"},
	{"install", PROFILE_STRING, AT(install), "none", "how to install the tool, in one line"},
	{"yolo", PROFILE_LIST, AT(yolo), "empty", "flags that switch the tool's own prompts off"},
	{"yolo-after", PROFILE_LIST, AT(yolo_after), "empty",
		"subcommands that the flags must stand behind"},
	{"yolo-not-before", PROFILE_LIST, AT(yolo_not_before), "empty",
		"subcommands that the flags must not stand before"},
	{"yolo-unless", PROFILE_LIST, AT(yolo_unless), "empty",
		"arguments of the user that replace the flags"},
	{"yolo-since", PROFILE_SINCE, AT(yolo_since), "empty",
		"the first version of the tool that knows a flag"},
	{"subcommands", PROFILE_SUBS, AT(subs), "empty",
		"further flags that are put behind a subcommand"},
	{"env", PROFILE_MAP, 0, "empty", "the environment: pass and set"},
	{"env.pass", PROFILE_VARS, AT(env_pass), "empty", "variables taken from the caller"},
	{"env.set", PROFILE_ENV, AT(env_set), "empty", "variables with a value of their own"},
	{"keys", PROFILE_VARS, AT(keys), "empty", "API key variables, passed when set"},
	{"login-hint", PROFILE_STRING, AT(login_hint), "none",
		"what to do with neither a key nor a log-in"},
	{"state", PROFILE_TREE, 0, "none", "the tool's own directories in the home"},
	{"login", PROFILE_TREE, 0, "none", "how a host log-in comes along"},
	{"files", PROFILE_TREE, 0, "none", "settings of the user that come along as copies"},
	{"instructions", PROFILE_TEXTS, AT(instructions), "none",
		"your own words to the tool, besides what bawn tells it"},
	{"instructions-file", PROFILE_HOME, AT(instructions_file), "none",
		"where the tool reads instructions: the first of these that came along, else the "
		"last"},
	{"policies", PROFILE_NAMES, AT(policies), "[balanced]",
		"egress policies, all of them apply"},
	{"api", PROFILE_NAMES, AT(api), "empty",
		"egress policies of the tool's own service, for policies that say api: true"},
	{"syscalls", PROFILE_NAME, AT(syscalls), "default", "the system call policy"},
	{"template", PROFILE_STRING, AT(template), "host",
		"the root file system: host, or a template"},
	{"mask", PROFILE_GLOBS, AT(mask), "a built-in list",
		"untracked workspace files that read as empty"},
	{"protect", PROFILE_PATHS, AT(protect), "a built-in list",
		"workspace paths that can't be changed from inside"},
};
const size_t profile_n_keys = ARRAY_LEN(profile_keys);

bool profile_type_is_string(enum profile_type t)
{
	return t == PROFILE_STRING || t == PROFILE_NAME;
}

bool profile_type_is_strv(enum profile_type t)
{
	return t == PROFILE_LIST || t == PROFILE_NAMES || t == PROFILE_GLOBS ||
		t == PROFILE_PATHS || t == PROFILE_VARS || t == PROFILE_ENV || t == PROFILE_SINCE ||
		t == PROFILE_TEXTS || t == PROFILE_HOME;
}

const char *profile_type_name(enum profile_type t)
{
	static const char *const names[] = {
		[PROFILE_STRING] = "text",
		[PROFILE_NAME] = "name",
		[PROFILE_LIST] = "list of text",
		[PROFILE_NAMES] = "list of policy names",
		[PROFILE_GLOBS] = "list of globs",
		[PROFILE_PATHS] = "list of paths",
		[PROFILE_VARS] = "list of variable names",
		[PROFILE_ENV] = "map of text",
		[PROFILE_SINCE] = "map of text",
		[PROFILE_TEXTS] = "text or list of text",
		[PROFILE_HOME] = "list of paths in the home",
		[PROFILE_BOOL] = "true or false",
		[PROFILE_SUBS] = "map of lists",
		[PROFILE_MAP] = "map",
		[PROFILE_TREE] = "list of maps",
	};
	return names[t];
}
