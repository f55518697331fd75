complete -c checkpoint -l media -d 'Where images are kept' -r -f -a "disk\t'Files in the store'
memory\t'The memory of the nodes, every part on two of them; no shared store is needed'"
complete -c checkpoint -l copies -d 'Copies of every part: with 2, every node keeps its part in a store of its own, and the next node keeps another, so that a version survives the loss of any one node. [default: 1; in memory always 2]' -r
complete -c checkpoint -l keep -d 'With two copies: so many versions of the application stay, the oldest go first [default: all; in memory 2]' -r
complete -c checkpoint -s d -l description -d 'Text that the list of restart shows, at most 255 bytes' -r
complete -c checkpoint -l store -d 'Folder of the checkpoints, the same on every node [default: /var/lib/ssi/checkpoints]' -r -F
complete -c checkpoint -l kill -d 'Hold the application until the version exists, then end it [default signal: KILL]' -r
complete -c checkpoint -l unfreeze -d 'Take no checkpoint: let a frozen application go on, with SIGNAL first if one is given' -r
complete -c checkpoint -l exportable -d 'Copy the version into one file, too, that restart takes on any cluster; - is standard output, and the report goes to standard error' -r -F
complete -c checkpoint -s p -l process-only -d 'Save only the process itself, not its application'
complete -c checkpoint -l external-ends -d 'Save streams that lead out of the application as ended, in place of a refusal'
complete -c checkpoint -l freeze -d 'Take no checkpoint: stop all processes at one moment, as SIGSTOP does'
complete -c checkpoint -l json -d 'Report as JSON; a failure is a line on standard error all the same'
complete -c checkpoint -s h -l help -d 'Print help (see more with \'--help\')'
complete -c checkpoint -s V -l version -d 'Print version'
