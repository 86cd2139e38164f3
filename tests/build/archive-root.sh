mkdir -p t/etc/app.d t/opt; echo 1 >t/etc/app.d/conf; echo 2 >t/opt/tool; chmod 755 t/opt/tool
tar --mtime=@0 --owner=3 --group=4 -cf t.tar -C t .
rm -r t
echo data >f
