/* cli/questions.h - what running sandboxes with --ask want to know of a person, as clients of their
 * supervisors see it.
 *
 * Nobody who doesn't answer may hold a caller up: each supervisor has QUESTIONS_MS.
 */
#ifndef BAWN_CLI_QUESTIONS_H
#define BAWN_CLI_QUESTIONS_H

#include "base/json-out.h"
#include "run/run.h"
#include "sandbox/session.h"

#define QUESTIONS_MAX 256
#define QUESTIONS_BOXES 64
#define QUESTIONS_MS 1000

struct question {
	char box[80]; /* the sandbox's name, or the id of a run with --rm */
	uint32_t id;
	unsigned int flows; /* connections that wait */
	int64_t left_ms;    /* until they are denied */
	char target[300];   /* name:port */
};

struct questions {
	struct question v[QUESTIONS_MAX];
	size_t n;
	size_t n_running, n_silent; /* supervisors that answered, and that did not */
	char running[QUESTIONS_BOXES][80], silent[QUESTIONS_BOXES][80]; /* the first of them */
};

/* Of sandbox box, or (NULL) of all that run, those with --rm too.  0 or -errno; -ESRCH with *err:
 * box doesn't run. */
int questions_list(struct run *r, const char *box, struct questions *ret, struct err *err);
/* Answer one; who: for the log.  0 or -errno. */
int questions_answer(struct run *r, const struct question *q, enum session_answer what,
	const char *who, struct err *err);
/* One request to box's supervisor and its answer.  -ESRCH, err untouched: it doesn't run. */
int questions_exchange(struct run *r, const char *box, const struct session_msg *m, const int *fds,
	size_t n_fds, struct session_msg *ret, struct err *err);
/* As an object of a list. */
void questions_json(struct json_out *j, const struct question *q);

#endif
