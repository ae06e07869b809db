# SPDX-License-Identifier: ISC
#
# Pages with directories in them are made from NAME.in; the others are as they
# stand. The middle of socketserver-handler.3 comes from the docstrings of
# src/abi/socketserver.h (man/handler3 --write), parts of the others from the
# programs' tables (make update-docs); lints see to it that they agree.

dist_man_MANS += \
	man/socketserver-handler.3 \
	man/socketserver.7
man_MANS += \
	man/socketserver-bench.1 \
	man/socketserverctl.1 \
	man/socketserverd.8 \
	man/socketserverd.conf.5
CLEANFILES += \
	man/socketserver-bench.1 \
	man/socketserverctl.1 \
	man/socketserverd.8 \
	man/socketserverd.conf.5
EXTRA_DIST += \
	man/docstrings.py \
	man/handler3 \
	man/handler-example.c \
	man/socketserver-bench.1.in \
	man/socketserverctl.1.in \
	man/socketserverd.8.in \
	man/socketserverd.conf.5.in

man/socketserver-bench.1: man/socketserver-bench.1.in Makefile
	$(do_fill_in)
man/socketserverctl.1: man/socketserverctl.1.in Makefile
	$(do_fill_in)
man/socketserverd.8: man/socketserverd.8.in Makefile
	$(do_fill_in)
man/socketserverd.conf.5: man/socketserverd.conf.5.in Makefile
	$(do_fill_in)
