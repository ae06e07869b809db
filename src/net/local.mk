# SPDX-License-Identifier: ISC
# How bytes arrive: the transports, and descriptors handed over by name.

noinst_LIBRARIES += libnet.a
libnet_a_SOURCES = \
	src/net/inet.c \
	src/net/inet.h \
	src/net/inherit.c \
	src/net/inherit.h \
	src/net/socket.c \
	src/net/socket.h \
	src/net/source.c \
	src/net/source.h \
	src/net/tcp.c \
	src/net/transport.c \
	src/net/transport.h \
	src/net/udp.c \
	src/net/unix.c \
	src/net/unix_path.c \
	src/net/unix_path.h

check_PROGRAMS += tests/unit/net
TESTS += tests/unit/net
tests_unit_net_SOURCES = \
	tests/unit/net_apply.c \
	tests/unit/net_help.c \
	tests/unit/net_help.h \
	tests/unit/net_inherit.c \
	tests/unit/net_main.c \
	tests/unit/net_tcp.c \
	tests/unit/net_transport.c \
	tests/unit/net_udp.c \
	tests/unit/net_unix.c
tests_unit_net_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_net_LDADD = libnet.a libbase.a $(CHECK_LIBS)
