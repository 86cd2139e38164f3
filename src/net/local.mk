# net: the network namespace. libnet.a needs libc only and goes into bawn-init; libnet-build.a needs
# libmnl, libnftnl and libnl-3 and goes into bawn-admin.
noinst_LIBRARIES += libnet.a
libnet_a_SOURCES = \
	src/net/netns.h \
	src/net/apply.h src/net/apply.c src/net/listen.c \
	src/net/destination.h src/net/destination.c

noinst_LIBRARIES += libnet-build.a
libnet_build_a_SOURCES = \
	src/net/build.h src/net/build-nft.c src/net/build-rtnl.c \
	src/net/nft-batch.h src/net/nft-batch.c \
	src/net/literals.h src/net/literals.c
libnet_build_a_CPPFLAGS = $(AM_CPPFLAGS) $(NL_CFLAGS) $(MNL_CFLAGS) $(NFTNL_CFLAGS)
