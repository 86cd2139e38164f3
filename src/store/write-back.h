/* store/write-back.h - what is written goes to disk while more is being made, so that the sync that
 * promises something (templates_commit_layers) finds little left to wait for.
 *
 * It promises nothing itself: an error of the disk is seen by that sync, and where there is no
 * thread to be had, nothing happens in the meantime.
 */
#ifndef BAWN_STORE_WRITE_BACK_H
#define BAWN_STORE_WRITE_BACK_H

struct write_back;

/* From now on, for the file system of the directory dirfd.  NULL: not at all. */
struct write_back *write_back_begin(int dirfd);
/* NULL is fine.  Waits for what is under way. */
void write_back_end(struct write_back *w);

#endif
