echo f >f
mkdir -p d/e
echo g >d/e/g
