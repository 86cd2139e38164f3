/* build/parse.c - Dockerfile instructions; see dockerfile.h
 *
 * Theory: a table says how each instruction is read and which flags it may have.  Words are slices
 * of the logical line, unexpanded: what a variable stands for is only known when the stage that
 * the instruction is in is built.
 */
#include <ctype.h>
#include <strings.h>

#include "base/text.h"
#include "build/exec-form.h"
#include "build/expand.h"
#include "build/lines.h"
#include "build/mount.h"

struct parser {
	struct arena *a;
	struct dockerfile *d;
	struct err *err;
	struct df_in in;
	bool trigger; /* no FROM is needed */
};

typedef int (*read_fn)(struct parser *p, struct df_inst *i);

enum flag_kind { FLAG_VALUE, FLAG_BOOL, FLAG_LIST, FLAG_NONE };

struct flag_type {
	enum df_kind inst;
	const char *name;
	enum flag_kind kind; /* FLAG_NONE: known, but not supported */
};

static const struct flag_type flag_types[] = {
	{DF_ADD, "chown", FLAG_VALUE},
	{DF_ADD, "chmod", FLAG_VALUE},
	{DF_ADD, "link", FLAG_BOOL},
	{DF_ADD, "exclude", FLAG_LIST},
	{DF_ADD, "unpack", FLAG_BOOL},
	{DF_ADD, "keep-git-dir", FLAG_BOOL},
	{DF_ADD, "checksum", FLAG_VALUE},
	{DF_COPY, "chown", FLAG_VALUE},
	{DF_COPY, "chmod", FLAG_VALUE},
	{DF_COPY, "from", FLAG_VALUE},
	{DF_COPY, "link", FLAG_BOOL},
	{DF_COPY, "exclude", FLAG_LIST},
	{DF_COPY, "parents", FLAG_BOOL},
	{DF_FROM, "platform", FLAG_VALUE},
	{DF_HEALTHCHECK, "interval", FLAG_VALUE},
	{DF_HEALTHCHECK, "timeout", FLAG_VALUE},
	{DF_HEALTHCHECK, "start-period", FLAG_VALUE},
	{DF_HEALTHCHECK, "start-interval", FLAG_VALUE},
	{DF_HEALTHCHECK, "retries", FLAG_VALUE},
	{DF_RUN, "mount", FLAG_LIST},
	{DF_RUN, "network", FLAG_VALUE},
	{DF_RUN, "security", FLAG_VALUE},
	{DF_RUN, "device", FLAG_NONE},
};

static int oom(struct parser *p)
{
	return err_set(p->err, ENOMEM, "out of memory");
}

static size_t blanks(const char *s)
{
	size_t n = 0;
	while (isspace((unsigned char)s[n]))
		n++;
	return n;
}

/* ---- flags ---- */

/* The word at s with its quotes and backslashes undone; how long it was. */
static size_t flag_word(const char *s, char *out)
{
	const char *from = s;
	char quote = 0;
	for (; *s && (quote || !isspace((unsigned char)*s)); s++) {
		if (quote ? *s == quote : *s == '\'' || *s == '"') {
			quote = quote ? 0 : *s;
			continue;
		}
		if (*s == '\\') {
			if (!s[1])
				continue;
			s++;
		}
		*out++ = *s;
	}
	*out = '\0';
	return (size_t)(s - from);
}

static const struct flag_type *flag_type(const struct df_inst *i, const char *name)
{
	for (size_t k = 0; k < ARRAY_LEN(flag_types); k++)
		if (flag_types[k].inst == i->kind && streq(flag_types[k].name, name))
			return &flag_types[k];
	return NULL;
}

static int no_flag(struct parser *p, struct df_inst *i, const struct df_flag *f)
{
	const char *all[ARRAY_LEN(flag_types)];
	size_t n = 0;
	for (size_t k = 0; k < ARRAY_LEN(flag_types); k++)
		if (flag_types[k].inst == i->kind)
			all[n++] = flag_types[k].name;
	const char *near = text_nearest(f->name, all, n);
	if (near)
		err_hint(p->err, "did you mean --%s?", near);
	return df_err(
		p->d, i->line, f->at, p->err, "%s has no flag --%.60s", df_name(i->kind), f->name);
}

static int check_flag(struct parser *p, struct df_inst *i, struct df_flag *f)
{
	const struct flag_type *t = flag_type(i, f->name);
	if (!t)
		return no_flag(p, i, f);
	if (t->kind == FLAG_NONE)
		return df_err(p->d, i->line, f->at, p->err, "%s --%s is not supported",
			df_name(i->kind), f->name);
	if (t->kind == FLAG_BOOL) {
		if (!f->has_value)
			f->value = "true";
		if (!streq(f->value, "true") && !streq(f->value, "false"))
			return df_err(p->d, i->line, f->at, p->err,
				"--%s is true or false, nothing else", f->name);
		return 0;
	}
	if (!f->has_value || !*f->value)
		return df_err(p->d, i->line, f->at, p->err, "--%s wants a value: --%s=...", f->name,
			f->name);
	for (size_t k = 0; t->kind != FLAG_LIST && k < i->n_flags; k++)
		if (streq(i->flags[k].name, f->name))
			return df_err(
				p->d, i->line, f->at, p->err, "--%s stands here twice", f->name);
	return 0;
}

/* From *at on; *at is moved behind them. */
static int read_flags(struct parser *p, struct df_inst *i, size_t *at)
{
	const char *text = i->line->text;
	_cleanup_free_ char *room = NULL;
	size_t cap = 0;
	for (;;) {
		*at += blanks(text + *at);
		if (strncmp(text + *at, "--", 2) != 0)
			return 0;
		if (!room)
			room = malloc(strlen(text) + 1);
		size_t n = room ? flag_word(text + *at, room) : 0;
		char *word = room ? arena_dup(p->a, room) : NULL;
		if (!word)
			return oom(p);
		struct df_flag f = {.at = *at, .name = word + 2, .value = ""};
		*at += n;
		if (!word[2])
			return 0;
		char *eq = strchr(word, '=');
		if (eq) {
			*eq = '\0';
			f.value = eq + 1;
			f.has_value = true;
		}
		int r = check_flag(p, i, &f);
		if (r < 0)
			return r;
		i->flags = arena_grow(p->a, i->flags, i->n_flags, &cap, sizeof(*i->flags));
		if (!i->flags)
			return oom(p);
		i->flags[i->n_flags++] = f;
	}
}

/* ---- words ---- */

static int add_word(struct parser *p, struct df_inst *i, size_t *cap, size_t off, size_t n)
{
	i->words = arena_grow(p->a, i->words, i->n_words, cap, sizeof(*i->words));
	char *s = i->words ? arena_dupn(p->a, i->rest + off, n) : NULL;
	if (!s)
		return oom(p);
	i->words[i->n_words++] = (struct df_word){.s = s, .at = i->rest_at + off};
	return 0;
}

/* Parted at blanks, whatever quotes there are. */
static int read_list(struct parser *p, struct df_inst *i)
{
	size_t off = 0, cap = 0;
	for (;;) {
		off += blanks(i->rest + off);
		size_t n = 0;
		while (i->rest[off + n] && !isspace((unsigned char)i->rest[off + n]))
			n++;
		if (!n)
			return 0;
		int r = add_word(p, i, &cap, off, n);
		if (r < 0)
			return r;
		off += n;
	}
}

/* The rest as one word, if there is a rest. */
static int read_whole(struct parser *p, struct df_inst *i)
{
	size_t cap = 0;
	return *i->rest ? add_word(p, i, &cap, 0, strlen(i->rest)) : 0;
}

/* How far the word at s goes: blanks in quotes and behind an escape character belong to it. */
static size_t quoted_word(const char *s, char escape)
{
	size_t n = 0;
	char quote = 0;
	for (; s[n] && (quote || !isspace((unsigned char)s[n])); n++) {
		if (s[n] == escape && quote != '\'') {
			if (s[n + 1])
				n++;
		} else if (quote) {
			quote = s[n] == quote ? 0 : quote;
		} else if (s[n] == '\'' || s[n] == '"') {
			quote = s[n];
		}
	}
	return n;
}

static int need(struct parser *p, struct df_inst *i, const char *what)
{
	return df_err(p->d, i->line, i->rest_at, p->err, "%s wants %s", df_name(i->kind), what);
}

/* JSON where it is JSON, else what the other function makes of it. */
static int read_exec_or(struct parser *p, struct df_inst *i, read_fn other)
{
	int form = exec_form_parse(p->a, i->rest, i->rest_at, &i->words, &i->n_words);
	if (form < 0)
		return oom(p);
	if (form == EXEC_FORM_OTHER)
		return df_err(p->d, i->line, i->rest_at, p->err,
			"the elements of a list are strings in double quotes");
	i->exec = form == EXEC_FORM_LIST;
	return i->exec ? 0 : other(p, i);
}

static int read_command(struct parser *p, struct df_inst *i)
{
	return read_exec_or(p, i, read_whole);
}

static int read_run(struct parser *p, struct df_inst *i)
{
	int r = read_command(p, i);
	if (r < 0)
		return r;
	for (size_t k = 0; k < i->n_flags; k++) {
		const struct df_flag *f = &i->flags[k];
		struct df_mount m;
		if (streq(f->name, "security") && !streq(f->value, "sandbox"))
			return df_err(p->d, i->line, f->at, p->err,
				"RUN --security=%.40s is not supported: a RUN is in a sandbox",
				f->value);
		if (streq(f->name, "network") && !streq(f->value, "default") &&
			!streq(f->value, "none"))
			return df_err(p->d, i->line, f->at, p->err,
				"RUN --network=%.40s is not supported: there are default and none",
				f->value);
		if (!streq(f->name, "mount"))
			continue;
		struct err why = {0};
		r = df_mount_parse(p->a, f->value, NULL, &m, &why);
		if (r < 0)
			return df_err(p->d, i->line, f->at, p->err, "--mount: %s", why.msg);
	}
	return i->n_words ? 0 : need(p, i, "a command");
}

static int read_shell(struct parser *p, struct df_inst *i)
{
	int r = read_command(p, i);
	if (r < 0)
		return r;
	if (!i->exec || !i->n_words)
		return need(p, i, "a list: SHELL [\"/bin/bash\", \"-c\"]");
	return 0;
}

static int read_volume(struct parser *p, struct df_inst *i)
{
	int r = read_exec_or(p, i, read_list);
	if (r < 0)
		return r;
	for (size_t k = 0; k < i->n_words; k++)
		if (!*i->words[k].s)
			return need(p, i, "paths that are not empty");
	return i->n_words ? 0 : need(p, i, "at least one path");
}

static int read_expose(struct parser *p, struct df_inst *i)
{
	int r = read_list(p, i);
	return r < 0 ? r : i->n_words ? 0 : need(p, i, "at least one port");
}

static int read_one(struct parser *p, struct df_inst *i)
{
	int r = read_whole(p, i);
	return r < 0 ? r : i->n_words ? 0 : need(p, i, "one argument");
}

static int read_from(struct parser *p, struct df_inst *i)
{
	int r = read_list(p, i);
	if (r < 0)
		return r;
	if (i->n_words != 1 && (i->n_words != 3 || strcasecmp(i->words[1].s, "AS") != 0))
		return need(p, i, "an image, or: FROM IMAGE AS NAME");
	if (i->n_words == 1)
		return 0;
	const struct df_word *name = &i->words[2];
	bool ok = isalpha((unsigned char)name->s[0]);
	for (const char *c = name->s; *c; c++)
		ok = ok && (isalnum((unsigned char)*c) || strchr("-_.", *c));
	if (!ok || strcasecmp(name->s, "scratch") == 0 || strcasecmp(name->s, "context") == 0)
		return df_err(p->d, i->line, name->at, p->err,
			"\"%.60s\" can't be the name of a stage", name->s);
	return 0;
}

/* ---- ADD, COPY, heredocs ---- */

static int read_copy(struct parser *p, struct df_inst *i)
{
	int r = read_exec_or(p, i, read_list);
	if (r < 0)
		return r;
	if (i->n_words < 2)
		return need(p, i, "at least one source and a destination");
	return 0;
}

/* "<<EOF", "<<-'EOF'", "3<<EOF": its name as a quoted shell word, NULL if it is none. */
static const char *heredoc_word(const char *s, bool *ret_chomp)
{
	while (isdigit((unsigned char)*s))
		s++;
	if (!has_prefix(s, "<<"))
		return NULL;
	s += 2;
	*ret_chomp = *s == '-';
	s += *ret_chomp;
	return *s && !strchr(s, '<') ? s : NULL;
}

/* 1 and *ret: it is one. */
static int heredoc_of(struct parser *p, const char *word, struct df_heredoc *ret)
{
	struct strv plain = {0}, raw = {0};
	struct expand e = {.escape = '\\', .keep_unset = true};
	bool chomp = false;
	const char *name = heredoc_word(word, &chomp);
	if (!name || expand_words(p->a, &e, name, &plain, NULL, NULL) < 0 || plain.n != 1)
		return 0;
	e.keep_quotes = e.keep_escapes = true;
	if (expand_words(p->a, &e, name, &raw, NULL, NULL) < 0 || raw.n != 1)
		return 0;
	*ret = (struct df_heredoc){
		.name = plain.v[0], .expand = streq(plain.v[0], raw.v[0]), .chomp = chomp};
	return 1;
}

static int read_heredocs(struct parser *p, struct df_inst *i)
{
	struct df_inst *in = i->kind == DF_ONBUILD ? i->sub : i;
	struct expand e = {
		.escape = '\\', .keep_unset = true, .keep_quotes = true, .keep_escapes = true};
	struct strv words = {0};
	size_t cap = 0;
	if (in->exec || (in->kind != DF_RUN && in->kind != DF_COPY && in->kind != DF_ADD) ||
		!strstr(in->rest, "<<"))
		return 0;
	/* what the shell can't read either has no heredoc */
	if (expand_words(p->a, &e, in->rest, &words, NULL, NULL) < 0)
		return 0;
	for (size_t k = 0; k < words.n; k++) {
		struct df_heredoc doc;
		const char *place = strstr(in->rest, words.v[k]);
		int r = heredoc_of(p, words.v[k], &doc);
		if (r <= 0)
			continue;
		r = df_take_heredoc(&p->in, i->line,
			in->rest_at + (place ? (size_t)(place - in->rest) : 0), &doc);
		if (r < 0)
			return r;
		in->docs = arena_grow(p->a, in->docs, in->n_docs, &cap, sizeof(*in->docs));
		if (!in->docs)
			return oom(p);
		in->docs[in->n_docs++] = doc;
	}
	if (in->kind == DF_RUN || !in->n_words)
		return 0;
	struct df_word *last = &in->words[in->n_words - 1];
	struct df_heredoc doc;
	if (heredoc_of(p, last->s, &doc) > 0)
		return df_err(p->d, i->line, last->at, p->err,
			"a heredoc can't be where %s copies to", df_name(in->kind));
	return 0;
}

/* ---- ENV, LABEL, ARG ---- */

static int add_pair(struct parser *p, struct df_inst *i, size_t *cap, struct df_pair pair)
{
	if (!pair.key || (!pair.value && i->kind != DF_ARG))
		return oom(p);
	if (!*pair.key)
		return df_err(p->d, i->line, pair.at, p->err, "there is no name before the \"=\"");
	i->pairs = arena_grow(p->a, i->pairs, i->n_pairs, cap, sizeof(*i->pairs));
	if (!i->pairs)
		return oom(p);
	i->pairs[i->n_pairs++] = pair;
	return 0;
}

/* "NAME the whole rest", as it was before there was "=". */
static int old_pair(struct parser *p, struct df_inst *i)
{
	size_t n = 0, cap = 0;
	while (i->rest[n] && !isspace((unsigned char)i->rest[n]))
		n++;
	const char *value = i->rest + n + blanks(i->rest + n);
	if (!*value)
		return need(p, i, "NAME=VALUE");
	return add_pair(p, i, &cap,
		(struct df_pair){.key = arena_dupn(p->a, i->rest, n),
			.value = arena_dup(p->a, value),
			.at = i->rest_at});
}

static int read_pairs(struct parser *p, struct df_inst *i)
{
	size_t off = 0, cap = 0;
	for (;;) {
		off += blanks(i->rest + off);
		size_t n = quoted_word(i->rest + off, p->d->escape);
		if (!n)
			break;
		const char *word = i->rest + off, *eq = memchr(word, '=', n);
		size_t at = i->rest_at + off;
		if (!eq && i->kind != DF_ARG)
			return i->n_pairs
				? df_err(p->d, i->line, at, p->err, "there is no \"=\" in \"%.*s\"",
					  (int)MIN(n, (size_t)80), word)
				: old_pair(p, i);
		struct df_pair pair = {.key = arena_dupn(p->a, word, eq ? (size_t)(eq - word) : n),
			.value = eq ? arena_dupn(p->a, eq + 1, n - (size_t)(eq + 1 - word)) : NULL,
			.at = at};
		int r = eq && !pair.value ? oom(p) : add_pair(p, i, &cap, pair);
		if (r < 0)
			return r;
		off += n;
	}
	return i->n_pairs ? 0 : need(p, i, i->kind == DF_ARG ? "a name" : "NAME=VALUE");
}

/* ---- HEALTHCHECK, ONBUILD ---- */

static int read_inst(struct parser *p, const struct df_line *line, size_t at, struct df_inst **ret);

static int read_healthcheck(struct parser *p, struct df_inst *i)
{
	size_t n = 0;
	while (i->rest[n] && !isspace((unsigned char)i->rest[n]))
		n++;
	bool none = n == 4 && strncasecmp(i->rest, "NONE", 4) == 0;
	if (none && i->rest[n + blanks(i->rest + n)])
		return need(p, i, "nothing behind NONE");
	if (none)
		return 0;
	if (n != 3 || strncasecmp(i->rest, "CMD", 3) != 0)
		return need(p, i, "CMD and a command, or NONE");
	int r = read_inst(p, i->line, i->rest_at, &i->sub);
	if (r < 0)
		return r;
	return i->sub->n_words ? 0 : need(p, i->sub, "a command");
}

static int read_onbuild(struct parser *p, struct df_inst *i)
{
	if (!*i->rest)
		return need(p, i, "an instruction");
	static const char *const not_here[] = {"ONBUILD", "FROM", "MAINTAINER"};
	for (size_t k = 0; k < ARRAY_LEN(not_here); k++) {
		size_t n = strlen(not_here[k]);
		if (strncasecmp(i->rest, not_here[k], n) == 0 &&
			(!i->rest[n] || isspace((unsigned char)i->rest[n])))
			return need(p, i, "something else than ONBUILD, FROM and MAINTAINER");
	}
	return read_inst(p, i->line, i->rest_at, &i->sub);
}

static const read_fn readers[] = {
	[DF_ADD] = read_copy,
	[DF_ARG] = read_pairs,
	[DF_CMD] = read_command,
	[DF_COPY] = read_copy,
	[DF_ENTRYPOINT] = read_command,
	[DF_ENV] = read_pairs,
	[DF_EXPOSE] = read_expose,
	[DF_FROM] = read_from,
	[DF_HEALTHCHECK] = read_healthcheck,
	[DF_LABEL] = read_pairs,
	[DF_MAINTAINER] = read_one,
	[DF_ONBUILD] = read_onbuild,
	[DF_RUN] = read_run,
	[DF_SHELL] = read_shell,
	[DF_STOPSIGNAL] = read_one,
	[DF_USER] = read_one,
	[DF_VOLUME] = read_volume,
	[DF_WORKDIR] = read_one,
};

/* ---- the whole ---- */

static int unknown(struct parser *p, const struct df_line *line, size_t at, size_t n)
{
	const char *all[ARRAY_LEN(readers)], *word = line->text + at;
	char upper[16] = "";
	for (size_t k = 0; k < ARRAY_LEN(all); k++)
		all[k] = df_name((enum df_kind)k);
	for (size_t k = 0; k < n && k < sizeof(upper) - 1; k++)
		upper[k] = (char)toupper((unsigned char)word[k]);
	const char *near = n < sizeof(upper) ? text_nearest(upper, all, ARRAY_LEN(all)) : NULL;
	if (near)
		err_hint(p->err, "did you mean %s?", near);
	return df_err(p->d, line, at, p->err, "unsupported instruction \"%.*s\"",
		(int)MIN(n, (size_t)60), word);
}

static int read_inst(struct parser *p, const struct df_line *line, size_t at, struct df_inst **ret)
{
	size_t n = 0, k = 0;
	const char *word = line->text + at;
	while (word[n] && !isspace((unsigned char)word[n]))
		n++;
	for (k = 0; k < ARRAY_LEN(readers); k++)
		if (strlen(df_name((enum df_kind)k)) == n &&
			strncasecmp(df_name((enum df_kind)k), word, n) == 0)
			break;
	if (k == ARRAY_LEN(readers))
		return unknown(p, line, at, n);
	struct df_inst *i = arena_alloc(p->a, sizeof(*i));
	if (!i)
		return oom(p);
	i->kind = (enum df_kind)k;
	i->line = line;
	at += n;
	int r = read_flags(p, i, &at);
	if (r < 0)
		return r;
	at += blanks(line->text + at);
	size_t end = line->n;
	while (end > at && isspace((unsigned char)line->text[end - 1]))
		end--;
	i->rest_at = at;
	i->rest = arena_dupn(p->a, line->text + at, end - at);
	if (!i->rest)
		return oom(p);
	r = readers[k](p, i);
	if (r >= 0)
		*ret = i;
	return r;
}

static int check_order(struct parser *p, const struct df_inst *i)
{
	if (i->kind == DF_FROM || i->kind == DF_ARG || p->trigger)
		return 0;
	for (size_t k = 0; k < p->d->n_inst; k++)
		if (p->d->v[k]->kind == DF_FROM)
			return 0;
	return df_err(
		p->d, i->line, 0, p->err, "%s stands before the first FROM", df_name(i->kind));
}

static int read_all(struct parser *p)
{
	size_t cap = 0;
	for (;;) {
		struct df_line *line;
		struct df_inst *i;
		int r = df_next(&p->in, &line);
		if (r <= 0)
			return r;
		r = read_inst(p, line, 0, &i);
		if (r >= 0)
			r = check_order(p, i);
		if (r >= 0)
			r = read_heredocs(p, i);
		if (r < 0)
			return r;
		if (p->d->n_inst == DF_INST_MAX)
			return df_err(p->d, line, 0, p->err, "there are more than %d instructions",
				DF_INST_MAX);
		p->d->v = arena_grow(p->a, p->d->v, p->d->n_inst, &cap, sizeof(struct df_inst *));
		if (!p->d->v)
			return oom(p);
		p->d->v[p->d->n_inst++] = i;
	}
}

static int parse(struct arena *a, const char *file, const char *text, size_t n, bool trigger,
	struct dockerfile *ret, struct err *err)
{
	*ret = (struct dockerfile){.escape = '\\'};
	ret->file = file;
	if (n > DF_FILE_MAX)
		return err_set(err, EFBIG, "%s: longer than 1 MiB", file);
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3, n -= 3;
	const char *nul = memchr(text, '\0', n);
	ret->text = arena_dupn(a, text, nul ? (size_t)(nul - text) : n);
	if (!ret->text)
		return err_set(err, ENOMEM, "out of memory");
	if (nul)
		return err_set(err, EINVAL, "%s: no text: there is a NUL byte in it", file);
	ret->n = n;
	struct parser p = {.a = a, .d = ret, .err = err, .trigger = trigger};
	p.in = (struct df_in){
		.a = a, .d = ret, .err = err, .p = ret->text, .end = ret->text + n, .line = 1};
	int r = trigger ? 0 : df_directives(&p.in);
	if (r >= 0)
		r = read_all(&p);
	if (r < 0)
		return r;
	if (trigger)
		return ret->n_inst == 1 ? 0 : err_set(err, EINVAL, "%s: not one instruction", file);
	for (size_t k = 0; k < ret->n_inst; k++)
		if (ret->v[k]->kind == DF_FROM)
			return 0;
	return err_set(err, EINVAL, "%s: there is no FROM in it", file);
}

int dockerfile_parse(struct arena *a, const char *file, const char *text, size_t n,
	struct dockerfile *ret, struct err *err)
{
	return parse(a, file, text, n, false, ret, err);
}

int dockerfile_parse_trigger(struct arena *a, const char *file, const char *text,
	struct dockerfile *ret, struct err *err)
{
	return parse(a, file, text, strlen(text), true, ret, err);
}
