# SPDX-License-Identifier: GPL-2.0
#
# What kbuild builds is in Kbuild; this file is for people.

KDIR ?= /lib/modules/$(shell uname -r)/build
PREFIX ?= /usr/local

# Not with $(MAKE) in it: make passes its jobserver on where a recipe itself names it.
kbuild = -C $(KDIR) M=$(CURDIR)

# Others go by it in directories of theirs.
ifneq ($(DESTDIR),)
ifneq ($(word 2,$(DESTDIR)),)
$(error DESTDIR has a space in it: name another directory)
endif
override DESTDIR := $(abspath $(DESTDIR))
endif

all: modules tools

modules: kernel-headers
	$(MAKE) $(kbuild) modules

tools:
	$(MAKE) -C tools/stevectl

selftests:
	$(MAKE) -C selftests

# depmod is for the machine that runs the module, so not under DESTDIR. Kbuild
# leaves it out without a System.map, which Debian's headers do not have.
install: all
	$(MAKE) $(kbuild) INSTALL_MOD_PATH=$(DESTDIR) DEPMOD=true modules_install
	$(if $(DESTDIR),,PATH=$$PATH:/usr/sbin:/sbin depmod \
		$$($(MAKE) -s --no-print-directory -C $(KDIR) kernelrelease))
	$(MAKE) -C tools/stevectl install PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)
	install -D -m 644 uapi/linux/steve.h \
		$(DESTDIR)$(PREFIX)/include/linux/steve.h
	$(MAKE) -C packaging install PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)
	$(if $(DESTDIR),,$(MAKE) -C packaging activate PREFIX=$(PREFIX))

# Of every kernel that it was installed for; old ones, as 6.1, have modules in extra/.
uninstall:
	for dir in $(DESTDIR)/lib/modules/*/updates $(DESTDIR)/lib/modules/*/extra; do \
		set -- "$$dir"/steve.ko*; \
		test -e "$$1" || continue; \
		$(RM) "$$@"; \
		rmdir --ignore-fail-on-non-empty "$$dir"; \
		$(if $(DESTDIR),,PATH=$$PATH:/usr/sbin:/sbin \
			depmod "$$(basename "$${dir%/*}")";) \
	done
	$(MAKE) -C tools/stevectl uninstall PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)
	$(RM) $(DESTDIR)$(PREFIX)/include/linux/steve.h
	$(if $(DESTDIR),,$(MAKE) -C packaging deactivate PREFIX=$(PREFIX))
	$(MAKE) -C packaging uninstall PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)
	$(if $(DESTDIR),,$(MAKE) -C packaging reload)

demo:
	@tools/demo/demo

check:
	@tools/check

lint:
	@tools/check lint

check-matrix:
	@tools/check 6.1 6.12 6.12-rt 7.2

check-debug:
	@tools/check -l debug kcsan detectors detectors-kcsan sanitized

bench:
	@tools/bench/bench speed

soak:
	@tools/soak

bench-fairness:
	@tools/bench/bench fairness

bench-reserve:
	@tools/bench/bench reserve

bench-govern:
	@tools/bench/bench govern

check-packages:
	@tools/check-packages

check-in-tree:
	@tools/check-in-tree

dist:
	@tools/release/dist

deb:
	@tools/release/deb $(DEBDIR)

in-tree:
	@tools/release/in-tree $(KSRC)

clean:
	$(if $(wildcard $(KDIR)/Makefile),$(MAKE) $(kbuild) clean)
	$(MAKE) -C tools/stevectl clean
	$(MAKE) -C selftests clean

help:
	@echo 'make                build the module for the running kernel, and stevectl'
	@echo 'make install        install both, and what has them at hand after a boot (as root);'
	@echo '                    DESTDIR, PREFIX and INIT=systemd, openrc or none are honoured'
	@echo 'make uninstall      remove what make install has installed; what was changed stays'
	@echo 'make demo           watch two builds share a pool, in a virtual machine'
	@echo 'make check          run what a change should pass, in virtual machines'
	@echo 'make lint           look at the sources by compilers and checkers'
	@echo 'make check-matrix   run those that need a kernel on 6.1, 6.12, 6.12-rt and 7.2'
	@echo 'make check-debug    run all on the kernels full of checks, and show that these work'
	@echo 'make bench          measure how fast it is, beside a FIFO and CUSE'
	@echo 'make soak           run the long tests at their full lengths, on 7.2 and the debug kernel'
	@echo 'make bench-fairness measure the share that ninja gets beside make'
	@echo 'make bench-reserve  measure how soon pollers read what was reserved for them'
	@echo 'make bench-govern   show how stevectl govern keeps a machine from thrashing'
	@echo 'make check-packages install, upgrade and remove in Debian systems, with systemd and OpenRC'
	@echo 'make check-in-tree  lay it out in a kernel source tree, and build and test it there'
	@echo 'make deb            make Debian packages in deb/, or in DEBDIR'
	@echo 'make in-tree        lay it out in the kernel source tree KSRC'
	@echo 'make dist           make the tarball of a release, from what is committed'
	@echo 'make clean          remove what was built'
	@echo 'Variables: KDIR (build directory of the kernel to build for), V=1, CC'

kernel-headers:
	@test -e $(KDIR)/Makefile || { \
		echo 'steve: no kernel headers at $(KDIR).' >&2; \
		if test -d /lib/modules/$(shell uname -r); then \
			echo 'Install them (Debian: linux-headers-$(shell uname -r)), name others by KDIR=,' >&2; \
		else \
			echo 'The running kernel has no modules; name headers of another by KDIR=,' >&2; \
		fi; \
		echo 'or see steve at work in a virtual machine: make demo' >&2; \
		exit 1; }

.PHONY: all modules tools selftests install uninstall demo check lint check-matrix check-debug \
	soak bench bench-fairness bench-reserve bench-govern clean help kernel-headers dist \
	check-packages check-in-tree deb in-tree
