/* cli/change.c - see change.h */
#include "cli/change.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/file.h"
#include "base/json-out.h"
#include "change/starts.h"
#include "cli/lasting.h"

/* Object names have 64 digits in a repository that says so. */
static unsigned int hash_len(struct run *r, const char *workspace)
{
	char *path = path_join(&r->arena, workspace, ".git/config"), *text;
	if (path && file_read(&r->arena, AT_FDCWD, path, 65536, &text, NULL) > 0 &&
		strcasestr(text, "objectformat") && strcasestr(text, "sha256"))
		return 32;
	return 20;
}

static int add_uppers(struct run *r, struct changes *c, const char *box)
{
	const struct strv *layers = &r->spec.layers;
	struct stat st;
	char *top = path_join(&r->arena, box, "up/ws");
	c->empty = true;
	if (top && stat(top, &st) == 0) {
		c->empty = false;
		strv_push(&r->arena, &c->req.uppers, top);
	}
	for (size_t i = layers->n; i-- > 0;) {
		char *part = store_layer_part(&r->store, &r->arena, layers->v[i], "ws");
		if (!part || stat(part, &st) < 0)
			continue;
		c->empty = false;
		strv_push(&r->arena, &c->req.uppers, part);
	}
	return r->arena.failed ? -ENOMEM : 0;
}

/* Nobody else lands or discards, and a sandbox at rest does not start meanwhile. */
static int hold(struct run *r, const char *name, struct changes *c, struct err *err)
{
	if (flock(c->box, LOCK_EX | LOCK_NB) < 0) {
		err_hint(err, "wait until it is done");
		return err_set(err, EBUSY, "another bawn apply or discard works on %s", name);
	}
	int k = store_sandbox_lock(&r->store, &r->arena, name, &r->box, err);
	if (k == -EBUSY && !err->code) {
		c->req.running = true;
		return 0;
	}
	return k;
}

static int open_state(struct run *r, struct changes *c, const char *box, struct err *err)
{
	struct change_starts s = {0};
	int k = change_starts_read(c->box, &r->arena, &s, err);
	if (k < 0 && (k != -ENOENT || err->code))
		return k;
	c->req.since = s.since;
	c->req.n_since = s.n_since;
	c->req.masked = s.masked;
	c->req.hooks = s.hooks;
	c->req.ledger = path_join(&r->arena, box, "landed");
	char *trash = path_join(&r->arena, box, "trash");
	if (trash && mkdir(trash, 0700) < 0 && errno != EEXIST)
		return err_sys(err, errno, "make %s", trash);
	c->req.trash = trash;
	return 0;
}

int changes_path(struct run *r, const struct changes *c, const char *path, struct strv *list,
	struct err *err)
{
	char cwd[PATH_MAX];
	if (!getcwd(cwd, sizeof(cwd)))
		return err_sys(err, errno, "find the current directory");
	/* from elsewhere, paths are meant as below the workspace */
	if (!path_within(cwd, c->req.base))
		snprintf(cwd, sizeof(cwd), "%s", c->req.base);
	char *rel = change_path(&r->arena, c->req.base, cwd, path, err);
	return rel ? strv_push(&r->arena, list, rel) : -err->code;
}

int changes_open(struct run *r, const char *name, char **argv, int n, bool write,
	struct changes *ret, struct err *err)
{
	struct changes c = CHANGES_NONE;
	int k = lasting_find_name(r, name, err);
	if (k < 0)
		return k;
	const char *mode = r->spec.mode ? r->spec.mode : "direct";
	if (!streq(mode, "cow") || !r->spec.workspace) {
		err_hint(err, "bawn create --workspace cow makes one whose changes wait for you");
		return err_set(err, EINVAL,
			"sandbox %s has a %s workspace: what it writes there %s", name, mode,
			streq(mode, "direct") ? "is there already" : "is not held back as changes");
	}
	char *box = path_join(&r->arena, r->store.sandboxes, name);
	c.req.base = r->spec.workspace;
	c.req.hash_len = hash_len(r, c.req.base);
	c.box = box ? open(box, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (c.box < 0)
		return err_sys(err, errno, "open sandbox %s", name);
	if (write)
		k = hold(r, name, &c, err);
	if (k == 0)
		k = add_uppers(r, &c, box);
	if (k == 0)
		k = open_state(r, &c, box, err);
	for (int i = 0; i < n && k == 0; i++)
		k = changes_path(r, &c, argv[i], &c.req.paths, err);
	if (k < 0) {
		close(c.box);
		return err->code ? k : err_set(err, -k, "out of memory");
	}
	*ret = c;
	return 0;
}

void changes_close(struct changes *c)
{
	if (c->box >= 0)
		close(c->box);
	c->box = -1;
}

int changes_run(struct run *r, struct changes *c, int text_fd, struct err *err)
{
	struct change_job job = CHANGE_JOB_NONE;
	if (c->empty) {
		c->res = (struct change_result){.done = true};
		return 0;
	}
	char *helper = path_join(&r->arena, r->install.libexec, "bawn-change");
	int k = helper ? change_start(helper, &c->req, text_fd, &job, err)
		       : err_set(err, ENOMEM, "out of memory");
	if (k == 0)
		k = change_collect(&job, &c->req, &r->arena, &c->res, err);
	change_job_end(&job);
	return k;
}

const char *changes_kind(const struct change_item *it)
{
	static const char *const names[CHANGE_KINDS] = {[CHANGE_ADDED] = "added",
		[CHANGE_MODIFIED] = "modified",
		[CHANGE_MODE] = "mode",
		[CHANGE_TYPE] = "type",
		[CHANGE_DELETED] = "deleted",
		[CHANGE_ODD] = "odd"};
	return names[it->kind];
}

static const char *type_name(enum change_type t)
{
	static const char *const names[CHANGE_TYPES] = {[CHANGE_FILE] = "file",
		[CHANGE_LINK] = "link",
		[CHANGE_DIR] = "directory",
		[CHANGE_SPECIAL] = "special"};
	return names[t]; /* NULL: nothing is there */
}

const char *changes_state(const struct change_item *it)
{
	static const char *const names[CHANGE_STATES] = {[CHANGE_SEEN] = "pending",
		[CHANGE_LANDED] = "landed",
		[CHANGE_DISCARDED] = "discarded",
		[CHANGE_CONFLICT] = "conflict",
		[CHANGE_EXEC] = "runs-code",
		[CHANGE_REFUSED] = "refused",
		[CHANGE_FAILED] = "failed"};
	return names[it->state];
}

static void put_mode(struct json_out *j, const char *key, enum change_type t, uint32_t mode)
{
	char text[8];
	snprintf(text, sizeof(text), "%04o", mode);
	if (t != CHANGE_NOTHING)
		json_str(j, key, text);
}

static void put_item(struct json_out *j, const struct change_item *it, bool states)
{
	json_begin(j, NULL, '{');
	json_str(j, "path", it->path);
	json_str(j, "kind", changes_kind(it));
	if (states)
		json_str(j, "state", changes_state(it));
	if (it->type)
		json_str(j, "type", type_name(it->type));
	if (it->old_type)
		json_str(j, "old_type", type_name(it->old_type));
	put_mode(j, "mode", it->type, it->mode);
	put_mode(j, "old_mode", it->old_type, it->old_mode);
	if (it->type)
		json_int(j, "size", (int64_t)it->size);
	if (it->old_type)
		json_int(j, "old_size", (int64_t)it->old_size);
	if (it->counted) {
		json_int(j, "added", (int64_t)it->added);
		json_int(j, "removed", (int64_t)it->removed);
	}
	json_bool(j, "binary", it->binary);
	if (it->per) {
		char class[16];
		snprintf(class, sizeof(class), "PER-%02u", it->per);
		json_begin(j, "host_runs", '{');
		json_str(j, "class", class);
		json_str(j, "what", it->what);
		json_bool(j, "by_itself", it->automatic);
		json_end(j, '}');
	}
	if (*it->detail)
		json_str(j, "detail", it->detail);
	json_end(j, '}');
}

void changes_json(const struct change_result *res, bool states)
{
	struct json_out j = {.pretty = true};
	json_begin(&j, NULL, '[');
	for (size_t i = 0; i < res->n; i++)
		put_item(&j, &res->v[i], states);
	json_end(&j, ']');
	puts(j.failed ? "[]" : j.buf);
	json_free(&j);
}
