mkdir -p src test node_modules/dev .git
for f in package.json package-lock.json src/index.js src/util.ts test/t.js node_modules/dev/i .env .env.production Dockerfile.dev .npmrc; do echo $f >$f; done
printf 'node_modules\n.git*\n**/test\n.env*\n!.env.production\nDockerfile*\n' >.dockerignore
