# SPDX-License-Identifier: ISC
# Loading handlers, and the life of one request.

noinst_LIBRARIES += libhandler.a
libhandler_a_SOURCES = \
	src/handler/api.c \
	src/handler/api.h \
	src/handler/elf.c \
	src/handler/elf.h \
	src/handler/host.c \
	src/handler/host.h \
	src/handler/io_block.c \
	src/handler/module.c \
	src/handler/module.h \
	src/handler/options.c \
	src/handler/options.h \
	src/handler/options_row.c \
	src/handler/options_row.h \
	src/handler/request.c \
	src/handler/request.h

check_PROGRAMS += tests/unit/handler
TESTS += tests/unit/handler
tests_unit_handler_SOURCES = \
	tests/unit/handler_main.c tests/unit/handler_suites.h \
	tests/unit/handler_elf.c \
	tests/unit/handler_options.c \
	tests/unit/handler_request.c
tests_unit_handler_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_handler_LDADD = libhandler.a libnet.a libconf.a libbase.a \
	$(CHECK_LIBS)
