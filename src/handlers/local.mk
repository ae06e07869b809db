# SPDX-License-Identifier: ISC
# The bundled handlers, one shared object each; their tests, and those of the
# header that they are made with.

handler_LTLIBRARIES += \
	src/handlers/bot10086.la \
	src/handlers/discard.la \
	src/handlers/echo.la \
	src/handlers/reply.la \
	src/handlers/uppercase.la

HANDLER_CPPFLAGS = -I$(top_srcdir)/src/abi -D_GNU_SOURCE
# A symbol that nobody defines is a fault of the build; under a sanitizer the
# program defines some that the object does not.
# One mapping for code and constants: a forked child faults each in anew.
HANDLER_LDFLAGS = $(ldflags_handler) -Wl,-z,now -Wl,-z,noseparate-code
if !SANITIZED
HANDLER_LDFLAGS += -Wl,-z,defs
endif

src_handlers_bot10086_la_SOURCES = src/handlers/bot10086.c
src_handlers_bot10086_la_CPPFLAGS = $(HANDLER_CPPFLAGS)
src_handlers_bot10086_la_CFLAGS = $(cflags_handler)
src_handlers_bot10086_la_LDFLAGS = $(HANDLER_LDFLAGS)

src_handlers_discard_la_SOURCES = src/handlers/discard.c
src_handlers_discard_la_CPPFLAGS = $(HANDLER_CPPFLAGS)
src_handlers_discard_la_CFLAGS = $(cflags_handler)
src_handlers_discard_la_LDFLAGS = $(HANDLER_LDFLAGS)

src_handlers_echo_la_SOURCES = src/handlers/echo.c
src_handlers_echo_la_CPPFLAGS = $(HANDLER_CPPFLAGS)
src_handlers_echo_la_CFLAGS = $(cflags_handler)
src_handlers_echo_la_LDFLAGS = $(HANDLER_LDFLAGS)

src_handlers_reply_la_SOURCES = src/handlers/reply.c
src_handlers_reply_la_CPPFLAGS = $(HANDLER_CPPFLAGS)
src_handlers_reply_la_CFLAGS = $(cflags_handler)
src_handlers_reply_la_LDFLAGS = $(HANDLER_LDFLAGS)

src_handlers_uppercase_la_SOURCES = src/handlers/uppercase.c
src_handlers_uppercase_la_CPPFLAGS = $(HANDLER_CPPFLAGS)
src_handlers_uppercase_la_CFLAGS = $(cflags_handler)
src_handlers_uppercase_la_LDFLAGS = $(HANDLER_LDFLAGS)

check_PROGRAMS += tests/unit/handlers
TESTS += tests/unit/handlers
tests_unit_handlers_SOURCES = \
	tests/unit/handlers.c \
	tests/lib/fake_api.c tests/lib/fake_api.h
tests_unit_handlers_CPPFLAGS = -I$(top_srcdir)/src/abi \
	-I$(top_srcdir)/tests/lib -D_GNU_SOURCE
tests_unit_handlers_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_handlers_LDADD = $(CHECK_LIBS)

dist_check_SCRIPTS += tests/abi/sdk
TESTS += tests/abi/sdk
EXTRA_DIST += tests/abi/calls tests/abi/every_call.c tests/abi/layout.c
