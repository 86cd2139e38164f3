/* cli/scope-main.c - bawn-scope PID MEMORY CPUS PIDS: ask the user's systemd for a transient scope
 * with these limits (bytes, thousandths, processes; 0: none) around PID, and print the path of its
 * control group.
 *
 * A program of its own, as libsystemd brings a dozen libraries along, and built only where that is.
 * Nothing is printed but the path: whoever called says what it means that there is none.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "base/file.h"
#include "base/arena.h"

#define WAIT_TRIES 400 /* 5 ms each */
#define FAILED 1

struct want {
	uint32_t pid;
	uint64_t memory, cpus, pids;
};

static int put_number(sd_bus_message *m, const char *property, uint64_t value)
{
	return sd_bus_message_append(m, "(sv)", property, "t", value);
}

static int put_properties(sd_bus_message *m, const struct want *w)
{
	int r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)", "Description", "s", "a sandbox of bawn");
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)", "PIDs", "au", 1, w->pid);
	/* which also means that one process killed for want of memory doesn't end the rest */
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)", "Delegate", "b", 1);
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)", "CollectMode", "s", "inactive-or-failed");
	if (r >= 0 && w->memory)
		r = put_number(m, "MemoryMax", w->memory);
	if (r >= 0 && w->memory)
		r = put_number(m, "MemorySwapMax", 0);
	if (r >= 0 && w->cpus)
		r = put_number(m, "CPUQuotaPerSecUSec", w->cpus * 1000);
	if (r >= 0 && w->pids)
		r = put_number(m, "TasksMax", w->pids);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int start_scope(sd_bus *bus, const char *unit, const struct want *w)
{
	sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(bus, &m, "org.freedesktop.systemd1",
		"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
		"StartTransientUnit");
	if (r >= 0)
		r = sd_bus_message_append(m, "ss", unit, "fail");
	if (r >= 0)
		r = put_properties(m, w);
	if (r >= 0)
		r = sd_bus_message_append(m, "a(sa(sv))", 0);
	if (r >= 0)
		r = sd_bus_call(bus, m, 10 * 1000000ull, NULL, NULL);
	sd_bus_message_unref(m);
	return r;
}

/* The job is done when the process is in it.  Its path, or NULL. */
static const char *wait_moved(struct arena *a, const char *unit, uint32_t pid)
{
	char file[64];
	snprintf(file, sizeof(file), "/proc/%" PRIu32 "/cgroup", pid);
	for (int i = 0; i < WAIT_TRIES; i++) {
		struct err ignored = {0};
		char *text = NULL;
		if (file_read(a, AT_FDCWD, file, 65536, &text, &ignored) < 0)
			return NULL;
		for (char *line; (line = strsep(&text, "\n"));) {
			size_t n = strlen(line), k = strlen(unit);
			if (has_prefix(line, "0::/") && n > k && streq(line + n - k, unit))
				return line + 3;
		}
		poll(NULL, 0, 5);
	}
	return NULL;
}

static int scope(const struct want *w)
{
	_cleanup_(arena_free) struct arena a = {0};
	char unit[64];
	sd_bus *bus = NULL;
	snprintf(unit, sizeof(unit), "bawn-%" PRIu32 "-%d.scope", w->pid, (int)getpid());
	int r = sd_bus_open_user(&bus);
	if (r >= 0)
		r = start_scope(bus, unit, w);
	sd_bus_unref(bus);
	const char *path = r >= 0 ? wait_moved(&a, unit, w->pid) : NULL;
	if (!path)
		return FAILED;
	puts(path);
	return fflush(stdout) == 0 ? 0 : FAILED;
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return FAILED;
	return scope(&(struct want){.pid = (uint32_t)strtoul(argv[1], NULL, 10),
		.memory = strtoull(argv[2], NULL, 10),
		.cpus = strtoull(argv[3], NULL, 10),
		.pids = strtoull(argv[4], NULL, 10)});
}
