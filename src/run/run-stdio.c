/* run/run-stdio.c - what a session is given as 0-2; see run.h.
 *
 * They are the host's own: a file to read from or to write to that lies outside of all that is
 * mounted, where no read-only mount has a word.  By such a descriptor a program inside can open the
 * file anew for what it is open for (confine/landlock.h), give it another mode, and the description
 * that it shares with whoever started bawn other flags: without O_APPEND that would write over the
 * log it appends to, with O_NONBLOCK its reads and writes fail.
 *
 * A socket is of the network namespace that it was made in: one of the host's that can be connected
 * anew, as every TCP and UDP socket can, leads wherever the host does, past all rules.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "run/run.h"

static const char *const names[] = {"input", "output", "error"};

static struct {
	bool known;
	struct stat st;
	int flags;
} before[3];

void run_note_stdio(void)
{
	for (int fd = 0; fd < 3; fd++) {
		before[fd].known = fstat(fd, &before[fd].st) == 0;
		before[fd].flags = fcntl(fd, F_GETFL);
	}
}

/* One end of a connection that stays what it is: a UNIX stream, of a pair or to a listener. */
static bool stays_connected(int fd)
{
	struct sockaddr_storage peer;
	int domain = 0, type = 0, listens = 0;
	socklen_t n = sizeof(int), k = n, l = n, m = sizeof(peer);
	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) == 0 && domain == AF_UNIX &&
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &k) == 0 &&
		(type == SOCK_STREAM || type == SOCK_SEQPACKET) &&
		getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &l) == 0 && !listens &&
		getpeername(fd, (struct sockaddr *)&peer, &m) == 0;
}

int run_check_stdio(struct err *err)
{
	run_note_stdio();
	for (int fd = 0; fd < 3; fd++) {
		if (before[fd].known && S_ISSOCK(before[fd].st.st_mode) && !stays_connected(fd) &&
			!GUARD_REMOVED("stdio-socket")) {
			err_hint(err,
				"put a program between, which passes on what comes: socat, cat");
			return err_set(err, ENOTSOCK,
				"standard %s is a socket that could be connected anew from inside, "
				"past all rules",
				names[fd]);
		}
		if (!before[fd].known || !S_ISDIR(before[fd].st.st_mode) ||
			GUARD_REMOVED("stdio-directory"))
			continue;
		err_hint(
			err, "to show a directory inside, name it as a further PATH: DIRECTORY:ro");
		return err_set(err, EISDIR,
			"standard %s is a directory: all around it could be reached from inside",
			names[fd]);
	}
	return 0;
}

static void restore_flags(int fd)
{
	const int settable = O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME;
	int now = fcntl(fd, F_GETFL);
	if (now >= 0 && before[fd].flags >= 0 && ((now ^ before[fd].flags) & settable) != 0)
		fcntl(fd, F_SETFL, before[fd].flags);
}

/* That it can be executed is for its owner to make of what he asked for (a compiler's output). */
void run_restore_stdio(struct run *r)
{
	const mode_t harmless = 0111;
	struct stat st;
	for (int fd = 0; fd < 3; fd++) {
		if (!before[fd].known || GUARD_REMOVED("stdio-mode") || fstat(fd, &st) < 0 ||
			st.st_dev != before[fd].st.st_dev || st.st_ino != before[fd].st.st_ino)
			continue;
		restore_flags(fd);
		const mode_t now = st.st_mode & 07777, was = before[fd].st.st_mode & 07777;
		if ((now & ~was & ~harmless) == 0 || fchmod(fd, was | (now & harmless)) < 0)
			continue;
		run_message(r, "standard %s: its mode was made %04o inside, and is %04o again",
			names[fd], (unsigned int)now, (unsigned int)(was | (now & harmless)));
	}
}
