/* layer/tar-pax.c - what a pax extended header says: "LENGTH KEY=VALUE\n", the length being that of
 * the whole record, in decimal.
 */
#include "layer/tar-in.h"

int tar_decimal(const char *text, size_t n, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	if (n == 0)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9' || v > (UINT64_MAX - 9) / 10)
			return -EINVAL;
		v = v * 10 + (uint64_t)(text[i] - '0');
	}
	if (v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

/* Seconds since 1970, perhaps with a sign and a fraction, of which what is below 1 ns is dropped.
 */
static int parse_time(const char *text, size_t n, int64_t *ret, uint32_t *ret_ns)
{
	bool negative = n && text[0] == '-';
	const char *p = text + negative, *end = text + n;
	const char *dot = memchr(p, '.', (size_t)(end - p));
	uint64_t s;
	uint32_t ns = 0, unit = 100000000;
	if (tar_decimal(p, (size_t)((dot ? dot : end) - p), INT64_MAX / 4, &s) < 0)
		return -EINVAL;
	for (p = dot ? dot + 1 : end; p < end; p++, unit /= 10) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
		ns += (uint32_t)(*p - '0') * unit;
	}
	*ret = negative ? -(int64_t)s : (int64_t)s;
	if (negative && ns) {
		*ret -= 1;
		ns = 1000000000 - ns;
	}
	*ret_ns = ns;
	return 0;
}

struct record {
	const char *key;
	char *value; /* ended by a NUL */
	size_t n;
};

static int sparse_map_text(struct tar *t, const struct record *rec, struct err *err)
{
	const char *p = rec->value, *end = p + rec->n;
	t->n_segs = t->pax.n_half = 0;
	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		uint64_t v;
		if (!comma)
			comma = end;
		if (tar_decimal(p, (size_t)(comma - p), TAR_FILE_MAX, &v) < 0)
			return tar_bad(t, err, "a sparse file's map");
		int r = tar_seg_half(t, v, err);
		if (r < 0)
			return r;
		p = comma + (comma < end);
	}
	return 0;
}

static int sparse_record(struct tar *t, const char *key, const struct record *rec, struct err *err)
{
	struct tar_pax *x = &t->pax;
	uint64_t v = 0;
	bool ok = true;
	if (streq(key, "name")) {
		x->sparse_name = rec->value;
		return 0;
	}
	if (streq(key, "map")) {
		x->sparse = true;
		return sparse_map_text(t, rec, err);
	}
	ok = tar_decimal(rec->value, rec->n, TAR_FILE_MAX, &v) == 0;
	if (streq(key, "size") || streq(key, "realsize")) {
		x->real_size = v;
		x->sparse = true;
	} else if (streq(key, "major")) {
		ok = ok && v <= 1;
		x->sparse_1 = v == 1;
	} else if (streq(key, "minor")) {
		ok = ok && v <= 1;
	} else if (ok && (streq(key, "offset") || streq(key, "numbytes"))) {
		ok = (x->n_half % 2 == 1) == streq(key, "numbytes");
		int r = ok ? tar_seg_half(t, v, err) : 0;
		if (r < 0)
			return r;
	}
	return ok ? 0 : tar_bad(t, err, "what it says of a sparse file");
}

static int xattr_record(struct tar *t, const char *name, const struct record *rec, struct err *err)
{
	struct tar_pax *x = &t->pax;
	if (!name[0] || strlen(name) > 255)
		return tar_bad(t, err, "the name of an extended attribute");
	for (size_t i = 0; i < x->n_xattrs; i++)
		if (streq(x->xattrs[i].name, name)) { /* the last one counts */
			x->xattrs[i] = (struct tar_xattr){name, rec->value, rec->n};
			return 0;
		}
	if (x->n_xattrs == ARRAY_LEN(x->xattrs))
		return tar_bad(t, err, "more than %d extended attributes", TAR_XATTRS_MAX);
	x->xattrs[x->n_xattrs++] = (struct tar_xattr){name, rec->value, rec->n};
	return 0;
}

static int id_record(const struct record *rec, bool *has, uint32_t *ret)
{
	uint64_t v = 0;
	*has = rec->n > 0;
	if (!rec->n)
		return 0;
	int r = tar_decimal(rec->value, rec->n, TAR_ID_MAX, &v);
	*ret = (uint32_t)v;
	return r;
}

static int one_record(struct tar *t, const struct record *rec, struct err *err)
{
	struct tar_pax *x = &t->pax;
	const char *key = rec->key;
	int r = 0;
	if (has_prefix(key, "SCHILY.xattr."))
		return xattr_record(t, key + strlen("SCHILY.xattr."), rec, err);
	if (has_prefix(key, "GNU.sparse."))
		return sparse_record(t, key + strlen("GNU.sparse."), rec, err);
	if ((streq(key, "path") || streq(key, "linkpath")) && strlen(rec->value) != rec->n)
		return tar_bad(t, err, "a name with a NUL in it");
	if (streq(key, "path"))
		x->path = rec->n ? rec->value : NULL; /* an empty value takes back what was said */
	else if (streq(key, "linkpath"))
		x->link = rec->n ? rec->value : NULL;
	else if (streq(key, "size") && (x->has_size = rec->n > 0))
		r = tar_decimal(rec->value, rec->n, TAR_FILE_MAX, &x->size);
	else if (streq(key, "uid"))
		r = id_record(rec, &x->has_uid, &x->uid);
	else if (streq(key, "gid"))
		r = id_record(rec, &x->has_gid, &x->gid);
	else if (streq(key, "mtime") && (x->has_mtime = rec->n > 0))
		r = parse_time(rec->value, rec->n, &x->mtime, &x->mtime_ns);
	return r < 0 ? tar_bad(t, err, "an extended header's %s is no number that can be", key) : 0;
}

int tar_pax_parse(struct tar *t, char *text, size_t n, struct err *err)
{
	char *p = text, *end = text + n;
	while (p < end) {
		char *space = memchr(p, ' ', MIN((size_t)(end - p), (size_t)20));
		uint64_t len;
		if (!space || tar_decimal(p, (size_t)(space - p), (uint64_t)(end - p), &len) < 0 ||
			len < (uint64_t)(space - p) + 4 || p[len - 1] != '\n')
			return tar_bad(t, err, "a record of an extended header has a wrong length");
		char *key = space + 1, *last = p + len - 1;
		char *eq = memchr(key, '=', (size_t)(last - key));
		if (!eq || eq == key || memchr(key, 0, (size_t)(eq - key)))
			return tar_bad(t, err, "a record of an extended header has no name");
		*eq = *last = 0;
		struct record rec = {key, eq + 1, (size_t)(last - eq - 1)};
		int r = one_record(t, &rec, err);
		if (r < 0)
			return r;
		p += len;
	}
	return 0;
}
