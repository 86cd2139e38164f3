# the context of link-flag
echo a >a
mkdir d
echo b >d/b
