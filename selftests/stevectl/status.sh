# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh

# The fields of struct steve_status, but for its flags.
status_fields()
{
	awk '/^struct steve_status/ { inside = 1; next }
		/^}/ { inside = 0 }
		inside && !/flags/ { sub(/;/, ""); print $2 }' \
		../../uapi/linux/steve.h | paste -sd ' '
}

test_status_shows_every_field()
{
	names=$(status_fields)
	[ "$(echo "$names" | wc -w)" -ge 23 ] || fail "only these fields: $names"
	# Two of the settings, too.
	equal 'names' "$names min_jobs max_per_process" \
		"$("$STEVECTL" status | sed -n 's/^\([a-z_]*\): .*/\1/p' | paste -sd ' ')"
	[ "$(account | awk '{ print match($0, / [^ ]/) }' | uniq | wc -l)" -eq 1 ] ||
		fail 'not aligned'
}

test_status_json_has_the_same_numbers()
{
	start_holder
	"$STEVECTL" status --json >"$WORK/json"
	equal 'numbers' "$("$STEVECTL" status | steady | sed 's/: */ /')" \
		"$(python3 -c '
import json, sys
for name, value in json.load(sys.stdin).items():
    if name not in ("load", "memory", "charged", "clients"):
        print(name, "none" if value is None or value == [] else value)' \
		<"$WORK/json")"
}

test_status_json_types()
{
	"$STEVECTL" set min_memory=3M max_load=1234.5 max_per_process=3
	"$STEVECTL" status --json >"$WORK/json"
	has_json "d['min_memory'] == 3 << 20 and d['max_load'] == 1234.5 and
		d['max_per_process'] == 3 and type(d['load']) is float and
		type(d['memory']) is int and type(d['charged']) is int" \
		<"$WORK/json" || fail "$(cat "$WORK/json")"
	"$STEVECTL" set min_memory=none max_load=none max_per_process=none jobs=0
	"$STEVECTL" status --json >"$WORK/json"
	has_json "d['min_memory'] is None and d['max_load'] is None and
		d['max_per_process'] is None and d['limits'] == ['jobs']" \
		<"$WORK/json" || fail "$(cat "$WORK/json")"
}

# limits_are NAMES SENTENCE
limits_are()
{
	equal 'limits' "$1" "$("$STEVECTL" status | sed -n 's/^limits: *//p')"
	# shellcheck disable=SC2254
	case $("$STEVECTL" status | tail -n 1) in
	$2) ;;
	*) fail "it says '$("$STEVECTL" status | tail -n 1)', not '$2'" ;;
	esac
}

test_status_tells_what_holds_tokens_back()
{
	limits_are none 'Nothing holds tokens back.'
	"$STEVECTL" set min_jobs=0 min_memory=64T
	limits_are memory \
		'Tokens are held back: memory is short: *G available, min_memory is 64T.'
	"$STEVECTL" set min_memory=none max_load=0.01
	wait_until field_is_not load 0.00 || fail 'this machine has no load'
	wait_until field_is_not load 0.01 || fail 'this machine has no load'
	limits_are load \
		'Tokens are held back: the load is *.*, max_load is 0.01.'
	"$STEVECTL" set max_load=none jobs=0
	limits_are jobs 'The pool is paused: jobs is 0.'
	"$STEVECTL" set jobs=1
	start_holder
	limits_are jobs 'No token is free: all are in use.'
	"$STEVECTL" set jobs=2
	"$STEVECTL" cap 1 "$STEVECTL" status >"$WORK/status"
	equal 'limits under a cap' 'cap' \
		"$(sed -n 's/^limits: *//p' "$WORK/status")"
	equal 'the sentence' 'No token is free: a cap leaves 1 of 2.' \
		"$(tail -n 1 "$WORK/status")"
	equal 'the sentence' 'The pool is paused: a cap is 0.' \
		"$("$STEVECTL" cap 0 "$STEVECTL" status | tail -n 1)"
}

test_status_counts()
{
	equal 'available' 4 "$(field available)"
	granted=$(field granted) reclaimed=$(field reclaimed)
	start_holder
	equal 'held' 1 "$(field held)"
	equal 'available' 3 "$(field available)"
	equal 'granted' $((granted + 1)) "$(field granted)"
	end $!
	equal 'reclaimed' $((reclaimed + 1)) "$(field reclaimed)"
	equal 'held afterwards' 0 "$(field held)"
}

test_status_shows_a_negative_number()
{
	start_holder
	"$STEVECTL" set-jobs 0
	equal 'available' -1 "$(field available)"
	"$STEVECTL" status --json | has_json 'd["available"] == -1' ||
		fail 'not so in JSON'
}

test_status_by_the_fifo()
{
	equal 'account' "$(account)" "$("$STEVECTL" status --device "$FIFO" | steady)"
	equal 'account' "$(account)" "$("$STEVECTL" --device "$FIFO" status | steady)"
}

test_status_refuses_arguments()
{
	refused 2 "*'x' is one argument too many; see stevectl status --help" \
		"$STEVECTL" status x
	refused 2 "*'--json=1': this option takes no argument*" \
		"$STEVECTL" status --json=1
}
