/* build/remote-url.c - see remote-url.h */
#include "build/remote-url.h"

#include <errno.h>
#include <stdlib.h>

enum { NAME_LENGTH_MAX = 255 };

static bool is_web(const char *s)
{
	return has_prefix(s, "http://") || has_prefix(s, "https://");
}

bool remote_is(const char *s)
{
	return is_web(s) || has_prefix(s, "git@") || has_prefix(s, "git://") ||
		has_prefix(s, "ssh://");
}

bool remote_is_repository(const char *s)
{
	size_t n = strcspn(s, "#?");
	return !is_web(s) || (n > 4 && strncmp(s + n - 4, ".git", 4) == 0);
}

static int hex(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

/* The n bytes at from with their %XX undone.  How many there are, or -EINVAL. */
static ssize_t decode(const char *from, size_t n, char *to)
{
	size_t len = 0;
	for (size_t i = 0; i < n; i++) {
		if (from[i] != '%') {
			to[len++] = from[i];
			continue;
		}
		int high = i + 2 < n ? hex(from[i + 1]) : -1,
		    low = high < 0 ? -1 : hex(from[i + 2]);
		if (low < 0 || (high << 4 | low) < ' ' || (high << 4 | low) == 0x7f)
			return -EINVAL;
		to[len++] = (char)(high << 4 | low);
		i += 2;
	}
	to[len] = '\0';
	return (ssize_t)len;
}

static bool is_url(const char *s)
{
	const char *host = is_web(s) ? strstr(s, "://") + 3 : NULL;
	if (!host || !*host || strchr("/?#", *host))
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s > '~' || *s == '\\')
			return false;
	return true;
}

/* What git takes for the name of a branch, a tag, or a commit, and for nothing else. */
static bool is_git_ref(const char *s)
{
	if (*s == '-' || strstr(s, "..") || strstr(s, "@{"))
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s > '~' || strchr("~^:?*[\\", *s))
			return false;
	return true;
}

int remote_git_parse(
	struct arena *a, const char *text, char **ret_url, char **ret_ref, char **ret_dir)
{
	size_t n = strcspn(text, "#");
	char *url = arena_dupn(a, text, n), *ref = arena_dup(a, text + n + (text[n] == '#'));
	char *dir = ref ? strchr(ref, ':') : NULL;
	if (!url || !ref)
		return -ENOMEM;
	if (dir)
		*dir++ = '\0';
	for (const char *p = dir; p && *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return -EINVAL;
	if (!is_url(url) || !is_git_ref(ref))
		return -EINVAL;
	*ret_url = url;
	*ret_ref = *ref ? ref : NULL;
	*ret_dir = dir && *dir ? dir : NULL;
	return 0;
}

int remote_url_name(struct arena *a, const char *url, char **ret)
{
	if (!is_url(url))
		return -EINVAL;
	const char *host = strstr(url, "://") + 3, *path = host + strcspn(host, "/?#");
	size_t n = *path == '/' ? strcspn(path, "?#") : 0;
	char *text = arena_alloc(a, n + 1);
	ssize_t len = text ? decode(path, n, text) : -ENOMEM;
	if (len < 0)
		return (int)len;
	while (len && text[len - 1] == '/')
		text[--len] = '\0';
	char *slash = strrchr(text, '/'), *name = slash ? slash + 1 : text;
	if (streq(name, ".") || streq(name, "..") || strlen(name) > NAME_LENGTH_MAX)
		return -EINVAL;
	*ret = *name ? name : NULL;
	return 0;
}
