# the context of copy-dir
mkdir -p app/sub/deep app/empty
echo 1 >app/one
echo 2 >app/sub/two
chmod 755 app/one
chmod 700 app/sub/deep
echo 3 >app/sub/deep/three
