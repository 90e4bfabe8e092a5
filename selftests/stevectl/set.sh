# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2086

# setting NAME
setting()
{
	"$STEVECTL" set | sed -n "s/^$1=//p"
}

test_set_shows_what_was_set()
{
	equal 'output' '' "$("$STEVECTL" set jobs=7 policy=fair reserve_ms=250 \
		strict=1 min_jobs=2 max_per_process=3 max_load=8.5 \
		min_memory=1536M job_memory=1025 2>&1)"
	equal 'settings' 'jobs=7 policy=fair reserve_ms=250 strict=1 min_jobs=2 max_per_process=3 max_load=8.50 min_memory=1536M job_memory=1025' \
		"$("$STEVECTL" set | paste -sd ' ')"
	equal 'jobs' 7 "$(field jobs)"
	"$STEVECTL" set policy=fifo max_per_process=none max_load=none \
		min_memory=none job_memory=0
	equal 'settings' 'jobs=7 policy=fifo reserve_ms=250 strict=1 min_jobs=2 max_per_process=none max_load=none min_memory=none job_memory=0' \
		"$("$STEVECTL" set | paste -sd ' ')"
}

# What is shown can be given again.
test_set_takes_what_it_shows()
{
	"$STEVECTL" set max_load=0.07 min_memory=3k job_memory=1048577 strict=0
	shown=$("$STEVECTL" set)
	"$STEVECTL" set max_load=1 min_memory=2 job_memory=3 strict=1
	"$STEVECTL" set $shown || fail "it refuses $shown"
	equal 'settings' "$shown" "$("$STEVECTL" set)"
}

test_set_takes_the_bounds()
{
	for value in jobs=0 jobs=65535 reserve_ms=1 reserve_ms=60000 strict=0 \
		strict=1 min_jobs=0 min_jobs=65535 max_per_process=1 \
		max_per_process=65535 max_per_process=none max_load=0.01 \
		max_load=10000.00 max_load=none min_memory=1 min_memory=64T \
		min_memory=none job_memory=0 job_memory=64T; do
		"$STEVECTL" set $value || fail "$value was refused"
		equal 'the setting' "${value#*=}" "$(setting "${value%=*}")"
	done
	# Other ways to write the same.
	for value in max_load=3:3.00 max_load=3.5:3.50 max_load=0:none \
		max_per_process=0:none min_memory=0:none min_memory=2048K:2M \
		min_memory=1T:1T job_memory=70368744177664:64T job_memory=0K:0; do
		"$STEVECTL" set "${value%:*}" || fail "${value%:*} was refused"
		name=${value%%=*}
		equal "$value" "${value#*:}" "$(setting "$name")"
	done
}

# not_taken NAME 'VALUES' VALUE...: none of them may NAME be.
not_taken()
{
	name=$1 values=$2
	shift 2
	other=reserve_ms=7
	[ "$name" != reserve_ms ] || other=jobs=2
	for value; do
		complains 1 "*$name cannot be '$value'; give $values" \
			"$STEVECTL" set $other "$name=$value"
	done
}

test_set_refuses_other_values()
{
	before=$(account)
	found=$("$STEVECTL" set)
	not_taken jobs 'a number from 0 to 65535' \
		8x '' ' 8' -1 65536 4294967300 none
	not_taken reserve_ms 'a number from 1 to 60000' 0 60001 1s -1
	not_taken policy 'fifo or fair' FIFO fairer '' 0
	not_taken strict '0 or 1' 2 -1 yes ''
	not_taken min_jobs 'a number from 0 to 65535' 65536 -1 none ''
	not_taken max_per_process 'a number from 1 to 65535, or none' \
		65536 -1 '' None 1.5
	not_taken max_load 'a load from 0.01 to 10000, such as 8.5, or none' \
		0.00 0.001 10000.01 -1 '' 1,5 .5 5. 1e3 42949673 NONE \
		99999999999999999999999
	not_taken min_memory 'bytes, up to 64T, such as 512M or 2G, or none' \
		65T 70368744177665 -1 '' 2x 2GB 1.5G M ' 1' 1P \
		99999999999999999999999
	not_taken job_memory 'bytes, up to 64T, such as 512M or 2G, or 0' \
		65T 70368744177665 -1 '' 2x none
	equal 'settings' "$found" "$("$STEVECTL" set)"
	equal 'account' "$before" "$(account)"
}

test_set_refuses_what_is_no_setting()
{
	refused 2 "*'jobs' is not NAME=VALUE; see stevectl set --help" \
		"$STEVECTL" set jobs
	refused 2 "*no setting is called 'job'; see stevectl set --help" \
		"$STEVECTL" set job=1
	refused 2 "*no setting is called ''; see stevectl set --help" \
		"$STEVECTL" set =1
	refused 2 '*jobs is given twice; see stevectl set --help' \
		"$STEVECTL" set jobs=1 jobs=1
}

test_set_is_for_administrators()
{
	with_mode 666
	refused 1 '*cannot change the settings: Operation not permitted; be root (CAP_SYS_RESOURCE)' \
		$NOBODY "$STEVECTL" set policy=fair
	equal 'settings seen by others' "$("$STEVECTL" set)" \
		"$($NOBODY "$STEVECTL" set)"
}
