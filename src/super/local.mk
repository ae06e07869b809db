# SPDX-License-Identifier: ISC
#
# The supervisor: libsuper.a and the program socketserverd. Neither a handler
# nor a model is linked, and nobody else links libsystemd.

noinst_LIBRARIES += libsuper.a
libsuper_a_SOURCES = \
	src/super/address_file.c \
	src/super/address_file.h \
	src/super/answer.c \
	src/super/answer.h \
	src/super/backoff.c \
	src/super/backoff.h \
	src/super/bound.c \
	src/super/bound.h \
	src/super/carry.c \
	src/super/carry.h \
	src/super/change.c \
	src/super/change.h \
	src/super/command.c \
	src/super/command.h \
	src/super/control.c \
	src/super/control.h \
	src/super/drops.c \
	src/super/drops.h \
	src/super/crash.c \
	src/super/crash.h \
	src/super/daemonize.c \
	src/super/daemonize.h \
	src/super/generation.c \
	src/super/generation.h \
	src/super/handlers.c \
	src/super/handlers.h \
	src/super/heartbeat.c \
	src/super/heartbeat.h \
	src/super/held.c \
	src/super/held.h \
	src/super/listener.c \
	src/super/listener.h \
	src/super/load.c \
	src/super/load.h \
	src/super/loader.c \
	src/super/loader.h \
	src/super/logging.c \
	src/super/logging.h \
	src/super/notify.c \
	src/super/notify.h \
	src/super/options.c \
	src/super/options.h \
	src/super/pidfile.c \
	src/super/pidfile.h \
	src/super/plan.c \
	src/super/plan.h \
	src/super/probe.c \
	src/super/probe.h \
	src/super/program.c \
	src/super/reap.c \
	src/super/reap.h \
	src/super/reload.c \
	src/super/reload.h \
	src/super/reload_item.c \
	src/super/reload_item.h \
	src/super/requests.c \
	src/super/requests.h \
	src/super/scaling.c \
	src/super/scaling.h \
	src/super/shed.c \
	src/super/shed.h \
	src/super/signals.c \
	src/super/signals.h \
	src/super/spawn.c \
	src/super/spawn.h \
	src/super/start.c \
	src/super/start.h \
	src/super/state.c \
	src/super/state.h \
	src/super/status.c \
	src/super/status.h \
	src/super/stop.c \
	src/super/store.c \
	src/super/store.h \
	src/super/super.c \
	src/super/super.h \
	src/super/tell.c \
	src/super/tell.h \
	src/super/upgrade.c \
	src/super/upgrade.h \
	src/super/upgrade_trial.c \
	src/super/upgrade_trial.h \
	src/super/words.c \
	src/super/words.h \
	src/super/wait.c \
	src/super/wait.h \
	src/super/worker.c \
	src/super/worker.h \
	src/super/worker_end.c \
	src/super/worker_end.h
libsuper_a_CFLAGS = $(AM_CFLAGS) $(LIBSYSTEMD_CFLAGS) $(JANSSON_CFLAGS)

super_libraries = libsuper.a libcontrol.a libnet.a libconf.a libbase.a \
	$(LIBCONFIG_LIBS) $(LIBSYSTEMD_LIBS) $(JANSSON_LIBS)

sbin_PROGRAMS += socketserverd
socketserverd_SOURCES = src/super/main.c
socketserverd_LDADD = $(super_libraries)

# One program; a file for each subject. They start a small service program of
# their own that speaks the channel.
check_PROGRAMS += tests/unit/super tests/fixtures/fake_service
TESTS += tests/unit/super
tests_unit_super_SOURCES = \
	tests/unit/super_backoff.c \
	tests/unit/super_bound.c \
	tests/unit/super_drops.c \
	tests/unit/super_control.c \
	tests/unit/super_crash.c \
	tests/unit/super_files.c \
	tests/unit/super_generation.c \
	tests/unit/super_loader.c \
	tests/unit/super_main.c \
	tests/unit/super_options.c \
	tests/unit/super_suites.h \
	tests/unit/super_spawn.c \
	tests/unit/super_state.c \
	tests/unit/super_store.c
tests_unit_super_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_super_LDADD = $(super_libraries) $(CHECK_LIBS)
tests_fixtures_fake_service_SOURCES = tests/fixtures/fake_service.c
tests_fixtures_fake_service_LDADD = libnet.a libconf.a libbase.a
EXTRA_tests_unit_super_DEPENDENCIES = tests/fixtures/fake_service
