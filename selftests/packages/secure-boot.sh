# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Under Secure Boot, what Documentation/secure-boot.md says: dkms with its own key,
# which the firmware does not know, and with one that it does; and modules that are
# signed by hand. The key that the firmware knows is in /run/vm/trusted.key.

SECURE_BOOT=/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c

install_by_dkms()
{
	quietly dkms build -m steve -v "$VERSION" --force
	quietly dkms install -m steve -v "$VERSION" --force
	[ -n "$(modinfo -F signer steve)" ] || fail "not signed: $(modinfo steve)"
}

test_secure_boot_is_on()
{
	mountpoint -q /sys/firmware/efi/efivars ||
		quietly mount -t efivarfs efivarfs /sys/firmware/efi/efivars
	equal 'SecureBoot' 1 "$(od -An -t u1 -j 4 "$SECURE_BOOT" | tr -d ' ')"
}

test_key_of_dkms_is_rejected_before_it_is_enrolled()
{
	tar -x -f "/copy/dist/steve-$VERSION.tar.gz" -C /usr/src
	quietly dkms add -m steve -v "$VERSION"
	install_by_dkms
	is_rejected modprobe steve
}

test_key_that_the_firmware_knows()
{
	cat >>/etc/dkms/framework.conf <<-END
		mok_signing_key=/run/vm/trusted.key
		mok_certificate=/run/vm/trusted.der
	END
	install_by_dkms
	quietly modprobe steve jobs=12
	equal 'jobs' 12 "$(cat /sys/module/steve/parameters/jobs)"
	quietly modprobe -r steve
}

# Puts the module that is installed, unpacked and without its signature, where make
# would have it.
unsigned_module()
{
	file=$(modinfo -n steve)
	case $file in
	*.xz)	xz -dc "$file" ;;
	*.zst)	zstd -dc "$file" ;;
	*)	cat "$file" ;;
	esac >steve.ko
	quietly strip -g steve.ko
	equal 'signer' '' "$(modinfo -F signer ./steve.ko)"
}

# The page's own commands.
test_key_made_by_hand()
{
	cd "$WORK" || exit
	unsigned_module
	is_rejected insmod ./steve.ko
	sed -n '/^    openssl/,/mine.der$/p' \
		/steve/Documentation/secure-boot.md >make-key
	quietly sh -e make-key
	set -- /usr/lib/linux-kbuild-*/scripts/sign-file
	quietly "$1" sha256 mine.key mine.der steve.ko
	[ -n "$(modinfo -F signer ./steve.ko)" ] || fail 'it is not signed'
	is_rejected insmod ./steve.ko

	unsigned_module
	quietly "$1" sha256 /run/vm/trusted.key /run/vm/trusted.der steve.ko
	quietly insmod ./steve.ko
	quietly modprobe -r steve
}

test_changed_module_is_rejected()
{
	file=$(modinfo -n steve)
	case $file in
	*.xz)	quietly xz -d "$file"; file=${file%.xz} ;;
	*.zst)	quietly zstd -d --rm "$file"; file=${file%.zst} ;;
	esac
	quietly strip -g "$file"
	quietly depmod
	is_rejected modprobe steve
}
