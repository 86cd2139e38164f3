# profiles: one YAML file a tool
profilesdir = $(pkgdatadir)/profiles
dist_profiles_DATA = \
	profiles/claude.yaml profiles/codex.yaml profiles/gemini.yaml \
	profiles/opencode.yaml profiles/shell.yaml
