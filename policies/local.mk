# policies: egress (who may be reached) and syscalls (what may be called)
egressdir = $(pkgdatadir)/policies/egress
dist_egress_DATA = \
	policies/egress/anthropic.yaml policies/egress/balanced.yaml \
	policies/egress/bitbucket.yaml policies/egress/build.yaml policies/egress/crates.yaml policies/egress/debian.yaml \
	policies/egress/docs.yaml policies/egress/github.yaml policies/egress/github-write.yaml \
	policies/egress/gitlab.yaml \
	policies/egress/go.yaml policies/egress/google.yaml policies/egress/locked.yaml \
	policies/egress/maven.yaml policies/egress/npm.yaml policies/egress/npm-write.yaml policies/egress/open.yaml \
	policies/egress/openai.yaml policies/egress/opencode.yaml policies/egress/packagist.yaml \
	policies/egress/providers.yaml policies/egress/pypi.yaml policies/egress/rubygems.yaml

syscallsdir = $(pkgdatadir)/policies/syscalls
dist_syscalls_DATA = policies/syscalls/default.yaml policies/syscalls/debug.yaml \
	policies/syscalls/nested.yaml

# In a build tree bawn finds its data in ./share (base/path.h).
all-local: share/.stamp
share/.stamp:
	$(AM_V_GEN)$(MKDIR_P) share && \
	ln -sfn '$(abs_top_srcdir)/profiles' share/profiles && \
	ln -sfn '$(abs_top_srcdir)/policies' share/policies && touch $@
CLEANFILES += share/.stamp share/profiles share/policies
