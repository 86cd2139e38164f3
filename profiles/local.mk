# profiles: one YAML file a tool
profilesdir = $(pkgdatadir)/profiles
dist_profiles_DATA = \
	profiles/claude.yaml profiles/codex.yaml profiles/gemini.yaml \
	profiles/opencode.yaml profiles/shell.yaml
# recipes: templates with the tools in them
dist_profiles_DATA += profiles/base.Dockerfile profiles/claude.Dockerfile profiles/codex.Dockerfile \
	profiles/gemini.Dockerfile profiles/opencode.Dockerfile

# what bawn itself runs things under
internaldir = $(pkgdatadir)/profiles/internal
dist_internal_DATA = profiles/internal/build.yaml
