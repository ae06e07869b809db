# SPDX-License-Identifier: ISC
#
# Printed from the tables of the programs (make update-docs); a lint sees to
# it that they agree. Installed where configure was told; see
# --with-bashcompletiondir, --with-zshcompletiondir.

EXTRA_DIST += \
	completion/bash/socketserver-bench \
	completion/bash/socketserverctl \
	completion/zsh/_socketserver-bench \
	completion/zsh/_socketserverctl

if INSTALL_BASHCOMPLETIONDIR
bashcompletion_DATA = completion/bash/socketserver-bench \
	completion/bash/socketserverctl
endif

if INSTALL_ZSHCOMPLETIONDIR
zshcompletion_DATA = completion/zsh/_socketserver-bench \
	completion/zsh/_socketserverctl
endif
