# SPDX-License-Identifier: ISC
#
# The client of the control socket: libctl.a and the program socketserverctl.

noinst_LIBRARIES += libctl.a
libctl_a_SOURCES = \
	src/ctl/client.c src/ctl/client.h \
	src/ctl/commands.c src/ctl/commands.h \
	src/ctl/dial.c src/ctl/dial.h \
	src/ctl/document.c src/ctl/document.h \
	src/ctl/options.c src/ctl/options.h \
	src/ctl/output.c src/ctl/output.h \
	src/ctl/rates.c src/ctl/rates.h \
	src/ctl/table.c src/ctl/table.h \
	src/ctl/talk.c src/ctl/talk.h \
	src/ctl/text.c src/ctl/text.h \
	src/ctl/top.c src/ctl/top.h \
	src/ctl/view.c src/ctl/view.h \
	src/ctl/view_plan.c \
	src/ctl/view_show.c \
	src/ctl/view_status.c
libctl_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)

ctl_libraries = libctl.a libcontrol.a libbase.a $(JANSSON_LIBS)

bin_PROGRAMS += socketserverctl
socketserverctl_SOURCES = src/ctl/main.c
socketserverctl_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
socketserverctl_LDADD = $(ctl_libraries)

check_PROGRAMS += tests/unit/ctl
TESTS += tests/unit/ctl
tests_unit_ctl_SOURCES = \
	tests/unit/ctl_main.c tests/unit/ctl_suites.h \
	tests/unit/ctl_options.c \
	tests/unit/ctl_text.c \
	tests/unit/ctl_view.c
tests_unit_ctl_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(CHECK_CFLAGS)
tests_unit_ctl_LDADD = $(ctl_libraries) $(CHECK_LIBS)
