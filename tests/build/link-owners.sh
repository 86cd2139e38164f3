# links and FIFOs of others than root, hard links to a link, one name twice in one archive
mkdir -p t/d
echo 1 >t/d/f
ln -s f t/d/l
mkfifo -m 620 t/d/p
tar --mtime=@0 --owner=3 --group=4 --no-recursion -C t -cf t.tar d d/f
tar --mtime=@0 --owner=7 --group=8 --no-recursion -C t -rf t.tar d/l
ln -s f t/d/twice
tar --mtime=@0 --owner=1 --group=1 --no-recursion -C t -rf t.tar d/twice
tar --mtime=@0 --owner=9 --group=10 --no-recursion -C t -rf t.tar d/twice d/p
rm -r t
mkdir -p over/d
ln -s elsewhere over/d/l
