# the context of ignore
mkdir -p src/a node_modules/x keep
echo 1 >src/a/x.c
echo 2 >src/a/x.o
echo 3 >src/y.o
echo n >node_modules/x/n
echo k >keep/k
echo k >keep/no
echo s >.env
echo r >README.md
echo l >LICENSE.md
printf '# comment\n**/*.o\nnode_modules\n.env\nkeep/*\n!keep/k\n*.md\n!README.md\nDockerfile\n.dockerignore\n' >.dockerignore
