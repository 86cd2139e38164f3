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

# commands that are told of in another's page
man_aliases = \
	man/bawn-shell.1 man/bawn-logs.1 man/bawn-inspect.1 man/bawn-rm.1 man/bawn-prune.1 \
	man/bawn-checkpoints.1 man/bawn-restore.1 man/bawn-undo.1 man/bawn-fork.1
man_MANS += $(man_aliases)
CLEANFILES += $(man_aliases)
alias_of = $(AM_V_GEN)$(MKDIR_P) man && echo '.so man1/$(1).1' >$@
man/bawn-shell.1:
	$(call alias_of,bawn-exec)
man/bawn-logs.1:
	$(call alias_of,bawn-attach)
man/bawn-inspect.1:
	$(call alias_of,bawn-ls)
man/bawn-rm.1 man/bawn-prune.1:
	$(call alias_of,bawn-stop)
man/bawn-checkpoints.1 man/bawn-restore.1 man/bawn-undo.1 man/bawn-fork.1:
	$(call alias_of,bawn-checkpoint)
