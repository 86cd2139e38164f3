/* policy/write.c - see write.h */
#include "policy/write.h"

#include <inttypes.h>
#include <string.h>

#include "policy/egress-table.h"
#include "policy/path-glob.h"

/* The largest unit that they are a number of. */
void write_size(FILE *f, uint64_t bytes)
{
	static const struct {
		const char *unit;
		uint64_t bytes;
	} units[] = {{"GiB", (uint64_t)1 << 30}, {"GB", 1000000000}, {"MiB", (uint64_t)1 << 20},
		{"MB", 1000000}, {"KiB", (uint64_t)1 << 10}, {"KB", 1000}, {"", 1}};
	size_t i = 0;
	while (bytes % units[i].bytes)
		i++;
	fprintf(f, "%" PRIu64 "%s", bytes / units[i].bytes, units[i].unit);
}

const char *write_host(const struct credential_host *h, char *buf, size_t cap)
{
	static const char *const wild[] = {
		[EGRESS_EXACT] = "", [EGRESS_ONE] = "*.", [EGRESS_ANY] = "**."};
	int n = snprintf(buf, cap, "%s%s", wild[h->kind], h->name);
	if (h->port != 443 && n > 0 && (size_t)n < cap)
		snprintf(buf + n, cap - (size_t)n, ":%u", h->port);
	return buf;
}

const char *write_request(const struct http_rule *r, char *buf, size_t cap)
{
	char path[HTTP_PATH_MAX * 3 + 2];
	size_t n = strlen(r->methods);
	const char *written = path_glob_write(r->path, path, sizeof(path));
	snprintf(buf, cap, "%.*s%s%s", n > 2 ? (int)n - 2 : 0, n > 2 ? r->methods + 1 : "",
		n > 2 ? " " : "", written ? written : r->path);
	return buf;
}

const char *write_quoted(struct arena *a, const char *s)
{
	char *out = arena_alloc(a, 2 * strlen(s) + 3), *p = out;
	if (!out)
		return "";
	*p++ = '"';
	for (; *s; s++) {
		if (*s == '"' || *s == '\\' || *s == '\n' || *s == '\t')
			*p++ = '\\';
		*p++ = *s == '\n' ? 'n' : *s == '\t' ? 't' : *s;
	}
	*p++ = '"';
	*p = '\0';
	return out;
}

static void put_texts(struct arena *a, FILE *f, const char *key, size_t i, const char *text)
{
	if (i == 0)
		fprintf(f, "    %s: [", key);
	fprintf(f, "%s%s", i ? ", " : "", write_quoted(a, text));
}

static void put_files(struct arena *a, FILE *f, const struct strv *files)
{
	if (files->n)
		fputs("    file:\n", f);
	for (size_t i = 0; i < files->n; i++) {
		const char *path = files->v[i];
		const size_t n = strcspn(path, "=");
		fprintf(f, "      %s: %s\n", write_quoted(a, arena_printf(a, "%.*s", (int)n, path)),
			write_quoted(a, path + n + (path[n] == '=')));
	}
}

void write_credential(struct arena *a, FILE *f, const struct credential *cr)
{
	static char buf[HTTP_PATH_MAX * 3 + 200];
	fprintf(f, "  - secret: %s\n", write_quoted(a, cr->secret));
	for (size_t i = 0; i < cr->n_hosts; i++)
		put_texts(a, f, "hosts", i, write_host(&cr->hosts[i], buf, sizeof(buf)));
	fputs("]\n", f);
	if (cr->basic_user)
		fprintf(f, "    basic: %s\n", write_quoted(a, cr->basic_user));
	else
		fprintf(f, "    header: {%s: %s}\n", write_quoted(a, cr->header),
			write_quoted(a, arena_printf(a, "%s{}%s", cr->before, cr->after)));
	for (size_t i = 0; i < cr->env.n; i++)
		put_texts(a, f, "env", i, cr->env.v[i]);
	fputs(cr->env.n ? "]\n" : "", f);
	put_files(a, f, &cr->files);
	fprintf(f, "    placeholder: %s\n", write_quoted(a, cr->shape));
	if (cr->always)
		fputs("    always: true\n", f);
	/* else nothing stands for it: it is a log-in's, whose file a profile names */
	if (!cr->env.n && !cr->files.n && !cr->always)
		fputs("    login: true\n", f);
	for (size_t i = 0; i < cr->requests.n; i++)
		put_texts(a, f, "requests", i, write_request(&cr->requests.v[i], buf, sizeof(buf)));
	fputs(cr->requests.n ? "]\n" : "", f);
	if (cr->beyond)
		fprintf(f, "    beyond: %s\n", write_quoted(a, cr->beyond));
}
