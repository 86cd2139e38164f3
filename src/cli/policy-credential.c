/* cli/policy-credential.c - what a policy says of credentials: in words, as JSON, and as YAML
 * again.
 *
 * Owns: those forms of a binding.  Must not: know a secret; there is none in a policy.
 */
#include "base/path.h"
#include "cli/admin.h"
#include "cli/policy-side.h"
#include "policy/write.h"

/* "~/.npmrc" */
static const char *file_text(const char *file, char *buf, size_t cap)
{
	snprintf(buf, cap, "%.*s", (int)strcspn(file, "="), file);
	return buf;
}

void policy_credential_json(struct ctx *c, const struct credential *cr)
{
	char buf[400];
	json_begin(&c->json, NULL, '{');
	json_str(&c->json, "secret", cr->secret);
	json_begin(&c->json, "hosts", '[');
	for (size_t i = 0; i < cr->n_hosts; i++)
		json_str(&c->json, NULL, write_host(&cr->hosts[i], buf, sizeof(buf)));
	json_end(&c->json, ']');
	json_str(&c->json, "header", cr->header);
	json_begin(&c->json, "env", '[');
	for (size_t i = 0; i < cr->env.n; i++)
		json_str(&c->json, NULL, cr->env.v[i]);
	json_end(&c->json, ']');
	json_begin(&c->json, "files", '[');
	for (size_t i = 0; i < cr->files.n; i++)
		json_str(&c->json, NULL, file_text(cr->files.v[i], buf, sizeof(buf)));
	json_end(&c->json, ']');
	json_str(&c->json, "placeholder", cr->shape);
	json_bool(&c->json, "always", cr->always);
	json_begin(&c->json, "requests", '[');
	for (size_t i = 0; i < cr->requests.n; i++)
		json_str(&c->json, NULL, write_request(&cr->requests.v[i], buf, sizeof(buf)));
	json_end(&c->json, ']');
	json_str(&c->json, "beyond", cr->beyond);
	json_int(&c->json, "line", cr->line);
	json_end(&c->json, '}');
}

void policy_credential_show(const char *before, const struct credential *cr)
{
	static const char seen[] = "; the agent sees a placeholder in";
	char buf[400];
	printf("%ssecret %s goes to", before, cr->secret);
	for (size_t i = 0; i < cr->n_hosts; i++)
		printf("%s %s", i ? "," : "", write_host(&cr->hosts[i], buf, sizeof(buf)));
	printf(" in %s%s", cr->header, cr->always ? " (always)" : "");
	for (size_t i = 0; i < cr->requests.n; i++)
		printf("%s %s", i ? "," : ", with",
			write_request(&cr->requests.v[i], buf, sizeof(buf)));
	if (cr->beyond)
		printf(" (others: --policy %s)", cr->beyond);
	for (size_t i = 0; i < cr->env.n; i++)
		printf("%s %s", i ? "," : seen, cr->env.v[i]);
	for (size_t i = 0; i < cr->files.n; i++)
		printf("%s %s", i || cr->env.n ? "," : seen,
			file_text(cr->files.v[i], buf, sizeof(buf)));
	putchar('\n');
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
		write_credential(a, f, cr);
	}
}
