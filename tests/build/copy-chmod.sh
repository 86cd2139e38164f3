# the context of copy-chmod
echo a >a
echo b >b
chmod 644 a b
