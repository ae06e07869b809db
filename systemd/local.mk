# SPDX-License-Identifier: ISC
#
# Installed where configure was told; see --with-systemdsystemunitdir. What the
# units have in common stands in hardening.in alone.

systemd_units = \
	systemd/socketserverd.service \
	systemd/socketserverd-multiuser.service \
	systemd/socketserverd@.service \
	systemd/socketserverd.socket \
	systemd/socketserverd@.socket
made_for_systemd = $(systemd_units) \
	systemd/socketserverd.sysusers \
	systemd/socketserverd.tmpfiles
EXTRA_DIST += systemd/hardening.in $(made_for_systemd:=.in)
CLEANFILES += $(made_for_systemd)
noinst_DATA += $(made_for_systemd)

$(made_for_systemd): %: %.in systemd/hardening.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	$(SED) -e '/^@''hardening@$$/{' -e 'r $(srcdir)/systemd/hardening.in' \
		-e 'd' -e '}' $(srcdir)/$@.in | $(fill_in) >$@.tmp && \
	mv $@.tmp $@

if INSTALL_SYSTEMDSYSTEMUNITDIR
systemdsystemunit_DATA = $(systemd_units)
endif

# by hand, since the name changes
install_as_conf = $(MKDIR_P) "$(DESTDIR)$(1)" && \
	$(INSTALL_DATA) $(2) "$(DESTDIR)$(1)/socketserverd.conf"

if INSTALL_SYSUSERSDIR
INSTALL_DATA_LOCAL += install-sysusers
UNINSTALL_LOCAL += uninstall-sysusers
endif

install-sysusers: systemd/socketserverd.sysusers
	$(call install_as_conf,$(sysusersdir),$<)

uninstall-sysusers:
	rm -f "$(DESTDIR)$(sysusersdir)/socketserverd.conf"

if INSTALL_TMPFILESDIR
INSTALL_DATA_LOCAL += install-tmpfiles
UNINSTALL_LOCAL += uninstall-tmpfiles
endif

install-tmpfiles: systemd/socketserverd.tmpfiles
	$(call install_as_conf,$(tmpfilesdir),$<)

uninstall-tmpfiles:
	rm -f "$(DESTDIR)$(tmpfilesdir)/socketserverd.conf"
