/* seed/toml.c - see toml.h
 *
 * Theory: one pass of recursive descent over the text (TOML 1.0.0).  A value is written to a buffer
 * while it is read; where a part must not stay, the buffer is cut back to where that part began.
 * So what is written is made only of pieces that were understood.  Nothing is guessed: any byte
 * that the grammar has no place for ends the reading with an error.
 */
#include "seed/toml.h"

#include "seed/secret.h"

struct text {
	char *s;
	size_t n, cap;
	bool failed;
};

static void text_add(struct text *t, const char *s, size_t n)
{
	if (t->failed)
		return;
	if (t->n + n + 1 > t->cap) {
		size_t cap = MAX(2 * t->cap, t->n + n + 256);
		char *p = realloc(t->s, cap);
		if (!p) {
			t->failed = true;
			return;
		}
		t->s = p;
		t->cap = cap;
	}
	memcpy(t->s + t->n, s, n);
	t->n += n;
	t->s[t->n] = '\0';
}

static void text_str(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

static void text_free(struct text *t)
{
	free(t->s);
}

struct in {
	const char *p, *end;
	unsigned int line;
	struct arena *a;
	const struct keypats *keep, *drop;
	const struct json_watch *watch;
	const struct keypats *commands; /* tables of an array with one that is missing don't stay */
	bool lost;                      /* there was one */
	struct toml_doc *doc;
	struct err *err;
};

static int bad(struct in *in, const char *what)
{
	return err_set(in->err, EINVAL, "line %u: %s", in->line, what);
}

static int peek(const struct in *in)
{
	return in->p < in->end ? (unsigned char)*in->p : -1;
}

static bool take(struct in *in, const char *s)
{
	size_t n = strlen(s);
	if ((size_t)(in->end - in->p) < n || memcmp(in->p, s, n) != 0)
		return false;
	in->p += n;
	return true;
}

static void skip_blanks(struct in *in)
{
	while (peek(in) == ' ' || peek(in) == '\t')
		in->p++;
}

/* Blanks and a comment up to the end of the line; 0, or -EINVAL if anything else stands there. */
static int end_line(struct in *in)
{
	skip_blanks(in);
	if (peek(in) == '#')
		while (in->p < in->end && *in->p != '\n')
			in->p++;
	take(in, "\r");
	if (in->p < in->end && !take(in, "\n"))
		return bad(in, "unexpected text");
	in->line++;
	return 0;
}

/* Blanks, comments and line ends between the elements of an array. */
static void skip_lines(struct in *in)
{
	for (;;) {
		skip_blanks(in);
		if (peek(in) == '#')
			while (in->p < in->end && *in->p != '\n')
				in->p++;
		if (peek(in) == '\n')
			in->line++;
		if (peek(in) != '\n' && peek(in) != '\r')
			return;
		in->p++;
	}
}

static void utf8_add(struct text *t, uint32_t cp)
{
	char b[4];
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = n; i-- > 1; cp >>= 6)
		b[i] = (char)(0x80 | (cp & 0x3f));
	b[0] = (char)(lead[n] | cp);
	text_add(t, b, n);
}

static int escape(struct in *in, struct text *t)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	int c = peek(in);
	in->p++;
	const char *k = c > 0 ? strchr(from, c) : NULL;
	if (k) {
		text_add(t, &to[k - from], 1);
		return 0;
	}
	if (c != 'u' && c != 'U')
		return bad(in, "unknown escape in a string");
	uint32_t cp = 0;
	for (int i = 0; i < (c == 'u' ? 4 : 8); i++, in->p++) {
		int h = peek(in);
		int v = h >= '0' && h <= '9'   ? h - '0'
			: h >= 'a' && h <= 'f' ? h - 'a' + 10
			: h >= 'A' && h <= 'F' ? h - 'A' + 10
					       : -1;
		if (v < 0)
			return bad(in, "malformed escape in a string");
		cp = cp << 4 | (uint32_t)v;
	}
	if (cp == 0 || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return bad(in, "escape of no character");
	utf8_add(t, cp);
	return 0;
}

/* A backslash at the end of a line of """: what follows up to the next text is left out. */
static bool line_continues(struct in *in)
{
	const char *q = in->p;
	while (q < in->end && (*q == ' ' || *q == '\t' || *q == '\r'))
		q++;
	if (q >= in->end || *q != '\n')
		return false;
	for (; q < in->end && strchr(" \t\r\n", *q) && *q; q++)
		in->line += *q == '\n';
	in->p = q;
	return true;
}

/* A string of any of the four kinds, decoded into the arena. */
static int read_string(struct in *in, bool multi_ok, char **ret)
{
	_cleanup_(text_free) struct text t = {0};
	char quote = *in->p;
	const char three[4] = {quote, quote, quote, '\0'};
	bool multi = take(in, three);
	if (multi && !multi_ok)
		return bad(in, "a key of several lines");
	if (multi) {
		take(in, "\r");
		if (take(in, "\n"))
			in->line++;
	} else {
		in->p++;
	}
	for (;;) {
		int c = peek(in);
		if (c < 0 || c == '\0' || (!multi && c == '\n'))
			return bad(in, "a string without an end");
		if (multi && take(in, three)) {
			/* Up to two more quotes may stand right before the closing three. */
			while (peek(in) == quote) {
				text_add(&t, &quote, 1);
				in->p++;
			}
			break;
		}
		in->p++;
		if (!multi && c == quote)
			break;
		if (c == '\\' && quote == '"') {
			if (multi && line_continues(in))
				continue;
			int r = escape(in, &t);
			if (r < 0)
				return r;
			continue;
		}
		if ((c < 0x20 && c != '\t' && !(multi && (c == '\n' || c == '\r'))) || c == 0x7f)
			return bad(in, "a control character in a string");
		in->line += c == '\n';
		text_add(&t, (char[]){(char)c}, 1);
	}
	*ret = arena_dupn(in->a, t.s ? t.s : "", t.n);
	return t.failed || !*ret ? err_set(in->err, ENOMEM, "out of memory") : 0;
}

static bool bare_key_char(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_' || c == '-';
}

/* A dotted key, put behind what path holds already. */
static int read_key(struct in *in, struct keypath *path)
{
	do {
		skip_blanks(in);
		if (path->n == KEYPATH_MAX)
			return bad(in, "nested too deep");
		char *seg;
		if (peek(in) == '"' || peek(in) == '\'') {
			int r = read_string(in, false, &seg);
			if (r < 0)
				return r;
		} else {
			const char *start = in->p;
			while (bare_key_char(peek(in)))
				in->p++;
			if (in->p == start)
				return bad(in, "a key was expected");
			seg = arena_dupn(in->a, start, (size_t)(in->p - start));
		}
		path->seg[path->n++] = seg;
		skip_blanks(in);
	} while (take(in, "."));
	return 0;
}

static void write_string(struct text *t, const char *s)
{
	text_add(t, "\"", 1);
	for (; *s; s++) {
		char u[8];
		if (*s == '"' || *s == '\\') {
			text_add(t, "\\", 1);
			text_add(t, s, 1);
		} else if ((unsigned char)*s < 0x20 || *s == 0x7f) {
			snprintf(u, sizeof(u), "\\u%04x", (unsigned int)(unsigned char)*s);
			text_str(t, u);
		} else {
			text_add(t, s, 1);
		}
	}
	text_add(t, "\"", 1);
}

static void write_key(struct text *t, const struct keypath *path, size_t from)
{
	for (size_t i = from; i < path->n; i++) {
		const char *s = path->seg[i];
		bool bare = *s != '\0';
		for (const char *c = s; *c; c++)
			bare = bare && bare_key_char((unsigned char)*c);
		if (i > from)
			text_add(t, ".", 1);
		if (bare)
			text_str(t, s);
		else
			write_string(t, s);
	}
}

/* Does what stands at path stay?  container: something below it may. */
static bool wanted(struct in *in, const struct keypath *path, bool container)
{
	if (!in->keep)
		return true;
	if (in->drop && keypats_cover(in->drop, path))
		return false;
	return keypats_cover(in->keep, path) || (container && keypats_lead(in->keep, path));
}

static void withhold(struct in *in, const struct keypath *path, const char *why)
{
	char place[512];
	in->watch->withheld(in->watch->ud, keypath_text(path, place, sizeof(place)), why);
}

static const char *nearest_name(const struct keypath *path)
{
	for (size_t i = path->n; i-- > 0;)
		if (path->seg[i][strspn(path->seg[i], "0123456789")])
			return path->seg[i];
	return NULL;
}

/* Read one value and write it to out.  1: it stays, 0: it does not (out is then as before), or
 * -errno.  ret_string: the decoded text of a string. */
static int read_value(struct in *in, struct text *out, struct keypath *path, char **ret_string);

static int read_array(struct in *in, struct text *out, struct keypath *path)
{
	size_t mark = out->n;
	bool flag = false, first = true;
	char index[24];
	text_add(out, "[", 1);
	for (unsigned int i = 0;; i++) {
		skip_lines(in);
		if (take(in, "]"))
			break;
		if (path->n == KEYPATH_MAX)
			return bad(in, "nested too deep");
		snprintf(index, sizeof(index), "%u", i);
		path->seg[path->n++] = index;
		size_t before = out->n;
		if (!first)
			text_str(out, ", ");
		char *s = NULL;
		int r = read_value(in, out, path, &s);
		if (r > 0 && in->keep && flag && s && s[0] != '$') {
			withhold(in, path, "the option before says so");
			r = 0;
		}
		path->n--;
		if (r < 0)
			return r;
		if (r == 0)
			out->n = before;
		first = first && r == 0;
		flag = s && s[0] == '-' && secret_name(s) && !strchr(s, '=');
		skip_lines(in);
		if (!take(in, ",") && peek(in) != ']')
			return bad(in, "a comma or ] was expected");
	}
	text_add(out, "]", 1);
	if (!wanted(in, path, true))
		out->n = mark;
	return wanted(in, path, true);
}

/* Is s, at path, a command that is missing?  It is named then. */
static bool is_lost(struct in *in, const struct keypath *path, const char *s)
{
	const char *why = NULL;
	for (size_t i = 0; in->commands && s && !why && i < in->commands->n; i++)
		if (keypat_is(&in->commands->v[i], path))
			why = in->watch->missing(in->watch->ud, s, NULL, 0);
	if (why)
		withhold(in, path, why);
	in->lost = in->lost || why;
	return why;
}

static int read_inline_table(struct in *in, struct text *out, struct keypath *path)
{
	size_t mark = out->n;
	bool first = true, lost = false;
	text_str(out, "{ ");
	skip_blanks(in);
	while (!take(in, "}")) {
		size_t depth = path->n, before = out->n;
		int r = read_key(in, path);
		if (r < 0)
			return r;
		if (!take(in, "="))
			return bad(in, "an equals sign was expected");
		skip_blanks(in);
		if (!first)
			text_str(out, ", ");
		write_key(out, path, depth);
		text_str(out, " = ");
		char *s = NULL;
		r = read_value(in, out, path, &s);
		lost = lost || is_lost(in, path, s);
		path->n = depth;
		if (r < 0)
			return r;
		if (r == 0)
			out->n = before;
		first = first && r == 0;
		skip_blanks(in);
		if (take(in, ","))
			skip_blanks(in);
		else if (peek(in) != '}')
			return bad(in, "a comma or } was expected");
	}
	text_str(out, first ? "}" : " }");
	bool keep = !lost && wanted(in, path, !first);
	if (!keep)
		out->n = mark;
	return keep;
}

/* Numbers, dates and booleans: nothing that could hide a secret, so only their letters count. */
static int read_bare(struct in *in, struct text *out, struct keypath *path)
{
	const char *start = in->p;
	while (bare_key_char(peek(in)) || peek(in) == '+' || peek(in) == '.' || peek(in) == ':')
		in->p++;
	size_t n = (size_t)(in->p - start);
	bool word = (n == 4 && memcmp(start, "true", 4) == 0) ||
		(n == 5 && memcmp(start, "false", 5) == 0);
	const char *num = start + (n && (*start == '+' || *start == '-'));
	size_t left = (size_t)(in->p - num);
	bool number = left &&
		((*num >= '0' && *num <= '9') ||
			(left == 3 && (memcmp(num, "inf", 3) == 0 || memcmp(num, "nan", 3) == 0)));
	if (n == 0 || n > 64 || (!word && !number))
		return bad(in, "a value was expected");
	if (!wanted(in, path, false))
		return 0;
	text_add(out, start, n);
	return 1;
}

static int read_value(struct in *in, struct text *out, struct keypath *path, char **ret_string)
{
	int c = peek(in);
	if (c == '[' || c == '{') {
		in->p++;
		if (path->n + 1 >= KEYPATH_MAX)
			return bad(in, "nested too deep");
		return c == '[' ? read_array(in, out, path) : read_inline_table(in, out, path);
	}
	if (c != '"' && c != '\'')
		return read_bare(in, out, path);
	int r = read_string(in, true, ret_string);
	if (r < 0)
		return r;
	if (!wanted(in, path, false))
		return 0;
	const char *why = in->keep ? secret_value(nearest_name(path), *ret_string) : NULL;
	if (why) {
		withhold(in, path, why);
		return 0;
	}
	write_string(out, *ret_string);
	return 1;
}

struct toml_section *toml_section_add(struct toml_doc *d, const struct keypath *path, bool array)
{
	struct toml_section *s = d->n_sections < TOML_SECTIONS_MAX ? arena_alloc(d->a, sizeof(*s))
								   : NULL;
	if (!s)
		return NULL;
	s->path = *path;
	s->array = array;
	s->last = &s->entry;
	*d->last = s;
	d->last = &s->next;
	d->n_sections++;
	return s;
}

static int read_header(struct in *in, struct toml_section **ret)
{
	struct keypath path = {.n = 0};
	bool array = take(in, "[[");
	if (!array)
		in->p++;
	int r = read_key(in, &path);
	if (r < 0)
		return r;
	if (!take(in, array ? "]]" : "]"))
		return bad(in, "a closing bracket was expected");
	*ret = toml_section_add(in->doc, &path, array);
	return *ret ? end_line(in) : bad(in, "too many tables");
}

static int read_pair(struct in *in, struct toml_section *s)
{
	struct keypath path = s->path;
	int r = read_key(in, &path);
	if (r < 0)
		return r;
	if (!take(in, "="))
		return bad(in, "an equals sign was expected");
	skip_blanks(in);
	_cleanup_(text_free) struct text value = {0}, key = {0};
	char *string = NULL;
	r = read_value(in, &value, &path, &string);
	if (r < 0)
		return r;
	if (r == 0) {
		in->doc->skipped++;
		return end_line(in);
	}
	struct toml_entry *e = in->doc->n_entries++ < TOML_ENTRIES_MAX
		? arena_alloc(in->a, sizeof(*e))
		: NULL;
	if (!e)
		return bad(in, "too many keys");
	write_key(&key, &path, s->path.n);
	if (key.failed || value.failed)
		return err_set(in->err, ENOMEM, "out of memory");
	e->key = arena_dup(in->a, key.s);
	e->value = arena_dupn(in->a, value.s, value.n);
	e->string = string;
	for (size_t i = s->path.n; i < path.n; i++)
		e->path.seg[e->path.n++] = path.seg[i];
	*s->last = e;
	s->last = &e->next;
	return end_line(in);
}

int toml_doc_parse(struct arena *a, const char *text, size_t n, const struct keypats *keep,
	const struct keypats *drop, const struct json_watch *watch, struct toml_doc *ret,
	struct err *err)
{
	*ret = (struct toml_doc){.a = a};
	ret->last = &ret->section;
	struct in in = {.p = text,
		.end = text + n,
		.line = 1,
		.a = a,
		.keep = keep,
		.drop = drop,
		.watch = watch,
		.doc = ret,
		.err = err};
	take(&in, "\xef\xbb\xbf");
	struct toml_section *s = toml_section_add(ret, &(struct keypath){.n = 0}, false);
	if (!s)
		return err_set(err, ENOMEM, "out of memory");
	while (in.p < in.end) {
		int r;
		skip_blanks(&in);
		int c = peek(&in);
		if (c == '\n' || c == '\r' || c == '#' || c < 0)
			r = end_line(&in);
		else if (c == '[')
			r = read_header(&in, &s);
		else
			r = read_pair(&in, s);
		if (r < 0)
			return r;
	}
	return arena_check(a, err);
}

bool toml_path_starts(const struct keypath *path, const struct keypath *prefix)
{
	if (path->n < prefix->n)
		return false;
	for (size_t i = 0; i < prefix->n; i++)
		if (!streq(path->seg[i], prefix->seg[i]))
			return false;
	return true;
}

/* What is missing of the command e of section s; "args" and "cwd" beside it belong to it. */
static const char *command_lost(struct toml_doc *d, const struct toml_section *s,
	const struct toml_entry *e, const struct json_watch *watch)
{
	const char *args[JSON_ARGS_MAX], *cwd = NULL;
	size_t n = 0;
	bool list = false;
	for (const struct toml_entry *x = s->entry; x; x = x->next) {
		if (x->path.n != 1)
			continue;
		if (x->string && streq(x->path.seg[0], "cwd"))
			cwd = x->string;
		if (*x->value != '[' || !streq(x->path.seg[0], "args"))
			continue;
		list = true;
		/* as written back: on one line, without a comment */
		struct err ignored;
		struct in in = {.p = x->value,
			.end = x->value + strlen(x->value),
			.a = d->a,
			.err = &ignored};
		while (n < ARRAY_LEN(args) - 1 && *(in.p += strcspn(in.p, "\"'"))) {
			char *string;
			if (read_string(&in, true, &string) < 0)
				break;
			args[n++] = string;
		}
	}
	if (cwd)
		args[n++] = cwd;
	return watch->missing(watch->ud, e->string, list || cwd ? args : NULL, n);
}

/* Does t begin a table of an array that s is, or is within? */
static bool begins(const struct toml_section *t, const struct toml_section *s)
{
	return t->array && toml_path_starts(&s->path, &t->path);
}

/* The table goes with all tables below it; of an array's tables this one alone. */
static void take_out(struct toml_doc *d, struct toml_section *s)
{
	bool within = false;
	for (const struct toml_section *t = d->section; t; t = t->next)
		within = within || begins(t, s);
	if (!within) {
		for (struct toml_section *t = d->section; t; t = t->next)
			if (toml_path_starts(&t->path, &s->path))
				t->entry = NULL;
		return;
	}
	s->entry = NULL;
	for (struct toml_section *t = s->next; t && !begins(t, s); t = t->next)
		if (toml_path_starts(&t->path, &s->path))
			t->entry = NULL;
}

/* The tables of e's array, which is at path: those with a command that is missing go. */
static void check_array(struct toml_doc *d, struct toml_entry *e, struct keypath *path,
	const struct keypats *commands, const struct json_watch *watch)
{
	_cleanup_(text_free) struct text text = {0};
	struct err ignored;
	struct in in = {.p = e->value + 1,
		.end = e->value + strlen(e->value),
		.a = d->a,
		.commands = commands,
		.watch = watch,
		.err = &ignored};
	if (path->n + 1 < KEYPATH_MAX && read_array(&in, &text, path) >= 0 && in.lost)
		e->value = text.failed ? "[]" : arena_dupn(d->a, text.s, text.n);
}

struct keypath toml_entry_place(const struct toml_section *s, const struct toml_entry *e)
{
	struct keypath path = s->path;
	for (size_t i = 0; i < e->path.n && path.n < KEYPATH_MAX; i++)
		path.seg[path.n++] = e->path.seg[i];
	return path;
}

void toml_doc_check_commands(
	struct toml_doc *d, const struct keypats *commands, const struct json_watch *watch)
{
	for (struct toml_section *s = d->section; s; s = s->next) {
		if (s->path.n == 0)
			continue;
		for (struct toml_entry *e = s->entry; e; e = e->next) {
			struct keypath path = toml_entry_place(s, e);
			bool named = false;
			for (size_t i = 0; i < commands->n; i++)
				named = named || keypat_is(&commands->v[i], &path);
			const char *lost = named && e->string ? command_lost(d, s, e, watch) : NULL;
			if (*e->value == '[')
				check_array(d, e, &path, commands, watch);
			if (!lost)
				continue;
			char place[512];
			watch->withheld(watch->ud, keypath_text(&path, place, sizeof(place)), lost);
			take_out(d, s);
			break;
		}
	}
}

int toml_inline_read(struct arena *a, const char *value, struct toml_entry **ret, struct err *err)
{
	struct in in = {.p = value, .end = value + strlen(value), .line = 1, .a = a, .err = err};
	struct toml_entry **last = ret;
	take(&in, "{");
	skip_blanks(&in);
	while (!take(&in, "}")) {
		_cleanup_(text_free) struct text text = {0};
		struct toml_entry *e = arena_alloc(a, sizeof(*e));
		struct keypath below = {.n = 0};
		char *string = NULL;
		if (!e)
			return err_set(err, ENOMEM, "out of memory");
		int r = read_key(&in, &e->path);
		if (r == 0 && !take(&in, "="))
			r = bad(&in, "an equals sign was expected");
		skip_blanks(&in);
		if (r == 0)
			r = read_value(&in, &text, &below, &string);
		if (r < 0)
			return r;
		e->string = string;
		e->value = text.failed ? NULL : arena_dupn(a, text.s, text.n);
		*last = e;
		last = &e->next;
		skip_blanks(&in);
		take(&in, ",");
		skip_blanks(&in);
	}
	return arena_check(a, err);
}

char *toml_key_text(struct arena *a, const char *key)
{
	_cleanup_(text_free) struct text t = {0};
	write_key(&t, &(struct keypath){.seg = {key}, .n = 1}, 0);
	return t.failed ? NULL : arena_dup(a, t.s);
}

/* A table of an array may say nothing itself and have others within it that need it. */
static bool is_said(const struct toml_section *s)
{
	for (const struct toml_section *t = s->next; s->array && !s->entry && t && !begins(t, s);
		t = t->next)
		if (t->entry && toml_path_starts(&t->path, &s->path))
			return true;
	return s->entry;
}

char *toml_doc_text(const struct toml_doc *d)
{
	_cleanup_(text_free) struct text t = {0};
	for (const struct toml_section *s = d->section; s; s = s->next) {
		if (!is_said(s))
			continue;
		if (s->path.n) {
			text_str(&t, s->array ? "\n[[" : "\n[");
			write_key(&t, &s->path, 0);
			text_str(&t, s->array ? "]]\n" : "]\n");
		}
		for (const struct toml_entry *e = s->entry; e; e = e->next) {
			text_str(&t, e->key);
			text_str(&t, " = ");
			text_str(&t, e->value);
			text_add(&t, "\n", 1);
		}
	}
	return t.failed ? NULL : arena_dupn(d->a, t.s ? t.s : "", t.n);
}
