/* base/kept-mode.c - see kept-mode.h */
#include "base/kept-mode.h"

bool kept_mode_parse(const char *text, size_t n, uint32_t *ret)
{
	uint32_t v = 0;
	if (n == 0 || n > 4)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '7')
			return false;
		v = v << 3 | (uint32_t)(text[i] - '0');
	}
	*ret = v;
	return true;
}

mode_t kept_mode_on_disk(uint32_t mode, bool dir)
{
	return dir ? (mode & 01777) | 0700 : (mode & 0777) | 0400;
}
