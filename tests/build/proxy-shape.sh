mkdir html html/empty
for i in docker-entrypoint 10-listen 15-local 20-envsubst 30-tune; do
	printf '#!/bin/sh\n# %s\n' "$i" >$i.sh
	chmod 755 $i.sh
done
echo '<html>' >html/index.html
ln -s index.html html/home.html
echo 'listen 80;' >default.conf.template
