# the context of copy-over
mkdir -p one/s two/s
echo 1 >one/x
echo 1 >one/s/k
chmod 711 one/s
echo 2 >two/x
echo 2 >two/s/l
chmod 750 two/s
echo f >f
