# the context of copy-chown
echo a >a
mkdir -p d/e
echo x >d/e/x
