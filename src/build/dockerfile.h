/* build/dockerfile.h - a Dockerfile as a list of instructions with places (pure).
 *
 * Owns: the language up to where variables come in: directives, comments, continuations, heredocs,
 * flags, exec and shell forms, which instruction takes what.  Must not: open files, expand.
 * Source of the format: the Dockerfile reference, and BuildKit where that leaves something open.
 */
#ifndef BAWN_BUILD_DOCKERFILE_H
#define BAWN_BUILD_DOCKERFILE_H

#include <stdint.h>

#include "base/arena.h"

#define DF_FILE_MAX ((size_t)1 << 20)
#define DF_INST_MAX 4096

enum df_kind {
	DF_ADD,
	DF_ARG,
	DF_CMD,
	DF_COPY,
	DF_ENTRYPOINT,
	DF_ENV,
	DF_EXPOSE,
	DF_FROM,
	DF_HEALTHCHECK,
	DF_LABEL,
	DF_MAINTAINER,
	DF_ONBUILD,
	DF_RUN,
	DF_SHELL,
	DF_STOPSIGNAL,
	DF_USER,
	DF_VOLUME,
	DF_WORKDIR,
};

/* A logical line: continuations joined, comments inside gone. */
struct df_seg {
	size_t off; /* from here on, text stands in this line of the file, from this column on */
	uint32_t line, col;
};

struct df_line {
	const char *text;
	size_t n;
	struct df_seg *seg;
	size_t n_seg;
};

struct df_word {
	const char *s; /* as written; no element of an exec form needs further reading */
	size_t at;     /* its place in the logical line */
};

struct df_flag {
	const char *name, *value; /* value: "" where there is no "=" */
	bool has_value;
	size_t at;
};

struct df_pair {
	const char *key, *value; /* value NULL: ARG without one */
	size_t at;
};

struct df_heredoc {
	const char *name;
	bool expand;      /* its name stood in no quotes */
	bool chomp;       /* <<-: the leading tabs are gone */
	const char *text; /* as it stands in the file, newline at the end of each line */
	size_t n;
};

struct df_inst {
	enum df_kind kind;
	const struct df_line *line;
	const char *rest; /* what is behind the flags, blanks cut off: the shell form of RUN */
	size_t rest_at;
	bool exec; /* JSON form: words are its elements, nothing else of them is special */
	struct df_word *words;
	size_t n_words;
	struct df_pair *pairs; /* ARG, ENV, LABEL */
	size_t n_pairs;
	struct df_flag *flags;
	size_t n_flags;
	struct df_heredoc *docs;
	size_t n_docs;
	struct df_inst *sub; /* ONBUILD's, HEALTHCHECK's CMD (NULL: NONE) */
};

struct dockerfile {
	const char *file; /* how messages call it */
	const char *text; /* for the line with the caret */
	size_t n;
	char escape;
	const char *syntax; /* what a syntax directive said, or NULL; nothing follows from it */
	struct df_inst **v;
	size_t n_inst;
	uint32_t err_line, err_col; /* where a failure lies, 0: nowhere */
};

/* Parse n bytes.  All memory is the arena's, text included.  0 or -EINVAL / -EFBIG / -ENOMEM, with
 * "FILE:LINE:COL: ..." in *err. */
int dockerfile_parse(struct arena *a, const char *file, const char *text, size_t n,
	struct dockerfile *ret, struct err *err);

/* What ONBUILD has kept: one instruction, without anything before it. */
int dockerfile_parse_trigger(struct arena *a, const char *file, const char *text,
	struct dockerfile *ret, struct err *err);

/* "COPY" */
const char *df_name(enum df_kind kind);

/* Fill *err with the place of byte `at` of a logical line before the message, remember the place,
 * and return -EINVAL. */
int df_err(struct dockerfile *d, const struct df_line *line, size_t at, struct err *err,
	const char *fmt, ...) _printf_(5, 6);
/* Put the place before the message that *err has. */
int df_err_at(struct dockerfile *d, const struct df_line *line, size_t at, struct err *err);

/* The line of the remembered place and a caret below it, each with two blanks in front; "" where
 * there is none. */
char *df_excerpt(struct arena *a, const struct dockerfile *d);

/* The value of a flag, or NULL. */
const char *df_flag(const struct df_inst *i, const char *name);

/* What an ONBUILD keeps: its instruction as it stands, heredocs and all. */
char *df_trigger(struct arena *a, const struct df_inst *i);

/* How the history names it: keyword and text with single blanks for continuations. */
const char *df_source(struct arena *a, const struct df_inst *i);

#endif
