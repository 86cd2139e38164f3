# the context of ignore-named
echo a >a
echo b >b
echo a >.dockerignore
printf "b\nDockerfile*\n.dockerignore\n" >Dockerfile.dockerignore
