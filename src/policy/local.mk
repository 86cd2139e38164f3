# policy: profiles and rules. libpolicy.a (matching, the pack's reader) needs libc only and goes into
# bawn and bawn-relay; libpolicy-compile.a needs libyaml and the libraries of confine and net, and
# goes into bawn-admin.
noinst_LIBRARIES += libpolicy.a libpolicy-compile.a
libpolicy_a_SOURCES = \
	src/policy/egress.h src/policy/egress.c src/policy/egress-table.h \
	src/policy/credential.h src/policy/credential.c \
	src/policy/http-rule.h src/policy/http-rule.c \
	src/policy/http-text.h src/policy/http-text.c \
	src/policy/host-name.c src/policy/path-glob.h src/policy/path-glob.c \
	src/policy/request-table.h src/policy/request-table.c \
	src/policy/why-name.h src/policy/why-name.c \
	src/policy/write.h src/policy/write.c \
	src/policy/pack.h src/policy/pack.c src/policy/pack-format.h \
	src/policy/profile.h src/policy/profile-keys.h src/policy/profile-keys.c
libpolicy_compile_a_SOURCES = \
	src/policy/compile.h src/policy/compile.c \
	src/policy/egress-build.h src/policy/egress-build.c \
	src/policy/credential-file.c \
	src/policy/egress-file.c src/policy/profile.c src/policy/read.h \
	src/policy/http-build.h src/policy/http-build.c \
	src/policy/locate.h src/policy/locate.c \
	src/policy/lint.h src/policy/lint.c src/policy/lint-rule.c \
	src/policy/compare.h src/policy/compare.c \
	src/policy/compare-request.h src/policy/compare-request.c \
	src/policy/psl.h src/policy/psl.c \
	src/policy/rule.h src/policy/rule.c src/policy/rule-request.c \
	src/policy/schema.h src/policy/schema.c \
	src/policy/target.h src/policy/target.c \
	src/policy/yaml.h src/policy/yaml.c
libpolicy_compile_a_CFLAGS = $(AM_CFLAGS) $(YAML_CFLAGS)
