# contrib: completion, the skill, the AppArmor profile, the demo
dist_bashcomp_DATA = contrib/completion/bash/bawn
dist_zshcomp_DATA = contrib/completion/zsh/_bawn
dist_fishcomp_DATA = contrib/completion/fish/bawn.fish
apparmordir = $(pkgdatadir)/apparmor
dist_apparmor_DATA = contrib/apparmor/bawn
skilldir = $(pkgdatadir)/skill
dist_skill_DATA = contrib/skill/SKILL.md
EXTRA_DIST += contrib/demo contrib/examples/best-of-n bootstrap .ci/run build-aux/lint build-aux/docs-check \
	README.md ARCHITECTURE.md HACKING.md SECURITY.md .clang-format m4/.gitkeep

# in a build tree data is looked for in share/
noinst_DATA = share/apparmor/bawn share/skill/SKILL.md
CLEANFILES += share/apparmor/bawn share/skill/SKILL.md
share/skill/SKILL.md: contrib/skill/SKILL.md
	$(AM_V_GEN)$(MKDIR_P) share/skill && cp $(srcdir)/contrib/skill/SKILL.md $@
share/apparmor/bawn: contrib/apparmor/bawn
	$(AM_V_GEN)$(MKDIR_P) share/apparmor && cp $(srcdir)/contrib/apparmor/bawn $@
