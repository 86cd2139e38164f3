# the context of copy-globs
for i in a b c; do echo $i >$i.txt
done
echo 1 >ab.md
echo 2 >ac.md
echo 3 >b.md
echo x >x1.c
echo y >y1.c
echo a >a1.c
mkdir dd
echo f >dd/f
echo {} >package.json
