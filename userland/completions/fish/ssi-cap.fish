complete -c ssi-cap -l set -d 'Give the capability [default: children for the caller, both for a PID]' -r -f -a "children\t'What the process starts from now on, not the process itself'
both\t'The process itself, and what it starts from now on'"
complete -c ssi-cap -l clear -d 'Take the capability, from the process and from what it starts'
complete -c ssi-cap -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ssi-cap -s V -l version -d 'Print version'
