mkdir -p src/a src/b src/ab dir1/sub dir2/sub
for i in a.txt b.txt x.md y.md z.md 'with space.txt' src/a/f.c src/a/g.h src/b/g2.h src/a/only-1 src/b/only-2 src/ab/q dir1/sub/f dir2/sub/g dir2/top; do
	echo "$i" >"$i"
done
echo other >src/b/f2.c
