mkdir cmd
echo 'module example.org/app' >go.mod
echo 'h1:x' >go.sum
echo 'package main' >cmd/main.go
echo .git >.dockerignore
mkdir .git
echo x >.git/config
