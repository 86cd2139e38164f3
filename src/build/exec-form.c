/* build/exec-form.c - see exec-form.h
 *
 * Why not jansson: what is no JSON here is no error but a shell command that begins with "[", each
 * element needs its place in the line, and the list has one level.
 */
#include <ctype.h>

#include "build/buf.h"
#include "build/exec-form.h"

struct js {
	const char *p;
	struct buf text;
};

static void skip(struct js *j)
{
	while (*j->p && strchr(" \t\r\n", *j->p))
		j->p++;
}

static int hex4(struct js *j, unsigned int *ret)
{
	*ret = 0;
	for (int i = 0; i < 4; i++, j->p++) {
		int c = tolower((unsigned char)*j->p);
		if (!isxdigit(c))
			return -1;
		*ret = *ret * 16 + (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return 0;
}

static void put_utf8(struct buf *b, unsigned int cp)
{
	if (cp < 0x80) {
		buf_char(b, (char)cp);
	} else if (cp < 0x800) {
		buf_char(b, (char)(0xc0 | cp >> 6));
		buf_char(b, (char)(0x80 | (cp & 0x3f)));
	} else if (cp < 0x10000) {
		buf_char(b, (char)(0xe0 | cp >> 12));
		buf_char(b, (char)(0x80 | (cp >> 6 & 0x3f)));
		buf_char(b, (char)(0x80 | (cp & 0x3f)));
	} else {
		buf_char(b, (char)(0xf0 | cp >> 18));
		buf_char(b, (char)(0x80 | (cp >> 12 & 0x3f)));
		buf_char(b, (char)(0x80 | (cp >> 6 & 0x3f)));
		buf_char(b, (char)(0x80 | (cp & 0x3f)));
	}
}

/* Behind \u.  Half a pair becomes U+FFFD; NUL is no character of an argument. */
static int unicode(struct js *j)
{
	unsigned int cp, low;
	if (hex4(j, &cp) < 0 || cp == 0)
		return -1;
	if (cp >= 0xd800 && cp < 0xdc00 && j->p[0] == '\\' && j->p[1] == 'u') {
		const char *was = j->p;
		j->p += 2;
		if (hex4(j, &low) < 0)
			return -1;
		if (low >= 0xdc00 && low < 0xe000) {
			put_utf8(&j->text, 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00));
			return 0;
		}
		j->p = was;
	}
	put_utf8(&j->text, cp >= 0xd800 && cp < 0xe000 ? 0xfffd : cp);
	return 0;
}

/* At the opening quote.  0, or -1 if it is no JSON string. */
static int string(struct js *j)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	for (j->p++; *j->p != '"';) {
		if ((unsigned char)*j->p < 0x20)
			return -1;
		if (*j->p != '\\') {
			buf_char(&j->text, *j->p++);
			continue;
		}
		const char *hit = j->p[1] ? strchr(from, j->p[1]) : NULL;
		if (!hit && j->p[1] != 'u')
			return -1;
		j->p += 2;
		if (hit)
			buf_char(&j->text, to[hit - from]);
		else if (unicode(j) < 0)
			return -1;
	}
	j->p++;
	return 0;
}

/* Is that a word or a number of JSON?  "-n" and "-f" are none: "[ -n x ]" is a command. */
static bool is_scalar(const char *p, size_t n)
{
	static const char *const words[] = {"true", "false", "null"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (n == strlen(words[i]) && memcmp(p, words[i], n) == 0)
			return true;
	size_t digits = 0;
	for (size_t i = 0; i < n; i++) {
		digits += isdigit((unsigned char)p[i]) != 0;
		if (!isdigit((unsigned char)p[i]) && !strchr("+-.eE", p[i]))
			return false;
	}
	return digits > 0 && (isdigit((unsigned char)p[0]) || p[0] == '-');
}

/* Anything but a string: a number, a word, a list, an object; whether it is one is looked at only
 * as far as it takes to tell it from a shell command. */
static int other(struct js *j)
{
	int depth = 0;
	if (!strchr("[{\"", *j->p)) {
		size_t n = strcspn(j->p, ",] \t\r\n");
		if (!is_scalar(j->p, n))
			return -1;
	}
	do {
		if (*j->p == '"') {
			if (string(j) < 0)
				return -1;
			continue;
		}
		if (strchr("[{", *j->p))
			depth++;
		else if (strchr("]}", *j->p))
			depth--;
		else if (!isalnum((unsigned char)*j->p) && !strchr("+-.,: \t\r\n", *j->p))
			return -1;
		j->p++;
	} while (*j->p && (depth > 0 || !strchr(",]", *j->p)));
	return *j->p && depth == 0 ? 0 : -1;
}

/* The elements and the closing bracket; an enum exec_form. */
static int list(struct js *j, struct arena *a, const char *text, size_t at, struct df_word **ret,
	size_t *ret_n)
{
	size_t cap = 0;
	int form = EXEC_FORM_LIST;
	for (bool more = *j->p != ']'; more;) {
		size_t place = at + (size_t)(j->p - text);
		bool is_string = *j->p == '"';
		j->text.n = 0;
		if ((is_string ? string(j) : *j->p ? other(j) : -1) < 0)
			return EXEC_FORM_NONE;
		form = is_string ? form : EXEC_FORM_OTHER;
		*ret = arena_grow(a, *ret, *ret_n, &cap, sizeof(**ret));
		char *s = *ret && !j->text.failed
			? arena_dupn(a, j->text.s ? j->text.s : "", j->text.n)
			: NULL;
		if (!s)
			return -ENOMEM;
		(*ret)[(*ret_n)++] = (struct df_word){.s = s, .at = place};
		skip(j);
		more = *j->p == ',';
		j->p += more;
		skip(j);
	}
	if (*j->p != ']')
		return EXEC_FORM_NONE;
	j->p++;
	skip(j);
	return *j->p ? EXEC_FORM_NONE : form;
}

int exec_form_parse(
	struct arena *a, const char *text, size_t at, struct df_word **ret, size_t *ret_n)
{
	struct js j = {.p = text};
	struct df_word *v = NULL;
	size_t n = 0;
	skip(&j);
	if (*j.p != '[')
		return EXEC_FORM_NONE;
	j.p++;
	skip(&j);
	int form = list(&j, a, text, at, &v, &n);
	buf_free(&j.text);
	if (form == EXEC_FORM_LIST) {
		*ret = v;
		*ret_n = n;
	}
	return form;
}
