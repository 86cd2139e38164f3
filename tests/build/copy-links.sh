# the context of copy-links
mkdir d
echo t >d/target
ln -s target d/rel
ln -s /etc/passwd d/abs
ln -s nowhere d/dangling
ln d/target d/hard
mkdir d/real
echo r >d/real/r
ln -s real d/dirlink
ln -s d/target link.txt
