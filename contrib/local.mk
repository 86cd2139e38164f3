# contrib: completion, the AppArmor profile, the demo
dist_bashcomp_DATA = contrib/completion/bash/bawn
dist_zshcomp_DATA = contrib/completion/zsh/_bawn
dist_fishcomp_DATA = contrib/completion/fish/bawn.fish
apparmordir = $(pkgdatadir)/apparmor
dist_apparmor_DATA = contrib/apparmor/bawn
EXTRA_DIST += contrib/demo contrib/examples/best-of-n bootstrap .ci/run build-aux/lint build-aux/docs-check \
	README.md ARCHITECTURE.md HACKING.md SECURITY.md .clang-format m4/.gitkeep

# in a build tree data is looked for in share/
noinst_DATA = share/apparmor/bawn
CLEANFILES += share/apparmor/bawn
share/apparmor/bawn: contrib/apparmor/bawn
	$(AM_V_GEN)$(MKDIR_P) share/apparmor && cp $(srcdir)/contrib/apparmor/bawn $@
