mkdir -p packages/a/src packages/b/src packages/c docs/x/y config/env .github/workflows
for f in packages/a/package.json packages/b/package.json packages/a/src/i.ts packages/a/src/i.test.ts packages/b/src/j.ts \
	packages/c/README docs/a.md docs/x/b.md docs/x/y/c.txt docs/x/y/d.md config/app.yml config/env/dev.yml config/env/prod.yml \
	.github/workflows/ci.yml package.json tsconfig.json tsconfig.build.json yarn.lock a1 a2 b1 '[x]' 'sp ace'; do echo "$f" >"$f"; done
cat >.dockerignore <<'I'
*
!packages
packages/**/*.test.ts
!docs/*.md
!docs/x/*.md
docs/x/y/d.md
!*.json
!config/**
config/env/dev.yml
!a?
!b1
!yarn.lock
!sp ace
!\[x]
I
