/* tests/fuzz/fuzz-request.c - a request target against rules: "METHOD TARGET" on the first line,
 * then rules on one host ("!" in front denies).
 *
 * Held against it: no reading grows without bound, what is canonical reads as itself, a request
 * that is allowed matches an allow rule in its plain reading and no deny rule in any.
 */
#include <stdint.h>
#include <stdlib.h>

#include "policy/egress-table.h"
#include "policy/http-build.h"
#include "policy/http-rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char path[HTTP_PATH_MAX * 3 + 2], again[HTTP_PATH_MAX * 3 + 2];

static void check_reading(const char *target, size_t n, unsigned int how)
{
	unsigned int ways = 0, ways2 = 0;
	int r = http_path_canonical(target, n, how, path, sizeof(path), &ways);
	if (r < 0)
		return;
	if (path[0] != '/' || strlen(path) != (size_t)r || (ways & ~31u))
		abort();
	if (r > HTTP_PATH_MAX || strpbrk(path, " ?#"))
		return; /* what came encoded has to stay so on the wire */
	int r2 = http_path_canonical(path, (size_t)r, 0, again, sizeof(again), &ways2);
	if (r2 != r || memcmp(path, again, (size_t)r) != 0)
		abort();
	if ((how & HTTP_READ_DOTS) && (ways2 & HTTP_READ_DOTS) && !(ways & HTTP_READ_SLASH) &&
		!(how & HTTP_READ_MERGE) && !(how & HTTP_READ_PARAMS))
		abort();
}

static bool is_for(const struct http_rule *r)
{
	bool port = r->n_ports == 0;
	for (uint32_t i = 0; i < r->n_ports; i++)
		port |= r->ports[i] == 443;
	return port && egress_name_matches(r->kind, r->name, "a.example");
}

static void check_verdict(const struct http_rules *rules, const char *method, const char *target)
{
	size_t n = strlen(target);
	struct http_verdict v = http_decide(
		rules, "a.example", 443, method, strlen(method), target, n);
	if (!http_rules_apply(rules, "a.example", 443)) {
		if (v.action != EGRESS_ALLOW)
			abort();
		return;
	}
	if (v.action == EGRESS_DENY) {
		if (!v.why)
			abort();
		return;
	}
	for (unsigned int how = 0; how < 32; how++) {
		unsigned int ways = 0;
		if (http_path_canonical(target, n, how, path, sizeof(path), &ways) < 0)
			abort();
		bool some = false;
		for (size_t i = 0; i < rules->n; i++) {
			const struct http_rule *r = &rules->v[i];
			if (!is_for(r))
				continue;
			bool match = r->plain || http_path_match(r->path, path, r->deny);
			if (match && r->deny && !*r->methods)
				abort();
			some |= match && !r->deny;
		}
		if (!some)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = {0};
	struct rules rules = {0};
	struct http_rules http = {0};
	char *s = malloc(n + 1), *save = NULL;
	if (!s)
		return 0;
	memcpy(s, data, n);
	s[n] = '\0';
	char *line = strtok_r(s, "\n", &save);
	char *target = line ? strchr(line, ' ') : NULL;
	if (target)
		*target++ = '\0';
	for (char *text; target && (text = strtok_r(NULL, "\n", &save));) {
		struct rule r = {.deny = text[0] == '!'};
		struct err err = {0};
		char *full = arena_printf(&a, "%s", text + r.deny);
		if (!full || rule_parse(&a, full, &r, &err) < 0)
			continue;
		if (r.kind == EGRESS_EXACT)
			r.name = "a.example";
		r.file = "fuzz";
		rule_add(&a, &rules, &r, NULL);
	}
	if (target && http_build(&a, &rules, &http, NULL) == 0) {
		for (unsigned int how = 0; how < 32; how++)
			check_reading(target, strlen(target), how);
		check_verdict(&http, line, target);
	}
	arena_free(&a);
	free(s);
	return 0;
}
