# SPDX-License-Identifier: ISC
#
# socketserverd.conf.in is what `socketserverd --print example` says (make
# update-docs), kept in the tree so that a build need not run what it builds.

EXTRA_DIST += conf/quickstart.conf conf/socketserverd.conf.in
CLEANFILES += conf/socketserverd.conf
noinst_DATA += conf/socketserverd.conf
INSTALL_DATA_LOCAL += install-conf
UNINSTALL_LOCAL += uninstall-conf

conf/socketserverd.conf: conf/socketserverd.conf.in Makefile
	$(do_fill_in)

# The file that is in force belongs to the administrator: put there once,
# never overwritten, and removed only as it was put there. A fresh one is
# always beside the other documents.
install-conf: conf/socketserverd.conf
	$(MKDIR_P) "$(DESTDIR)$(confdir)/conf.d" "$(DESTDIR)$(docdir)"
	$(INSTALL_DATA) conf/socketserverd.conf "$(DESTDIR)$(docdir)"
	test -e "$(DESTDIR)$(confdir)/socketserverd.conf" || \
		$(INSTALL_DATA) conf/socketserverd.conf "$(DESTDIR)$(confdir)"

uninstall-conf: conf/socketserverd.conf
	rm -f "$(DESTDIR)$(docdir)/socketserverd.conf"
	if cmp -s conf/socketserverd.conf \
		"$(DESTDIR)$(confdir)/socketserverd.conf"; then \
		rm -f "$(DESTDIR)$(confdir)/socketserverd.conf"; \
	fi
