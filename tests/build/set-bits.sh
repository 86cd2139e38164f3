mkdir tools
echo p >tools/plain
echo r >tools/readonly
echo s >tools/script
chmod 444 tools/readonly
chmod 755 tools/script
