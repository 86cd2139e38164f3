mkdir d
echo f >f
echo g >d/g
