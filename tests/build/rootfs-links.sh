mkdir -p t/sbin t/etc/s6/run t/usr/lib
echo init >t/sbin/init
echo run >t/etc/s6/run/run
echo lib >t/usr/lib/l.so
chmod 755 t/sbin/init
ln -s usr/lib t/lib64
tar --mtime=@0 --owner=0 --group=0 --sort=name -cf dirs.tar -C t .
mkdir -p t/tmp t/srv/data
echo s >t/tmp/s
echo d >t/srv/data/d
ln t/sbin/init t/sbin/again
tar --mtime=@0 --owner=0 --group=0 --no-recursion -czf files.tar.gz -C t sbin/init sbin/again etc/s6/run/run tmp/s srv/data/d
rm -r t
mkdir -p rootfs/lib rootfs/etc
echo extra >rootfs/lib/extra
echo issue >rootfs/etc/issue
