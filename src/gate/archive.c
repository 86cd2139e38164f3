/* gate/archive.c - looking into compressed files and archives, by libarchive; see scan.h
 *
 * Only what it reads itself is switched on: nothing that would start a program.
 */
#include <archive.h>
#include <archive_entry.h>

#include "gate/names.h"
#include "gate/scan.h"

/* zlib's streams, of which git's loose objects are, are gzip's with another head and end. */
static const unsigned char gzip_head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3}, gzip_end[8];

struct inner {
	struct scan *s;
	bool zlib, ended, begun;
	const struct scan_source *from;
	const unsigned char *head;
	size_t n_head;
	struct archive *a;
	unsigned char chunk[65536];
};

const char *archive_kind(const unsigned char *head, size_t n, bool *ret_known)
{
	static const struct {
		const char *magic, *what;
		size_t at, n;
		bool known;
	} kinds[] = {
		{"\x1f\x8b\x08", "gzip", 0, 3, true},
		{"x\x01", "zlib", 0, 2, true},
		{"x\x9c", "zlib", 0, 2, true},
		{"x\xda", "zlib", 0, 2, true},
		{"BZh", "bzip2", 0, 3, true},
		{"\xfd"
		 "7zXZ\0",
			"xz", 0, 6, true},
		{"]\0\0", "lzma", 0, 3, true},
		{"\x28\xb5\x2f\xfd", "zstd", 0, 4, true},
		{"\x04\x22\x4d\x18", "lz4", 0, 4, true},
		{"PK\x03\x04", "zip", 0, 4, true},
		{"!<arch>\n", "ar", 0, 8, true},
		{"070701", "cpio", 0, 6, true},
		{"ustar", "tar", 257, 5, true},
		{"7z\xbc\xaf\x27\x1c", "a 7z archive", 0, 6, false},
		{"Rar!\x1a\x07", "a RAR archive", 0, 6, false},
		{"PACK\0\0\0", "packed objects of a git repository", 0, 7, false},
		{"LZIP\1", "a file of lzip", 0, 5, false},
		{"\x89LZO\0", "a file of lzop", 0, 5, false},
		{"Salted__", "an encrypted file (OpenSSL)", 0, 8, false},
		{"# v2 git bundle\n", "a bundle of a git repository", 0, 16, false},
		{"# v3 git bundle\n", "a bundle of a git repository", 0, 16, false},
		{"\x1f\x9d", "a file of compress", 0, 2, false},
		{"hsqs", "a squashfs image", 0, 4, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (n >= kinds[i].at + kinds[i].n &&
			memcmp(head + kinds[i].at, kinds[i].magic, kinds[i].n) == 0) {
			*ret_known = kinds[i].known;
			return kinds[i].what;
		}
	return NULL;
}

static ssize_t outer_read(struct archive *a, void *ctx, const void **ret)
{
	struct inner *in = ctx;
	if (in->n_head) {
		ssize_t n = (ssize_t)in->n_head;
		in->n_head = 0;
		*ret = in->head;
		return n;
	}
	ssize_t n = in->from->read(in->from->ctx, in->chunk, sizeof(in->chunk));
	if (n < 0)
		archive_set_error(a, (int)-n, "read");
	*ret = in->chunk;
	if (n == 0 && in->zlib && !in->ended) { /* nobody compares it */
		in->ended = true;
		*ret = gzip_end;
		n = sizeof(gzip_end);
	}
	return n < 0 ? ARCHIVE_FATAL : n;
}

/* "blob 12\0" before what a loose object of git holds; what is left of n bytes. */
static size_t skip_git_head(struct inner *in, unsigned char *buf, size_t n)
{
	static const char *const kinds[] = {"blob ", "tree ", "commit ", "tag "};
	in->begun = true;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const size_t k = strlen(kinds[i]);
		const unsigned char *end = n > k && memcmp(buf, kinds[i], k) == 0
			? memchr(buf, 0, MIN(n, (size_t)32))
			: NULL;
		if (!end)
			continue;
		const size_t head = (size_t)(end - buf) + 1;
		memmove(buf, buf + head, n - head);
		in->s->member = "an object of git";
		return n - head;
	}
	return n;
}

/* One member's bytes, as a source. */
static ssize_t member_read(void *ctx, void *buf, size_t n)
{
	struct inner *in = ctx;
	if (in->s->unpacked >= GATE_UNPACKED_MAX)
		return -EFBIG;
	la_ssize_t k = archive_read_data(in->a, buf, n);
	if (k < 0)
		return -EBADMSG;
	in->s->unpacked += (uint64_t)k;
	return (ssize_t)(in->zlib && !in->begun ? skip_git_head(in, buf, (size_t)k) : (size_t)k);
}

static struct archive *open_archive(struct inner *in)
{
	struct archive *a = archive_read_new();
	if (!a)
		return NULL;
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_lzma(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_filter_lz4(a);
	archive_read_support_format_tar(a);
	archive_read_support_format_zip_streamable(a);
	archive_read_support_format_ar(a);
	archive_read_support_format_cpio(a);
	archive_read_support_format_raw(a);
	archive_read_support_format_empty(a);
	if (archive_read_open(a, in, NULL, outer_read, NULL) == ARCHIVE_OK)
		return a;
	archive_read_free(a);
	return NULL;
}

/* The name of a member behind that of the archive it is in; in *keep. */
static const char *member_name(
	const struct scan *s, struct archive *a, struct archive_entry *e, char *dst, size_t n)
{
	const char *name = archive_entry_pathname(e);
	const bool raw = archive_format(a) == ARCHIVE_FORMAT_RAW;
	snprintf(dst, n, "%s%s%s", s->member, *s->member && !raw ? "!" : "",
		raw            ? ""
			: name ? name
			       : "?");
	/* text.gz, looked at as text */
	if (raw && strlen(dst) > 3 && streq(dst + strlen(dst) - 3, ".gz"))
		dst[strlen(dst) - 3] = '\0';
	return dst;
}

static int scan_member(
	struct inner *in, struct archive_entry *e, const char *outer, unsigned int nest)
{
	struct scan *s = in->s;
	char name[GATE_PATH_MAX];
	const struct scan_source data = {member_read, in};
	const char *target = archive_entry_symlink(e);
	s->member = outer;
	s->member = member_name(s, in->a, e, name, sizeof(name));
	s->line = 0;
	if (archive_format(in->a) != ARCHIVE_FORMAT_RAW) {
		const char *what = gate_credential_file(name);
		if (what && archive_entry_filetype(e) == AE_IFREG &&
			(!archive_entry_size_is_set(e) || archive_entry_size(e) > 0))
			scan_found(s, 0, what, false);
		scan_bytes(s, GATE_BINARY, name, strlen(name), "its name");
	}
	if (target)
		scan_bytes(s, GATE_GIT, target, strlen(target), "a link's target");
	return scan_stream(s, &data, nest + 1);
}

int archive_scan(struct scan *s, const struct scan_source *from, const unsigned char *head,
	size_t n, unsigned int nest)
{
	struct inner *in = calloc(1, sizeof(*in));
	const char *outer = s->member;
	struct archive_entry *e;
	int r = 0, k = ARCHIVE_EOF;
	unsigned char *copy = malloc(n + sizeof(gzip_head));
	if (!in || !copy) {
		free(in);
		free(copy);
		return -ENOMEM;
	}
	const bool zlib = n > 2 && head[0] == 'x';
	const size_t cut = zlib ? 2 : 0, more = zlib ? sizeof(gzip_head) : 0;
	memcpy(copy, gzip_head, more);
	memcpy(copy + more, head + cut, n - cut); /* the window is for the members */
	*in = (struct inner){.s = s, .zlib = zlib, .from = from, .head = copy};
	in->n_head = more + n - cut;
	in->a = open_archive(in);
	while (in->a && r == 0 &&
		((k = archive_read_next_header(in->a, &e)) == ARCHIVE_OK || k == ARCHIVE_WARN))
		r = scan_member(in, e, outer, nest);
	s->member = outer;
	if (!in->a || r == -EBADMSG || (r == 0 && k != ARCHIVE_EOF))
		scan_unseen(s, "an archive that is damaged, or encrypted");
	else if (r == -EFBIG && nest == 0)
		scan_unseen(s, "an archive that is too large");
	if (in->a)
		archive_read_free(in->a);
	free(in);
	free(copy);
	return r == -EBADMSG || (r == -EFBIG && nest == 0) ? 0 : r;
}
