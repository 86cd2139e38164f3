mkdir -p application/dependencies/BOOT-INF/lib application/loader/org application/snapshot application/application/BOOT-INF/classes
for f in application/dependencies/BOOT-INF/lib/a.jar application/loader/org/Launcher.class application/application/BOOT-INF/classes/App.class; do echo $f >$f; done
chmod 770 application/application/BOOT-INF
