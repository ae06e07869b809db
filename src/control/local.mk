# SPDX-License-Identifier: ISC
#
# What the daemon and socketserverctl have in common: libcontrol.a.

noinst_LIBRARIES += libcontrol.a
libcontrol_a_SOURCES = \
	src/control/command.c \
	src/control/command.h \
	src/control/wire.h
