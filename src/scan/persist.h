/* scan/persist.h - the table of files that make the host run something later (PER of the attack
 * corpus), by name.
 */
#ifndef BAWN_SCAN_PERSIST_H
#define BAWN_SCAN_PERSIST_H

#include <stdint.h>

#include "base/digest.h"
#include "base/macro.h"

enum persist_how {
	PERSIST_NAME,   /* a file of this name */
	PERSIST_SUFFIX, /* a name that ends so */
	PERSIST_DOT,    /* a name that begins with a dot and ends so: settings that are a program */
	PERSIST_PREFIX, /* a name that begins so */
	PERSIST_DIR,    /* everything below a directory of this name, or of "parent/name" */
	PERSIST_ROOT,   /* an executable of this name in the root */
};

/* What else must hold before it is reported. */
enum persist_check {
	CHECK_NONE,
	CHECK_ATTRIBUTES, /* .gitattributes that names a filter, diff or merge driver */
	CHECK_MODULES,    /* .gitmodules with an update command */
	CHECK_EXEC,       /* is executable */
	CHECK_PYC,        /* compiled Python that runs without its source being looked at */
	CHECK_BESIDE,     /* Python's sources are beside it */
	CHECK_TOLD, /* named at the end of a run; `bawn apply` lands it, as its diff shows it */
};

struct persist_rule {
	const char *name;
	uint8_t how, per, check;
	bool automatic; /* SCAN_AUTO */
	const char *what;
};

/* Rows that differ in their name alone; names are parted by single spaces. */
struct persist_group {
	uint8_t how, check, per;
	bool automatic;
	const char *what, *names;
};
extern const struct persist_group persist_groups[];
extern const size_t persist_n_groups;

/* Row + 1, or 0.  base: the entry's name; root: it lies in the root. */
uint16_t persist_file(const char *base, bool root);
/* For a directory called base in a directory called parent ("" for the root). */
uint16_t persist_dir(const char *base, const char *parent);
const struct persist_rule *persist_row(uint16_t row_plus_1);
/* Of these groups: rows are numbered by their order, and what noted a number is of one table. */
struct digest persist_digest(const struct persist_group *groups, size_t n);
/* Of a .pyc, by its first bytes: has it no source beside it (it is in no __pycache__), or does it
 * say that the source is not to be compared (PEP 552)? */
bool persist_pyc_runs(const char *path, const void *head, size_t n);
/* Of a compiled module "x.so": the source in whose place it is taken, in the same directory, into
 * ret (NAME_MAX + 4); false: none can be. */
bool persist_module_source(const char *base, char *ret, size_t n);
/* The row for files of a core.hooksPath directory. */
uint16_t persist_hooks_path(void);

#endif
