# bawn-admin: the commands that need libraries which bawn's start path may not carry.  A subcommand
# is one file and one row in admin-main.c.
pkglibexec_PROGRAMS += bawn-admin
bawn_admin_SOURCES = \
	src/cli/admin-main.c src/cli/admin.h src/cli/admin.c \
	src/run/options.h src/run/options.c \
	src/cli/listing.h src/cli/listing.c \
	src/cli/pack-args.c src/cli/pack-args.h \
	src/cli/cmd-compile.c src/cli/cmd-policy.c src/cli/cmd-policy-edit.c src/cli/cmd-profile.c \
	src/cli/cmd-secret.h src/cli/cmd-secret.c src/cli/cmd-secret-import.c src/cli/cmd-secret-prompt.c \
	src/cli/policy-side.h src/cli/policy-side.c src/cli/policy-credential.c src/cli/cmd-policy-explain.c \
	src/cli/cmd-policy-diff.c src/cli/cmd-policy-export.c \
	src/store/spec.h src/store/spec.c src/store/line.c \
	src/cli/cmd-seed.c src/cli/cmd-login.c
bawn_admin_LDFLAGS = $(AM_LDFLAGS) -pie
bawn_admin_LDADD = libseed.a libsecret.a libpolicy-compile.a libpolicy.a libconfine-compile.a libnet-build.a libbase.a \
	$(YAML_LIBS) $(SECCOMP_LIBS) $(NFTNL_LIBS) $(MNL_LIBS) $(NL_LIBS)

# log, report and doctor
bawn_admin_SOURCES += \
	src/cli/cmd-log.h src/cli/cmd-log.c src/cli/cmd-report.c src/cli/log-file.h src/cli/log-file.c \
	src/cli/cmd-doctor.c src/cli/doctor.h \
	src/cli/doctor-host.c src/cli/doctor-ns.c src/cli/doctor-net.c src/cli/doctor-kernel.c
bawn_admin_LDADD += libaudit-read.a libaudit.a libhost.a libnet.a libconfine.a libpolicy.a \
	libjson.a libbase.a $(JANSSON_LIBS)

# bawn-template: the verbs of bawn template; a verb is one file and one row in template-main.c
pkglibexec_PROGRAMS += bawn-template
bawn_template_SOURCES = \
	src/cli/template-main.c src/cli/template.h \
	src/cli/admin.h src/cli/admin.c src/run/options.h src/run/options.c \
	src/cli/template-ls.c src/cli/template-inspect.c src/cli/template-load.c \
	src/cli/template-tag.c src/cli/template-rm.c src/cli/template-prune.c \
	src/cli/template-verify.c src/cli/template-save.h src/cli/template-save.c \
	src/cli/template-box.c src/cli/template-bootstrap.c src/cli/template-pull.c src/cli/template-push.c
bawn_template_LDFLAGS = $(AM_LDFLAGS) -pie
bawn_template_LDADD = $(template_remote_libs) $(template_libs)

# bawn-scope: --memory and --cpus by the user's systemd, where libsystemd was there
if HAVE_SYSTEMD
pkglibexec_PROGRAMS += bawn-scope
bawn_scope_SOURCES = src/cli/scope-main.c
bawn_scope_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS)
bawn_scope_LDFLAGS = $(AM_LDFLAGS) -pie
bawn_scope_LDADD = libbase.a $(SYSTEMD_LIBS)
endif
EXTRA_DIST += src/cli/scope-main.c
