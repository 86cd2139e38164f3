# cli: the executables bawn (here) and bawn-admin (admin.mk)
bin_PROGRAMS += bawn
bawn_SOURCES = \
	src/cli/main.c src/cli/command.h \
	src/cli/verb.h src/cli/verb.c src/cli/tee.h src/cli/tee.c \
	src/cli/cmd-run.c src/cli/cmd-step.c src/cli/cmd-learn.c src/cli/cmd-loop.c src/cli/cmd-create.c \
	src/cli/cmd-ls.c src/cli/cmd-stop.c \
	src/cli/cmd-exec.c src/cli/cmd-attach.c src/cli/cmd-cp.c \
	src/cli/cmd-diff.c src/cli/cmd-apply.c \
	src/cli/cmd-template-save.c src/gate/wire.c src/cli/cmd-checkpoint.c src/cli/cmd-restore.c src/cli/cmd-upload-pack.c \
	src/cli/cmd-ports.c src/cli/policy-live.h src/cli/cmd-policy-live.c \
	src/cli/cmd-secret-live.c \
	src/cli/questions.h src/cli/questions.c src/cli/cmd-policy-ask.c \
	src/cli/monitor.h src/cli/cmd-monitor.c src/cli/monitor-keys.c src/cli/monitor-draw.c \
	src/cli/monitor-data.h src/cli/monitor-data.c src/cli/monitor-proc.h src/cli/monitor-proc.c \
	src/cli/cmd-skill.c src/cli/cmd-complete.c \
	src/policy/rule.h src/policy/rule.c src/policy/rule-request.c \
	$(run_sources) \
	$(libsandbox_a_SOURCES) $(libegress_a_SOURCES) $(libplan_a_SOURCES) $(libscan_a_SOURCES) \
	$(libchange_a_SOURCES) \
	$(libhost_a_SOURCES) $(libpolicy_a_SOURCES) $(libaudit_a_SOURCES) $(libstore_a_SOURCES) \
	$(libsecret_a_SOURCES) $(libvault_a_SOURCES) \
	$(seed_cache_sources) src/copy/copy.h \
	$(libbase_a_SOURCES)
bawn_CPPFLAGS = $(AM_CPPFLAGS) $(LIGHT_CPPFLAGS)
bawn_LDFLAGS = $(AM_LDFLAGS) $(LIGHT_LDFLAGS)
bawn_LDADD = $(LIGHT_LIBS)

