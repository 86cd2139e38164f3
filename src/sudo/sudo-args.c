/* sudo/sudo-args.c - see sudo-args.h
 *
 * getopt_long(3) is not for this: an option's argument may be glued to it, several options share a
 * word, and VAR=VALUE stands among them; and static programs of two C libraries must agree.
 */
#include "sudo/sudo-args.h"

#include <ctype.h>

/* One option: its letter, its long name, whether it takes an argument. */
struct option {
	char letter;
	const char *name;
	enum { NONE, REQUIRED, OPTIONAL } argument;
};

static const struct option sudo_options[] = {
	{'A', "askpass", NONE},
	{'B', "bell", NONE},
	{'b', "background", NONE},
	{'C', "close-from", REQUIRED},
	{'D', "chdir", REQUIRED},
	{'E', "preserve-env", OPTIONAL},
	{'g', "group", REQUIRED},
	{'H', "set-home", NONE},
	{'h', "help", NONE},
	{'i', "login", NONE},
	{'K', "remove-timestamp", NONE},
	{'k', "reset-timestamp", NONE},
	{'l', "list", NONE},
	{'N', "no-update", NONE},
	{'n', "non-interactive", NONE},
	{'P', "preserve-groups", NONE},
	{'p', "prompt", REQUIRED},
	{'S', "stdin", NONE},
	{'s', "shell", NONE},
	{'T', "command-timeout", REQUIRED},
	{'U', "other-user", REQUIRED},
	{'u', "user", REQUIRED},
	{'V', "version", NONE},
	{'v', "validate", NONE},
};

static const struct option su_options[] = {
	{'c', "command", REQUIRED},
	{'f', "fast", NONE},
	{'g', "group", REQUIRED},
	{'h', "help", NONE},
	{'l', "login", NONE},
	{'m', "preserve-environment", NONE},
	{'P', "pty", NONE},
	{'p', "preserve-environment", NONE},
	{'s', "shell", REQUIRED},
	{'V', "version", NONE},
	{'w', "whitelist-environment", REQUIRED},
};

/* Where a reader of options stands. */
struct words {
	char **argv;
	int argc, next;
	const char *rest; /* more letters of the same word */
	const struct option *table;
	size_t n;
};

static int bad(struct err *err, const char *what, const char *word)
{
	return err_set(err, EINVAL, "%s -- %.200s", what, word);
}

static const char *take_argument(struct words *w)
{
	return w->next < w->argc ? w->argv[w->next++] : NULL;
}

static int long_option(struct words *w, const char *word, const char **ret_arg, struct err *err)
{
	size_t n = strcspn(word, "=");
	for (size_t i = 0; i < w->n; i++) {
		const struct option *o = &w->table[i];
		if (strlen(o->name) != n || memcmp(o->name, word, n) != 0)
			continue;
		*ret_arg = word[n] ? word + n + 1 : NULL;
		if (*ret_arg && o->argument == NONE)
			return bad(err, "option takes no argument", word);
		if (!*ret_arg && o->argument == REQUIRED && !(*ret_arg = take_argument(w)))
			return bad(err, "option requires an argument", word);
		return o->letter;
	}
	return bad(err, "unknown option", word);
}

static int short_option(struct words *w, const char **ret_arg, struct err *err)
{
	char letter[] = {*w->rest++, '\0'};
	for (size_t i = 0; i < w->n; i++) {
		if (w->table[i].letter != letter[0])
			continue;
		if (w->table[i].argument == REQUIRED) {
			*ret_arg = *w->rest ? w->rest : take_argument(w);
			w->rest = "";
			if (!*ret_arg)
				return bad(err, "option requires an argument", letter);
		}
		return letter[0];
	}
	return bad(err, "unknown option", letter);
}

/* The next option's letter; 0 at the first word that is none; -EINVAL. */
static int next_option(struct words *w, const char **ret_arg, struct err *err)
{
	*ret_arg = NULL;
	if (*w->rest)
		return short_option(w, ret_arg, err);
	const char *word = w->next < w->argc ? w->argv[w->next] : "";
	if (word[0] != '-' || word[1] == '\0')
		return 0;
	w->next++;
	if (streq(word, "--"))
		return 0;
	if (word[1] == '-')
		return long_option(w, word + 2, ret_arg, err);
	w->rest = word + 1;
	return short_option(w, ret_arg, err);
}

static void split_list(struct arena *a, const char *list, struct strv *ret)
{
	for (size_t n; *list; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n)
			strv_push(a, ret, arena_dupn(a, list, n));
	}
}

static void sudo_option(struct arena *a, int letter, const char *arg, struct sudo_args *s)
{
	switch (letter) {
	case 'b':
		s->background = true;
		break;
	case 'D':
		s->dir = arg;
		break;
	case 'E':
		if (arg)
			split_list(a, arg, &s->keep);
		else
			s->preserve = true;
		break;
	case 'g':
		s->group = arg;
		break;
	case 'H':
		s->set_home = true;
		break;
	case 'h':
		s->mode = SUDO_HELP;
		break;
	case 'i':
		s->login = true;
		break;
	case 'K':
	case 'k':
	case 'v':
		s->mode = s->mode == SUDO_RUN ? SUDO_VALIDATE : s->mode;
		break;
	case 'l':
		s->mode = SUDO_LIST;
		break;
	case 's':
		s->with_shell = true;
		break;
	case 'u':
		s->user = arg;
		break;
	case 'V':
		s->mode = SUDO_VERSION;
		break;
	default: /* passwords, prompts, groups kept: nothing of it is there */
		break;
	}
}

/* A name as a shell would take it. */
static bool is_assignment(const char *word)
{
	size_t n = strcspn(word, "=");
	if (n == 0 || word[n] != '=' || isdigit((unsigned char)word[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)word[i]) && word[i] != '_')
			return false;
	return true;
}

int sudo_args_sudo(struct arena *a, int argc, char **argv, struct sudo_args *ret, struct err *err)
{
	struct sudo_args s = {0};
	struct words w = {.argv = argv,
		.argc = argc,
		.next = 1,
		.rest = "",
		.table = sudo_options,
		.n = ARRAY_LEN(sudo_options)};
	const char *arg;
	int letter;
	bool ended = false;
	for (;;) {
		letter = ended ? 0 : next_option(&w, &arg, err);
		if (letter < 0)
			return letter;
		if (letter > 0) {
			sudo_option(a, letter, arg, &s);
			continue;
		}
		ended |= w.next > 1 && streq(argv[w.next - 1], "--");
		if (w.next >= argc || !is_assignment(argv[w.next]))
			break;
		strv_push(a, &s.vars, argv[w.next++]);
	}
	for (; w.next < argc; w.next++)
		strv_push(a, &s.command, argv[w.next]);
	/* "sudo -k CMD" and "sudo -v" differ only in whether something is to be run */
	if (s.mode == SUDO_VALIDATE && s.command.n)
		s.mode = SUDO_RUN;
	if (s.login && s.with_shell)
		return err_set(err, EINVAL, "you may not specify both the -i and -s options");
	if (s.login && s.preserve)
		return err_set(err, EINVAL, "you may not specify both the -i and -E options");
	if (s.mode == SUDO_RUN && !s.command.n && !s.login && !s.with_shell)
		return err_set(err, EINVAL, "no command given");
	*ret = s;
	return arena_check(a, err);
}

static void su_option(struct arena *a, int letter, const char *arg, struct sudo_args *s)
{
	switch (letter) {
	case 'c':
		s->command = (struct strv){0};
		strv_add(a, &s->command, "-c");
		strv_add(a, &s->command, arg);
		break;
	case 'g':
		s->group = arg;
		break;
	case 'h':
		s->mode = SUDO_HELP;
		break;
	case 'l':
		s->login = true;
		break;
	case 'm':
	case 'p':
		s->preserve = true;
		break;
	case 's':
		s->shell = arg;
		break;
	case 'V':
		s->mode = SUDO_VERSION;
		break;
	case 'w':
		split_list(a, arg, &s->keep);
		break;
	default:
		break;
	}
}

/* su [options] [-] [USER [ARGUMENT...]]; options may stand behind USER, too. */
int sudo_args_su(struct arena *a, int argc, char **argv, struct sudo_args *ret, struct err *err)
{
	struct sudo_args s = {.su = true};
	struct strv more = {0};
	struct words w = {.argv = argv,
		.argc = argc,
		.next = 1,
		.rest = "",
		.table = su_options,
		.n = ARRAY_LEN(su_options)};
	const char *arg;
	bool ended = false;
	while (w.next < argc || *w.rest) {
		int letter = ended ? 0 : next_option(&w, &arg, err);
		if (letter < 0)
			return letter;
		if (letter > 0) {
			su_option(a, letter, arg, &s);
			continue;
		}
		if (!ended && streq(argv[w.next - 1], "--")) {
			ended = true;
			continue;
		}
		if (w.next >= argc)
			break;
		const char *word = argv[w.next++];
		if (streq(word, "-") && !s.user && !ended)
			s.login = true;
		else if (!s.user)
			s.user = word;
		else
			strv_add(a, &more, word);
	}
	for (size_t i = 0; i < more.n; i++)
		strv_push(a, &s.command, more.v[i]);
	s.with_shell = !s.login;
	*ret = s;
	return arena_check(a, err);
}

char *sudo_args_quote(struct arena *a, const struct strv *words)
{
	size_t n = 1;
	for (size_t i = 0; i < words->n; i++)
		n += 2 * strlen(words->v[i]) + 1;
	char *text = arena_alloc(a, n), *to = text;
	for (size_t i = 0; text && i < words->n; i++) {
		if (i)
			*to++ = ' ';
		for (const char *p = words->v[i]; *p; p++) {
			if (!isalnum((unsigned char)*p) && !strchr("_-$", *p))
				*to++ = '\\';
			*to++ = *p;
		}
	}
	return text;
}
