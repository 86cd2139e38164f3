/* tests/unit/test-host-ca.c - which files stand for the machine's certificates, and what is in
 * them.
 */
#include "unit.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "base/tree.h"
#include "host/ca.h"

struct world {
	char dir[PATH_MAX];
	struct arena a;
	struct err err;
};

static char *at(struct world *w, const char *rel)
{
	return path_join(&w->a, w->dir, rel);
}

/* Template host with that generated /etc. */
static const struct host_ca_view *view(struct world *w, const char *rel)
{
	static struct host_ca_view v;
	v.etc = at(w, rel);
	return &v;
}

static char *with_parents(struct world *w, const char *rel)
{
	char *p = at(w, rel), *slash = strrchr(p, '/');
	*slash = '\0';
	assert_int_equal(file_mkdir_p(AT_FDCWD, p, 0755), 0);
	*slash = '/';
	return p;
}

static void put(struct world *w, const char *rel, const char *text)
{
	FILE *f = fopen(with_parents(w, rel), "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void ln(struct world *w, const char *target, const char *rel)
{
	assert_int_equal(symlink(target, with_parents(w, rel)), 0);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	char tmp[] = "/tmp/bawn-test-ca-XXXXXX";
	*state = w;
	return w && mkdtemp(tmp) && realpath(tmp, w->dir) ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *w = *state;
	tree_remove(AT_FDCWD, w->dir, NULL);
	arena_free(&w->a);
	free(w);
	return 0;
}

#define CERT(x) "-----BEGIN CERTIFICATE-----\n" x "\n-----END CERTIFICATE-----\n"

static char *slurp(struct world *w, const char *dir, const char *name)
{
	char *text = NULL;
	assert_true(
		file_read(&w->a, AT_FDCWD, path_join(&w->a, dir, name), 1 << 20, &text, NULL) > 0);
	return text;
}

/* Fedora's links, to a file within /etc, and through a directory that is one. */
static void test_ca_places(void **state)
{
	struct world *w = *state;
	struct strv places = {0};
	put(w, "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", CERT("MACHINE"));
	ln(w, "../../ca-trust/extracted/pem/tls-ca-bundle.pem", "etc/pki/tls/certs/ca-bundle.crt");
	ln(w, "/etc/pki/tls/certs", "etc/ssl/certs");
	ln(w, "ca-bundle.crt", "etc/pki/tls/certs/ca-certificates.crt");
	ln(w, "/nowhere", "etc/ssl/cert.pem");
	ln(w, "loop", "etc/ssl/loop");
	ln(w, "loop", "etc/ssl/ca-bundle.pem");
	assert_int_equal(host_ca_places(&w->a, view(w, "etc"), &places, &w->err), 0);
	assert_int_equal(places.n, 1);
	assert_string_equal(places.v[0], "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem");
}

/* Alpine: a second name for the same; and two files where both are there. */
static void test_ca_two_places(void **state)
{
	struct world *w = *state;
	struct strv places = {0};
	put(w, "etc/ssl/certs/ca-certificates.crt", CERT("MACHINE"));
	ln(w, "certs/ca-certificates.crt", "etc/ssl/cert.pem");
	put(w, "etc/ssl/ca-bundle.pem", CERT("MACHINE"));
	assert_int_equal(host_ca_places(&w->a, view(w, "etc"), &places, &w->err), 0);
	assert_int_equal(places.n, 2);
	assert_string_equal(places.v[0], "/etc/ssl/certs/ca-certificates.crt");
	assert_string_equal(places.v[1], "/etc/ssl/ca-bundle.pem");
}

static void test_ca_files(void **state)
{
	struct world *w = *state;
	char *dir = at(w, "box/ca");
	struct strv env = {0};
	put(w, "etc/ssl/certs/ca-certificates.crt", "# all\n" CERT("MACHINE"));
	put(w, "extra.crt",
		"secret text\n" CERT(
			"OFFICE") "-----BEGIN PRIVATE KEY-----\nKEY\n-----END PRIVATE KEY-----\n"
				  "-----BEGIN CERTIFICATE-----\nhalf of one -----BEGIN PRIVATE "
				  "KEY-----\nKEY2\n"
				  "-----END PRIVATE KEY-----\n-----END CERTIFICATE-----\n");
	strv_addf(&w->a, &env, "NODE_EXTRA_CA_CERTS=%s", at(w, "extra.crt"));
	strv_addf(&w->a, &env, "PIP_CERT=%s", at(w, "extra.crt"));
	strv_addf(&w->a, &env, "HOME=%s", at(w, "extra.crt"));
	strv_add(&w->a, &env, "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt");
	strv_add(&w->a, &env, "UV_NATIVE_TLS=true");
	assert_int_equal(host_ca_write(&w->a, view(w, "etc"), dir, CERT("OURS") "KEY3\n", NULL,
				 &env, &w->err),
		0);
	assert_string_equal(slurp(w, dir, HOST_CA_OWN), CERT("OURS") CERT("OFFICE"));
	assert_string_equal(slurp(w, dir, HOST_CA_BUNDLE),
		"# all\n" CERT("MACHINE") "\n" CERT("OURS") CERT("OFFICE"));
	/* without a certificate there is nothing to trust */
	assert_int_equal(
		host_ca_write(&w->a, view(w, "etc"), dir, "no certificate", NULL, &env, &w->err),
		-EINVAL);
	/* what the machine has added, beside the sandbox's and without */
	assert_int_equal(host_ca_write(&w->a, view(w, "etc"), dir, CERT("OURS"), CERT("ADDED"),
				 &(struct strv){0}, &w->err),
		0);
	assert_string_equal(slurp(w, dir, HOST_CA_OWN), CERT("OURS") CERT("ADDED"));
	assert_string_equal(slurp(w, dir, HOST_CA_SANDBOX), CERT("OURS"));
	char *other = at(w, "box/added");
	assert_int_equal(host_ca_write(&w->a, view(w, "etc"), other, NULL, CERT("ADDED"),
				 &(struct strv){0}, &w->err),
		0);
	assert_string_equal(
		slurp(w, other, HOST_CA_BUNDLE), "# all\n" CERT("MACHINE") "\n" CERT("ADDED"));
	assert_int_equal(access(path_join(&w->a, other, HOST_CA_SANDBOX), F_OK), -1);
	/* a machine without a bundle */
	assert_int_equal(host_ca_write(&w->a, view(w, "nothing"), dir, CERT("OURS"), NULL,
				 &(struct strv){0}, &w->err),
		0);
	assert_string_equal(slurp(w, dir, HOST_CA_BUNDLE), CERT("OURS"));
	assert_true(host_ca_variable("GIT_SSL_CAINFO", strlen("GIT_SSL_CAINFO")));
	assert_false(host_ca_variable("GIT_SSL_CAINFOX", strlen("GIT_SSL_CAINFOX")));
	assert_false(host_ca_variable("GIT_SSL", strlen("GIT_SSL")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ca_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ca_two_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ca_files, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
