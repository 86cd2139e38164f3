mkdir -p src target/debug
for f in Cargo.toml Cargo.lock src/main.rs target/debug/old; do echo $f >$f; done
echo target >.dockerignore
