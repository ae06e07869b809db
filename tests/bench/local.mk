# SPDX-License-Identifier: ISC
#
# The benchmark: its programs are built by `make bench-programs` only (bench.py
# calls it). They are what a plain compiler makes: none of the flags that
# harden our own programs, so that the floor is a real floor. What needs a
# library that the daemon does not need is compiled by bench.py when it is first
# started.

bench_programs = \
	tests/bench/bare_epoll \
	tests/bench/bare_exec \
	tests/bench/bare_fork \
	tests/bench/bare_pool \
	tests/bench/bare_prefork \
	tests/bench/bare_sync \
	tests/bench/bare_thread \
	tests/bench/bare_udp
EXTRA_PROGRAMS += $(bench_programs)
CLEANFILES += $(bench_programs)
EXTRA_DIST += \
	tests/bench/COUNT \
	tests/bench/bare_fiber.c \
	tests/bench/bare_uring.c \
	tests/bench/bench.py \
	tests/bench/count.py \
	tests/bench/goals.py \
	tests/bench/many-listeners \
	tests/bench/measure.py \
	tests/bench/memory.py \
	tests/bench/neighbour.py \
	tests/bench/peer_go.go \
	tests/bench/peer_haproxy.lua \
	tests/bench/peer_libev.c \
	tests/bench/peer_libevent.c \
	tests/bench/peer_libuv.c \
	tests/bench/peers.py \
	tests/bench/plot.py \
	tests/bench/report.py \
	tests/bench/servers.py

bench_bare = tests/bench/bare.c tests/bench/bare.h
bench_cflags = -std=gnu11 -O2 -pthread $(WARN_CFLAGS)
bench_ldflags = -pthread -Wl,-z,lazy

tests_bench_bare_epoll_SOURCES = tests/bench/bare_epoll.c \
	tests/bench/bare_event.c tests/bench/bare_event.h $(bench_bare)
tests_bench_bare_epoll_CFLAGS = $(bench_cflags)
tests_bench_bare_epoll_LDFLAGS = $(bench_ldflags)
tests_bench_bare_exec_SOURCES = tests/bench/bare_exec.c $(bench_bare)
tests_bench_bare_exec_CFLAGS = $(bench_cflags)
tests_bench_bare_exec_LDFLAGS = -static
tests_bench_bare_fork_SOURCES = tests/bench/bare_fork.c $(bench_bare)
tests_bench_bare_fork_CFLAGS = $(bench_cflags)
tests_bench_bare_fork_LDFLAGS = $(bench_ldflags)
tests_bench_bare_pool_SOURCES = tests/bench/bare_pool.c $(bench_bare)
tests_bench_bare_pool_CFLAGS = $(bench_cflags)
tests_bench_bare_pool_LDFLAGS = $(bench_ldflags)
tests_bench_bare_prefork_SOURCES = tests/bench/bare_prefork.c $(bench_bare)
tests_bench_bare_prefork_CFLAGS = $(bench_cflags)
tests_bench_bare_prefork_LDFLAGS = $(bench_ldflags)
tests_bench_bare_sync_SOURCES = tests/bench/bare_sync.c $(bench_bare)
tests_bench_bare_sync_CFLAGS = $(bench_cflags)
tests_bench_bare_sync_LDFLAGS = $(bench_ldflags)
tests_bench_bare_thread_SOURCES = tests/bench/bare_thread.c $(bench_bare)
tests_bench_bare_thread_CFLAGS = $(bench_cflags)
tests_bench_bare_thread_LDFLAGS = $(bench_ldflags)
tests_bench_bare_udp_SOURCES = tests/bench/bare_udp.c $(bench_bare)
tests_bench_bare_udp_CFLAGS = $(bench_cflags)
tests_bench_bare_udp_LDFLAGS = $(bench_ldflags)

.PHONY: bench-programs
bench-programs: socketserver-bench $(bench_programs)
