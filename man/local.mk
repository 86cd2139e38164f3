# man: scdoc sources; the built pages go into the tarball, so that a build from it needs no scdoc
man_pages = \
	man/bawn.1 man/bawn-run.1 man/bawn-build.1 man/bawn-create.1 man/bawn-exec.1 man/bawn-attach.1 \
	man/bawn-ls.1 man/bawn-stop.1 man/bawn-doctor.1 man/bawn-log.1 man/bawn-report.1 \
	man/bawn-ports.1 man/bawn-policy.1 man/bawn-learn.1 man/bawn-why.1 man/bawn-sudo.1 \
	man/bawn-monitor.1 man/bawn-secret.1 man/bawn-template.1 \
	man/bawn-diff.1 man/bawn-apply.1 man/bawn-discard.1 \
	man/bawn-loop.1 man/bawn-skill.1 man/bawn-login.1 man/bawn-cp.1 man/bawn-checkpoint.1 man/bawn-clone.7 \
	man/bawn-profile.5 man/bawn-policy.5
EXTRA_DIST += $(man_pages:=.scd) $(man_pages)
if HAVE_SCDOC
man_MANS = $(man_pages)
CLEANFILES += $(man_pages)

SUFFIXES = .scd
.scd:
	$(AM_V_GEN)$(MKDIR_P) man && $(SCDOC) <$< >$@.tmp && mv $@.tmp $@
else
man_MANS = $(wildcard $(addprefix $(srcdir)/,$(man_pages)))
endif
