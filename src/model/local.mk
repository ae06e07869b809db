# SPDX-License-Identifier: ISC
# Where a request runs: one object a file.

noinst_LIBRARIES += libmodel.a
libmodel_a_CFLAGS = $(AM_CFLAGS) $(LIBURING_CFLAGS)
libmodel_a_SOURCES = \
	src/model/context.h \
	src/model/context_notes.h \
	src/model/event.c \
	src/model/event.h \
	src/model/forking.c \
	src/model/io_fiber.c \
	src/model/lane.c \
	src/model/lane.h \
	src/model/model.c \
	src/model/model.h \
	src/model/overflow.c \
	src/model/pool.c \
	src/model/reactor.h \
	src/model/reactor_epoll.c \
	src/model/stack.c \
	src/model/stack.h \
	src/model/threaded.c \
	src/model/ticker.c \
	src/model/ticker.h

# How a fiber is switched to: by what configure found.
if BOOST_CONTEXT
libmodel_a_SOURCES += src/model/context_boost.c
else
libmodel_a_SOURCES += src/model/context_ucontext.c
endif
# How it waits, besides epoll.
if LIBURING
libmodel_a_SOURCES += src/model/reactor_uring.c
else
libmodel_a_SOURCES += src/model/reactor_nouring.c
endif
EXTRA_libmodel_a_SOURCES = \
	src/model/context_boost.c src/model/context_ucontext.c \
	src/model/reactor_nouring.c src/model/reactor_uring.c

check_PROGRAMS += tests/unit/model
TESTS += tests/unit/model
tests_unit_model_SOURCES = \
	tests/unit/model_main.c tests/unit/model_suites.h \
	tests/unit/model_context.c \
	tests/unit/model_stack.c
tests_unit_model_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_model_LDADD = libmodel.a libhandler.a libnet.a libconf.a libbase.a \
	$(CONTEXT_LIBS) $(LIBURING_LIBS) $(CHECK_LIBS) -ldl
