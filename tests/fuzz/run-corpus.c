/* tests/fuzz/run-corpus.c - main() for a fuzz target: every file of its corpus, once.
 *
 * `make check` runs the targets so; with clang's -fsanitize=fuzzer instead of this file they search
 * for new input.  The corpus of fuzz-NAME is tests/fuzz/corpus/NAME; other files may be given.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rbe");
	if (!f) {
		perror(path);
		return -1;
	}
	/* An exact allocation, so that a read behind the end is seen by ASan. */
	char *buf = malloc((size_t)4 << 20);
	size_t n = buf ? fread(buf, 1, (size_t)4 << 20, f) : 0;
	char *data = malloc(n ? n : 1);
	fclose(f);
	if (!buf || !data)
		return -1;
	memcpy(data, buf, n);
	free(buf);
	LLVMFuzzerTestOneInput((const uint8_t *)data, n);
	free(data);
	return 0;
}

static int run_dir(const char *dir)
{
	int count = 0;
	char path[4096];
	DIR *d = opendir(dir);
	if (!d)
		return -1;
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		int len = snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (len < 0 || (size_t)len >= sizeof(path) || run_file(path) < 0)
			exit(1);
		count++;
	}
	closedir(d);
	return count;
}

int main(int argc, char **argv)
{
	char dir[4096];
	const char *src = getenv("BAWN_SRCDIR"), *name = strrchr(argv[0], '/');
	name = name ? name + 1 : argv[0];
	if (strncmp(name, "lt-", 3) == 0)
		name += 3;
	if (strncmp(name, "fuzz-", 5) == 0)
		name += 5;
	for (int i = 1; i < argc; i++)
		if (run_file(argv[i]) < 0)
			return 1;
	if (argc > 1)
		return 0;
	snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s", src ? src : ".", name);
	int n = run_dir(dir);
	if (n <= 0) {
		fprintf(stderr, "no corpus in %s\n", dir);
		return 1;
	}
	printf("# %d inputs\n", n);
	return 0;
}
