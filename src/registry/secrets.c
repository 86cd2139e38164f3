/* registry/secrets.c - see secrets.h */
#include "registry/secrets.h"

#include <sys/types.h>

#include "base/fd.h"

/* All fields full, with their keys. */
enum { TEXT_MAX = sizeof(struct registry_secrets) + 128 };

static const struct {
	const char *key;
	size_t at, cap;
} fields[] = {
#define FIELD(f)                                                                                   \
	{                                                                                          \
#f, offsetof(struct registry_secrets, f),                                          \
			sizeof(((struct registry_secrets *)0)->f)                                  \
	}
	FIELD(user),
	FIELD(pass),
	FIELD(identity),
	FIELD(bearer),
	FIELD(proxy),
#undef FIELD
};

static int put(const char *line, size_t n, struct registry_secrets *s)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		size_t k = strlen(fields[i].key);
		if (n <= k || memcmp(line, fields[i].key, k) != 0 || line[k] != ' ')
			continue;
		if (n - k - 1 >= fields[i].cap || memchr(line, '\0', n))
			return -EBADMSG;
		char *to = (char *)s + fields[i].at;
		memcpy(to, line + k + 1, n - k - 1);
		to[n - k - 1] = '\0';
		return 0;
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
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const char *v = (const char *)s + fields[i].at;
		if (!*v)
			continue;
		for (const char *p = v; *p; p++)
			if ((unsigned char)*p < ' ' || *p == 0x7f)
				r = -EINVAL;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %s\n", fields[i].key, v);
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
