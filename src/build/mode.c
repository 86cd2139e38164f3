/* build/mode.c - see mode.h */
#include "build/mode.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SET_ID (S_ISUID | S_ISGID)
#define ALL_X (S_IXUSR | S_IXGRP | S_IXOTH)

/* What of a mode is whose. */
static mode_t bits_of(char who)
{
	switch (who) {
	case 'u':
		return S_ISUID | S_IRWXU;
	case 'g':
		return S_ISGID | S_IRWXG;
	case 'o':
		return S_ISVTX | S_IRWXO;
	default:
		return 07777;
	}
}

static mode_t bits_of_perm(char perm, mode_t now, bool dir)
{
	switch (perm) {
	case 'r':
		return S_IRUSR | S_IRGRP | S_IROTH;
	case 'w':
		return S_IWUSR | S_IWGRP | S_IWOTH;
	case 'x':
		return ALL_X;
	case 'X':
		return dir || now & ALL_X ? ALL_X : 0;
	case 's':
		return SET_ID;
	default:
		return S_ISVTX;
	}
}

/* The permissions that user, group or others have, for all three. */
static mode_t copy_of(char who, mode_t now)
{
	mode_t one = (who == 'u' ? now >> 6 : who == 'g' ? now >> 3 : now) & 7;
	return one << 6 | one << 3 | one;
}

/* "+rw" and the like, for who; *mode changes.  What is behind it. */
static const char *apply_action(const char *p, mode_t who, bool dir, mode_t *mode)
{
	const char op = *p++;
	mode_t bits = 0, clear;
	if (*p && strchr("ugo", *p)) {
		bits = copy_of(*p++, *mode);
	} else {
		for (; *p && strchr("rwxXst", *p); p++)
			bits |= bits_of_perm(*p, *mode, dir);
	}
	/* "=" leaves a directory its set-ID bits, unless it names them */
	clear = dir && !(bits & SET_ID) ? who & ~(mode_t)SET_ID : who;
	bits &= who;
	*mode = op == '+' ? *mode | bits : op == '-' ? *mode & ~bits : (*mode & ~clear) | bits;
	return p;
}

/* The whole text; mode NULL: is it one? */
static bool apply(const char *p, bool dir, mode_t *mode)
{
	mode_t now = mode ? *mode : 0;
	for (;;) {
		mode_t who = 0;
		for (; *p && strchr("ugoa", *p); p++)
			who |= bits_of(*p);
		if (!*p || !strchr("-+=", *p))
			return false;
		while (*p && strchr("-+=", *p))
			p = apply_action(p, who ? who : bits_of('a'), dir, &now);
		if (!*p)
			break;
		if (*p++ != ',')
			return false;
	}
	if (mode)
		*mode = now;
	return true;
}

static bool octal(const char *text, mode_t *ret)
{
	char *end;
	unsigned long v = strtoul(text, &end, 8);
	if (*text < '0' || *text > '7' || *end || v > 07777)
		return false;
	*ret = (mode_t)v;
	return true;
}

bool mode_is_valid(const char *text)
{
	mode_t v;
	return octal(text, &v) || apply(text, false, NULL);
}

mode_t mode_apply(const char *text, mode_t mode, bool dir)
{
	if (!octal(text, &mode))
		apply(text, dir, &mode);
	return mode;
}
