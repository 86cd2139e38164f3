/* layer/hash.c - see hash.h; the one file here that includes OpenSSL's headers. */
#include "layer/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

struct hash {
	EVP_MD_CTX *ctx;
	bool failed;
};

static EVP_MD *sha256;

int hash_init(struct err *err)
{
	if (!sha256) {
		OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
		sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	}
	return sha256 ? 0 : err_set(err, ENOSYS, "libcrypto has no SHA-256");
}

static void begin(struct hash *h)
{
	h->failed = !sha256 || EVP_DigestInit_ex(h->ctx, sha256, NULL) != 1;
}

struct hash *hash_new(void)
{
	struct hash *h = calloc(1, sizeof(*h));
	if (h)
		h->ctx = EVP_MD_CTX_new();
	if (!h || !h->ctx) {
		free(h);
		return NULL;
	}
	begin(h);
	return h;
}

void hash_add(struct hash *h, const void *data, size_t n)
{
	if (!h->failed)
		h->failed = EVP_DigestUpdate(h->ctx, data, n) != 1;
}

void hash_end(struct hash *h, char ret[static HASH_HEX + 1])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	ret[0] = 0;
	if (!h->failed && EVP_DigestFinal_ex(h->ctx, md, &n) == 1 && n == HASH_HEX / 2)
		for (unsigned int i = 0; i < n; i++)
			snprintf(ret + 2 * (size_t)i, 3, "%02x", md[i]);
	begin(h);
}

void hash_free(struct hash *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}
