# the context of chmod-symbolic
mkdir -p d/sub
echo a >a
echo b >d/b
echo c >d/sub/c
chmod 640 a
chmod 755 d d/b
chmod 711 d/sub
chmod 606 d/sub/c
