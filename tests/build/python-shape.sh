mkdir pkg
printf 'flask\ngunicorn\n' >requirements.txt
echo pytest >requirements-dev.txt
echo app >app.py
: >pkg/__init__.py
printf '**/__pycache__\n*.pyc\n!keep.pyc\n' >.dockerignore
mkdir pkg/__pycache__
echo x >pkg/__pycache__/x.pyc
echo x >gone.pyc
echo x >keep.pyc
