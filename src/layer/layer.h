/* layer/layer.h - bawn-layer: one layer of an image, from a tar to a directory and back.
 *
 * Owns: what a tar means as an overlay's lower directory (userxattr), the frame, how bawn-layer is
 * called.  Must not: know of images, references or the store; sync or rename (the caller does, when
 * all of a template is there).
 *
 * bawn-layer is exec'd with an empty environment and confines itself before it reads a byte of what
 * strangers wrote.  Exit status 0: all is done, and the result text is whole.  1: it failed; the
 * result text is then "error TEXT", perhaps "hint TEXT", and "no-tar" where what was read does not
 * begin as a tar does; what it made is the caller's to remove. 2: it was called wrongly.  SIGPIPE
 * is ignored.  Values in result texts go to the end of the line; control bytes, backslashes and
 * malformed UTF-8 in them are written as \xHH.
 *
 *   bawn-layer read [KEY=VALUE]...
 *     0    the tar: plain, gzip, zstd, xz or bzip2 (its magic tells), a pipe or a file
 *     1    result text
 *     3    an empty directory: fs/, frame and, where needed, kept/ are made in it
 *     4..  directories of the layers below, topmost first (may be none): a directory that the tar
 *          has things in but does not list itself takes its mode and owner from there
 *     offset=N, length=N  where in 0 (a file) the tar lies; its position doesn't matter then
 *     bytes=N             most bytes of files (also those that only seem large, being sparse)
 *     meta=N              most bytes of the tar that are no file's content
 *     entries=N, depth=N  most entries; most directories in one another
 *     implied=1           what is made is no layer, but to be copied: a directory that the tar has
 *                         things in and does not list has the attribute user.bawn.implied
 *   bawn-layer adopt [UID:GID]
 *     0    whose links and FIFOs of it are, as links writes it; or an end of file at once
 *     1    result text
 *     3    a directory with fs/, an overlay's upper directory that is not in use any more: it
 *          becomes a layer's fs/ as it stands; frame is made beside it
 *     UID:GID  the owner of what says nothing of one (0:0)
 *   bawn-layer write none|gzip|zstd
 *     1    the tar, byte for byte the one that was read
 *     3    the directory of a layer
 *     4    result text
 *   bawn-layer check [KEY=VALUE]...
 *     0    the tar that write makes of a layer
 *     1    result text, as of read; an error names the first thing of the layer's tree that is not
 *          what the tar says
 *     3    an empty directory, the caller's to remove
 *     4    the directory of the layer
 *   bawn-layer pack layer|squash UID:GID[,UID:GID]... [UID:GID:DIRS:NAME] [layers=N]
 *     0    names to leave out, each ended by a NUL, relative to the root, with all below them; a
 *          file, or an end of file at once
 *     1    the tar, not compressed
 *     3    result text
 *     4..  upper directories (or a layer's fs/), topmost first, merged as overlayfs does.  layer:
 *          as one layer, with whiteouts; squash: nothing is below, so none are needed
 *     UID:GID  the owner of what says nothing of one, for each of these directories; the last
 *          stands for those that follow.  With DIRS:NAME, of what is at NAME (a home) or below it
 *          in the first DIRS directories
 *     layers=N  the last N are layers' own directories, with fs/ and frame, which says whose the
 *          links and FIFOs are
 *   bawn-layer links
 *     1    whose the layer's links (also hard ones) and FIFOs are, as its tar says: for each
 *          "UID GID MODE PATH", mode in octal, ended by a NUL
 *     3    the directory of a layer
 *     4    result text: entries N
 *   bawn-layer index
 *     0    a tar (an archive of images), packed in one of the same ways or plain
 *     1    result text: instead of those below, for each entry "file OFFSET SIZE NAME" (regular
 *          files; where in the plain tar their bytes are), "link NAME\tTARGET" (symbolic and hard
 *          links) or "dir NAME", names without a leading "./" or double slashes; then "in 0" or
 *          "in 3", where the plain tar is
 *     3    an empty file: gets the plain tar, where 0 is not one itself, or can't be read at an
 *          offset
 *
 * Result text:
 *     diff sha256:HEX                   of the plain tar
 *     blob sha256:HEX BYTES MEDIATYPE   of the bytes on 0 (read) or 1 (others; adopt: as pack would
 *                                       write it); application/vnd.oci.image.layer.v1.tar, also
 *                                       with +gzip or +zstd (+xz, +bzip2: read alone)
 *     tar BYTES       of the plain tar
 *     size BYTES      of its files, hard links once
 *     entries N       (not for write)
 *     skipped N       entries that the tree or the tar does not have (aufs's own; sockets)
 *     note TEXT       at most LAYER_NOTES_MAX: what was skipped, or could not be kept on disk
 *
 * On disk, below fs/: a whiteout is a character device 0/0, an opaque directory has
 * user.overlay.opaque=y, one with whiteouts an empty user.overlay.origin (attr.h).
 * Files are the caller's; what one user can't have is kept in
 *     user.rootlesscontainers  uid and gid (its protobuf), absent for 0:0
 *     user.bawn.mode           the recorded mode in octal, where the one on disk differs: no set-ID
 *                              bits there, directories u+rwx, files u+r.  It counts while the mode
 *                              on disk is the one that would be made of it.
 *     user.bawn.xattr.NAME     other extended attributes than the user's own
 *     user.bawn.node           "c MAJOR MINOR" or "b MAJOR MINOR", on an empty file
 *     user.bawn.links          of an upper directory alone, on a directory: whose links and FIFOs
 *                              in it are, where root has given them away (base/name-owners.h)
 * Symbolic links, FIFOs and whiteouts can't have such attributes: their owners are in the frame
 * alone, and links tells them to who copies some.
 *
 * kept/ has the content of entries that the tree does not have, as a later one took their name.
 */
#ifndef BAWN_LAYER_LAYER_H
#define BAWN_LAYER_LAYER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define LAYER_DIR_FD 3
#define LAYER_RESULT_WRITE_FD 4
#define LAYER_RESULT_PACK_FD 3
#define LAYER_FIRST_DIR_FD 4
#define LAYER_DIRS_MAX 256
#define LAYER_NOTES_MAX 100

struct layer_limits {
	uint64_t bytes;   /* of all files of the tree, as they seem */
	uint64_t entries; /* of the tar */
	uint64_t meta;    /* bytes of the tar that are no file's content */
	unsigned int depth;
};
#define LAYER_LIMITS                                                                               \
	((struct layer_limits){.bytes = UINT64_C(64) << 30,                                        \
		.entries = 4000000,                                                                \
		.meta = UINT64_C(4) << 30,                                                         \
		.depth = 512})

enum layer_format { LAYER_TAR, LAYER_GZIP, LAYER_ZSTD, LAYER_XZ, LAYER_BZIP2 };
extern const char *const layer_media[]; /* media types, by format */

/* What an operation finds out, beside digests. */
struct layer_counts {
	uint64_t tar, size, entries, skipped;
	size_t n_notes, notes_left_out;
	char *notes; /* lines "note TEXT\n"; the holder frees it */
	size_t notes_n;
};
void layer_note(struct layer_counts *c, const char *fmt, ...) _printf_(2, 3);

#endif
