# the context of exclude-parents
mkdir -p src/sub/skip a/b x/y
echo 1 >src/a.c
echo 2 >src/a.o
echo 3 >src/sub/b.o
echo 4 >src/sub/skip/q
echo c >a/b/c.txt
echo z >x/y/z.txt
