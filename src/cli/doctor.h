/* cli/doctor.h - the checks of `bawn doctor`: one table, each row tries the act itself.
 *
 * A check runs in a child process of its own, as the user, and may do to itself whatever it likes
 * (new namespaces, filters); nothing it does outlives it.
 */
#ifndef BAWN_CLI_DOCTOR_H
#define BAWN_CLI_DOCTOR_H

#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"

enum doctor_state { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor_result {
	enum doctor_state state;
	char detail[384]; /* what was found: one line */
	char remedy[768]; /* what to do about it; empty when there is nothing to do */
};

struct doctor_check {
	const char *id;    /* stable, for --json */
	const char *title; /* what the user can have when it works */
	void (*fn)(struct doctor_result *r);
	bool in_userns; /* pointless to try when the check "userns" failed */
};

/* The tables, in the order they are shown; each ends with an empty row. */
extern const struct doctor_check doctor_host_checks[];   /* doctor-host.c */
extern const struct doctor_check doctor_ns_checks[];     /* doctor-ns.c */
extern const struct doctor_check doctor_kernel_checks[]; /* doctor-kernel.c */
extern const struct doctor_check doctor_net_checks[];    /* doctor-net.c */

void doctor_ok(struct doctor_result *r, const char *fmt, ...) _printf_(2, 3);
void doctor_warn(struct doctor_result *r, const char *fmt, ...) _printf_(2, 3);
void doctor_fail(struct doctor_result *r, const char *fmt, ...) _printf_(2, 3);
void doctor_remedy(struct doctor_result *r, const char *fmt, ...) _printf_(2, 3);

/* Enter a new user namespace (uid and gid mapped to themselves) and those of flags besides.  On
 * failure r says what failed and what to do, and false is returned. */
bool doctor_enter_userns(struct doctor_result *r, int flags);

/* The first line of a file without its newline; false when it can't be read. */
bool doctor_read_line(const char *path, char *dst, size_t cap);

/* The AppArmor profile for the executables in use, on stdout.  Exit status. */
int doctor_print_apparmor(void);

int cmd_doctor(int argc, char **argv); /* argv[0] is "doctor"; returns the exit status */

#endif
