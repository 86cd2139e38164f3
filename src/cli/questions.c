/* cli/questions.c - see questions.h */
#include "cli/questions.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>

#include "base/fd.h"

/* A socket to box's supervisor; -ESRCH, err untouched: it doesn't run. */
static int reach(struct run *r, const char *box, struct err *err)
{
	char path[4096];
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", r->store.sandboxes, box) >= sizeof(path))
		return err_set(err, ENAMETOOLONG, "the sandbox's directory");
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT || errno == ENOTDIR ? -ESRCH
							   : err_sys(err, errno, "open %s", box);
	int k = session_connect_within(dir, QUESTIONS_MS, err);
	return k == -ENOENT || k == -ECONNREFUSED ? -ESRCH : k;
}

int questions_exchange(struct run *r, const char *box, const struct session_msg *m, const int *fds,
	size_t n_fds, struct session_msg *ret, struct err *err)
{
	int got[8];
	size_t n = 0;
	_cleanup_close_ int sock = reach(r, box, err);
	if (sock < 0)
		return sock;
	int k = session_send(sock, m, fds, n_fds);
	struct pollfd p = {.fd = sock, .events = POLLIN};
	/* an answer may compile a policy, which takes longer than a look */
	if (k == 0 &&
		poll(&p, 1, m->kind == SESSION_ANSWER ? 10 * QUESTIONS_MS : QUESTIONS_MS) <= 0)
		return err_set(err, ETIMEDOUT, "the supervisor of %s does not answer", box);
	if (k == 0)
		k = session_recv(sock, ret, got, &n);
	for (size_t i = 0; k > 0 && i < n; i++)
		close(got[i]);
	if (k <= 0)
		return -ESRCH; /* it ended meanwhile */
	if (ret->kind == SESSION_FAILED)
		return session_take_error(ret, err);
	return ret->kind == SESSION_DONE ? 0 : err_set(err, EPROTO, "an unexpected answer");
}

static void take(struct questions *ret, const char *box, char *text)
{
	for (char *line; (line = strsep(&text, "\n"));) {
		struct question q = {0};
		if (ret->n == QUESTIONS_MAX ||
			sscanf(line, "%" SCNu32 " %" SCNd64 " %u %299s", &q.id, &q.left_ms,
				&q.flows, q.target) != 4)
			continue;
		snprintf(q.box, sizeof(q.box), "%s", box);
		ret->v[ret->n++] = q;
	}
}

/* All of one: 0, -ESRCH where it doesn't run. */
static int list_one(struct run *r, const char *box, struct questions *ret, struct err *err)
{
	static struct session_msg answer;
	struct session_msg m = {.kind = SESSION_PENDING};
	for (;;) {
		int k = questions_exchange(r, box, &m, NULL, 0, &answer, err);
		if (k < 0)
			return k;
		take(ret, box, answer.text);
		if (answer.value <= m.value)
			return 0;
		m.value = answer.value;
	}
}

static int by_age(const void *a, const void *b)
{
	const struct question *x = a, *y = b;
	return x->left_ms < y->left_ms ? -1 : x->left_ms > y->left_ms;
}

static void add(char list[QUESTIONS_BOXES][80], size_t *n, const char *box)
{
	if (*n < QUESTIONS_BOXES)
		snprintf(list[(*n)++], sizeof(list[0]), "%.79s", box);
}

int questions_list(struct run *r, const char *box, struct questions *ret, struct err *err)
{
	memset(ret, 0, sizeof(*ret));
	if (box) {
		int k = list_one(r, box, ret, err);
		return k == -ESRCH && !err->code
			? err_set(err, ESRCH, "sandbox %s is not running", box)
			: k;
	}
	DIR *d = opendir(r->store.sandboxes);
	if (!d && errno == ENOENT)
		return 0;
	if (!d)
		return err_sys(err, errno, "open %s", r->store.sandboxes);
	for (struct dirent *de; (de = readdir(d));) {
		struct err failed = {0};
		if (de->d_name[0] == '.')
			continue;
		int k = list_one(r, de->d_name, ret, &failed);
		if (k == 0)
			add(ret->running, &ret->n_running, de->d_name);
		else if (failed.code)
			add(ret->silent, &ret->n_silent, de->d_name);
	}
	closedir(d);
	qsort(ret->v, ret->n, sizeof(ret->v[0]), by_age);
	return 0;
}

int questions_answer(struct run *r, const struct question *q, enum session_answer what,
	const char *who, struct err *err)
{
	static struct session_msg answer;
	struct session_msg m = {
		.kind = SESSION_ANSWER, .session = (int32_t)q->id, .value = (int32_t)what};
	const int errors = STDERR_FILENO;
	snprintf(m.text, sizeof(m.text), "%.200s", who);
	int k = questions_exchange(r, q->box, &m, &errors, 1, &answer, err);
	return k == -ESRCH && !err->code ? err_set(err, ESRCH, "sandbox %s is not running", q->box)
					 : k;
}

void questions_json(struct json_out *j, const struct question *q)
{
	char id[96];
	snprintf(id, sizeof(id), "%s:%" PRIu32, q->box, q->id);
	json_begin(j, NULL, '{');
	json_str(j, "id", id);
	json_str(j, "sandbox", q->box);
	json_str(j, "target", q->target);
	json_int(j, "connections", q->flows);
	json_int(j, "left_ms", q->left_ms);
	json_end(j, '}');
}
