# the context of bind-mount
mkdir in
echo ctx >in/x
