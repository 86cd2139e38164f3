/* plan/wire-exec.c - see wire-exec.h */
#include "plan/wire-exec.h"

#include <stdlib.h>

#include "plan/wire.h"

#define EXEC_MAGIC 0x62776e78u

enum exec_tag { EXEC_HEAD = 1, EXEC_CWD, EXEC_EXE, EXEC_ARGV, EXEC_ENV, EXEC_END };

int wire_exec_write(const struct wire_exec_head *head, const char *cwd, const char *exe,
	const struct strv *argv, const struct strv *env, struct blob *ret, struct err *err)
{
	struct wire_exec_head h = *head;
	h.magic = EXEC_MAGIC;
	h.n_argv = (uint32_t)argv->n;
	h.n_env = (uint32_t)env->n;
	blob_put(ret, EXEC_HEAD, &h, sizeof(h));
	blob_put_str(ret, EXEC_CWD, cwd);
	blob_put_str(ret, EXEC_EXE, exe);
	blob_put_strs(ret, EXEC_ARGV, (const char *const *)argv->v, argv->n);
	blob_put_strs(ret, EXEC_ENV, (const char *const *)env->v, env->n);
	blob_put(ret, EXEC_END, NULL, 0);
	return ret->failed ? err_set(err, ENOMEM, "the command does not fit into memory") : 0;
}

static const char **strings(const struct blob_view *v, size_t n)
{
	const char **list = calloc(n + 1, sizeof(*list));
	size_t pos = 0;
	for (size_t i = 0; list && i < n; i++) {
		list[i] = blob_strs_next(v, &pos);
		if (!list[i]) {
			free(list);
			return NULL;
		}
	}
	if (list && pos != v->len) {
		free(list);
		return NULL;
	}
	return list;
}

static bool take(struct wire_exec *w, const struct blob_view *v)
{
	switch (v->tag) {
	case EXEC_HEAD:
		if (v->len != sizeof(w->head))
			return false;
		memcpy(&w->head, v->data, sizeof(w->head));
		return w->head.magic == EXEC_MAGIC && w->head.n_argv > 0 &&
			w->head.n_argv <= WIRE_STRINGS_MAX && w->head.n_env <= WIRE_STRINGS_MAX;
	case EXEC_CWD:
		return (w->cwd = blob_str(v)) != NULL;
	case EXEC_EXE:
		return (w->exe = blob_str(v)) != NULL;
	case EXEC_ARGV:
		return (w->argv = strings(v, w->head.n_argv)) != NULL;
	case EXEC_ENV:
		return (w->env = strings(v, w->head.n_env)) != NULL;
	default:
		return true;
	}
}

int wire_exec_read(const void *data, size_t n, struct wire_exec *ret, struct err *err)
{
	struct wire_exec w = {0};
	struct blob_iter it;
	struct blob_view v;
	blob_iter_init(&it, data, n);
	/* Each record once, in this order. */
	for (uint32_t tag = EXEC_HEAD; tag <= EXEC_END; tag++)
		if (blob_next(&it, &v) != 1 || v.tag != tag || !take(&w, &v)) {
			wire_exec_free(&w);
			return err_set(err, EBADMSG, "the command is malformed or cut short");
		}
	if (it.p != it.end) {
		wire_exec_free(&w);
		return err_set(err, EBADMSG, "the command is malformed or cut short");
	}
	*ret = w;
	return 0;
}

void wire_exec_free(struct wire_exec *w)
{
	free(w->argv);
	free(w->env);
	*w = (struct wire_exec){0};
}
