# SPDX-License-Identifier: ISC
#
# Check programs come from the fragments of the layers. Here: the two suites
# that speak TAP, and what every test finds in its environment.

TEST_EXTENSIONS = .tap
TAP_LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
# a stream that ends early is seen by its plan; one with failures in it ends
# with 1, which is no failure more
AM_TAP_LOG_DRIVER_FLAGS = --ignore-exit

# Absolute, since a test may change its directory. A sanitizer makes everything
# several times slower, so deadlines stretch.
if SANITIZED
stretch = 4
else
stretch = 1
endif
AM_TESTS_ENVIRONMENT = \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	BUILDDIR='$(abs_top_builddir)'; export BUILDDIR; \
	HANDLERS='$(handler_LTLIBRARIES)'; export HANDLERS; \
	CC='$(CC)'; export CC; \
	FIXTURE_CFLAGS='$(SANITIZE_FLAGS)'; export FIXTURE_CFLAGS; \
	SCENARIO_SCALE="$${SCENARIO_SCALE-$(stretch)}"; export SCENARIO_SCALE; \
	CK_TIMEOUT_MULTIPLIER="$${CK_TIMEOUT_MULTIPLIER-$(stretch)}"; \
	export CK_TIMEOUT_MULTIPLIER; \
	DIRECTORIES='$(directories)'; export DIRECTORIES; \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE;

directories = {"handlerdir": "$(handlerdir)", "sysconfdir": "$(sysconfdir)", \
	"runstatedir": "$(runstatedir)", "sbindir": "$(sbindir)", \
	"bindir": "$(bindir)", "pkglibexecdir": "$(pkglibexecdir)", "includedir": "$(includedir)"}

# Writes the printed parts of the documents anew, into the source tree.
.PHONY: update-docs
update-docs: all
	cd $(srcdir) && top_builddir='$(abs_top_builddir)' \
		DIRECTORIES='$(directories)' tests/lint/docs --write

dist_check_SCRIPTS += tests/lint.tap tests/scenario.tap tests/systemd.tap
TESTS += tests/lint.tap tests/scenario.tap tests/systemd.tap

# Patterns and not folders: of a folder, what a build has put there would be
# taken along.
EXTRA_DIST += $(wildcard $(addprefix $(srcdir)/tests/, \
	fixtures/*.[ch] \
	fuzz/*.c fuzz/run \
	lib/*.[ch] lib/*.py \
	lint/* \
	need-check/*.h \
	regress/*.py \
	scenario/run scenario/*.py \
	systemd/run systemd/boot systemd/*.py))

# What the lints and scenarios look at must be there before they start. The
# scenarios come last and alone: some of them measure.
tests/lint.log tests/scenario.log tests/systemd.log: $(bin_PROGRAMS) \
	$(sbin_PROGRAMS) $(pkglibexec_PROGRAMS) $(handler_LTLIBRARIES) \
	$(made_for_systemd)
tests/scenario.log: $(filter-out tests/scenario.log,$(TEST_LOGS))
