# set-ID bits of a layer below: an archive has them
mkdir -p t/d
for i in keep gone numeric group copied more again; do echo $i >t/d/$i; done
chmod 4755 t/d/*
chmod 6750 t/d/group
mkdir t/shared t/closed
chmod 2775 t/shared
chmod 500 t/closed
tar --sort=name --mtime=@0 --owner=0 --group=0 -cf t.tar -C t .
rm -r t
