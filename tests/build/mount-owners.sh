# the context of mount-owners
mkdir -p src/d
echo a >src/a
chmod 600 src/a
ln -s a src/l
touch src/d/f
