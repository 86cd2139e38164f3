# the context of env-arg
# options: --build-arg NAME=given
echo x >given.txt
