# fish completion for bawn(1): asks `bawn __complete`, which knows its commands, options and names

function __bawn_complete
	set -l words (commandline -opc) (commandline -ct)
	# of "--audit=FILE", what the shell itself completes is FILE
	set -l prefix (string match -r -- '^--[^=]*=' $words[-1])
	set -l value (string replace -r -- '^--[^=]*=' '' $words[-1])
	for line in (bawn __complete $words[2..-1] 2>/dev/null)
		switch $line
			case :files
				printf "$prefix%s\n" (__fish_complete_path $value)
			case :dirs
				printf "$prefix%s\n" (__fish_complete_directories $value '')
			case :commands
				printf "$prefix%s\n" (complete -C "$value")
			case :users
				printf "$prefix%s\n" (__fish_complete_users)
			case :env
				printf "$prefix%s\n" (set -nx)
			case '*'
				echo $line
		end
	end
end

complete -c bawn -f -a '(__bawn_complete)'
