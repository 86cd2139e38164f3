/* init/owner-attr.c - see owner-attr.h */
#include "init/owner-attr.h"

enum { KEY_UID = 1 << 3, KEY_GID = 2 << 3 }; /* field number, wire type varint */

static size_t put_varint(unsigned char *to, uint32_t v)
{
	size_t n = 0;
	for (; v >= 0x80; v >>= 7)
		to[n++] = (unsigned char)(v | 0x80);
	to[n++] = (unsigned char)v;
	return n;
}

size_t owner_put(unsigned char to[static OWNER_BYTES], const struct owner *o)
{
	size_t n = 0;
	to[n++] = KEY_UID;
	n += put_varint(to + n, o->uid);
	to[n++] = KEY_GID;
	return n + put_varint(to + n, o->gid);
}

struct owner owner_get(const unsigned char *p, size_t n)
{
	struct owner o = {0};
	for (size_t at = 0; at < n;) {
		unsigned char key = p[at++];
		uint64_t v = 0;
		for (unsigned int shift = 0; at < n && shift < 35; shift += 7) {
			v |= (uint64_t)(p[at] & 0x7f) << shift;
			if (!(p[at++] & 0x80))
				break;
		}
		if (key == KEY_UID)
			o.uid = (uint32_t)v;
		else if (key == KEY_GID)
			o.gid = (uint32_t)v;
	}
	return o;
}

mode_t mode_meant(const char *text, size_t n, mode_t disk)
{
	uint32_t mode;
	if (!(S_ISREG(disk) || S_ISDIR(disk)) || !kept_mode_parse(text, n, &mode) ||
		kept_mode_on_disk(mode, S_ISDIR(disk)) != (disk & 07777))
		return disk;
	return (disk & (mode_t)S_IFMT) | mode;
}
