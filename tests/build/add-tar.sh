# the context of add-tar
mkdir -p t/d
echo 1 >t/d/f
chmod 750 t/d
ln -s f t/d/l
echo s >t/s
chmod 4755 t/s
tar --sort=name --mtime=@0 --owner=3 --group=4 -C t --no-recursion -cf t.tar ./d ./d/f ./s
tar --mtime=@0 --no-recursion --owner=0 --group=0 -C t -rf t.tar ./d/l
gzip -nc t.tar >t.tgz
echo p >plain.txt
echo text | gzip -n >not.gz
rm -r t
