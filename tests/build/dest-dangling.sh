# the context of dest-dangling
mkdir d
echo 1 >d/f
echo x >file
