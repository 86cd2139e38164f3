/* cli/monitor-data.c - see monitor-data.h
 *
 * Must not: trust the form of a line, nor let one sandbox take the room of all.
 */
#include "cli/monitor-data.h"

#include <inttypes.h>
#include <poll.h>

#include "cli/monitor-proc.h"

enum { STALE_TRIES = 5, STALE_MS = 30, PAGES_MAX = 64 };

/* Calls take for each line of what kind lists. */
static int pages(struct run *r, const char *box, enum session_kind kind, struct session_msg *first,
	bool (*take)(struct monitor_data *d, const char *box, char *line), struct monitor_data *d)
{
	static struct session_msg answer;
	struct session_msg m = {.kind = kind};
	struct err err = {0};
	for (int page = 0; page < PAGES_MAX; page++) {
		int k = questions_exchange(r, box, &m, NULL, 0, &answer, &err);
		if (k < 0)
			return k;
		answer.text[sizeof(answer.text) - 1] = '\0';
		if (page == 0 && first)
			*first = answer;
		char *text = answer.text;
		for (char *line; (line = strsep(&text, "\n"));)
			if (*line && take && !take(d, box, line))
				return 0;
		if (answer.value <= m.value)
			return 0;
		m.value = answer.value;
	}
	return 0;
}

static bool take_flow(struct monitor_data *d, const char *box, char *line)
{
	if (d->n_flow == MONITOR_FLOWS)
		return false;
	struct monitor_flow *f = &d->flow[d->n_flow];
	int at = 0;
	if (sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu16 " %n", &f->up, &f->down,
		    &f->ms, &f->from, &at) != 4)
		return true;
	char *rule = line + at, *target = strsep(&rule, "\t");
	snprintf(f->box, sizeof(f->box), "%s", box);
	snprintf(f->target, sizeof(f->target), "%s", target);
	f->process[0] = '\0';
	snprintf(f->rule, sizeof(f->rule), "%s", rule ? rule : "");
	d->n_flow++;
	return true;
}

static bool take_denial(struct monitor_data *d, const char *box, char *line)
{
	size_t of_box = 0;
	for (size_t i = d->n_denial; i > 0 && streq(d->denial[i - 1].box, box); i--)
		of_box++;
	if (d->n_denial == MONITOR_DENIALS || of_box == MONITOR_DENIALS_EACH)
		return false;
	struct monitor_denial *x = &d->denial[d->n_denial];
	char *rest = line, *word[4];
	for (size_t i = 0; i < ARRAY_LEN(word); i++)
		word[i] = strsep(&rest, "\t");
	if (!word[3])
		return true;
	x->count = strtoull(word[0], NULL, 10);
	snprintf(x->box, sizeof(x->box), "%s", box);
	snprintf(x->target, sizeof(x->target), "%s", word[1]);
	snprintf(x->reason, sizeof(x->reason), "%s", word[2]);
	snprintf(x->fix, sizeof(x->fix), "%s", word[3]);
	d->n_denial++;
	return true;
}

/* The relay tells a moment after it was asked: where nothing was known, once more. */
static void read_one(struct run *r, const char *box, struct monitor_data *d)
{
	static struct session_msg first;
	size_t before = d->n_flow;
	for (int i = 0; i < STALE_TRIES; i++) {
		d->n_flow = before;
		if (pages(r, box, SESSION_FLOWS, &first, take_flow, d) < 0)
			return;
		if (!(first.flags & SESSION_STALE))
			break;
		poll(NULL, 0, STALE_MS);
	}
	/* before the first line, the pid */
	monitor_processes(
		(pid_t)strtol(first.text, NULL, 10), d->flow + before, d->n_flow - before);
	d->open += first.session > 0 ? (uint64_t)first.session : 0;
	pages(r, box, SESSION_DENIALS, NULL, take_denial, d);
}

static bool wanted(const char *box, char *const *only, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (streq(only[i], box))
			return true;
	return n == 0;
}

static void keep_only(struct questions *q, char *const *only, size_t n)
{
	size_t k = 0;
	for (size_t i = 0; i < q->n; i++)
		if (wanted(q->v[i].box, only, n))
			q->v[k++] = q->v[i];
	q->n = k;
	struct {
		char (*list)[80];
		size_t *n;
	} lists[] = {{q->running, &q->n_running}, {q->silent, &q->n_silent}};
	for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
		k = 0;
		for (size_t i = 0; i < *lists[l].n; i++)
			if (wanted(lists[l].list[i], only, n))
				memmove(lists[l].list[k++], lists[l].list[i], 80);
		*lists[l].n = k;
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

int monitor_read(
	struct run *r, char *const *only, size_t n, struct monitor_data *ret, struct err *err)
{
	int k = questions_list(r, NULL, &ret->ask, err);
	ret->n_flow = ret->n_denial = 0;
	ret->open = 0;
	if (k < 0)
		return k;
	keep_only(&ret->ask, only, n);
	qsort(ret->ask.running, ret->ask.n_running, sizeof(ret->ask.running[0]), by_name);
	for (size_t i = 0; i < ret->ask.n_running; i++)
		read_one(r, ret->ask.running[i], ret);
	return 0;
}

static void names_json(struct json_out *j, const char *key, const char (*v)[80], size_t n)
{
	json_begin(j, key, '[');
	for (size_t i = 0; i < n; i++)
		json_str(j, NULL, v[i]);
	json_end(j, ']');
}

static void flow_json(struct json_out *j, const struct monitor_flow *f)
{
	json_begin(j, NULL, '{');
	json_str(j, "sandbox", f->box);
	json_str(j, "target", f->target);
	json_str(j, "rule", f->rule);
	json_str(j, "process", f->process);
	json_int(j, "up", (int64_t)f->up);
	json_int(j, "down", (int64_t)f->down);
	json_int(j, "ms", (int64_t)f->ms);
	json_end(j, '}');
}

static void denial_json(struct json_out *j, const struct monitor_denial *x)
{
	json_begin(j, NULL, '{');
	json_str(j, "sandbox", x->box);
	json_str(j, "target", x->target);
	json_str(j, "reason", x->reason);
	json_str(j, "fix", x->fix);
	json_int(j, "count", (int64_t)x->count);
	json_end(j, '}');
}

void monitor_json(struct json_out *j, const struct monitor_data *d)
{
	json_begin(j, NULL, '{');
	names_json(j, "running", d->ask.running, d->ask.n_running);
	json_begin(j, "waiting", '[');
	for (size_t i = 0; i < d->ask.n; i++)
		questions_json(j, &d->ask.v[i]);
	json_end(j, ']');
	names_json(j, "silent", d->ask.silent, d->ask.n_silent);
	json_int(j, "open", (int64_t)d->open);
	json_begin(j, "connections", '[');
	for (size_t i = 0; i < d->n_flow; i++)
		flow_json(j, &d->flow[i]);
	json_end(j, ']');
	json_begin(j, "denials", '[');
	for (size_t i = 0; i < d->n_denial; i++)
		denial_json(j, &d->denial[i]);
	json_end(j, ']');
	json_end(j, '}');
}
