# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# The tarball in /copy/dist, under dkms alone; and a new kernel, if /upgrade has
# one. What it takes to boot that is left in /out.

is_installed()
{
	dkms status "steve/$VERSION" -k "$1" | grep -q installed
}

test_dkms_takes_the_tarball()
{
	list_files >/var/tmp/files
	tar -x -f "/copy/dist/steve-$VERSION.tar.gz" -C /usr/src
	quietly dkms add -m steve -v "$VERSION"
	quietly dkms build -m steve -v "$VERSION"
	quietly dkms install -m steve -v "$VERSION"
	is_installed "$(uname -r)" || fail "dkms status: $(dkms status)"
	equal 'version of the module' "$VERSION" "$(modinfo -F version steve)"
}

test_module_is_signed()
{
	[ -e /var/lib/dkms/mok.key ] || skip 'this dkms signs nothing'
	[ -n "$(modinfo -F signer steve)" ] || fail "$(modinfo steve)"
}

test_module_loads()
{
	quietly modprobe steve jobs=12
	equal 'jobs' 12 "$(cat /sys/module/steve/parameters/jobs)"
	quietly modprobe -r steve
}

test_new_kernel_gets_the_module()
{
	set -- /upgrade/linux-image-*.deb
	[ -e "$1" ] || skip 'there is no new kernel'
	INITRD=No quietly dpkg -i /upgrade/*.deb
	kernel=$(find /lib/modules -maxdepth 1 -name '*-rt-*')
	kernel=${kernel##*/}
	is_installed "$kernel" || fail "dkms status: $(dkms status)"

	cp "/boot/vmlinuz-$kernel" /out/vmlinuz
	cd /out && cp /run/vm/busybox . &&
		quietly /steve/tools/vm/lib/make-initrd "$kernel"
}
