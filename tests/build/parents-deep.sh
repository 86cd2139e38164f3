# the context of parents-deep
mkdir -p pk/a/src pk/b/node_modules/z pk/.h/q d/s
for i in a b b/node_modules/z .h/q; do echo $i >pk/$i/package.json; done
echo r >package.json
touch pk/a/src/x.ts d/f d/s/e.txt d/s/d.md
chmod 700 pk/a
chmod 750 d/s
echo '**/node_modules' >.dockerignore
