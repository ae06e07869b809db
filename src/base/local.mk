# SPDX-License-Identifier: ISC
# Layer 1: what every process stands on. Knows nothing of listeners.

noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	src/base/acl.c src/base/acl.h \
	src/base/addr.c src/base/addr.h src/base/addr_text.c \
	src/base/arena.c src/base/arena.h \
	src/base/buf.c src/base/buf.h \
	src/base/channel.c src/base/channel.h \
	src/base/clock.c src/base/clock.h \
	src/base/digits.c src/base/digits.h \
	src/base/elf_note.c src/base/elf_note.h \
	src/base/err.c src/base/err.h \
	src/base/exit.c src/base/exit.h \
	src/base/fd.c src/base/fd.h \
	src/base/gather.c src/base/gather.h \
	src/base/log.c src/base/log.h \
	src/base/log_sink.c src/base/log_sink.h \
	src/base/loop.c src/base/loop.h \
	src/base/number.c src/base/number.h \
	src/base/option.c src/base/option.h src/base/option_print.c \
	src/base/record.c src/base/record.h \
	src/base/seat.c src/base/seat.h \
	src/base/sig.c src/base/sig.h \
	src/base/stats.c src/base/stats.h \
	src/base/suggest.c src/base/suggest.h \
	src/base/totals.c src/base/totals.h \
	src/base/utf8.c src/base/utf8.h

check_PROGRAMS += tests/unit/base
TESTS += tests/unit/base
tests_unit_base_SOURCES = \
	tests/unit/base_main.c tests/unit/base_suites.h \
	tests/unit/base_acl.c \
	tests/unit/base_addr.c \
	tests/unit/base_channel.c \
	tests/unit/base_fd.c \
	tests/unit/base_gather.c \
	tests/unit/base_log.c \
	tests/unit/base_loop.c \
	tests/unit/base_memory.c \
	tests/unit/base_option.c \
	tests/unit/base_record.c \
	tests/unit/base_seat.c \
	tests/unit/base_sig.c \
	tests/unit/base_stats.c \
	tests/unit/base_totals.c
tests_unit_base_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_LDADD = libbase.a $(CHECK_LIBS)
