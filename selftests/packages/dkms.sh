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
	# Without openssl it signs nothing.
	quietly install_packages dkms linux-headers-cloud-amd64 openssl
	list_files_of_nobody >/var/tmp/files
	tar -x -f "/copy/dist/steve-$VERSION.tar.gz" -C /usr/src
	quietly dkms add -m steve -v "$VERSION"
	quietly dkms build -m steve -v "$VERSION"
	quietly dkms install -m steve -v "$VERSION"
	is_installed "$(uname -r)" || fail "dkms status: $(dkms status)"
	equal 'version of the module' "$VERSION" "$(modinfo -F version steve)"
}

test_module_is_signed()
{
	[ -n "$(modinfo -F signer steve)" ] || fail "$(modinfo steve)"
}

test_module_loads()
{
	quietly modprobe steve jobs=12
	equal 'jobs' 12 "$(cat /sys/module/steve/parameters/jobs)"
	quietly modprobe -r steve
}

# It is older than what the driver takes.
test_old_kernel_is_left_alone()
{
	kernel=5.10.0-fake
	mkdir -p "/lib/modules/$kernel/build/include"
	echo 'modules clean:' >"/lib/modules/$kernel/build/Makefile"
	! dkms build -m steve -v "$VERSION" -k "$kernel" >"$WORK/log" 2>&1 ||
		fail 'dkms has built the module'
	grep -q 'should not be built' "$WORK/log" || fail "$(cat "$WORK/log")"
	# What is asked whenever a kernel is installed.
	quietly dkms autoinstall -k "$kernel"
	! is_installed "$kernel" || fail "dkms status: $(dkms status)"
	equal 'files' '' "$(find "/lib/modules/$kernel" -name '*steve*')"
	rm -r "/lib/modules/$kernel"
}

test_new_kernel_gets_the_module()
{
	set -- /upgrade/linux-image-[0-9]*.deb
	[ -e "$1" ] || skip 'there is no newer kernel'
	INITRD=No quietly install_packages /upgrade/*.deb
	kernel=$(dpkg-deb -f "$1" Package)
	kernel=${kernel#linux-image-}
	is_installed "$kernel" || fail "dkms status: $(dkms status)"
	echo "$kernel" >/var/tmp/new-kernel

	cp "/boot/vmlinuz-$kernel" /out/vmlinuz
	cd /out && cp /run/vm/busybox . &&
		quietly /steve/tools/vm/lib/make-initrd "$kernel"
}
