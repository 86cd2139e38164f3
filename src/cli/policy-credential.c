/* cli/policy-credential.c - what a policy says of credentials: in words, as JSON, and as YAML
 * again.
 *
 * Owns: those three forms of a binding.  Must not: know a secret; there is none in a policy.
 */
#include "base/path.h"
#include "cli/admin.h"
#include "cli/policy-side.h"
#include "policy/path-glob.h"

/* "*.example.com:8443" as a person writes it, without the port 443. */
static const char *host_text(const struct credential_host *h, char *buf, size_t cap)
{
	static const char *const wild[] = {
		[EGRESS_EXACT] = "", [EGRESS_ONE] = "*.", [EGRESS_ANY] = "**."};
	int n = snprintf(buf, cap, "%s%s", wild[h->kind], h->name);
	if (h->port != 443 && n > 0 && (size_t)n < cap)
		snprintf(buf + n, cap - (size_t)n, ":%u", h->port);
	return buf;
}

/* "GET,HEAD /repos" */
static const char *request_text(const struct http_rule *r, char *buf, size_t cap)
{
	char path[HTTP_PATH_MAX * 3 + 2];
	size_t n = strlen(r->methods);
	const char *written = path_glob_write(r->path, path, sizeof(path));
	snprintf(buf, cap, "%.*s%s%s", n > 2 ? (int)n - 2 : 0, n > 2 ? r->methods + 1 : "",
		n > 2 ? " " : "", written ? written : r->path);
	return buf;
}

void policy_credential_json(struct ctx *c, const struct credential *cr)
{
	char buf[400];
	json_begin(&c->json, NULL, '{');
	json_str(&c->json, "secret", cr->secret);
	json_begin(&c->json, "hosts", '[');
	for (size_t i = 0; i < cr->n_hosts; i++)
		json_str(&c->json, NULL, host_text(&cr->hosts[i], buf, sizeof(buf)));
	json_end(&c->json, ']');
	json_str(&c->json, "header", cr->header);
	json_begin(&c->json, "env", '[');
	for (size_t i = 0; i < cr->env.n; i++)
		json_str(&c->json, NULL, cr->env.v[i]);
	json_end(&c->json, ']');
	json_str(&c->json, "placeholder", cr->shape);
	json_bool(&c->json, "always", cr->always);
	json_begin(&c->json, "requests", '[');
	for (size_t i = 0; i < cr->requests.n; i++)
		json_str(&c->json, NULL, request_text(&cr->requests.v[i], buf, sizeof(buf)));
	json_end(&c->json, ']');
	json_int(&c->json, "line", cr->line);
	json_end(&c->json, '}');
}

void policy_credential_show(const char *before, const struct credential *cr)
{
	char buf[400];
	printf("%ssecret %s goes to", before, cr->secret);
	for (size_t i = 0; i < cr->n_hosts; i++)
		printf("%s %s", i ? "," : "", host_text(&cr->hosts[i], buf, sizeof(buf)));
	printf(" in %s%s", cr->header, cr->always ? " (always)" : "");
	for (size_t i = 0; i < cr->requests.n; i++)
		printf("%s %s", i ? "," : ", with",
			request_text(&cr->requests.v[i], buf, sizeof(buf)));
	for (size_t i = 0; i < cr->env.n; i++)
		printf("%s %s", i ? "," : "; the agent sees a placeholder in", cr->env.v[i]);
	putchar('\n');
}

/* ---- as YAML ---- */

const char *policy_quoted(struct arena *a, const char *s)
{
	char *out = arena_alloc(a, 2 * strlen(s) + 3), *p = out;
	if (!out)
		return "";
	*p++ = '"';
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			*p++ = '\\';
		*p++ = *s;
	}
	*p++ = '"';
	*p = '\0';
	return out;
}

static void put_texts(struct arena *a, FILE *f, const char *key, size_t i, const char *text)
{
	if (i == 0)
		fprintf(f, "    %s: [", key);
	fprintf(f, "%s%s", i ? ", " : "", policy_quoted(a, text));
}

static void put_one(struct arena *a, FILE *f, const struct credential *cr)
{
	static char buf[HTTP_PATH_MAX * 3 + 200];
	fprintf(f, "  - secret: %s\n", policy_quoted(a, cr->secret));
	for (size_t i = 0; i < cr->n_hosts; i++)
		put_texts(a, f, "hosts", i, host_text(&cr->hosts[i], buf, sizeof(buf)));
	fputs("]\n", f);
	if (cr->basic_user)
		fprintf(f, "    basic: %s\n", policy_quoted(a, cr->basic_user));
	else
		fprintf(f, "    header: {%s: %s}\n", policy_quoted(a, cr->header),
			policy_quoted(a, arena_printf(a, "%s{}%s", cr->before, cr->after)));
	for (size_t i = 0; i < cr->env.n; i++)
		put_texts(a, f, "env", i, cr->env.v[i]);
	fprintf(f, "%s    placeholder: %s\n", cr->env.n ? "]\n" : "", policy_quoted(a, cr->shape));
	if (cr->always)
		fputs("    always: true\n", f);
	for (size_t i = 0; i < cr->requests.n; i++)
		put_texts(a, f, "requests", i, request_text(&cr->requests.v[i], buf, sizeof(buf)));
	fputs(cr->requests.n ? "]\n" : "", f);
}

void policy_credentials_put(struct arena *a, FILE *f, const struct credentials *list)
{
	const char *last = NULL;
	char file[300];
	for (size_t i = 0; i < list->n; i++) {
		const struct credential *cr = &list->v[i];
		if (!last)
			fputs("credentials:\n", f);
		if (!last || !streq(last, cr->file))
			fprintf(f, "  # %s\n", shown(file, sizeof(file), path_base(cr->file)));
		last = cr->file;
		put_one(a, f, cr);
	}
}
