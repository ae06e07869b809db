# SPDX-License-Identifier: ISC
# socketserver-service: started by socketserverd, one a listener.

noinst_LIBRARIES += libserve.a
libserve_a_SOURCES = \
	src/serve/accept.c \
	src/serve/accept.h \
	src/serve/arrive.c \
	src/serve/arrive.h \
	src/serve/backlog.c \
	src/serve/backlog.h \
	src/serve/jail.c \
	src/serve/jail.h \
	src/serve/linger.c \
	src/serve/linger.h \
	src/serve/listen.c \
	src/serve/lobby.c \
	src/serve/lobby.h \
	src/serve/place.c \
	src/serve/probe.c \
	src/serve/probe.h \
	src/serve/relay.c \
	src/serve/relay.h \
	src/serve/service.c \
	src/serve/service.h \
	src/serve/shed.c \
	src/serve/take.c

pkglibexec_PROGRAMS += socketserver-service
socketserver_service_SOURCES = src/serve/main.c
# Code and constants in one mapping: a fork copies mappings, and a child faults
# its pages in by the window.
socketserver_service_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,noseparate-code
socketserver_service_LDADD = libserve.a libmodel.a libhandler.a libnet.a \
	libconf.a libbase.a $(CONTEXT_LIBS) $(LIBURING_LIBS) -ldl

check_PROGRAMS += tests/unit/serve
TESTS += tests/unit/serve
tests_unit_serve_SOURCES = \
	tests/unit/serve_main.c tests/unit/serve_suites.h \
	tests/unit/serve_backlog.c \
	tests/unit/serve_linger.c \
	tests/unit/serve_lobby.c \
	tests/unit/serve_service.c
tests_unit_serve_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_serve_LDADD = libserve.a libmodel.a libhandler.a libnet.a \
	libconf.a libbase.a $(CONTEXT_LIBS) $(LIBURING_LIBS) $(CHECK_LIBS) -ldl
EXTRA_tests_unit_serve_DEPENDENCIES = src/handlers/echo.la
