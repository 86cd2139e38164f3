/* image/edit-config.c - a configuration changed line by line; see image.h
 *
 * What no line names stays as it stands in the base, also what this version knows nothing of.
 */
#include "base/escape.h"
#include "image/request.h"
#include "json/value.h"
#include "store/ref.h"

struct edit {
	struct json_value *doc, *config, *diff_ids, *history;
	const char *created;
	unsigned int begun; /* bits: lists of which the first line has come */
};

/* The value at key, made with make() where it isn't there. */
static struct json_value *have(
	struct json_value *v, const char *key, struct json_value *(*make)(void))
{
	struct json_value *got = json_value_get(v, key);
	if (json_value_is_null(got))
		return json_value_set(v, key, make()) < 0 ? NULL : json_value_get(v, key);
	return got;
}

static int set_text(struct json_value *v, const char *key, const char *text)
{
	if (*text)
		return json_value_set(v, key, json_value_string(text));
	json_value_remove(v, key);
	return 0;
}

/* ---- lists and sets ---- */

enum list { ENTRYPOINT, CMD, SHELL, ONBUILD };
static const char *const list_keys[] = {
	[ENTRYPOINT] = "Entrypoint", [CMD] = "Cmd", [SHELL] = "Shell", [ONBUILD] = "OnBuild"};

static int add_to(struct edit *e, enum list which, const char *text)
{
	const char *key = list_keys[which];
	/* triggers are added to; the others are replaced as a whole */
	if (which != ONBUILD && !(e->begun & (1u << which)))
		json_value_remove(e->config, key);
	e->begun |= 1u << which;
	struct json_value *list = have(e->config, key, json_value_array);
	return list ? json_value_push(list, json_value_string(text)) : -ENOMEM;
}

static int empty(struct edit *e, enum list which)
{
	e->begun &= ~(1u << which);
	json_value_remove(e->config, list_keys[which]);
	return 0;
}

static int add_to_set(struct edit *e, const char *key, const char *text)
{
	struct json_value *set = have(e->config, key, json_value_object);
	return set ? json_value_set(set, text, json_value_object()) : -ENOMEM;
}

/* K=V; unset: K alone. */
static int set_env(struct edit *e, const char *text, bool unset)
{
	size_t n = strcspn(text, "=");
	struct json_value *old = json_value_get(e->config, "Env"), *fresh = json_value_array();
	if (!fresh)
		return -ENOMEM;
	bool done = unset;
	int r = 0;
	for (size_t i = 0; r == 0 && i < json_value_count(old); i++) {
		const char *s = json_value_text(json_value_at(old, i));
		bool same = s && strncmp(s, text, n) == 0 && s[n] == '=';
		if (!s || (same && done))
			continue;
		r = json_value_push(fresh, json_value_string(same ? text : s));
		done |= same;
	}
	if (r == 0 && !done)
		r = json_value_push(fresh, json_value_string(text));
	if (r == 0)
		return json_value_set(e->config, "Env", fresh);
	json_value_free(fresh);
	return r;
}

static int set_label(struct edit *e, const char *text)
{
	struct json_value *labels = have(e->config, "Labels", json_value_object);
	char *key = strndup(text, strcspn(text, "="));
	int r = labels && key
		? json_value_set(labels, key,
			  json_value_string(text + strlen(key) + (strchr(text, '=') != NULL)))
		: -ENOMEM;
	free(key);
	return r;
}

static int set_healthcheck(struct edit *e, const char *text)
{
	struct json_value *v = NULL;
	if (json_value_parse(text, strlen(text), &v, NULL) < 0)
		return -EINVAL;
	if (json_value_is_object(v))
		return json_value_set(e->config, "Healthcheck", v);
	json_value_free(v);
	return -EINVAL;
}

/* ---- layers ---- */

static int add_layer(struct edit *e, const char *hex)
{
	char digest[80];
	if (!ref_is_hex(hex))
		return -EINVAL;
	snprintf(digest, sizeof(digest), "sha256:%s", hex);
	return json_value_push(e->diff_ids, json_value_string(digest));
}

static int add_history(struct edit *e, const char *text, bool no_layer)
{
	struct json_value *h = json_value_object();
	int r = h ? 0 : -ENOMEM;
	if (r == 0 && e->created)
		r = json_value_set(h, "created", json_value_string(e->created));
	if (r == 0)
		r = json_value_set(h, "created_by", json_value_string(text));
	if (r == 0 && no_layer)
		r = json_value_set(h, "empty_layer", json_value_bool(true));
	if (r == 0)
		return json_value_push(e->history, h);
	json_value_free(h);
	return r;
}

/* The places of layers and history; squash: anew. */
static int find_layers(struct edit *e, bool squash)
{
	struct json_value *rootfs = have(e->doc, "rootfs", json_value_object);
	if (!rootfs || json_value_set(rootfs, "type", json_value_string("layers")) < 0)
		return -ENOMEM;
	if (squash) {
		json_value_remove(rootfs, "diff_ids");
		json_value_remove(e->doc, "history");
	}
	e->diff_ids = have(rootfs, "diff_ids", json_value_array);
	e->history = have(e->doc, "history", json_value_array);
	return json_value_is_array(e->diff_ids) && json_value_is_array(e->history) ? 0 : -EINVAL;
}

/* ---- lines ---- */

static int top(struct edit *e, const char *key, const char *text)
{
	int r = set_text(e->doc, key, text);
	if (streq(key, "created"))
		e->created = *text ? text : NULL;
	return r;
}

static int change(struct edit *e, const char *key, const char *text)
{
	static const struct {
		const char *line, *key;
		bool top;
	} texts[] = {{"user", "User", false}, {"workdir", "WorkingDir", false},
		{"stopsignal", "StopSignal", false}, {"author", "author", true},
		{"created", "created", true}, {"arch", "architecture", true}, {"os", "os", true},
		{"variant", "variant", true}};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (streq(texts[i].line, key))
			return texts[i].top ? top(e, texts[i].key, text)
					    : set_text(e->config, texts[i].key, text);
	if (streq(key, "env") || streq(key, "unenv"))
		return strchr(text, '=') || key[0] == 'u' ? set_env(e, text, key[0] == 'u')
							  : -EINVAL;
	if (streq(key, "label"))
		return set_label(e, text);
	if (streq(key, "expose"))
		return add_to_set(e, "ExposedPorts", text);
	if (streq(key, "volume"))
		return add_to_set(e, "Volumes", text);
	if (streq(key, "healthcheck"))
		return set_healthcheck(e, text);
	if (streq(key, "layer"))
		return add_layer(e, text);
	if (streq(key, "history") || streq(key, "empty-history"))
		return add_history(e, text, key[0] == 'e');
	if (streq(key, "squash"))
		return find_layers(e, true);
	for (size_t i = 0; i < ARRAY_LEN(list_keys); i++) {
		char name[16];
		snprintf(name, sizeof(name), "%s", list_keys[i]);
		for (char *p = name; *p; p++)
			*p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
		if (streq(key, name))
			return add_to(e, (enum list)i, text);
		if (has_prefix(key, "no-") && streq(key + 3, name))
			return empty(e, (enum list)i);
	}
	return -EINVAL;
}

int image_config_edit(
	struct arena *a, struct json_value *doc, const struct strv *lines, struct err *err)
{
	struct edit e = {.doc = doc};
	char shown[120];
	e.config = have(doc, "config", json_value_object);
	int r = json_value_is_object(e.config) ? find_layers(&e, false) : -EINVAL;
	if (r < 0)
		return err_set(err, -r, "the configuration to change is none");
	for (size_t i = 0; i < lines->n; i++) {
		char *text = arena_dup(a, lines->v[i]), *key = strsep(&text, " ");
		r = key && text ? change(&e, key, text) : -EINVAL;
		if (r == -ENOMEM)
			return err_set(err, EINVAL, "out of memory, or no UTF-8: %s",
				escape_text(shown, sizeof(shown), lines->v[i]));
		if (r < 0)
			return err_set(err, -r, "no change of a configuration: %s",
				escape_text(shown, sizeof(shown), lines->v[i]));
	}
	return 0;
}
