#!/bin/sh
# The examples that start commands, systemd's units and the crontab: systemd
# takes them, the package holds them, and each command has the options that it
# is given there.
. "$(dirname "$0")/../lib/pitrkit.sh"
. "$TOP/tests/lint/lint.sh"

command -v systemd-analyze >/dev/null ||
	cannot_run "no systemd-analyze (make deps-test)"

mkdir "$T/units"
for unit in examples/systemd/*; do
	# Not installed here.
	sed "s|/usr/bin/|$BUILD/|" "$unit" >"$T/units/${unit##*/}"
done
chmod 644 "$T/units"/*
for unit in examples/systemd/*; do
	ok "$unit is one for systemd" systemd-analyze verify --man=no \
		"$T/units/${unit##*/}"
	is "... which has nothing to say about it" "$(cat "$T/err")" ""
	ok "... and is in the package" grep -qx \
		"$unit usr/lib/systemd/system" packaging/debian/pitrkit.install
	other=${unit%.*}
	case $unit in
	*.service) other=$other.timer ;;
	*) other=$other.service ;;
	esac
	ok "... and has its $other" test -e "$other"
done
ok "no other unit is in the package" sh -c \
	'grep -o "^examples/systemd/[^ ]*" packaging/debian/pitrkit.install |
		xargs ls'

# Commands with their options, one a line.
{
	sed -n 's|^ExecStart=/usr/bin/||p' examples/systemd/*.service
	sed -n 's/^#\{0,1\}[*0-9/ -]* postgres \([a-z].*\)/\1/p' examples/cron
} >"$T/commands"
atleast "there are commands" "$(wc -l <"$T/commands")" 9
while read -r command options; do
	ok "$command is one of ours" test -x "$BUILD/$command"
	"$command" --help >"$T/help"
	for o in $options; do
		case $o in
		--*) like "... and knows $o" "$(cat "$T/help")" \
			"(^| )$o( |=|\$)" ;;
		esac
	done
done <"$T/commands"

done_testing
