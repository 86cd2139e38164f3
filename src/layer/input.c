/* layer/input.c - see input.h.
 *
 * Theory: a ring of SLOTS buffers between the reader's thread and the caller.  The reader fills
 * ring[head % SLOTS] while head - tail < SLOTS, the caller uses ring[tail % SLOTS] while head >
 * tail. A plain tar is hashed by the reader, once for both digests; of a compressed one the reader
 * hashes and inflates, the caller hashes what comes out and writes files: that divides the work
 * about evenly, so that two processors are busy.
 */
#include "layer/input.h"

#include <pthread.h>

#include "base/fd.h"
#include "layer/codec.h"

enum { SLOTS = 8 };
#define SLOT_SIZE ((size_t)256 << 10)

const char *const layer_media[] = {
	"application/vnd.oci.image.layer.v1.tar",
	"application/vnd.oci.image.layer.v1.tar+gzip",
	"application/vnd.oci.image.layer.v1.tar+zstd",
	/* of no registry's: what is pushed is packed anew */
	"application/vnd.oci.image.layer.v1.tar+xz",
	"application/vnd.oci.image.layer.v1.tar+bzip2",
};

static const char *const format_names[] = {"tar", "gzip", "zstd", "xz", "bzip2"};

/* How streams begin.  A name in a tar may well begin with BZh, so of bzip2 it is more: the size of
 * its blocks (any), and what begins a block, or ends a stream without one. */
static const struct magic {
	enum layer_format format;
	unsigned char n, any, bytes[INPUT_MAGIC];
} magics[] = {
	{LAYER_GZIP, 2, 0, {0x1f, 0x8b}},
	{LAYER_ZSTD, 4, 0, {0x28, 0xb5, 0x2f, 0xfd}},
	{LAYER_XZ, 6, 0, {0xfd, '7', 'z', 'X', 'Z', 0}},
	{LAYER_BZIP2, 10, 3, {'B', 'Z', 'h', 0, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59}},
	{LAYER_BZIP2, 10, 3, {'B', 'Z', 'h', 0, 0x17, 0x72, 0x45, 0x38, 0x50, 0x90}},
};

static bool begins_as(const struct magic *m, const unsigned char *p, size_t n)
{
	for (size_t i = 0; n >= m->n && i < m->n; i++)
		if (p[i] != m->bytes[i] && !(m->any && i == m->any))
			return false;
	return n >= m->n;
}

enum layer_format input_format(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(magics); i++)
		if (begins_as(&magics[i], p, n))
			return magics[i].format;
	/* pzstd puts a frame to be skipped (RFC 8878, 3.1.2) before each of its own */
	if (n >= 4 && p[0] >> 4 == 5 && memcmp(p + 1, "\x2a\x4d\x18", 3) == 0)
		return LAYER_ZSTD;
	return LAYER_TAR;
}

struct input {
	int fd;
	bool at;
	uint64_t offset, left; /* what of fd is still to be read */
	uint64_t bytes, tar;
	enum layer_format format;
	struct hash *blob, *diff;

	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock */
	uint64_t head, tail;
	bool ended, stop;
	struct err err;

	unsigned char *ring; /* SLOTS * SLOT_SIZE */
	size_t size[SLOTS];
	bool holding; /* the caller has ring[tail] */
	unsigned char in[SLOT_SIZE];
	size_t in_n;
};

static int raw_read(struct input *in, unsigned char *to, size_t n, size_t *ret)
{
	size_t want = (size_t)MIN((uint64_t)n, in->left);
	ssize_t got = in->at ? fd_pread_full(in->fd, to, want, (off_t)in->offset)
			     : fd_read_full(in->fd, to, want);
	if (got < 0)
		return err_sys(&in->err, (int)-got, "read the layer's tar");
	if ((size_t)got < want && in->left != INPUT_TO_END)
		return err_set(&in->err, EBADMSG, "the layer's tar ends %llu bytes too early",
			(unsigned long long)(in->left - (uint64_t)got));
	in->offset += (uint64_t)got;
	in->left -= in->left == INPUT_TO_END ? 0 : (uint64_t)got;
	in->bytes += (uint64_t)got;
	/* by the position of the file, which is not used else, the caller sees how far it is */
	if (in->at)
		lseek(in->fd, (off_t)in->offset, SEEK_SET);
	hash_add(in->blob, to, (size_t)got);
	*ret = (size_t)got;
	return 0;
}

/* A buffer to fill, once there is one; NULL: nobody wants it any more. */
static unsigned char *slot_wait(struct input *in)
{
	pthread_mutex_lock(&in->lock);
	while (in->head - in->tail == SLOTS && !in->stop)
		pthread_cond_wait(&in->changed, &in->lock);
	bool stop = in->stop;
	pthread_mutex_unlock(&in->lock);
	return stop ? NULL : in->ring + (in->head % SLOTS) * SLOT_SIZE;
}

static void slot_give(struct input *in, size_t n)
{
	if (!n)
		return;
	pthread_mutex_lock(&in->lock);
	in->size[in->head++ % SLOTS] = n;
	pthread_cond_signal(&in->changed);
	pthread_mutex_unlock(&in->lock);
}

static int run_plain(struct input *in)
{
	size_t n = in->in_n;
	unsigned char *to = slot_wait(in);
	if (!to)
		return -ECANCELED;
	memcpy(to, in->in, n);
	while (n) {
		slot_give(in, n);
		to = slot_wait(in);
		int r = to ? raw_read(in, to, SLOT_SIZE, &n) : -ECANCELED;
		if (r < 0)
			return r;
	}
	return 0;
}

static int bad_input(struct input *in, int code, const char *what)
{
	return err_set(&in->err, code < 0 ? -code : EBADMSG,
		"the layer's %s stream %s at byte %llu", format_names[in->format], what,
		(unsigned long long)in->bytes);
}

static bool all_zero(const unsigned char *p, size_t n)
{
	while (n && !*p) {
		p++;
		n--;
	}
	return n == 0;
}

/* Behind the last member may be zeros, as a tape or a block device leaves them. */
static bool is_rest(const struct input *in, size_t p)
{
	if (p == in->in_n)
		return false;
	return in->format == LAYER_GZIP ? in->in[p] != 0x1f : in->in[p] == 0;
}

static int run_codec(struct input *in, struct codec *c)
{
	size_t p = 0, filled = 0;
	bool ended = false, full = false; /* full: there may be more without more input */
	unsigned char *to = slot_wait(in);
	while (to) {
		if (p == in->in_n && (ended || !full)) {
			int r = raw_read(in, in->in, SLOT_SIZE, &in->in_n);
			if (r < 0)
				return r;
			p = 0;
			if (!in->in_n)
				break;
		}
		if (ended && is_rest(in, p)) {
			if (!all_zero(in->in + p, in->in_n - p))
				return bad_input(in, 0, "has something else behind its end");
			p = in->in_n;
			continue;
		}
		size_t used = in->in_n - p, made = SLOT_SIZE - filled;
		int r = codec_unpack(c, in->in + p, &used, to + filled, &made);
		if (r < 0)
			return bad_input(in, r,
				r == -E2BIG            ? "wants too much memory to be unpacked"
					: r == -ENOMEM ? "needs memory that there is not"
						       : "is damaged");
		ended = r == 1;
		full = made == SLOT_SIZE - filled;
		p += used;
		filled += made;
		if (filled == SLOT_SIZE) {
			slot_give(in, filled);
			filled = 0;
			to = slot_wait(in);
		}
	}
	if (!to)
		return -ECANCELED;
	slot_give(in, filled);
	return ended ? 0 : bad_input(in, 0, "ends too early");
}

static int run_packed(struct input *in)
{
	struct codec *c = codec_unpacker(in->format);
	if (!c)
		return err_set(&in->err, ENOMEM, "out of memory");
	int r = run_codec(in, c);
	codec_free(c);
	return r;
}

static void *run(void *arg)
{
	struct input *in = arg;
	int r = in->format == LAYER_TAR ? run_plain(in) : run_packed(in);
	pthread_mutex_lock(&in->lock);
	in->ended = true;
	if (r < 0 && !in->err.code)
		in->err.code = -r;
	pthread_cond_signal(&in->changed);
	pthread_mutex_unlock(&in->lock);
	return NULL;
}

static int begin(struct input *in, struct err *err)
{
	in->ring = malloc(SLOTS * SLOT_SIZE);
	in->blob = hash_new();
	in->diff = hash_new();
	if (!in->ring || !in->blob || !in->diff)
		return err_set(err, ENOMEM, "out of memory");
	int r = raw_read(in, in->in, SLOT_SIZE, &in->in_n);
	if (r < 0) {
		if (err)
			*err = in->err;
		return r;
	}
	in->format = input_format(in->in, in->in_n);
	r = pthread_create(&in->thread, NULL, run, in);
	in->started = r == 0;
	return r ? err_sys(err, r, "start a thread") : 0;
}

int input_open(
	int fd, bool at, uint64_t offset, uint64_t length, struct input **ret, struct err *err)
{
	struct input *in = calloc(1, sizeof(*in));
	if (!in)
		return err_set(err, ENOMEM, "out of memory");
	in->fd = fd;
	in->at = at;
	in->offset = offset;
	in->left = length;
	pthread_mutex_init(&in->lock, NULL);
	pthread_cond_init(&in->changed, NULL);
	int r = begin(in, err);
	if (r < 0) {
		input_free(in);
		return r;
	}
	*ret = in;
	return 0;
}

int input_fill(void *ctx, const unsigned char **ret, size_t *ret_n, struct err *err)
{
	struct input *in = ctx;
	int r = 0;
	pthread_mutex_lock(&in->lock);
	if (in->holding) {
		in->tail++;
		in->holding = false;
		pthread_cond_signal(&in->changed);
	}
	while (in->head == in->tail && !in->ended)
		pthread_cond_wait(&in->changed, &in->lock);
	*ret_n = 0;
	if (in->head != in->tail) {
		*ret = in->ring + (in->tail % SLOTS) * SLOT_SIZE;
		*ret_n = in->size[in->tail % SLOTS];
		in->holding = true;
	} else if (in->err.code) {
		r = -in->err.code;
		if (err)
			*err = in->err;
	}
	pthread_mutex_unlock(&in->lock);
	in->tar += *ret_n;
	if (in->format != LAYER_TAR && *ret_n)
		hash_add(in->diff, *ret, *ret_n);
	return r;
}

int input_end(struct input *in, struct input_digests *ret, struct err *err)
{
	struct input_digests d = {.tar = in->tar, .bytes = in->bytes, .format = in->format};
	pthread_mutex_lock(&in->lock);
	bool whole = in->ended && in->head == in->tail && !in->err.code;
	pthread_mutex_unlock(&in->lock);
	if (!whole)
		return err_set(err, EINVAL, "the layer's tar was not read to its end");
	hash_end(in->blob, d.blob);
	if (in->format == LAYER_TAR)
		memcpy(d.diff, d.blob, sizeof(d.diff));
	else
		hash_end(in->diff, d.diff);
	if (!d.blob[0] || !d.diff[0])
		return err_set(err, EIO, "libcrypto has failed");
	*ret = d;
	return 0;
}

void input_free(struct input *in)
{
	if (!in)
		return;
	pthread_mutex_lock(&in->lock);
	in->stop = true;
	pthread_cond_signal(&in->changed);
	pthread_mutex_unlock(&in->lock);
	if (in->started)
		pthread_join(in->thread, NULL);
	hash_free(in->blob);
	hash_free(in->diff);
	free(in->ring);
	free(in);
}
