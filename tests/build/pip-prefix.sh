mkdir -p app/templates app/__pycache__ .git
printf 'flask==3\ngunicorn==21\n' >requirements.txt
for f in app/__init__.py app/main.py app/templates/index.html app/__pycache__/main.pyc .git/HEAD README.md Makefile; do echo $f >$f; done
printf '.git\n**/__pycache__\n*.md\n!README.md\n' >.dockerignore
