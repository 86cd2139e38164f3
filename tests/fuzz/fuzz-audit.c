/* tests/fuzz/fuzz-audit.c - a file of the audit log: as its lines, as its head record, and as both.
 *
 * Whatever they are: what is shown holds no control characters, a head record that is read is
 * written back as the same, and every problem that is told is counted.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "audit/read.h"
#include "base/fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_shown(char *text, const char *allowed)
{
	for (const char *p = text; p && *p; p++)
		if (((unsigned char)*p < 0x20 || *p == 0x7f) && !strchr(allowed, *p))
			abort();
	free(text);
}

static void one_line(const char *line, size_t n)
{
	char prev[SHA256_HEX + 1];
	uint64_t number;
	const struct audit_filter f = {
		.sandbox = "s", .events = "deny,flow", .host = ".example.com", .since = "2026"};
	if (chain_line(line, n, &number, prev) && strlen(prev) != SHA256_HEX)
		abort();
	for (int style = AUDIT_TEXT; style <= AUDIT_JSON; style++)
		for (int filtered = 0; filtered < 2; filtered++) {
			char *text = NULL;
			if (audit_show(line, n, filtered ? &f : NULL, (enum audit_style)style,
				    &text) == 1)
				check_shown(text, "");
		}
}

static void as_head(int fd)
{
	struct chain_head h, again;
	if (chain_head_read(fd, &h) != 1)
		return;
	if (strlen(h.hash) != SHA256_HEX || chain_head_write(fd, &h) < 0 ||
		chain_head_read(fd, &again) != 1 || memcmp(&h, &again, sizeof(h)) != 0)
		abort();
}

static void problem(void *ud, const char *text)
{
	size_t *count = ud;
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			abort();
	++*count;
}

/* Lines, and the head record behind them. */
static void as_log(const uint8_t *data, size_t n)
{
	char dir[] = "/tmp/bawn-fuzz-audit-XXXXXX", path[64], head[80];
	struct audit_verdict v;
	size_t told = 0;
	const uint8_t *at = memmem(data, n, "bawn-audit-1", 12);
	size_t cut = at ? (size_t)(at - data) : n;
	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/log", dir);
	snprintf(head, sizeof(head), "%s.head", path);
	const struct {
		const char *path;
		size_t from, n;
	} part[] = {{path, 0, cut}, {head, cut, n - cut}};
	for (size_t i = 0; i < ARRAY_LEN(part); i++) {
		_cleanup_close_ int fd = open(
			part[i].path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd < 0 || fd_write_all(fd, data + part[i].from, part[i].n) < 0)
			abort();
	}
	if (audit_verify(path, problem, &told, &v, NULL) == 0 && told != v.problems)
		abort();
	unlink(path);
	unlink(head);
	rmdir(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_close_ int fd = memfd_create("fuzz", MFD_CLOEXEC);
	char *s = malloc(n + 1);
	if (!s || fd < 0 || fd_write_all(fd, data, n) < 0)
		abort();
	memcpy(s, data, n);
	s[n] = '\0';
	for (size_t at = 0; at <= n;) {
		size_t len = strcspn(s + at, "\n");
		one_line(s + at, len);
		at += len + 1;
	}
	as_head(fd);
	as_log(data, n);
	free(s);
	return 0;
}
