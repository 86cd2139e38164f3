/* seed/seed.c - see seed.h
 *
 * Theory: plain files and directories are copied first, as hooks are checked against what came
 * along.  Settings files are held as documents in memory: the user's filtered copy, then the
 * log-in, then what the profile writes, so that one file may have several sources and is written
 * once.  In a home that is not new, documents and files that are there win over the user's copies.
 * In a template, its own file is below them: what must win over that is held beside (top), and all
 * of it is put together elsewhere (merge.h).
 */
#include "seed/seed.h"

#include <fcntl.h>
#include <time.h>

#include "base/path.h"
#include "base/text.h"
#include "seed/copy.h"
#include "seed/expand.h"
#include "seed/git.h"
#include "seed/glob.h"
#include "seed/imports.h"
#include "json/json.h"
#include "seed/merge.h"
#include "seed/reads.h"
#include "seed/script.h"
#include "seed/secret.h"
#include "seed/spec.h"
#include "seed/standing.h"
#include "seed/toml.h"

#define DOCS_MAX 64

struct doc {
	const char *rel;
	enum seed_format format;
	struct json_doc *json, *top_json;
	struct toml_doc toml, top_toml;
	bool old;     /* was in the home before */
	bool touched; /* has to be written */
	const struct seed_state *state;
};

struct run {
	const struct seed_request *rq;
	struct seed_report *report;
	struct arena *a;
	struct seed_spec spec;
	struct seed_copy copy;
	struct seed_cache cache;
	struct doc docs[DOCS_MAX];
	size_t n_docs;
	bool login; /* a log-in came along */
	bool expired;
	const char *broken;  /* the last log-in that could not be read */
	const char *place;   /* of the document at work, for the report */
	const char *missing; /* why the last command was dropped */
};

static void free_docs(struct run *r)
{
	for (size_t i = 0; i < r->n_docs; i++) {
		json_doc_free(r->docs[i].json);
		json_doc_free(r->docs[i].top_json);
	}
}

/* ---- names ---- */

static char *expand_path(struct run *r, const char *path, bool host)
{
	return seed_expand_path(r->a, r->copy.home, path, host);
}

/* ---- documents ---- */

static void on_withheld(void *ud, const char *place, const char *why)
{
	struct run *r = ud;
	seed_say(r->report, why == r->missing ? SEED_LEFT : SEED_WITHHELD, "%s: %s: %s", r->place,
		place, why);
}

static const char *on_missing(void *ud, const char *command, const char *const *args, size_t n)
{
	struct run *r = ud;
	return r->missing = seed_script_missing(&r->copy, command, args, n);
}

static const struct json_watch *watch(struct run *r, struct json_watch *w)
{
	*w = (struct json_watch){.withheld = on_withheld,
		.secret = secret_value,
		.secret_name = secret_name,
		.missing = on_missing,
		.ud = r};
	return w;
}

static void set_place(struct run *r, const char *rel)
{
	r->place = arena_printf(r->a, "~/%s", rel);
}

/* Parse text as the document's format; keep NULL: everything. */
static int parse_doc(struct run *r, const char *text, size_t n, enum seed_format format,
	const struct seed_state *filter, struct doc *ret, struct err *err)
{
	struct json_watch w;
	if (format == SEED_TOML)
		return toml_doc_parse(r->a, text, n, filter ? &filter->keep : NULL,
			filter ? &filter->drop : NULL, watch(r, &w), &ret->toml, err);
	int k = json_doc_parse(text, n, &ret->json, err);
	if (k == 0 && filter)
		ret->toml.skipped = json_doc_filter(
			ret->json, &filter->keep, &filter->drop, watch(r, &w));
	return k;
}

static int new_doc(struct run *r, enum seed_format format, struct json_doc **json,
	struct toml_doc *toml, struct err *err)
{
	*json = NULL;
	if (format == SEED_TOML)
		return toml_doc_parse(r->a, "", 0, NULL, NULL, NULL, toml, err);
	return (*json = json_doc_new()) ? 0 : err_set(err, ENOMEM, "out of memory");
}

/* The document for rel, with what the home holds already. */
static int get_doc(
	struct run *r, const char *rel, enum seed_format format, struct doc **ret, struct err *err)
{
	for (size_t i = 0; i < r->n_docs; i++) {
		if (streq(r->docs[i].rel, rel)) {
			*ret = &r->docs[i];
			return r->docs[i].format == format
				? 0
				: err_set(err, EINVAL, "~/%s has two formats", rel);
		}
	}
	if (r->n_docs == DOCS_MAX)
		return err_set(err, E2BIG, "more than %d settings files", DOCS_MAX);
	struct doc d = {.rel = rel, .format = format};
	char *text;
	ssize_t n = *rel == '$' ? 0 : seed_read_back(&r->copy, rel, &text, NULL);
	struct err ignored;
	if (n > 0 && parse_doc(r, text, (size_t)n, format, NULL, &d, &ignored) == 0)
		d.old = true;
	int k = d.old ? 0 : new_doc(r, format, &d.json, &d.toml, err);
	if (k == 0 && r->rq->below)
		k = new_doc(r, format, &d.top_json, &d.top_toml, err);
	if (k < 0)
		return k;
	r->docs[r->n_docs] = d;
	*ret = &r->docs[r->n_docs++];
	return 0;
}

static void merge_doc(struct doc *to, struct doc *add, bool over)
{
	const bool top = over && (to->top_json || to->top_toml.a);
	if (to->format == SEED_TOML) {
		toml_doc_merge(&to->toml, &add->toml, over);
		if (top)
			toml_doc_merge(&to->top_toml, &add->toml, true);
	} else {
		json_doc_merge(to->json, add->json, over);
		if (top)
			json_doc_merge(to->top_json, add->json, true);
	}
	to->touched = true;
}

/* Where the profile's log-ins are: in a home that lasts, an older one would hide this one. */
static bool is_login(struct run *r, const char *rel)
{
	for (size_t i = 0; i < r->spec.n_login; i++) {
		char *path = expand_path(r, r->spec.login[i].path, false);
		if (path && streq(path, rel))
			return true;
	}
	return false;
}

static const char *text_of(struct run *r, const struct json_doc *json, const struct toml_doc *toml)
{
	if (!json)
		return toml_doc_text(toml);
	_cleanup_free_ char *text = json_doc_text(json);
	return text ? arena_dup(r->a, text) : NULL;
}

static int write_docs(struct run *r, struct err *err)
{
	struct seed_merge m[DOCS_MAX];
	size_t n = 0;
	for (size_t i = 0; i < r->n_docs; i++) {
		struct doc *d = &r->docs[i];
		if (!d->touched)
			continue;
		if (*d->rel == '$') { /* a variable's */
			_cleanup_free_ char *line = json_line_text(d->json);
			seed_say(r->report, SEED_VARIABLE, "%s=%s", d->rel + 1, line ? line : "");
			continue;
		}
		m[n] = (struct seed_merge){.rel = d->rel, .format = d->format};
		m[n].all = text_of(r, d->json, &d->toml);
		if (d->top_json || d->top_toml.a)
			m[n].top = text_of(r, d->top_json, &d->top_toml);
		if (!m[n].all)
			return err_set(err, ENOMEM, "out of memory");
		/* of a log-in there is one: a template's would be mixed with the user's */
		if (is_login(r, d->rel)) {
			m[n].text = arena_dup(r->a, m[n].all);
			seed_say(r->report, SEED_FRESH, "%s", seed_place(&r->copy, d->rel));
		}
		n++;
	}
	int k = seed_merge_all(&r->copy, r->rq->merge, m, n, err);
	for (size_t i = 0; i < n && k == 0; i++)
		k = seed_write(&r->copy, m[i].rel, m[i].text, strlen(m[i].text), false, err);
	return k;
}

/* ---- state ---- */

/* A file that was made but never filled says nothing, and there is nothing to say about it. */
static bool is_blank(const char *text, ssize_t n)
{
	return n >= 0 && (size_t)n == strspn(text, " \t\r\n");
}

static void on_prompt(void *ud, const char *place)
{
	struct run *r = ud;
	seed_say(r->report, SEED_LEFT, "%s: %s: it would ask or refuse (--no-yolo brings it along)",
		r->place, place);
}

static int take_settings(struct run *r, const struct seed_state *s, const char *from,
	const char *rel, struct err *err)
{
	struct doc *d;
	int k = get_doc(r, rel, s->format, &d, err);
	if (k < 0 || d->old)
		return k;
	set_place(r, rel);
	char *text;
	struct err why = {0};
	ssize_t n = seed_read(&r->copy, from, &text, &why);
	if (n == -ENOENT || n == -ENOTDIR || is_blank(text, n))
		return 0;
	struct doc own = {.format = s->format};
	size_t before = r->report->n;
	if (n < 0 || parse_doc(r, text, (size_t)n, s->format, s, &own, &why) < 0 ||
		(own.format == SEED_TOML && toml_doc_open(&own.toml, &why) < 0)) {
		r->report->n = before; /* one line for the whole file is enough */
		seed_say(r->report, SEED_LEFT, "%s: %s", r->place, why.msg);
		return 0;
	}
	if (own.toml.skipped)
		seed_say(r->report, SEED_SKIPPED, "%s: %zu keys that are on no list", r->place,
			own.toml.skipped);
	if (own.json && !r->rq->no_yolo)
		json_doc_remove(own.json, &s->prompts, on_prompt, r);
	if (own.json)
		seed_reads_json(r->report, own.json, &s->variables);
	else
		seed_reads_toml(r->report, &own.toml, &s->variables);
	merge_doc(d, &own, false);
	json_doc_free(own.json);
	d->state = s;
	return 0;
}

/* What the texts of an entry import, or its settings name. */
static int take_texts(struct run *r, const struct seed_state *s, const char *from, const char *rel,
	struct err *err)
{
	if (s->imports)
		return seed_imports(&r->copy, from, rel, err);
	for (size_t i = 0; i < r->n_docs; i++)
		if (r->docs[i].state == s && r->docs[i].json)
			return seed_imports_doc(
				&r->copy, from, rel, r->docs[i].json, &s->texts, err);
	return 0;
}

/* In this order: what is named may be there by then. */
enum pass { TAKE_FILES, TAKE_SETTINGS, TAKE_TEXTS, PASSES };

static int take_entry(struct run *r, const struct seed_state *s, enum pass pass, struct err *err)
{
	const bool settings = s->format != SEED_PLAIN;
	char *from = expand_path(r, s->path, true);
	char *rel = expand_path(r, s->path, false);
	if (!from || !rel)
		return err_set(err, EINVAL, "%s: bad path \"%s\"", r->rq->profile, s->path);
	if (pass == TAKE_TEXTS)
		return take_texts(r, s, from, rel, err);
	if (settings != (pass == TAKE_SETTINGS))
		return 0;
	return settings
		? take_settings(r, s, from, rel, err)
		: seed_copy(&r->copy, from, rel, arena_printf(r->a, "~/%s", rel), &s->exclude, err);
}

static int take_state(struct run *r, struct err *err)
{
	int k = 0;
	for (enum pass pass = 0; pass < PASSES; pass++)
		for (size_t i = 0; i < r->spec.n_state && k == 0; i++)
			k = take_entry(r, &r->spec.state[i], pass, err);
	struct json_watch w;
	for (size_t i = 0; i < r->n_docs && k == 0; i++) {
		struct doc *d = &r->docs[i];
		if (!d->state)
			continue;
		set_place(r, d->rel);
		if (d->json)
			json_doc_check_commands(d->json, &d->state->commands, watch(r, &w));
		else
			toml_doc_check_commands(&d->toml, &d->state->commands, watch(r, &w));
	}
	return k;
}

/* ---- log-in ---- */

static bool is_set(const char *name)
{
	const char *v = getenv(name);
	return v && *v;
}

static bool when_holds(const struct run *r, const struct seed_when *w)
{
	bool any = w->env.n == 0;
	for (size_t i = 0; i < w->env.n; i++)
		any = any || is_set(w->env.v[i]);
	for (size_t i = 0; i < w->no_env.n; i++)
		any = any && !is_set(w->no_env.v[i]);
	const char *v = r->rq->version;
	return any && (w->login == SEED_EITHER || (w->login == SEED_YES) == r->login) &&
		(w->yolo == SEED_EITHER || (w->yolo == SEED_YES) == !r->rq->no_yolo) &&
		(!w->since || !text_version_below(v, w->since)) &&
		(!w->before || text_version_below(v, w->before));
}

struct tokens {
	const struct seed_spec *spec;
	const struct seed_login *login;
	const struct json_doc *doc;
	int64_t now, soonest;
	char expired[256]; /* the roots of those that are over */
	char lasting[64];  /* the root of one that never ends */
	char names[256];
	char *key; /* what a stand-in is put in place of */
	struct arena *a;
};

static void add_name(char *names, size_t cap, const char *name)
{
	size_t n = strlen(names);
	snprintf(names + n, cap - n, "%s%s", n ? ", " : "", name);
}

/* A file of several log-ins is told apart by their names: "*.access". */
static bool several(const struct seed_login *l)
{
	return streq(l->token.seg[0], "*") && !l->token.literal[0];
}

/* Is this one of several which an entry of its own is for?  One of the other kind is where what it
 * looks for is there: a provider has a log-in or a key, and some log-ins are as good as a key. */
static bool has_own_entry(const struct tokens *s, const char *root)
{
	for (size_t i = 0; several(s->login) && i < s->spec->n_login; i++) {
		const struct seed_login *o = &s->spec->login[i];
		if (streq(o->path, s->login->path) && !several(o) && streq(o->token.seg[0], root) &&
			(o->key == s->login->key || json_doc_at(s->doc, o->token_text)))
			return true;
	}
	return false;
}

static bool on_token(void *ud, const struct json_token *t)
{
	struct tokens *s = ud;
	if (has_own_entry(s, t->root))
		return false;
	/* What never ends is as good as a refresh token. */
	if (!t->expires && !s->login->key) {
		snprintf(s->lasting, sizeof(s->lasting), "%s", t->root);
		return false;
	}
	/* One that ends within a minute is of no use to the run. */
	if (t->expires && t->expires <= s->now + 60) {
		add_name(s->expired, sizeof(s->expired), t->root);
		return false;
	}
	if (t->expires && (!s->soonest || t->expires < s->soonest))
		s->soonest = t->expires;
	add_name(s->names, sizeof(s->names), t->root);
	if (s->login->variable)
		s->key = arena_dup(s->a, t->token);
	return true;
}

/* The key itself stays outside, where there is something to stand in for it. */
static void stand_in(struct run *r, const struct seed_login *l, struct json_doc *doc, char *key)
{
	struct keypat token = l->token;
	const struct keypats where = {.v = &token, .n = 1};
	const char *text = l->variable ? strv_env_get(&r->rq->stand_ins, l->variable) : NULL;
	char *copy = text && key ? arena_dup(r->a, text) : NULL;
	if (!copy)
		return;
	json_doc_put(doc, &where, copy);
	seed_say(r->report, SEED_KEY, "%s=%s", l->variable, key);
	explicit_bzero(key, strlen(key));
}

static void announce(struct run *r, const struct seed_login *l, const struct tokens *t)
{
	char left[32], until[64] = "", which[300] = "";
	if (several(l))
		snprintf(which, sizeof(which), " for %s", t->names);
	if (t->soonest)
		snprintf(until, sizeof(until), ", expires in %s",
			seed_duration(t->soonest - t->now, left, sizeof(left)));
	if (l->key)
		seed_say(r->report, SEED_NOTICE, "using your %s%s", l->name, which);
	else
		seed_say(r->report, SEED_NOTICE, "using your %s log-in%s (access token only%s)",
			l->name, which, until);
	seed_say(r->report, SEED_LOGIN, "used %s", l->name);
	r->login = true;
}

/* What bawn-login needs to know (login/login.h). */
static void say_renew(struct run *r, const struct seed_login *l, const char *file)
{
	const struct seed_renew *n = &l->renew;
	const struct {
		const char *key, *value;
	} rows[] = {{"label", l->name}, {"run", l->run}, {"file", file}, {"token", l->token_text},
		{"expires", l->expires_text}, {"refresh", n->refresh}, {"id", n->id},
		{"refreshed", n->refreshed}, {"url", n->url}, {"client_id", n->client_id},
		{"client_secret", n->client_secret}, {"scope", n->scope},
		{"form", n->form ? "yes" : NULL}};
	_cleanup_(json_doc_freep) struct json_doc *d = json_doc_new();
	for (size_t i = 0; d && i < ARRAY_LEN(rows); i++)
		if (rows[i].value)
			json_doc_set_at(d, rows[i].key, rows[i].value);
	_cleanup_free_ char *text = d ? json_line_text(d) : NULL;
	if (text)
		seed_say(r->report, SEED_RENEW, "%s=%s", l->credential, text);
}

/* The log-in itself stays on the host: a document of its shape comes along, which nobody can log in
 * with and the tool takes for one that ends in years.  0: there is none. */
static int cover_login(struct run *r, const struct seed_login *l, struct json_doc *doc,
	const char *file, const char *text)
{
	enum { YEARS = 10 };
	const int64_t end = (int64_t)time(NULL) + (int64_t)YEARS * 365 * 86400;
	struct keypat pattern = l->token;
	const struct keypats token = {.v = &pattern, .n = 1};
	const char *real = json_doc_at(doc, l->token_text);
	char empty[] = "";
	if (!real || !*real)
		return 0;
	json_doc_keep(doc, &l->keep);
	json_doc_unsign(doc, &l->unsign, end);
	json_doc_put(doc, &l->blank, empty);
	if (streq(l->expires_text, "jwt"))
		json_doc_unsign(doc, &token, end);
	else if (json_doc_set_at(doc, l->token_text, text) < 0 ||
		json_doc_set_time_at(doc, l->expires_text, end) < 0)
		return -EINVAL;
	say_renew(r, l, file);
	return 1;
}

/* As it was until now: what of it doesn't last comes along.  0: nothing. */
static int pick_tokens(
	struct run *r, const struct seed_login *l, struct json_doc *doc, const char *rel, bool *ret)
{
	char empty[] = "";
	struct tokens t = {.spec = &r->spec, .login = l, .doc = doc, .now = time(NULL), .a = r->a};
	size_t kept = json_doc_tokens(doc, &l->token, l->expires_text, &l->expires, on_token, &t);
	*ret = false;
	if (l->covered && t.key && !strv_env_get(&r->rq->stand_ins, l->variable)) {
		seed_say(r->report, SEED_NOTICE,
			"your %s stays outside: no policy has the credential for it (%s)", l->name,
			l->variable);
		return 0;
	}
	if (t.lasting[0])
		seed_say(r->report, SEED_WITHHELD, "~/%s: %s: a token that does not expire", rel,
			t.lasting);
	if (t.expired[0])
		seed_say(r->report, SEED_NOTICE,
			"your %s log-in%s%s has expired: run `%s` once on the host", l->name,
			several(l) ? " for " : "", several(l) ? t.expired : "", l->run);
	if (kept == 0) {
		r->expired = r->expired || t.expired[0];
		if (t.expired[0])
			seed_say(r->report, SEED_LOGIN, "expired %s", l->name);
		return 0;
	}
	json_doc_keep(doc, &l->keep);
	json_doc_unsign(doc, &l->unsign, 0);
	json_doc_put(doc, &l->blank, empty);
	stand_in(r, l, doc, t.key);
	announce(r, l, &t);
	*ret = true;
	return 0;
}

/* 0 with *ret: what is left of doc comes along. */
static int choose(struct run *r, const struct seed_login *l, struct json_doc *doc, const char *from,
	const char *rel, bool *ret)
{
	char *name = l->credential ? arena_printf(r->a, "@%s", l->credential) : NULL;
	const char *text = name ? strv_env_get(&r->rq->stand_ins, name) : NULL;
	*ret = false;
	/* without a file it can't be renewed */
	if (!text || !from || GUARD_REMOVED("login-shape"))
		return pick_tokens(r, l, doc, rel, ret);
	if (!*text) {
		seed_say(r->report, SEED_NOTICE,
			"your %s log-in stays outside, as the sandbox was started without it: "
			"`bawn stop %s`, then run it again",
			l->name, r->rq->sandbox);
		return 0;
	}
	int k = cover_login(r, l, doc, from, text);
	if (k < 0)
		seed_say(r->report, SEED_NOTICE,
			"your %s log-in can't be used: ~/%s is not as %s writes it", l->name, rel,
			l->run);
	if (k > 0) {
		seed_say(r->report, SEED_NOTICE, "using your %s log-in (it stays on the host)",
			l->name);
		seed_say(r->report, SEED_LOGIN, "used %s", l->name);
		r->login = *ret = true;
	}
	return 0;
}

/* A document of a variable, which becomes that variable again: it is kept as one of that name,
 * "$NAME", beside those of files. */
static ssize_t from_variable(
	struct run *r, const char *name, char **ret_from, char **ret_rel, char **ret_text)
{
	char *rel = arena_printf(r->a, "$%s", name), *text = arena_dup(r->a, getenv(name));
	if (!rel || !text)
		return -ENOMEM;
	*ret_from = NULL;
	*ret_rel = rel;
	*ret_text = text;
	return (ssize_t)strlen(text);
}

static int take_login(struct run *r, const struct seed_login *l, struct err *err)
{
	char *from = expand_path(r, l->path, true), *rel = expand_path(r, l->path, false), *text;
	if (!from || !rel)
		return err_set(err, EINVAL, "%s: bad path \"%s\"", r->rq->profile, l->path);
	struct err why = {0};
	const bool in_env = l->env && is_set(l->env);
	ssize_t n = in_env ? from_variable(r, l->env, &from, &rel, &text)
			   : seed_read(&r->copy, from, &text, &why);
	if (n == -ENOENT || n == -ENOTDIR || is_blank(text, n))
		return 0;
	_cleanup_(json_doc_freep) struct json_doc *doc = NULL, *fixed = NULL;
	if (n < 0 || json_doc_parse(text, (size_t)n, &doc, &why) < 0) {
		if (r->broken && streq(r->broken, rel)) /* it has several entries */
			return 0;
		r->broken = rel;
		seed_say(r->report, SEED_NOTICE, "your %s log-in can't be used: %s%s: %s", l->name,
			in_env ? "" : "~/", rel, why.msg);
		return 0;
	}
	bool comes;
	if (choose(r, l, doc, from, rel, &comes) < 0 || !comes)
		return 0;
	if (l->set) {
		char *set;
		int k = seed_expand(r->a, r->rq, l->set, true, &set, err);
		if (k == 0)
			k = json_doc_parse(set, strlen(set), &fixed, err);
		if (k == 0)
			k = json_doc_merge(doc, fixed, true);
		if (k < 0)
			return err_prefix(err, "%s: \"set\" of %s", r->rq->profile, l->name);
	}
	struct doc *d, own = {.format = SEED_JSON, .json = doc};
	int k = get_doc(r, rel, SEED_JSON, &d, err);
	if (k < 0)
		return k;
	merge_doc(d, &own, true);
	return 0;
}

/* ---- files ---- */

static int put_file(struct run *r, const struct seed_file *f, struct err *err)
{
	char *content;
	int k = seed_expand(r->a, r->rq, f->content, f->format != SEED_PLAIN, &content, err);
	if (k < 0)
		return err_prefix(err, "%s", r->rq->profile);
	if (f->env && !f->over && is_set(f->env)) {
		return 0;
	} else if (f->env) {
		size_t n = strcspn(content, "\n");
		content[n] = '\0';
		seed_say(r->report, SEED_ENV, "%s=%s", f->env, content);
		return 0;
	}
	const char *rel = f->path + 2;
	if (f->format == SEED_PLAIN)
		return !f->over && seed_has(&r->copy, rel)
			? 0
			: seed_write(&r->copy, rel, content, strlen(content), false, err);
	struct doc *d, own = {.format = f->format};
	k = get_doc(r, rel, f->format, &d, err);
	if (k == 0)
		k = parse_doc(r, content, strlen(content), f->format, NULL, &own, err);
	if (k < 0)
		return err_prefix(err, "%s: content of %s", r->rq->profile, f->path);
	merge_doc(d, &own, f->over);
	json_doc_free(own.json);
	return 0;
}

/* Does text have these lines, as lines? */
static bool has_lines(const char *text, const char *lines)
{
	size_t n = strlen(lines);
	for (const char *at = text; (at = strstr(at, lines)); at++)
		if (at == text || at[-1] == '\n')
			return n > 0 && (lines[n - 1] == '\n' || at[n] == '\n' || !at[n]);
	return false;
}

/* Lines behind those that a file has. */
static int put_lines(struct run *r, const char *what, struct err *err)
{
	const size_t n = strcspn(what, "=");
	const char *lines = what + n + 1;
	if (!has_prefix(what, "~/") || !what[n] || !*lines)
		return err_set(err, EINVAL, "no lines for a file of the home: %s", what);
	char *rel = arena_dupn(r->a, what + 2, n - 2), *text;
	ssize_t k = rel ? seed_read_any(&r->copy, rel, &text, err) : -ENOMEM;
	if (k == -ENOENT || k == -ENOTDIR)
		text = arena_dup(r->a, "");
	else if (k < 0)
		return (int)k;
	if (text && has_lines(text, lines))
		return 0;
	const size_t old = text ? strlen(text) : 0;
	if (text)
		text = arena_printf(r->a, "%s%s%s%s", text,
			old && text[old - 1] != '\n' ? "\n" : "", lines,
			lines[strlen(lines) - 1] != '\n' ? "\n" : "");
	return text ? seed_write(&r->copy, rel, text, strlen(text), false, err)
		    : err_set(err, ENOMEM, "out of memory");
}

/* ---- all ---- */

/* "${CODEX_HOME:-~/.codex}/config.toml", where the template sets that variable: what is inside at
 * ~/.codex/config.toml elsewhere is there. */
static void move(struct run *r, const char *path)
{
	const char *dash = has_prefix(path, "${") ? strstr(path, ":-") : NULL,
		   *end = strchr(path, '}');
	char *name = dash ? arena_dupn(r->a, path + 2, (size_t)(dash - path) - 2) : NULL;
	const char *to = name ? strv_env_get(&r->rq->variables, name) : NULL;
	char *rel = expand_path(r, path, false);
	if (rel && to && *to == '/' && end)
		strv_addf(r->a, &r->copy.moved, "%s=%s%s", rel, to, end + 1);
}

/* "projects.\"${WORKSPACE}\".mcpServers" */
static void place_workspace(struct keypats *pats, const char *workspace)
{
	for (size_t i = 0; i < pats->n; i++)
		for (size_t k = 0; k < pats->v[i].n; k++)
			if (pats->v[i].literal[k] && streq(pats->v[i].seg[k], "${WORKSPACE}"))
				pats->v[i].seg[k] = (char *)(uintptr_t)workspace;
}

static int fill(struct run *r, struct err *err)
{
	for (size_t i = 0; i < r->spec.n_state && r->rq->workspace; i++) {
		place_workspace(&r->spec.state[i].keep, r->rq->workspace);
		place_workspace(&r->spec.state[i].drop, r->rq->workspace);
		place_workspace(&r->spec.state[i].commands, r->rq->workspace);
		place_workspace(&r->spec.state[i].prompts, r->rq->workspace);
		place_workspace(&r->spec.state[i].variables, r->rq->workspace);
	}
	int k = r->rq->bare_home ? 0 : take_state(r, err);
	for (size_t i = 0; i < r->spec.n_login && k == 0 && !r->rq->no_login; i++)
		if (when_holds(r, &r->spec.login[i].when))
			k = take_login(r, &r->spec.login[i], err);
	if (!r->login && !r->expired)
		seed_say(r->report, SEED_LOGIN, "none");
	for (size_t i = 0; i < r->spec.n_files && k == 0; i++)
		if (when_holds(r, &r->spec.files[i].when))
			k = put_file(r, &r->spec.files[i], err);
	if (k == 0)
		k = write_docs(r, err);
	for (size_t i = 0; i < r->rq->lines.n && k == 0; i++)
		k = put_lines(r, r->rq->lines.v[i], err);
	if (k == 0)
		k = seed_standing(&r->copy, r->rq, &r->spec, err);
	return k == 0 && !r->rq->bare_home ? seed_git(&r->copy, r->rq->workspace, err) : k;
}

/* A start does not fail over a cache. */
static void keep_cache(struct run *r)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	for (size_t i = 0; f && i < r->report->n; i++)
		fprintf(f, "%s\t%s\n", seed_kind_name(r->report->v[i].kind), r->report->v[i].text);
	if (!f || fclose(f) != 0)
		seed_cache_refuse(&r->cache);
	seed_cache_save(&r->cache, r->rq->cache, text ? text : "", NULL);
}

int seed_run(const struct seed_request *rq, struct seed_report *report, struct err *err)
{
	struct run r = {.rq = rq, .report = report, .a = report->a};
	struct yaml_node *root;
	int k = yaml_load(r.a, rq->profile, &root, err);
	if (k == 0)
		k = seed_spec_parse(r.a, rq->profile, root, &r.spec, err);
	if (k < 0)
		return k;
	const char *home = getenv("HOME");
	if (!home || *home != '/')
		return err_set(err, EINVAL, "HOME is not an absolute path");
	_cleanup_close_ int dst = open(rq->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dst < 0)
		return err_sys(err, errno, "open %s", rq->home);
	char *real = path_real(r.a, home);
	if (!real)
		return err_sys(err, errno, "%s", home);
	r.copy = (struct seed_copy){.a = r.a,
		.report = report,
		.home = real,
		.workspace = rq->workspace,
		.dst = dst,
		.below = rq->below,
		.shown = &rq->shown,
		.path = rq->path ? rq->path : "/usr/local/bin:/usr/bin:/bin",
		.joined = &r.spec.instructions_file};
	k = seed_glob(r.a, real, &r.spec, err);
	if (k < 0)
		return k;
	for (size_t i = 0; i < r.spec.n_state && rq->below && rq->below->place; i++)
		move(&r, r.spec.state[i].path);
	for (size_t i = 0; i < r.spec.n_login && rq->below && rq->below->place; i++)
		move(&r, r.spec.login[i].path);
	bool git_only = !r.spec.n_state && !r.spec.n_login && !r.spec.n_files &&
		!r.spec.instructions_file.n;
	if (rq->cache && git_only && !rq->bare_home) {
		seed_cache_begin(&r.cache, rq->now ? rq->now : (int64_t)time(NULL));
		r.copy.cache = &r.cache;
	}
	k = fill(&r, err);
	if (k < 0)
		seed_cache_refuse(r.copy.cache);
	if (r.copy.cache)
		keep_cache(&r);
	free_docs(&r);
	return k < 0 ? k : arena_check(r.a, err);
}
