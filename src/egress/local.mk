# egress: the dialer (in bawn), bawn-relay (static), bawn-resolve (c-ares)
noinst_LIBRARIES += libegress.a librelay.a
libegress_a_SOURCES = \
	src/egress/dialer.h src/egress/dialer-int.h src/egress/proto.h src/egress/resolve-proto.h \
	src/egress/dialer.c src/egress/dialer-dial.c src/egress/dialer-deny.c src/egress/dialer-unreached.c \
	src/egress/dialer-proxy.c src/egress/dialer-resolve.c src/egress/dialer-ask.c \
	src/egress/dialer-live.c src/egress/dialer-tell.c src/egress/dialer-why.c \
	src/egress/lease.h src/egress/dialer-lease.c \
	src/net/routed-here.h src/net/routed-here.c

# the pure parsers of hostile bytes, and the jail; apart so that tests and fuzzers link them
librelay_a_SOURCES = \
	src/egress/dns-wire.h src/egress/dns-wire.c \
	src/egress/http-head.h src/egress/http-head.c \
	src/egress/jail.h src/egress/jail.c src/egress/jail-filter.h src/egress/jail-filter.c \
	src/egress/names.h src/egress/names.c \
	src/egress/nflog.h src/egress/nflog.c \
	src/egress/tls-hello.h src/egress/tls-hello.c

pkglibexec_PROGRAMS += bawn-relay bawn-resolve bawn-why
bawn_relay_SOURCES = \
	src/egress/relay.h src/egress/relay-main.c src/egress/relay-flow.c \
	src/egress/relay-pump.c src/egress/relay-upload.c src/egress/relay-tell.c src/egress/relay-dns.c src/egress/relay-live.c \
	src/egress/lease.h src/egress/relay-lease.c \
	src/net/destination.h src/net/destination.c \
	$(librelay_a_SOURCES) $(libpolicy_a_SOURCES) $(libbase_a_SOURCES)
bawn_relay_CPPFLAGS = $(AM_CPPFLAGS) $(LIGHT_CPPFLAGS)
bawn_relay_LDFLAGS = $(AM_LDFLAGS) $(LIGHT_LDFLAGS)
bawn_relay_LDADD = $(LIGHT_LIBS)

bawn_resolve_SOURCES = src/egress/resolve-main.c
bawn_resolve_CPPFLAGS = $(AM_CPPFLAGS) $(CARES_CFLAGS)
bawn_resolve_LDADD = librelay.a libbase.a $(CARES_LIBS)
bawn_resolve_LDFLAGS = $(AM_LDFLAGS) -pie

# runs inside the sandbox, as whatever the agent starts
bawn_why_SOURCES = \
	src/egress/why-main.c \
	src/policy/why-name.h src/policy/why-name.c src/policy/host-name.c \
	src/policy/target.h src/policy/target.c \
	$(libbase_a_SOURCES)
bawn_why_CPPFLAGS = $(AM_CPPFLAGS) $(LIGHT_CPPFLAGS)
bawn_why_LDFLAGS = $(AM_LDFLAGS) $(LIGHT_LDFLAGS)
bawn_why_LDADD = $(LIGHT_LIBS)
