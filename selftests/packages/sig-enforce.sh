# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# With module.sig_enforce=1, without Secure Boot: the module, as secure-boot.sh has
# left it, has no signature.

test_signatures_are_enforced()
{
	equal 'sig_enforce' Y "$(cat /sys/module/module/parameters/sig_enforce)"
	equal 'signer' '' "$(modinfo -F signer steve)"
}

test_unsigned_module_is_rejected()
{
	is_rejected modprobe steve
	dmesg | grep -q 'Loading of unsigned module is rejected' ||
		fail "$(dmesg | tail)"
}
