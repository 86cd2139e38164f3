mkdir -p conf
echo a >conf/a.ini; echo b >conf/b.ini
