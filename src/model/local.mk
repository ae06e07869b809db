# SPDX-License-Identifier: ISC
# Where a request runs: one object a file.

noinst_LIBRARIES += libmodel.a
libmodel_a_SOURCES = \
	src/model/forking.c \
	src/model/lane.c \
	src/model/lane.h \
	src/model/model.c \
	src/model/model.h \
	src/model/pool.c \
	src/model/threaded.c \
	src/model/ticker.c \
	src/model/ticker.h
