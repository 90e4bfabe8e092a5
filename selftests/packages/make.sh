# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Building the tarball in /copy/dist in /var/tmp/steve, with what the README says
# that it takes, as somebody who is not root. What comes next installs it.

test_packages_that_it_takes()
{
	quietly install_packages build-essential pkg-config \
		linux-headers-cloud-amd64 libsmartcols-dev
}

test_make()
{
	mkdir /var/tmp/steve
	tar -x -f "/copy/dist/steve-$VERSION.tar.gz" -C /var/tmp/steve \
		--strip-components=1
	quietly useradd -m builder
	chown -R builder /var/tmp/steve
	quietly runuser -u builder -- make -C /var/tmp/steve
	equal 'stevectl --version' "stevectl $VERSION" \
		"$(/var/tmp/steve/tools/stevectl/stevectl --version)"
	# What is made has to be there when the system is up again.
	sync
}
