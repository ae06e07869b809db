# SPDX-License-Identifier: ISC
#
# The load generator: libbench.a and the program socketserver-bench. It knows
# servers by their addresses only, ours like any other.

noinst_LIBRARIES += libbench.a
libbench_a_SOURCES = \
	src/bench/conn.c \
	src/bench/dial.c src/bench/dial.h \
	src/bench/document.c src/bench/document.h \
	src/bench/gram.c \
	src/bench/hist.c src/bench/hist.h \
	src/bench/live.c src/bench/live.h \
	src/bench/load.c src/bench/load.h \
	src/bench/options.c src/bench/options.h \
	src/bench/probe.c src/bench/probe.h \
	src/bench/report.c src/bench/report.h \
	src/bench/report_json.c src/bench/report_json.h \
	src/bench/run.c src/bench/run.h \
	src/bench/stream.c \
	src/bench/talk.c src/bench/talk.h \
	src/bench/tally.c src/bench/tally.h \
	src/bench/usage.c src/bench/usage.h \
	src/bench/workload.c src/bench/workload.h
libbench_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)

bench_libraries = libbench.a libbase.a $(JANSSON_LIBS) -lm

bin_PROGRAMS += socketserver-bench
socketserver_bench_SOURCES = src/bench/main.c
socketserver_bench_CFLAGS = $(AM_CFLAGS)
socketserver_bench_LDADD = $(bench_libraries)

check_PROGRAMS += tests/unit/bench
TESTS += tests/unit/bench
tests_unit_bench_SOURCES = \
	tests/unit/bench_main.c tests/unit/bench_suites.h \
	tests/unit/bench_figures.c \
	tests/unit/bench_hist.c \
	tests/unit/bench_options.c \
	tests/unit/bench_talk.c
tests_unit_bench_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_bench_LDADD = $(bench_libraries) $(CHECK_LIBS)
