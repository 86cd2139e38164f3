/* build/meta.c - instructions that change nothing but the configuration; see build.h */
#include <ctype.h>
#include <inttypes.h>
#include <signal.h>
#include <strings.h>

#include "base/json-out.h"
#include "base/path.h"
#include "build/build.h"

static int oom(struct err *err)
{
	return err_set(err, ENOMEM, "out of memory");
}

static int change(struct build *b, struct build_state *st, const char *key, const char *value,
	struct err *err)
{
	return strv_addf(&b->a, &st->changes, "%s %s", key, value) < 0 ? oom(err) : 0;
}

/* The one word of USER, STOPSIGNAL ..., expanded and not empty. */
static int one(struct build *b, const struct build_state *st, const struct df_inst *i, char **ret,
	struct err *err)
{
	int r = build_word(b, st, i, i->words[0].s, i->words[0].at, ret, err);
	if (r == 0 && !**ret)
		r = df_err(&b->d, i->line, i->words[0].at, err, "%s: nothing is left of \"%s\"",
			df_name(i->kind), i->words[0].s);
	return r;
}

static int do_pairs(struct build *b, struct build_state *st, const struct df_inst *i,
	const char *key, struct err *err)
{
	struct strv fresh = {0};
	int r = 0;
	/* all values are read before the first is set */
	for (size_t k = 0; r == 0 && k < i->n_pairs; k++) {
		const struct df_pair *p = &i->pairs[k];
		char *name, *value;
		r = build_word(b, st, i, p->key, p->at, &name, err);
		if (r == 0)
			r = build_word(b, st, i, p->value, p->at + strlen(p->key) + 1, &value, err);
		if (r == 0 && (!*name || strchr(name, '=')))
			r = df_err(&b->d, i->line, p->at, err, "\"%s\" is no name", name);
		if (r == 0 && strv_addf(&b->a, &fresh, "%s=%s", name, value) < 0)
			r = oom(err);
	}
	for (size_t k = 0; r == 0 && k < fresh.n; k++) {
		r = change(b, st, key, fresh.v[k], err);
		char *eq = strchr(fresh.v[k], '=');
		if (r == 0 && i->kind == DF_ENV) {
			char *name = arena_dupn(&b->a, fresh.v[k], (size_t)(eq - fresh.v[k]));
			if (!name || strv_env_set(&b->a, &st->env, name, eq + 1) < 0)
				r = oom(err);
		}
	}
	return r;
}

/* CMD, ENTRYPOINT, SHELL: the words of an exec form, or what the shell gets. */
static int do_command(struct build *b, struct build_state *st, const struct df_inst *i,
	const char *key, struct err *err)
{
	char none[24];
	snprintf(none, sizeof(none), "no-%s", key);
	int r = change(b, st, none, "-", err);
	if (!i->exec && i->n_words) {
		static const char *const sh[] = {"/bin/sh", "-c"};
		for (size_t k = 0; r == 0 && k < (st->shell.n ? st->shell.n : ARRAY_LEN(sh)); k++)
			r = change(b, st, key, st->shell.n ? st->shell.v[k] : sh[k], err);
	}
	for (size_t k = 0; r == 0 && k < i->n_words; k++)
		r = change(b, st, key, i->words[k].s, err);
	if (i->kind == DF_CMD)
		st->cmd_set = true;
	/* an inherited CMD was meant for the inherited ENTRYPOINT */
	if (r == 0 && i->kind == DF_ENTRYPOINT && !st->cmd_set)
		r = change(b, st, "no-cmd", "-", err);
	if (i->kind == DF_SHELL) {
		st->shell = (struct strv){0};
		for (size_t k = 0; r == 0 && k < i->n_words; k++)
			r = strv_add(&b->a, &st->shell, i->words[k].s) < 0 ? oom(err) : 0;
	}
	return r;
}

/* "80", "80/udp", "8000-8010": each port of it. */
static int expose(struct build *b, struct build_state *st, const struct df_inst *i,
	const char *text, size_t at, struct err *err)
{
	char *end, proto[8] = "tcp";
	unsigned long from = strtoul(text, &end, 10), to = from;
	bool ok = isdigit((unsigned char)*text);
	if (ok && *end == '-') {
		ok = isdigit((unsigned char)end[1]);
		to = strtoul(end + 1, &end, 10);
	}
	if (ok && *end == '/') {
		snprintf(proto, sizeof(proto), "%s", end + 1);
		for (char *c = proto; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		end += strlen(end);
	}
	ok = ok && !*end && from <= to && to <= 65535 &&
		(streq(proto, "tcp") || streq(proto, "udp") || streq(proto, "sctp"));
	if (!ok)
		return df_err(&b->d, i->line, at, err, "\"%s\" is no port", text);
	for (unsigned long p = from; p <= to; p++) {
		char value[32];
		snprintf(value, sizeof(value), "%lu/%s", p, proto);
		int r = change(b, st, "expose", value, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int do_expose(
	struct build *b, struct build_state *st, const struct df_inst *i, struct err *err)
{
	struct build_words w = {.b = b, .st = st};
	const struct expand e = build_expand(&w);
	int r = 0;
	for (size_t k = 0; r == 0 && k < i->n_words; k++) {
		struct strv ports = {0};
		size_t at = 0;
		r = expand_words(&b->a, &e, i->words[k].s, &ports, &at, err);
		if (r < 0)
			return df_err_at(&b->d, i->line, i->words[k].at + at, err), r;
		for (size_t p = 0; r == 0 && p < ports.n; p++)
			r = expose(b, st, i, ports.v[p], i->words[k].at, err);
	}
	return r;
}

static int do_volume(
	struct build *b, struct build_state *st, const struct df_inst *i, struct err *err)
{
	int r = 0;
	for (size_t k = 0; r == 0 && k < i->n_words; k++) {
		char *path;
		r = build_word(b, st, i, i->words[k].s, i->words[k].at, &path, err);
		if (r == 0)
			r = change(b, st, "volume", path, err);
	}
	return r;
}

/* "SIGTERM", "term", "15", "SIGRTMIN+3". */
static bool is_signal(const char *text)
{
	char *end;
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	if (isdigit((unsigned char)*text)) {
		unsigned long n = strtoul(text, &end, 10);
		return !*end && n > 0 && n <= (unsigned long)SIGRTMAX;
	}
	if (strncasecmp(name, "RTMIN", 5) == 0 || strncasecmp(name, "RTMAX", 5) == 0) {
		strtoul(name + 5 + (name[5] == '+' || name[5] == '-'), &end, 10);
		return !*end;
	}
	for (int n = 1; n < NSIG; n++) {
		const char *known = sigabbrev_np(n);
		if (known && strcasecmp(known, name) == 0)
			return true;
	}
	return strcasecmp(name, "CLD") == 0 || strcasecmp(name, "IOT") == 0;
}

/* ---- HEALTHCHECK ---- */

/* "1m30s", "500ms", "1.5s" in nanoseconds. */
static bool duration(const char *s, int64_t *ret)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
	double sum = 0;
	if (!*s)
		return false;
	while (*s) {
		char *end;
		if (!isdigit((unsigned char)*s))
			return false;
		double v = strtod(s, &end);
		size_t n = strspn(end, "nmush"), u = 0;
		while (u < ARRAY_LEN(units) &&
			(strlen(units[u].unit) != n || strncmp(end, units[u].unit, n) != 0))
			u++;
		if (u == ARRAY_LEN(units))
			return false;
		sum += v * units[u].ns;
		s = end + n;
	}
	*ret = (int64_t)sum;
	return sum < 1e18;
}

static int health_flags(
	struct build *b, const struct df_inst *i, struct json_out *j, struct err *err)
{
	static const char *const names[][2] = {{"interval", "Interval"}, {"timeout", "Timeout"},
		{"start-period", "StartPeriod"}, {"start-interval", "StartInterval"}};
	for (size_t k = 0; k < i->n_flags; k++) {
		const struct df_flag *f = &i->flags[k];
		int64_t v = 0;
		char *end;
		if (streq(f->name, "retries")) {
			v = strtol(f->value, &end, 10);
			if (*end || v < 0 || v > 1000000)
				return df_err(
					&b->d, i->line, f->at, err, "--retries wants a number");
			json_int(j, "Retries", v);
			continue;
		}
		if (!duration(f->value, &v))
			return df_err(&b->d, i->line, f->at, err,
				"--%s wants a time, as in 30s or 1m", f->name);
		for (size_t n = 0; n < ARRAY_LEN(names); n++)
			if (streq(f->name, names[n][0]))
				json_int(j, names[n][1], v);
	}
	return 0;
}

static int do_health(
	struct build *b, struct build_state *st, const struct df_inst *i, struct err *err)
{
	struct json_out j = {0};
	json_begin(&j, NULL, '{');
	json_begin(&j, "Test", '[');
	json_str(&j, NULL, !i->sub ? "NONE" : i->sub->exec ? "CMD" : "CMD-SHELL");
	for (size_t k = 0; i->sub && k < i->sub->n_words; k++)
		json_str(&j, NULL, i->sub->words[k].s);
	json_end(&j, ']');
	int r = health_flags(b, i, &j, err);
	json_end(&j, '}');
	if (r == 0)
		r = j.failed ? oom(err) : change(b, st, "healthcheck", j.buf, err);
	json_free(&j);
	return r;
}

/* ---- all ---- */

static int apply(struct build *b, struct build_state *st, const struct df_inst *i, struct err *err)
{
	char *text = NULL;
	int r = 0;
	switch (i->kind) {
	case DF_ENV:
		return do_pairs(b, st, i, "env", err);
	case DF_LABEL:
		return do_pairs(b, st, i, "label", err);
	case DF_CMD:
		return do_command(b, st, i, "cmd", err);
	case DF_ENTRYPOINT:
		return do_command(b, st, i, "entrypoint", err);
	case DF_SHELL:
		return do_command(b, st, i, "shell", err);
	case DF_EXPOSE:
		return do_expose(b, st, i, err);
	case DF_VOLUME:
		return do_volume(b, st, i, err);
	case DF_HEALTHCHECK:
		return do_health(b, st, i, err);
	case DF_MAINTAINER:
		return change(b, st, "author", i->rest, err);
	case DF_ONBUILD:
		text = df_trigger(&b->a, i);
		if (!text || strv_push(&b->a, &st->onbuild, text) < 0)
			return oom(err);
		return change(b, st, "onbuild", text, err);
	case DF_STOPSIGNAL:
		r = one(b, st, i, &text, err);
		if (r == 0 && !is_signal(text))
			return df_err(
				&b->d, i->line, i->words[0].at, err, "\"%s\" is no signal", text);
		return r < 0 ? r : change(b, st, "stopsignal", text, err);
	case DF_USER:
		r = one(b, st, i, &text, err);
		st->user = r < 0 ? st->user : text;
		return r < 0 ? r : change(b, st, "user", text, err);
	default:
		return 0;
	}
}

int build_meta(struct build *b, struct build_state *st, const struct df_inst *i, struct err *err)
{
	int r = 0;
	if (i->kind == DF_ARG) {
		for (size_t k = 0; r == 0 && k < i->n_pairs; k++)
			r = build_arg(b, st, i, &i->pairs[k], err);
	} else if (i->kind == DF_RUN || i->kind == DF_COPY || i->kind == DF_ADD ||
		i->kind == DF_WORKDIR || i->kind == DF_FROM) {
		return 0;
	} else {
		r = apply(b, st, i, err);
	}
	if (r == 0)
		r = change(b, st, "empty-history", df_source(&b->a, i), err);
	return r < 0 ? r : 1;
}

char *build_path(struct build *b, const struct build_state *st, const char *text)
{
	const char *base = *text == '/' || !st->workdir ? "" : st->workdir;
	char *whole = arena_printf(&b->a, "%s/%s", base, text);
	return whole ? path_fold(&b->a, whole) : NULL;
}
