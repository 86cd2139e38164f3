# the tree of the base, with a Dockerfile: what all cases begin with
mkdir -p root/bin root/etc root/tmp root/root root/home/app root/usr/bin root/var/lib
cp "$BUSYBOX" root/bin/busybox
chmod 755 root/bin/busybox root/home/app root/root
chmod 1777 root/tmp
for i in sh cat echo ln mkdir chmod rm rmdir mkfifo id test pwd printf set top ls true false sleep; do
	ln -s busybox root/bin/$i
done
printf 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n' >root/etc/passwd
printf 'root:x:0:\nstaff:x:50:\napp:x:1000:\n' >root/etc/group
printf 'FROM scratch\nCOPY root/ /\n' >Dockerfile
