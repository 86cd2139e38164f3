echo f >f
mkdir -p d/sub
echo in >d/sub/in
