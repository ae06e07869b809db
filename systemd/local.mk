# SPDX-License-Identifier: ISC
#
# Installed where configure was told; see --with-systemdsystemunitdir.

EXTRA_DIST += \
	systemd/socketserverd.service.in \
	systemd/socketserverd.sysusers.in
made_for_systemd = systemd/socketserverd.service systemd/socketserverd.sysusers
CLEANFILES += $(made_for_systemd)
noinst_DATA += $(made_for_systemd)

systemd/socketserverd.service: systemd/socketserverd.service.in Makefile
	$(do_fill_in)

systemd/socketserverd.sysusers: systemd/socketserverd.sysusers.in Makefile
	$(do_fill_in)

if INSTALL_SYSTEMDSYSTEMUNITDIR
systemdsystemunit_DATA = systemd/socketserverd.service
endif

if INSTALL_SYSUSERSDIR
INSTALL_DATA_LOCAL += install-sysusers
UNINSTALL_LOCAL += uninstall-sysusers
endif

# by hand, since the name changes
install-sysusers: systemd/socketserverd.sysusers
	$(MKDIR_P) "$(DESTDIR)$(sysusersdir)"
	$(INSTALL_DATA) systemd/socketserverd.sysusers \
		"$(DESTDIR)$(sysusersdir)/socketserverd.conf"

uninstall-sysusers:
	rm -f "$(DESTDIR)$(sysusersdir)/socketserverd.conf"
