mkdir app
echo Gemfile >Gemfile
echo Gemfile.lock >Gemfile.lock
echo a >app/a
echo no >app/no.log
echo '**/*.log' >.dockerignore
