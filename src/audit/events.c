/* audit/events.c - see events.h */
#include "audit/events.h"

#define STR(k)                                                                                     \
	{                                                                                          \
		.key = (k)                                                                         \
	}
#define NUM(k)                                                                                     \
	{                                                                                          \
		.key = (k), .number = true                                                         \
	}
#define STR_OPT(k)                                                                                 \
	{                                                                                          \
		.key = (k), .optional = true                                                       \
	}
#define NUM_OPT(k)                                                                                 \
	{                                                                                          \
		.key = (k), .number = true, .optional = true                                       \
	}

const struct audit_event audit_events[] = {
	/* clang-format off */
	{"start", "{profile}[ in {workspace}]: {program}", true, {
		STR("profile"), STR("program"), STR_OPT("workspace"), STR_OPT("version")}},
	{"ready", "the agent runs after {ms} ms", true, {NUM("ms")}},
	{"setting", "{what}: {value}", true, {STR("what"), STR("value")}},
	{"session", "{session} {action}[: {program}][, status {code}]", true, {
		NUM("session"), STR("action"), STR_OPT("program"), NUM_OPT("code")}},
	{"exit", "status {code} after {ms} ms", true, {NUM("code"), NUM("ms")}},
	{"allow", "{target}[ by {rule}]", false, {STR("target"), STR_OPT("rule")}},
	{"deny", "{target}: {reason}[ by {rule}][, {count} times][; to allow it: {fix}]", false, {
		STR("target"), STR("reason"), STR_OPT("rule"), STR_OPT("fix"),
		NUM_OPT("count")}},
	{"unreachable", "{target}: {reason}", false, {STR("target"), STR("reason")}},
	{"flow", "{target}: {up} bytes up, {down} down in {ms} ms", false, {
		STR("target"), NUM("up"), NUM("down"), NUM("ms")}},
	{"request", "{method} {target}: {status}[, with {credential}][: {reason}]", false, {
		STR("method"), STR("target"), NUM("status"), STR_OPT("credential"),
		STR_OPT("reason")}},
	{"publish", "port {port} inside, at {where}: {action}", true, {
		STR("where"), NUM("port"), STR("action")}},
	{"ask", "{target}: {action}[ by {by}] (question {question})[, {count} connections]", true, {
		STR("target"), STR("action"), NUM("question"), STR_OPT("by"),
		NUM_OPT("count")}},
	{"policy", "{action} {rule}", true, {STR("action"), STR("rule")}},
	{"degraded", "{feature}[: {reason}]", true, {STR("feature"), STR_OPT("reason")}},
	{"withheld", "{kind} {name}[: {reason}]", true, {
		STR("kind"), STR("name"), STR_OPT("reason")}},
	{"mask", "{path}[: {reason}]", false, {STR("path"), STR_OPT("reason")}},
	{"protect", "{path}[: {reason}]", false, {STR("path"), STR_OPT("reason")}},
	{"remount", "{path} was replaced on the host: {action}", true, {
		STR("path"), STR("action")}},
	{"persist", "{path}[ ({detail})][ {class}]", false, {
		STR("path"), STR_OPT("class"), STR_OPT("detail")}},
	{"aside", "{path}: {action}[ ({place})]", true, {
		STR("path"), STR("action"), STR_OPT("place")}},
	{"gitconfig", "{path}[ {key}]: {action}", true, {
		STR("path"), STR_OPT("key"), STR("action")}},
	{"login", "{agent}: {state}", true, {STR("agent"), STR("state")}},
	{"limit", "{what}[: {path}][, {count} more]", true, {
		STR("what"), STR_OPT("path"), NUM_OPT("count")}},
	{"dropped", "{count} events were not written", true, {NUM("count")}},
	{"error", "{message}[; {hint}]", true, {STR("message"), STR_OPT("hint")}},
	/* clang-format on */
};
const size_t audit_n_events = ARRAY_LEN(audit_events);

const struct audit_event *audit_event_find(const char *name)
{
	for (size_t i = 0; i < audit_n_events; i++)
		if (streq(audit_events[i].name, name))
			return &audit_events[i];
	return NULL;
}

const struct audit_event_field *audit_event_field(const struct audit_event *e, const char *key)
{
	for (const struct audit_event_field *f = e->fields; f->key; f++)
		if (streq(f->key, key))
			return f;
	return NULL;
}
