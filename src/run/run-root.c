/* run/run-root.c - what makes a template's root one in which things can be installed; see image.h.
 *
 * Root is an emulation that pid 1 puts on a program (plan/sudo.h).  Here stands what goes with it:
 * sudo and su, which ask for it, and what package managers have to be told.  All of it lies in
 * seed-root or in memory: no part of what is written inside, nor of a template saved from it.
 */
#include "run/image.h"

#include <fcntl.h>

#include "base/file.h"

#define SUDO RUN_WHY_DIR "/bawn-sudo"

static bool is_there(struct run *r, const struct host_stack *s, const char *path)
{
	struct host_stack_found f;
	return host_stack_find(&r->arena, s, path, &f) == 0;
}

/* By both names that PATH and scripts have for them.  Links, not mounts: a package that brings its
 * own can be installed over them. */
static int seed_links(struct run *r, const struct host_stack *s, struct err *err)
{
	static const char *const links[] = {
		"/usr/bin/sudo", "/usr/bin/su", "/usr/local/bin/sudo", "/usr/local/bin/su"};
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		char *at = host_stack_seed(&r->arena, s, r->image->seed, links[i]);
		if (at && symlink(SUDO, at) < 0 && errno != EEXIST)
			return err_sys(err, errno, "create %s", links[i]);
	}
	return 0;
}

/* Of a template that has such a file or program; what: beside it.  A file of the template's own
 * stays. */
static const struct {
	const char *where, *beside, *text;
	mode_t mode;
} files[] = {
	/* there is no other user whom apt could become for its downloads */
	{"/etc/apt/apt.conf.d/00bawn", "/etc/apt/apt.conf.d",
		"// by bawn, see bawn-sudo(1): there is no other user to become\n"
		"APT::Sandbox::User \"root\";\n",
		0644},
	/* nothing runs services here, and an installation shall not start them */
	{"/usr/sbin/policy-rc.d", "/usr/sbin/invoke-rc.d",
		"#!/bin/sh\n# by bawn: services are not started by their installation\nexit 101\n",
		0755},
};

int run_root_seed(struct run *r, const struct host_stack *s, struct err *err)
{
	int k = seed_links(r, s, err);
	for (size_t i = 0; k == 0 && i < ARRAY_LEN(files); i++) {
		if (!is_there(r, s, files[i].beside) || is_there(r, s, files[i].where))
			continue;
		char *at = host_stack_seed(&r->arena, s, r->image->seed, files[i].where);
		if (at)
			k = file_write_atomic(AT_FDCWD, at, files[i].text, strlen(files[i].text),
				files[i].mode, false, err);
	}
	return k;
}

void run_root_rows(struct run *r)
{
	struct plan *p = &r->plan;
	p->sudo = r->image != NULL;
	p->as_root = r->image && r->as_root;
	p->built = p->as_root && r->step;
	if (!r->image)
		return;
	/* an installation that is not whole lacks it: bawn doctor says so */
	char *path = path_real(&p->arena, path_join(&r->arena, r->install.libexec, "bawn-sudo"));
	if (!path)
		return;
	struct mount_op *m = plan_mount(p, MOUNT_BIND, SUDO);
	m->flags = MOUNT_RO | MOUNT_POINT;
	m->src = path;
	m->why = "sudo and su";
	static const char *const links[] = {RUN_WHY_DIR "/sudo", RUN_WHY_DIR "/su"};
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		plan_mount(p, MOUNT_SYMLINK, links[i])->data = "bawn-sudo";
}
