# SPDX-License-Identifier: ISC
# Layer 2: from files to a struct config. What links with parse.c needs
# LIBCONFIG_LIBS; only the supervisor's program and the tests do (load.c).

noinst_LIBRARIES += libconf.a
libconf_a_SOURCES = \
	src/conf/assign.c src/conf/row.c src/conf/row.h src/conf/schema.c \
	src/conf/check.c src/conf/check_handler.c \
	src/conf/check_listen.c src/conf/check_user.c \
	src/conf/child.c src/conf/child.h \
	src/conf/config.c src/conf/config.h \
	src/conf/diff.c src/conf/diff.h \
	src/conf/digest.c src/conf/digest.h \
	src/conf/doc.c src/conf/doc.h src/conf/dump.c \
	src/conf/draft.c src/conf/draft.h \
	src/conf/fault.c src/conf/fault.h \
	src/conf/file.c src/conf/file.h \
	src/conf/flat.c src/conf/flat.h \
	src/conf/lex.c src/conf/lex.h \
	src/conf/literal.c src/conf/literal.h \
	src/conf/load.c src/conf/read.c src/conf/read.h \
	src/conf/parse.c src/conf/parse.h \
	src/conf/value.c src/conf/value.h
libconf_a_CFLAGS = $(AM_CFLAGS) $(LIBCONFIG_CFLAGS)

check_PROGRAMS += tests/unit/conf
TESTS += tests/unit/conf
tests_unit_conf_SOURCES = \
	tests/unit/conf_main.c tests/unit/conf_suites.h \
	tests/unit/conf_tools.c tests/unit/conf_tools.h \
	tests/unit/conf_bad.c \
	tests/unit/conf_child.c \
	tests/unit/conf_diff.c \
	tests/unit/conf_digest.c \
	tests/unit/conf_doc.c \
	tests/unit/conf_flat.c \
	tests/unit/conf_lex.c \
	tests/unit/conf_load.c \
	tests/unit/conf_number.c \
	tests/unit/conf_rows.c
tests_unit_conf_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_conf_LDADD = libconf.a libbase.a $(LIBCONFIG_LIBS) $(CHECK_LIBS)
