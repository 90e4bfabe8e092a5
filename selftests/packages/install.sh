# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# The packages in /copy/deb, installed and configured. What they need comes from
# Debian, because they depend on it; but for the headers of the kernel.

test_packages_install()
{
	list_files >/var/tmp/files
	list_packages >/var/tmp/packages
	quietly install_packages /copy/deb/*.deb linux-headers-cloud-amd64
	# What the state is worth is seen when the system is up again.
	sync
}

test_module_is_built()
{
	dkms status steve >"$WORK/status"
	for kernel in /lib/modules/*; do
		[ -e "$kernel/build" ] || continue
		grep -q "^steve/$VERSION, ${kernel##*/}, .*: installed" "$WORK/status" ||
			fail "dkms status: $(cat "$WORK/status")"
		equal 'version of the module' "$VERSION" \
			"$(modinfo -k "${kernel##*/}" -F version steve)"
	done
}

test_group_is_there()
{
	getent group jobserver >/dev/null || fail 'there is no group jobserver'
}

# Every parameter is in the file that is there to set it, and no line of it counts
# until somebody wants it.
test_options_of_the_module()
{
	quietly test -e /etc/modprobe.d/steve.conf
	equal 'options set' '' "$(grep '^options' /etc/modprobe.d/steve.conf)"
	equal 'options' "$(modinfo -F parm steve | sed 's/:.*//' | sort)" \
		"$(sed -n 's/^#options steve //p' /etc/modprobe.d/steve.conf |
			tr ' ' '\n' | sed 's/=.*//' | sort)"
}

test_configure()
{
	sed -i 's/^#options steve jobs=.*/options steve jobs=12/' \
		/etc/modprobe.d/steve.conf
	quietly useradd -m -G jobserver member
	quietly useradd -m stranger
}
