/* build/words.c - what variables stand for: ARG, ENV, the platform's; see build.h */
#include "build/build.h"
#include "image/image.h"

static const char *const proxies[] = {"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy",
	"FTP_PROXY", "ftp_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"};

static const char *find(const struct strv *v, const char *name, size_t n)
{
	for (size_t i = v->n; i-- > 0;)
		if (strncmp(v->v[i], name, n) == 0 && v->v[i][n] == '=')
			return v->v[i] + n + 1;
	return NULL;
}

static const char *get(void *ctx, const char *name, size_t n)
{
	const struct build_words *w = ctx;
	if (!w->st)
		return find(&w->b->meta, name, n);
	const char *v = find(&w->st->env, name, n);
	return v ? v : find(&w->st->args, name, n);
}

struct expand build_expand(struct build_words *w)
{
	return (struct expand){.escape = w->b->d.escape, .get = get, .ctx = w};
}

int build_word(struct build *b, const struct build_state *st, const struct df_inst *i,
	const char *word, size_t at, char **ret, struct err *err)
{
	struct build_words w = {.b = b, .st = st};
	struct expand e = build_expand(&w);
	size_t off = 0;
	int r = expand_word(&b->a, &e, word, ret, &off, err);
	return r < 0 ? df_err_at(&b->d, i->line, at + off, err), r : 0;
}

int build_words_begin(struct build *b, struct err *err)
{
	static const char *const sides[] = {"TARGET", "BUILD"};
	for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
		strv_addf(&b->a, &b->meta, "%sPLATFORM=linux/%s", sides[i], image_here.arch);
		strv_addf(&b->a, &b->meta, "%sOS=linux", sides[i]);
		strv_addf(&b->a, &b->meta, "%sARCH=%s", sides[i], image_here.arch);
		strv_addf(&b->a, &b->meta, "%sVARIANT=", sides[i]);
	}
	return arena_check(&b->a, err);
}

int build_arg(struct build *b, struct build_state *st, const struct df_inst *i,
	const struct df_pair *p, struct err *err)
{
	struct strv *to = st ? &st->args : &b->meta;
	char *name, *value = NULL;
	int r = build_word(b, st, i, p->key, p->at, &name, err);
	if (r == 0 && p->value)
		r = build_word(b, st, i, p->value, p->at + strlen(p->key) + 1, &value, err);
	if (r < 0)
		return r;
	const char *given = find(&b->opt.args, name, strlen(name));
	if (given && !strv_has(&b->used, name))
		strv_add(&b->a, &b->used, name);
	/* what was said before the first FROM is there for whoever asks for it by name */
	const char *v = given ? given : value;
	if (!v && st)
		v = find(&b->meta, name, strlen(name));
	if (v && strv_env_set(&b->a, to, name, v) < 0)
		return err_set(err, ENOMEM, "out of memory");
	return 0;
}

bool build_is_proxy(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(proxies); i++)
		if (streq(name, proxies[i]))
			return true;
	return false;
}

void build_proxies(struct build *b, struct strv *env)
{
	for (size_t i = 0; i < ARRAY_LEN(proxies); i++) {
		const char *v = find(&b->opt.args, proxies[i], strlen(proxies[i]));
		if (v && !find(env, proxies[i], strlen(proxies[i])))
			strv_env_set(&b->a, env, proxies[i], v);
	}
}
