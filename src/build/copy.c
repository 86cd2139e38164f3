/* build/copy.c - COPY, ADD and WORKDIR; see build.h
 *
 * Theory: first a child finds the sources and their digest, which goes into the key; only where the
 * cache knows no such step, another one copies.  Each has the roots of the stages that it needs
 * mounted, and writes to an upper directory that nobody else knows.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/tree.h"
#include "build/build.h"
#include "build/mode.h"
#include "build/remote.h"

struct copying {
	struct build *b;
	struct build_state *st;
	const struct df_inst *i;
	struct build_copy c;
	const struct build_state *from; /* a stage's or template's; NULL: the context */
	const char *chown;
	const char *archives;    /* ADD: a directory for what archives hold; NULL: none yet */
	struct df_heredoc *docs; /* files given in the Dockerfile, expanded */
	size_t n_docs;
	const char *list; /* whose its links are */
	struct build_remote *remote;
	size_t n_remote;
	struct strv excludes;           /* what c.exclude is made of */
	struct template_making fetched; /* what of it is here */
};

static int oom(struct err *err)
{
	return err_set(err, ENOMEM, "out of memory");
}

/* ---- what the instruction says ---- */

static int read_chmod(struct copying *k, struct err *err)
{
	struct build *b = k->b;
	char *text;
	for (size_t n = 0; n < k->i->n_flags; n++) {
		const struct df_flag *f = &k->i->flags[n];
		if (!streq(f->name, "chmod"))
			continue;
		int r = build_word(b, k->st, k->i, f->value, f->at, &text, err);
		if (r < 0)
			return r;
		if (!mode_is_valid(text))
			return df_err(&b->d, k->i->line, f->at, err,
				"--chmod wants a mode, as in 0755 or u+x,go-w; \"%s\" is none",
				text);
		k->c.chmod = text;
	}
	return 0;
}

static bool flag_on(const struct df_inst *i, const char *name)
{
	const char *v = df_flag(i, name);
	return v && streq(v, "true");
}

static int read_excludes(struct copying *k, struct err *err)
{
	for (size_t n = 0; n < k->i->n_flags; n++) {
		const struct df_flag *f = &k->i->flags[n];
		char *text;
		if (!streq(f->name, "exclude"))
			continue;
		int r = build_word(k->b, k->st, k->i, f->value, f->at, &text, err);
		if (r == 0)
			r = strv_push(&k->b->a, &k->excludes, text) < 0
				? oom(err)
				: ignore_add(&k->b->a, &k->c.exclude, text, strlen(text), err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* <<NAME: the heredoc of that name, its text expanded. */
static int take_doc(struct copying *k, const char *word, bool *ret, struct err *err)
{
	struct build *b = k->b;
	*ret = false;
	for (size_t n = 0; has_prefix(word, "<<") && n < k->i->n_docs; n++) {
		const struct df_heredoc *d = &k->i->docs[n];
		const char *name = word + 2 + (word[2] == '-');
		size_t len = strlen(d->name);
		if (*name == '"' || *name == '\'')
			name++;
		if (strncmp(name, d->name, len) != 0 || (name[len] && !strchr("\"'", name[len])))
			continue;
		struct df_heredoc *to = &k->docs[k->n_docs++];
		*to = *d;
		*ret = true;
		if (!d->expand)
			return 0;
		struct build_words w = {.b = b, .st = k->st};
		struct expand e = build_expand(&w);
		char *text;
		e.escape = '\\';
		e.plain_quotes = true;
		int r = expand_word(&b->a, &e, d->text, &text, NULL, err);
		if (r < 0)
			return df_err_at(&b->d, k->i->line, k->i->rest_at, err), r;
		to->text = text;
		to->n = strlen(text);
		return 0;
	}
	return 0;
}

static int read_sources(struct copying *k, struct err *err)
{
	struct build *b = k->b;
	const struct df_inst *i = k->i;
	char *text;
	int r = 0;
	k->docs = arena_alloc(&b->a, (i->n_docs + 1) * sizeof(*k->docs));
	k->remote = arena_alloc(&b->a, i->n_words * sizeof(*k->remote));
	for (size_t n = 0; k->docs && k->remote && r == 0 && n + 1 < i->n_words; n++) {
		bool is_doc = false;
		if (!i->exec && k->n_docs < i->n_docs)
			r = take_doc(k, i->words[n].s, &is_doc, err);
		if (r < 0 || is_doc)
			continue;
		r = build_word(b, k->st, i, i->words[n].s, i->words[n].at, &text, err);
		bool remote = r == 0 && i->kind == DF_ADD && remote_is(text);
		if (remote)
			r = build_remote_read(
				b, i, text, i->words[n].at, &k->remote[k->n_remote++], err);
		else if (r == 0 && strv_push(&b->a, &k->c.sources, text) < 0)
			r = oom(err);
	}
	return k->docs && k->remote ? r : oom(err);
}

static int read_dest(struct copying *k, struct err *err)
{
	struct build *b = k->b;
	const struct df_word *last = &k->i->words[k->i->n_words - 1];
	char *text;
	int r = build_word(b, k->st, k->i, last->s, last->at, &text, err);
	if (r < 0)
		return r;
	size_t n = strlen(text);
	bool dir = n &&
		(text[n - 1] == '/' || streq(text, ".") || streq(text, "..") ||
			(n > 1 && streq(text + n - 2, "/.")));
	if (k->i->n_words > 2 && !dir)
		return df_err(&b->d, k->i->line, last->at, err,
			"several sources go to a directory: write a \"/\" behind it");
	char *path = build_path(b, k->st, text);
	k->c.dest = !path ? NULL : arena_printf(&b->a, "%s%s", path, dir && path[1] ? "/" : "");
	return k->c.dest ? 0 : oom(err);
}

static int read_from(struct copying *k, int stage, struct err *err)
{
	struct build *b = k->b;
	const char *from = df_flag(k->i, "from");
	k->c.from = b->context;
	k->c.context = true;
	k->c.unpacked = b->unpacked;
	k->c.ignore = b->has_ignore ? &b->ignore : NULL;
	if (!from)
		return 0;
	int other = build_stage_find(b, from, stage);
	k->c.context = k->c.unpacked = false;
	k->c.ignore = NULL;
	if (other >= 0) {
		k->from = &b->stages[other].st;
		return build_stage_ready(b, other, err);
	}
	struct build_state *st = arena_alloc(&b->a, sizeof(*st));
	if (!st)
		return oom(err);
	k->from = st;
	return streq(from, "scratch") ? 0 : build_base(b, from, st, err);
}

/* What goes to a directory has to have a name, and a digest is one file's. */
static int check_remote(struct copying *k, struct err *err)
{
	struct build *b = k->b;
	const struct df_inst *i = k->i;
	const bool dir = k->c.dest[strlen(k->c.dest) - 1] == '/';
	for (size_t n = 0; dir && n < k->n_remote; n++)
		if (!k->remote[n].name && !k->remote[n].git)
			return df_err(&b->d, i->line, k->remote[n].at, err,
				"no name for a file can be had of this URL: say it where it goes");
	bool any_git = false;
	for (size_t n = 0; n < k->n_remote; n++)
		any_git |= k->remote[n].git;
	if (df_flag(i, "keep-git-dir") && !any_git)
		return df_err(&b->d, i->line, i->words[0].at, err,
			"--keep-git-dir is for a repository: https://HOST/NAME.git");
	if (!df_flag(i, "checksum"))
		return 0;
	if (k->n_remote != 1 || k->remote[0].git || k->c.sources.n || k->n_docs)
		return df_err(&b->d, i->line, i->words[0].at, err,
			"--checksum is for one source, and that a file at a URL");
	return build_remote_pin(b, k->st, i, &k->remote[0], err);
}

static int read_all(struct copying *k, int stage, struct err *err)
{
	int r = read_from(k, stage, err);
	if (r == 0)
		r = read_chmod(k, err);
	if (r == 0)
		r = read_excludes(k, err);
	if (r == 0)
		r = read_sources(k, err);
	if (r == 0)
		r = read_dest(k, err);
	if (r == 0)
		r = check_remote(k, err);
	const char *chown = df_flag(k->i, "chown");
	char *text = NULL;
	if (r == 0 && chown)
		r = build_word(k->b, k->st, k->i, chown, k->i->rest_at, &text, err);
	k->chown = text;
	k->c.parents = flag_on(k->i, "parents");
	return r;
}

/* ---- in the child ---- */

static int find_owner(struct copying *k, int root, struct err *err)
{
	return k->chown ? build_account(&k->b->a, root, k->chown, &k->c.owner, NULL, err) : 0;
}

/* list: where it is kept whose the links are; NULL: nowhere. */
static int begin_links(
	struct copying *k, struct build_links *l, int root, const char *list, struct err *err)
{
	struct build *b = k->b;
	*l = (struct build_links){.a = &b->a,
		.helper = path_join(&b->a, b->install.libexec, "bawn-layer"),
		.root = root};
	if (k->from)
		l->lowers = build_lowers(b, k->from);
	l->list = list ? fopen(list, "we") : NULL;
	if (list && !l->list)
		return err_sys(err, errno, "create %s", list);
	k->c.links = l;
	return arena_check(&b->a, err);
}

static int digest(void *ctx, const int *roots, struct buf *out, struct err *err)
{
	struct copying *k = ctx;
	struct build_links links;
	char hex[65] = "";
	if (k->from)
		k->c.from = roots[1];
	int r = find_owner(k, roots[0], err);
	if (r == 0)
		r = begin_links(k, &links, roots[0], NULL, err);
	if (r == 0 && k->c.sources.n)
		r = build_tree_digest(&k->b->a, &k->c, hex, err);
	buf_printf(out, "%s %u:%u", hex, k->c.owner.uid, k->c.owner.gid);
	return r;
}

/* Is that a directory in root, or by a "/" behind it to be one? */
static bool is_dir_inside(int root, const char *path)
{
	struct stat st;
	_cleanup_close_ int fd = path_openat2(root, path + strspn(path, "/"), O_PATH | O_CLOEXEC, 0,
		RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	return path[strlen(path) - 1] == '/' ||
		(fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode));
}

static int put_docs(struct copying *k, int root, struct err *err)
{
	size_t n = strlen(k->c.dest);
	const bool dir = is_dir_inside(root, k->c.dest);
	const mode_t mode = k->c.chmod ? mode_apply(k->c.chmod, 0644, false) : 0644;
	int r = 0;
	for (size_t i = 0; r == 0 && i < k->n_docs; i++) {
		const char *slash = dir && k->c.dest[n - 1] != '/' ? "/" : "";
		char *path = dir
			? arena_printf(&k->b->a, "%s%s%s", k->c.dest, slash, k->docs[i].name)
			: arena_dup(&k->b->a, k->c.dest);
		r = path ? build_tree_put(root, path, k->docs[i].text, k->docs[i].n, mode,
				   &k->c.owner, err)
			 : oom(err);
	}
	return r;
}

/* What patterns fit, one by one, as an archive among it is unpacked. */
static int fit_patterns(struct copying *k, struct err *err)
{
	struct strv all = {0};
	int r = 0;
	for (size_t i = 0; r >= 0 && i < k->c.sources.n; i++) {
		struct strv fit = {0};
		char *text = k->c.sources.v[i];
		bool literal = true;
		if (glob_is(text))
			r = build_tree_expand(&k->b->a, &k->c, text, &fit, err);
		for (size_t f = 0; r >= 0 && f < fit.n; f++)
			literal = literal && !glob_is(fit.v[f]);
		/* of names that are patterns again the pattern is kept */
		if (!fit.n || !literal)
			r = r < 0 ? r : strv_push(&k->b->a, &all, text);
		for (size_t f = 0; r >= 0 && literal && f < fit.n; f++)
			r = strv_push(&k->b->a, &all, fit.v[f]);
	}
	if (r >= 0)
		k->c.sources = all;
	return r;
}

/* Where fd is an archive, what it holds goes to where ADD copies to.  1; 0: it is none. */
static int take_archive(struct copying *k, int fd, int root, struct err *err)
{
	struct build *b = k->b;
	struct stat st;
	enum build_archive kind = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
		? build_archive_kind(fd)
		: BUILD_ARCHIVE_NONE;
	if (kind == BUILD_ARCHIVE_NONE)
		return 0;
	if (mkdirat(AT_FDCWD, k->archives, 0700) < 0 && errno != EEXIST)
		return err_sys(err, errno, "create %s", k->archives);
	_cleanup_close_ int dir = open(k->archives, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = dir < 0 ? err_sys(err, errno, "open %s", k->archives)
			: build_archive_unpack(b, fd, dir, kind, err);
	if (r < 0)
		return r;
	if (r > 0) {
		struct build_copy c = {.dest = k->c.dest, .links = k->c.links, .archive = true};
		_cleanup_close_ int fs = openat(dir, "fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		c.from = fs;
		strv_add(&b->a, &c.sources, "");
		struct strv lowers = {0};
		strv_addf(&b->a, &lowers, "%s/fs", k->archives);
		build_links_from(c.links, lowers);
		int done = arena_check(&b->a, err);
		if (done == 0)
			done = build_tree_copy(&b->a, &c, root, err);
		build_links_from(c.links, (struct strv){0});
		if (done < 0)
			return done;
	}
	int gone = tree_remove(AT_FDCWD, k->archives, err);
	return gone < 0 ? gone : r;
}

/* ADD: each source that is an archive is unpacked; those that are left are copied. */
static int take_archives(struct copying *k, int root, struct err *err)
{
	struct strv rest = {0};
	int r = fit_patterns(k, err);
	for (size_t i = 0; r >= 0 && i < k->c.sources.n; i++) {
		const char *text = k->c.sources.v[i];
		bool out = k->c.ignore &&
			ignore_match(k->c.ignore, text + strspn(text, "./"), NULL);
		_cleanup_close_ int fd = out ? -1
					     : path_openat2(k->c.from, text + strspn(text, "/"),
						       O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
						       0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
		r = take_archive(k, fd, root, err);
		if (r < 0)
			return err_prefix(err, "%s", text);
		if (r == 0)
			r = strv_push(&k->b->a, &rest, k->c.sources.v[i]);
	}
	k->c.sources = rest;
	return r;
}

/* --unpack; otherwise: where nothing is said. */
static bool unpacks(const struct df_inst *i, bool otherwise)
{
	const char *said = df_flag(i, "unpack");
	return said ? streq(said, "true") : otherwise;
}

/* What a repository has, as a directory of the context. */
static int put_repository(
	struct copying *k, int root, const struct build_remote *m, struct err *err)
{
	struct build *b = k->b;
	struct build_copy c;
	_cleanup_close_ int from = build_remote_git_copy(b, m, &c, err);
	int r = MIN(from, 0);
	for (size_t n = 0; r == 0 && n < k->excludes.n; n++)
		r = ignore_add(&b->a, &c.exclude, k->excludes.v[n], strlen(k->excludes.v[n]), err);
	c.dest = k->c.dest;
	c.chmod = k->c.chmod;
	c.owner = k->c.owner;
	c.links = k->c.links;
	return r < 0 ? r : build_tree_copy(&b->a, &c, root, err);
}

/* What is fetched: a file like another, unless it is to be unpacked. */
static int put_remote(struct copying *k, int root, const struct build_remote *m, struct err *err)
{
	struct build *b = k->b;
	if (m->git)
		return put_repository(k, root, m, err);
	struct build_copy c = {.context = true, .chmod = k->c.chmod, .owner = k->c.owner};
	_cleanup_close_ int from = open(m->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0)
		return err_sys(err, errno, "open %s", m->dir);
	if (unpacks(k->i, false)) {
		_cleanup_close_ int fd = openat(
			from, BUILD_REMOTE_DATA, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		int r = take_archive(k, fd, root, err);
		if (r != 0)
			return r;
	}
	c.from = from;
	c.dest = k->c.dest;
	if (is_dir_inside(root, c.dest)) {
		if (!m->name)
			return err_set(err, EISDIR,
				"%s is a directory, and no name for a file can be had of the URL",
				c.dest);
		const char *slash = c.dest[strlen(c.dest) - 1] == '/' ? "" : "/";
		c.dest = arena_printf(&b->a, "%s%s%s", c.dest, slash, m->name);
	}
	if (!c.dest || strv_add(&b->a, &c.sources, BUILD_REMOTE_DATA) < 0)
		return oom(err);
	if (is_dir_inside(root, c.dest))
		return err_set(
			err, EISDIR, "%s is a directory, and what is fetched is a file", c.dest);
	return build_tree_copy(&b->a, &c, root, err);
}

static int copy(void *ctx, const int *roots, struct buf *out, struct err *err)
{
	struct copying *k = ctx;
	struct build_links links;
	(void)out;
	if (k->from)
		k->c.from = roots[1];
	int r = find_owner(k, roots[0], err);
	if (r == 0)
		r = begin_links(k, &links, roots[0], k->list, err);
	if (r == 0 && k->n_docs)
		r = put_docs(k, roots[0], err);
	if (r == 0 && k->i->kind == DF_ADD && k->c.context && unpacks(k->i, true))
		r = take_archives(k, roots[0], err);
	if (r == 0 && k->c.sources.n)
		r = build_tree_copy(&k->b->a, &k->c, roots[0], err);
	for (size_t n = 0; r >= 0 && n < k->n_remote; n++)
		r = put_remote(k, roots[0], &k->remote[n], err);
	r = MIN(r, 0);
	return r == 0 ? build_links_end(&links, err) : r; /* the process ends */
}

/* ---- outside ---- */

/* What is not here yet. */
static int fetch_all(struct copying *k, struct err *err)
{
	struct build *b = k->b;
	int r = 0;
	if (k->n_remote && k->fetched.dir < 0)
		r = templates_begin(&b->store, &k->fetched, err);
	char *dir = arena_printf(&b->a, "%s/tmp/%s", b->store.dir, k->fetched.name);
	if (!dir)
		return oom(err);
	for (size_t n = 0; r == 0 && n < k->n_remote; n++)
		if (!k->remote[n].dir)
			r = build_remote_fetch(b, k->i, dir, &k->remote[n], err);
	return r;
}

static int make(struct build *b, struct build_state *st, struct build_step *s, const char *dir,
	struct err *err)
{
	struct copying *k = s->ctx;
	struct view v[2] = {{.lowers = build_lowers(b, st),
		.upper = path_join(&b->a, dir, "fs"),
		.work = path_join(&b->a, dir, "work")}};
	k->archives = path_join(&b->a, dir, "unpacked");
	k->list = path_join(&b->a, dir, BUILD_LINKS);
	if (k->from)
		v[1].lowers = build_lowers(b, k->from);
	if (!k->archives || !k->list)
		return oom(err);
	int r = fetch_all(k, err);
	return r < 0 ? r : view_run(&b->a, dir, v, k->from ? 2 : 1, copy, k, NULL, err);
}

/* The digest of what is copied, and the owner that --chown means here. */
static int find_digest(struct copying *k, char **ret, struct err *err)
{
	struct build *b = k->b;
	struct template_making m = TEMPLATE_MAKING_NONE;
	int r = templates_begin(&b->store, &m, err);
	if (r < 0)
		return r;
	char *dir = arena_printf(&b->a, "%s/tmp/%s", b->store.dir, m.name);
	struct view v[2] = {{.lowers = build_lowers(b, k->st)}};
	if (k->from)
		v[1].lowers = build_lowers(b, k->from);
	r = dir ? view_run(&b->a, dir, v, k->from ? 2 : 1, digest, k, ret, err) : oom(err);
	templates_abandon(&b->store, &m);
	return r;
}

/* What, beside its digest, makes what is fetched what it becomes. */
static const char *remote_part(const struct build_remote *m)
{
	if (m->git)
		return m->keep ? m->commit : "tree";
	return m->name ? m->name : "";
}

/* What of the instruction makes a difference, beside the files. */
static char *canonical(struct copying *k)
{
	struct buf t = {0};
	buf_printf(&t, "%s %s %s %s", df_name(k->i->kind), k->c.dest, k->c.chmod ? k->c.chmod : "",
		k->c.parents ? "parents" : "");
	for (size_t i = 0; i < k->n_docs; i++)
		buf_printf(&t, "\n<%s %zu %s", k->docs[i].name, k->docs[i].n, k->docs[i].text);
	/* where each source goes hangs on its name */
	for (size_t i = 0; i < k->c.sources.n; i++)
		buf_printf(&t, "\n%s", k->c.parents ? k->c.sources.v[i] : "");
	for (size_t i = 0; k->n_remote && i < k->excludes.n; i++)
		buf_printf(&t, "\n!%s", k->excludes.v[i]);
	for (size_t i = 0; i < k->n_remote; i++)
		buf_printf(&t, "\n@%s %s", k->remote[i].digest, remote_part(&k->remote[i]));
	if (df_flag(k->i, "unpack"))
		buf_str(&t, df_flag(k->i, "unpack"));
	return buf_take(&k->b->a, &t);
}

static int carry_out(struct copying *k, struct err *err)
{
	struct build *b = k->b;
	char *sum = NULL, *own;
	bool pinned = true;
	for (size_t n = 0; n < k->n_remote; n++)
		pinned = pinned && k->remote[n].pinned;
	/* what has to have a digest that was given need not be asked for, to be found in the cache
	 */
	int r = pinned ? 0 : fetch_all(k, err);
	if (r == 0)
		r = find_digest(k, &sum, err);
	if (r < 0)
		return r;
	own = strchr(sum, ' ');
	struct build_step s = {.what = df_source(&b->a, k->i), .make = make, .ctx = k};
	if (own)
		sscanf(own, " %u:%u", &s.owner.uid, &s.owner.gid);
	const char *parts[] = {canonical(k), sum};
	s.key = build_key(b, k->st, parts, ARRAY_LEN(parts));
	return s.what && s.key && parts[0] ? build_step_run(b, k->st, &s, err) : oom(err);
}

int build_copy(struct build *b, struct build_state *st, int stage, const struct df_inst *i,
	struct err *err)
{
	struct copying k = {.b = b, .st = st, .i = i, .fetched = TEMPLATE_MAKING_NONE};
	int r = read_all(&k, stage, err);
	if (r == 0)
		r = carry_out(&k, err);
	templates_abandon(&b->store, &k.fetched);
	return r;
}

/* ---- WORKDIR ---- */

struct working {
	struct build *b;
	const char *path, *user; /* user: who owns it when it is made */
};

static int look(void *ctx, const int *roots, struct buf *out, struct err *err)
{
	const struct working *w = ctx;
	struct stat st;
	(void)err;
	_cleanup_close_ int fd = path_openat2(roots[0], w->path[1] ? w->path + 1 : ".",
		O_PATH | O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	buf_str(out, fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? "yes" : "no");
	return 0;
}

static int make_dir(void *ctx, const int *roots, struct buf *out, struct err *err)
{
	const struct working *w = ctx;
	struct build_owner owner = {0};
	(void)out;
	if (w->user && build_account(&w->b->a, roots[0], w->user, &owner, NULL, err) < 0)
		return -err->code;
	_cleanup_close_ int fd = build_tree_dir(roots[0], w->path, &owner, err);
	return MIN(fd, 0);
}

static int workdir_step(struct build *b, struct build_state *st, struct build_step *s,
	const char *dir, struct err *err)
{
	struct view v = {.lowers = build_lowers(b, st)};
	char *yes = NULL;
	int r = view_run(&b->a, dir, &v, 1, look, s->ctx, &yes, err);
	if (r < 0 || streq(yes, "yes"))
		return r;
	v.upper = path_join(&b->a, dir, "fs");
	v.work = path_join(&b->a, dir, "work");
	return view_run(&b->a, dir, &v, 1, make_dir, s->ctx, NULL, err);
}

int build_workdir(struct build *b, struct build_state *st, const struct df_inst *i, struct err *err)
{
	char *text;
	int r = build_word(b, st, i, i->words[0].s, i->words[0].at, &text, err);
	if (r < 0)
		return r;
	struct working w = {
		.b = b, .path = *text ? build_path(b, st, text) : NULL, .user = st->user};
	if (!w.path)
		return df_err(&b->d, i->line, i->words[0].at, err,
			"WORKDIR: nothing is left of \"%s\"", i->words[0].s);
	st->workdir = arena_dup(&b->a, w.path);
	if (strv_addf(&b->a, &st->changes, "workdir %s", w.path) < 0)
		return oom(err);
	const char *parts[] = {"WORKDIR", w.path, w.user};
	struct build_step s = {.what = df_source(&b->a, i),
		.make = workdir_step,
		.ctx = &w,
		.key = build_key(b, st, parts, ARRAY_LEN(parts))};
	return s.what && s.key ? build_step_run(b, st, &s, err) : oom(err);
}
