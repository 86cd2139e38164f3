mkdir -p web/public web/.next/standalone web/.next/static
for f in web/public/a web/.next/standalone/server.js web/.next/static/s; do echo $f >$f; done
