# base: errors, cleanup, fds, bounded buffers, paths, files, escaping, JSON output, digests
noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	src/base/macro.h src/base/mutation.c \
	src/base/err.h src/base/err.c \
	src/base/fd.h src/base/fd.c \
	src/base/arena.h src/base/arena.c \
	src/base/blob.h src/base/blob.c \
	src/base/path.h src/base/path.c \
	src/base/proxy-env.h src/base/proxy-env.c \
	src/base/dir-record.h src/base/statx.h src/base/file.h src/base/file.c \
	src/base/cache-file.h src/base/cache-file.c \
	src/base/tree.h src/base/tree.c \
	src/base/tree-copy.h src/base/tree-copy.c \
	src/base/escape.h src/base/escape.c \
	src/base/json-out.h src/base/json-out.c \
	src/base/text.h src/base/text.c \
	src/base/digest.h src/base/digest.c \
	src/base/sha1.h src/base/sha1.c \
	src/base/git-name.h src/base/git-name.c \
	src/base/sha256.h src/base/sha256.c \
	src/base/kept-mode.h src/base/kept-mode.c \
	src/base/share.h src/base/share.c \
	src/base/link-owners.h src/base/link-owners.c \
	src/base/name-owners.h src/base/name-owners.c \
	src/base/proc.h src/base/proc.c \
	src/base/job.h src/base/job.c
