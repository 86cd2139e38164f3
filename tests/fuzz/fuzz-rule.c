/* tests/fuzz/fuzz-rule.c - lines of rules: parse, compile, view, match, lint. */
#include <stdint.h>
#include <stdlib.h>

#include "policy/egress-build.h"
#include "policy/lint.h"
#include "policy/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void ignore(void *ctx, const char *file, uint32_t line, uint32_t col, const char *text)
{
	(void)ctx, (void)file, (void)line, (void)col, (void)text;
}

static void check_rules(const struct rules *rules, const struct egress *e)
{
	for (size_t i = 0; i < rules->n; i++) {
		const struct rule *r = &rules->v[i];
		uint16_t port = r->n_ports ? r->ports[0] : 443;
		if (r->kind == EGRESS_NET) {
			struct egress_verdict v = egress_match_addr(e, &r->net, port);
			if (v.rule == EGRESS_NO_RULE)
				abort();
			continue;
		}
		if (r->kind == EGRESS_EXACT) {
			struct egress_verdict v = egress_match(e, r->name, port);
			if (v.rule == EGRESS_NO_RULE || (r->deny && v.action != EGRESS_DENY))
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = {0};
	struct rules rules = {0};
	char *s = malloc(n + 1), *save = NULL;
	void *table = NULL;
	size_t table_n = 0;
	struct egress e;
	if (!s)
		return 0;
	memcpy(s, data, n);
	s[n] = '\0';
	for (char *line = strtok_r(s, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct rule r = {.deny = line[0] == '!'};
		struct err err = {0};
		if (rule_parse(&a, line + r.deny, &r, &err) < 0) {
			if (!err.msg[0])
				abort();
			continue;
		}
		r.file = "fuzz";
		rule_add(&a, &rules, &r, NULL);
	}
	if (egress_build(&rules, false, &table, &table_n, NULL) == 0) {
		if (egress_view(&e, table, table_n) < 0)
			abort();
		check_rules(&rules, &e);
	}
	lint_rules(&a, &rules, ignore, NULL);
	free(table);
	free(s);
	arena_free(&a);
	return 0;
}
