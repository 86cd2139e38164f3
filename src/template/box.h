/* template/box.h - how bawn hands a sandbox's files to bawn-template, which makes a template of
 * them: `bawn-template template save-box`.
 *
 * Descriptors: 3 these records (a sealed memfd), 4 the known secrets (as for bawn-gate), 5 the
 * directory of what bawn itself put there, 6.. the upper directories, topmost first.
 */
#ifndef BAWN_TEMPLATE_BOX_H
#define BAWN_TEMPLATE_BOX_H

#define BOX_FIRST_FD 3
#define BOX_SECRETS_FD 4
#define BOX_SEED_FD 5
#define BOX_FIRST_DIR_FD 6
#define BOX_REQUEST_MAX ((size_t)4 << 20)

enum box_tag {
	BOX_SANDBOX = 1, /* its name */
	BOX_BASE,        /* ID of its template */
	BOX_NAME,        /* the reference that the new one gets, as it was given */
	BOX_OUTPUT,      /* also an archive; absent: none */
	BOX_OCI,         /* u64: 1, an OCI layout alone */
	BOX_QUIET,       /* u64 */
	BOX_SQUASH,      /* u64 */
	BOX_DIRS,        /* u64: how many upper directories */
	BOX_MOUNTS,      /* strings */
	BOX_ALLOW,
	BOX_HARMLESS,
};

#endif
