# the context of dest-links
echo a >a
mkdir d
echo c >d/c
