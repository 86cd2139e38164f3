/* store/layers.h - frozen layers: DATA/layers/ID/{home,ws,tool-*}, what sandboxes had written.
 *
 * Theory of operation.  What a sandbox writes goes to BOX/up.  To freeze it, BOX/up as a whole is
 * renamed to DATA/layers/ID, and is never written again; an empty BOX/up takes its place.  The spec
 * decides: first it is written with the new layers and with "pending ID" (synced, with its
 * directory), then the directories are moved, then "pending" is taken out.  Whoever locks a sandbox
 * whose spec says "pending" does what is left (store_settle), so that at every instant the sandbox
 * is the old one or the new one.  A layer gets its name whole, and a name is random: the only upper
 * directory that an overlay ever gets is a BOX/up, the only layers are below DATA/layers.
 *
 * Layers may be shared by sandboxes.  What no spec names is garbage.  Whoever makes a layer that no
 * spec names yet holds DATA/layers/.lock shared; the collector holds it exclusively, and collects
 * nothing as long as it can't read every spec.
 */
#ifndef BAWN_STORE_LAYERS_H
#define BAWN_STORE_LAYERS_H

#include "base/tree-copy.h"
#include "store/sandboxes.h"

#define LAYERS_SQUASH 48 /* more are merged into one before a start */

bool layer_id_ok(const char *id);
char *layer_id_new(struct arena *a);

/* Hold off the collector.  A descriptor to close, or -errno. */
int layers_hold(struct store *s, struct err *err);

/* Has anything been written since the last freeze? */
bool layers_changed(const struct store_box *b);

/* Write the spec, which was changed in memory.  id: what was written becomes this layer (named in
 * the spec by the caller), and what is written from now on begins empty; NULL: it stays.  The
 * sandbox is locked and at rest.  0, or -errno with the old state there. */
int store_switch(struct store *s, struct arena *a, const struct store_box *b, struct spec *spec,
	char *id, struct err *err);
/* Finish a switch that was cut short; nothing to do otherwise. */
int store_settle(struct store *s, struct arena *a, const struct store_box *b, struct spec *spec,
	struct err *err);
/* Of a sandbox at rest: what it has made of the modes of its own "/" and home locks nobody out. */
int store_parts_open(int box);
/* Directories for what is written, with the modes of those in the layers below. */
int store_parts_make(struct store *s, struct arena *a, int box, const struct spec *spec);

/* -EIO, by name, when a layer that the sandbox is made of is not there. */
int layers_check(struct store *s, struct arena *a, const struct spec *spec, struct err *err);

/* Make layer id a copy of what is written in the sandbox b just now (layers_hold() is held); the
 * processes inside have to be stopped. */
int layer_copy(struct store *s, struct arena *a, const struct store_box *b, const char *id,
	struct tree_copy *c, struct err *err);
/* More than max layers: merge them into one, without copying.  The sandbox is locked and at rest;
 * spec is saved.  1 when that was done. */
int layers_squash(struct store *s, struct arena *a, const struct store_box *b, struct spec *spec,
	size_t max, struct err *err);

/* Remove what no sandbox names.  Number removed, or -errno; 0 while somebody makes one, or where a
 * spec can't be read. */
int layers_collect(struct store *s, struct err *err);

#endif
