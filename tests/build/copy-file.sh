# the context of copy-file
echo a >a.txt
echo b >b.txt
chmod 640 b.txt
