/* policy/yaml.c - YAML text to a tree; the only file that knows libyaml.
 *
 * Owns: the reading of events and every refusal named in yaml.h.  Must not: know any key.
 * libyaml resolves no aliases in its event interface and gives positions with each event; what
 * it accepts beyond our subset is refused here, one check per event.
 */
#include "policy/yaml.h"

#include <fcntl.h>
#include <stdarg.h>
#include <yaml.h>

#include "base/escape.h"
#include "base/file.h"

struct reader {
	struct arena *a;
	const char *file;
	const char *text;
	size_t n;
	yaml_parser_t parser;
	struct err *err;
};

_printf_(6, 0) static int fail_at(struct err *err, int code, const char *file, uint32_t line,
	uint32_t col, const char *fmt, va_list ap)
{
	char msg[512], where[300];
	vsnprintf(msg, sizeof(msg), fmt, ap);
	escape_text(where, sizeof(where), file);
	return err_set(err, code, "%s:%u:%u: %s", where, line, col, msg);
}

_printf_(6, 7) static int fail(
	struct err *err, int code, const char *file, size_t line, size_t col, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = fail_at(err, code, file, (uint32_t)line, (uint32_t)col, fmt, ap);
	va_end(ap);
	return r;
}

int yaml_err(struct err *err, const char *file, const struct yaml_node *at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int r = fail_at(err, EINVAL, file, at->line, at->col, fmt, ap);
	va_end(ap);
	return r;
}

int yaml_err_key(
	struct err *err, const char *file, const struct yaml_node *at, const char *fmt, ...)
{
	bool key = at->key != NULL;
	va_list ap;
	va_start(ap, fmt);
	int r = fail_at(err, EINVAL, file, key ? at->key_line : at->line,
		key ? at->key_col : at->col, fmt, ap);
	va_end(ap);
	return r;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	if (!map || map->kind != YAML_MAP)
		return NULL;
	YAML_EACH(e, map)
	if (streq(e->key, key))
		return e;
	return NULL;
}

bool yaml_is_empty(const struct yaml_node *node)
{
	return node->kind == YAML_SCALAR && !node->quoted && node->text[0] == '\0';
}

const char *yaml_kind_name(const struct yaml_node *node)
{
	switch (node->kind) {
	case YAML_LIST:
		return "a list";
	case YAML_MAP:
		return "a map";
	default:
		return yaml_is_empty(node) ? "nothing" : "text";
	}
}

static int event_fail(struct reader *r, const yaml_event_t *e, const char *what)
{
	return fail(r->err, EINVAL, r->file, e->start_mark.line + 1, e->start_mark.column + 1, "%s",
		what);
}

/* Is what stands at the mark a tab behind nothing but spaces?  (A mark counts characters.) */
static bool starts_with_tab(const struct reader *r, const yaml_mark_t *m)
{
	const char *p = r->text, *end = p + r->n;
	for (size_t line = 0; line < m->line; line++) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (!p)
			return false;
		p++;
	}
	size_t col = 0;
	while (p < end && *p == ' ') {
		p++;
		col++;
	}
	return p < end && *p == '\t' && col == m->column;
}

static int next_event(struct reader *r, yaml_event_t *ret)
{
	if (yaml_parser_parse(&r->parser, ret))
		return 0;
	const yaml_parser_t *p = &r->parser;
	if (p->error == YAML_MEMORY_ERROR)
		return err_set(r->err, ENOMEM, "out of memory");
	const char *problem = p->problem ? p->problem : "not YAML";
	/* libyaml says of an indenting tab that it "cannot start any token" */
	if (p->error == YAML_SCANNER_ERROR && starts_with_tab(r, &p->problem_mark))
		return fail(r->err, EINVAL, r->file, p->problem_mark.line + 1,
			p->problem_mark.column + 1, "a tab; indent with spaces");
	/* The reader's errors (bytes that are no UTF-8) carry an offset, not a mark. */
	if (p->error == YAML_READER_ERROR)
		return fail(r->err, EINVAL, r->file, p->mark.line + 1, p->mark.column + 1,
			"%s (byte %zu)", problem, p->problem_offset);
	return fail(r->err, EINVAL, r->file, p->problem_mark.line + 1, p->problem_mark.column + 1,
		"%s%s%s", problem, p->context ? " " : "", p->context ? p->context : "");
}

static struct yaml_node *new_node(struct reader *r, enum yaml_kind kind, const yaml_event_t *e)
{
	struct yaml_node *n = arena_alloc(r->a, sizeof(*n));
	if (!n) {
		err_set(r->err, ENOMEM, "out of memory");
		return NULL;
	}
	n->kind = kind;
	n->line = (uint32_t)e->start_mark.line + 1;
	n->col = (uint32_t)e->start_mark.column + 1;
	n->text = "";
	return n;
}

static int check_event(struct reader *r, const yaml_event_t *e)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;
	switch (e->type) {
	case YAML_ALIAS_EVENT:
		return event_fail(r, e, "aliases (*name) are not used here; write the value out");
	case YAML_SCALAR_EVENT:
		anchor = e->data.scalar.anchor;
		tag = e->data.scalar.tag;
		if (memchr(e->data.scalar.value, 0, e->data.scalar.length))
			return event_fail(r, e, "a NUL byte in a value");
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = e->data.sequence_start.anchor;
		tag = e->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = e->data.mapping_start.anchor;
		tag = e->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor)
		return event_fail(r, e, "anchors (&name) are not used here; write the value out");
	if (tag)
		return event_fail(r, e, "tags (!name) are not used here; every value is text");
	return 0;
}

static int add_scalar(struct reader *r, const yaml_event_t *e, struct yaml_node **ret)
{
	struct yaml_node *n = new_node(r, YAML_SCALAR, e);
	if (!n)
		return -ENOMEM;
	n->text = arena_dupn(r->a, (const char *)e->data.scalar.value, e->data.scalar.length);
	n->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (!n->text)
		return err_set(r->err, ENOMEM, "out of memory");
	*ret = n;
	return 0;
}

/* One open list or map while reading. */
struct level {
	struct yaml_node *node, *last;
	const char *key; /* map: the key that waits for its value */
	uint32_t key_line, key_col;
};

/* A scalar in key position. */
static int take_key(struct reader *r, struct level *l, const yaml_event_t *e)
{
	if (e->type != YAML_SCALAR_EVENT)
		return event_fail(r, e, "a key must be a plain word");
	if (l->node->n >= YAML_MAP_MAX)
		return event_fail(r, e, "more than 1024 keys in one map");
	const char *key = (const char *)e->data.scalar.value;
	const struct yaml_node *first = yaml_get(l->node, key);
	if (first) {
		char shown[128];
		escape_text(shown, sizeof(shown), key);
		return fail(r->err, EINVAL, r->file, e->start_mark.line + 1,
			e->start_mark.column + 1, "key \"%s\" stands twice, first in line %u",
			shown, first->key_line);
	}
	l->key = arena_dup(r->a, key);
	l->key_line = (uint32_t)e->start_mark.line + 1;
	l->key_col = (uint32_t)e->start_mark.column + 1;
	return l->key ? 0 : err_set(r->err, ENOMEM, "out of memory");
}

static void attach(struct level *l, struct yaml_node *n)
{
	if (l->last)
		l->last->next = n;
	else
		l->node->child = n;
	l->last = n;
	l->node->n++;
	if (l->node->kind == YAML_MAP) {
		n->key = l->key;
		n->key_line = l->key_line;
		n->key_col = l->key_col;
		l->key = NULL;
	}
}

/* One event into the stack of open levels. */
static int take_event(struct reader *r, struct level *stack, size_t *depth, struct yaml_node **root,
	const yaml_event_t *e)
{
	int rc = check_event(r, e);
	if (rc < 0)
		return rc;
	if (e->type == YAML_SEQUENCE_END_EVENT || e->type == YAML_MAPPING_END_EVENT) {
		(*depth)--;
		return 0;
	}
	struct level *top = *depth ? &stack[*depth - 1] : NULL;
	if (top && top->node->kind == YAML_MAP && !top->key)
		return take_key(r, top, e);

	struct yaml_node *n = NULL;
	if (e->type == YAML_SCALAR_EVENT) {
		rc = add_scalar(r, e, &n);
		if (rc < 0)
			return rc;
	} else {
		if (*depth == YAML_DEPTH_MAX)
			return event_fail(r, e, "nested deeper than 16 levels");
		n = new_node(r, e->type == YAML_SEQUENCE_START_EVENT ? YAML_LIST : YAML_MAP, e);
		if (!n)
			return -ENOMEM;
		stack[(*depth)++] = (struct level){.node = n};
	}
	if (top)
		attach(top, n);
	else
		*root = n;
	return 0;
}

static int read_events(struct reader *r, struct yaml_node **ret)
{
	struct level stack[YAML_DEPTH_MAX] = {0};
	size_t depth = 0;
	struct yaml_node *root = NULL;
	bool documents = false;
	for (;;) {
		yaml_event_t e;
		int rc = next_event(r, &e);
		if (rc < 0)
			return rc;
		bool end = e.type == YAML_STREAM_END_EVENT;
		switch (e.type) {
		case YAML_DOCUMENT_START_EVENT:
			if (documents)
				rc = event_fail(r, &e, "a second document (---) in one file");
			else if (e.data.document_start.version_directive ||
				e.data.document_start.tag_directives.start !=
					e.data.document_start.tag_directives.end)
				rc = event_fail(r, &e, "directives (%) are not used here");
			documents = true;
			break;
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
		case YAML_STREAM_END_EVENT:
		case YAML_NO_EVENT:
			break;
		default:
			rc = take_event(r, stack, &depth, &root, &e);
		}
		yaml_event_delete(&e);
		if (rc < 0)
			return rc;
		if (end)
			break;
	}
	if (!root || yaml_is_empty(root)) {
		root = arena_alloc(r->a, sizeof(*root));
		if (!root)
			return err_set(r->err, ENOMEM, "out of memory");
		*root = (struct yaml_node){.kind = YAML_MAP, .line = 1, .col = 1, .text = ""};
	}
	*ret = root;
	return 0;
}

/* What is refused before libyaml sees it: it would accept each of these silently, or stop with a
 * message that doesn't help. */
static int check_bytes(const char *file, const char *text, size_t n, struct err *err)
{
	if (n > YAML_FILE_MAX)
		return fail(err, EFBIG, file, 1, 1, "larger than 1 MiB");
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return fail(err, EINVAL, file, 1, 1,
			"starts with a byte order mark; save it as UTF-8 without one");
	size_t line = 1, start = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];
		if (i - start > YAML_LINE_MAX)
			return fail(err, EINVAL, file, line, 1, "a line longer than 64 KiB");
		if (c == '\n') {
			line++;
			start = i + 1;
		} else if (c == '\r') {
			return fail(err, EINVAL, file, line, i - start + 1,
				"a carriage return; save it with Unix line ends (sed -i "
				"'s/\\r$//' FILE)");
		} else if ((c < ' ' && c != '\t') || c == 0x7f) {
			return fail(err, EINVAL, file, line, i - start + 1,
				"the control byte 0x%02x", c);
		}
	}
	return 0;
}

int yaml_parse(struct arena *a, const char *file, const char *text, size_t n,
	struct yaml_node **ret, struct err *err)
{
	int rc = check_bytes(file, text, n, err);
	if (rc < 0)
		return rc;
	struct reader r = {.a = a, .file = file, .text = text, .n = n, .err = err};
	if (!yaml_parser_initialize(&r.parser))
		return err_set(err, ENOMEM, "out of memory");
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, n);
	rc = read_events(&r, ret);
	yaml_parser_delete(&r.parser);
	return rc;
}

int yaml_load(struct arena *a, const char *path, struct yaml_node **ret, struct err *err)
{
	char *text = NULL;
	ssize_t n = file_read(a, AT_FDCWD, path, YAML_FILE_MAX, &text, err);
	if (n < 0)
		return (int)n;
	return yaml_parse(a, path, text, (size_t)n, ret, err);
}
