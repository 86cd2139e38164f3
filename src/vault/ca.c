/* vault/ca.c - see ca.h */
#include "vault/ca.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

enum { HOUR = 3600, YEAR = 366 * 24 * HOUR, CN_MAX = 64, SERIAL_BYTES = 16 };

struct ca {
	EVP_PKEY *key;
	X509 *cert;
};

static int failed(struct err *err, const char *what)
{
	ERR_clear_error();
	return err_set(err, EIO, "certificates: %s", what);
}

static bool extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX x;
	X509V3_set_ctx(&x, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &x, nid, value);
	bool ok = e && X509_add_ext(cert, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

/* What all our certificates have in common; from an hour ago, for clocks that differ. */
static X509 *blank_cert(EVP_PKEY *key, const char *cn, long seconds)
{
	unsigned char serial[SERIAL_BYTES];
	X509 *c = X509_new();
	BIGNUM *bn = NULL;
	if (!c || RAND_bytes(serial, sizeof(serial)) != 1)
		goto fail;
	serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40); /* positive, and of full length */
	bn = BN_bin2bn(serial, sizeof(serial), NULL);
	if (!bn || !BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(c)) ||
		!X509_set_version(c, X509_VERSION_3) ||
		!X509_gmtime_adj(X509_getm_notBefore(c), -HOUR) ||
		!X509_gmtime_adj(X509_getm_notAfter(c), seconds) || !X509_set_pubkey(c, key) ||
		!X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
			(const unsigned char *)cn, -1, -1, 0))
		goto fail;
	BN_free(bn);
	return c;
fail:
	BN_free(bn);
	X509_free(c);
	return NULL;
}

struct ca *ca_make(struct err *err)
{
	struct ca *ca = calloc(1, sizeof(*ca));
	if (!ca)
		return NULL;
	ca->key = EVP_EC_gen("P-256");
	ca->cert = ca->key ? blank_cert(ca->key, "bawn, for this sandbox alone", CA_YEARS * YEAR)
			   : NULL;
	if (ca->cert && X509_set_issuer_name(ca->cert, X509_get_subject_name(ca->cert)) &&
		extend(ca->cert, ca->cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
		extend(ca->cert, ca->cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
		extend(ca->cert, ca->cert, NID_subject_key_identifier, "hash") &&
		X509_sign(ca->cert, ca->key, EVP_sha256()))
		return ca;
	failed(err, "no authority could be made");
	return NULL;
}

struct ca *ca_load(const void *saved, size_t n, struct err *err)
{
	struct ca *ca = calloc(1, sizeof(*ca));
	BIO *b = BIO_new_mem_buf(saved, (int)n);
	if (ca && b) {
		ca->key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
		ca->cert = PEM_read_bio_X509(b, NULL, NULL, NULL);
	}
	BIO_free(b);
	if (ca && ca->key && ca->cert && X509_check_private_key(ca->cert, ca->key) == 1)
		return ca;
	failed(err, "what the last vault left behind is no authority");
	return NULL;
}

static int take_bio(BIO *b, bool ok, struct buf *ret, struct err *err)
{
	char *p;
	long n = b && ok ? BIO_get_mem_data(b, &p) : 0;
	int r = n > 0 ? buf_add(ret, p, (size_t)n) : failed(err, "an authority can't be written");
	if (n > 0)
		explicit_bzero(p, (size_t)n);
	BIO_free(b);
	return r;
}

int ca_save(const struct ca *ca, struct buf *ret, struct err *err)
{
	BIO *b = BIO_new(BIO_s_mem());
	bool ok = b && PEM_write_bio_PrivateKey(b, ca->key, NULL, NULL, 0, NULL, NULL) == 1 &&
		PEM_write_bio_X509(b, ca->cert) == 1;
	return take_bio(b, ok, ret, err);
}

int ca_cert(const struct ca *ca, struct buf *ret, struct err *err)
{
	BIO *b = BIO_new(BIO_s_mem());
	bool ok = b && PEM_write_bio_X509(b, ca->cert) == 1;
	return take_bio(b, ok, ret, err);
}

static int put_der(struct buf *ret, X509 *cert, EVP_PKEY *key, struct err *err)
{
	unsigned char *c = NULL, *k = NULL;
	int cn = i2d_X509(cert, &c), kn = i2d_PrivateKey(key, &k);
	uint32_t n = (uint32_t)cn;
	int r = cn > 0 && kn > 0 ? 0 : failed(err, "a certificate can't be written");
	r = r < 0 ? r : buf_add(ret, &n, sizeof(n));
	r = r < 0 ? r : buf_add(ret, c, (size_t)cn);
	r = r < 0 ? r : buf_add(ret, k, (size_t)kn);
	OPENSSL_free(c);
	if (kn > 0)
		OPENSSL_clear_free(k, (size_t)kn);
	return r;
}

int ca_leaf(const struct ca *ca, const char *name, struct buf *ret, struct err *err)
{
	char san[300];
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *c = key
		? blank_cert(key, strlen(name) <= CN_MAX ? name : "bawn", CA_LEAF_HOURS * HOUR)
		: NULL;
	snprintf(san, sizeof(san), "DNS:%s", name);
	bool ok = c && X509_set_issuer_name(c, X509_get_subject_name(ca->cert)) &&
		extend(c, ca->cert, NID_basic_constraints, "critical,CA:FALSE") &&
		extend(c, ca->cert, NID_key_usage, "critical,digitalSignature") &&
		extend(c, ca->cert, NID_ext_key_usage, "serverAuth") &&
		extend(c, ca->cert, NID_subject_alt_name, san) &&
		extend(c, ca->cert, NID_subject_key_identifier, "hash") &&
		extend(c, ca->cert, NID_authority_key_identifier, "keyid:always") &&
		X509_sign(c, ca->key, EVP_sha256());
	int r = ok ? put_der(ret, c, key, err) : failed(err, "a leaf can't be made");
	X509_free(c);
	EVP_PKEY_free(key);
	return r;
}
