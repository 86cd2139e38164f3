# ADD --chown of an archive of others
mkdir -p t/d
echo 1 >t/d/f
ln -s f t/d/l
tar --mtime=@0 --owner=3 --group=4 -cf t.tar -C t d
rm -r t
