mkdir a b
echo one >a/f
ln a/f a/g
ln -s f a/s
chmod 750 a
echo two >b/f
t="--owner=0 --group=0 --mtime=@1000000000"
tar $t -cJf a.tar.xz a
tar $t -cjf a.tar.bz2 a
tar $t --owner=12 --group=13 -czf b.tar.gz b
cp a.tar.xz a.txz
cp a.tar.bz2 a.tbz2
echo no tar at all | xz >plain.xz
rm -r a b
