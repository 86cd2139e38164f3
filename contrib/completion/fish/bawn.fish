# fish completion for bawn(1)

function __bawn_profiles
	bawn profile ls 2>/dev/null | awk '{ print $1 }'
end

function __bawn_needs_command
	test (count (commandline -opc)) -eq 1
end

function __bawn_in
	set -l words (commandline -opc)
	test (count $words) -ge 2; and test $words[2] = $argv[1]
end

complete -c bawn -f
complete -c bawn -n __bawn_needs_command -a run -d 'run an agent in a sandbox'
complete -c bawn -n __bawn_needs_command -a doctor -d 'find out what this machine can do'
complete -c bawn -n __bawn_needs_command -a log -d 'show what was allowed, denied and done'
complete -c bawn -n __bawn_needs_command -a policy -d 'look at egress policies'
complete -c bawn -n __bawn_needs_command -a profile -d 'look at profiles'
complete -c bawn -n __bawn_needs_command -a login -d 'says that no log-in is needed'
complete -c bawn -n __bawn_needs_command -a version -d 'show the version'
complete -c bawn -n __bawn_needs_command -a help -d 'show the commands'

complete -c bawn -n '__bawn_in run' -a '(__bawn_profiles)' -F
complete -c bawn -n '__bawn_in run' -l rm -d 'remove the sandbox at the end'
complete -c bawn -n '__bawn_in run' -s e -l env -x -d 'set or pass a variable'
complete -c bawn -n '__bawn_in run' -l env-file -r -F -d 'set variables from a file'
complete -c bawn -n '__bawn_in run' -l allow -x -d 'also allow a host'
complete -c bawn -n '__bawn_in run' -l deny -x -d 'deny a host'
complete -c bawn -n '__bawn_in run' -l allow-private -x -d 'allow a host on a private address'
complete -c bawn -n '__bawn_in run' -l host-port -x -d 'relay a port to the loopback of the host'
complete -c bawn -n '__bawn_in run' -l policy -r -F -d 'use this egress policy'
complete -c bawn -n '__bawn_in run' -l offline -d 'no network at all'
complete -c bawn -n '__bawn_in run' -l mask -x -d 'matching untracked files read as empty'
complete -c bawn -n '__bawn_in run' -l connect-to -x -d 'connect there instead'
complete -c bawn -n '__bawn_in run' -l no-yolo -d 'keep the permission prompts'
complete -c bawn -n '__bawn_in run' -l no-login -d 'leave the log-in out'
complete -c bawn -n '__bawn_in run' -l bare-home -d 'bring no settings along'
complete -c bawn -n '__bawn_in run' -l pids -x -d 'limit of processes and threads'
complete -c bawn -n '__bawn_in run' -l allow-degraded -x -a landlock -d 'start although it is missing'
complete -c bawn -n '__bawn_in run' -l as-user -x -a '(__fish_complete_users)' -d 'as root, become this user'
complete -c bawn -n '__bawn_in run' -l clipboard -d 'let the agent write to the clipboard'
complete -c bawn -n '__bawn_in run' -l dry-run -d 'show the plan and stop'
complete -c bawn -n '__bawn_in run' -l json -d 'the plan as JSON'
complete -c bawn -n '__bawn_in run' -l timing -d 'show how long the start took'
complete -c bawn -n '__bawn_in run' -l audit -r -F -d 'append the audit log to a file'
complete -c bawn -n '__bawn_in run' -s v -l verbose -d 'say more'
complete -c bawn -n '__bawn_in run' -s q -l quiet -d 'say nothing but errors'
complete -c bawn -n '__bawn_in run' -s h -l help -d 'show a short help'

complete -c bawn -n '__bawn_in doctor' -l json -d 'as JSON'
complete -c bawn -n '__bawn_in doctor' -l apparmor -d 'print the AppArmor profile'
complete -c bawn -n '__bawn_in log' -s f -l follow -d 'go on showing events'
complete -c bawn -n '__bawn_in log' -l json -d 'one object a line'
complete -c bawn -n '__bawn_in log' -l file -r -F -d 'read this log'
complete -c bawn -n '__bawn_in profile' -a 'ls show lint (__bawn_profiles)'
complete -c bawn -n '__bawn_in policy' -a 'show check lint'
