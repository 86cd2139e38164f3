/* template/progress.c - see progress.h */
#include "template/progress.h"

#include <inttypes.h>
#include <sys/ioctl.h>
#include <time.h>

#define EVERY_MS 200

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

char *progress_bytes(uint64_t n, char *buf, size_t cap)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	size_t u = 0;
	double v = (double)n;
	while (v >= 999.5 && u + 1 < ARRAY_LEN(units)) {
		v /= 1000;
		u++;
	}
	snprintf(buf, cap, u && v < 9.95 ? "%.1f %s" : "%.0f %s", v, units[u]);
	return buf;
}

void progress_begin(struct progress *p, const char *what, bool quiet)
{
	*p = (struct progress){.on = !quiet && isatty(STDERR_FILENO), .what = what};
	p->began = now_ms();
}

void progress_again(struct progress *p, uint64_t total)
{
	p->began = now_ms();
	p->done = 0;
	p->total = total;
}

char *progress_text(const struct progress *p, int64_t elapsed, char *buf, size_t cap)
{
	char done[24], total[24], rate[24], left[48] = "", layers[48] = "", of[32] = "";
	uint64_t per_s = elapsed > 0 ? p->done * 1000 / (uint64_t)elapsed : 0;
	if (p->total)
		snprintf(of, sizeof(of), " of %s", progress_bytes(p->total, total, sizeof(total)));
	if (p->layers)
		snprintf(layers, sizeof(layers), ", layer %zu of %zu", p->layer, p->layers);
	if (p->total > p->done && per_s && elapsed > 500) {
		uint64_t s = (p->total - p->done) / per_s + 1;
		if (s < 3600)
			snprintf(left, sizeof(left), ", %" PRIu64 ":%02" PRIu64 " left", s / 60,
				s % 60);
		else
			snprintf(left, sizeof(left), ", %" PRIu64 " h left", s / 3600);
	}
	snprintf(buf, cap, "%s: %s%s%s, %s/s%s", p->what,
		progress_bytes(p->done, done, sizeof(done)), of, layers,
		progress_bytes(per_s, rate, sizeof(rate)), left);
	return buf;
}

/* What fits on one line of the terminal: a longer one would be wrapped, and stay. */
static int columns(void)
{
	struct winsize w = {0};
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) < 0 || !w.ws_col)
		return 79;
	return w.ws_col - 1;
}

void progress_show(struct progress *p)
{
	char line[200];
	int64_t now = now_ms();
	if (!p->on || now - p->began < EVERY_MS || now - p->shown < EVERY_MS)
		return;
	p->shown = now;
	progress_text(p, now - p->began, line, sizeof(line));
	fprintf(stderr, "\r%.*s\033[K", columns(), line);
	fflush(stderr);
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->on = false;
	p->shown = 0;
}
