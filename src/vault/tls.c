/* vault/tls.c - see tls.h
 *
 * OpenSSL's configuration file is not read: what holds is what is set here.
 */
#include "vault/tls.h"

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/macro.h"

static const unsigned char alpn[] = "\x8http/1.1";
static SSL_CTX *ctx;
static BIO_METHOD *wire_method;
static int name_index = -1; /* of the name in an SSL's extra data */

/* struct tls is never complete: it is an SSL. */
static SSL *ssl_of(struct tls *t)
{
	return (SSL *)(void *)t;
}

/* ---- a wire, as OpenSSL sees one ---- */

static int bio_read(BIO *b, char *p, int n)
{
	ssize_t k = wire_recv(BIO_get_data(b), p, (size_t)n);
	BIO_clear_retry_flags(b);
	if (k == -EAGAIN)
		BIO_set_retry_read(b);
	if (k == -EPIPE)
		BIO_set_flags(b, BIO_FLAGS_IN_EOF);
	errno = k < 0 && k != -EPIPE ? (int)-k : 0;
	return k == -EPIPE ? 0 : k < 0 ? -1 : (int)k;
}

static int bio_write(BIO *b, const char *p, int n)
{
	ssize_t k = wire_send(BIO_get_data(b), p, (size_t)n);
	BIO_clear_retry_flags(b);
	if (k == -EAGAIN)
		BIO_set_retry_write(b);
	errno = k < 0 ? (int)-k : 0;
	return k < 0 ? -1 : (int)k;
}

static long bio_ctrl(BIO *b, int what, long n, void *p)
{
	(void)n, (void)p;
	return what == BIO_CTRL_FLUSH ||
		(what == BIO_CTRL_EOF && BIO_test_flags(b, BIO_FLAGS_IN_EOF));
}

static bool make_method(void)
{
	wire_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
	return wire_method && BIO_meth_set_read(wire_method, bio_read) &&
		BIO_meth_set_write(wire_method, bio_write) &&
		BIO_meth_set_ctrl(wire_method, bio_ctrl);
}

static bool set_wire(SSL *s, struct wire *w)
{
	BIO *b = BIO_new(wire_method);
	if (!b)
		return false;
	BIO_set_data(b, w);
	BIO_set_init(b, 1);
	SSL_set_bio(s, b, b);
	return true;
}

/* ---- set-up ---- */

static int context(const SSL_METHOD *method, struct err *err)
{
	if (!OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_SSL_STRINGS, NULL))
		return err_set(err, EIO, "OpenSSL does not start");
	ctx = SSL_CTX_new(method);
	name_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (!ctx || name_index < 0 || !make_method() ||
		!SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
		!SSL_CTX_set_num_tickets(ctx, 0))
		return err_set(err, ENOMEM, "OpenSSL makes no context");
	SSL_CTX_set_options(ctx,
		SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
			SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_read_ahead(ctx, 1); /* all that is there in one call, not two a record */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx,
		SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
			SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return 0;
}

/* ---- the agent's side ---- */

static int choose_alpn(SSL *s, const unsigned char **ret, unsigned char *ret_n,
	const unsigned char *in, unsigned int n, void *arg)
{
	unsigned char *chosen = NULL;
	(void)s, (void)arg;
	if (SSL_select_next_proto(&chosen, ret_n, alpn, sizeof(alpn) - 1, in, n) !=
		OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*ret = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int check_sni(SSL *s, int *alert, void *arg)
{
	const char *sni = SSL_get_servername(s, TLSEXT_NAMETYPE_host_name);
	const char *name = SSL_get_ex_data(s, name_index);
	(void)arg;
	if (sni && name && strcasecmp(sni, name) == 0)
		return SSL_TLSEXT_ERR_OK;
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int tls_front_setup(struct err *err)
{
	int r = context(TLS_server_method(), err);
	if (r < 0)
		return r;
	SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
	SSL_CTX_set_tlsext_servername_callback(ctx, check_sni);
	return 0;
}

static SSL *connection(struct wire *w, const char *name)
{
	SSL *s = SSL_new(ctx);
	if (s && set_wire(s, w) && SSL_set_ex_data(s, name_index, (void *)(uintptr_t)name))
		return s;
	SSL_free(s);
	ERR_clear_error();
	return NULL;
}

struct tls *tls_front(struct wire *w, const char *name, const void *cert, size_t cert_n,
	const void *key, size_t key_n)
{
	SSL *s = connection(w, name);
	if (!s)
		return NULL;
	if (SSL_use_certificate_ASN1(s, cert, (int)cert_n) != 1 ||
		SSL_use_PrivateKey_ASN1(EVP_PKEY_EC, s, key, (long)key_n) != 1) {
		ERR_clear_error();
		SSL_free(s);
		return NULL;
	}
	SSL_set_accept_state(s);
	return (struct tls *)(void *)s;
}

/* ---- the upstream's side ---- */

static bool load_dir(X509_STORE *store, const char *dir)
{
	char path[4096];
	bool any = false;
	DIR *d = opendir(dir);
	if (!d)
		return false;
	for (struct dirent *e; (e = readdir(d));) {
		int n = snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_name[0] != '.' && n > 0 && (size_t)n < sizeof(path))
			any |= X509_STORE_load_file(store, path) == 1;
	}
	closedir(d);
	return any;
}

static int load_trust(struct err *err)
{
	static const char *const bundles[] = {"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
	const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	bool any = false;
	if (file && *file && X509_STORE_load_file(store, file) != 1) {
		err_set(err, ENOENT, "no certificates in SSL_CERT_FILE, %s", file);
		err_hint(err, "unset it, or let it name a file with the certificates to trust");
		return -ENOENT;
	}
	any = file && *file;
	if (dir && *dir)
		any |= load_dir(store, dir);
	for (size_t i = 0; !any && i < ARRAY_LEN(bundles); i++)
		any = X509_STORE_load_file(store, bundles[i]) == 1;
	ERR_clear_error();
	if (!any) {
		err_set(err, ENOENT, "no certificates to trust on this machine");
		err_hint(err, "install ca-certificates, or set SSL_CERT_FILE");
		return -ENOENT;
	}
	return 0;
}

int tls_upstream_setup(struct err *err)
{
	int r = context(TLS_client_method(), err);
	if (r < 0)
		return r;
	SSL_CTX_set_verify(
		ctx, GUARD_REMOVED("vault-verify") ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_set_alpn_protos(ctx, alpn, sizeof(alpn) - 1) != 0)
		return err_set(err, ENOMEM, "OpenSSL takes no ALPN");
	return load_trust(err);
}

struct tls *tls_upstream(struct wire *w, const char *name)
{
	SSL *s = connection(w, name);
	if (!s)
		return NULL;
	SSL_set_hostflags(s, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (SSL_set_tlsext_host_name(s, name) != 1 || SSL_set1_host(s, name) != 1) {
		ERR_clear_error();
		SSL_free(s);
		return NULL;
	}
	SSL_set_connect_state(s);
	return (struct tls *)(void *)s;
}

/* ---- both ---- */

static ssize_t result(SSL *s, int r)
{
	int e = SSL_get_error(s, r), sys = errno;
	switch (e) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return sys ? -sys : -ECONNRESET;
	default:
		return -EPROTO;
	}
}

int tls_handshake(struct tls *t, char *why, size_t cap)
{
	SSL *s = ssl_of(t);
	ERR_clear_error();
	errno = 0;
	int r = SSL_do_handshake(s);
	if (r == 1)
		return 1;
	ssize_t e = result(s, r);
	if (e == -EAGAIN)
		return 0;
	long bad = SSL_get_verify_result(s);
	unsigned long code = ERR_peek_error();
	if (!SSL_is_server(s) && bad != X509_V_OK) {
		snprintf(why, cap, "%s", X509_verify_cert_error_string(bad));
		e = -EKEYREJECTED;
	} else if (code) {
		const char *reason = ERR_reason_error_string(code);
		snprintf(why, cap, "%s", reason ? reason : "TLS error");
	} else {
		snprintf(why, cap, "the connection was closed");
	}
	ERR_clear_error();
	return e < 0 ? (int)e : -ECONNRESET;
}

ssize_t tls_read(struct tls *t, void *buf, size_t n)
{
	ERR_clear_error();
	errno = 0;
	int r = SSL_read(ssl_of(t), buf, (int)MIN(n, (size_t)1 << 30));
	return r > 0 ? r : result(ssl_of(t), r);
}

ssize_t tls_write(struct tls *t, const void *buf, size_t n)
{
	ERR_clear_error();
	errno = 0;
	int r = SSL_write(ssl_of(t), buf, (int)MIN(n, (size_t)1 << 30));
	if (r > 0)
		return r;
	ssize_t e = result(ssl_of(t), r);
	return e ? e : -EPIPE;
}

void tls_bye(struct tls *t)
{
	ERR_clear_error();
	if (SSL_is_init_finished(ssl_of(t)))
		SSL_shutdown(ssl_of(t));
	ERR_clear_error();
}

void tls_free(struct tls *t)
{
	SSL_free(t ? ssl_of(t) : NULL);
}
