# the context of heredoc-copy
echo "hello world none" >one
echo "raw \$W" >two
printf "\"quoted\" it's\n" >single
chmod 644 one two
