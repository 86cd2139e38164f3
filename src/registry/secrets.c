/* registry/secrets.c - see secrets.h */
#include "registry/secrets.h"

#include <sys/types.h>

#include "base/fd.h"

/* All fields full, each byte escaped, with their keys. */
enum { TEXT_MAX = 2 * sizeof(struct registry_secrets) + 128 };

static const struct {
	const char *key;
	size_t at, cap;
	bool lines; /* it may have several: it is sent as base64, or percent-encoded */
} fields[] = {
#define FIELD(f, lines)                                                                            \
	{                                                                                          \
#f, offsetof(struct registry_secrets, f),                                          \
			sizeof(((struct registry_secrets *)0)->f), lines                           \
	}
	FIELD(user, true),
	FIELD(pass, true), /* of _json_key: Google's file, as it is */
	FIELD(identity, true),
	FIELD(bearer, false),
	FIELD(proxy, false),
#undef FIELD
};

static const char plain[] = "\n\r\t\\", letters[] = "nrt\\";

/* n bytes of line with their escapes, into dst. */
static int unescape(const char *line, size_t n, char *dst, size_t cap)
{
	size_t o = 0;
	for (size_t i = 0; i < n; i++) {
		char c = line[i];
		if (c == '\\') {
			const char *p = ++i < n && line[i] ? strchr(letters, line[i]) : NULL;
			if (!p)
				return -EBADMSG;
			c = plain[p - letters];
		}
		if (!c || o + 1 >= cap)
			return -EBADMSG;
		dst[o++] = c;
	}
	dst[o] = '\0';
	return 0;
}

/* v with its escapes, into dst, which has room; -EINVAL: a control byte that can't be in it. */
static int escape(const char *v, bool lines, char *dst, size_t *ret)
{
	size_t o = 0;
	for (; *v; v++) {
		const char *p = strchr(plain, *v);
		if (((unsigned char)*v < ' ' && !(lines && p)) || *v == 0x7f)
			return -EINVAL;
		if (p)
			dst[o++] = '\\';
		dst[o++] = p ? letters[p - plain] : *v;
	}
	*ret = o;
	return 0;
}

static int put(const char *line, size_t n, struct registry_secrets *s)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		size_t k = strlen(fields[i].key);
		if (n <= k || memcmp(line, fields[i].key, k) != 0 || line[k] != ' ')
			continue;
		return unescape(line + k + 1, n - k - 1, (char *)s + fields[i].at, fields[i].cap);
	}
	return -EBADMSG;
}

int registry_secrets_read(int fd, struct registry_secrets *ret)
{
	char text[TEXT_MAX];
	*ret = (struct registry_secrets){0};
	ssize_t n = fd_pread_full(fd, text, sizeof(text), 0);
	if (n == -ESPIPE || n == -EBADF) /* /dev/null, or nothing at all */
		n = 0;
	int r = n == sizeof(text) ? -EBADMSG : (int)MIN(n, 0);
	for (const char *p = text; r == 0 && n > 0 && p < text + n;) {
		const char *end = memchr(p, '\n', (size_t)(text + n - p));
		r = end ? put(p, (size_t)(end - p), ret) : -EBADMSG;
		p = end ? end + 1 : p;
	}
	explicit_bzero(text, sizeof(text));
	if (r < 0)
		registry_secrets_erase(ret);
	return r;
}

int registry_secrets_write(int fd, const struct registry_secrets *s)
{
	char text[TEXT_MAX];
	size_t n = 0;
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(fields); i++) {
		const char *v = (const char *)s + fields[i].at;
		size_t k = 0;
		if (!*v)
			continue;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s ", fields[i].key);
		r = escape(v, fields[i].lines, text + n, &k);
		n += k;
		text[n++] = '\n';
	}
	if (r == 0 && (ftruncate(fd, 0) < 0 || pwrite(fd, text, n, 0) != (ssize_t)n))
		r = errno ? -errno : -EIO;
	explicit_bzero(text, sizeof(text));
	return r;
}

void registry_secrets_erase(struct registry_secrets *s)
{
	explicit_bzero(s, sizeof(*s));
}
