mkdir -p src/deep/er docs/api node_modules/x build/out tests/data
for i in src/a.c src/a.o src/deep/b.o src/deep/er/c.c src/deep/er/keep.o docs/a.md docs/api/b.md docs/README.md \
	node_modules/x/i build/out/f build/keep tests/data/big tests/t.c top.log top.txt .env .env.example; do
	echo "$i" >"$i"
done
cat >.dockerignore <<'I'
# a comment
**/*.o
!src/deep/er/keep.o
node_modules
/build/
!build/keep
docs
!docs/README.md
  *.log  
.env*
!.env.example
tests/*
!tests/t.c
I
