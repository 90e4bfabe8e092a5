# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The virtual machine: how it is started, and how it is watched.

# The guest has to bear with a busy host: it may neither take its timer for
# broken (it panics) nor its processors for stuck (the run fails). Without a PIT
# it measures its clock against the HPET, which is right however busy the host.
kernel_options=(console=ttyS0 loglevel=7 printk.time=1 panic=-1 oops=panic
		no_timer_check rcupdate.rcu_cpu_stall_timeout=60
		sysctl.kernel.watchdog_thresh=30 sysctl.kernel.hung_task_panic=1)

# KVM where the processor says that it can; elsewhere /dev/kvm may exist and
# guests hang on it. Instructions are counted where they are emulated in turn.
accelerator() {
	if [ -n "$icount" ]; then
		echo tcg,thread=single
	elif grep -Eqw 'vmx|svm' /proc/cpuinfo && [ -w /dev/kvm ]; then
		echo kvm
	else
		echo tcg,thread=multi
	fi
}

# An emulator takes "rep stosb" byte by byte, by which kernels clear a page where
# that is said to be fast.
processor() {
	case $(accelerator) in
	kvm)	echo max ;;
	*)	echo max,-erms ;;
	esac
}

# Sets the array of arguments that give the guest a disk.
#   disk NAME OPTIONS
disk() {
	qemu+=(-drive "if=none,id=$1,format=raw,$2"
	       -device "virtio-blk-pci,drive=$1,serial=$1")
}

# What the guest writes to a port goes to a file of that name.
port() {
	: >"$work/$1"
	qemu+=(-chardev "file,id=$1,path=$work/$1"
	       -device "virtserialport,chardev=$1,name=$1")
}

# Debian's firmware for machines comes in a form that trusts a key which comes with
# it; so both the kernel and what a guest loads can be signed.
readonly firmware=/usr/share/OVMF trusted=/usr/share/ovmf/PkKek-1-snakeoil

# Puts the key into files of a name, for the guest, and signs the kernel.
#   sign KERNEL NAME SIGNED-KERNEL
sign() {
	openssl rsa -in "$trusted.key" -passin pass:snakeoil -out "$2.key" 2>/dev/null
	openssl x509 -in "$trusted.pem" -outform DER -out "$2.der"
	sbsign --key "$2.key" --cert "$trusted.pem" --output "$3" "$1" 2>/dev/null
}

# Has the machine boot by that firmware, and so only what is signed.
boot_securely() {
	cp "$firmware/OVMF_VARS_4M.snakeoil.fd" "$work/variables"
	qemu+=(-drive "if=pflash,unit=0,format=raw,readonly=on,file=$firmware/OVMF_CODE_4M.fd"
	       -drive "if=pflash,unit=1,format=raw,file=$work/variables")
}

# Sets the array "qemu" to the command that runs the machine. What it changes on
# the image is kept where $keep is "yes".
#   machine KERNEL INITRD IMAGE
machine() {
	qemu=(qemu-system-x86_64 -nodefaults -no-user-config -no-reboot
	      -display none -machine q35,pit=off -accel "$(accelerator)" -cpu "$(processor)"
	      -smp "$smp" -m "$mem"
	      -kernel "$1" -initrd "$2"
	      -append "${kernel_options[*]} $append"
	      -chardev "file,id=log,path=$work/log" -serial chardev:log
	      -device virtio-serial-pci)
	[ -z "$icount" ] || qemu+=(-icount shift=0,sleep=off)
	if [ "${keep:-no}" = yes ]; then
		disk root "file=$3,cache=unsafe"
	else
		disk root "file=$3,snapshot=on,cache=unsafe"
	fi
	[ -z "${secure_boot:-}" ] || boot_securely
	disk job "file=$work/job.tar,read-only=on"
	if [ -n "$out" ]; then
		truncate -s 8G "$work/out.tar"
		disk out "file=$work/out.tar,cache=unsafe"
	fi
	port status
	port out
	port err
}

# Passes a file on as it grows, until the machine is gone.
follow() {
	start tail -s 0.1 -f -c +1 --pid="$machine" "$work/$1"
	followers+=("$!")
}

# Starts the machine and waits until it is gone. Sets "ended" to what ended it:
# itself, the time, or that nobody reads what it says.
run_machine() {
	local machine timer followers=() first

	start setpriv --pdeathsig KILL "${qemu[@]}" >"$work/qemu" 2>&1 </dev/null
	machine=$!
	start sleep "$timeout" </dev/null
	timer=$!
	follow out
	follow err >&2
	wait -n -p first "$machine" "$timer" "${followers[@]}" || true
	case $first in
	"$machine")	ended=itself ;;
	"$timer")	ended=time ;;
	*)		ended=reader ;;
	esac
	kill "$machine" "$timer" 2>/dev/null || true
	wait "$machine" "${followers[@]}" || true
	end_started
}
